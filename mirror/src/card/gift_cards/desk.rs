//! Gift cards from the phones' side. The HTTP control calls and the methods of [`crate::CardDesk`] both come here.

use rusqlite::Connection;

use super::act::{AcceptGift, BuyGift, GiveInvoice, SendGift};
use super::record::{GiftOrderRecord, InvoiceRecord};
use super::{buying, pages};
use crate::card::ask::Failed;
use crate::card::desk::{LARGEST_PAGE, as_account};
use crate::card::invoices;
use crate::error::MirrorError;
use crate::ledger::card::{gift_orders, things};
use crate::rules::card::{GIFT_ORDER, GIFT_PAGE};
use crate::state::App;

fn owner_of_page(db: &Connection, page_id: &str) -> Result<String, Failed> {
    things::owner(db, pages::KIND, page_id)?.ok_or_else(|| (&GIFT_PAGE).into())
}

fn owner_of_order(db: &Connection, order_id: &str) -> Result<String, Failed> {
    Ok(gift_orders::find(db, order_id)?.ok_or(&GIFT_ORDER)?.appid)
}

pub(crate) async fn buy(app: &App, buy: BuyGift) -> Result<GiftOrderRecord, MirrorError> {
    let page_id = buy.page_id.clone();
    as_account(app, move |db| owner_of_page(db, &page_id), move |ask| buying::buy(ask, &buy)).await
}

pub(crate) async fn send(app: &App, send: SendGift) -> Result<GiftOrderRecord, MirrorError> {
    let order_id = send.order_id.clone();
    as_account(app, move |db| owner_of_order(db, &order_id), move |ask| buying::send(ask, &send)).await
}

pub(crate) async fn accept(app: &App, accept: AcceptGift) -> Result<GiftOrderRecord, MirrorError> {
    let order_id = accept.order_id.clone();
    let whose = move |db: &Connection| owner_of_order(db, &order_id);
    as_account(app, whose, move |ask| buying::accept(ask, &accept)).await
}

pub(crate) async fn invoice(app: &App, give: GiveInvoice) -> Result<InvoiceRecord, MirrorError> {
    let order_id = give.order_id.clone();
    as_account(app, move |db| owner_of_order(db, &order_id), move |ask| invoices::give(ask, &give)).await
}

/// Orders of all accounts, newest first.
pub(crate) async fn orders(app: &App, limit: u32) -> Result<Vec<GiftOrderRecord>, MirrorError> {
    let list = app.ledger.read(move |db| {
        let found = gift_orders::newest(db, limit.min(LARGEST_PAGE))?;
        found.iter().map(|order| GiftOrderRecord::of(db, order)).collect()
    });
    Ok(list.await?)
}

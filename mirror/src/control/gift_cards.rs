//! Gift cards from the phones' side: buy on a page, send, take, ask for an invoice.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::failure::{self, Failure};
use crate::card::ask::{Ask, Failed};
use crate::card::desk::{self, failed};
use crate::card::gift_buying::{self, Accept, Buy, Send};
use crate::card::invoices::{self, Give};
use crate::card::people;
use crate::ledger::card::gift_orders;
use crate::rules::card::{GIFT_ORDER, GIFT_PAGE};
use crate::state::App;

fn owner_of_order(db: &Connection, order_id: &str) -> Result<String, Failed> {
    Ok(gift_orders::find(db, order_id)?.ok_or(&GIFT_ORDER)?.appid)
}

async fn as_account(
    app: &App,
    whose: impl FnOnce(&Connection) -> Result<String, Failed> + std::marker::Send + 'static,
    work: impl FnOnce(&Ask<'_>) -> Result<Value, Failed> + std::marker::Send + 'static,
) -> Result<Json<Value>, Failure> {
    Ok(Json(desk::as_account(app, whose, work).await?))
}

pub(crate) async fn buy(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let buy: Buy = failure::read(&body)?;
    let page_id = buy.page_id.clone();
    let whose =
        move |db: &Connection| gift_buying::owner_of_page(db, &page_id)?.ok_or_else(|| (&GIFT_PAGE).into());
    as_account(&app, whose, move |ask| gift_buying::buy(ask, &buy)).await
}

pub(crate) async fn send(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let send: Send = failure::read(&body)?;
    let order_id = send.order_id.clone();
    as_account(&app, move |db| owner_of_order(db, &order_id), move |ask| gift_buying::send(ask, &send)).await
}

pub(crate) async fn accept(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let accept: Accept = failure::read(&body)?;
    let order_id = accept.order_id.clone();
    as_account(&app, move |db| owner_of_order(db, &order_id), move |ask| gift_buying::accept(ask, &accept))
        .await
}

pub(crate) async fn invoice(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let give: Give = failure::read(&body)?;
    let order_id = give.order_id.clone();
    as_account(&app, move |db| owner_of_order(db, &order_id), move |ask| invoices::give(ask, &give)).await
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<u32>,
}

/// Orders of all accounts, newest first.
pub(crate) async fn orders(State(app): State<App>, Query(page): Query<Page>) -> Result<Json<Value>, Failure> {
    let now = app.clocks.now();
    let list = app.ledger.read(move |db| {
        match gift_buying::all(&people::asking(db, "", now, &Map::new()), page.limit.unwrap_or(100)) {
            Err(Failed::Store(error)) => Err(error),
            told => Ok(told),
        }
    });
    Ok(Json(json!({ "orders": list.await?.map_err(failed)? })))
}

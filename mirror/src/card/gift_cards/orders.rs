//! Orders from gift-card pages as the merchant sees them: look, list, pay back.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::card::ask::{Ask, Failed, Told, ensure, told};
use crate::ledger::card::cards;
use crate::ledger::card::codes::{self, State};
use crate::ledger::card::gift_orders::{self, GiftItem, GiftOrder};
use crate::rules::card::{
    GIFT_ORDER, GIFT_ORDER_PAGE, GIFT_ORDER_SORT, GIFT_ORDER_SPAN, GIFT_REFUNDED, REQUIRED,
};

/// Longest id of an order.
const ID_BYTES: usize = 128;
/// Most orders on one page.
const PAGE: i64 = 100;
/// Longest span of a list, in seconds.
const SPAN: i64 = 31 * 24 * 60 * 60;

/// The order of this account.
pub(in crate::card) fn named(ask: &Ask<'_>, order_id: &str) -> Result<GiftOrder, Failed> {
    let order = gift_orders::find(ask.db, order_id)?.filter(|order| order.appid == ask.appid);
    order.ok_or_else(|| (&GIFT_ORDER).into())
}

fn asked(ask: &Ask<'_>) -> Result<GiftOrder, Failed> {
    named(ask, ask.body.needed("order_id", ID_BYTES, &REQUIRED)?)
}

/// An order as the API shows it.
fn shown(ask: &Ask<'_>, order: &GiftOrder) -> Result<Map<String, Value>, Failed> {
    let items = gift_orders::items(ask.db, order.id)?;
    let takers: HashSet<_> =
        items.iter().map(|item| &item.accepter).filter(|taker| !taker.is_empty()).collect();
    // Of a group, each card says who took it.
    let several = order.chat_room || takers.len() > 1;
    let mut list = Vec::new();
    for item in &items {
        list.push(shown_item(ask, order, item, several)?);
    }
    let accepter = takers.into_iter().find(|_| !several).map_or("", String::as_str);
    Ok(told! {
        "order_id": order.order_id,
        "page_id": order.page_id,
        "trans_id": order.trans_id,
        "create_time": order.created.seconds(),
        "pay_finish_time": order.paid.seconds(),
        "total_price": order.total_fen,
        "open_id": order.buyer,
        "accepter_openid": accepter,
        "card_list": list,
        "outer_str": order.outer_str,
        "IsChatRoom": order.chat_room,
    })
}

fn shown_item(ask: &Ask<'_>, order: &GiftOrder, item: &GiftItem, several: bool) -> Result<Value, Failed> {
    let code = codes::by_number(ask.db, item.code)?;
    let card = match &code {
        Some(code) => cards::by_number(ask.db, code.card)?,
        None => None,
    };
    let words = if order.own_words { "" } else { &order.message };
    let mut shown = json!({
        "card_id": card.map(|card| card.card_id),
        "price": item.price_fen,
        "code": code.map(|code| code.code),
        "default_gifting_msg": words,
        "background_pic_url": order.picture,
        "outer_img_id": order.image_id,
    });
    if several {
        shown["accepter_openid"] = item.accepter.clone().into();
    }
    Ok(shown)
}

/// `POST /card/giftcard/order/get`
pub(in crate::card) fn get(ask: &Ask<'_>) -> Told {
    let order = asked(ask)?;
    Ok(told! {"order": shown(ask, &order)?})
}

/// `POST /card/giftcard/order/batchget`
pub(in crate::card) fn list(ask: &Ask<'_>) -> Told {
    let begin = ask.body.number("begin_time")?.ok_or(&REQUIRED)?;
    let end = ask.body.number("end_time")?.ok_or(&REQUIRED)?;
    ensure(
        begin >= 0 && end.checked_sub(begin).is_some_and(|span| (0..=SPAN).contains(&span)),
        &GIFT_ORDER_SPAN,
    )?;
    let newest_first = match ask.body.text("sort_type", 16)?.unwrap_or("ASC") {
        "ASC" => false,
        "DESC" => true,
        _ => return Err((&GIFT_ORDER_SORT).into()),
    };
    let offset = ask.body.number("offset")?.unwrap_or(0);
    let count = ask.body.number("count")?.ok_or(&REQUIRED)?;
    ensure(offset >= 0 && (1..=PAGE).contains(&count), &GIFT_ORDER_PAGE)?;
    let span = (begin, end);
    let mut list = Vec::new();
    for order in gift_orders::between(ask.db, ask.appid, span, newest_first, (offset, count))? {
        list.push(shown(ask, &order)?);
    }
    Ok(told! {"total_count": gift_orders::count(ask.db, ask.appid, span)?, "order_list": list})
}

/// `POST /card/giftcard/order/refund`: all the money goes back, and no card of the order can be used any more,
/// whoever has it and whatever was spent from it.
pub(in crate::card) fn refund(ask: &Ask<'_>) -> Told {
    let mut order = asked(ask)?;
    ensure(order.refunded.is_none(), &GIFT_REFUNDED)?;
    order.refunded = Some(ask.now);
    gift_orders::save(ask.db, &order)?;
    for item in gift_orders::items(ask.db, order.id)? {
        if let Some(mut code) = codes::by_number(ask.db, item.code)? {
            code.state = State::Unavailable;
            code.gift_due = None;
            codes::save(ask.db, &code)?;
        }
    }
    Ok(told! {})
}

//! Card coins: granted once, bought, and spent on stock, one coin for each card.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::ask::{Ask, Failed, Told, ensure, told};
use super::base_info::MOST_STOCK;
use super::event::{self, Field};
use super::record::CoinOrder;
use crate::ledger::card::cards;
use crate::ledger::card::coins::{self, Coins, DONE, GRANT, Order, QUOTE, RECHARGE, SPENT, WAITING};
use crate::moment::Moment;
use crate::random;
use crate::rules::card::{
    COIN_COUNT, COIN_ORDER, COIN_ORDER_PAID, COINS_MISSING, PARAMETER, QUANTITY, TOTAL_STOCK,
};

/// What an account is given when it begins.
const REWARD: i64 = 200;
/// How long a price is good for, in milliseconds.
const QUOTE_LIFE: i64 = 60_000;
/// Most coins in one recharge, and most that an account has of a kind.
const MOST_COINS: i64 = 100_000_000;
/// Most orders on one page.
const PAGE: i64 = 100;
/// The front of every order number.
const FRONT: &str = "404";

fn order_id(number: i64) -> String {
    format!("{FRONT}{number:06}")
}

fn number_of(order_id: &str) -> Option<i64> {
    let number = order_id.strip_prefix(FRONT)?.parse().ok().filter(|number: &i64| *number > 0)?;
    (self::order_id(number) == order_id).then_some(number)
}

fn held(ask: &Ask<'_>) -> Result<Coins, Failed> {
    Ok(coins::held(ask.db, ask.appid)?.unwrap_or_default())
}

fn order_of(ask: &Ask<'_>) -> Result<Order, Failed> {
    let id = ask.body.needed("order_id", 32, &COIN_ORDER)?;
    named(ask, id)
}

fn named(ask: &Ask<'_>, order_id: &str) -> Result<Order, Failed> {
    let found = match number_of(order_id) {
        Some(number) => coins::find(ask.db, number)?.filter(|order| order.appid == ask.appid),
        None => None,
    };
    found.ok_or_else(|| (&COIN_ORDER).into())
}

fn new(ask: &Ask<'_>, kind: &str, status: &str, moved: Coins) -> Order {
    Order {
        id: 0,
        appid: ask.appid.to_owned(),
        kind: kind.to_owned(),
        status: status.to_owned(),
        created: ask.now,
        finished: None,
        coins: moved,
        openid: String::new(),
        card: None,
        quantity: 0,
    }
}

/// `GET /card/pay/activate`: the grant comes once.
pub(super) fn activate(ask: &Ask<'_>) -> Told {
    let granted = coins::all(ask.db, ask.appid)?.iter().any(|order| order.kind == GRANT);
    if granted {
        return Ok(told! {"reward": "0"});
    }
    let mut order = new(ask, GRANT, DONE, Coins { free: REWARD, paid: 0 });
    order.finished = Some(ask.now);
    order.id = coins::insert(ask.db, &order)?;
    gain(ask, &order)?;
    raise(ask, &order)?;
    Ok(told! {"reward": REWARD.to_string()})
}

/// `POST /card/pay/getpayprice`: what stock costs. Coins that were granted go first.
pub(super) fn price(ask: &Ask<'_>) -> Told {
    let (card, quantity) = wanted(ask)?;
    let free = held(ask)?.free.min(quantity);
    let mut order = new(ask, SPENT, QUOTE, Coins { free, paid: quantity - free });
    (order.card, order.quantity) = (Some(card.id), quantity);
    let id = coins::insert(ask.db, &order)?;
    Ok(told! {
        "order_id": order_id(id),
        "price": quantity.to_string(),
        "free_coin": order.coins.free.to_string(),
        "pay_coin": order.coins.paid.to_string(),
    })
}

/// Which card gets how much more stock.
fn wanted(ask: &Ask<'_>) -> Result<(cards::Card, i64), Failed> {
    let quantity = ask.body.number("quantity")?.ok_or(&QUANTITY)?;
    ensure((1..=MOST_STOCK).contains(&quantity), &QUANTITY)?;
    let card = ask.card()?;
    ensure(!super::templates::is_deposited(&card), &QUANTITY)?;
    ensure(card.total + quantity <= MOST_STOCK, &TOTAL_STOCK)?;
    Ok((card, quantity))
}

/// `GET /card/pay/getcoinsinfo`
pub(super) fn balance(ask: &Ask<'_>) -> Told {
    let held = held(ask)?;
    // Neither part is more than a hundred million.
    Ok(told! {"free_coin": held.free, "pay_coin": held.paid, "total_coin": held.free + held.paid})
}

/// `POST /card/pay/confirm`: buys the stock at its price, once and within a minute.
pub(super) fn confirm(ask: &Ask<'_>) -> Told {
    let (mut card, quantity) = wanted(ask)?;
    let mut order = order_of(ask)?;
    ensure(order.status == QUOTE, &COIN_ORDER)?;
    ensure(order.card == Some(card.id) && order.quantity == quantity, &COIN_ORDER)?;
    ensure(ask.now.millis() - order.created.millis() <= QUOTE_LIFE, &COIN_ORDER)?;
    let held = held(ask)?;
    ensure(held.free >= order.coins.free && held.paid >= order.coins.paid, &COINS_MISSING)?;
    let left = Coins { free: held.free - order.coins.free, paid: held.paid - order.coins.paid };
    coins::hold(ask.db, ask.appid, left)?;
    (order.status, order.finished) = (DONE.to_owned(), Some(ask.now));
    coins::finish(ask.db, &order)?;
    card.quantity += quantity;
    card.total += quantity;
    card.updated = ask.now;
    cards::save(ask.db, &card)?;
    raise(ask, &order)?;
    Ok(told! {})
}

/// `POST /card/pay/recharge`: an order that somebody pays by scanning its code.
pub(super) fn recharge(ask: &Ask<'_>) -> Told {
    let count = ask.body.number("coin_count")?.ok_or(&COIN_COUNT)?;
    ensure((1..=MOST_COINS).contains(&count), &COIN_COUNT)?;
    let id = coins::insert(ask.db, &new(ask, RECHARGE, WAITING, Coins { free: 0, paid: count }))?;
    let url = format!("weixin://wxpay/bizpayurl?pr={}", random::alphanumeric(9));
    // No address of this length is too long for a QR code.
    let picture = super::qr_picture::draw(&url).map(|picture| STANDARD.encode(picture)).unwrap_or_default();
    Ok(told! {"order_id": order_id(id), "qrcode_url": url, "qrcode_buffer": picture})
}

/// Somebody pays a recharge.
pub(crate) fn paid(ask: &Ask<'_>, order_id: &str, openid: Option<String>) -> Result<CoinOrder, Failed> {
    let mut order = named(ask, order_id)?;
    ensure(order.kind == RECHARGE && order.status == WAITING, &COIN_ORDER_PAID)?;
    (order.status, order.finished) = (DONE.to_owned(), Some(ask.now));
    order.openid = openid.unwrap_or_default();
    coins::finish(ask.db, &order)?;
    gain(ask, &order)?;
    raise(ask, &order)?;
    let held = held(ask)?;
    Ok(CoinOrder {
        order_id: order_id.to_owned(),
        status: order.status,
        free_coin: held.free,
        pay_coin: held.paid,
    })
}

/// The account of an order, for those who know its number alone.
pub(crate) fn owner(db: &rusqlite::Connection, order_id: &str) -> Result<String, Failed> {
    let found = match number_of(order_id) {
        Some(number) => coins::find(db, number)?,
        None => None,
    };
    found.map(|order| order.appid).ok_or_else(|| (&COIN_ORDER).into())
}

/// The coins of an order come in.
fn gain(ask: &Ask<'_>, order: &Order) -> Result<(), Failed> {
    let held = held(ask)?;
    let sum =
        |held: i64, more: i64| held.checked_add(more).filter(|sum| *sum <= MOST_COINS).ok_or(&COIN_COUNT);
    let coins = Coins { free: sum(held.free, order.coins.free)?, paid: sum(held.paid, order.coins.paid)? };
    Ok(coins::hold(ask.db, ask.appid, coins)?)
}

fn description(order: &Order) -> &'static str {
    match order.kind.as_str() {
        GRANT => "coins granted",
        RECHARGE => "coins bought",
        _ => "stock bought",
    }
}

fn raise(ask: &Ask<'_>, order: &Order) -> Result<(), Failed> {
    let id = order_id(order.id);
    let finished = order.finished.map_or(0, Moment::seconds);
    let (free, paid) = (order.coins.free.to_string(), order.coins.paid.to_string());
    let fields = [
        ("OrderId", Field::Text(&id)),
        ("Status", Field::Text(&order.status)),
        ("CreateOrderTime", Field::Number(order.created.seconds())),
        ("PayFinishTime", Field::Number(finished)),
        ("Desc", Field::Text(description(order))),
        ("FreeCoinCount", Field::Text(&free)),
        ("PayCoinCount", Field::Text(&paid)),
        ("RefundFreeCoinCount", Field::Text("0")),
        ("RefundPayCoinCount", Field::Text("0")),
        ("OrderType", Field::Text(&order.kind)),
        ("Memo", Field::Text("")),
        ("ReceiptInfo", Field::Text("")),
    ];
    Ok(event::raise(ask.db, ask.appid, &order.openid, "card_pay_order", &fields, ask.now)?)
}

/// An order as the API shows it: counts are texts.
fn shown(order: &Order) -> Value {
    let mut shown = json!({
        "order_id": order_id(order.id),
        "status": order.status,
        "create_time": order.created.seconds(),
        "pay_finish_time": order.finished.map_or(0, Moment::seconds),
        "desc": description(order),
        "free_coin_count": order.coins.free.to_string(),
        "pay_coin_count": order.coins.paid.to_string(),
        "refund_free_coin_count": "0",
        "refund_pay_coin_count": "0",
        "order_type": order.kind,
    });
    if !order.openid.is_empty() {
        shown["openid"] = order.openid.clone().into();
    }
    shown
}

/// `POST /card/pay/getorder`
pub(super) fn get(ask: &Ask<'_>) -> Told {
    let order = order_of(ask)?;
    ensure(order.status != QUOTE, &COIN_ORDER)?;
    Ok(told! {"order_info": shown(&order)})
}

/// `POST /card/pay/getorderlist`: `nor_filter` names what is left out.
pub(super) fn list(ask: &Ask<'_>) -> Told {
    let offset = ask.body.number("offset")?.ok_or(&PARAMETER)?;
    let count = ask.body.number("count")?.ok_or(&PARAMETER)?;
    ensure(offset >= 0 && (1..=PAGE).contains(&count), &PARAMETER)?;
    let kind = ask.body.text("order_type", 64)?;
    ensure(kind.is_none_or(|kind| KINDS.contains(&kind)), &PARAMETER)?;
    let without = match ask.body.object("nor_filter")? {
        Some(filter) => filter.text("status", 64)?,
        None => None,
    };
    ensure(without.is_none_or(|status| STATUSES.contains(&status)), &PARAMETER)?;
    let newest_first = match ask.body.object("sort_info")? {
        Some(sort) => {
            ensure(sort.text("sort_key", 64)?.is_none_or(|key| key == "SORT_BY_TIME"), &PARAMETER)?;
            match sort.text("sort_type", 64)? {
                None | Some("SORT_ASC") => false,
                Some("SORT_DESC") => true,
                Some(_) => return Err((&PARAMETER).into()),
            }
        }
        None => false,
    };
    let (begin, end) = (ask.body.number("begin_time")?, ask.body.number("end_time")?);
    let mut found = coins::all(ask.db, ask.appid)?;
    found.retain(|order| {
        let created = order.created.seconds();
        kind.is_none_or(|kind| order.kind == kind)
            && without.is_none_or(|status| order.status != status)
            && begin.is_none_or(|begin| created >= begin)
            && end.is_none_or(|end| created <= end)
    });
    if newest_first {
        found.reverse();
    }
    let page = found
        .iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(count).unwrap_or(0));
    Ok(told! {"total_num": found.len(), "order_list": page.map(shown).collect::<Vec<_>>()})
}

const KINDS: [&str; 5] = [GRANT, RECHARGE, "ORDER_TYPE_REFUND", SPENT, "ORDER_TYPE_SYS_REDUCE"];
const STATUSES: [&str; 8] = [
    WAITING,
    DONE,
    "ORDER_STATUS_FINANCE_SUCC",
    "ORDER_STATUS_QUANTITY_SUCC",
    "ORDER_STATUS_HAS_REFUND",
    "ORDER_STATUS_REFUND_WAITING",
    "ORDER_STATUS_ROLLBACK",
    "ORDER_STATUS_HAS_RECEIPT",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_number_leads_back_to_its_order() {
        for number in [1, 999_999, 1_000_000, i64::MAX] {
            assert_eq!(number_of(&order_id(number)), Some(number));
        }
        for wrong in ["", "404", "4041", "404-00001", "405000001", "4040000001", "40499999999999999999999"] {
            assert_eq!(number_of(wrong), None, "{wrong}");
        }
    }
}

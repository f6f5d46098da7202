//! Cards that exist: look, list, stock, delete.

use serde_json::{Map, Value, json};

use super::ask::{Ask, Told, ensure, told};
use super::base_info::MOST_STOCK;
use super::body::{flag_of, number_of};
use super::codes::remind;
use super::colors;
use super::kinds::key_of;
use crate::ledger::card::cards::{self, Card, DELETE};
use crate::ledger::card::codes::{self, State};
use crate::rules::card::{CARD_STATUS, DEPOSIT_MODE, PARAMETER, QUANTITY, STOCK, TOTAL_STOCK};

/// Most cards on one page.
const PAGE: i64 = 50;
/// Claims of a card by one user where the card says nothing.
const USUAL_GET_LIMIT: i64 = 50;
/// The spellings of a status that filters use.
const SPELLINGS: [(&str, &str); 3] = [
    ("CARD_STATUS_VERIFY_FALL", "CARD_STATUS_VERIFY_FAIL"),
    ("CARD_STATUS_USER_DELETE", "CARD_STATUS_DELETE"),
    ("CARD_STATUS_USER_DISPATCH", "CARD_STATUS_DISPATCH"),
];

/// `POST /card/get`
pub(super) fn get(ask: &Ask<'_>) -> Told {
    Ok(told! {"card": shown(&ask.any_card()?)})
}

/// A card as the API shows it.
pub(crate) fn shown(card: &Card) -> Value {
    let mut body = card.body.clone();
    if let Some(Value::Object(base)) = body.get_mut("base_info") {
        let color = base.get("color").and_then(Value::as_str).and_then(colors::value);
        if let Some(color) = color {
            base.insert("color".to_owned(), color.to_uppercase().into());
        }
        for key in ["can_share", "can_give_friend"] {
            base.entry(key).or_insert(true.into());
        }
        for (key, value) in [
            ("id", json!(card.card_id)),
            ("appid", json!(card.appid)),
            ("status", json!(card.status)),
            ("create_time", json!(card.created.seconds())),
            ("update_time", json!(card.updated.seconds())),
            ("sku", json!({ "quantity": card.quantity, "total_quantity": card.total })),
        ] {
            base.insert(key.to_owned(), value);
        }
    }
    let mut shown = Map::new();
    shown.insert("card_type".to_owned(), card.card_type.clone().into());
    shown.insert(key_of(&card.card_type), body.into());
    shown.into()
}

/// `POST /card/batchget`
pub(super) fn list(ask: &Ask<'_>) -> Told {
    let offset = ask.body.number("offset")?.ok_or(&PARAMETER)?;
    let count = ask.body.number("count")?.ok_or(&PARAMETER)?;
    ensure(offset >= 0 && (1..=PAGE).contains(&count), &PARAMETER)?;
    let wanted: Option<Vec<&str>> = match ask.body.0.get("status_list") {
        // One client sends a single text.
        Some(Value::String(one)) => Some(vec![one]),
        _ => ask.body.texts("status_list")?,
    };
    let wanted: Option<Vec<&str>> = wanted.map(|list| list.into_iter().map(usual).collect());
    let mut found = cards::all(ask.db, ask.appid)?;
    found.retain(|card| wanted.as_ref().is_none_or(|wanted| wanted.contains(&card.status.as_str())));
    let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
    let taken = usize::try_from(count).unwrap_or(0);
    let page: Vec<_> = found.iter().skip(skipped).take(taken).map(|card| &card.card_id).collect();
    Ok(told! {"card_id_list": page, "total_num": found.len()})
}

fn usual(status: &str) -> &str {
    SPELLINGS.iter().find(|(other, _)| *other == status).map_or(status, |(_, usual)| usual)
}

/// `POST /card/modifystock`
pub(super) fn modify_stock(ask: &Ask<'_>) -> Told {
    let mut card = ask.card()?;
    let more = ask.body.number("increase_stock_value")?.unwrap_or(0);
    let less = ask.body.number("reduce_stock_value")?.unwrap_or(0);
    ensure((0..=MOST_STOCK).contains(&more) && (0..=MOST_STOCK).contains(&less), &QUANTITY)?;
    ensure(more == 0 || less == 0, &QUANTITY)?;
    ensure(less <= card.quantity, &STOCK)?;
    ensure(card.total + more <= MOST_STOCK, &TOTAL_STOCK)?;
    let before = card.quantity;
    card.quantity += more - less;
    card.total += more - less;
    if is_deposited(&card) {
        let free = codes::count(ask.db, card.id, State::Deposited)?;
        ensure(card.quantity <= free, &DEPOSIT_MODE)?;
    }
    card.updated = ask.now;
    cards::save(ask.db, &card)?;
    remind(ask, &card, before)?;
    Ok(told! {})
}

/// Whether codes come from a pool that the merchant fills.
pub(super) fn is_deposited(card: &Card) -> bool {
    card.body["base_info"]["get_custom_code_mode"].as_str().is_some_and(|mode| !mode.is_empty())
}

/// Whether the merchant names a code for each claim.
pub(super) fn is_custom(card: &Card) -> bool {
    flag(card, "use_custom_code") && !is_deposited(card)
}

/// How often one user may claim it; 0 is without limit.
pub(super) fn get_limit(card: &Card) -> i64 {
    number_of(&card.body["base_info"]["get_limit"]).unwrap_or(USUAL_GET_LIMIT)
}

/// A flag of `base_info`; absent is false.
pub(super) fn flag(card: &Card, key: &str) -> bool {
    flag_of(&card.body["base_info"][key]).unwrap_or(false)
}

/// A flag of the type's own object; absent is false.
pub(super) fn own_flag(card: &Card, key: &str) -> bool {
    card.body.get(key).and_then(flag_of).unwrap_or(false)
}

/// `POST /card/delete`
pub(super) fn delete(ask: &Ask<'_>) -> Told {
    let mut card = ask.any_card()?;
    ensure(card.status != DELETE, &CARD_STATUS)?;
    DELETE.clone_into(&mut card.status);
    card.review_due = None;
    card.updated = ask.now;
    cards::save(ask.db, &card)?;
    Ok(told! {})
}

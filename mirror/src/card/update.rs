//! `POST /card/update`: what may change, and what is reviewed again.

use serde_json::{Map, Value};

use super::ask::{Ask, Failed, Told, ensure, told};
use super::base_info::{LAST_SECOND, date_type, fields_of_base};
use super::body::Body;
use super::due;
use super::kinds::{TYPES, fields_of_type, key_of, supplies};
use super::templates::own_flag;
use crate::ledger::card::accounts;
use crate::ledger::card::cards::{self, NOT_VERIFY, VERIFY_FAIL};
use crate::rules::card::{
    BONUS_TAKEN_BACK, CARD_PARAMETERS, CARD_TYPE, CELLS, DATE_INFO, MESSAGE_CARDS, ONE_CELL, REQUIRED, TIME,
};

/// Fields of `base_info` whose new text is reviewed.
const REVIEWED: [&str; 5] = ["logo_url", "color", "notice", "description", "title"];
/// Fields of `base_info` that stay as they were made.
const FIXED: [&str; 10] = [
    "brand_name",
    "sku",
    "use_custom_code",
    "get_custom_code_mode",
    "bind_openid",
    "source",
    "fixed_term",
    "fixed_begin_term",
    "sub_merchant_info",
    "giftcard_info",
];
/// Fields of a type that stay as they were made.
const FIXED_OF_TYPE: [&str; 5] = ["least_cost", "reduce_cost", "sub_card_type", "init_bonus", "init_balance"];
/// Texts that no card goes without.
const NEEDED: [&str; 3] = ["title", "notice", "description"];
const NEEDED_OF_TYPE: [&str; 5] = ["deal_detail", "gift", "default_detail", "meeting_detail", "prerogative"];
const CENTER: [&str; 3] = ["center_title", "center_sub_title", "center_url"];

pub(super) fn update(ask: &Ask<'_>) -> Told {
    let mut card = ask.card()?;
    let key = key_of(&card.card_type);
    let foreign = TYPES.iter().map(|known| key_of(known)).any(|known| known != key && ask.body.has(&known));
    ensure(!foreign, &CARD_TYPE)?;
    let change = ask.body.object(&key)?.ok_or(&CARD_TYPE)?;
    fields_of_type(change)?;
    for key in FIXED_OF_TYPE {
        ensure(!change.has(key), &CARD_PARAMETERS)?;
    }
    not_emptied(change, &NEEDED_OF_TYPE)?;
    let least = i64::from(card.card_type == "DISCOUNT");
    ensure(change.number("discount")?.is_none_or(|off| (least..=99).contains(&off)), &CARD_PARAMETERS)?;
    for key in ["modify_msg_operation", "activate_msg_operation"] {
        check_message(change, key)?;
    }
    for key in ["supply_bonus", "supply_balance"] {
        let held = own_flag(&card, key);
        ensure(!held || change.flag(key)? != Some(false), &BONUS_TAKEN_BACK)?;
    }
    let mut reviewed = card.status == NOT_VERIFY || card.status == VERIFY_FAIL;
    if let Some(base) = change.object("base_info")? {
        fields_of_base(base)?;
        not_emptied(base, &NEEDED)?;
        for key in FIXED {
            ensure(!base.has(key), &CARD_PARAMETERS)?;
        }
        let held = card.body.entry("base_info").or_insert_with(|| Map::new().into());
        let Value::Object(held) = held else { return Err((&CARD_PARAMETERS).into()) };
        if let Some(new) = base.object("date_info")? {
            widen(held, new)?;
        }
        if CENTER.iter().any(|key| base.text(key, 128).ok().flatten().is_some_and(|text| !text.is_empty())) {
            ensure(!is_open(&card.settings, "pay_cell"), &CELLS)?;
            ensure(!is_open(&card.settings, "self_consume_cell"), &ONE_CELL)?;
        }
        for (key, value) in base.0 {
            reviewed |= REVIEWED.contains(&key.as_str()) && held.get(key) != Some(value);
            if key != "date_info" {
                held.insert(key.clone(), value.clone());
            }
        }
    }
    for (key, value) in change.0 {
        if key != "base_info" && key != "advanced_info" {
            card.body.insert(key.clone(), value.clone());
        }
    }
    let account = accounts::find(ask.db, ask.appid)?;
    supplies(Body(&card.body), &account)?;
    card.updated = ask.now;
    if reviewed {
        NOT_VERIFY.clone_into(&mut card.status);
        due::to_review(&mut card, &account, ask.now);
    }
    cards::save(ask.db, &card)?;
    Ok(told! {"send_check": reviewed})
}

/// Whether a cell of the card is switched on.
pub(super) fn is_open(settings: &Map<String, Value>, cell: &str) -> bool {
    settings.get(cell).is_some_and(|cell| cell["is_open"] == true)
}

/// The validity of a fixed range may grow at both ends.
fn widen(held: &mut Map<String, Value>, new: Body<'_>) -> Result<(), Failed> {
    let Some(Value::Object(old)) = held.get("date_info") else { return Err((&DATE_INFO).into()) };
    let old = Body(old);
    let range = Some("DATE_TYPE_FIX_TIME_RANGE");
    ensure(date_type(old) == range && date_type(new) == range, &DATE_INFO)?;
    let begin = new.number("begin_timestamp")?.or(old.number("begin_timestamp")?);
    let end = new.number("end_timestamp")?.or(old.number("end_timestamp")?);
    let holds = |second: Option<i64>| second.is_none_or(|second| (0..=LAST_SECOND).contains(&second));
    ensure(holds(begin) && holds(end), &TIME)?;
    ensure(begin <= old.number("begin_timestamp")? && end >= old.number("end_timestamp")?, &DATE_INFO)?;
    let mut date = old.0.clone();
    date.insert("begin_timestamp".to_owned(), begin.into());
    date.insert("end_timestamp".to_owned(), end.into());
    held.insert("date_info".to_owned(), date.into());
    Ok(())
}

/// What a card is not made without is not taken from it.
fn not_emptied(change: Body<'_>, keys: &[&str]) -> Result<(), Failed> {
    for key in keys {
        ensure(change.text(key, usize::MAX)?.is_none_or(|text| !text.is_empty()), &REQUIRED)?;
    }
    Ok(())
}

fn check_message(change: Body<'_>, key: &str) -> Result<(), Failed> {
    let Some(message) = change.object(key)? else { return Ok(()) };
    if let Some(cell) = message.object("url_cell")? {
        let cards = cell.texts("card_id_list")?.unwrap_or_default();
        ensure(cards.len() <= 5, &MESSAGE_CARDS)?;
        cell.number("end_time")?;
    }
    if let Some(cell) = message.object("card_cell")? {
        cell.number("end_time")?;
    }
    Ok(())
}

//! Cards and codes as displays show them: everything at once, in the words of the API.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use rusqlite::Connection;
use serde_json::Value;

use super::account::status;
use super::colors;
use super::shown::{CodeFilter, ListedCard, ShownCard, ShownCode, ShownTicket};
use super::templates::{is_custom, is_deposited};
use super::update::is_open;
use crate::ledger::card::cards::{self, Card};
use crate::ledger::card::codes::Code;
use crate::ledger::card::views::{self as rows, Counts};
use crate::moment::Moment;

/// QR codes shown with a card.
const TICKETS: u32 = 100;

fn text(value: Option<&Value>, key: &str) -> String {
    value.and_then(|value| value[key].as_str()).unwrap_or_default().to_owned()
}

fn given(value: &Value, key: &str) -> Option<String> {
    Some(text(Some(value), key)).filter(|text| !text.is_empty())
}

fn time(seconds: i64) -> DateTime<FixedOffset> {
    Moment::from_millis(seconds.saturating_mul(1_000)).date_time()
}

fn listed(card: &Card, counts: Counts) -> ListedCard {
    let base = card.body.get("base_info");
    let color = text(base, "color");
    ListedCard {
        card_id: card.card_id.clone(),
        appid: card.appid.clone(),
        card_type: card.card_type.clone(),
        title: text(base, "title"),
        brand_name: text(base, "brand_name"),
        color_value: colors::value(&color).map(str::to_owned),
        color,
        status: card.status.clone(),
        review_due: card.review_due.map(Moment::date_time),
        codes: match () {
            () if is_deposited(card) => "deposited".to_owned(),
            () if is_custom(card) => "custom".to_owned(),
            () => "server".to_owned(),
        },
        quantity: card.quantity,
        total_quantity: card.total,
        claimed: counts.claimed,
        redeemed: counts.redeemed,
        create_time: card.created.date_time(),
        update_time: card.updated.date_time(),
    }
}

/// The newest cards of an account, or of all.
pub(crate) fn list(db: &Connection, appid: Option<&str>, limit: u32) -> rusqlite::Result<Vec<ListedCard>> {
    let found = rows::newest(db, appid, limit)?;
    let ids: Vec<i64> = found.iter().map(|card| card.id).collect();
    let counts = rows::counts(db, &ids)?;
    Ok(found.iter().map(|card| listed(card, counts.get(&card.id).copied().unwrap_or_default())).collect())
}

/// One card; none where there is no such card.
pub(crate) fn show(db: &Connection, card_id: &str, now: Moment) -> rusqlite::Result<Option<ShownCard>> {
    let Some(card) = cards::find(db, card_id)? else { return Ok(None) };
    let counts = rows::counts(db, &[card.id])?;
    let refused = card.status == cards::VERIFY_FAIL;
    let qrcodes = rows::tickets(db, &card, TICKETS)?.into_iter().map(|found| {
        let object = found.cards.iter().find(|object| object["card_id"] == card_id).unwrap_or(&Value::Null);
        ShownTicket {
            expires: found.expires.date_time(),
            over: found.expires <= now,
            once: found.once,
            used: found.used,
            cards: found.cards.len(),
            outer_str: text(Some(object), "outer_str"),
            openid: given(object, "openid"),
            code: given(object, "code"),
            ticket: found.ticket,
        }
    });
    Ok(Some(ShownCard {
        qrcodes: qrcodes.collect(),
        refuse_reason: if refused { rows::refuse_reason(db, card.id)? } else { None },
        code_counts: rows::states(db, card.id, now)?.into_iter().collect(),
        test_openids: rows::testers(db, &card.appid)?,
        pay_cell: is_open(&card.settings, "pay_cell"),
        card: listed(&card, counts.get(&card.id).copied().unwrap_or_default()),
        body: card.body,
        settings: card.settings,
    }))
}

/// Codes that somebody has or had, newest first; none where the card is not there.
pub(crate) fn codes(
    db: &Connection,
    wanted: &CodeFilter,
    limit: u32,
    now: Moment,
) -> rusqlite::Result<Option<Vec<ShownCode>>> {
    let card = match &wanted.card_id {
        None => None,
        Some(card_id) => match cards::find(db, card_id)? {
            None => return Ok(None),
            Some(card) => Some(card.id),
        },
    };
    let before = wanted.before.unwrap_or(i64::MAX);
    let found = rows::held_codes(db, (card, wanted.openid.as_deref()), before, limit)?;
    let mut ids: BTreeMap<i64, String> = BTreeMap::new();
    for code in &found {
        if !ids.contains_key(&code.card)
            && let Some(card) = cards::by_number(db, code.card)?
        {
            ids.insert(code.card, card.card_id);
        }
    }
    let card_id = |code: &Code| ids.get(&code.card).cloned().unwrap_or_default();
    Ok(Some(found.into_iter().map(|code| held(card_id(&code), code, now)).collect()))
}

fn held(card_id: String, code: Code, now: Moment) -> ShownCode {
    ShownCode {
        id: code.id,
        card_id,
        user_card_status: status(&code, now).to_owned(),
        custom: code.own,
        begin_time: time(code.begins),
        end_time: code.ends.map(time),
        claim_time: code.claimed.map(Moment::date_time),
        gift_due: code.gift_due.map(Moment::date_time),
        code: code.code,
        openid: code.openid,
        outer_str: code.outer_str,
        has_active: code.active,
        face: code.face,
    }
}

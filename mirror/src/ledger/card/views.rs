//! What displays show of cards, beside the cards themselves.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};
use serde_json::Value;

use super::cards::{self, Card};
use super::codes::{self, Code};
use crate::moment::Moment;

/// How often something was done with a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    pub(crate) claimed: i64,
    pub(crate) redeemed: i64,
}

/// A QR code that was made for a card.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) ticket: String,
    pub(crate) expires: Moment,
    /// The objects of all its cards.
    pub(crate) cards: Vec<Value>,
    pub(crate) once: bool,
    pub(crate) used: bool,
}

/// Cards of an account, or of all, newest first.
pub(crate) fn newest(db: &Connection, appid: Option<&str>, limit: u32) -> rusqlite::Result<Vec<Card>> {
    db.prepare_cached(&format!(
        "SELECT {} FROM cards WHERE ?1 IS NULL OR appid = ?1 ORDER BY id DESC LIMIT ?2",
        cards::COLUMNS
    ))?
    .query_map(params![appid, limit], cards::read)?
    .collect()
}

/// How many cards there are.
pub(crate) fn total(db: &Connection, appid: Option<&str>) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT count(*) FROM cards WHERE ?1 IS NULL OR appid = ?1")?
        .query_row([appid], |row| row.get(0))
}

/// Claims and redemptions of these cards.
pub(crate) fn counts(db: &Connection, cards: &[i64]) -> rusqlite::Result<HashMap<i64, Counts>> {
    let mut counts: HashMap<i64, Counts> = HashMap::new();
    let list = Value::from(cards.to_vec()).to_string();
    let mut found = db.prepare_cached(
        "SELECT card, sum(kind = 'receive'), sum(kind = 'verify') FROM card_happenings
         WHERE card IN (SELECT value FROM json_each(?1)) GROUP BY card",
    )?;
    let mut rows = found.query([list])?;
    while let Some(row) = rows.next()? {
        counts.insert(row.get(0)?, Counts { claimed: row.get(1)?, redeemed: row.get(2)? });
    }
    Ok(counts)
}

/// How many codes of a card are in which state, by the name of the state.
pub(crate) fn states(db: &Connection, card: i64, now: Moment) -> rusqlite::Result<Vec<(String, i64)>> {
    db.prepare_cached(
        "SELECT CASE WHEN state = 'NORMAL' AND ends < ?2 THEN 'EXPIRE' ELSE state END AS shown, count(*)
         FROM card_codes WHERE card = ?1 GROUP BY shown ORDER BY shown",
    )?
    .query_map(params![card, now.seconds()], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

fn ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    let cards: String = row.get(2)?;
    Ok(Ticket {
        ticket: row.get(0)?,
        expires: Moment::from_millis(row.get(1)?),
        cards: serde_json::from_str(&cards).unwrap_or_default(),
        once: row.get(3)?,
        used: row.get(4)?,
    })
}

/// QR codes that lead to a card; those that live longest come first.
pub(crate) fn tickets(db: &Connection, card: &Card, limit: u32) -> rusqlite::Result<Vec<Ticket>> {
    db.prepare_cached(
        "SELECT ticket, expires, cards, once, used FROM card_qrcodes
         WHERE appid = ?1 AND EXISTS (
            SELECT 1 FROM json_each(cards) WHERE json_extract(value, '$.card_id') = ?2)
         ORDER BY expires DESC, ticket LIMIT ?3",
    )?
    .query_map(params![card.appid, card.card_id, limit], ticket)?
    .collect()
}

/// Openids of the users who may claim cards that have not passed the review.
pub(crate) fn testers(db: &Connection, appid: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT name FROM card_testers WHERE appid = ?1 AND kind = 'openid' ORDER BY name")?
        .query_map([appid], |row| row.get(0))?
        .collect()
}

/// Codes that somebody has or had, newest first: of a card, of a user, or of all; those numbered below `before`.
pub(crate) fn held_codes(
    db: &Connection,
    (card, openid): (Option<i64>, Option<&str>),
    before: i64,
    limit: u32,
) -> rusqlite::Result<Vec<Code>> {
    // Named one by one, so that each question finds its index.
    let card_is = if card.is_some() { "card = ?1 AND" } else { "" };
    let openid_is = if openid.is_some() { "openid = ?2 AND" } else { "" };
    db.prepare_cached(&format!(
        "SELECT {} FROM card_codes WHERE {card_is} {openid_is} id < ?3 AND state <> 'DEPOSITED'
         ORDER BY id DESC LIMIT ?4",
        codes::COLUMNS
    ))?
    .query_map(params![card, openid, before, limit], codes::read)?
    .collect()
}

/// Why the review refused a card, if that is what it said last.
pub(crate) fn refuse_reason(db: &Connection, card: i64) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT refuse_reason FROM cards WHERE id = ?1")?.query_row([card], |row| row.get(0))
}

/// Keeps what the review said; nothing where it let the card pass.
pub(crate) fn set_refuse_reason(db: &Connection, card: i64, reason: Option<&str>) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE cards SET refuse_reason = ?2 WHERE id = ?1")?
        .execute(params![card, reason])
        .map(drop)
}

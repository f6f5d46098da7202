//! Rows of cards, that is, of kinds of cards.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Map, Value};

use crate::moment::Moment;

/// Waiting for the review.
pub(crate) const NOT_VERIFY: &str = "CARD_STATUS_NOT_VERIFY";
/// Refused by the review.
pub(crate) const VERIFY_FAIL: &str = "CARD_STATUS_VERIFY_FAIL";
/// Passed.
pub(crate) const VERIFY_OK: &str = "CARD_STATUS_VERIFY_OK";
/// Deleted by the merchant.
pub(crate) const DELETE: &str = "CARD_STATUS_DELETE";
/// Passed, and distributed from the console.
pub(crate) const DISPATCH: &str = "CARD_STATUS_DISPATCH";

/// A kind of card.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    pub(crate) id: i64,
    pub(crate) card_id: String,
    pub(crate) appid: String,
    pub(crate) card_type: String,
    /// The object of the type.
    pub(crate) body: Map<String, Value>,
    pub(crate) status: String,
    pub(crate) review_due: Option<Moment>,
    pub(crate) quantity: i64,
    pub(crate) total: i64,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
    pub(crate) settings: Map<String, Value>,
}

pub(super) const COLUMNS: &str = "id, card_id, appid, card_type, body, status, review_due, quantity, total, created, updated, \
                       settings";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Card> {
    let object = |text: String| serde_json::from_str(&text).unwrap_or_default();
    let due: Option<i64> = row.get(6)?;
    Ok(Card {
        id: row.get(0)?,
        card_id: row.get(1)?,
        appid: row.get(2)?,
        card_type: row.get(3)?,
        body: object(row.get(4)?),
        status: row.get(5)?,
        review_due: due.map(Moment::from_millis),
        quantity: row.get(7)?,
        total: row.get(8)?,
        created: Moment::from_millis(row.get(9)?),
        updated: Moment::from_millis(row.get(10)?),
        settings: object(row.get(11)?),
    })
}

fn text(object: &Map<String, Value>) -> String {
    Value::Object(object.clone()).to_string()
}

/// The number of the next card.
pub(crate) fn next(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM cards")?.query_row([], |row| row.get(0))
}

pub(crate) fn insert(db: &Connection, card: &Card) -> rusqlite::Result<()> {
    db.prepare_cached(&format!(
        "INSERT INTO cards ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
    ))?
    .execute(params![
        card.id,
        card.card_id,
        card.appid,
        card.card_type,
        text(&card.body),
        card.status,
        card.review_due.map(Moment::millis),
        card.quantity,
        card.total,
        card.created.millis(),
        card.updated.millis(),
        text(&card.settings)
    ])
    .map(drop)
}

/// Writes everything about a card that can change.
pub(crate) fn save(db: &Connection, card: &Card) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE cards SET body = ?2, status = ?3, review_due = ?4, quantity = ?5, total = ?6, updated = ?7,
            settings = ?8
         WHERE id = ?1",
    )?
    .execute(params![
        card.id,
        text(&card.body),
        card.status,
        card.review_due.map(Moment::millis),
        card.quantity,
        card.total,
        card.updated.millis(),
        text(&card.settings)
    ])
    .map(drop)
}

pub(crate) fn find(db: &Connection, card_id: &str) -> rusqlite::Result<Option<Card>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM cards WHERE card_id = ?1"))?
        .query_row([card_id], read)
        .optional()
}

pub(crate) fn by_number(db: &Connection, id: i64) -> rusqlite::Result<Option<Card>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM cards WHERE id = ?1"))?.query_row([id], read).optional()
}

/// All cards of an account, oldest first.
pub(crate) fn all(db: &Connection, appid: &str) -> rusqlite::Result<Vec<Card>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM cards WHERE appid = ?1 ORDER BY id"))?
        .query_map([appid], read)?
        .collect()
}

/// Cards whose review answers by this time, the earliest first.
pub(crate) fn reviewed_by(db: &Connection, now: Moment) -> rusqlite::Result<Vec<Card>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM cards WHERE review_due IS NOT NULL AND review_due <= ?1 ORDER BY review_due, id"
    ))?
    .query_map([now.millis()], read)?
    .collect()
}

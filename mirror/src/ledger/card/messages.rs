//! Rows of cards that were sent as messages.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// Whom a message is for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Recipients {
    pub(crate) openids: Vec<String>,
    pub(crate) all: bool,
    pub(crate) tag: Option<i64>,
    pub(crate) wechat_id: Option<String>,
}

/// A message with a card.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) appid: String,
    /// Name of the call.
    pub(crate) call: String,
    pub(crate) card_id: String,
    /// JSON, as it was sent.
    pub(crate) card_ext: Option<String>,
    pub(crate) recipients: Recipients,
    pub(crate) created: Moment,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    let recipients: String = row.get(5)?;
    Ok(Message {
        id: row.get(0)?,
        appid: row.get(1)?,
        call: row.get(2)?,
        card_id: row.get(3)?,
        card_ext: row.get(4)?,
        recipients: serde_json::from_str(&recipients).unwrap_or_default(),
        created: Moment::from_millis(row.get(6)?),
    })
}

const COLUMNS: &str = "id, appid, call, card_id, card_ext, recipients, created";

/// Keeps one; its number is made here.
pub(crate) fn insert(db: &Connection, message: &Message) -> rusqlite::Result<i64> {
    let recipients = serde_json::to_string(&message.recipients).unwrap_or_default();
    db.prepare_cached(
        "INSERT INTO card_messages (appid, call, card_id, card_ext, recipients, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        message.appid,
        message.call,
        message.card_id,
        message.card_ext,
        recipients,
        message.created.millis()
    ])?;
    Ok(db.last_insert_rowid())
}

pub(crate) fn find(db: &Connection, id: i64) -> rusqlite::Result<Option<Message>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_messages WHERE id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// Newest first.
pub(crate) fn list(db: &Connection, limit: u32) -> rusqlite::Result<Vec<Message>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_messages ORDER BY id DESC LIMIT ?1"))?
        .query_map([limit], read)?
        .collect()
}

//! Rows of small things that are kept as JSON.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use crate::moment::Moment;

/// One thing of an account.
#[derive(Debug)]
pub(crate) struct Thing {
    pub(crate) body: Value,
    pub(crate) created: Moment,
}

/// The number of the next thing of this kind.
pub(crate) fn next(db: &Connection, appid: &str, kind: &str) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM card_things WHERE appid = ?1 AND kind = ?2")?
        .query_row([appid, kind], |row| row.get(0))
}

pub(crate) fn insert(
    db: &Connection,
    appid: &str,
    kind: &str,
    (id, name): (i64, &str),
    body: &Value,
    now: Moment,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO card_things VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)")?
        .execute(params![appid, kind, id, name, body.to_string(), now.millis()])
        .map(drop)
}

pub(crate) fn find(db: &Connection, appid: &str, kind: &str, name: &str) -> rusqlite::Result<Option<Thing>> {
    db.prepare_cached("SELECT body, created FROM card_things WHERE appid = ?1 AND kind = ?2 AND name = ?3")?
        .query_row([appid, kind, name], |row| {
            let body: String = row.get(0)?;
            Ok(Thing {
                body: serde_json::from_str(&body).unwrap_or_default(),
                created: Moment::from_millis(row.get(1)?),
            })
        })
        .optional()
}

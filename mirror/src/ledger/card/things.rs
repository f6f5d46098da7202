//! Rows of small things that are kept as JSON.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;

use crate::moment::Moment;

/// One thing of an account.
#[derive(Debug)]
pub(crate) struct Thing {
    /// Counted from 1 in its kind.
    pub(crate) id: i64,
    pub(crate) body: Value,
    pub(crate) created: Moment,
    pub(crate) updated: Moment,
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

fn read(row: &Row<'_>) -> rusqlite::Result<Thing> {
    let body: String = row.get(1)?;
    Ok(Thing {
        id: row.get(0)?,
        body: serde_json::from_str(&body).unwrap_or_default(),
        created: Moment::from_millis(row.get(2)?),
        updated: Moment::from_millis(row.get(3)?),
    })
}

pub(crate) fn find(db: &Connection, appid: &str, kind: &str, name: &str) -> rusqlite::Result<Option<Thing>> {
    db.prepare_cached(
        "SELECT id, body, created, updated FROM card_things WHERE appid = ?1 AND kind = ?2 AND name = ?3",
    )?
    .query_row([appid, kind, name], read)
    .optional()
}

/// The account that a thing is of. Names of its kind are unique in all accounts.
pub(crate) fn owner(db: &Connection, kind: &str, name: &str) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT appid FROM card_things WHERE kind = ?1 AND name = ?2")?
        .query_row([kind, name], |row| row.get(0))
        .optional()
}

/// Keeps a thing under a name; one that is there gives way.
pub(crate) fn put(
    db: &Connection,
    appid: &str,
    (kind, name): (&str, &str),
    body: &Value,
    now: Moment,
) -> rusqlite::Result<()> {
    if find(db, appid, kind, name)?.is_some() {
        return update(db, appid, (kind, name), body, now);
    }
    insert(db, appid, kind, (next(db, appid, kind)?, name), body, now)
}

/// All things of a kind, by number.
pub(crate) fn all(db: &Connection, appid: &str, kind: &str) -> rusqlite::Result<Vec<Thing>> {
    db.prepare_cached(
        "SELECT id, body, created, updated FROM card_things WHERE appid = ?1 AND kind = ?2 ORDER BY id",
    )?
    .query_map([appid, kind], read)?
    .collect()
}

/// The names of all things of a kind, by number.
pub(crate) fn names(db: &Connection, appid: &str, kind: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT name FROM card_things WHERE appid = ?1 AND kind = ?2 ORDER BY id")?
        .query_map([appid, kind], |row| row.get(0))?
        .collect()
}

pub(crate) fn update(
    db: &Connection,
    appid: &str,
    (kind, name): (&str, &str),
    body: &Value,
    now: Moment,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE card_things SET body = ?4, updated = ?5 WHERE appid = ?1 AND kind = ?2 AND name = ?3",
    )?
    .execute(params![appid, kind, name, body.to_string(), now.millis()])
    .map(drop)
}

/// Whether it was there.
pub(crate) fn delete(db: &Connection, appid: &str, kind: &str, name: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("DELETE FROM card_things WHERE appid = ?1 AND kind = ?2 AND name = ?3")?
        .execute([appid, kind, name])
        .map(|rows| rows > 0)
}

//! Rows of QR codes and of test users.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;

use crate::moment::Moment;

/// A QR code that was made.
#[derive(Debug)]
pub(crate) struct QrCode {
    pub(crate) appid: String,
    /// What the picture says.
    pub(crate) url: String,
    pub(crate) expires: Moment,
    /// The card objects of the request.
    pub(crate) cards: Vec<Value>,
    pub(crate) once: bool,
    pub(crate) used: bool,
}

pub(crate) fn insert(db: &Connection, ticket: &str, code: &QrCode) -> rusqlite::Result<()> {
    let cards = Value::Array(code.cards.clone()).to_string();
    db.prepare_cached(
        "INSERT INTO card_qrcodes (ticket, appid, url, expires, cards, once) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![ticket, code.appid, code.url, code.expires.millis(), cards, code.once])
    .map(drop)
}

pub(crate) fn find(db: &Connection, ticket: &str) -> rusqlite::Result<Option<QrCode>> {
    db.prepare_cached("SELECT appid, url, expires, cards, once, used FROM card_qrcodes WHERE ticket = ?1")?
        .query_row([ticket], |row| {
            let cards: String = row.get(3)?;
            Ok(QrCode {
                appid: row.get(0)?,
                url: row.get(1)?,
                expires: Moment::from_millis(row.get(2)?),
                cards: serde_json::from_str(&cards).unwrap_or_default(),
                once: row.get(4)?,
                used: row.get(5)?,
            })
        })
        .optional()
}

/// It was claimed from.
pub(crate) fn use_up(db: &Connection, ticket: &str) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE card_qrcodes SET used = 1 WHERE ticket = ?1")?.execute([ticket]).map(drop)
}

/// The whole list of test users takes the old one's place.
pub(crate) fn set_testers(
    db: &Connection,
    appid: &str,
    openids: &[&str],
    usernames: &[&str],
) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM card_testers WHERE appid = ?1")?.execute([appid])?;
    for (kind, names) in [("openid", openids), ("username", usernames)] {
        for name in names {
            db.prepare_cached("INSERT OR IGNORE INTO card_testers VALUES (?1, ?2, ?3)")?
                .execute([appid, kind, name])?;
        }
    }
    Ok(())
}

pub(crate) fn is_tester(db: &Connection, appid: &str, openid: &str) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM card_testers WHERE appid = ?1 AND kind = 'openid' AND name = ?2)",
    )?
    .query_row([appid, openid], |row| row.get(0))
}

//! Rows of addresses for notifications, one for each merchant.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::moment::Moment;

pub(crate) fn find(connection: &Connection, mchid: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT notify_url FROM callbacks WHERE mchid = ?1")?
        .query_row([mchid], |row| row.get(0))
        .optional()
}

/// Where a merchant's notifications go, if it wants any.
pub(crate) fn target(connection: &Connection, mchid: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT notify_url FROM callbacks WHERE mchid = ?1 AND pushes")?
        .query_row([mchid], |row| row.get(0))
        .optional()
}

/// A new address takes the old one's place. Without `pushes`, nothing new is notified.
pub(crate) fn save(
    connection: &Connection,
    mchid: &str,
    notify_url: &str,
    pushes: bool,
    now: Moment,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO callbacks VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![mchid, notify_url, pushes, now.millis()])
        .map(drop)
}

//! Rows of what pages have handed to users' phones: each signed `cardExt` is taken once by a user.

use rusqlite::{Connection, params};

/// Keeps that a user has taken a card with this signature; false when that was so already.
pub(crate) fn first(db: &Connection, card: i64, openid: &str, signature: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("INSERT OR IGNORE INTO card_page_claims VALUES (?1, ?2, ?3)")?
        .execute(params![card, openid, signature])
        .map(|rows| rows > 0)
}

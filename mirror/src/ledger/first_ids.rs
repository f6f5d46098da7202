//! The row that says where ids begin.

use rusqlite::{Connection, params};

use crate::ids::FirstIds;

/// The number the ids are made from, if they are.
pub(crate) fn seed(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let text: Option<String> = connection.query_row("SELECT seed FROM first_ids", [], |row| row.get(0))?;
    Ok(text.and_then(|text| text.parse().ok()))
}

pub(crate) fn save(connection: &Connection, seed: u64, first: FirstIds) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT OR REPLACE INTO first_ids VALUES (1, ?1, ?2, ?3, ?4, ?5)",
            params![seed.to_string(), first.stock, first.coupon, first.redemption, first.refund],
        )
        .map(drop)
}

/// Whether ids have been given out.
pub(crate) fn are_in_use(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM stocks)", [], |row| row.get(0))
}

//! The row that keeps the test clock.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::clock::ClockMode;
use crate::moment::Moment;

pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Option<ClockMode>> {
    connection
        .query_row("SELECT frozen, millis FROM clock", [], |row| {
            let millis = row.get(1)?;
            Ok(if row.get(0)? {
                ClockMode::Frozen { at: Moment::from_millis(millis) }
            } else {
                ClockMode::Running { ahead: millis }
            })
        })
        .optional()
}

pub(crate) fn save(connection: &Connection, mode: ClockMode) -> rusqlite::Result<()> {
    let millis = match mode {
        ClockMode::Running { ahead } => ahead,
        ClockMode::Frozen { at } => at.millis(),
    };
    connection
        .execute("INSERT OR REPLACE INTO clock VALUES (1, ?1, ?2)", params![mode.is_frozen(), millis])
        .map(drop)
}

//! The row that keeps the test clock.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::clock::ClockMode;
use crate::moment::Moment;

pub(crate) fn load(connection: &Connection) -> rusqlite::Result<Option<ClockMode>> {
    connection
        .query_row("SELECT frozen, millis, rate, real FROM clock", [], |row| {
            let shown = Moment::from_millis(row.get(1)?);
            let rate = row.get(2)?;
            Ok(if row.get(0)? {
                ClockMode::Frozen { at: shown, rate }
            } else {
                ClockMode::Running { shown, real: Moment::from_millis(row.get(3)?), rate }
            })
        })
        .optional()
}

pub(crate) fn save(connection: &Connection, mode: ClockMode) -> rusqlite::Result<()> {
    let (shown, real) = match mode {
        ClockMode::Running { shown, real, .. } => (shown.millis(), real.millis()),
        ClockMode::Frozen { at, .. } => (at.millis(), 0),
    };
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO clock (one, frozen, millis, rate, real) VALUES (1, ?1, ?2, ?3, ?4)",
        )?
        .execute(params![mode.is_frozen(), shown, mode.rate(), real])
        .map(drop)
}

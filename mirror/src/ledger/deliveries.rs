//! Rows of deliveries of notifications.

use std::time::Duration;

use rusqlite::{Connection, params};
use serde_json::json;

use crate::moment::Moment;
use crate::notify::DeliveryRecord;

/// A delivery that was tried.
#[derive(Debug)]
pub(crate) struct NewDelivery {
    pub(crate) attempt: u32,
    pub(crate) serial: String,
    pub(crate) faults: Vec<String>,
    pub(crate) status: Option<u16>,
    /// None when it was acknowledged.
    pub(crate) error: Option<String>,
    pub(crate) answer: String,
    pub(crate) latency: Duration,
    pub(crate) replay: bool,
}

pub(crate) fn insert(
    connection: &Connection,
    notification: i64,
    time: Moment,
    new: &NewDelivery,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO deliveries (notification, attempt, time, serial, faults, status, error, answer,
                latency_us, replay)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            notification,
            new.attempt,
            time.millis(),
            new.serial,
            json!(new.faults).to_string(),
            new.status,
            new.error,
            new.answer,
            i64::try_from(new.latency.as_micros()).unwrap_or(i64::MAX),
            new.replay,
        ])
        .map(drop)
}

/// The deliveries of a notification, oldest first.
pub(crate) fn of(connection: &Connection, notification: i64) -> rusqlite::Result<Vec<DeliveryRecord>> {
    connection
        .prepare_cached(
            "SELECT attempt, time, serial, faults, status, error, answer, latency_us, replay
             FROM deliveries WHERE notification = ?1 ORDER BY id",
        )?
        .query_map([notification], |row| {
            Ok(DeliveryRecord {
                attempt: row.get(0)?,
                time: Moment::from_millis(row.get(1)?).date_time(),
                serial: row.get(2)?,
                faults: serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default(),
                status: row.get(4)?,
                error: row.get(5)?,
                answer: row.get(6)?,
                latency_us: u64::try_from(row.get::<_, i64>(7)?).unwrap_or(0),
                replay: row.get(8)?,
            })
        })?
        .collect()
}

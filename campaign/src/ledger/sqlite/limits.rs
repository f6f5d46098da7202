//! How often a merchant may call: a generic cell rate, by microseconds, whose rate goes down and climbs back.

use std::time::Duration;

use favor_store::sqlite::rusqlite::{self, Connection, OptionalExtension as _, params};

use super::super::{LedgerError, LimitKey, Reservation};
use super::Done;
use super::moment::Moment;

/// The whole of a rate, in its thousandths.
const WHOLE: i64 = 1_000;
/// The least a rate goes down to.
const LEAST: i64 = 10;
/// What a rate climbs by in a second.
const CLIMB: i64 = 10;
const SECOND: i64 = 1_000_000;
/// Further ahead than calls are ever reserved: the clock was set back since.
const FAR: i64 = 600 * SECOND;

/// What was reserved in the future before the clock was set back would hold up all calls until then.
pub(super) fn catch_up(sql: &Connection, now: Moment) -> rusqlite::Result<usize> {
    let soon = now.micros().saturating_add(SECOND);
    sql.execute("UPDATE limits SET next_at = ?1, slowed_at = min(slowed_at, ?1) WHERE next_at > ?1", [soon])
}

pub(super) fn set_rate(sql: &Connection, limit: &LimitKey, per_second: u32) -> rusqlite::Result<()> {
    let mut set = sql.prepare_cached(
        "INSERT INTO limits (merchant_id, api, per_second) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET
            factor = CASE WHEN per_second = excluded.per_second THEN factor ELSE 1000 END,
            per_second = excluded.per_second",
    )?;
    set.execute(params![limit.merchant_id.as_str(), limit.api, per_second.max(1)]).map(drop)
}

pub(super) fn reserve(sql: &Connection, limit: &LimitKey, most: u32, now: Moment) -> Done<Reservation> {
    let row = load(sql, limit)?;
    let now = now.micros();
    let rate = row.rate(now);
    // Rounded up: the limit is kept.
    let spacing = Duration::from_nanos(1_000_000_000_000_u64.div_ceil(rate));
    // Calls of one second at most, so that what a process reserved before it died is not long in the way.
    let calls = u64::from(most).min(rate / WHOLE.unsigned_abs()).max(1);
    let first = if row.next_at > now.saturating_add(FAR) { now } else { row.next_at.max(now) };
    let calls = u32::try_from(calls).unwrap_or(1);
    let taken = spacing.saturating_mul(calls).as_nanos().div_ceil(1_000);
    let next = first.saturating_add(i64::try_from(taken).unwrap_or(i64::MAX));
    sql.prepare_cached("UPDATE limits SET next_at = ?3 WHERE merchant_id = ?1 AND api = ?2")?
        .execute(params![limit.merchant_id.as_str(), limit.api, next])?;
    let first_in = Duration::from_micros(u64::try_from(first - now).unwrap_or(0));
    Ok(Reservation { calls, first_in, spacing })
}

pub(super) fn slow_down(sql: &Connection, limit: &LimitKey, now: Moment) -> Done<()> {
    let row = load(sql, limit)?;
    let now = now.micros();
    if (row.slowed_at..row.slowed_at.saturating_add(SECOND)).contains(&now) {
        return Ok(());
    }
    let factor = (row.factor_at(now) * 7 / 10).max(LEAST);
    sql.prepare_cached("UPDATE limits SET factor = ?3, slowed_at = ?4 WHERE merchant_id = ?1 AND api = ?2")?
        .execute(params![limit.merchant_id.as_str(), limit.api, factor, now])?;
    Ok(())
}

struct Row {
    per_second: u32,
    factor: i64,
    slowed_at: i64,
    next_at: i64,
}

impl Row {
    /// Thousandths of the rate.
    fn factor_at(&self, now: i64) -> i64 {
        let passed = now.saturating_sub(self.slowed_at).max(0);
        let climbed = passed.min(1_000 * SECOND) * CLIMB / SECOND;
        (self.factor.max(LEAST) + climbed).min(WHOLE)
    }

    /// Thousandths of a call per second, at least one.
    fn rate(&self, now: i64) -> u64 {
        u64::from(self.per_second) * self.factor_at(now).unsigned_abs()
    }
}

fn load(sql: &Connection, limit: &LimitKey) -> Done<Row> {
    let mut find = sql.prepare_cached(
        "SELECT per_second, factor, slowed_at, next_at FROM limits WHERE merchant_id = ?1 AND api = ?2",
    )?;
    let row = find
        .query_row(params![limit.merchant_id.as_str(), limit.api], |row| {
            Ok(Row {
                per_second: row.get(0)?,
                factor: row.get(1)?,
                slowed_at: row.get(2)?,
                next_at: row.get(3)?,
            })
        })
        .optional()?;
    let unknown = || {
        LedgerError::Unusable(format!("no rate was set for {} of merchant {}", limit.api, limit.merchant_id))
    };
    Ok(row.ok_or_else(unknown)?)
}

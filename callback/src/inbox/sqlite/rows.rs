//! The statements over the two tables.

use favor_store::sqlite::rusqlite::{self, Connection, OptionalExtension as _, Row, params};

use super::super::columns::Columns;
use super::super::{Counts, InboxId, Receipt, Settled, SignedRequest, Stored};

/// Milliseconds since 1970.
pub(super) type Millis = i64;

/// A row that was claimed.
pub(super) struct ClaimedRow {
    pub(super) receipt: Receipt,
    pub(super) attempt: u32,
    pub(super) received_at: Millis,
    pub(super) columns: Columns,
}

/// A row of a list.
pub(super) struct ListedRow {
    pub(super) id: InboxId,
    pub(super) state: String,
    pub(super) attempts: u32,
    pub(super) times_received: u64,
    pub(super) received_at: Millis,
    pub(super) handled_at: Option<Millis>,
    pub(super) reason: Option<String>,
    pub(super) columns: Columns,
}

/// Puts claims back whose process is gone, at the place their age gives them.
pub(super) fn release(connection: &Connection, now: Millis) -> rusqlite::Result<usize> {
    connection.execute(
        "UPDATE notifications SET state = 'waiting', due = min(received_at, ?1) WHERE state = 'claimed' AND due IS NOT NULL",
        [now],
    )
}

pub(super) fn store(connection: &Connection, new: &Columns, now: Millis) -> rusqlite::Result<Stored> {
    // Without RETURNING, for which SQLite builds a table of its own each time.
    let inserted = connection
        .prepare_cached(
            "INSERT INTO notifications (merchant_id, notification_id, coupon_id, transaction_id, state, due, received_at)
             VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute(params![new.merchant_id, new.notification_id, new.coupon_id, new.transaction_id, now])?;
    if inserted == 0 {
        return repeat(connection, new);
    }
    let id = connection.last_insert_rowid();
    connection
        .prepare_cached(
            "INSERT INTO contents (id, create_time, event_type, summary, signed_by, resource, request_timestamp,
                request_nonce, request_serial, request_signature, request_body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            id,
            new.create_time,
            new.event_type,
            new.summary,
            new.signed_by,
            new.resource,
            new.request.timestamp,
            new.request.nonce,
            new.request.serial,
            new.request.signature,
            &new.request.body[..],
        ])?;
    Ok(Stored::New(InboxId(id)))
}

/// Counts a repeat: of the same id or, where no such is there, of the same use.
fn repeat(connection: &Connection, new: &Columns) -> rusqlite::Result<Stored> {
    let same_id: Option<i64> = connection
        .prepare_cached(
            "UPDATE notifications SET times_received = times_received + 1
             WHERE merchant_id = ?1 AND notification_id = ?2 RETURNING id",
        )?
        .query_row([&new.merchant_id, &new.notification_id], |row| row.get(0))
        .optional()?;
    if let Some(id) = same_id {
        return Ok(Stored::SameId(InboxId(id)));
    }
    connection
        .prepare_cached(
            "UPDATE notifications SET times_received = times_received + 1
             WHERE merchant_id = ?1 AND coupon_id = ?2 AND transaction_id = ?3 RETURNING id",
        )?
        .query_row(params![new.merchant_id, new.coupon_id, new.transaction_id], |row| row.get(0))
        .map(|id| Stored::SameUse(InboxId(id)))
}

const CONTENT: &str = "merchant_id, notification_id, create_time, event_type, summary, signed_by, coupon_id, \
    transaction_id, resource, request_timestamp, request_nonce, request_serial, request_signature, request_body";

fn columns(row: &Row<'_>, first: usize) -> rusqlite::Result<Columns> {
    Ok(Columns {
        merchant_id: row.get(first)?,
        notification_id: row.get(first + 1)?,
        create_time: row.get(first + 2)?,
        event_type: row.get(first + 3)?,
        summary: row.get(first + 4)?,
        signed_by: row.get(first + 5)?,
        coupon_id: row.get(first + 6)?,
        transaction_id: row.get(first + 7)?,
        resource: row.get(first + 8)?,
        request: SignedRequest {
            timestamp: row.get(first + 9)?,
            nonce: row.get(first + 10)?,
            serial: row.get(first + 11)?,
            signature: row.get(first + 12)?,
            body: row.get::<_, Vec<u8>>(first + 13)?.into(),
        },
    })
}

/// A count, which is never negative.
fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0))
}

const DUE: &str = "SELECT id FROM notifications WHERE due <= ?1 ORDER BY due, id LIMIT ?2";

/// Takes what is due, the longest due first.
pub(super) fn claim(
    connection: &Connection,
    most: i64,
    now: Millis,
    lease_ends: Millis,
) -> rusqlite::Result<Vec<ClaimedRow>> {
    let due: Vec<i64> = connection
        .prepare_cached(DUE)?
        .query_map([now, most], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut take = connection.prepare_cached(
        "UPDATE notifications SET state = 'claimed', due = ?2, fence = fence + 1, attempts = attempts + 1
         WHERE id = ?1",
    )?;
    let mut show = connection.prepare_cached(&format!(
        "SELECT fence, attempts, received_at, {CONTENT} FROM notifications JOIN contents USING (id) WHERE id = ?1"
    ))?;
    due.into_iter()
        .map(|id| {
            take.execute([id, lease_ends])?;
            show.query_row([id], |row| {
                Ok(ClaimedRow {
                    receipt: Receipt { id: InboxId(id), fence: row.get(0)? },
                    attempt: row.get(1)?,
                    received_at: row.get(2)?,
                    columns: columns(row, 3)?,
                })
            })
        })
        .collect()
}

/// When the next one is due.
pub(super) fn next_due(connection: &Connection) -> rusqlite::Result<Option<Millis>> {
    connection
        .prepare_cached("SELECT min(due) FROM notifications WHERE due IS NOT NULL")?
        .query_row([], |row| row.get(0))
}

/// What a claim is settled with.
pub(super) enum Verdict {
    Renewed { until: Millis },
    Handled { at: Millis },
    PutBack { due: Millis, reason: String },
    Parked { reason: String },
}

pub(super) fn settle(
    connection: &Connection,
    Receipt { id, fence }: &Receipt,
    verdict: Verdict,
) -> rusqlite::Result<Settled> {
    // One statement for all: what a verdict leaves alone is null.
    let (state, due, handled_at, reason) = match verdict {
        Verdict::Renewed { until } => ("claimed", Some(until), None, None),
        Verdict::Handled { at } => ("handled", None, Some(at), None),
        Verdict::PutBack { due, reason } => ("waiting", Some(due), None, Some(reason)),
        Verdict::Parked { reason } => ("parked", None, None, Some(reason)),
    };
    let changed = connection
        .prepare_cached(
            "UPDATE notifications SET state = ?3, due = ?4, handled_at = ?5, reason = coalesce(?6, reason)
             WHERE id = ?1 AND fence = ?2 AND state = 'claimed'",
        )?
        .execute(params![id.0, fence, state, due, handled_at, reason])?;
    Ok(if changed == 0 { Settled::Void } else { Settled::Done })
}

pub(super) fn unpark(connection: &Connection, which: Option<InboxId>, now: Millis) -> rusqlite::Result<u64> {
    let changed = match which {
        Some(id) => connection
            .prepare_cached(
                "UPDATE notifications SET state = 'waiting', due = ?1 WHERE state = 'parked' AND id = ?2",
            )?
            .execute([now, id.0]),
        None => connection
            .prepare_cached("UPDATE notifications SET state = 'waiting', due = ?1 WHERE state = 'parked'")?
            .execute([now]),
    };
    Ok(changed?.try_into().unwrap_or(u64::MAX))
}

/// Each number comes from an index no larger than what it counts. A lease that has ended leaves a notification that
/// nobody works on.
const COUNTS: &str = "SELECT
    (SELECT count(*) FROM notifications WHERE due IS NOT NULL),
    (SELECT count(*) FROM notifications WHERE due > ?1 AND state = 'claimed'),
    (SELECT count(*) FROM notifications WHERE handled_at IS NOT NULL),
    (SELECT count(*) FROM notifications WHERE state = 'parked'),
    (SELECT coalesce(sum(times_received - 1), 0) FROM notifications WHERE times_received > 1)";

pub(super) fn counts(connection: &Connection, now: Millis) -> rusqlite::Result<Counts> {
    connection.prepare_cached(COUNTS)?.query_row([now], |row| {
        let (open, claimed) = (number(row, 0)?, number(row, 1)?);
        Ok(Counts {
            waiting: open.saturating_sub(claimed),
            claimed,
            handled: number(row, 2)?,
            parked: number(row, 3)?,
            duplicates: number(row, 4)?,
        })
    })
}

pub(super) fn list(
    connection: &Connection,
    after: Option<InboxId>,
    most: i64,
    now: Millis,
) -> rusqlite::Result<Vec<ListedRow>> {
    connection
        .prepare_cached(&format!(
            "SELECT id, CASE WHEN state = 'claimed' AND due <= ?3 THEN 'waiting' ELSE state END, attempts,
                times_received, received_at, handled_at, reason, {CONTENT}
             FROM notifications JOIN contents USING (id) WHERE id > ?1 ORDER BY id LIMIT ?2"
        ))?
        .query_map([after.map_or(i64::MIN, |id| id.0), most, now], |row| {
            Ok(ListedRow {
                id: InboxId(row.get(0)?),
                state: row.get(1)?,
                attempts: row.get(2)?,
                times_received: number(row, 3)?,
                received_at: row.get(4)?,
                handled_at: row.get(5)?,
                reason: row.get(6)?,
                columns: columns(row, 7)?,
            })
        })?
        .collect()
}

/// Forgets up to `most` that were handled before this moment; the newest of all stays, so that its number is not given
/// again.
pub(super) fn purge(connection: &Connection, handled_before: Millis, most: i64) -> rusqlite::Result<usize> {
    let old: Vec<i64> = connection
        .prepare_cached(
            "SELECT id FROM notifications WHERE handled_at < ?1 AND id < (SELECT max(id) FROM notifications)
             ORDER BY handled_at LIMIT ?2",
        )?
        .query_map([handled_before, most], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut what = connection.prepare_cached("DELETE FROM contents WHERE id = ?1")?;
    let mut state = connection.prepare_cached("DELETE FROM notifications WHERE id = ?1")?;
    for id in &old {
        what.execute([id])?;
        state.execute([id])?;
    }
    Ok(old.len())
}

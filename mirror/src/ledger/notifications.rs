//! Rows of notifications.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::deliveries;
use crate::moment::Moment;
use crate::notify::{NotificationRecord, NotificationState};

/// A notification about to be raised.
#[derive(Debug)]
pub(crate) struct NewNotification<'a> {
    pub(crate) event_type: &'a str,
    pub(crate) summary: &'a str,
    pub(crate) mchid: &'a str,
    pub(crate) stock_id: i64,
    pub(crate) coupon_id: i64,
    pub(crate) transaction_id: Option<&'a str>,
    pub(crate) notify_url: &'a str,
    /// What is to be sealed.
    pub(crate) resource: &'a str,
}

/// What a delivery needs.
#[derive(Debug, Clone)]
pub(crate) struct StoredNotification {
    pub(crate) id: i64,
    pub(crate) notification_id: String,
    pub(crate) event_type: String,
    pub(crate) summary: String,
    pub(crate) mchid: String,
    pub(crate) openid: String,
    /// The address in force.
    pub(crate) notify_url: String,
    pub(crate) created: Moment,
    pub(crate) resource: String,
    pub(crate) attempts: u32,
    /// Deliveries of the schedule that failed.
    pub(crate) scheduled: u32,
    /// A fault has put it off.
    pub(crate) held: bool,
}

/// What deliveries have led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Delivered,
    Again(Moment),
    GivenUp,
    Unchanged,
}

/// Due at once. Its id is made from the date and its number, so a run repeated gives the same ones.
pub(crate) fn insert(
    connection: &Connection,
    new: &NewNotification<'_>,
    now: Moment,
) -> rusqlite::Result<i64> {
    let id: i64 = connection
        .prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM notifications")?
        .query_row([], |row| row.get(0))?;
    connection
        .prepare_cached(
            "INSERT INTO notifications (id, notification_id, event_type, summary, mchid, stock_id, coupon_id,
                transaction_id, notify_url, created, resource, state, next_attempt)
             VALUES (:id, :notification, :event, :summary, :mchid, :stock, :coupon, :transaction, :url, :now,
                :resource, 'pending', :now)",
        )?
        .execute(named_params! {
            ":id": id, ":notification": format!("EV-{}{id:010}", now.beijing_date()), ":event": new.event_type,
            ":summary": new.summary, ":mchid": new.mchid, ":stock": new.stock_id, ":coupon": new.coupon_id,
            ":transaction": new.transaction_id, ":url": new.notify_url, ":now": now.millis(),
            ":resource": new.resource,
        })?;
    Ok(id)
}

/// Those due by now, the longest due first.
pub(crate) fn due(connection: &Connection, now: Moment, limit: usize) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached(
            "SELECT id FROM notifications WHERE next_attempt <= ?1 ORDER BY next_attempt, id LIMIT ?2",
        )?
        .query_map(params![now.millis(), i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?
        .collect()
}

pub(crate) fn any_due(connection: &Connection, now: Moment) -> rusqlite::Result<bool> {
    Ok(!due(connection, now, 1)?.is_empty())
}

/// When the next one after `after` is due; without `after`, the first of all.
pub(crate) fn next_due(connection: &Connection, after: Option<Moment>) -> rusqlite::Result<Option<Moment>> {
    let millis: Option<i64> = connection
        .prepare_cached("SELECT min(next_attempt) FROM notifications WHERE next_attempt > ?1")?
        .query_row([after.map_or(i64::MIN, Moment::millis)], |row| row.get(0))?;
    Ok(millis.map(Moment::from_millis))
}

const STORED: &str = "SELECT n.id, n.notification_id, n.event_type, n.summary, n.mchid, c.openid, \
     coalesce(a.notify_url, n.notify_url), n.created, n.resource, n.attempts, n.scheduled, n.held \
     FROM notifications n JOIN coupons c ON c.id = n.coupon_id LEFT JOIN callbacks a ON a.mchid = n.mchid";

/// Any notification.
pub(crate) fn find(connection: &Connection, id: i64) -> rusqlite::Result<Option<StoredNotification>> {
    connection.prepare_cached(&format!("{STORED} WHERE n.id = ?1"))?.query_row([id], read_stored).optional()
}

/// One that is still due.
pub(crate) fn due_now(
    connection: &Connection,
    id: i64,
    now: Moment,
) -> rusqlite::Result<Option<StoredNotification>> {
    connection
        .prepare_cached(&format!("{STORED} WHERE n.id = ?1 AND n.next_attempt <= ?2"))?
        .query_row(params![id, now.millis()], read_stored)
        .optional()
}

fn read_stored(row: &Row<'_>) -> rusqlite::Result<StoredNotification> {
    Ok(StoredNotification {
        id: row.get(0)?,
        notification_id: row.get(1)?,
        event_type: row.get(2)?,
        summary: row.get(3)?,
        mchid: row.get(4)?,
        openid: row.get(5)?,
        notify_url: row.get(6)?,
        created: Moment::from_millis(row.get(7)?),
        resource: row.get(8)?,
        attempts: row.get(9)?,
        scheduled: row.get(10)?,
        held: row.get(11)?,
    })
}

/// Puts one off.
pub(crate) fn hold(connection: &Connection, id: i64, until: Moment) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE notifications SET held = 1, next_attempt = ?2 WHERE id = ?1 AND state = 'pending'",
        )?
        .execute(params![id, until.millis()])
        .map(drop)
}

/// Keeps what an attempt has led to. A notification that was acknowledged stays so.
pub(crate) fn settle(
    connection: &Connection,
    id: i64,
    notify_url: &str,
    is_scheduled: bool,
    verdict: Verdict,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE notifications SET attempts = attempts + 1, notify_url = ?2, scheduled = scheduled + ?3,
                held = CASE WHEN ?3 THEN 0 ELSE held END
             WHERE id = ?1",
        )?
        .execute(params![id, notify_url, is_scheduled])?;
    let (state, next) = match verdict {
        Verdict::Delivered => ("delivered", None),
        Verdict::Again(next) => ("pending", Some(next.millis())),
        Verdict::GivenUp => ("given_up", None),
        Verdict::Unchanged => return Ok(()),
    };
    connection
        .prepare_cached(
            "UPDATE notifications SET state = ?2, next_attempt = ?3
             WHERE id = ?1 AND (state = 'pending' OR ?2 = 'delivered')",
        )?
        .execute(params![id, state, next])
        .map(drop)
}

const SHOWN: &str = "SELECT id, notification_id, event_type, mchid, stock_id, coupon_id, transaction_id, created, \
     notify_url, state, next_attempt FROM notifications";

/// With their deliveries, newest first, only those with a number above `after`.
pub(crate) fn list(
    connection: &Connection,
    limit: usize,
    after: u64,
) -> rusqlite::Result<Vec<NotificationRecord>> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut records: Vec<_> = connection
        .prepare_cached(&format!("{SHOWN} WHERE id > ?1 ORDER BY id DESC LIMIT ?2"))?
        .query_map([after, limit], read_record)?
        .collect::<Result<_, _>>()?;
    records.iter_mut().try_for_each(|record| add_deliveries(connection, record))?;
    Ok(records)
}

/// One with its deliveries.
pub(crate) fn show(connection: &Connection, id: i64) -> rusqlite::Result<Option<NotificationRecord>> {
    let found = connection
        .prepare_cached(&format!("{SHOWN} WHERE id = ?1"))?
        .query_row([id], read_record)
        .optional()?;
    let Some(mut record) = found else { return Ok(None) };
    add_deliveries(connection, &mut record)?;
    Ok(Some(record))
}

/// The number of the one named so, by its number or by its own id.
pub(crate) fn number(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM notifications WHERE id = ?1 OR notification_id = ?2")?
        .query_row(params![name.parse::<i64>().ok(), name], |row| row.get(0))
        .optional()
}

fn add_deliveries(connection: &Connection, record: &mut NotificationRecord) -> rusqlite::Result<()> {
    record.deliveries = deliveries::of(connection, i64::try_from(record.id).unwrap_or(i64::MAX))?;
    Ok(())
}

fn read_record(row: &Row<'_>) -> rusqlite::Result<NotificationRecord> {
    let state = match row.get::<_, String>(9)?.as_str() {
        "delivered" => NotificationState::Delivered,
        "given_up" => NotificationState::GivenUp,
        _ => NotificationState::Pending,
    };
    Ok(NotificationRecord {
        id: u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0),
        notification_id: row.get(1)?,
        event_type: row.get(2)?,
        mchid: row.get(3)?,
        stock_id: row.get::<_, i64>(4)?.to_string(),
        coupon_id: row.get::<_, i64>(5)?.to_string(),
        transaction_id: row.get(6)?,
        created: Moment::from_millis(row.get(7)?).date_time(),
        notify_url: row.get(8)?,
        state,
        next_attempt: row.get::<_, Option<i64>>(10)?.map(|millis| Moment::from_millis(millis).date_time()),
        deliveries: Vec::new(),
    })
}

//! Rows of pushed events.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::moment::Moment;

/// An event.
#[derive(Clone)]
pub(crate) struct StoredEvent {
    pub(crate) id: i64,
    pub(crate) appid: String,
    pub(crate) openid: String,
    pub(crate) event: String,
    pub(crate) xml: String,
    pub(crate) created: Moment,
    pub(crate) state: String,
    pub(crate) attempts: i64,
    pub(crate) status: Option<i64>,
    pub(crate) error: Option<String>,
    /// Whether a fault has put it off.
    pub(crate) held: bool,
    /// Names of the faults that struck the last delivery, with commas between.
    pub(crate) faults: String,
    pub(crate) next_attempt: Option<Moment>,
}

/// What a delivery has led to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) state: &'static str,
    pub(crate) next_attempt: Option<Moment>,
    pub(crate) status: Option<i64>,
    pub(crate) error: Option<String>,
    pub(crate) faults: String,
    /// Whether it is one of the attempts that an event has.
    pub(crate) counts: bool,
}

impl Outcome {
    /// It was acknowledged with this status.
    pub(crate) fn delivered(status: i64, faults: String) -> Self {
        Self {
            state: "delivered",
            next_attempt: None,
            status: Some(status),
            error: None,
            faults,
            counts: true,
        }
    }
}

impl StoredEvent {
    /// Its state, as one of those there are.
    pub(crate) fn state_name(&self) -> &'static str {
        ["pending", "delivered", "nowhere"].into_iter().find(|name| *name == self.state).unwrap_or("given_up")
    }
}

const COLUMNS: &str = "id, appid, openid, event, xml, created, state, attempts, status, error, held, \
                       faults, next_attempt";

fn read(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    let next: Option<i64> = row.get(12)?;
    Ok(StoredEvent {
        id: row.get(0)?,
        appid: row.get(1)?,
        openid: row.get(2)?,
        event: row.get(3)?,
        xml: row.get(4)?,
        created: Moment::from_millis(row.get(5)?),
        state: row.get(6)?,
        attempts: row.get(7)?,
        status: row.get(8)?,
        error: row.get(9)?,
        held: row.get(10)?,
        faults: row.get(11)?,
        next_attempt: next.map(Moment::from_millis),
    })
}

/// Due at once; without an address it goes nowhere and is only kept.
pub(crate) fn insert(
    db: &Connection,
    (appid, openid): (&str, &str),
    (event, xml): (&str, &str),
    goes: bool,
    now: Moment,
) -> rusqlite::Result<()> {
    let (state, next) = if goes { ("pending", Some(now.millis())) } else { ("nowhere", None) };
    db.prepare_cached(
        "INSERT INTO card_events (appid, openid, event, xml, created, state, next_attempt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![appid, openid, event, xml, now.millis(), state, next])
    .map(drop)
}

/// Numbers of those due, oldest first.
pub(crate) fn due(db: &Connection, now: Moment, limit: usize) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT id FROM card_events WHERE next_attempt IS NOT NULL AND next_attempt <= ?1
         ORDER BY next_attempt, id LIMIT ?2",
    )?
    .query_map(params![now.millis(), i64::try_from(limit).unwrap_or(i64::MAX)], |row| row.get(0))?
    .collect()
}

/// One that is still due.
pub(crate) fn due_now(db: &Connection, id: i64, now: Moment) -> rusqlite::Result<Option<StoredEvent>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM card_events WHERE id = ?1 AND next_attempt IS NOT NULL AND next_attempt <= ?2"
    ))?
    .query_row(params![id, now.millis()], read)
    .optional()
}

/// When something is due next: an event, an answer of the review, a gift that goes back; after `after`, if given.
pub(crate) fn next_due(db: &Connection, after: Option<Moment>) -> rusqlite::Result<Option<Moment>> {
    let found: Option<i64> = db
        .prepare_cached(
            "SELECT min(due) FROM (
                SELECT min(next_attempt) AS due FROM card_events
                    WHERE next_attempt IS NOT NULL AND next_attempt > ?1
                UNION ALL SELECT min(review_due) FROM cards
                    WHERE review_due IS NOT NULL AND review_due > ?1
                UNION ALL SELECT min(gift_due) FROM card_codes WHERE gift_due IS NOT NULL AND gift_due > ?1)",
        )?
        .query_row([after.map_or(i64::MIN, Moment::millis)], |row| row.get(0))?;
    Ok(found.map(Moment::from_millis))
}

/// Whether the mirror itself has something to do by now beside deliveries.
pub(crate) fn own_work_due(db: &Connection, now: Moment) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM cards WHERE review_due IS NOT NULL AND review_due <= ?1)
            OR EXISTS (SELECT 1 FROM card_codes WHERE gift_due IS NOT NULL AND gift_due <= ?1)",
    )?
    .query_row([now.millis()], |row| row.get(0))
}

pub(crate) fn settle(db: &Connection, id: i64, outcome: &Outcome) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE card_events SET state = ?2, next_attempt = ?3, status = ?4, error = ?5, faults = ?6,
            attempts = attempts + ?7
         WHERE id = ?1",
    )?
    .execute(params![
        id,
        outcome.state,
        outcome.next_attempt.map(Moment::millis),
        outcome.status,
        outcome.error,
        outcome.faults,
        outcome.counts
    ])
    .map(drop)
}

/// Newest first.
pub(crate) fn list(db: &Connection, limit: u32) -> rusqlite::Result<Vec<StoredEvent>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_events ORDER BY id DESC LIMIT ?1"))?
        .query_map([limit], read)?
        .collect()
}

pub(crate) fn find(db: &Connection, id: i64) -> rusqlite::Result<Option<StoredEvent>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_events WHERE id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// Puts one off.
pub(crate) fn hold(db: &Connection, id: i64, until: Moment) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE card_events SET next_attempt = ?2, held = 1 WHERE id = ?1")?
        .execute(params![id, until.millis()])
        .map(drop)
}

/// Whether a user has done something since: what the account itself brought about does not count.
pub(crate) fn was_active(
    db: &Connection,
    appid: &str,
    openid: &str,
    since: Moment,
) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM card_events WHERE openid = ?1 AND appid = ?2 AND created >= ?3
            AND event NOT IN ('update_member_card', 'user_consume_card', 'card_pay_order')
            AND xml NOT LIKE '%<IsReturnBack>1<%' AND xml NOT LIKE '%<IsReturnBack><![CDATA[true]]>%')",
    )?
    .query_row(params![openid, appid, since.millis()], |row| row.get(0))
}

//! Rows of access tokens, of tickets, and of calls that have a quota.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::moment::Moment;

/// The two sources of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Stable,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Stable => "stable",
        }
    }
}

/// The token that an account was given last.
pub(crate) struct Latest {
    pub(crate) token: String,
    pub(crate) expires: Moment,
}

/// Any token.
pub(crate) struct Held {
    pub(crate) appid: String,
    pub(crate) expires: Moment,
    /// From when on only its successor is valid.
    pub(crate) ends: Option<Moment>,
}

/// A ticket.
pub(crate) struct Ticket {
    pub(crate) ticket: String,
    pub(crate) expires: Moment,
}

/// Calls in the present window.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    pub(crate) calls: i64,
    /// The last one, in whatever window.
    pub(crate) last: Option<Moment>,
}

pub(crate) fn latest(db: &Connection, appid: &str, kind: Kind) -> rusqlite::Result<Option<Latest>> {
    db.prepare_cached(
        "SELECT token, expires FROM card_tokens WHERE appid = ?1 AND kind = ?2 AND ends IS NULL
         ORDER BY id DESC LIMIT 1",
    )?
    .query_row([appid, kind.name()], |row| {
        Ok(Latest { token: row.get(0)?, expires: Moment::from_millis(row.get(1)?) })
    })
    .optional()
}

/// All tokens of this kind end by then.
pub(crate) fn replace(db: &Connection, appid: &str, kind: Kind, ends: Moment) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "UPDATE card_tokens SET ends = ?3
         WHERE appid = ?1 AND kind = ?2 AND (ends IS NULL OR ends > ?3)",
    )?
    .execute(params![appid, kind.name(), ends.millis()])
}

pub(crate) fn insert(
    db: &Connection,
    appid: &str,
    kind: Kind,
    token: &str,
    now: Moment,
    expires: Moment,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO card_tokens (token, appid, kind, issued, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![token, appid, kind.name(), now.millis(), expires.millis()])
    .map(drop)
}

pub(crate) fn find(db: &Connection, token: &str) -> rusqlite::Result<Option<Held>> {
    db.prepare_cached("SELECT appid, expires, ends FROM card_tokens WHERE token = ?1")?
        .query_row([token], |row| {
            let ends: Option<i64> = row.get(2)?;
            Ok(Held {
                appid: row.get(0)?,
                expires: Moment::from_millis(row.get(1)?),
                ends: ends.map(Moment::from_millis),
            })
        })
        .optional()
}

/// How many were issued.
pub(crate) fn issued(db: &Connection, appid: &str, kind: Kind) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT count(*) FROM card_tokens WHERE appid = ?1 AND kind = ?2")?
        .query_row([appid, kind.name()], |row| row.get(0))
}

/// Counts a call and answers how many there are in its window.
pub(crate) fn count(
    db: &Connection,
    appid: &str,
    what: &str,
    now: Moment,
    window: i64,
) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "INSERT INTO card_quotas VALUES (?1, ?2, ?3, 1, ?4)
         ON CONFLICT DO UPDATE SET calls = CASE WHEN window = excluded.window THEN calls + 1 ELSE 1 END,
            window = excluded.window, last = excluded.last
         RETURNING calls",
    )?
    .query_row(params![appid, what, now.millis().div_euclid(window), now.millis()], |row| row.get(0))
}

/// Calls so far.
pub(crate) fn quota(
    db: &Connection,
    appid: &str,
    what: &str,
    now: Moment,
    window: i64,
) -> rusqlite::Result<Quota> {
    let found = db
        .prepare_cached("SELECT window, calls, last FROM card_quotas WHERE appid = ?1 AND what = ?2")?
        .query_row([appid, what], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        })
        .optional()?;
    Ok(found.map_or_else(Quota::default, |(held, calls, last)| Quota {
        calls: if held == now.millis().div_euclid(window) { calls } else { 0 },
        last: Some(Moment::from_millis(last)),
    }))
}

pub(crate) fn ticket(db: &Connection, appid: &str, kind: &str) -> rusqlite::Result<Option<Ticket>> {
    db.prepare_cached("SELECT ticket, expires FROM card_tickets WHERE appid = ?1 AND kind = ?2")?
        .query_row([appid, kind], |row| {
            Ok(Ticket { ticket: row.get(0)?, expires: Moment::from_millis(row.get(1)?) })
        })
        .optional()
}

pub(crate) fn save_ticket(
    db: &Connection,
    appid: &str,
    kind: &str,
    ticket: &str,
    expires: Moment,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO card_tickets VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![appid, kind, ticket, expires.millis()])
        .map(drop)
}

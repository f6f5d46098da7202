//! Rows of what users did, and their sums.

use rusqlite::{Connection, params};

use crate::moment::Moment;

/// What a user did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    View,
    Receive,
    Verify,
    Given,
    Active,
    /// Paid from the card: fen paid, fen due.
    Pay(i64, i64),
}

impl Happening {
    fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Receive => "receive",
            Self::Verify => "verify",
            Self::Given => "given",
            Self::Active => "active",
            Self::Pay(..) => "pay",
        }
    }
}

pub(crate) fn insert(
    db: &Connection,
    card: i64,
    happening: Happening,
    openid: &str,
    now: Moment,
) -> rusqlite::Result<()> {
    let (fee, due) = if let Happening::Pay(fee, due) = happening { (fee, due) } else { (0, 0) };
    db.prepare_cached(
        "INSERT INTO card_happenings (card, kind, openid, day, fee, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![card, happening.name(), openid, now.beijing_day(), fee, due])
    .map(drop)
}

/// How often a user did something with a card. What he gave away or deleted since counts as well.
pub(crate) fn times(db: &Connection, card: i64, openid: &str, happening: Happening) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT count(*) FROM card_happenings WHERE card = ?1 AND openid = ?2 AND kind = ?3")?
        .query_row(params![card, openid, happening.name()], |row| row.get(0))
}

/// Times and people of one kind of happening on a day, over several cards.
pub(crate) fn counted(db: &Connection, cards: &[i64], kind: &str, day: i64) -> rusqlite::Result<(i64, i64)> {
    db.prepare_cached(
        "SELECT count(*), count(DISTINCT openid) FROM card_happenings
         WHERE card IN (SELECT value FROM json_each(?1)) AND kind = ?2 AND day = ?3",
    )?
    .query_row(params![list(cards), kind, day], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Fen paid and fen due from cards on a day.
pub(crate) fn paid(db: &Connection, cards: &[i64], day: i64) -> rusqlite::Result<(i64, i64)> {
    db.prepare_cached(
        "SELECT coalesce(sum(fee), 0), coalesce(sum(due), 0) FROM card_happenings
         WHERE card IN (SELECT value FROM json_each(?1)) AND kind = 'pay' AND day = ?2",
    )?
    .query_row(params![list(cards), day], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// People and claims up to the end of a day.
pub(crate) fn total(db: &Connection, cards: &[i64], day: i64) -> rusqlite::Result<(i64, i64)> {
    db.prepare_cached(
        "SELECT count(DISTINCT openid), count(*) FROM card_happenings
         WHERE card IN (SELECT value FROM json_each(?1)) AND kind = 'receive' AND day <= ?2",
    )?
    .query_row(params![list(cards), day], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// People whose first claim was on a day.
pub(crate) fn newcomers(db: &Connection, cards: &[i64], day: i64) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "SELECT count(*) FROM (SELECT min(day) AS first FROM card_happenings
            WHERE card IN (SELECT value FROM json_each(?1)) AND kind = 'receive' GROUP BY openid)
         WHERE first = ?2",
    )?
    .query_row(params![list(cards), day], |row| row.get(0))
}

/// Codes that ended on a day while they could still be used, and their holders.
pub(crate) fn expired(
    db: &Connection,
    cards: &[i64],
    (first, last): (i64, i64),
) -> rusqlite::Result<(i64, i64)> {
    db.prepare_cached(
        "SELECT count(*), count(DISTINCT openid) FROM card_codes
         WHERE card IN (SELECT value FROM json_each(?1)) AND state IN ('NORMAL', 'GIFTING', 'GIFT_TIMEOUT')
            AND ends BETWEEN ?2 AND ?3",
    )?
    .query_row(params![list(cards), first, last], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn list(cards: &[i64]) -> String {
    serde_json::Value::from(cards.to_vec()).to_string()
}

//! Rows of codes: one user's copy of a card, or a deposited code that nobody has yet.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::{Map, Value};

use crate::moment::Moment;

/// What has become of a code. Expiry is not kept: it follows from the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Deposited,
    Normal,
    Consumed,
    Gifting,
    GiftTimeout,
    /// A friend has taken it; the giver no longer has it.
    GiftSucc,
    Delete,
    Unavailable,
}

const STATES: [(State, &str); 8] = [
    (State::Deposited, "DEPOSITED"),
    (State::Normal, "NORMAL"),
    (State::Consumed, "CONSUMED"),
    (State::Gifting, "GIFTING"),
    (State::GiftTimeout, "GIFT_TIMEOUT"),
    (State::GiftSucc, "GIFT_SUCC"),
    (State::Delete, "DELETE"),
    (State::Unavailable, "UNAVAILABLE"),
];

impl State {
    pub(crate) fn name(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    fn of(name: &str) -> Self {
        STATES.iter().find(|(_, known)| *known == name).map_or(Self::Unavailable, |(state, _)| *state)
    }
}

/// A code.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) id: i64,
    /// Number of its card.
    pub(crate) card: i64,
    pub(crate) code: String,
    /// The merchant's own: `card_id` is needed beside it.
    pub(crate) own: bool,
    pub(crate) state: State,
    pub(crate) openid: String,
    /// Validity, in seconds.
    pub(crate) begins: i64,
    pub(crate) ends: Option<i64>,
    /// As pages get to see it.
    pub(crate) encrypted: Option<String>,
    pub(crate) outer_str: String,
    pub(crate) outer_id: i64,
    pub(crate) claimed: Option<Moment>,
    pub(crate) gift_due: Option<Moment>,
    pub(crate) active: bool,
    pub(crate) face: Map<String, Value>,
}

pub(super) const COLUMNS: &str = "id, card, code, own, state, openid, begins, ends, encrypted, outer_str, outer_id, claimed, \
                       gift_due, active, face";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Code> {
    let state: String = row.get(4)?;
    let (claimed, gift_due): (Option<i64>, Option<i64>) = (row.get(11)?, row.get(12)?);
    let face: String = row.get(14)?;
    Ok(Code {
        id: row.get(0)?,
        card: row.get(1)?,
        code: row.get(2)?,
        own: row.get(3)?,
        state: State::of(&state),
        openid: row.get(5)?,
        begins: row.get(6)?,
        ends: row.get(7)?,
        encrypted: row.get(8)?,
        outer_str: row.get(9)?,
        outer_id: row.get(10)?,
        claimed: claimed.map(Moment::from_millis),
        gift_due: gift_due.map(Moment::from_millis),
        active: row.get(13)?,
        face: serde_json::from_str(&face).unwrap_or_default(),
    })
}

/// The number of the next code.
pub(crate) fn next(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(id), 0) + 1 FROM card_codes")?.query_row([], |row| row.get(0))
}

/// Keeps a code: a new one, or what has changed about one.
pub(crate) fn save(db: &Connection, code: &Code) -> rusqlite::Result<()> {
    db.prepare_cached(&format!(
        "INSERT INTO card_codes ({COLUMNS})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
         ON CONFLICT (id) DO UPDATE SET code = excluded.code, state = excluded.state, openid = excluded.openid,
            begins = excluded.begins, ends = excluded.ends, encrypted = excluded.encrypted,
            outer_str = excluded.outer_str, outer_id = excluded.outer_id, claimed = excluded.claimed,
            gift_due = excluded.gift_due, active = excluded.active, face = excluded.face"
    ))?
    .execute(params![
        code.id,
        code.card,
        code.code,
        code.own,
        code.state.name(),
        code.openid,
        code.begins,
        code.ends,
        code.encrypted,
        code.outer_str,
        code.outer_id,
        code.claimed.map(Moment::millis),
        code.gift_due.map(Moment::millis),
        code.active,
        Value::Object(code.face.clone()).to_string()
    ])
    .map(drop)
}

pub(crate) fn by_number(db: &Connection, id: i64) -> rusqlite::Result<Option<Code>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_codes WHERE id = ?1"))?
        .query_row([id], read)
        .optional()
}

pub(crate) fn in_card(db: &Connection, card: i64, code: &str) -> rusqlite::Result<Option<Code>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_codes WHERE card = ?1 AND code = ?2"))?
        .query_row(params![card, code], read)
        .optional()
}

/// Server codes need no card beside them.
pub(crate) fn server(db: &Connection, appid: &str, code: &str) -> rusqlite::Result<Option<Code>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM card_codes WHERE code = ?1 AND own = 0
            AND card IN (SELECT id FROM cards WHERE appid = ?2)"
    ))?
    .query_row([code, appid], read)
    .optional()
}

pub(crate) fn exists(db: &Connection, code: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM card_codes WHERE code = ?1)")?
        .query_row([code], |row| row.get(0))
}

/// The code that a page was shown in its encrypted form.
pub(crate) fn by_encrypted(db: &Connection, appid: &str, encrypted: &str) -> rusqlite::Result<Option<Code>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM card_codes WHERE encrypted = ?1
            AND card IN (SELECT id FROM cards WHERE appid = ?2)"
    ))?
    .query_row([encrypted, appid], read)
    .optional()
}

/// What a user of an account has or had, oldest first.
pub(crate) fn of_user(db: &Connection, appid: &str, openid: &str) -> rusqlite::Result<Vec<(Code, String)>> {
    db.prepare_cached(
        "SELECT c.id, c.card, c.code, c.own, c.state, c.openid, c.begins, c.ends, c.encrypted, c.outer_str,
            c.outer_id, c.claimed, c.gift_due, c.active, c.face, cards.card_id
         FROM card_codes c JOIN cards ON cards.id = c.card
         WHERE c.openid = ?1 AND cards.appid = ?2 ORDER BY c.id",
    )?
    .query_map([openid, appid], |row| Ok((read(row)?, row.get(15)?)))?
    .collect()
}

/// All codes of a card, oldest first.
pub(crate) fn of_card(db: &Connection, card: i64, limit: u32) -> rusqlite::Result<Vec<Code>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_codes WHERE card = ?1 ORDER BY id LIMIT ?2"))?
        .query_map(params![card, limit], read)?
        .collect()
}

pub(crate) fn count(db: &Connection, card: i64, state: State) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT count(*) FROM card_codes WHERE card = ?1 AND state = ?2")?
        .query_row(params![card, state.name()], |row| row.get(0))
}

/// How many codes were ever deposited for a card.
pub(crate) fn deposited(db: &Connection, card: i64) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT count(*) FROM card_codes WHERE card = ?1 AND own = 1")?
        .query_row([card], |row| row.get(0))
}

/// The `place`-th deposited code that nobody has, counted from 0.
pub(crate) fn pooled(db: &Connection, card: i64, place: i64) -> rusqlite::Result<Option<Code>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM card_codes WHERE card = ?1 AND state = 'DEPOSITED' ORDER BY id LIMIT 1 OFFSET ?2"
    ))?
    .query_row([card, place], read)
    .optional()
}

/// Gifts that nobody took in time.
pub(crate) fn gifts_back_by(db: &Connection, now: Moment) -> rusqlite::Result<Vec<Code>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM card_codes WHERE gift_due IS NOT NULL AND gift_due <= ?1 ORDER BY gift_due, id"
    ))?
    .query_map([now.millis()], read)?
    .collect()
}

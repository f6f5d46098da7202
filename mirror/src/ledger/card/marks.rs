//! Rows of marks: codes that somebody has put aside for himself.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::moment::Moment;

/// Who has put a code aside, if the mark has not lapsed.
pub(crate) fn holder(db: &Connection, code: i64, now: Moment) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT openid FROM card_marks WHERE code = ?1 AND until > ?2")?
        .query_row(params![code, now.millis()], |row| row.get(0))
        .optional()
}

/// Puts it aside; a mark that is there gives way.
pub(crate) fn set(db: &Connection, code: i64, openid: &str, until: Moment) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO card_marks VALUES (?1, ?2, ?3)
         ON CONFLICT (code) DO UPDATE SET openid = excluded.openid, until = excluded.until",
    )?
    .execute(params![code, openid, until.millis()])
    .map(drop)
}

pub(crate) fn clear(db: &Connection, code: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM card_marks WHERE code = ?1")?.execute([code]).map(drop)
}

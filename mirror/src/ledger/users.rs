//! Rows of users.

use rusqlite::{Connection, OptionalExtension as _, params};

/// What is known about an openid. One that was never seen has no appid yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct UserState {
    pub(crate) appid: Option<String>,
    /// The account is restricted: it can receive nothing.
    pub(crate) abnormal: bool,
    /// Risk control turns it away where a stock asks for that.
    pub(crate) risky: bool,
    /// Accounts with the same value belong to one natural person.
    pub(crate) person: Option<String>,
}

pub(crate) fn find(connection: &Connection, openid: &str) -> rusqlite::Result<Option<UserState>> {
    connection
        .prepare_cached("SELECT appid, abnormal, risky, person FROM users WHERE openid = ?1")?
        .query_row([openid], |row| {
            Ok(UserState {
                appid: row.get(0)?,
                abnormal: row.get(1)?,
                risky: row.get(2)?,
                person: row.get(3)?,
            })
        })
        .optional()
}

/// Users after this openid, in order, each with the number of its coupons.
pub(crate) fn list(
    connection: &Connection,
    after: &str,
    limit: u32,
) -> rusqlite::Result<Vec<(String, UserState, i64)>> {
    connection
        .prepare(
            "SELECT u.openid, u.appid, u.abnormal, u.risky, u.person,
                (SELECT count(*) FROM coupons c WHERE c.openid = u.openid)
             FROM users u WHERE u.openid > ?1 ORDER BY u.openid LIMIT ?2",
        )?
        .query_map(params![after, limit], |row| {
            let user = UserState {
                appid: row.get(1)?,
                abnormal: row.get(2)?,
                risky: row.get(3)?,
                person: row.get(4)?,
            };
            Ok((row.get(0)?, user, row.get(5)?))
        })?
        .collect()
}

/// How many coupons a user was given.
pub(crate) fn coupons(connection: &Connection, openid: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM coupons WHERE openid = ?1")?
        .query_row([openid], |row| row.get(0))
}

pub(crate) fn save(connection: &Connection, openid: &str, user: &UserState) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO users VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![openid, user.appid, user.abnormal, user.risky, user.person])
        .map(drop)
}

/// Ties an openid to the appid it was first used with.
pub(crate) fn bind(connection: &Connection, openid: &str, appid: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO users (openid, appid) VALUES (?1, ?2)
             ON CONFLICT DO UPDATE SET appid = excluded.appid WHERE users.appid IS NULL",
        )?
        .execute([openid, appid])
        .map(drop)
}

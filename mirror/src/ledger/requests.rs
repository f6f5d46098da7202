//! What has been done under which `out_request_no`.

use rusqlite::{Connection, OptionalExtension as _, params};

/// An earlier request with the same number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Earlier {
    pub(crate) digest: Vec<u8>,
    /// The stock or coupon it made.
    pub(crate) made: i64,
}

pub(crate) fn earlier_create(
    connection: &Connection,
    mchid: &str,
    number: &str,
) -> rusqlite::Result<Option<Earlier>> {
    earlier(
        connection,
        "SELECT digest, stock_id FROM create_requests WHERE mchid = ?1 AND out_request_no = ?2",
        mchid,
        number,
    )
}

pub(crate) fn earlier_send(
    connection: &Connection,
    mchid: &str,
    number: &str,
) -> rusqlite::Result<Option<Earlier>> {
    earlier(
        connection,
        "SELECT digest, coupon_id FROM send_requests WHERE mchid = ?1 AND out_request_no = ?2",
        mchid,
        number,
    )
}

pub(crate) fn keep_create(
    connection: &Connection,
    mchid: &str,
    number: &str,
    digest: &[u8],
    stock_id: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO create_requests VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![mchid, number, digest, stock_id])
        .map(drop)
}

pub(crate) fn keep_send(
    connection: &Connection,
    mchid: &str,
    number: &str,
    digest: &[u8],
    coupon_id: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO send_requests VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![mchid, number, digest, coupon_id])
        .map(drop)
}

/// Frees a number whose life is over; what it made stays.
pub(crate) fn retire_create(
    connection: &Connection,
    mchid: &str,
    number: &str,
    stock_id: i64,
) -> rusqlite::Result<()> {
    keep_retired(connection, "create", mchid, number, stock_id)?;
    let sql = "DELETE FROM create_requests WHERE mchid = ?1 AND out_request_no = ?2";
    connection.execute(sql, [mchid, number]).map(drop)
}

/// The same for a send.
pub(crate) fn retire_send(
    connection: &Connection,
    mchid: &str,
    number: &str,
    coupon_id: i64,
) -> rusqlite::Result<()> {
    keep_retired(connection, "send", mchid, number, coupon_id)?;
    let sql = "DELETE FROM send_requests WHERE mchid = ?1 AND out_request_no = ?2";
    connection.execute(sql, [mchid, number]).map(drop)
}

fn keep_retired(
    connection: &Connection,
    kind: &str,
    mchid: &str,
    number: &str,
    made: i64,
) -> rusqlite::Result<()> {
    connection
        .execute("INSERT INTO retired_requests VALUES (?1, ?2, ?3, ?4)", params![kind, made, mchid, number])
        .map(drop)
}

fn earlier(
    connection: &Connection,
    sql: &str,
    mchid: &str,
    number: &str,
) -> rusqlite::Result<Option<Earlier>> {
    connection
        .prepare_cached(sql)?
        .query_row([mchid, number], |row| Ok(Earlier { digest: row.get(0)?, made: row.get(1)? }))
        .optional()
}

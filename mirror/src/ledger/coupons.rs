//! Rows of coupons.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use super::redemptions;
use crate::coupon::{CouponState, NewCoupon};
use crate::moment::Moment;

pub(crate) fn insert(connection: &Connection, coupon: &NewCoupon<'_>) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO coupons (id, stock_id, openid, appid, sender, out_request_no, amount, minimum, status,
                received, begins, ends)
             VALUES ((SELECT coalesce(max(id) + 1, (SELECT coupon FROM first_ids)) FROM coupons), ?1, ?2, ?3, ?4,
                ?5, ?6, ?7, 'SENDED', ?8, ?9, ?10)
             RETURNING id",
        )?
        .query_row(
            params![
                coupon.stock_id,
                coupon.openid,
                coupon.appid,
                coupon.sender,
                coupon.out_request_no,
                coupon.amount,
                coupon.minimum,
                coupon.received.millis(),
                coupon.begins.millis(),
                coupon.ends.millis(),
            ],
            |row| row.get(0),
        )
}

/// The id of the next coupon.
pub(crate) fn next_id(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row(
        "SELECT coalesce(max(id) + 1, (SELECT coupon FROM first_ids)) FROM coupons",
        [],
        |row| row.get(0),
    )
}

const COLUMNS: &str = "c.id, c.stock_id, c.openid, c.appid, c.sender, c.out_request_no, c.amount, c.minimum, \
     c.status, c.received, c.begins, c.ends";

/// Any coupon.
pub(crate) fn find(connection: &Connection, id: i64) -> rusqlite::Result<Option<CouponState>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM coupons c WHERE c.id = ?1"))?
        .query_row([id], |row| read(connection, row))
        .optional()
}

/// A coupon in the hands of this user.
pub(crate) fn find_of(
    connection: &Connection,
    id: i64,
    openid: &str,
) -> rusqlite::Result<Option<CouponState>> {
    Ok(find(connection, id)?.filter(|coupon| coupon.openid == openid))
}

/// The merchant through which a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Through {
    Creator(String),
    Sender(String),
    Available(String),
}

/// Which coupons a list is about.
#[derive(Debug, Clone)]
pub(crate) struct CouponFilter {
    pub(crate) openid: String,
    pub(crate) appid: String,
    /// Sees the coupons of its own stocks, those it sent, and those that can be spent at it if it asks as that.
    pub(crate) caller: String,
    pub(crate) through: Through,
    pub(crate) stock: Option<i64>,
    /// Without those that are used.
    pub(crate) usable_only: bool,
    pub(crate) now: Moment,
}

/// A user's coupons, newest first, without expired ones.
pub(crate) fn list(connection: &Connection, filter: &CouponFilter) -> rusqlite::Result<Vec<CouponState>> {
    const AT: &str =
        "EXISTS (SELECT 1 FROM stock_merchants m WHERE m.stock_id = s.id AND m.mchid = :merchant)";
    let (through, merchant) = match &filter.through {
        Through::Creator(mchid) => ("s.creator = :merchant", mchid),
        Through::Sender(mchid) => ("c.sender = :merchant", mchid),
        Through::Available(mchid) => (AT, mchid),
    };
    let as_merchant = filter.through == Through::Available(filter.caller.clone());
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM coupons c JOIN stocks s ON s.id = c.stock_id
             WHERE c.openid = :openid AND c.appid = :appid AND {through}
                AND (:as_merchant OR s.creator = :caller OR c.sender = :caller)
                AND (:stock IS NULL OR c.stock_id = :stock)
                AND (c.status = 'SENDED' AND c.ends >= :now OR c.status = 'USED' AND NOT :usable_only)
             ORDER BY c.received DESC, c.id DESC"
        ))?
        .query_map(
            named_params! {
                ":merchant": merchant, ":openid": filter.openid, ":appid": filter.appid,
                ":as_merchant": as_merchant, ":caller": filter.caller, ":stock": filter.stock,
                ":now": filter.now.millis(), ":usable_only": filter.usable_only,
            },
            |row| read(connection, row),
        )?
        .collect()
}

fn read(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<CouponState> {
    let id = row.get(0)?;
    let status: String = row.get(8)?;
    Ok(CouponState {
        id,
        stock_id: row.get(1)?,
        openid: row.get(2)?,
        appid: row.get(3)?,
        sender: row.get(4)?,
        out_request_no: row.get(5)?,
        amount: row.get(6)?,
        minimum: row.get(7)?,
        received: Moment::from_millis(row.get(9)?),
        begins: Moment::from_millis(row.get(10)?),
        ends: Moment::from_millis(row.get(11)?),
        consumed: if status == "USED" { redemptions::last(connection, id)? } else { None },
        status,
    })
}

pub(crate) fn set_status(connection: &Connection, id: i64, status: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE coupons SET status = ?2 WHERE id = ?1")?
        .execute(params![id, status])
        .map(drop)
}

/// Coupons of a stock that this user has received.
pub(crate) fn held_by_user(connection: &Connection, stock_id: i64, openid: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM coupons WHERE openid = ?1 AND stock_id = ?2")?
        .query_row(params![openid, stock_id], |row| row.get(0))
}

/// Coupons of a stock that all accounts of this natural person have received.
pub(crate) fn held_by_person(connection: &Connection, stock_id: i64, person: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "SELECT count(*) FROM coupons
             WHERE stock_id = ?2 AND openid IN (SELECT openid FROM users WHERE person = ?1)",
        )?
        .query_row(params![person, stock_id], |row| row.get(0))
}

/// Face value that this merchant has sent to this user since a moment.
pub(crate) fn sent_to_user_since(
    connection: &Connection,
    sender: &str,
    openid: &str,
    since: Moment,
) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "SELECT coalesce(sum(amount), 0) FROM coupons WHERE openid = ?1 AND sender = ?2 AND received >= ?3",
        )?
        .query_row(params![openid, sender, since.millis()], |row| row.get(0))
}

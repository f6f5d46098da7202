//! Rows of coupons.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::coupon::{CouponState, NewCoupon};
use crate::moment::Moment;

/// Ids start here, so that they look like production's.
const FIRST_ID: i64 = 18_180_000_000_001;

pub(crate) fn insert(connection: &Connection, coupon: &NewCoupon<'_>) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO coupons (id, stock_id, openid, appid, sender, out_request_no, amount, minimum, status,
                received, begins, ends)
             VALUES ((SELECT coalesce(max(id) + 1, ?1) FROM coupons), ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'SENDED', ?9,
                ?10, ?11)
             RETURNING id",
        )?
        .query_row(
            params![
                FIRST_ID,
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

/// A coupon in the hands of this user.
pub(crate) fn find(connection: &Connection, id: i64, openid: &str) -> rusqlite::Result<Option<CouponState>> {
    connection
        .prepare_cached(
            "SELECT id, stock_id, appid, sender, out_request_no, amount, minimum, status, received, begins, ends
             FROM coupons WHERE id = ?1 AND openid = ?2",
        )?
        .query_row(params![id, openid], |row| {
            Ok(CouponState {
                id: row.get(0)?,
                stock_id: row.get(1)?,
                appid: row.get(2)?,
                sender: row.get(3)?,
                out_request_no: row.get(4)?,
                amount: row.get(5)?,
                minimum: row.get(6)?,
                status: row.get(7)?,
                received: Moment::from_millis(row.get(8)?),
                begins: Moment::from_millis(row.get(9)?),
                ends: Moment::from_millis(row.get(10)?),
            })
        })
        .optional()
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

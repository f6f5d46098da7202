//! What displays show of stocks and coupons.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::moment::Moment;

/// How many coupons of a stock are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CouponCounts {
    pub(crate) used: i64,
    pub(crate) expired: i64,
    pub(crate) recovered: i64,
    /// Payments refunded wholly or in part.
    pub(crate) refunded: i64,
}

/// The money of a prefunded stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefund {
    pub(crate) locked: i64,
    pub(crate) spent: i64,
    pub(crate) released: Option<Moment>,
}

/// Ids of all stocks, newest first.
pub(crate) fn newest(connection: &Connection, limit: i64) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached("SELECT id FROM stocks ORDER BY id DESC LIMIT ?1")?
        .query_map([limit], |row| row.get(0))?
        .collect()
}

pub(crate) fn total(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM stocks", [], |row| row.get(0))
}

/// Of one stock, or of all in one go.
pub(crate) fn counts(
    connection: &Connection,
    stock: Option<i64>,
    now: Moment,
) -> rusqlite::Result<HashMap<i64, CouponCounts>> {
    let mut counts: HashMap<i64, CouponCounts> = HashMap::new();
    let mut states = connection.prepare_cached(
        "SELECT stock_id, sum(status = 'USED'), sum(status = 'EXPIRED' OR status = 'SENDED' AND ends < ?1),
            sum(status = 'RECOVER')
         FROM coupons WHERE ?2 IS NULL OR stock_id = ?2 GROUP BY stock_id",
    )?;
    let mut rows = states.query(params![now.millis(), stock])?;
    while let Some(row) = rows.next()? {
        let count = counts.entry(row.get(0)?).or_default();
        (count.used, count.expired, count.recovered) = (row.get(1)?, row.get(2)?, row.get(3)?);
    }
    let mut refunds = connection.prepare_cached(
        "SELECT stock_id, count(DISTINCT redemption_id) FROM refunds
         WHERE ?1 IS NULL OR stock_id = ?1 GROUP BY stock_id",
    )?;
    let mut rows = refunds.query([stock])?;
    while let Some(row) = rows.next()? {
        counts.entry(row.get(0)?).or_default().refunded = row.get(1)?;
    }
    Ok(counts)
}

/// Who may send a stock besides its creator.
pub(crate) fn senders(connection: &Connection, stock: i64) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT mchid FROM stock_senders WHERE stock_id = ?1 ORDER BY mchid")?
        .query_map([stock], |row| row.get(0))?
        .collect()
}

pub(crate) fn prefund(connection: &Connection, stock: i64) -> rusqlite::Result<Option<Prefund>> {
    connection
        .prepare_cached("SELECT locked, spent, released FROM prefunds WHERE stock_id = ?1")?
        .query_row([stock], |row| {
            let released: Option<i64> = row.get(2)?;
            Ok(Prefund {
                locked: row.get(0)?,
                spent: row.get(1)?,
                released: released.map(Moment::from_millis),
            })
        })
        .optional()
}

/// A page of a stock's coupons, in the order in which they were given.
pub(crate) fn coupons_after(
    connection: &Connection,
    stock: i64,
    after: i64,
    limit: i64,
) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare_cached("SELECT id FROM coupons WHERE stock_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3")?
        .query_map([stock, after, limit], |row| row.get(0))?
        .collect()
}

/// Ends a coupon at this moment; not before its begin, nor before it was last paid with.
pub(crate) fn expire(connection: &Connection, coupon: i64, now: Moment) -> rusqlite::Result<()> {
    connection
        .execute(
            "UPDATE coupons SET status = 'EXPIRED', ends = min(ends, max(begins, ?2,
                (SELECT coalesce(max(redeemed), ?2) FROM redemptions WHERE coupon_id = ?1)))
             WHERE id = ?1",
            params![coupon, now.millis()],
        )
        .map(drop)
}

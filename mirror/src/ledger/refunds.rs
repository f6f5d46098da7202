//! Rows of refunds.

use rusqlite::{Connection, params};

use crate::moment::Moment;
use crate::payment::RefundRow;

/// Parts of an order total and of a discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sums {
    pub(crate) amount: i64,
    pub(crate) discount: i64,
}

/// What has been refunded of a payment so far.
pub(crate) fn sums(connection: &Connection, redemption_id: i64) -> rusqlite::Result<Sums> {
    connection
        .prepare_cached(
            "SELECT coalesce(sum(amount), 0), coalesce(sum(discount), 0) FROM refunds WHERE redemption_id = ?1",
        )?
        .query_row([redemption_id], |row| Ok(Sums { amount: row.get(0)?, discount: row.get(1)? }))
}

/// Keeps a refund under a number of 29 digits, as in production.
pub(crate) fn insert(
    connection: &Connection,
    redemption_id: i64,
    stock_id: i64,
    back: Sums,
    now: Moment,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO refunds (id, redemption_id, stock_id, refund_id, refunded, amount, discount)
             SELECT next, ?1, ?2, '503' || printf('%026d', next), ?3, ?4, ?5 FROM
                (SELECT coalesce(max(id) + 1, (SELECT refund FROM first_ids)) AS next FROM refunds)",
        )?
        .execute(params![redemption_id, stock_id, now.millis(), back.amount, back.discount])
        .map(drop)
}

/// All refunds of a payment, oldest first.
pub(crate) fn of_redemption(connection: &Connection, redemption_id: i64) -> rusqlite::Result<Vec<RefundRow>> {
    connection
        .prepare_cached(
            "SELECT refund_id, refunded, amount, discount FROM refunds WHERE redemption_id = ?1 ORDER BY id",
        )?
        .query_map([redemption_id], |row| {
            Ok(RefundRow {
                refund_id: row.get(0)?,
                refunded: Moment::from_millis(row.get(1)?),
                amount: row.get(2)?,
                discount: row.get(3)?,
            })
        })?
        .collect()
}

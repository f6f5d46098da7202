//! Rows of payments made with coupons.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};
use serde_json::json;

use crate::coupon::CouponState;
use crate::moment::Moment;
use crate::payment::{NewRedemption, Redemption};

const COLUMNS: &str = "id, transaction_id, redeemed, mchid, total_amount, discount, goods_detail";

pub(crate) fn insert(
    connection: &Connection,
    coupon: &CouponState,
    new: &NewRedemption,
    transaction_id: &str,
    now: Moment,
) -> rusqlite::Result<()> {
    let goods = (!new.goods_detail.is_empty()).then(|| json!(new.goods_detail).to_string());
    connection
        .prepare_cached(
            "INSERT INTO redemptions (id, coupon_id, stock_id, transaction_id, redeemed, mchid, total_amount,
                discount, device_no, bank_serial, goods_detail)
             VALUES ((SELECT coalesce(max(id) + 1, (SELECT redemption FROM first_ids)) FROM redemptions), :coupon, :stock, :transaction, :now, :mchid, :total, :discount, :device, :bank, :goods)",
        )?
        .execute(named_params! {
            ":coupon": coupon.id, ":stock": coupon.stock_id, ":transaction": transaction_id,
            ":now": now.millis(), ":mchid": new.mchid, ":total": new.total_amount,
            ":discount": new.discount, ":device": new.device_no, ":bank": new.bank_serial, ":goods": goods,
        })
        .map(drop)
}

/// All payments made with a coupon, oldest first.
pub(crate) fn of_coupon(connection: &Connection, coupon_id: i64) -> rusqlite::Result<Vec<Redemption>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM redemptions WHERE coupon_id = ?1 ORDER BY id"))?
        .query_map([coupon_id], read)?
        .collect()
}

/// The last payment made with a coupon.
pub(crate) fn last(connection: &Connection, coupon_id: i64) -> rusqlite::Result<Option<Redemption>> {
    let sql = format!("SELECT {COLUMNS} FROM redemptions WHERE coupon_id = ?1 ORDER BY id DESC LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([coupon_id], read).optional()
}

pub(crate) fn next_id(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(max(id) + 1, (SELECT redemption FROM first_ids)) FROM redemptions")?
        .query_row([], |row| row.get(0))
}

pub(crate) fn is_taken(connection: &Connection, transaction_id: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM redemptions WHERE transaction_id = ?1)")?
        .query_row([transaction_id], |row| row.get(0))
}

/// What the numbers made up on a day begin with. Ten digits follow.
pub(crate) fn prefix(now: Moment) -> String {
    format!("4200000000{}", now.beijing_date())
}

/// A number that no payment has: 28 digits, as in production.
pub(crate) fn free_transaction_id(connection: &Connection, now: Moment) -> rusqlite::Result<String> {
    let mut number = next_id(connection)?;
    loop {
        let id = format!("{}{number:010}", prefix(now));
        if !is_taken(connection, &id)? {
            return Ok(id);
        }
        number += 1;
    }
}

/// Whether the next numbers, this many, are all free.
pub(crate) fn range_is_free(connection: &Connection, now: Moment, rows: i64) -> rusqlite::Result<bool> {
    let (prefix, first) = (prefix(now), next_id(connection)?);
    let number = |number: i64| format!("{prefix}{number:010}");
    connection.query_row(
        "SELECT NOT EXISTS (SELECT 1 FROM redemptions WHERE transaction_id BETWEEN ?1 AND ?2)",
        params![number(first), number(first.saturating_add(rows))],
        |row| row.get(0),
    )
}

fn read(row: &Row<'_>) -> rusqlite::Result<Redemption> {
    let goods: Option<String> = row.get(6)?;
    Ok(Redemption {
        id: row.get(0)?,
        transaction_id: row.get(1)?,
        redeemed: Moment::from_millis(row.get(2)?),
        mchid: row.get(3)?,
        total_amount: row.get(4)?,
        discount: row.get(5)?,
        goods_detail: match goods {
            Some(text) => serde_json::from_str(&text).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, error.into())
            })?,
            None => Vec::new(),
        },
    })
}

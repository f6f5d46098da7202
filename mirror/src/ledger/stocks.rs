//! Rows of stocks.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};

use crate::moment::Moment;
use crate::stock::{NewStock, StockState, StockStatus};

/// Ids start here, so that they look like production's.
const FIRST_ID: i64 = 15_300_001;

const COLUMNS: &str = "id, creator, name, description, status, no_cash, single_item, begins, ends, max_coupons, \
     max_amount, max_amount_by_day, max_coupons_per_user, natural_person_limit, prevent_api_abuse, \
     coupon_amount, transaction_minimum, combine_use, goods_tag, trade_type, minutes_after_receive, \
     second_day_available, created, started, stopped, distributed";

pub(crate) fn find(connection: &Connection, id: i64) -> rusqlite::Result<Option<StockState>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM stocks WHERE id = ?1"))?
        .query_row([id], read)
        .optional()
}

pub(crate) fn insert(
    connection: &Connection,
    creator: &str,
    stock: &NewStock,
    created: Moment,
) -> rusqlite::Result<i64> {
    let id: i64 =
        connection.query_row("SELECT coalesce(max(id) + 1, ?1) FROM stocks", [FIRST_ID], |row| row.get(0))?;
    let json = |list: &[String]| serde_json::Value::from(list).to_string();
    connection.execute(
        "INSERT INTO stocks (id, creator, name, comment, description, status, no_cash, single_item, begins,
            ends, max_coupons, max_amount, max_amount_by_day, max_coupons_per_user, natural_person_limit,
            prevent_api_abuse, coupon_amount, transaction_minimum, combine_use, goods_tag, trade_type,
            minutes_after_receive, second_day_available, created, request)
         VALUES (:id, :creator, :name, :comment, :description, 'unactivated', :no_cash, :single_item, :begins,
            :ends, :max_coupons, :max_amount, :max_amount_by_day, :per_user, :natural, :prevent,
            :coupon_amount, :minimum, :combine, :goods_tag, :trade_type, :minutes, :second_day, :created,
            :request)",
        named_params! {
            ":id": id,
            ":creator": creator,
            ":name": stock.name,
            ":comment": stock.comment,
            ":description": stock.description,
            ":no_cash": stock.no_cash,
            ":single_item": !stock.coupon.available_items.is_empty(),
            ":begins": stock.begins.millis(),
            ":ends": stock.ends.millis(),
            ":max_coupons": stock.giving.max_coupons,
            ":max_amount": stock.giving.max_amount,
            ":max_amount_by_day": stock.giving.max_amount_by_day,
            ":per_user": stock.giving.max_coupons_per_user,
            ":natural": stock.giving.natural_person_limit,
            ":prevent": stock.giving.prevent_api_abuse,
            ":coupon_amount": stock.coupon.coupon_amount,
            ":minimum": stock.coupon.transaction_minimum,
            ":combine": stock.coupon.combine_use,
            ":goods_tag": json(&stock.coupon.goods_tag),
            ":trade_type": json(&stock.coupon.trade_type),
            ":minutes": stock.coupon.minutes_after_receive,
            ":second_day": stock.coupon.second_day_available,
            ":created": created.millis(),
            ":request": stock.request,
        },
    )?;
    for (position, mchid) in (0i64..).zip(&stock.coupon.available_merchants) {
        connection
            .execute("INSERT INTO stock_merchants VALUES (?1, ?2, ?3)", params![id, position, mchid])?;
    }
    for (position, goods_id) in (0i64..).zip(&stock.coupon.available_items) {
        connection.execute("INSERT INTO stock_items VALUES (?1, ?2, ?3)", params![id, position, goods_id])?;
    }
    Ok(id)
}

pub(crate) fn mark_started(connection: &Connection, id: i64, now: Moment) -> rusqlite::Result<()> {
    connection
        .execute(
            "UPDATE stocks SET status = 'running', started = ?2 WHERE id = ?1",
            params![id, now.millis()],
        )
        .map(drop)
}

pub(crate) fn count_coupon(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE stocks SET distributed = distributed + 1 WHERE id = ?1")?
        .execute([id])
        .map(drop)
}

/// Face value given out on a Beijing day.
pub(crate) fn day_amount(connection: &Connection, id: i64, day: i64) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT amount FROM stock_days WHERE stock_id = ?1 AND day = ?2")?
        .query_row([id, day], |row| row.get(0))
        .optional()
        .map(|amount| amount.unwrap_or(0))
}

pub(crate) fn add_day_amount(
    connection: &Connection,
    id: i64,
    day: i64,
    amount: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO stock_days (stock_id, day, amount) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
        )?
        .execute([id, day, amount])
        .map(drop)
}

/// Who else may send a stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Senders {
    pub(crate) any: bool,
    pub(crate) caller: bool,
}

pub(crate) fn senders(connection: &Connection, id: i64, caller: &str) -> rusqlite::Result<Senders> {
    connection
        .prepare_cached(
            "SELECT count(*) > 0, coalesce(max(mchid = ?2), 0) FROM stock_senders WHERE stock_id = ?1",
        )?
        .query_row(params![id, caller], |row| Ok(Senders { any: row.get(0)?, caller: row.get(1)? }))
}

pub(crate) fn add_sender(connection: &Connection, id: i64, mchid: &str) -> rusqlite::Result<()> {
    connection.execute("INSERT OR IGNORE INTO stock_senders VALUES (?1, ?2)", params![id, mchid]).map(drop)
}

fn read(row: &Row<'_>) -> rusqlite::Result<StockState> {
    let list = |index: usize| -> rusqlite::Result<Vec<String>> {
        let text: String = row.get(index)?;
        serde_json::from_str(&text).map_err(|error| unreadable(index, error))
    };
    let moment = |index: usize| row.get(index).map(Moment::from_millis);
    let maybe_moment =
        |index: usize| row.get::<_, Option<i64>>(index).map(|millis| millis.map(Moment::from_millis));
    let status: String = row.get(4)?;
    Ok(StockState {
        id: row.get(0)?,
        creator: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        status: StockStatus::from_wire(&status).ok_or_else(|| unreadable(4, "unknown status"))?,
        no_cash: row.get(5)?,
        single_item: row.get(6)?,
        begins: moment(7)?,
        ends: moment(8)?,
        max_coupons: row.get(9)?,
        max_amount: row.get(10)?,
        max_amount_by_day: row.get(11)?,
        max_coupons_per_user: row.get(12)?,
        natural_person_limit: row.get(13)?,
        prevent_api_abuse: row.get(14)?,
        coupon_amount: row.get(15)?,
        transaction_minimum: row.get(16)?,
        combine_use: row.get(17)?,
        goods_tag: list(18)?,
        trade_type: list(19)?,
        minutes_after_receive: row.get(20)?,
        second_day_available: row.get(21)?,
        created: moment(22)?,
        started: maybe_moment(23)?,
        stopped: maybe_moment(24)?,
        distributed: row.get(25)?,
    })
}

fn unreadable(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
}

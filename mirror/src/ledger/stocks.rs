//! Rows of stocks.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, params};
use serde_json::json;

use crate::moment::Moment;
use crate::page::Page;
use crate::stock::{NewStock, StockState, StockStatus};

const COLUMNS: &str = "id, creator, name, description, status, no_cash, single_item, begins, ends, max_coupons, \
     max_amount, max_amount_by_day, max_coupons_per_user, natural_person_limit, prevent_api_abuse, \
     coupon_amount, transaction_minimum, combine_use, goods_tag, trade_type, minutes_after_receive, \
     second_day_available, created, started, stopped, distributed, fixed_time, paused, restarted, \
     returned";

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
    let id: i64 = connection.query_row(
        "SELECT coalesce(max(id) + 1, (SELECT stock FROM first_ids)) FROM stocks",
        [],
        |row| row.get(0),
    )?;
    let list = |list: &[String]| serde_json::Value::from(list).to_string();
    connection.execute(
        "INSERT INTO stocks (id, creator, name, comment, description, status, no_cash, single_item, begins,
            ends, max_coupons, max_amount, max_amount_by_day, max_coupons_per_user, natural_person_limit,
            prevent_api_abuse, coupon_amount, transaction_minimum, combine_use, goods_tag, trade_type,
            minutes_after_receive, second_day_available, fixed_time, created, request)
         VALUES (:id, :creator, :name, :comment, :description, 'unactivated', :no_cash, :single_item, :begins,
            :ends, :max_coupons, :max_amount, :max_amount_by_day, :per_user, :natural, :prevent,
            :coupon_amount, :minimum, :combine, :goods_tag, :trade_type, :minutes, :second_day, :fixed_time,
            :created, :request)",
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
            ":goods_tag": list(&stock.coupon.goods_tag),
            ":trade_type": list(&stock.coupon.trade_type),
            ":minutes": stock.coupon.minutes_after_receive,
            ":second_day": stock.coupon.second_day_available,
            ":fixed_time": stock.coupon.fixed_time.as_ref().map(|time| json!(time).to_string()),
            ":created": created.millis(),
            ":request": stock.request,
        },
    )?;
    insert_merchants(connection, id, &stock.coupon.available_merchants)?;
    insert_items(connection, id, &stock.coupon.available_items)?;
    Ok(id)
}

/// Puts a stock that was never started under the platform's review, or ends the review.
pub(crate) fn mark_reviewed(connection: &Connection, id: i64, under_review: bool) -> rusqlite::Result<()> {
    let status = if under_review { StockStatus::Audit } else { StockStatus::Unactivated };
    connection.execute("UPDATE stocks SET status = ?2 WHERE id = ?1", params![id, status.wire()]).map(drop)
}

pub(crate) fn mark_started(connection: &Connection, id: i64, now: Moment) -> rusqlite::Result<()> {
    connection
        .execute(
            "UPDATE stocks SET status = 'running', started = ?2 WHERE id = ?1",
            params![id, now.millis()],
        )
        .map(drop)
}

pub(crate) fn mark_paused(connection: &Connection, id: i64, now: Moment) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE stocks SET status = 'paused', paused = ?2 WHERE id = ?1", params![id, now.millis()])
        .map(drop)
}

pub(crate) fn mark_restarted(connection: &Connection, id: i64, now: Moment) -> rusqlite::Result<()> {
    connection
        .execute(
            "UPDATE stocks SET status = 'running', restarted = ?2 WHERE id = ?1",
            params![id, now.millis()],
        )
        .map(drop)
}

pub(crate) fn mark_stopped(connection: &Connection, id: i64, now: Moment) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE stocks SET status = 'stoped', stopped = ?2 WHERE id = ?1", params![id, now.millis()])
        .map(drop)
}

pub(crate) fn count_coupons(connection: &Connection, id: i64, coupons: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE stocks SET distributed = distributed + ?2 WHERE id = ?1")?
        .execute([id, coupons])
        .map(drop)
}

/// Gives a coupon's place in the budget back if it has just been refunded wholly for the first time.
pub(crate) fn free_place(connection: &Connection, coupon_id: i64) -> rusqlite::Result<()> {
    connection
        .execute(
            "UPDATE stocks SET returned = returned + 1
             WHERE id = (SELECT stock_id FROM coupons WHERE id = ?1 AND status = 'SENDED')
                AND 1 = (SELECT count(*) FROM
                    (SELECT r.id FROM redemptions r JOIN refunds f ON f.redemption_id = r.id
                     WHERE r.coupon_id = ?1 GROUP BY r.id HAVING sum(f.amount) = r.total_amount))",
            [coupon_id],
        )
        .map(drop)
}

pub(crate) fn replace_merchants(
    connection: &Connection,
    id: i64,
    merchants: &[String],
) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM stock_merchants WHERE stock_id = ?1", [id])?;
    insert_merchants(connection, id, merchants)
}

fn insert_merchants(connection: &Connection, id: i64, merchants: &[String]) -> rusqlite::Result<()> {
    for (position, mchid) in (0i64..).zip(merchants) {
        connection
            .execute("INSERT INTO stock_merchants VALUES (?1, ?2, ?3)", params![id, position, mchid])?;
    }
    Ok(())
}

pub(crate) fn replace_items(connection: &Connection, id: i64, items: &[String]) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM stock_items WHERE stock_id = ?1", [id])?;
    insert_items(connection, id, items)
}

fn insert_items(connection: &Connection, id: i64, items: &[String]) -> rusqlite::Result<()> {
    for (position, goods_id) in (0i64..).zip(items) {
        connection.execute("INSERT INTO stock_items VALUES (?1, ?2, ?3)", params![id, position, goods_id])?;
    }
    Ok(())
}

pub(crate) fn set_budget(
    connection: &Connection,
    id: i64,
    max_amount: i64,
    max_coupons: i64,
) -> rusqlite::Result<()> {
    connection
        .execute(
            "UPDATE stocks SET max_amount = ?2, max_coupons = ?3 WHERE id = ?1",
            [id, max_amount, max_coupons],
        )
        .map(drop)
}

pub(crate) fn set_daily_budget(connection: &Connection, id: i64, amount: i64) -> rusqlite::Result<()> {
    connection.execute("UPDATE stocks SET max_amount_by_day = ?2 WHERE id = ?1", [id, amount]).map(drop)
}

/// Where a stock's coupons can be spent.
pub(crate) fn available_merchants(connection: &Connection, id: i64) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT mchid FROM stock_merchants WHERE stock_id = ?1 ORDER BY position")?
        .query_map([id], |row| row.get(0))?
        .collect()
}

/// How many running stocks the busiest of a stock's merchants takes part in.
pub(crate) fn running_at_busiest(connection: &Connection, id: i64, now: Moment) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "SELECT coalesce(max(running), 0) FROM
                (SELECT count(*) AS running
                 FROM stocks s JOIN stock_merchants m ON m.stock_id = s.id
                 WHERE s.status = 'running' AND s.ends >= ?2
                    AND m.mchid IN (SELECT mchid FROM stock_merchants WHERE stock_id = ?1)
                 GROUP BY m.mchid)",
        )?
        .query_row(params![id, now.millis()], |row| row.get(0))
}

/// What a single-item stock's coupons can be spent on.
pub(crate) fn available_items(connection: &Connection, id: i64) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT goods_id FROM stock_items WHERE stock_id = ?1 ORDER BY position")?
        .query_map([id], |row| row.get(0))?
        .collect()
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
            "INSERT INTO stock_days (stock_id, day, amount, allowed)
             SELECT id, ?2, ?3, max_amount_by_day FROM stocks WHERE id = ?1
             ON CONFLICT DO UPDATE SET amount = amount + excluded.amount, allowed = excluded.allowed",
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

/// Which stocks a list is about.
#[derive(Debug, Clone)]
pub(crate) struct StockFilter {
    pub(crate) creator: String,
    /// Creation from here on, to the second.
    pub(crate) from: Option<Moment>,
    pub(crate) to: Option<Moment>,
    /// As clients see it at `now`.
    pub(crate) status: Option<StockStatus>,
    pub(crate) now: Moment,
}

/// How many stocks there are, and one page of them, newest first.
pub(crate) fn list(
    connection: &Connection,
    filter: &StockFilter,
    page: Page,
) -> rusqlite::Result<(i64, Vec<StockState>)> {
    const WHERE: &str = "creator = ?1 AND created / 1000 BETWEEN ?2 AND ?3
        AND (?4 IS NULL OR iif(ends < ?5, 'stoped', status) = ?4)";
    let from = filter.from.map_or(i64::MIN, Moment::seconds);
    let to = filter.to.map_or(i64::MAX, Moment::seconds);
    let status = filter.status.map(StockStatus::wire);
    let now = filter.now.millis();
    let total = connection.query_row(
        &format!("SELECT count(*) FROM stocks WHERE {WHERE}"),
        params![filter.creator, from, to, status, now],
        |row| row.get(0),
    )?;
    let stocks = connection
        .prepare(&format!(
            "SELECT {COLUMNS} FROM stocks WHERE {WHERE} ORDER BY created DESC, id DESC LIMIT ?6 OFFSET ?7"
        ))?
        .query_map(params![filter.creator, from, to, status, now, page.limit, page.skipped()], read)?
        .collect::<Result<_, _>>()?;
    Ok((total, stocks))
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
        fixed_time: match row.get::<_, Option<String>>(26)? {
            Some(text) => Some(serde_json::from_str(&text).map_err(|error| unreadable(26, error))?),
            None => None,
        },
        paused: maybe_moment(27)?,
        restarted: maybe_moment(28)?,
        returned: row.get(29)?,
    })
}

fn unreadable(column: usize, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, error.into())
}

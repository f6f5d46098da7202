//! Rows of card coins and of the orders that move them.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::moment::Moment;

/// What an account has, in coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Coins {
    /// Granted.
    pub(crate) free: i64,
    /// Paid for.
    pub(crate) paid: i64,
}

/// A price that was asked for; it is no order yet, and nobody is shown it.
pub(crate) const QUOTE: &str = "QUOTE";
pub(crate) const WAITING: &str = "ORDER_STATUS_WAITING";
pub(crate) const DONE: &str = "ORDER_STATUS_SUCC";

/// Coins that were granted.
pub(crate) const GRANT: &str = "ORDER_TYPE_SYS_ADD";
/// Coins that are paid for.
pub(crate) const RECHARGE: &str = "ORDER_TYPE_WXPAY";
/// Coins that are spent on stock.
pub(crate) const SPENT: &str = "ORDER_TYPE_REDUCE";

/// An order.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) appid: String,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) created: Moment,
    pub(crate) finished: Option<Moment>,
    /// The coins that it moves, in the direction of its kind.
    pub(crate) coins: Coins,
    /// Who paid; empty where nobody is known.
    pub(crate) openid: String,
    /// What was bought: number of the card, and how much stock.
    pub(crate) card: Option<i64>,
    pub(crate) quantity: i64,
}

const COLUMNS: &str = "id, appid, kind, status, created, finished, free, paid, openid, card, quantity";

fn read(row: &Row<'_>) -> rusqlite::Result<Order> {
    let finished: Option<i64> = row.get(5)?;
    Ok(Order {
        id: row.get(0)?,
        appid: row.get(1)?,
        kind: row.get(2)?,
        status: row.get(3)?,
        created: Moment::from_millis(row.get(4)?),
        finished: finished.map(Moment::from_millis),
        coins: Coins { free: row.get(6)?, paid: row.get(7)? },
        openid: row.get(8)?,
        card: row.get(9)?,
        quantity: row.get(10)?,
    })
}

/// What an account has; none before it was ever given any.
pub(crate) fn held(db: &Connection, appid: &str) -> rusqlite::Result<Option<Coins>> {
    db.prepare_cached("SELECT free, paid FROM card_coins WHERE appid = ?1")?
        .query_row([appid], |row| Ok(Coins { free: row.get(0)?, paid: row.get(1)? }))
        .optional()
}

pub(crate) fn hold(db: &Connection, appid: &str, coins: Coins) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO card_coins VALUES (?1, ?2, ?3)")?
        .execute(params![appid, coins.free, coins.paid])
        .map(drop)
}

/// Keeps a new order; its number is made here.
pub(crate) fn insert(db: &Connection, order: &Order) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "INSERT INTO card_coin_orders (appid, kind, status, created, finished, free, paid, openid, card, quantity)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        order.appid,
        order.kind,
        order.status,
        order.created.millis(),
        order.finished.map(Moment::millis),
        order.coins.free,
        order.coins.paid,
        order.openid,
        order.card,
        order.quantity
    ])?;
    Ok(db.last_insert_rowid())
}

/// It is done.
pub(crate) fn finish(db: &Connection, order: &Order) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE card_coin_orders SET status = ?2, finished = ?3, openid = ?4 WHERE id = ?1")?
        .execute(params![order.id, order.status, order.finished.map(Moment::millis), order.openid])
        .map(drop)
}

pub(crate) fn find(db: &Connection, id: i64) -> rusqlite::Result<Option<Order>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM card_coin_orders WHERE id = ?1"))?
        .query_row([id], read)
        .optional()
}

/// All orders of an account, oldest first, without mere prices.
pub(crate) fn all(db: &Connection, appid: &str) -> rusqlite::Result<Vec<Order>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM card_coin_orders WHERE appid = ?1 AND status <> ?2 ORDER BY created, id"
    ))?
    .query_map([appid, QUOTE], read)?
    .collect()
}

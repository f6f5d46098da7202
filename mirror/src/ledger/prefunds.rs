//! Money of prefunded stocks: locked at the start, what was not spent released at the end.

use rusqlite::{Connection, params};

use crate::moment::Moment;

/// Money on account that is not locked.
pub(crate) fn balance(connection: &Connection, mchid: &str) -> rusqlite::Result<i64> {
    connection.query_row("SELECT balance FROM merchants WHERE mchid = ?1", [mchid], |row| row.get(0))
}

pub(crate) fn lock(connection: &Connection, mchid: &str, stock_id: i64, amount: i64) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE merchants SET balance = balance - ?2 WHERE mchid = ?1", params![mchid, amount])?;
    connection
        .execute(
            "INSERT INTO prefunds (stock_id, mchid, locked) VALUES (?1, ?2, ?3)",
            params![stock_id, mchid, amount],
        )
        .map(drop)
}

/// Locks more of the creator's money for a stock.
pub(crate) fn lock_more(connection: &Connection, stock_id: i64, amount: i64) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE merchants SET balance = balance - ?2
         WHERE mchid = (SELECT mchid FROM prefunds WHERE stock_id = ?1)",
        [stock_id, amount],
    )?;
    connection
        .execute("UPDATE prefunds SET locked = locked + ?2 WHERE stock_id = ?1", [stock_id, amount])
        .map(drop)
}

/// Pays a discount out of a stock's money; without prefunding there is nothing to pay. False when what is locked
/// does not cover it, which takes places that refunds gave back; or when the money was released already and the
/// balance does not cover it, which takes a clock set back.
pub(crate) fn spend(connection: &Connection, stock_id: i64, amount: i64) -> rusqlite::Result<bool> {
    let covered: bool = connection
        .prepare_cached(
            "SELECT NOT EXISTS (SELECT 1 FROM prefunds p JOIN merchants m ON m.mchid = p.mchid
                WHERE p.stock_id = ?1 AND iif(p.released IS NULL, p.locked - p.spent, m.balance) < ?2)",
        )?
        .query_row([stock_id, amount], |row| row.get(0))?;
    if covered {
        give_back(connection, stock_id, -amount)?;
    }
    Ok(covered)
}

/// Puts a refunded discount back, to the stock or, after its end, to the balance.
pub(crate) fn give_back(connection: &Connection, stock_id: i64, amount: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE prefunds SET spent = spent - ?2 WHERE stock_id = ?1")?
        .execute([stock_id, amount])?;
    connection
        .prepare_cached(
            "UPDATE merchants SET balance = balance + ?2
             WHERE mchid = (SELECT mchid FROM prefunds WHERE stock_id = ?1 AND released IS NOT NULL)",
        )?
        .execute([stock_id, amount])
        .map(drop)
}

/// When the next stock's money is released; after `after`, if that is given.
pub(crate) fn next_release(
    connection: &Connection,
    after: Option<Moment>,
) -> rusqlite::Result<Option<Moment>> {
    // A stock has ended once its last millisecond is over.
    let millis: Option<i64> = connection
        .prepare_cached(
            "SELECT min(s.ends) + 1 FROM prefunds p JOIN stocks s ON s.id = p.stock_id
             WHERE p.released IS NULL AND s.ends + 1 > ?1",
        )?
        .query_row([after.map_or(i64::MIN, Moment::millis)], |row| row.get(0))?;
    Ok(millis.map(Moment::from_millis))
}

/// Gives back what stocks that have ended did not spend.
pub(crate) fn release_ended(connection: &Connection, now: Moment) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE merchants SET balance = balance + due.amount
         FROM (SELECT p.mchid AS mchid, sum(p.locked - p.spent) AS amount
               FROM prefunds p JOIN stocks s ON s.id = p.stock_id
               WHERE p.released IS NULL AND s.ends < ?1 GROUP BY p.mchid) AS due
         WHERE merchants.mchid = due.mchid",
        [now.millis()],
    )?;
    connection
        .execute(
            "UPDATE prefunds SET released = ?1
             WHERE released IS NULL AND stock_id IN (SELECT id FROM stocks WHERE ends < ?1)",
            [now.millis()],
        )
        .map(drop)
}

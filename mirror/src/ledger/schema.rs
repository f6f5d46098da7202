//! The tables.

use rusqlite::Connection;

use crate::error::MirrorError;

/// Version of the tables, kept in `user_version`.
pub(crate) const VERSION: i64 = 6;
/// "FvMr", kept in `application_id`: marks the file as ours.
pub(crate) const APPLICATION: i64 = 0x4676_4D72;

/// What leads from each version to the next. A new file takes all of them, so that it has the same tables as an
/// old one.
const STEPS: &[(i64, &str)] = &[
    (1, include_str!("schema/v1.sql")),
    (2, include_str!("schema/v2.sql")),
    (3, include_str!("schema/v3.sql")),
    (4, include_str!("schema/v4.sql")),
    (5, include_str!("schema/v5.sql")),
    (6, include_str!("schema/v6.sql")),
];

/// Tables that `reset` empties, children first.
pub(crate) const STATE_TABLES: [&str; 31] = [
    "card_events",
    "card_things",
    "card_happenings",
    "card_testers",
    "card_qrcodes",
    "card_gift_items",
    "card_gift_orders",
    "card_marks",
    "card_codes",
    "cards",
    "card_tickets",
    "card_quotas",
    "card_tokens",
    "card_accounts",
    "retired_requests",
    "deliveries",
    "notifications",
    "images",
    "callbacks",
    "refunds",
    "redemptions",
    "send_requests",
    "create_requests",
    "coupons",
    "prefunds",
    "stock_days",
    "stock_senders",
    "stock_items",
    "stock_merchants",
    "stocks",
    "users",
];

/// Sets the connection up and makes the tables, or checks that those there can be used.
pub(crate) fn prepare(connection: &Connection, durable: bool) -> Result<(), MirrorError> {
    let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
    connection.set_prepared_statement_cache_capacity(64);
    let settings = if durable {
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;"
    } else {
        "PRAGMA journal_mode = MEMORY;"
    };
    // SQLite opens what it may not write all the same, and says so at the first change.
    if connection.is_readonly("main").map_err(storage)? {
        return Err(MirrorError::Storage("the file cannot be written".into()));
    }
    let found = version(connection).map_err(storage)?;
    if found > VERSION {
        return Err(MirrorError::SchemaTooNew { found, known: VERSION });
    }
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(storage)?;
    let application: i64 =
        connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(storage)?;
    if tables > 0 && (application != APPLICATION || found < 1) {
        return Err(MirrorError::Storage("the file holds something else than a mirror's data".into()));
    }
    connection.execute_batch(settings).map_err(storage)?;
    connection.execute_batch("PRAGMA foreign_keys = ON;").map_err(storage)?;
    if found < VERSION {
        let steps: String = STEPS.iter().filter(|(to, _)| *to > found).map(|(_, sql)| *sql).collect();
        connection
            .execute_batch(&format!(
                "BEGIN IMMEDIATE; {steps}
                 PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
            ))
            .map_err(storage)?;
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_file_is_refused_by_version() {
        let connection = Connection::open_in_memory().unwrap();
        prepare(&connection, false).unwrap();
        connection.execute_batch("PRAGMA user_version = 99").unwrap();
        let error = prepare(&connection, false).unwrap_err();
        assert!(matches!(error, MirrorError::SchemaTooNew { found: 99, known: VERSION }));
    }

    #[test]
    fn a_foreign_file_is_refused() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (n)").unwrap();
        assert!(matches!(prepare(&connection, false), Err(MirrorError::Storage(_))));
    }

    #[test]
    fn an_old_file_becomes_a_new_one() {
        let old = Connection::open_in_memory().unwrap();
        let (_, first) = STEPS[0];
        old.execute_batch(&format!(
            "{first} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = 1;
             INSERT INTO merchants VALUES ('1', 0, '', '', '', NULL, '', '', 1, 0, NULL, 0, 0);
             INSERT INTO stocks VALUES (7, '1', 'n', '', '', 'running', 1, 0, 0, 9, 10, 5000, 1000, 1, 0, 0, 500,
                3000, 1, '[]', '[]', NULL, 0, 1, 2, NULL, 0,
                '{{\"coupon_use_rule\":{{\"coupon_available_time\":{{\"fix_available_time\":{{\"begin_time\":60}}}}}}}}');
             INSERT INTO stock_days VALUES (7, 3, 500);"
        ))
        .unwrap();
        prepare(&old, false).unwrap();
        let new = Connection::open_in_memory().unwrap();
        prepare(&new, false).unwrap();
        let tables = |db: &Connection| -> Vec<String> {
            db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
                .unwrap()
                .query_map([], |row| row.get(0))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap()
        };
        assert_eq!(tables(&old), tables(&new));
        assert_eq!(version(&old).unwrap(), VERSION);
        let kept: (String, i64) = old
            .query_row("SELECT fixed_time, allowed FROM stocks JOIN stock_days ON stock_id = id", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(kept, ("{\"begin_time\":60}".to_owned(), 1_000));
    }

    #[test]
    fn preparing_twice_changes_nothing() {
        let connection = Connection::open_in_memory().unwrap();
        prepare(&connection, false).unwrap();
        prepare(&connection, false).unwrap();
    }
}

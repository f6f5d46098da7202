//! What the campaign's tables hold, of a file or of a database.

use std::collections::BTreeMap;

use crate::store::Store;

#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) state: String,
    pub(super) coupon_id: Option<String>,
    pub(super) code: Option<String>,
    pub(super) attempts: i64,
}

#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) is_open: bool,
}

#[derive(Default)]
pub(super) struct LedgerRows {
    pub(super) state: String,
    pub(super) people_counted: i64,
    /// By place.
    pub(super) people: BTreeMap<i64, String>,
    /// By place and slot.
    pub(super) outcomes: BTreeMap<(i64, u32), Outcome>,
    /// By state and code.
    pub(super) tallies: BTreeMap<(String, String), i64>,
    /// In their order.
    pub(super) chunks: Vec<Chunk>,
    /// In its order.
    pub(super) history: Vec<String>,
}

impl LedgerRows {
    pub(super) fn read(store: &Store) -> Self {
        match store {
            Store::Sqlite(_) => Self::of_file(&store.file()),
            Store::Postgres(_) => {
                let runtime = tokio::runtime::Runtime::new().unwrap();
                runtime.block_on(async { Self::of_database(&store.database().await.unwrap()).await })
            }
        }
    }

    fn of_file(file: &rusqlite::Connection) -> Self {
        let mut rows = Self::default();
        let each = |sql: &str, take: &mut dyn FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>| {
            let mut statement = file.prepare(sql).unwrap();
            let mut found = statement.query([]).unwrap();
            while let Some(row) = found.next().unwrap() {
                take(row).unwrap();
            }
        };
        each("SELECT state, people FROM campaigns", &mut |row| {
            assert!(rows.state.is_empty(), "one campaign");
            rows.state = row.get(0)?;
            rows.people_counted = row.get(1)?;
            Ok(())
        });
        each("SELECT place, openid FROM people", &mut |row| {
            rows.people.insert(row.get(0)?, row.get(1)?);
            Ok(())
        });
        each("SELECT place, slot, state, coupon_id, code, attempts FROM outcomes", &mut |row| {
            let (state, coupon_id, code) = (row.get(2)?, row.get(3)?, row.get(4)?);
            let outcome = Outcome { state, coupon_id, code, attempts: row.get(5)? };
            rows.outcomes.insert((row.get(0)?, row.get(1)?), outcome);
            Ok(())
        });
        each("SELECT state, code, count FROM tallies", &mut |row| {
            rows.tallies.insert((row.get(0)?, row.get(1)?), row.get(2)?);
            Ok(())
        });
        each("SELECT first_place, last_place, is_open FROM chunks ORDER BY chunk", &mut |row| {
            rows.chunks.push(Chunk { first: row.get(0)?, last: row.get(1)?, is_open: row.get(2)? });
            Ok(())
        });
        each("SELECT what FROM history ORDER BY id", &mut |row| {
            rows.history.push(row.get(0)?);
            Ok(())
        });
        rows
    }

    async fn of_database(database: &tokio_postgres::Client) -> Self {
        let query = async |sql: &str| database.query(sql, &[]).await.unwrap();
        let mut rows = Self::default();
        let campaigns = query("SELECT state, people FROM favor_campaigns").await;
        let [campaign] = &campaigns[..] else { panic!("one campaign") };
        rows.state = campaign.get(0);
        rows.people_counted = campaign.get(1);
        for row in query("SELECT place, openid FROM favor_people").await {
            rows.people.insert(row.get(0), row.get(1));
        }
        let outcomes = "SELECT place, slot, state, coupon_id, code, attempts FROM favor_outcomes";
        for row in query(outcomes).await {
            let attempts = i64::from(row.get::<_, i32>(5));
            let outcome = Outcome { state: row.get(2), coupon_id: row.get(3), code: row.get(4), attempts };
            rows.outcomes.insert((row.get(0), u32::try_from(row.get::<_, i32>(1)).unwrap()), outcome);
        }
        for row in query("SELECT state, code, count FROM favor_tallies").await {
            rows.tallies.insert((row.get(0), row.get(1)), row.get(2));
        }
        for row in query("SELECT first_place, last_place, is_open FROM favor_chunks ORDER BY chunk").await {
            rows.chunks.push(Chunk { first: row.get(0), last: row.get(1), is_open: row.get(2) });
        }
        for row in query("SELECT what FROM favor_history ORDER BY id").await {
            rows.history.push(row.get(0));
        }
        rows
    }
}

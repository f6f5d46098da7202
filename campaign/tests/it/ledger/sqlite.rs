//! The ledger in a file.

mod damaged;
mod opening;
mod remains;
mod timing;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use favor_campaign::{Books, SqliteLedger};
use favor_core::{Clock as _, ManualClock, Timestamp, time};
use favor_store::sqlite::rusqlite::{Connection, types::FromSql};
use futures_util::future::BoxFuture;
use tempfile::TempDir;

use super::contract::{Place, at, contract};

pub(super) struct Filed {
    folder: TempDir,
    clock: Arc<ManualClock>,
    ledger: Arc<SqliteLedger>,
}

impl Filed {
    pub(super) async fn new() -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(ManualClock::new(at(0).to_utc())));
        let file = folder.path().join("campaigns.sqlite");
        let ledger = SqliteLedger::open_with_clock(&file, clock.clone()).await.unwrap();
        Self { folder, clock, ledger: Arc::new(ledger) }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("campaigns.sqlite")
    }

    /// As by another process.
    async fn beside(&self) -> SqliteLedger {
        SqliteLedger::open_beside_with_clock(self.file(), self.clock.clone()).await.unwrap()
    }

    async fn open_again(&self) -> SqliteLedger {
        self.ledger.close().await;
        SqliteLedger::open_with_clock(self.file(), self.clock.clone()).await.unwrap()
    }

    /// The file without the ledger's code.
    fn sql(&self) -> Connection {
        let sql = Connection::open(self.file()).unwrap();
        sql.busy_timeout(Duration::from_secs(60)).unwrap();
        sql
    }

    fn value<T: FromSql>(&self, sql: &str) -> T {
        self.sql().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

impl Place for Filed {
    fn books(&self) -> Arc<dyn Books> {
        self.ledger.clone()
    }

    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.clock.advance(time);
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> BoxFuture<'_, Timestamp> {
        Box::pin(std::future::ready(time::beijing(&self.clock.now())))
    }
}

contract! { Filed::new() }

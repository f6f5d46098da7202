//! What a database holds, and the way from one version to the next.

use deadpool_postgres::{GenericClient, Transaction};

use crate::error::StoreError;

/// "favo": whoever changes tables holds this advisory lock.
const LOCK: i64 = 0x6661_766F;

/// What a database holds for one purpose: a name that tells its tables from others, and the steps that lead from
/// none to the newest version. A released step is never changed; a new one is added behind it.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// What it is called in errors, such as `an inbox of notifications`.
    pub what: &'static str,
    /// Its row in the table `favor_schema`.
    pub name: &'static str,
    /// SQL for each version, the first from nothing to version 1.
    pub steps: &'static [&'static str],
}

impl Schema {
    fn newest(&self) -> i32 {
        i32::try_from(self.steps.len()).unwrap_or(i32::MAX)
    }

    /// Whether everything is there and of the newest version.
    pub(super) async fn is_there(&self, client: &impl GenericClient) -> Result<bool, StoreError> {
        let known: bool =
            client.query_one("SELECT to_regclass('favor_schema') IS NOT NULL", &[]).await?.get(0);
        Ok(known && self.version(client).await? == self.newest())
    }

    async fn version(&self, client: &impl GenericClient) -> Result<i32, StoreError> {
        let row = client.query_opt("SELECT version FROM favor_schema WHERE name = $1", &[&self.name]).await?;
        let version = row.map_or(0, |row| row.get(0));
        if version > self.newest() {
            return Err(StoreError::Unusable(format!(
                "the database holds {} of a newer favor (its version is {version}, this program knows up to {}); \
                 use that one",
                self.what,
                self.newest(),
            )));
        }
        Ok(version)
    }

    /// Leads to the newest version, all or nothing, one process at a time.
    pub(super) async fn migrate(&self, transaction: Transaction<'_>) -> Result<(), StoreError> {
        transaction.query_one("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
        transaction
            .batch_execute(
                "CREATE TABLE IF NOT EXISTS favor_schema (name text PRIMARY KEY, version integer NOT NULL)",
            )
            .await?;
        let version = self.version(&transaction).await?;
        for step in self.steps.iter().skip(usize::try_from(version).unwrap_or(0)) {
            transaction.batch_execute(step).await?;
        }
        transaction
            .execute(
                "INSERT INTO favor_schema VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
                &[&self.name, &self.newest()],
            )
            .await?;
        Ok(transaction.commit().await?)
    }
}

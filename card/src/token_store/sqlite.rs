//! Tokens in one SQLite file, for one process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use favor_core::{Clock, Secret, SystemClock};
use favor_store::sqlite::rusqlite::{self, OptionalExtension as _};
use favor_store::sqlite::{Database, Schema};
use futures_util::future::BoxFuture;

use super::{Begun, Kept, Right, TokenStore, TokenStoreError};

const SCHEMA: Schema = Schema {
    what: "a store of access tokens",
    // "FvTk"
    application_id: 0x4676_546B,
    steps: &[include_str!("schema.sqlite.sql")],
};

/// Tokens in one SQLite file that its owner alone can read: for one process with as many clients as it likes, so that a
/// restart does not fetch anew. Several clients share it in an [`Arc`]. For several processes there is `PostgresTokens`.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use favor_card::{AppId, AppSecret, Client, SqliteTokens};
///
/// let secret = AppSecret::new(std::fs::read_to_string("/etc/shop/app-secret")?)?;
/// let tokens = SqliteTokens::open("/var/lib/shop/tokens.sqlite").await?;
/// let tokens = std::sync::Arc::new(tokens);
/// let client = Client::builder(AppId::new("wx1234567890abcdef")?, secret).tokens(tokens.clone()).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteTokens {
    database: Database,
    clock: Arc<dyn Clock>,
}

impl SqliteTokens {
    /// Opens a store by the machine's clock, and creates it where there is none.
    ///
    /// # Errors
    /// [`TokenStoreError`] while another process works with it, or when it is something else or damaged.
    pub async fn open(file: impl AsRef<Path>) -> Result<Self, TokenStoreError> {
        Self::open_with_clock(file, Arc::new(SystemClock::new())).await
    }

    /// [`open`](Self::open) by another clock. Only its [`now`](Clock::now) is used.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with_clock(
        file: impl AsRef<Path>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TokenStoreError> {
        let file = file.as_ref().to_owned();
        let database = tokio::task::spawn_blocking(move || Database::open(&file, &SCHEMA))
            .await
            .map_err(|_| TokenStoreError::new("opening the store of access tokens panicked", true))??;
        // Whoever had a right to fetch was this process, and it is gone.
        database.write(|connection| connection.execute("UPDATE tokens SET leased_until = 0", [])).await?;
        Ok(Self { database, clock })
    }

    /// Finishes what is under way, closes the file and gives its lock back.
    pub async fn close(&self) {
        self.database.close().await;
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl TokenStore for SqliteTokens {
    fn begin<'a>(
        &'a self,
        name: &'a str,
        not: Option<i64>,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Begun, TokenStoreError>> {
        let (name, clock) = (name.to_owned(), Arc::clone(&self.clock));
        let work = move |connection: &rusqlite::Connection| -> rusqlite::Result<Begun> {
            let now = clock.now().timestamp_millis();
            connection
                .prepare_cached("INSERT INTO tokens (name) VALUES (?1) ON CONFLICT DO NOTHING")?
                .execute([&name])?;
            let (value, version, good_until, fence, leased_until) = connection
                .prepare_cached(
                    "SELECT value, version, good_until, fence, leased_until FROM tokens WHERE name = ?1",
                )?
                .query_row([&name], |row| {
                    let value: Option<String> = row.get(0)?;
                    Ok((
                        value.map(Secret::new),
                        row.get(1)?,
                        row.get::<_, i64>(2)?,
                        row.get::<_, i64>(3)?,
                        row.get::<_, i64>(4)?,
                    ))
                })?;
            match value {
                Some(value) if now < good_until && not != Some(version) => {
                    let good_for = Duration::from_millis(u64::try_from(good_until - now).unwrap_or(0));
                    Ok(Begun::Kept(Kept { value, version, good_for }))
                }
                _ if now < leased_until => Ok(Begun::Busy),
                _ => {
                    connection
                        .prepare_cached("UPDATE tokens SET fence = ?2, leased_until = ?3 WHERE name = ?1")?
                        .execute((&name, fence + 1, now.saturating_add(millis(lease))))?;
                    Ok(Begun::Yours(Right(fence + 1)))
                }
            }
        };
        Box::pin(async move { Ok(self.database.write(work).await?) })
    }

    fn finish<'a>(
        &'a self,
        name: &'a str,
        right: Right,
        value: &'a Secret<String>,
        good_for: Duration,
    ) -> BoxFuture<'a, Result<Option<i64>, TokenStoreError>> {
        let (name, value, clock) = (name.to_owned(), value.clone(), Arc::clone(&self.clock));
        let work = move |connection: &rusqlite::Connection| {
            let good_until = clock.now().timestamp_millis().saturating_add(millis(good_for));
            connection
                .prepare_cached(
                    "UPDATE tokens SET value = ?3, version = version + 1, good_until = ?4, leased_until = 0
                     WHERE name = ?1 AND fence = ?2 RETURNING version",
                )?
                .query_row((&name, right.0, value.expose(), good_until), |row| row.get(0))
                .optional()
        };
        Box::pin(async move { Ok(self.database.write(work).await?) })
    }

    fn abandon<'a>(&'a self, name: &'a str, right: Right) -> BoxFuture<'a, Result<(), TokenStoreError>> {
        let name = name.to_owned();
        let work = move |connection: &rusqlite::Connection| {
            connection
                .prepare_cached("UPDATE tokens SET leased_until = 0 WHERE name = ?1 AND fence = ?2")?
                .execute((&name, right.0))
        };
        Box::pin(async move {
            self.database.write(work).await?;
            Ok(())
        })
    }
}

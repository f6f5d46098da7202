//! Tokens in a PostgreSQL database, for many processes.

use std::time::Duration;

use favor_core::Secret;
use favor_store::postgres::{Address, Database, Schema};
use futures_util::future::BoxFuture;

use super::{Begun, Kept, Right, TokenStore, TokenStoreError};

const SCHEMA: Schema = Schema {
    what: "a store of access tokens",
    name: "tokens",
    steps: &[include_str!("schema.postgres.sql")],
};

/// Tokens in a PostgreSQL database that many processes on many machines share: one fetches, all use it. All times are
/// the database's, so the machines' clocks do not matter. Its tables are `favor_tokens` and `favor_schema`.
///
/// Whoever can read the table can act for the account: give its user to nobody else.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use favor_card::{AppId, AppSecret, Client, PostgresAddress, PostgresTokens, TokenKind};
///
/// let address = PostgresAddress::new("postgres://shop@db.example/shop?sslmode=require")?
///     .password(&std::fs::read_to_string("/etc/shop/database-password")?);
/// let secret = AppSecret::new(std::fs::read_to_string("/etc/shop/app-secret")?)?;
/// let client = Client::builder(AppId::new("wx1234567890abcdef")?, secret)
///     .tokens(PostgresTokens::connect(&address).await?)
///     .token_kind(TokenKind::Basic)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PostgresTokens {
    database: Database,
}

impl PostgresTokens {
    /// Connects, and creates the tables where there are none.
    ///
    /// # Errors
    /// [`TokenStoreError`] when the server cannot be reached, does not let us in, or its tables are of a newer version.
    pub async fn connect(address: &Address) -> Result<Self, TokenStoreError> {
        Ok(Self { database: Database::connect(address, &SCHEMA).await? })
    }

    /// Closes the connections; later calls fail.
    pub fn close(&self) {
        self.database.close();
    }
}

const ROW: &str = "INSERT INTO favor_tokens (name) VALUES ($1) ON CONFLICT DO NOTHING";
/// The row stays locked until the end of the transaction; the times are of the moment the lock was had.
const LOOK: &str = "SELECT value, version,
    CASE WHEN good_until > clock_timestamp()
         THEN (extract(epoch FROM good_until - clock_timestamp()) * 1000000)::bigint ELSE 0 END,
    leased_until > clock_timestamp()
    FROM favor_tokens WHERE name = $1 FOR UPDATE";
const LEASE: &str = "UPDATE favor_tokens SET fence = fence + 1,
    leased_until = clock_timestamp() + $2::bigint * interval '1 microsecond' WHERE name = $1 RETURNING fence";
const FINISH: &str = "UPDATE favor_tokens SET value = $3, version = version + 1,
    good_until = clock_timestamp() + $4::bigint * interval '1 microsecond', leased_until = '-infinity'
    WHERE name = $1 AND fence = $2 RETURNING version";
const ABANDON: &str = "UPDATE favor_tokens SET leased_until = '-infinity' WHERE name = $1 AND fence = $2";

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl TokenStore for PostgresTokens {
    fn begin<'a>(
        &'a self,
        name: &'a str,
        not: Option<i64>,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Begun, TokenStoreError>> {
        Box::pin(async move {
            let name = name.to_owned();
            let begun = self
                .database
                .run(move |client| {
                    let name = name.clone();
                    Box::pin(async move {
                        let transaction = client.transaction().await?;
                        transaction.execute(ROW, &[&name]).await?;
                        let row = transaction.query_one(LOOK, &[&name]).await?;
                        let value: Option<String> = row.get(0);
                        let (version, good_for): (i64, i64) = (row.get(1), row.get(2));
                        let good_for = Duration::from_micros(u64::try_from(good_for).unwrap_or(0));
                        let begun = match value.map(Secret::new) {
                            Some(value) if !good_for.is_zero() && not != Some(version) => {
                                Begun::Kept(Kept { value, version, good_for })
                            }
                            _ if row.get(3) => Begun::Busy,
                            _ => {
                                let row = transaction.query_one(LEASE, &[&name, &micros(lease)]).await?;
                                Begun::Yours(Right(row.get(0)))
                            }
                        };
                        transaction.commit().await?;
                        Ok(begun)
                    })
                })
                .await?;
            Ok(begun)
        })
    }

    fn finish<'a>(
        &'a self,
        name: &'a str,
        right: Right,
        value: &'a Secret<String>,
        good_for: Duration,
    ) -> BoxFuture<'a, Result<Option<i64>, TokenStoreError>> {
        Box::pin(async move {
            let (name, value) = (name.to_owned(), value.clone());
            let version = self
                .database
                .run(move |client| {
                    let (name, value) = (name.clone(), value.clone());
                    Box::pin(async move {
                        let good_for = micros(good_for);
                        let row =
                            client.query_opt(FINISH, &[&name, &right.0, value.expose(), &good_for]).await?;
                        Ok(row.map(|row| row.get(0)))
                    })
                })
                .await?;
            Ok(version)
        })
    }

    fn abandon<'a>(&'a self, name: &'a str, right: Right) -> BoxFuture<'a, Result<(), TokenStoreError>> {
        Box::pin(async move {
            let name = name.to_owned();
            self.database
                .run(move |client| {
                    let name = name.clone();
                    Box::pin(async move { client.execute(ABANDON, &[&name, &right.0]).await.map(drop) })
                })
                .await?;
            Ok(())
        })
    }
}

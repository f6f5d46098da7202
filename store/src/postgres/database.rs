//! The handle to a database.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use futures_util::future::BoxFuture;

use super::address::Address;
use super::connector::Connector;
use super::listener::Listener;
use super::schema::Schema;
use crate::error::StoreError;

/// A connection of the pool; its statements are prepared once.
pub type Client = Object;

/// How long one may wait for a connection of the pool.
const WAIT: Duration = Duration::from_secs(10);
/// How long work may take before its connection is given up. The server gives up a statement a little earlier.
const WORK: Duration = Duration::from_secs(35);
/// What each connection is set to. A commit must be on disk when it is answered, whatever the server's default is.
const SETTINGS: &str = "SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; \
    SET default_transaction_isolation = 'read committed'; SET timezone = 'UTC'; \
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";
/// How often work is done again after a deadlock or a conflict.
const REPEATS: u32 = 5;

/// A PostgreSQL database: a pool of connections that are renewed when the server was gone.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    pool: Pool,
    address: Address,
}

impl Database {
    /// Connects, and brings the tables to the newest version, one process at a time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the server cannot be reached, [`StoreError::Unusable`] when it does not let us
    /// in or its tables are of a newer version.
    pub async fn connect(address: &Address, schema: &Schema) -> Result<Self, StoreError> {
        let connector = Connector::new(address.config())?;
        let manager = Manager::from_connect(
            address.config().clone(),
            connector,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let set_up = Hook::async_fn(|client, _| {
            Box::pin(async move { client.batch_execute(SETTINGS).await.map_err(HookError::Backend) })
        });
        let pool = Pool::builder(manager)
            .max_size(address.most_connections())
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(WAIT))
            .recycle_timeout(Some(WAIT))
            .post_create(set_up)
            .build()
            .map_err(StoreError::failed)?;
        let database = Self(Arc::new(Inner { pool, address: address.clone() }));
        let mut client = database.client().await?;
        if !schema.is_there(&client).await? {
            let transaction = client.transaction().await?;
            schema.migrate(transaction).await?;
        }
        drop(client);
        Ok(database)
    }

    /// Does work on a connection. Work that met a deadlock or a conflict is done again; it must therefore be one
    /// transaction, or harmless when repeated.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when there is no connection, it broke or took too long: then it is not known
    /// whether the work was done. [`StoreError::Failed`] and [`StoreError::Unusable`] when the server refused.
    pub async fn run<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'c> Fn(&'c mut Client) -> BoxFuture<'c, Result<T, tokio_postgres::Error>> + Send,
    {
        let mut repeats = 0;
        loop {
            let mut client = self.client().await?;
            match tokio::time::timeout(WORK, work(&mut client)).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(error)) if is_conflict(&error) && repeats < REPEATS => repeats += 1,
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => {
                    // What it will answer, and when, is of no use to the next one.
                    drop(Object::take(client));
                    let text = "the database took too long";
                    return Err(StoreError::unavailable(io::Error::new(io::ErrorKind::TimedOut, text)));
                }
            }
        }
    }

    /// Calls `heard` for each notice on a channel, and when notices may have been missed. Ends when the listener is
    /// dropped.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when TLS is asked for and there are no certificate authorities.
    pub fn listen(
        &self,
        channel: &'static str,
        heard: impl Fn() + Send + Sync + 'static,
    ) -> Result<Listener, StoreError> {
        let config = self.0.address.config().clone();
        Ok(Listener::start(Connector::new(&config)?, config, channel, heard))
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.0.address
    }

    /// Closes the pool. Work that is under way ends; later work fails with [`StoreError::Closed`].
    pub fn close(&self) {
        self.0.pool.close();
    }

    async fn client(&self) -> Result<Client, StoreError> {
        self.0.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => error.into(),
            PoolError::Closed => StoreError::Closed,
            PoolError::Timeout(_) => {
                let text = "no connection to the database became free in time";
                StoreError::unavailable(io::Error::new(io::ErrorKind::TimedOut, text))
            }
            other => StoreError::unavailable(other),
        })
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("address", &self.0.address).finish_non_exhaustive()
    }
}

fn is_conflict(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| matches!(code.code(), "40001" | "40P01"))
}

//! Where access tokens and tickets are kept, so that all who use an account share them.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "postgres")]
pub use postgres::PostgresTokens;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteTokens;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use favor_core::{Clock, Secret, SystemClock};
use futures_util::future::BoxFuture;

/// A store of access tokens and tickets, shared by whoever calls for one account. Each name has at most one holder of
/// the right to fetch, so that a fleet fetches once.
///
/// The store keeps its own time: nothing here depends on the machines' clocks being equal.
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// What is good and not the version `not`, or the right to fetch a new one for as long as `lease`, or the news that
    /// somebody else has that right.
    fn begin<'a>(
        &'a self,
        name: &'a str,
        not: Option<i64>,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Begun, TokenStoreError>>;

    /// Keeps what was fetched under `right`, as good for `good_for`, and gives its version; none when the right was lost
    /// meanwhile, which changes nothing.
    fn finish<'a>(
        &'a self,
        name: &'a str,
        right: Right,
        value: &'a Secret<String>,
        good_for: Duration,
    ) -> BoxFuture<'a, Result<Option<i64>, TokenStoreError>>;

    /// Gives a right back unused.
    fn abandon<'a>(&'a self, name: &'a str, right: Right) -> BoxFuture<'a, Result<(), TokenStoreError>>;
}

/// One store for several clients of a process.
impl<S: TokenStore + ?Sized> TokenStore for Arc<S> {
    fn begin<'a>(
        &'a self,
        name: &'a str,
        not: Option<i64>,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Begun, TokenStoreError>> {
        (**self).begin(name, not, lease)
    }

    fn finish<'a>(
        &'a self,
        name: &'a str,
        right: Right,
        value: &'a Secret<String>,
        good_for: Duration,
    ) -> BoxFuture<'a, Result<Option<i64>, TokenStoreError>> {
        (**self).finish(name, right, value, good_for)
    }

    fn abandon<'a>(&'a self, name: &'a str, right: Right) -> BoxFuture<'a, Result<(), TokenStoreError>> {
        (**self).abandon(name, right)
    }
}

/// What a store has.
#[derive(Debug)]
pub struct Kept {
    /// The token or ticket.
    pub value: Secret<String>,
    /// Grows with each that is kept under the same name.
    pub version: i64,
    /// How long it may be used without asking again.
    pub good_for: Duration,
}

/// What to do for a token.
#[derive(Debug)]
pub enum Begun {
    /// Use this one.
    Kept(Kept),
    /// Fetch a new one; then [`finish`](TokenStore::finish) or [`abandon`](TokenStore::abandon).
    Yours(Right),
    /// Ask again soon: somebody else fetches.
    Busy,
}

/// The right to fetch, for one holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right(pub i64);

/// Why a store could not do its work.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct TokenStoreError {
    message: String,
    is_temporary: bool,
    #[source]
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl TokenStoreError {
    /// An error with its words. They must not hold a token.
    pub fn new(message: impl Into<String>, is_temporary: bool) -> Self {
        Self { message: message.into(), is_temporary, cause: None }
    }

    /// Whether the same work may succeed later.
    pub fn is_temporary(&self) -> bool {
        self.is_temporary
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl From<favor_store::StoreError> for TokenStoreError {
    fn from(error: favor_store::StoreError) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| {
            // The error's words are this one's, so its own cause comes next.
            Arc::new(std::io::Error::other(cause.to_string())) as Arc<dyn std::error::Error + Send + Sync>
        });
        Self { message: error.to_string(), is_temporary: error.is_temporary(), cause }
    }
}

/// A store in this process alone, which is what a client has unless it is given another. Clones share what they hold.
#[derive(Clone)]
pub struct MemoryTokens {
    clock: Arc<dyn Clock>,
    rows: Arc<Mutex<HashMap<String, Row>>>,
}

#[derive(Default)]
struct Row {
    value: Option<Secret<String>>,
    version: i64,
    good_until: Duration,
    fence: i64,
    leased_until: Duration,
}

impl MemoryTokens {
    /// An empty store by the machine's clock.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock::new()))
    }

    /// An empty store by another clock.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { clock, rows: Arc::default() }
    }

    fn rows(&self) -> MutexGuard<'_, HashMap<String, Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryTokens {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTokens").field("names", &self.rows().len()).finish_non_exhaustive()
    }
}

impl TokenStore for MemoryTokens {
    fn begin<'a>(
        &'a self,
        name: &'a str,
        not: Option<i64>,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Begun, TokenStoreError>> {
        let now = self.clock.elapsed();
        let mut rows = self.rows();
        let row = rows.entry(name.to_owned()).or_default();
        let begun = match &row.value {
            Some(value) if now < row.good_until && not != Some(row.version) => Begun::Kept(Kept {
                value: value.clone(),
                version: row.version,
                good_for: row.good_until - now,
            }),
            _ if now < row.leased_until => Begun::Busy,
            _ => {
                row.fence += 1;
                row.leased_until = now + lease;
                Begun::Yours(Right(row.fence))
            }
        };
        Box::pin(std::future::ready(Ok(begun)))
    }

    fn finish<'a>(
        &'a self,
        name: &'a str,
        right: Right,
        value: &'a Secret<String>,
        good_for: Duration,
    ) -> BoxFuture<'a, Result<Option<i64>, TokenStoreError>> {
        let now = self.clock.elapsed();
        let mut rows = self.rows();
        let version = rows.get_mut(name).filter(|row| row.fence == right.0).map(|row| {
            row.value = Some(value.clone());
            row.version += 1;
            row.good_until = now + good_for;
            row.leased_until = Duration::ZERO;
            row.version
        });
        Box::pin(std::future::ready(Ok(version)))
    }

    fn abandon<'a>(&'a self, name: &'a str, right: Right) -> BoxFuture<'a, Result<(), TokenStoreError>> {
        if let Some(row) = self.rows().get_mut(name).filter(|row| row.fence == right.0) {
            row.leased_until = Duration::ZERO;
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

//! One token or ticket in use: read without waiting, fetched once for everybody (spec §2.3).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use favor_core::{Clock, Secret};
use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::Error;
use crate::token_store::{Begun, Right, TokenStore, TokenStoreError};

/// How long one may take to fetch before another may try: longer than any call of this client.
const LEASE: Duration = Duration::from_secs(60);
/// How soon to look again while another process fetches, and how often.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const LOOKS: u32 = 350;
/// After a failure nobody asks again for so long.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a token that no store could keep is used.
const UNKEPT: Duration = Duration::from_secs(60);

/// What was fetched.
pub(crate) struct Fetched {
    pub(crate) value: Secret<String>,
    /// How long to use it, the margin taken off.
    pub(crate) good_for: Duration,
}

impl Fetched {
    /// `margin` before its end a token is renewed; one that lives no longer than that, at nine tenths of its life.
    pub(crate) fn new(value: Secret<String>, lives: Duration, margin: Duration) -> Self {
        let margin = if lives <= margin { lives / 10 } else { margin };
        Self { value, good_for: lives.saturating_sub(margin) }
    }
}

/// A token in use.
pub(crate) struct Held {
    pub(crate) value: Secret<String>,
    version: i64,
    good_until: Duration,
}

/// What a caller can use.
#[derive(Clone, Copy)]
enum Wanted {
    /// Whatever is good.
    Good,
    /// What is good and not of this version.
    OtherThan(i64),
    /// What nobody has yet.
    New,
}

/// Keeps one token fresh.
#[derive(Clone)]
pub(crate) struct Keeper(Arc<Inner>);

struct Inner {
    name: String,
    store: Arc<dyn TokenStore>,
    clock: Arc<dyn Clock>,
    /// Whether it does no harm to fetch without the store.
    may_bypass: bool,
    current: ArcSwapOption<Held>,
    flight: Arc<Mutex<Flight>>,
    /// Counts the fetches that are over, however they ended.
    finished: AtomicU64,
}

/// Whoever holds the lock fetches.
#[derive(Default)]
struct Flight {
    failed: Option<(Duration, Error)>,
}

impl Keeper {
    pub(crate) fn new(
        name: String,
        store: Arc<dyn TokenStore>,
        clock: Arc<dyn Clock>,
        may_bypass: bool,
    ) -> Self {
        Self(Arc::new(Inner {
            name,
            store,
            clock,
            may_bypass,
            current: ArcSwapOption::empty(),
            flight: Arc::default(),
            finished: AtomicU64::new(0),
        }))
    }

    /// What is good, fetched first where there is none.
    pub(crate) async fn get<F>(&self, fetch: F) -> Result<Arc<Held>, Error>
    where
        F: FnOnce() -> BoxFuture<'static, Result<Fetched, Error>> + Send + 'static,
    {
        match self.good(Wanted::Good) {
            Some(held) => Ok(held),
            None => self.renew(Wanted::Good, fetch).await,
        }
    }

    /// What is good and not `stale`, fetched first where there is none.
    pub(crate) async fn other_than<F>(&self, stale: &Held, fetch: F) -> Result<Arc<Held>, Error>
    where
        F: FnOnce() -> BoxFuture<'static, Result<Fetched, Error>> + Send + 'static,
    {
        let wanted = Wanted::OtherThan(stale.version);
        match self.good(wanted) {
            Some(held) => Ok(held),
            None => self.renew(wanted, fetch).await,
        }
    }

    /// Fetches in any case, and fails when what comes is what there was.
    pub(crate) async fn replace<F>(&self, fetch: F) -> Result<Arc<Held>, Error>
    where
        F: FnOnce() -> BoxFuture<'static, Result<Fetched, Error>> + Send + 'static,
    {
        self.renew(Wanted::New, fetch).await
    }

    /// What is in use, good or not.
    pub(crate) fn current(&self) -> Option<Arc<Held>> {
        self.0.current.load_full()
    }

    fn good(&self, wanted: Wanted) -> Option<Arc<Held>> {
        let held = self.0.current.load_full()?;
        let is_wanted = match wanted {
            Wanted::Good => true,
            Wanted::OtherThan(stale) => stale != held.version,
            Wanted::New => false,
        };
        (is_wanted && self.0.clock.elapsed() < held.good_until).then_some(held)
    }

    async fn renew<F>(&self, wanted: Wanted, fetch: F) -> Result<Arc<Held>, Error>
    where
        F: FnOnce() -> BoxFuture<'static, Result<Fetched, Error>> + Send + 'static,
    {
        let before = self.0.finished.load(Ordering::SeqCst);
        let mut flight: OwnedMutexGuard<Flight> = Arc::clone(&self.0.flight).lock_owned().await;
        if let Some(held) = self.good(wanted) {
            return Ok(held);
        }
        if let Some((at, error)) = &flight.failed
            && !matches!(wanted, Wanted::New)
        {
            // Whoever waited for a fetch that failed shares its error, and so does whoever comes right after it.
            let waited = self.0.finished.load(Ordering::SeqCst) != before;
            if waited || self.0.clock.elapsed().saturating_sub(*at) < PAUSE {
                return Err(error.clone());
            }
        }
        let keeper = self.clone();
        // In a task of its own: a caller that gives up must not take the fetch with it, for the token it brings may
        // have made the one before it invalid.
        let fetching = tokio::spawn(async move {
            let result = keeper.fetch(wanted, fetch).await;
            flight.failed = result.as_ref().err().map(|error| (keeper.0.clock.elapsed(), error.clone()));
            keeper.0.finished.fetch_add(1, Ordering::SeqCst);
            result
        });
        match fetching.await {
            Ok(result) => result,
            Err(_) => Err(Error::store(TokenStoreError::new("fetching an access token panicked", true))),
        }
    }

    async fn fetch<F>(&self, wanted: Wanted, fetch: F) -> Result<Arc<Held>, Error>
    where
        F: FnOnce() -> BoxFuture<'static, Result<Fetched, Error>> + Send + 'static,
    {
        let right = match self.begin(wanted).await? {
            Ok(held) => return Ok(held),
            Err(right) => right,
        };
        let before = self.current();
        let is_new = |fetched: &Fetched| {
            before.as_ref().is_none_or(|held| held.value.expose() != fetched.value.expose())
        };
        let fetched = match fetch().await {
            Ok(fetched) if matches!(wanted, Wanted::New) && !is_new(&fetched) => Err(Error::not_replaced()),
            fetched => fetched,
        };
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(error) => {
                if let Some(right) = right
                    && let Err(cause) = self.0.store.abandon(&self.0.name, right).await
                {
                    tracing::warn!(%cause, "the right to fetch an access token could not be given back");
                }
                return Err(error);
            }
        };
        let kept = match right {
            Some(right) => self.0.store.finish(&self.0.name, right, &fetched.value, fetched.good_for).await,
            None => Ok(None),
        };
        match kept {
            Ok(Some(version)) => Ok(self.hold(fetched.value, version, fetched.good_for)),
            // It works, though others do not know of it.
            Ok(None) => Ok(self.hold(fetched.value, self.unkept_version(), fetched.good_for.min(UNKEPT))),
            Err(cause) => {
                tracing::warn!(%cause, "an access token could not be kept in the store");
                Ok(self.hold(fetched.value, self.unkept_version(), fetched.good_for.min(UNKEPT)))
            }
        }
    }

    /// What another has fetched, or the right to fetch; no right where the store may be passed by.
    async fn begin(&self, wanted: Wanted) -> Result<Result<Arc<Held>, Option<Right>>, Error> {
        let mut stale = match wanted {
            Wanted::OtherThan(version) => Some(version),
            Wanted::Good | Wanted::New => None,
        };
        for _ in 0..LOOKS {
            match self.0.store.begin(&self.0.name, stale, LEASE).await {
                Ok(Begun::Kept(kept)) => {
                    let held = self.hold(kept.value, kept.version, kept.good_for);
                    match wanted {
                        Wanted::New => stale = Some(held.version),
                        Wanted::Good | Wanted::OtherThan(_) => return Ok(Ok(held)),
                    }
                }
                Ok(Begun::Yours(right)) => return Ok(Err(Some(right))),
                Ok(Begun::Busy) => self.0.clock.sleep(LOOK_AGAIN).await,
                Err(cause) if self.0.may_bypass => {
                    tracing::warn!(%cause, "the store of access tokens cannot be used; the stable token is fetched without it");
                    return Ok(Err(None));
                }
                Err(cause) => return Err(Error::store(cause)),
            }
        }
        Err(Error::store_is_stuck())
    }

    /// Below zero, so that it equals none of the store's, and another each time.
    fn unkept_version(&self) -> i64 {
        let count = self.0.finished.load(Ordering::SeqCst);
        -1 - i64::try_from(count).unwrap_or(i64::MAX - 1)
    }

    fn hold(&self, value: Secret<String>, version: i64, good_for: Duration) -> Arc<Held> {
        let good_until = self.0.clock.elapsed() + good_for;
        let held = Arc::new(Held { value, version, good_until });
        self.0.current.store(Some(Arc::clone(&held)));
        held
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").field("name", &self.0.name).finish_non_exhaustive()
    }
}

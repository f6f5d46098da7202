//! Following a source of keys: what both readers share.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use futures_util::future::BoxFuture;
use tokio::task::AbortHandle;

use super::{KeyDirectoryError, Release};
use crate::clock::Clock;
use crate::error::Error;
use crate::keys::{KeySet, Refresh, Serial};

/// How often the source is looked at unless told otherwise.
pub(super) const EVERY: Duration = Duration::from_secs(3);
/// Anybody can name an unknown serial, so that asks at most this often.
const BETWEEN_UNKNOWN_SERIALS: Duration = Duration::from_secs(60);
/// Without any key each call asks; they share one look, and a failure, for this long.
const BETWEEN_FIRST_LOOKS: Duration = Duration::from_millis(200);

/// Where releases come from.
pub(super) trait Source: fmt::Debug + Send + Sync {
    /// A release other than `held`; none when that is still the one. May wait for news when `patient`.
    fn look(
        &self,
        held: Option<Arc<Release>>,
        patient: bool,
    ) -> BoxFuture<'_, Result<Option<Release>, KeyDirectoryError>>;

    /// Makes whoever writes the keys look for this serial, where that can be done.
    fn ask(&self, unknown: Serial) -> BoxFuture<'_, ()>;

    /// The source's place, for messages.
    fn place(&self) -> String;
}

#[derive(Debug)]
struct Follower {
    source: Arc<dyn Source>,
    clock: Arc<dyn Clock>,
    every: Duration,
    keys: ArcSwap<KeySet>,
    release: ArcSwapOption<Release>,
    /// Held while a release is compared with the one in use and put in its place.
    adopting: Mutex<()>,
    /// Held while a refresh is under way: they are single-flight.
    past: tokio::sync::Mutex<Past>,
}

#[derive(Debug, Default)]
struct Past {
    last_look: Option<(Duration, Result<(), Error>)>,
    last_unknown_serial: Option<Duration>,
}

/// Keys that follow a source in the background.
pub(super) struct Following {
    follower: Arc<Follower>,
    background: Mutex<Option<AbortHandle>>,
}

impl Following {
    pub(super) fn new(source: Arc<dyn Source>, clock: Arc<dyn Clock>, every: Duration) -> Self {
        let follower = Follower {
            source,
            clock,
            every,
            keys: ArcSwap::from_pointee(KeySet::new()),
            release: ArcSwapOption::empty(),
            adopting: Mutex::new(()),
            past: tokio::sync::Mutex::default(),
        };
        Self { follower: Arc::new(follower), background: Mutex::new(None) }
    }

    pub(super) fn adopt(&self, release: Release) -> Result<(), KeyDirectoryError> {
        self.follower.adopt(release)
    }

    pub(super) fn keys(&self) -> Arc<KeySet> {
        self.keep_following();
        self.follower.keys.load_full()
    }

    pub(super) fn release(&self) -> Option<Arc<Release>> {
        self.follower.release.load_full()
    }

    pub(super) async fn refresh(&self, reason: Refresh) -> Result<(), Error> {
        self.follower.refresh(reason).await
    }

    /// Starts with the first use, and again when the runtime it ran on has ended.
    fn keep_following(&self) {
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        if background.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            *background = Some(runtime.spawn(follow_for_ever(self.follower.clone())).abort_handle());
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        if let Some(task) = self.background.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Following")
            .field("source", &self.follower.source)
            .field("generation", &self.release().map(|release| release.manifest().generation))
            .finish_non_exhaustive()
    }
}

async fn follow_for_ever(follower: Arc<Follower>) {
    let mut failing = None;
    loop {
        let failure = follower.look(true).await.err();
        if let Some(error) = failure.as_ref().filter(|error| failing.as_ref() != Some(*error)) {
            tracing::warn!(%error, "platform keys could not be read; what is held stays in use");
        }
        failing = failure;
        follower.clock.sleep(follower.every).await;
    }
}

impl Follower {
    async fn look(&self, patient: bool) -> Result<(), KeyDirectoryError> {
        match self.source.look(self.release.load_full(), patient).await? {
            Some(release) => self.adopt(release),
            None => Ok(()),
        }
    }

    /// Puts a release in use, unless it is older than the one that is.
    fn adopt(&self, release: Release) -> Result<(), KeyDirectoryError> {
        let _adopting = self.adopting.lock().unwrap_or_else(PoisonError::into_inner);
        let offered = release.manifest();
        if let Some(held) = self.release.load_full() {
            let held = held.manifest();
            if offered.content == held.content && offered.generation <= held.generation {
                return Ok(());
            }
            if offered.generation < held.generation {
                return Err(KeyDirectoryError::Backwards {
                    place: self.source.place(),
                    held: held.generation,
                    offered: offered.generation,
                });
            }
        }
        tracing::info!(
            generation = offered.generation,
            keys = offered.keys.len(),
            "platform keys taken over"
        );
        self.keys.store(release.keys().clone());
        self.release.store(Some(Arc::new(release)));
        Ok(())
    }

    async fn refresh(&self, reason: Refresh) -> Result<(), Error> {
        let mut past = self.past.lock().await;
        let now = self.clock.elapsed();
        let too_early = |at: Duration, pause: Duration| now < at.saturating_add(pause);
        let result = match reason {
            Refresh::NoKeys => {
                if let Some((at, result)) = &past.last_look
                    && too_early(*at, BETWEEN_FIRST_LOOKS)
                {
                    return result.clone();
                }
                self.look(false).await
            }
            Refresh::UnknownSerial(serial) => {
                let known = |keys: &KeySet| keys.find(&serial, self.clock.now()) != crate::Lookup::Unknown;
                if known(&self.keys.load())
                    || past.last_unknown_serial.is_some_and(|at| too_early(at, BETWEEN_UNKNOWN_SERIALS))
                {
                    return Ok(());
                }
                past.last_unknown_serial = Some(now);
                let looked = self.look(false).await;
                if known(&self.keys.load()) {
                    looked
                } else {
                    self.source.ask(serial).await;
                    self.look(false).await
                }
            }
        };
        let result =
            result.map_err(|error| Error::keys("the platform keys could not be read").caused_by(error));
        past.last_look = Some((self.clock.elapsed(), result.clone()));
        result
    }
}

//! A reader's store of one merchant's keys, with a judge of how soon it follows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use favor::core::{
    Backend, Clock, DirectoryKeys, HttpKeys, HttpTransport, KeySet, KeyStore, Lookup, ManualClock, Refresh,
    Release, Serial,
};
use favor::prelude::{Error, MerchantId};
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::world;

/// Polls after which a release that was in force before them must be held.
const MOST_POLLS: u64 = 2;

/// Keys from the directory, or from the daemon over HTTP.
#[derive(Debug, Clone)]
pub enum Keys {
    Directory(Arc<DirectoryKeys>),
    Http(Arc<HttpKeys>),
}

impl Keys {
    fn release(&self) -> Arc<Release> {
        let release = match self {
            Self::Directory(keys) => keys.release(),
            Self::Http(keys) => keys.release(),
        };
        release.expect("it began with one")
    }
}

impl KeyStore for Keys {
    fn keys(&self) -> Arc<KeySet> {
        match self {
            Self::Directory(keys) => keys.keys(),
            Self::Http(keys) => keys.keys(),
        }
    }

    fn refresh(&self, reason: Refresh) -> BoxFuture<'_, Result<(), Error>> {
        match self {
            Self::Directory(keys) => keys.refresh(reason),
            Self::Http(keys) => keys.refresh(reason),
        }
    }
}

/// The clock of one store. A store sleeps once after each poll and at no other time, so its sleeps are its polls.
#[derive(Debug)]
struct PollClock {
    inner: Arc<ManualClock>,
    polls: watch::Sender<u64>,
}

impl Clock for PollClock {
    fn now(&self) -> DateTime<Utc> {
        self.inner.now()
    }

    fn elapsed(&self) -> Duration {
        self.inner.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        let asleep = self.inner.sleep(duration);
        self.polls.send_modify(|polls| *polls += 1);
        asleep
    }
}

/// A release that is in force, and the polls made before that was seen.
#[derive(Debug, Clone, Copy)]
struct Awaited {
    generation: u64,
    polls: u64,
}

pub struct Follower {
    pub merchant: MerchantId,
    pub keys: Keys,
    folder: PathBuf,
    clock: Arc<PollClock>,
    transport: HttpTransport,
    awaited: Option<Awaited>,
    held: u64,
    followed: u64,
    slowest: u64,
}

impl Follower {
    pub async fn open(
        folder: &Path,
        merchant: &MerchantId,
        over_http: bool,
        clock: &Arc<ManualClock>,
        transport: &HttpTransport,
    ) -> Self {
        let clock = Arc::new(PollClock { inner: clock.clone(), polls: watch::Sender::new(0) });
        let url = world::daemon_url(folder);
        let keys = if over_http {
            let keys = HttpKeys::builder(url, merchant.clone(), transport.clone()).clock(clock.clone());
            Keys::Http(Arc::new(keys.open().await.unwrap()))
        } else {
            let keys = DirectoryKeys::builder(folder.join(world::KEYS), merchant.clone());
            let keys = keys.clock(clock.clone()).ask_daemon(url, transport.clone());
            Keys::Directory(Arc::new(keys.open().unwrap()))
        };
        let (folder, transport, merchant) = (folder.to_owned(), transport.clone(), merchant.clone());
        let held = keys.release().manifest().generation;
        Self { merchant, keys, folder, clock, transport, awaited: None, held, followed: 0, slowest: 0 }
    }

    fn polls(&self) -> u64 {
        *self.clock.polls.borrow()
    }

    /// Notes what is in force where the store looks.
    pub async fn look(&mut self) {
        // The first use begins to follow.
        drop(self.keys.keys());
        if self.awaited.is_some() {
            return;
        }
        let polls = self.polls();
        let generation = self.published().await;
        if generation > self.keys.release().manifest().generation {
            self.awaited = Some(Awaited { generation, polls });
        }
    }

    async fn published(&self) -> u64 {
        match &self.keys {
            Keys::Directory(_) => {
                let home = self.folder.join(world::KEYS).join(self.merchant.as_str());
                let link = std::fs::read_link(home.join("current")).unwrap();
                let name = link.file_name().unwrap().to_str().unwrap();
                name.split_once('-').unwrap().0.parse().unwrap()
            }
            // A reader that has just begun gets what is in force.
            Keys::Http(_) => {
                let url = world::daemon_url(&self.folder);
                let fresh = HttpKeys::builder(url, self.merchant.clone(), self.transport.clone());
                let fresh = fresh.backend(Backend::default()).open().await.unwrap();
                fresh.release().unwrap().manifest().generation
            }
        }
    }

    /// Polls so far, to wait for the next one.
    pub fn before_the_clock_moves(&self) -> u64 {
        self.polls()
    }

    /// Waits for the poll that the move of the clock brought. Over HTTP it may wait for news at the daemon instead.
    pub async fn polled_since(&self, polls: u64) {
        if matches!(self.keys, Keys::Directory(_)) {
            let mut now = self.clock.polls.subscribe();
            now.wait_for(|now| *now > polls).await.unwrap();
        }
    }

    /// Fails when the release that was in force is not held after the polls allowed.
    pub fn judge(&mut self) {
        // In this order: a poll that ends in between counts for the store.
        let polls = self.polls();
        let held = self.keys.release().manifest().generation;
        assert!(held >= self.held, "merchant {}: back from generation {}", self.merchant.as_str(), self.held);
        self.followed += u64::from(held > self.held);
        self.held = held;
        let Some(awaited) = self.awaited else { return };
        let polls = polls - awaited.polls;
        if held >= awaited.generation {
            self.awaited = None;
            self.slowest = self.slowest.max(polls);
            return;
        }
        assert!(
            polls < MOST_POLLS,
            "merchant {}: generation {held} is held after {polls} polls, while {} is in force",
            self.merchant.as_str(),
            awaited.generation,
        );
    }

    pub fn holds(&self, serial: &str) -> bool {
        let now = self.clock.now();
        !matches!(self.keys.keys().find(&Serial::new(serial), now), Lookup::Unknown)
    }

    /// Releases taken over, and the most polls one of them took.
    pub fn record(&self) -> (u64, u64) {
        (self.followed, self.slowest)
    }
}

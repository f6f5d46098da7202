//! Time, injected.

use std::fmt;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use tokio::sync::watch;

/// Where time comes from: timestamps, signature windows, pauses between attempts.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The wall clock.
    fn now(&self) -> DateTime<Utc>;

    /// Time since a fixed, arbitrary start; never goes back.
    fn elapsed(&self) -> Duration;

    /// Completes when `duration` has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()>;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// The machine's clock.
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock for tests: it stands still until it is told to move.
///
/// With [`ManualClock::jumping`], every sleep moves it forward at once instead of waiting.
#[derive(Debug)]
pub struct ManualClock {
    start: DateTime<Utc>,
    elapsed: watch::Sender<Duration>,
    sleepers: watch::Sender<usize>,
    jumps: bool,
}

impl ManualClock {
    /// A clock that stands at `start`; whoever sleeps waits for [`advance`](Self::advance).
    pub fn new(start: DateTime<Utc>) -> Self {
        Self {
            start,
            elapsed: watch::Sender::new(Duration::ZERO),
            sleepers: watch::Sender::new(0),
            jumps: false,
        }
    }

    /// A clock that stands at `start` and jumps over every sleep. Not for a client that downloads its keys: its
    /// background refresh would race through time.
    pub fn jumping(start: DateTime<Utc>) -> Self {
        Self { jumps: true, ..Self::new(start) }
    }

    /// Moves the clock forward and wakes who has slept long enough.
    pub fn advance(&self, by: Duration) {
        self.elapsed.send_modify(|elapsed| *elapsed += by);
    }

    /// Completes when at least `count` callers are asleep.
    pub async fn wait_for_sleepers(&self, count: usize) {
        let mut sleepers = self.sleepers.subscribe();
        let _ = sleepers.wait_for(|now| *now >= count).await;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        self.start + TimeDelta::from_std(self.elapsed()).unwrap_or(TimeDelta::MAX)
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.borrow()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        if self.jumps {
            self.advance(duration);
            return Box::pin(std::future::ready(()));
        }
        let until = self.elapsed() + duration;
        let mut elapsed = self.elapsed.subscribe();
        Box::pin(async move {
            let _asleep = Asleep::enter(&self.sleepers);
            let _ = elapsed.wait_for(|now| *now >= until).await;
        })
    }
}

struct Asleep<'a>(&'a watch::Sender<usize>);

impl<'a> Asleep<'a> {
    fn enter(sleepers: &'a watch::Sender<usize>) -> Self {
        sleepers.send_modify(|count| *count += 1);
        Self(sleepers)
    }
}

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_time_has_come() {
        let clock = std::sync::Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(60)).await }
        });
        clock.wait_for_sleepers(1).await;
        clock.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1));
        sleeper.await.unwrap();
        assert_eq!(clock.now().timestamp(), 60);
    }
}

//! Tokio's clock, which jumps to the next timer when everybody waits.

use std::time::Duration;

use chrono::{DateTime, Utc};
use favor_core::{Clock, Timestamp};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct ModelClock {
    begun: Instant,
    wall: Timestamp,
}

impl ModelClock {
    /// A clock that shows `wall`, such as `2026-11-11T10:00:00+08:00`, now.
    pub(crate) fn at(wall: &str) -> Self {
        Self { begun: Instant::now(), wall: favor_core::time::from_wire(wall).unwrap() }
    }

    pub(crate) fn wall(&self) -> Timestamp {
        self.wall + chrono::TimeDelta::from_std(self.begun.elapsed()).unwrap()
    }
}

impl Clock for ModelClock {
    fn now(&self) -> DateTime<Utc> {
        self.wall().to_utc()
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

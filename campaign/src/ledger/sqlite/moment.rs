//! The ledger's time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use favor_core::Clock;

/// A moment by the ledger's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    wall: DateTime<Utc>,
    /// By the clock that never goes back.
    elapsed: Duration,
}

impl Moment {
    /// Milliseconds since 1970.
    pub(super) fn millis(self) -> i64 {
        self.wall.timestamp_millis()
    }

    /// Microseconds since 1970.
    pub(super) fn micros(self) -> i64 {
        self.wall.timestamp_micros()
    }

    pub(super) fn wall(self) -> DateTime<Utc> {
        self.wall
    }

    /// In milliseconds since 1970, this long after now; nothing is due too early.
    pub(super) fn later(self, by: Duration) -> i64 {
        let millis = TimeDelta::from_std(by).map_or(i64::MAX, |by| by.num_milliseconds());
        let rest = i64::from(!by.subsec_nanos().is_multiple_of(1_000_000));
        self.millis().saturating_add(millis).saturating_add(rest)
    }

    /// From now until then, at least a millisecond.
    pub(super) fn until(self, millis: i64) -> Duration {
        let wait = millis.saturating_sub(self.millis()).max(1);
        Duration::from_millis(u64::try_from(wait).unwrap_or(1))
    }
}

/// A clock whose wall time does not go back while the process lives: leases and limits would otherwise last longer by as
/// much as somebody set the machine's clock back.
#[derive(Debug)]
pub(super) struct Time {
    clock: Arc<dyn Clock>,
    /// What the wall clock would have shown when the other one began; the latest that was seen.
    start: Mutex<DateTime<Utc>>,
}

impl Time {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, start: Mutex::new(DateTime::<Utc>::MIN_UTC) }
    }

    pub(super) fn now(&self) -> Moment {
        let mut start = self.start.lock().unwrap_or_else(PoisonError::into_inner);
        // In this order, so that a pause between the two never makes it later than it is.
        let (wall, elapsed) = (self.clock.now(), self.clock.elapsed());
        let passed = TimeDelta::from_std(elapsed).unwrap_or_default();
        *start = wall.checked_sub_signed(passed).map_or(*start, |now| now.max(*start));
        Moment { wall: start.checked_add_signed(passed).unwrap_or(wall), elapsed }
    }

    /// How much time has passed since a moment.
    pub(super) fn since(&self, moment: Moment) -> Duration {
        self.clock.elapsed().saturating_sub(moment.elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::BoxFuture;

    /// A wall clock that people set, beside one that they cannot.
    #[derive(Debug, Default)]
    struct Set(Mutex<(i64, u64)>);

    impl Clock for Set {
        fn now(&self) -> DateTime<Utc> {
            DateTime::from_timestamp(self.0.lock().unwrap().0, 0).unwrap()
        }
        fn elapsed(&self) -> Duration {
            Duration::from_secs(self.0.lock().unwrap().1)
        }
        fn sleep(&self, _: Duration) -> BoxFuture<'_, ()> {
            unreachable!("a ledger does not sleep")
        }
    }

    #[test]
    fn a_clock_that_is_set_back_goes_on_and_one_that_is_set_forward_is_followed() {
        let clock = Arc::new(Set::default());
        let time = Time::new(clock.clone());
        let at = |wall, elapsed| {
            *clock.0.lock().unwrap() = (wall, elapsed);
            time.now().millis() / 1_000
        };
        assert_eq!(at(10_000, 50), 10_000);
        assert_eq!(at(10_001, 51), 10_001);
        assert_eq!(at(6_402, 52), 10_002, "an hour back");
        assert_eq!(at(6_403, 53), 10_003, "it goes on");
        assert_eq!(at(20_000, 54), 20_000);
        assert_eq!(at(20_005, 59), 20_005);
    }

    #[test]
    fn nothing_is_due_too_early() {
        let now = Moment { wall: DateTime::from_timestamp_millis(1_000).unwrap(), elapsed: Duration::ZERO };
        assert_eq!(now.later(Duration::from_millis(5)), 1_005);
        assert_eq!(now.later(Duration::from_micros(5_001)), 1_006);
        assert_eq!(now.later(Duration::MAX), i64::MAX);
        assert_eq!(now.until(1_500), Duration::from_millis(500));
        assert_eq!(now.until(1_000), Duration::from_millis(1));
        assert_eq!(now.until(i64::MIN), Duration::from_millis(1));
    }
}

//! Pacing calls, per operation: a small GCRA (generic cell rate algorithm).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::call::Operation;

/// A number of calls per period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    calls: u32,
    period: Duration,
}

impl Rate {
    /// `calls` per second; zero counts as one.
    pub const fn per_second(calls: u32) -> Self {
        Self::per(calls, Duration::from_secs(1))
    }

    /// `calls` per minute; zero counts as one.
    pub const fn per_minute(calls: u32) -> Self {
        Self::per(calls, Duration::from_secs(60))
    }

    const fn per(calls: u32, period: Duration) -> Self {
        Self { calls: if calls == 0 { 1 } else { calls }, period }
    }

    /// This rate lowered to `percent` of it, at least one call per period.
    pub const fn scaled(self, percent: u32) -> Self {
        Self::per(self.calls.saturating_mul(percent) / 100, self.period)
    }

    /// The time between two calls when they are spread evenly.
    pub fn spacing(self) -> Duration {
        self.period / self.calls
    }
}

/// Hands out times to call at, so that each operation keeps its rate. A tenth of a second's calls may go at once.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    limits: HashMap<&'static str, Rate>,
    documented_percent: Option<u32>,
    /// When the next call would be due if all calls came evenly, per operation.
    due: Mutex<HashMap<&'static str, Duration>>,
}

const BURST: Duration = Duration::from_millis(100);

impl Limiter {
    pub(crate) fn new(limits: HashMap<&'static str, Rate>, documented_percent: Option<u32>) -> Self {
        Self { limits, documented_percent, due: Mutex::default() }
    }

    fn rate(&self, operation: &Operation) -> Option<Rate> {
        let documented = || Some(operation.rate?.scaled(self.documented_percent?));
        self.limits.get(operation.name).copied().or_else(documented)
    }

    /// Reserves the next call and says how long to wait for it, unless that is longer than `patience`.
    pub(crate) fn reserve(
        &self,
        operation: &Operation,
        now: Duration,
        patience: Duration,
    ) -> Option<Duration> {
        let Some(rate) = self.rate(operation) else {
            return Some(Duration::ZERO);
        };
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = due.entry(operation.name).or_default();
        let start = (*slot).max(now);
        let wait = start.saturating_sub(now).saturating_sub(BURST);
        if wait > patience {
            return None;
        }
        *slot = start + rate.spacing();
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Verb;

    static SEND: Operation = Operation::new("send", Verb::Post, "/send").limited_to(Rate::per_second(100));
    static OTHER: Operation = Operation::new("other", Verb::Get, "/other");

    #[test]
    fn no_second_sees_more_than_the_rate_and_the_burst() {
        let explicit = Limiter::new(HashMap::from([("send", Rate::per_second(50))]), None);
        let documented = Limiter::new(HashMap::new(), Some(50));
        for limiter in [explicit, documented] {
            let reserve = |_| limiter.reserve(&SEND, Duration::ZERO, Duration::MAX).unwrap();
            let times: Vec<_> = (0..200).map(reserve).collect();
            for second in 0..4 {
                let window = Duration::from_secs(second)..Duration::from_secs(second + 1);
                let calls = times.iter().filter(|time| window.contains(*time)).count();
                assert!(calls <= 56, "{calls} calls in second {second}");
            }
            let last = times.last().unwrap();
            assert!((Duration::from_millis(3800)..Duration::from_millis(4000)).contains(last), "{last:?}");
        }
    }

    #[test]
    fn who_cannot_wait_takes_no_place() {
        let limiter = Limiter::new(HashMap::from([("send", Rate::per_minute(1))]), None);
        assert_eq!(limiter.reserve(&SEND, Duration::ZERO, Duration::ZERO), Some(Duration::ZERO));
        assert_eq!(limiter.reserve(&SEND, Duration::ZERO, Duration::from_secs(10)), None);
        assert_eq!(limiter.reserve(&SEND, Duration::from_secs(60), Duration::ZERO), Some(Duration::ZERO));
        assert_eq!(limiter.reserve(&OTHER, Duration::ZERO, Duration::ZERO), Some(Duration::ZERO));
    }
}

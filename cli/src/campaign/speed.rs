//! How fast a campaign goes, from its counters.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Over how long the speed is taken.
const SPAN: Duration = Duration::from_secs(15);

/// The last counts of settled coupons.
#[derive(Debug, Default)]
pub(crate) struct Speed {
    seen: VecDeque<(Instant, u64)>,
}

impl Speed {
    /// Notes how many are settled at a moment.
    pub(crate) fn note(&mut self, at: Instant, settled: u64) {
        // One that was opened again makes the count fall: begin anew.
        if self.seen.back().is_some_and(|(_, before)| *before > settled) {
            self.seen.clear();
        }
        self.seen.push_back((at, settled));
        while self.seen.len() > 2
            && self.seen.get(1).is_some_and(|(then, _)| at.duration_since(*then) >= SPAN)
        {
            self.seen.pop_front();
        }
    }

    /// Tenths of a coupon per second; none before there are two counts.
    pub(crate) fn tenths(&self) -> Option<u32> {
        let (settled, milliseconds) = self.lately()?;
        u32::try_from(settled.checked_mul(10_000)? / milliseconds).ok()
    }

    /// How long the rest takes at this speed; none while nothing moves.
    pub(crate) fn left(&self, open: u64) -> Option<Duration> {
        let (settled, milliseconds) = self.lately()?;
        let rest = u128::from(open) * u128::from(milliseconds);
        let rest = rest.checked_div(u128::from(settled))?;
        Some(Duration::from_millis(u64::try_from(rest).ok()?))
    }

    /// How many were settled, and in how many milliseconds.
    fn lately(&self) -> Option<(u64, u64)> {
        let ((first, before), (last, now)) = (self.seen.front()?, self.seen.back()?);
        let milliseconds = u64::try_from(last.duration_since(*first).as_millis()).ok()?;
        (milliseconds > 0).then_some((now - before, milliseconds))
    }
}

/// Tenths as a number with one digit after the point.
pub(crate) fn in_words(tenths: u32) -> String {
    format!("{}.{}/s", tenths / 10, tenths % 10)
}

/// The same for programs.
#[expect(clippy::float_arithmetic, reason = "a rate to look at, and no money")]
pub(crate) fn number(tenths: u32) -> f64 {
    f64::from(tenths) / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_speed_is_that_of_the_last_seconds() {
        let (mut speed, begin) = (Speed::default(), Instant::now());
        assert_eq!((speed.tenths(), speed.left(5)), (None, None));
        let mut at = |second: u64, settled| {
            speed.note(begin + Duration::from_secs(second), settled);
            (speed.tenths(), speed.left(1_000))
        };
        assert_eq!(at(0, 0), (None, None));
        assert_eq!(at(10, 4_000), (Some(4_000), Some(Duration::from_millis(2_500))));
        assert_eq!(at(20, 4_000).0, Some(2_000));
        // What was long ago does not count.
        assert_eq!(at(40, 4_001), (Some(0), Some(Duration::from_secs(20_000))));
        assert_eq!(at(60, 4_001), (Some(0), None));
        // Some were opened again.
        assert_eq!(at(61, 3_000), (None, None));
        assert_eq!(in_words(3_982), "398.2/s");
    }
}

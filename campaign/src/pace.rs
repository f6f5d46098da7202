//! How fast a campaign sends, and at what times of the day.

use std::time::Duration;

use chrono::{Days, NaiveTime, TimeDelta};
use favor_core::Timestamp;
use favor_core::time::beijing;
use serde::{Deserialize, Serialize};

/// How fast a campaign sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Pace {
    /// Sends per second of all workers together. WeChat Pay allows a merchant 500 (spec §3.0); the default is 400, since
    /// the merchant's shop sends by the same quota.
    pub per_second: u32,
    /// Requests under way at once, per worker: 50.
    pub in_flight: u32,
    /// Seconds over which the rate climbs from a tenth of `per_second` since the campaign was first started: 0 begins
    /// at full rate.
    pub ramp_up_seconds: u32,
    /// Beijing times of the day at which it sends; none means at all times.
    pub windows: Vec<DailyWindow>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { per_second: 400, in_flight: 50, ramp_up_seconds: 0, windows: Vec::new() }
    }
}

/// A part of the day, by the Beijing clock; one that ends before it begins goes over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailyWindow {
    /// The first moment within.
    pub from: NaiveTime,
    /// The first moment after.
    pub to: NaiveTime,
}

/// Why a pace makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pace cannot be used: {0}")]
pub struct PaceError(&'static str);

impl Pace {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// [`PaceError`] names the first thing that does not.
    pub fn check(&self) -> Result<(), PaceError> {
        if self.per_second == 0 {
            return Err(PaceError("per_second must be at least 1; to send nothing, pause the campaign"));
        }
        if !(1..=10_000).contains(&self.in_flight) {
            return Err(PaceError("in_flight must be 1 to 10000"));
        }
        if self.ramp_up_seconds > 7 * 24 * 3600 {
            return Err(PaceError("ramp_up_seconds must be a week at most"));
        }
        if self.windows.iter().any(|window| window.from == window.to) {
            return Err(PaceError("a window ends when it begins; for the whole day, give no window"));
        }
        Ok(())
    }

    /// When it may send next: none means now, else the moment at which a window opens.
    pub fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let now = beijing(&now);
        let time = now.time();
        if self.windows.is_empty() || self.windows.iter().any(|window| window.has(time)) {
            return None;
        }
        let opens = |window: &DailyWindow| {
            let days = u64::from(window.from <= time);
            let day = now.date_naive().checked_add_days(Days::new(days))?;
            day.and_time(window.from).and_local_timezone(*now.offset()).single()
        };
        self.windows.iter().filter_map(opens).min()
    }

    /// The rate, so long after the campaign was first started: whole steps of a twentieth of the ramp.
    pub(crate) fn rate_after(&self, since_start: Duration) -> u32 {
        const STEPS: u64 = 20;
        let ramp = u64::from(self.ramp_up_seconds) * 1000;
        let passed = u64::try_from(since_start.as_millis()).unwrap_or(u64::MAX);
        if passed >= ramp {
            return self.per_second;
        }
        let step = passed.saturating_mul(STEPS) / ramp;
        // A tenth, and the other nine tenths by and by.
        let thousandths = 100 + 900 * step / STEPS;
        let rate = u64::from(self.per_second) * thousandths / 1000;
        u32::try_from(rate).unwrap_or(self.per_second).max(1)
    }
}

impl DailyWindow {
    fn has(&self, time: NaiveTime) -> bool {
        if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

/// When a daily budget that was found used up at `now` is tried again: at Beijing's next midnight. Right after
/// midnight the platform's day may not have begun yet, so then a minute later.
pub(crate) fn next_day(now: Timestamp) -> Timestamp {
    let now = beijing(&now);
    if now.time() < NaiveTime::MIN + TimeDelta::minutes(10) {
        return now + TimeDelta::minutes(1);
    }
    let midnight = now.date_naive().checked_add_days(Days::new(1)).map(|day| day.and_time(NaiveTime::MIN));
    midnight.and_then(|at| at.and_local_timezone(*now.offset()).single()).unwrap_or(now + TimeDelta::days(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        favor_core::time::from_wire(text).unwrap()
    }

    fn windows(windows: &[(&str, &str)]) -> Pace {
        let window =
            |(from, to): &(&str, &str)| DailyWindow { from: from.parse().unwrap(), to: to.parse().unwrap() };
        Pace { windows: windows.iter().map(window).collect(), ..Pace::default() }
    }

    #[test]
    fn windows_open_and_close_by_the_beijing_clock() {
        let opens =
            |pace: &Pace, now: &str| pace.closed_until(at(now)).map(|at| favor_core::time::to_wire(&at));
        let always = Pace::default();
        assert_eq!(opens(&always, "2026-11-11T03:00:00+08:00"), None);
        let day = windows(&[("09:00:00", "12:00:00"), ("14:00:00", "21:00:00")]);
        assert_eq!(opens(&day, "2026-11-11T09:00:00+08:00"), None);
        assert_eq!(opens(&day, "2026-11-11T11:59:59+08:00"), None);
        assert_eq!(opens(&day, "2026-11-11T12:00:00+08:00").unwrap(), "2026-11-11T14:00:00+08:00");
        assert_eq!(opens(&day, "2026-11-11T08:59:59+08:00").unwrap(), "2026-11-11T09:00:00+08:00");
        assert_eq!(opens(&day, "2026-11-11T21:00:00+08:00").unwrap(), "2026-11-12T09:00:00+08:00");
        assert_eq!(opens(&day, "2026-12-31T22:00:00+08:00").unwrap(), "2027-01-01T09:00:00+08:00");
        assert_eq!(opens(&day, "2026-11-11T01:00:00Z"), None, "that is nine o'clock in Beijing");
        let night = windows(&[("22:00:00", "06:00:00")]);
        assert_eq!(opens(&night, "2026-11-11T23:00:00+08:00"), None);
        assert_eq!(opens(&night, "2026-11-11T05:59:00+08:00"), None);
        assert_eq!(opens(&night, "2026-11-11T06:00:00+08:00").unwrap(), "2026-11-11T22:00:00+08:00");
    }

    #[test]
    fn the_ramp_climbs_from_a_tenth_to_all() {
        let pace = Pace { per_second: 400, ramp_up_seconds: 100, ..Pace::default() };
        let rate = |seconds| pace.rate_after(Duration::from_secs(seconds));
        assert_eq!((rate(0), rate(4), rate(5)), (40, 40, 58));
        assert_eq!((rate(50), rate(99), rate(100), rate(1000)), (220, 382, 400, 400));
        assert!((1..100).all(|second| rate(second) >= rate(second - 1)));
        assert_eq!(Pace::default().rate_after(Duration::ZERO), 400);
        let slow = Pace { per_second: 1, ramp_up_seconds: 10, ..Pace::default() };
        assert_eq!(slow.rate_after(Duration::ZERO), 1);
    }

    #[test]
    fn the_next_day_begins_at_beijing_midnight() {
        let next = |now: &str| favor_core::time::to_wire(&next_day(at(now)));
        assert_eq!(next("2026-11-11T15:00:00+08:00"), "2026-11-12T00:00:00+08:00");
        assert_eq!(next("2026-11-11T23:59:59+08:00"), "2026-11-12T00:00:00+08:00");
        assert_eq!(next("2026-12-31T15:59:00Z"), "2027-01-01T00:00:00+08:00");
        // The platform's clock may be behind.
        assert_eq!(next("2026-11-12T00:00:02+08:00"), "2026-11-12T00:01:02+08:00");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let says = |pace: Pace, part: &str| {
            let error = pace.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        Pace::default().check().unwrap();
        says(Pace { per_second: 0, ..Pace::default() }, "per_second");
        says(Pace { in_flight: 0, ..Pace::default() }, "in_flight");
        says(Pace { ramp_up_seconds: u32::MAX, ..Pace::default() }, "ramp_up");
        says(windows(&[("09:00:00", "09:00:00")]), "window");
    }
}

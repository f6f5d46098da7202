//! The two clocks: the test clock for business rules, the wire clock for signatures.

use std::sync::RwLock;
use std::time::Duration;

use crate::lock;
use crate::moment::Moment;

/// The fastest a test clock can run: a million times as fast as the machine's.
pub(crate) const FASTEST: u32 = 1_000_000;

/// How the test clock runs. This is what the data file keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClockMode {
    /// Showed `shown` when the machine's clock showed `real`, and runs `rate` times as fast from there.
    Running { shown: Moment, real: Moment, rate: u32 },
    /// Stands still; let go, it runs at this rate.
    Frozen { at: Moment, rate: u32 },
}

impl ClockMode {
    /// The machine's clock.
    pub(crate) fn real() -> Self {
        let epoch = Moment::from_millis(0);
        Self::Running { shown: epoch, real: epoch, rate: 1 }
    }

    /// Stands still at a time.
    pub(crate) fn frozen(at: Moment) -> Self {
        Self::Frozen { at, rate: 1 }
    }

    pub(crate) fn now(self) -> Moment {
        match self {
            Self::Running { shown, real, rate } => {
                let passed = real_now().millis().saturating_sub(real.millis());
                shown.plus_millis(passed.saturating_mul(i64::from(rate)))
            }
            Self::Frozen { at, .. } => at,
        }
    }

    /// The same kind of clock, showing `time` now.
    pub(crate) fn set(self, time: Moment) -> Self {
        match self {
            Self::Running { rate, .. } => Self::Running { shown: time, real: real_now(), rate },
            Self::Frozen { rate, .. } => Self::Frozen { at: time, rate },
        }
    }

    /// The same kind of clock, moved by this many milliseconds.
    pub(crate) fn advance(self, millis: i64) -> Self {
        match self {
            // Still tied to the same reading of the machine's clock, so nothing is lost in between.
            Self::Running { shown, real, rate: 1 } => {
                Self::Running { shown: shown.plus_millis(millis), real, rate: 1 }
            }
            _ => self.set(self.now().plus_millis(millis)),
        }
    }

    pub(crate) fn freeze(self) -> Self {
        Self::Frozen { at: self.now(), rate: self.rate() }
    }

    /// Runs on from the time it shows.
    pub(crate) fn unfreeze(self) -> Self {
        match self {
            Self::Running { .. } => self,
            Self::Frozen { at, rate } => Self::Running { shown: at, real: real_now(), rate },
        }
    }

    /// The same time, running at another rate from now on.
    pub(crate) fn at_rate(self, rate: u32) -> Self {
        match self {
            Self::Running { .. } => Self::Running { shown: self.now(), real: real_now(), rate },
            Self::Frozen { at, .. } => Self::Frozen { at, rate },
        }
    }

    pub(crate) fn is_frozen(self) -> bool {
        matches!(self, Self::Frozen { .. })
    }

    pub(crate) fn rate(self) -> u32 {
        match self {
            Self::Running { rate, .. } | Self::Frozen { rate, .. } => rate,
        }
    }

    /// How long the machine has to wait until the clock shows `time`; none while it stands still.
    pub(crate) fn wait_until(self, time: Moment) -> Option<Duration> {
        let Self::Running { rate, .. } = self else { return None };
        let left = u64::try_from(time.millis().saturating_sub(self.now().millis())).unwrap_or(0);
        Some(Duration::from_millis(left.div_ceil(u64::from(rate.max(1)))))
    }
}

/// What both clocks show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    /// The test clock.
    pub(crate) test: Moment,
    /// The wire clock.
    pub(crate) wire: Moment,
}

#[derive(Debug)]
struct Shown {
    mode: ClockMode,
    /// While the clock is moved over due events: the instant of the one that is happening.
    stop: Option<Moment>,
}

/// Both clocks of one mirror.
#[derive(Debug)]
pub(crate) struct Clocks {
    shown: RwLock<Shown>,
    wire_follows: bool,
}

impl Clocks {
    pub(crate) fn new(mode: ClockMode, wire_follows: bool) -> Self {
        Self { shown: RwLock::new(Shown { mode, stop: None }), wire_follows }
    }

    pub(crate) fn mode(&self) -> ClockMode {
        lock::read(&self.shown).mode
    }

    /// Puts the clock there, and ends a move.
    pub(crate) fn set_mode(&self, mode: ClockMode) {
        *lock::write(&self.shown) = Shown { mode, stop: None };
    }

    /// Shows this instant until the move goes on or ends.
    pub(crate) fn stop_at(&self, instant: Moment) {
        lock::write(&self.shown).stop = Some(instant);
    }

    /// Ends a move where it is, if one is under way.
    pub(crate) fn end_move(&self) {
        let mut shown = lock::write(&self.shown);
        if let Some(instant) = shown.stop.take() {
            shown.mode = shown.mode.set(instant);
        }
    }

    /// Time for windows, days and expiry of coupons.
    pub(crate) fn now(&self) -> Moment {
        let shown = lock::read(&self.shown);
        shown.stop.unwrap_or_else(|| shown.mode.now())
    }

    /// Time for signatures, certificates and the `Date` header.
    pub(crate) fn wire_now(&self) -> Moment {
        if self.wire_follows { self.now() } else { real_now() }
    }

    pub(crate) fn both(&self) -> Times {
        let test = self.now();
        Times { test, wire: if self.wire_follows { test } else { real_now() } }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
fn real_now() -> Moment {
    chrono::Utc::now().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Moment = Moment::from_millis_const(1_767_240_000_000);
    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let clock = ClockMode::real().freeze().set(NOON);
        assert_eq!(clock.now(), NOON);
        assert_eq!(clock.advance(90_000).now(), NOON.plus_millis(90_000));
        assert_eq!(clock.advance(-1).now(), NOON.plus_millis(-1));
        assert_eq!(clock.wait_until(NOON.plus_millis(1)), None);
    }

    #[test]
    fn unfreezing_goes_on_from_the_shown_time() {
        let clock = ClockMode::frozen(NOON).unfreeze();
        assert!(!clock.is_frozen());
        assert!(clock.now() >= NOON);
        assert!(clock.now() < NOON.plus_millis(60_000));
    }

    #[test]
    fn a_fast_clock_runs_ahead() {
        // A minute ago it showed noon.
        let rate = 60;
        let clock = ClockMode::Running { shown: NOON, real: real_now().plus_millis(-60_000), rate };
        let now = clock.now();
        assert!(now >= NOON.plus_millis(HOUR) && now < NOON.plus_millis(2 * HOUR));
        let slower = clock.at_rate(1);
        assert!(slower.now() >= now && slower.now() < now.plus_millis(HOUR));
        assert_eq!(clock.freeze().unfreeze().rate(), 60);
        let wait = clock.set(NOON).wait_until(NOON.plus_millis(HOUR)).unwrap();
        assert!(wait <= Duration::from_secs(60) && wait > Duration::from_secs(50), "{wait:?}");
        assert!(clock.set(NOON).wait_until(NOON.plus_millis(-1)).unwrap().is_zero());
        let far = ClockMode::Running { shown: NOON, real: Moment::from_millis(i64::MIN), rate: FASTEST };
        assert!(far.now() > NOON);
    }

    #[test]
    fn a_move_shows_its_stops_and_ends_where_it_is() {
        let clocks = Clocks::new(ClockMode::frozen(NOON), true);
        clocks.stop_at(NOON.plus_millis(5));
        assert_eq!((clocks.now(), clocks.wire_now()), (NOON.plus_millis(5), NOON.plus_millis(5)));
        assert_eq!(clocks.mode().now(), NOON);
        clocks.end_move();
        clocks.end_move();
        assert_eq!(clocks.mode(), ClockMode::frozen(NOON.plus_millis(5)));
    }

    #[test]
    fn the_wire_clock_follows_only_when_asked() {
        let mode = ClockMode::frozen(NOON);
        assert_eq!(Clocks::new(mode, true).wire_now(), NOON);
        assert_ne!(Clocks::new(mode, false).wire_now(), NOON);
        assert_eq!(Clocks::new(mode, true).both(), Times { test: NOON, wire: NOON });
    }
}

//! The two clocks: the test clock for business rules, the wire clock for signatures.

use std::sync::RwLock;

use crate::lock;
use crate::moment::Moment;

/// How the test clock runs. This is what the data file keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClockMode {
    /// Runs with the machine's clock, this many milliseconds ahead of it.
    Running { ahead: i64 },
    /// Stands still.
    Frozen { at: Moment },
}

impl ClockMode {
    pub(crate) const REAL: Self = Self::Running { ahead: 0 };

    pub(crate) fn now(self) -> Moment {
        match self {
            Self::Running { ahead } => real_now().plus_millis(ahead),
            Self::Frozen { at } => at,
        }
    }

    /// The same kind of clock, showing `time` now.
    pub(crate) fn set(self, time: Moment) -> Self {
        match self {
            Self::Running { .. } => {
                Self::Running { ahead: time.millis().saturating_sub(real_now().millis()) }
            }
            Self::Frozen { .. } => Self::Frozen { at: time },
        }
    }

    /// The same kind of clock, moved by this many milliseconds.
    pub(crate) fn advance(self, millis: i64) -> Self {
        match self {
            Self::Running { ahead } => Self::Running { ahead: ahead.saturating_add(millis) },
            Self::Frozen { at } => Self::Frozen { at: at.plus_millis(millis) },
        }
    }

    pub(crate) fn freeze(self) -> Self {
        Self::Frozen { at: self.now() }
    }

    /// Runs on from the time it shows.
    pub(crate) fn unfreeze(self) -> Self {
        match self {
            Self::Running { .. } => self,
            Self::Frozen { at } => Self::REAL.set(at),
        }
    }

    pub(crate) fn is_frozen(self) -> bool {
        matches!(self, Self::Frozen { .. })
    }
}

/// Both clocks of one mirror.
#[derive(Debug)]
pub(crate) struct Clocks {
    mode: RwLock<ClockMode>,
    wire_follows: bool,
}

impl Clocks {
    pub(crate) fn new(mode: ClockMode, wire_follows: bool) -> Self {
        Self { mode: RwLock::new(mode), wire_follows }
    }

    pub(crate) fn mode(&self) -> ClockMode {
        *lock::read(&self.mode)
    }

    pub(crate) fn set_mode(&self, mode: ClockMode) {
        *lock::write(&self.mode) = mode;
    }

    /// Time for windows, days and expiry of coupons.
    pub(crate) fn now(&self) -> Moment {
        self.mode().now()
    }

    /// Time for signatures, certificates and the `Date` header.
    pub(crate) fn wire_now(&self) -> Moment {
        if self.wire_follows { self.now() } else { real_now() }
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

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let clock = ClockMode::REAL.freeze().set(NOON);
        assert_eq!(clock.now(), NOON);
        assert_eq!(clock.advance(90_000).now(), NOON.plus_millis(90_000));
        assert_eq!(clock.advance(-1).now(), NOON.plus_millis(-1));
    }

    #[test]
    fn unfreezing_goes_on_from_the_shown_time() {
        let clock = ClockMode::Frozen { at: NOON }.unfreeze();
        assert!(!clock.is_frozen());
        assert!(clock.now() >= NOON);
        assert!(clock.now() < NOON.plus_millis(60_000));
    }

    #[test]
    fn the_wire_clock_follows_only_when_asked() {
        let mode = ClockMode::Frozen { at: NOON };
        assert_eq!(Clocks::new(mode, true).wire_now(), NOON);
        assert_ne!(Clocks::new(mode, false).wire_now(), NOON);
    }
}

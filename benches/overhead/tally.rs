//! What one cell did in some time.

use std::ops::AddAssign;
use std::time::Duration;

/// CPU time and calls of one cell, in one slice or in many.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// CPU time.
    pub(crate) worked: Duration,
    /// How long it was ready to run while others had its core.
    pub(crate) waited: Duration,
    pub(crate) calls: u32,
    pub(crate) slices: u32,
}

impl Tally {
    pub(crate) fn micros_per_call(self) -> f64 {
        self.worked.as_secs_f64() * 1e6 / f64::from(self.calls)
    }

    /// The share of its time that others took.
    pub(crate) fn share_taken(self) -> f64 {
        self.waited.as_secs_f64() / (self.waited + self.worked).as_secs_f64()
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.worked += other.worked;
        self.waited += other.waited;
        self.calls += other.calls;
        self.slices += other.slices;
    }
}

//! Whom an audit looks at, and how fast.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::report::{AuditDifference, AuditProgress};

type OnProgress = dyn Fn(&AuditProgress) -> ControlFlow<()> + Send + Sync;
type OnDifference = dyn Fn(&AuditDifference) + Send + Sync;

/// Whom an audit looks at, and how fast.
#[derive(Clone)]
#[non_exhaustive]
pub struct AuditOptions {
    /// A random sample; none means everybody.
    pub sample: Option<Sample>,
    /// Only people behind this place: where an earlier audit ended.
    pub after: Option<u64>,
    /// Calls per second: 400, since WeChat Pay allows a merchant 500 and its shop calls too.
    pub per_second: u32,
    /// People looked at at once: 50.
    pub in_flight: u32,
    /// How many differences, and how many people who cannot be read, are kept: 1,000 each.
    pub keep: usize,
    progress: Option<Arc<OnProgress>>,
    on_difference: Option<Arc<OnDifference>>,
}

/// A random sample of people, the same for the same seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// How many; all when there are fewer.
    pub people: u64,
    /// Where the randomness begins.
    pub seed: u64,
}

impl Default for AuditOptions {
    fn default() -> Self {
        Self {
            sample: None,
            after: None,
            per_second: 400,
            in_flight: 50,
            keep: 1_000,
            progress: None,
            on_difference: None,
        }
    }
}

impl AuditOptions {
    /// Looks at a random sample only.
    #[must_use]
    pub fn sample(mut self, people: u64, seed: u64) -> Self {
        self.sample = Some(Sample { people, seed });
        self
    }

    /// Looks only at people behind this place, by the same sample if there is one.
    #[must_use]
    pub fn after(mut self, place: u64) -> Self {
        self.after = Some(place);
        self
    }

    /// Sets the calls per second; zero counts as one.
    #[must_use]
    pub fn per_second(mut self, calls: u32) -> Self {
        self.per_second = calls;
        self
    }

    /// Sets how many people are looked at at once; zero counts as one.
    #[must_use]
    pub fn in_flight(mut self, people: u32) -> Self {
        self.in_flight = people;
        self
    }

    /// Sets how many differences, and how many people who cannot be read, are kept.
    #[must_use]
    pub fn keep(mut self, most: usize) -> Self {
        self.keep = most;
        self
    }

    /// Tells `progress` of each person, in their order; it ends the audit by breaking. It runs inline, so it must be
    /// quick.
    #[must_use]
    pub fn progress(
        mut self,
        progress: impl Fn(&AuditProgress) -> ControlFlow<()> + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Tells `told` of each difference, those that are not kept too. It runs inline, so it must be quick.
    #[must_use]
    pub fn on_difference(mut self, told: impl Fn(&AuditDifference) + Send + Sync + 'static) -> Self {
        self.on_difference = Some(Arc::new(told));
        self
    }

    pub(super) fn tell(&self, progress: &AuditProgress) -> ControlFlow<()> {
        self.progress.as_ref().map_or(ControlFlow::Continue(()), |told| told(progress))
    }

    pub(super) fn tell_difference(&self, difference: &AuditDifference) {
        if let Some(told) = &self.on_difference {
            told(difference);
        }
    }
}

impl fmt::Debug for AuditOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditOptions")
            .field("sample", &self.sample)
            .field("after", &self.after)
            .field("per_second", &self.per_second)
            .field("in_flight", &self.in_flight)
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

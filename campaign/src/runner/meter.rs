//! How often something happened within the last second.

use std::time::Duration;

const BUCKETS: usize = 8;
const BUCKET: Duration = Duration::from_millis(125);

/// Counts over the last second, in eighths.
#[derive(Debug, Default)]
pub(super) struct Meter {
    counts: [u32; BUCKETS],
    /// The bucket of the newest count, since the clock's start.
    newest: u64,
}

impl Meter {
    pub(super) fn count(&mut self, now: Duration) {
        self.pass(now);
        let place = self.place(self.newest);
        self.counts[place] = self.counts[place].saturating_add(1);
    }

    /// How many in the last second, or a little less of it.
    pub(super) fn total(&mut self, now: Duration) -> u32 {
        self.pass(now);
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn place(&self, bucket: u64) -> usize {
        usize::try_from(bucket % 8).unwrap_or_default()
    }

    fn pass(&mut self, now: Duration) {
        let bucket = u64::try_from(now.as_millis() / BUCKET.as_millis()).unwrap_or(u64::MAX);
        let passed = bucket.saturating_sub(self.newest);
        for step in 1..=passed.min(8) {
            let place = self.place(self.newest + step);
            self.counts[place] = 0;
        }
        self.newest = self.newest.max(bucket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_what_is_older_than_a_second() {
        let mut meter = Meter::default();
        for millis in (0..3000).step_by(10) {
            meter.count(Duration::from_millis(millis));
        }
        let total = meter.total(Duration::from_millis(2999));
        assert!((87..=100).contains(&total), "{total}");
        assert_eq!(meter.total(Duration::from_secs(60)), 0);
    }
}

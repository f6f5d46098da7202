//! Jitter and back-off. The numbers need not be good, but the same seed must give the same ones.

use std::time::Duration;

/// A source of jitter: SplitMix64.
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// Seeded by a text, so that workers of different names differ.
    pub(super) fn of(text: &str) -> Self {
        // FNV-1a
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        }))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A duration between half of `longest` and all of it.
    pub(super) fn around(&mut self, longest: Duration) -> Duration {
        let half = longest / 2;
        let micros = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
        half + Duration::from_micros(self.next() % micros.saturating_add(1))
    }

    /// The pause after the `failures`th failure in a row: twice as long each time, from `first` to `longest`.
    pub(super) fn back_off(&mut self, failures: u32, first: Duration, longest: Duration) -> Duration {
        let doubled = first.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1).min(30)));
        self.around(doubled.min(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_vary() {
        let mut chance = Chance::of("worker");
        let (first, longest) = (Duration::from_millis(200), Duration::from_secs(30));
        for (failures, most) in [(1, 200), (2, 400), (3, 800), (8, 25_600), (9, 30_000), (1000, 30_000)] {
            let pauses: Vec<_> = (0..50).map(|_| chance.back_off(failures, first, longest)).collect();
            let bounds = Duration::from_millis(most / 2)..=Duration::from_millis(most);
            assert!(pauses.iter().all(|pause| bounds.contains(pause)), "{failures}: {pauses:?}");
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }

    #[test]
    fn the_same_name_has_the_same_jitter() {
        let pauses = |name| {
            let mut chance = Chance::of(name);
            (0..5).map(|_| chance.around(Duration::from_secs(1))).collect::<Vec<_>>()
        };
        assert_eq!(pauses("a"), pauses("a"));
        assert_ne!(pauses("a"), pauses("b"));
    }
}

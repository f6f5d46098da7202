//! Chance that can be played again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A source of chance, by a seed: SplitMix64.
#[derive(Debug)]
pub(crate) struct Dice(Mutex<u64>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d)))
    }

    pub(crate) fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is at least 1.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.next() % end
    }

    /// True so many times in a thousand.
    pub(crate) fn thousandths(&self, chance: u64) -> bool {
        self.below(1000) < chance
    }

    pub(crate) fn millis(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below((to - from).max(1)))
    }
}

//! Calls that were reserved of the shared limit, and when they may be made.

use std::collections::VecDeque;
use std::time::Duration;

use crate::ledger::Reservation;

/// A slot that passed longer ago is not used any more: used late, it would crowd the second in which it is used.
const LATE: Duration = Duration::from_millis(20);
/// The least and the most that a worker reserves at once, as a time at the full rate.
const BLOCK: Duration = Duration::from_millis(50);
const LONGEST_BLOCK: Duration = Duration::from_secs(1);
/// So much the lag may shrink in a second: what is sent sooner than before crowds the second in which it is sent.
const LAG_SHRINKS: u32 = 500;

/// Reserved slots, in the order of their times by the runner's clock.
#[derive(Debug, Default)]
pub(super) struct Slots {
    blocks: VecDeque<Block>,
    /// The end of the last slot that was used: no other begins before it.
    free_from: Duration,
    /// The spacing of the newest reservation.
    spacing: Duration,
    /// How much later than reserved all slots are used, because the ledger's answers come after the slots that they
    /// tell of. The same for all, it changes nothing about how many fall into a second.
    lag: Duration,
    lag_since: Duration,
}

#[derive(Debug)]
struct Block {
    next: Duration,
    spacing: Duration,
    left: u32,
}

impl Slots {
    /// Takes what was reserved by a call that was under way from `asked` until `now`. The ledger's moment lies somewhere
    /// between; the middle is never far off.
    pub(super) fn add(&mut self, asked: Duration, now: Duration, reserved: &Reservation) {
        let moment = asked + now.saturating_sub(asked) / 2;
        let shrunk = self.lag.saturating_sub(now.saturating_sub(self.lag_since) / LAG_SHRINKS);
        self.lag = shrunk.max(now.saturating_sub(moment + reserved.first_in));
        self.lag_since = now;
        let first = (moment + reserved.first_in + self.lag).max(self.end().unwrap_or(self.free_from));
        self.spacing = reserved.spacing;
        let block = Block { next: first, spacing: reserved.spacing, left: reserved.calls.max(1) };
        self.blocks.push_back(block);
    }

    /// Uses the first slot whose time has come.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        self.forget_passed(now);
        let Some(block) = self.blocks.front_mut() else {
            return false;
        };
        if block.next > now {
            return false;
        }
        self.free_from = block.next + block.spacing;
        block.step(1);
        if block.left == 0 {
            self.blocks.pop_front();
        }
        true
    }

    /// Gives up the slots that passed too long ago.
    pub(super) fn forget_passed(&mut self, now: Duration) {
        let oldest = now.saturating_sub(LATE);
        while let Some(block) = self.blocks.front_mut() {
            if block.next < oldest {
                block.step(block.passed_before(oldest));
            }
            if block.left > 0 {
                return;
            }
            self.blocks.pop_front();
        }
    }

    /// When the first slot is; none when there is none.
    pub(super) fn next(&self) -> Option<Duration> {
        self.blocks.front().map(|block| block.next)
    }

    /// Where the last slot ends.
    pub(super) fn end(&self) -> Option<Duration> {
        self.blocks.back().map(Block::end)
    }

    /// How many there are.
    pub(super) fn left(&self) -> u32 {
        self.blocks.iter().fold(0, |sum, block| sum.saturating_add(block.left))
    }

    /// How much is reserved at once, as a time at the full rate: with a slow ledger more, so that the slots last until its
    /// next answer.
    pub(super) fn block(&self) -> Duration {
        (BLOCK + self.lag.saturating_mul(2)).min(LONGEST_BLOCK)
    }

    /// Gives up all: the rate has changed.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
    }

    /// The rate of the newest reservation, a second; zero before there was one.
    pub(super) fn rate(&self) -> u32 {
        let nanos = self.spacing.as_nanos().max(1);
        if self.spacing.is_zero() { 0 } else { u32::try_from(1_000_000_000 / nanos).unwrap_or(u32::MAX) }
    }
}

impl Block {
    fn end(&self) -> Duration {
        self.next + self.spacing.saturating_mul(self.left)
    }

    fn step(&mut self, slots: u32) {
        self.next += self.spacing.saturating_mul(slots);
        self.left = self.left.saturating_sub(slots);
    }

    /// How many slots lie before `moment`.
    fn passed_before(&self, moment: Duration) -> u32 {
        let behind = moment.saturating_sub(self.next).as_nanos();
        let spacing = self.spacing.as_nanos();
        let passed = if spacing == 0 { u128::from(self.left) } else { behind.div_ceil(spacing) };
        u32::try_from(passed).unwrap_or(u32::MAX).min(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn reserved(calls: u32, first_in: u64, spacing: u64) -> Reservation {
        Reservation { calls, first_in: millis(first_in), spacing: millis(spacing) }
    }

    fn slots(blocks: &[(u64, Reservation)]) -> Slots {
        let mut slots = Slots::default();
        for (at, block) in blocks {
            slots.add(millis(*at), millis(*at), block);
        }
        slots
    }

    #[test]
    fn slots_are_used_one_by_one_when_their_time_has_come() {
        let mut slots = slots(&[(0, reserved(2, 10, 5)), (0, reserved(1, 20, 5))]);
        assert_eq!((slots.left(), slots.next(), slots.end()), (3, Some(millis(10)), Some(millis(25))));
        assert!(!slots.take(millis(9)));
        assert!(slots.take(millis(10)));
        assert!(!slots.take(millis(14)));
        assert!(slots.take(millis(16)));
        assert!(slots.take(millis(20)));
        assert!(!slots.take(millis(1000)));
        assert_eq!(slots.rate(), 200);
    }

    #[test]
    fn what_passed_long_ago_is_lost() {
        let mut slots = slots(&[(0, reserved(100, 0, 5))]);
        // Asleep for 300 ms: of the slots up to then, those of the last 20 ms are left.
        let used = (0..).take_while(|_| slots.take(millis(300))).count();
        assert_eq!(used, 5);
        assert!(!slots.take(millis(301)));
        assert!(slots.take(millis(305)));
        slots.clear();
        assert!(!slots.take(millis(310)));
    }

    #[test]
    fn a_reservation_that_came_late_does_not_crowd_the_one_before() {
        let mut slots = Slots::default();
        // Asked at 0, told at 40: the ledger's moment is taken to be 20, and the first slot was at 30.
        slots.add(millis(0), millis(40), &reserved(4, 10, 5));
        assert_eq!(slots.next(), Some(millis(40)));
        slots.add(millis(40), millis(40), &reserved(1, 0, 5));
        assert_eq!(slots.end(), Some(millis(65)));
    }

    #[test]
    fn a_ledger_that_always_answers_late_gives_slots_all_the_same() {
        let mut slots = Slots::default();
        for turn in 0..10 {
            let asked = millis(400 * turn);
            slots.add(asked, asked + millis(300), &reserved(2, 0, 5));
            assert!(slots.take(asked + millis(300)));
            assert!(slots.take(asked + millis(305)));
            assert!(!slots.take(asked + millis(399)));
        }
        assert!((millis(350)..=millis(360)).contains(&slots.block()), "{:?}", slots.block());
        // Quick again, the lag goes back slowly: two thousandths of the time.
        slots.add(millis(54_000), millis(54_000), &reserved(1, 0, 5));
        assert!((millis(54_045)..millis(54_055)).contains(&slots.next().unwrap()), "{:?}", slots.next());
    }

    #[test]
    fn no_spacing_is_no_trouble() {
        let mut slots = slots(&[(0, reserved(3, 0, 0))]);
        assert_eq!((0..).take_while(|_| slots.take(millis(1))).count(), 3);
        let mut late = self::slots(&[(0, reserved(3, 0, 0))]);
        assert!(!late.take(millis(1000)));
        assert_eq!(late.rate(), 0);
    }
}

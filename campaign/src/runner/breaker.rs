//! Breakers: when nothing comes through, and when too much is refused.

use std::collections::VecDeque;
use std::time::Duration;

use super::chance::Chance;

/// So many doubtful attempts in a row mean that nothing comes through.
const DRY: u32 = 10;
const FIRST_PROBE: Duration = Duration::from_millis(200);
const LONGEST_PROBE: Duration = Duration::from_secs(5);

/// What an attempt says about whether the platform can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// An answer that means something.
    Alive,
    /// None, or one that leaves it open.
    Doubt {
        /// Whether it speaks for all: it was never sent, or it was among the first tries of its coupon. Of coupons that are
        /// tried again and again it is known that they fail.
        general: bool,
        /// Whether there was an answer of some kind, such as an internal error.
        answered: bool,
    },
}

/// Holds all sends but single probes while nothing comes through.
#[derive(Debug, Default)]
pub(super) struct Reach {
    dry: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    failures: u32,
    answered: u32,
    probe_at: Duration,
    probing: bool,
}

impl Reach {
    /// Whether it holds sends.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether an attempt may be made now.
    pub(super) fn lets_through(&self, now: Duration) -> bool {
        self.open.as_ref().is_none_or(|open| !open.probing && open.probe_at <= now)
    }

    /// When the next probe is due.
    pub(super) fn probe_at(&self) -> Option<Duration> {
        self.open.as_ref().filter(|open| !open.probing).map(|open| open.probe_at)
    }

    /// An attempt is made; whether it is a probe.
    pub(super) fn sending(&mut self) -> bool {
        if let Some(open) = &mut self.open {
            open.probing = true;
        }
        self.open.is_some()
    }

    /// An attempt ended.
    pub(super) fn ended(&mut self, sign: Sign, probe: bool, now: Duration, chance: &mut Chance) {
        let (general, answered) = match sign {
            Sign::Alive => return *self = Self::default(),
            Sign::Doubt { general, answered } => (general, answered),
        };
        match &mut self.open {
            Some(open) if probe => {
                open.probing = false;
                open.failures = open.failures.saturating_add(1);
                open.answered = open.answered.saturating_add(u32::from(answered));
                open.probe_at = now + chance.back_off(open.failures, FIRST_PROBE, LONGEST_PROBE);
            }
            // Begun before it opened.
            Some(_) => {}
            None => {
                self.dry = self.dry.saturating_add(u32::from(general));
                if self.dry >= DRY {
                    let probe_at = now + chance.around(FIRST_PROBE);
                    self.open = Some(Open { failures: 0, answered: 0, probe_at, probing: false });
                }
            }
        }
    }

    /// How many probes were answered without meaning since it opened.
    pub(super) fn answered_probes(&self) -> u32 {
        self.open.as_ref().map_or(0, |open| open.answered)
    }
}

/// The last answers, and how many of them were refusals.
#[derive(Debug)]
pub(super) struct Refusals {
    limit: u32,
    last: VecDeque<bool>,
    refused: u32,
}

impl Refusals {
    /// Trips at `limit` refusals; never when it is 0.
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, last: VecDeque::new(), refused: 0 }
    }

    /// Notes an answer; whether there are too many refusals now.
    pub(super) fn note(&mut self, refused: bool) -> bool {
        if self.last.len() >= usize::try_from(crate::policy::REFUSALS_OF).unwrap_or(usize::MAX)
            && self.last.pop_front() == Some(true)
        {
            self.refused -= 1;
        }
        self.last.push_back(refused);
        self.refused += u32::from(refused);
        self.limit > 0 && self.refused >= self.limit
    }

    /// How many refusals among how many answers.
    pub(super) fn counts(&self) -> (u32, usize) {
        (self.refused, self.last.len())
    }

    pub(super) fn reset(&mut self) {
        self.last.clear();
        self.refused = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOUBT: Sign = Sign::Doubt { general: true, answered: false };
    const INTERNAL: Sign = Sign::Doubt { general: true, answered: true };
    const KNOWN: Sign = Sign::Doubt { general: false, answered: true };

    fn opened(chance: &mut Chance) -> Reach {
        let mut reach = Reach::default();
        for _ in 0..DRY {
            assert!(reach.lets_through(Duration::ZERO) && !reach.sending());
            reach.ended(DOUBT, false, Duration::ZERO, chance);
        }
        assert!(reach.is_open());
        reach
    }

    #[test]
    fn it_opens_when_nothing_comes_through_and_probes_one_by_one() {
        let mut chance = Chance::of("x");
        let mut reach = opened(&mut chance);
        assert!(!reach.lets_through(Duration::ZERO), "not at once");
        let mut now = reach.probe_at().unwrap();
        for _ in 0..20 {
            assert!(reach.lets_through(now));
            assert!(reach.sending());
            assert!(!reach.lets_through(now + LONGEST_PROBE), "one probe at a time");
            reach.ended(DOUBT, false, now, &mut chance);
            assert!(
                !reach.lets_through(now + LONGEST_PROBE),
                "what was under way says nothing about the probe"
            );
            reach.ended(INTERNAL, true, now, &mut chance);
            now = reach.probe_at().unwrap();
        }
        assert_eq!(reach.answered_probes(), 20);
        assert!(reach.sending());
        reach.ended(Sign::Alive, true, now, &mut chance);
        assert!(!reach.is_open() && reach.lets_through(now));
    }

    #[test]
    fn coupons_that_always_fail_do_not_open_it() {
        let mut chance = Chance::of("x");
        let mut reach = Reach::default();
        for _ in 0..100 {
            reach.ended(KNOWN, false, Duration::ZERO, &mut chance);
        }
        assert!(!reach.is_open());
        for _ in 0..DRY - 1 {
            reach.ended(DOUBT, false, Duration::ZERO, &mut chance);
        }
        reach.ended(Sign::Alive, false, Duration::ZERO, &mut chance);
        reach.ended(DOUBT, false, Duration::ZERO, &mut chance);
        assert!(!reach.is_open(), "they have to come in a row");
    }

    #[test]
    fn refusals_are_counted_among_the_last_answers() {
        let mut refusals = Refusals::new(100);
        for _ in 0..99 {
            assert!(!refusals.note(true));
        }
        for _ in 0..1901 {
            assert!(!refusals.note(false));
        }
        assert!(!refusals.note(true), "the first has just been forgotten");
        let mut all = Refusals::new(3);
        assert!(!all.note(true) && !all.note(true) && all.note(true));
        assert_eq!(all.counts(), (3, 3));
        all.reset();
        assert!(!all.note(true));
        let mut never = Refusals::new(0);
        assert!((0..5000).all(|_| !never.note(true)));
    }
}

//! The verdict on a run, in words.

use std::fmt;

use crate::rounds::Round;

/// The most the whole call may cost over its cryptography.
const BAR: f64 = 1.15;
/// Where the median of ours over ours must lie for a run to mean anything.
const VALID: std::ops::RangeInclusive<f64> = 0.95..=1.05;

/// The rounds of one run, summed up.
pub(crate) struct Report<'a> {
    rounds: &'a [Round],
}

impl<'a> Report<'a> {
    pub(crate) fn of(rounds: &'a [Round]) -> Self {
        Self { rounds }
    }

    pub(crate) fn is_valid(&self) -> bool {
        VALID.contains(&self.spread(Round::control).median)
    }

    pub(crate) fn within_bar(&self) -> bool {
        self.spread(Round::overhead).median <= BAR
    }

    fn spread(&self, value: impl Fn(&Round) -> f64) -> Spread {
        let mut values: Vec<f64> = self.rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Spread { median, least: values[0], most: values[values.len() - 1] }
    }
}

/// A median and the ends.
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "round   ours µs   again µs   raw µs   ours/raw     A/A")?;
        for (number, round) in (1..).zip(self.rounds) {
            let Round { ours, ours_again, raw } = round;
            let (overhead, control) = (round.overhead(), round.control());
            writeln!(
                f,
                "{number:>5} {ours:>9.1} {ours_again:>10.1} {raw:>8.1} {overhead:>10.3} {control:>7.3}"
            )?;
        }
        writeln!(f, "CPU per call, µs: ours {}", self.spread(|round| round.ours))?;
        writeln!(f, "raw sign + verify, µs: {}", self.spread(|round| round.raw))?;
        writeln!(f, "ours/(raw sign + verify): {}, bar {BAR}", self.spread(Round::overhead))?;
        let (least, most) = (VALID.start(), VALID.end());
        write!(
            f,
            "A/A: {}, valid with a median within {least}..{most}; n = {}",
            self.spread(Round::control),
            self.rounds.len()
        )
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, least, most } = self;
        write!(f, "{median:.3} ({least:.3}..{most:.3})")
    }
}

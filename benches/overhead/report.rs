//! The verdict on a run, in words.

use std::fmt;

use crate::rounds::{Round, Run};

/// The most the whole call may cost over its cryptography.
const BAR: f64 = 1.15;
/// Where the median of ours over ours must lie for a run to mean anything.
const VALID: std::ops::RangeInclusive<f64> = 0.95..=1.05;

/// How many slices must be undisturbed before they say anything.
const ENOUGH: u32 = 5;

/// One run, summed up.
pub(crate) struct Report {
    run: Run,
}

impl Report {
    pub(crate) fn of(run: Run) -> Self {
        Self { run }
    }

    pub(crate) fn is_valid(&self) -> bool {
        VALID.contains(&self.spread(Round::control).median)
    }

    pub(crate) fn within_bar(&self) -> bool {
        self.spread(Round::overhead).median <= BAR
    }

    fn spread(&self, value: impl Fn(&Round) -> f64) -> Spread {
        let mut values: Vec<f64> = self.run.rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Spread { median, least: values[0], most: values[values.len() - 1] }
    }

    /// How others disturbed the client, and what it cost while they did not. It decides nothing.
    fn crowd(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { all: [client, ..], undisturbed: [ours, _, raw], .. } = self.run;
        let percent = 100.0 * client.share_taken();
        writeln!(f, "others took the client's core for {percent:.0}% of its time")?;
        if ours.slices.min(raw.slices) < ENOUGH {
            return write!(f, "too few slices went undisturbed to tell what the overhead is without them");
        }
        let (micros, raw_micros) = (ours.micros_per_call(), raw.micros_per_call());
        let ratio = micros / raw_micros;
        write!(
            f,
            "in the undisturbed slices ({} and {}): ours {micros:.1}, raw {raw_micros:.1}, ratio {ratio:.3}",
            ours.slices, raw.slices
        )
    }
}

/// A median and the ends.
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "round   ours µs   again µs   raw µs   ours/raw     A/A")?;
        for (number, round) in (1..).zip(&self.run.rounds) {
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
        writeln!(
            f,
            "A/A: {}, valid with a median within {least}..{most}; n = {}",
            self.spread(Round::control),
            self.run.rounds.len()
        )?;
        self.crowd(f)
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, least, most } = self;
        write!(f, "{median:.3} ({least:.3}..{most:.3})")
    }
}

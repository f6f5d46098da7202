//! The verdict on a run, in words.

use std::fmt;
use std::time::Duration;

/// The least speed, as a part of that of the `csv` crate.
const BAR: f64 = 0.6;
/// The most that peak memory may grow by, in KiB.
const MEMORY_BAR: u64 = 4 * 1024;

/// CPU times for the whole file.
pub(crate) struct Round {
    pub(crate) ours: Duration,
    pub(crate) csv: Duration,
    /// Ours once more: what noise alone does.
    pub(crate) again: Duration,
}

pub(crate) struct Report<'a> {
    pub(crate) rows: u32,
    pub(crate) bytes: u64,
    pub(crate) rounds: &'a [Round],
    /// Of peak memory, in KiB.
    pub(crate) growth: u64,
}

impl Report<'_> {
    pub(crate) fn holds(&self) -> bool {
        self.median(Round::speed) >= BAR && self.growth <= MEMORY_BAR
    }

    fn median(&self, value: impl Fn(&Round) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        }
    }
}

impl Round {
    /// Our speed as a part of that of the `csv` crate.
    fn speed(&self) -> f64 {
        self.csv.as_secs_f64() / self.ours.as_secs_f64()
    }

    fn control(&self) -> f64 {
        self.again.as_secs_f64() / self.ours.as_secs_f64()
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "round   ours s  again s    csv s  speed/csv     A/A")?;
        for (number, round) in (1..).zip(self.rounds) {
            let [ours, again, csv] = [round.ours, round.again, round.csv].map(|time| time.as_secs_f64());
            let (speed, control) = (round.speed(), round.control());
            writeln!(f, "{number:>5} {ours:>8.3} {again:>8.3} {csv:>8.3} {speed:>10.3} {control:>7.3}")?;
        }
        let nanos_per_row = |time: &dyn Fn(&Round) -> Duration| {
            self.median(|round| time(round).div_f64(self.rows.max(1).into()).as_secs_f64() * 1e9)
        };
        writeln!(
            f,
            "CPU per row: ours {:.0} ns, csv {:.0} ns",
            nanos_per_row(&|r| r.ours),
            nanos_per_row(&|r| r.csv)
        )?;
        write!(
            f,
            "speed/csv: {:.3}, bar {BAR}; A/A: {:.3}; n = {}; peak memory grew by {} KiB, bar {MEMORY_BAR} KiB, over {} MB",
            self.median(Round::speed),
            self.median(Round::control),
            self.rounds.len(),
            self.growth,
            self.bytes / 1_000_000,
        )
    }
}

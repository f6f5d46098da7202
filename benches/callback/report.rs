//! The verdict on a run, in words.

use std::fmt;
use std::time::Duration;

/// The least speed, as a part of that of the bare libraries.
const BAR: f64 = 0.8;

/// CPU times for all notifications of a cell.
pub(crate) struct Round {
    pub(crate) ours: Duration,
    pub(crate) bare: Duration,
    /// Ours once more: what noise alone does.
    pub(crate) again: Duration,
}

pub(crate) struct Report<'a> {
    pub(crate) count: usize,
    pub(crate) rounds: &'a [Round],
}

impl Report<'_> {
    pub(crate) fn holds(&self) -> bool {
        self.median(Round::speed) >= BAR
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

    /// Notifications per second of CPU time.
    fn rate(&self, time: impl Fn(&Round) -> Duration) -> f64 {
        let count = u32::try_from(self.count).unwrap_or(u32::MAX);
        self.median(|round| f64::from(count) / time(round).as_secs_f64())
    }
}

impl Round {
    /// Our speed as a part of that of the bare libraries.
    fn speed(&self) -> f64 {
        self.bare.as_secs_f64() / self.ours.as_secs_f64()
    }

    fn control(&self) -> f64 {
        self.again.as_secs_f64() / self.ours.as_secs_f64()
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "round  ours ms again ms  bare ms speed/bare     A/A")?;
        for (number, round) in (1..).zip(self.rounds) {
            let [ours, again, bare] =
                [round.ours, round.again, round.bare].map(|time| time.as_secs_f64() * 1e3);
            let (speed, control) = (round.speed(), round.control());
            writeln!(f, "{number:>5} {ours:>8.1} {again:>8.1} {bare:>8.1} {speed:>10.3} {control:>7.3}")?;
        }
        writeln!(
            f,
            "notifications per second of CPU: ours {:.0}, bare {:.0}",
            self.rate(|round| round.ours),
            self.rate(|round| round.bare)
        )?;
        write!(
            f,
            "speed/bare: {:.3}, bar {BAR}; A/A: {:.3}; n = {}",
            self.median(Round::speed),
            self.median(Round::control),
            self.rounds.len(),
        )
    }
}

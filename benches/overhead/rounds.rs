//! Rounds: all cells take turns in short slices, so that what slows the machine slows each of them.

use std::net::SocketAddr;
use std::time::Duration;

use favor_core::Error;
use tokio::runtime::Runtime;

use crate::cells::{Raw, Sends};
use crate::options::Options;
use crate::processor::{cpu_time, waited};

const IN_FLIGHT: usize = 16;
const SLICE: Duration = Duration::from_millis(100);
const WARM_UP: Duration = Duration::from_millis(300);

/// CPU time per call of each cell in one round, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) ours: f64,
    pub(crate) ours_again: f64,
    pub(crate) raw: f64,
}

impl Round {
    /// The whole call over its cryptography.
    pub(crate) fn overhead(&self) -> f64 {
        self.ours / self.raw
    }

    /// Ours over ours: what noise alone does to such a ratio.
    pub(crate) fn control(&self) -> f64 {
        self.ours_again / self.ours
    }
}

/// What else wanted the client's core.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    waited: Duration,
    worked: Duration,
}

impl Crowd {
    /// The share of its time that the client was ready to run and could not.
    pub(crate) fn percent(self) -> f64 {
        100.0 * self.waited.as_secs_f64() / (self.waited + self.worked).as_secs_f64()
    }
}

/// The cells, ready to run.
pub(crate) struct Bench {
    runtime: Runtime,
    ours: Sends,
    ours_again: Sends,
    raw: Raw,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    time: Duration,
    calls: u32,
}

impl Tally {
    fn micros_per_call(self) -> f64 {
        self.time.as_secs_f64() * 1e6 / f64::from(self.calls)
    }
}

impl Bench {
    /// Makes the clients, and warms everything up.
    pub(crate) fn new(runtime: Runtime, server: SocketAddr) -> Result<Self, Error> {
        let bench = Self {
            ours: Sends::new(server, IN_FLIGHT),
            ours_again: Sends::new(server, IN_FLIGHT),
            raw: Raw::new(),
            runtime,
        };
        for cell in 0..3 {
            bench.slice(cell, WARM_UP)?;
        }
        Ok(bench)
    }

    /// All rounds of a run, and how crowded the client's core was.
    pub(crate) fn rounds(&self, options: &Options) -> Result<(Vec<Round>, Option<Crowd>), Error> {
        let before = (waited(), cpu_time());
        let rounds: Result<_, _> = (0..options.rounds.get()).map(|_| self.round(options.cell)).collect();
        let crowd = before.0.zip(waited()).map(|(before_waited, waited)| Crowd {
            waited: waited.saturating_sub(before_waited),
            worked: cpu_time().saturating_sub(before.1),
        });
        Ok((rounds?, crowd))
    }

    fn round(&self, cell: Duration) -> Result<Round, Error> {
        let mut tallies = [Tally::default(); 3];
        let slices = cell.as_millis().div_ceil(SLICE.as_millis());
        // Each cell takes each place equally often.
        let order = [[0, 1, 2], [1, 2, 0], [2, 0, 1]].into_iter().cycle();
        for (_, turn) in (0..slices).zip(order) {
            for cell in turn {
                let slice = self.slice(cell, SLICE)?;
                tallies[cell].time += slice.time;
                tallies[cell].calls += slice.calls;
            }
        }
        let [ours, ours_again, raw] = tallies.map(Tally::micros_per_call);
        Ok(Round { ours, ours_again, raw })
    }

    fn slice(&self, cell: usize, time: Duration) -> Result<Tally, Error> {
        let before = cpu_time();
        let calls = match cell {
            0 => self.runtime.block_on(self.ours.run(time))?,
            1 => self.runtime.block_on(self.ours_again.run(time))?,
            _ => self.raw.run(time),
        };
        let time = cpu_time().saturating_sub(before);
        Ok(Tally { time, calls })
    }
}

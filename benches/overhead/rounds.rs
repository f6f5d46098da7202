//! Rounds: all cells take turns in short slices, so that what slows the machine slows each of them.

use std::net::SocketAddr;
use std::time::Duration;

use favor_core::Error;
use tokio::runtime::Runtime;

use crate::cells::{Raw, Sends};
use crate::options::Options;
use crate::processor::{cpu_time, waited};
use crate::tally::Tally;

const IN_FLIGHT: usize = 16;
const SLICE: Duration = Duration::from_millis(50);
/// The share of a slice's time that others may take before it counts as disturbed.
const UNDISTURBED: f64 = 0.01;
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

/// All rounds of one run.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) rounds: Vec<Round>,
    /// Ours, ours again and raw, over the whole run.
    pub(crate) all: [Tally; 3],
    /// The same, of the slices in which nothing else wanted the client's core.
    pub(crate) undisturbed: [Tally; 3],
}

/// The cells, ready to run.
pub(crate) struct Bench {
    runtime: Runtime,
    ours: Sends,
    ours_again: Sends,
    raw: Raw,
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

    pub(crate) fn run(&self, options: &Options) -> Result<Run, Error> {
        let mut run = Run::default();
        for _ in 0..options.rounds.get() {
            let round = self.round(options.cell, &mut run)?;
            run.rounds.push(round);
        }
        Ok(run)
    }

    fn round(&self, cell: Duration, run: &mut Run) -> Result<Round, Error> {
        let mut tallies = [Tally::default(); 3];
        let slices = cell.as_millis().div_ceil(SLICE.as_millis());
        // Each cell takes each place equally often.
        let order = [[0, 1, 2], [1, 2, 0], [2, 0, 1]].into_iter().cycle();
        for (_, turn) in (0..slices).zip(order) {
            for cell in turn {
                let slice = self.slice(cell, SLICE)?;
                tallies[cell] += slice;
                run.all[cell] += slice;
                if slice.share_taken() < UNDISTURBED {
                    run.undisturbed[cell] += slice;
                }
            }
        }
        let [ours, ours_again, raw] = tallies.map(Tally::micros_per_call);
        Ok(Round { ours, ours_again, raw })
    }

    fn slice(&self, cell: usize, time: Duration) -> Result<Tally, Error> {
        let before = (cpu_time(), waited());
        let calls = match cell {
            0 => self.runtime.block_on(self.ours.run(time))?,
            1 => self.runtime.block_on(self.ours_again.run(time))?,
            _ => self.raw.run(time),
        };
        Ok(Tally {
            worked: cpu_time().saturating_sub(before.0),
            waited: waited().saturating_sub(before.1),
            calls,
            slices: 1,
        })
    }
}

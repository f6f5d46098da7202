//! The command line.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

pub(crate) const USAGE: &str = "\
usage: cargo bench --bench overhead -- [options]
  --seconds N   CPU is measured for N seconds per cell and round; 2 unless given
  --rounds N    rounds; 7 unless given
  --memory      peak memory with 64 calls in flight instead
  --check       fail when a bar is broken";

/// What this process is to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task {
    /// Compare CPU time.
    Overhead,
    /// Measure memory.
    Memory,
    /// Be the server of another process, on this core.
    Serve { core: Option<usize> },
    /// Be the client whose memory is measured.
    MemoryClient { server: SocketAddr },
    /// Nothing: the test runner wants a list of tests, and there are none.
    List,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) task: Task,
    /// Time per cell and round.
    pub(crate) cell: Duration,
    pub(crate) rounds: NonZeroU32,
    pub(crate) check: bool,
    /// A short run to see that it works; it judges nothing.
    pub(crate) trial: bool,
}

impl Options {
    /// Reads the arguments. None when they make no sense.
    ///
    /// Cargo gives `--bench` when it benches; without it this is a short trial.
    pub(crate) fn read(arguments: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            task: Task::Overhead,
            cell: Duration::from_secs(2),
            rounds: NonZeroU32::new(7)?,
            check: false,
            trial: true,
        };
        let mut rest = arguments.into_iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--bench" => options.trial = false,
                "--check" => options.check = true,
                "--seconds" => options.cell = seconds(&rest.next()?)?,
                "--rounds" => options.rounds = rest.next()?.parse().ok()?,
                "--memory" => options.task = Task::Memory,
                "--serve" => {
                    let core = rest.next()?.parse().ok();
                    options.task = Task::Serve { core };
                }
                "--memory-client" => {
                    let server = rest.next()?.parse().ok()?;
                    options.task = Task::MemoryClient { server };
                }
                "--list" => return Some(Self { task: Task::List, ..options }),
                _ => return None,
            }
        }
        if options.trial {
            options.cell = Duration::from_millis(100);
            options.rounds = NonZeroU32::MIN;
        }
        Some(options)
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds = Duration::try_from_secs_f64(text.parse().ok()?).ok()?;
    (seconds >= Duration::from_millis(100)).then_some(seconds)
}

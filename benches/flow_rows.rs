//! How fast flow files are read: CPU time for a file whose rows are all parsed and summed, against the `csv` crate
//! splitting the same file and looking at nothing, in the same run; and the growth of peak memory. Linux only.

#![expect(clippy::print_stdout, reason = "its output is what it is run for")]
#![expect(clippy::print_stderr, reason = "what went wrong goes there")]
#![expect(clippy::float_arithmetic, reason = "ratios of times, no money")]

#[path = "flow_rows/file.rs"]
mod file;
#[path = "flow_rows/options.rs"]
mod options;
#[path = "flow_rows/readers.rs"]
mod readers;
#[path = "flow_rows/report.rs"]
mod report;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::file::FlowFile;
use crate::options::{Options, USAGE};
use crate::report::{Report, Round};

fn main() -> ExitCode {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    if options.list {
        return ExitCode::SUCCESS;
    }
    match run(&options) {
        Ok(held) if held || !options.check => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures, reports, and says whether the bars held.
fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    let file = FlowFile::generate(options.rows)?;
    println!("{} rows, {} MB, {} rounds", file.rows, file.bytes / 1_000_000, options.rounds);
    let before = peak_memory()?;
    let mut rounds = Vec::new();
    for number in 0..options.rounds {
        let mut times = [Duration::ZERO; 3];
        // Each takes each place in turn, so that what slows the machine slows each of them.
        for place in 0..3 {
            let reader = (number + place) % 3;
            times[reader] = time(|| if reader == 1 { readers::split(&file) } else { readers::sum(&file) })?;
        }
        let [ours, csv, again] = times;
        rounds.push(Round { ours, csv, again });
    }
    let report =
        Report { rows: file.rows, bytes: file.bytes, rounds: &rounds, growth: peak_memory()? - before };
    println!("{report}");
    Ok(options.trial || report.holds())
}

/// The CPU time of this thread for `work`.
fn time(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<Duration, Box<dyn Error>> {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime));
    let before = now()?;
    work()?;
    Ok(now()?.saturating_sub(before))
}

/// The most resident memory this process ever held, in KiB.
fn peak_memory() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

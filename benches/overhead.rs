//! What the client costs beyond its cryptography: CPU time per signed and verified call over that of a bare
//! signature and verification, and peak memory. See the README beside this file. Linux only.

#![expect(clippy::print_stdout, reason = "its output is what it is run for")]
#![expect(clippy::print_stderr, reason = "what went wrong goes there")]
#![expect(clippy::float_arithmetic, reason = "ratios of times, no money")]

#[path = "support/answers.rs"]
mod answers;
#[path = "support/call.rs"]
mod call;
#[path = "overhead/cells.rs"]
mod cells;
#[path = "overhead/children.rs"]
mod children;
#[path = "support/client.rs"]
mod client;
#[path = "support/coupons.rs"]
mod coupons;
#[path = "support/keys.rs"]
mod keys;
#[path = "overhead/memory.rs"]
mod memory;
#[path = "overhead/options.rs"]
mod options;
#[path = "support/processor.rs"]
mod processor;
#[path = "support/raw.rs"]
mod raw;
#[path = "overhead/report.rs"]
mod report;
#[path = "overhead/rounds.rs"]
mod rounds;
#[path = "support/server.rs"]
mod server;
#[path = "overhead/tally.rs"]
mod tally;

use std::error::Error;
use std::io;
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

use crate::children::Server;
use crate::memory::Peak;
use crate::options::{Options, Task, USAGE};
use crate::report::Report;
use crate::rounds::Bench;

/// How often an invalid run is made at most.
const RUNS: u32 = 5;

fn main() -> ExitCode {
    let Some(options) = Options::read(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    match options.task {
        Task::Overhead => return compare(options),
        Task::Memory => return measure_memory(options),
        Task::Serve { core } => children::serve(core)?,
        Task::MemoryClient { server } => println!("{}", memory::client(server)?),
        Task::List => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let (client_core, server_core) = match processor::cores()[..] {
        [client, server, ..] => (Some(client), Some(server)),
        _ => (None, None),
    };
    let server = Server::start(server_core)?;
    client_core.map_or(Ok(()), processor::stay_on)?;
    println!(
        "send coupon, 16 in flight, plain HTTP, {} rounds of {:?} per cell",
        options.rounds, options.cell
    );
    println!("avx512ifma: {}", if processor::has_ifma() { "yes" } else { "no" });
    match (client_core, server_core) {
        (Some(client), Some(server)) => println!("client on core {client}, server on core {server}"),
        _ => println!("not pinned: there is one core only"),
    }
    let bench = Bench::new(runtime()?, server.address)?;
    for run in 1..=RUNS {
        let report = Report::of(bench.run(options)?);
        println!("\n{report}");
        if options.trial {
            return Ok(ExitCode::SUCCESS);
        }
        if report.is_valid() {
            let broken = !report.within_bar();
            println!("run {run} is valid; the bar {}", if broken { "is BROKEN" } else { "holds" });
            return Ok(verdict(options, broken));
        }
        println!("run {run} is INVALID: the machine is too noisy");
    }
    println!("no valid run in {RUNS}: nothing was measured");
    Ok(ExitCode::FAILURE)
}

fn measure_memory(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let server = Server::start(None)?;
    let peak = Peak::measure(server.address)?;
    let broken = !peak.within_bar();
    println!("{peak}; the bar {}", if broken { "is BROKEN" } else { "holds" });
    Ok(verdict(options, broken))
}

fn verdict(options: &Options, broken: bool) -> ExitCode {
    if options.check && broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

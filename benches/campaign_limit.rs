//! The limit that a campaign's workers share, in whole processes over one PostgreSQL database: what arrives at the
//! receiver in each second, beside what the database granted. Needs PostgreSQL's binaries.

#![expect(clippy::print_stdout, reason = "its output is what it is run for")]
#![expect(clippy::print_stderr, reason = "what went wrong goes there")]
#![expect(clippy::float_arithmetic, reason = "ratios of times, no money")]

#[path = "campaign_limit/capacity.rs"]
mod capacity;
#[path = "campaign_limit/ledger.rs"]
mod ledger;
#[path = "campaign_limit/receiver.rs"]
mod receiver;
#[path = "campaign_limit/worker.rs"]
mod worker;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use favor_store::testing::TestCluster;
use tokio::runtime::Runtime;

use crate::receiver::Receiver;
use crate::worker::Worker;

type Failed = Box<dyn Error + Send + Sync>;

/// The most that may arrive within one second, as a part of the limit.
const MOST: f64 = 1.02;
/// The least that must be used of the limit.
const LEAST: f64 = 0.97;
const USAGE: &str = "\
usage: cargo bench --bench campaign_limit -- [options]
  --rate N        the limit, calls a second; 500 unless given
  --seconds N     how long is measured; 10 unless given
  --workers LIST  processes, such as 1,4,16, which is what is taken unless given
  --capacity      how many reservations and records the database does beside
  --check         fail when more than 1.02 of the limit arrives in a second, or less than 0.97 is used";

struct Options {
    rate: u32,
    seconds: u64,
    workers: Vec<u32>,
    capacity: bool,
    check: bool,
    trial: bool,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    match arguments.peek().map(String::as_str) {
        Some(worker::WORK) => return worker::run(arguments.skip(1)),
        Some("--list") => return ExitCode::SUCCESS,
        _ => {}
    }
    let Some(options) = read(arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match measure(&options) {
        Ok(held) if held || !options.check || options.trial => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Cargo gives `--bench` when it benches; without it this is a short trial.
fn read(mut rest: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        rate: 500,
        seconds: 10,
        workers: vec![1, 4, 16],
        capacity: false,
        check: false,
        trial: true,
    };
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--bench" => options.trial = false,
            "--check" => options.check = true,
            "--capacity" => options.capacity = true,
            "--rate" => options.rate = rest.next()?.parse().ok().filter(|rate| *rate > 0)?,
            "--seconds" => options.seconds = rest.next()?.parse().ok().filter(|seconds| *seconds > 0)?,
            "--workers" => {
                let list: Result<Vec<u32>, _> = rest.next()?.split(',').map(str::parse).collect();
                options.workers = list.ok().filter(|list| list.iter().all(|count| *count > 0))?;
            }
            _ => return None,
        }
    }
    if options.trial {
        (options.seconds, options.workers) = (1, vec![2]);
    }
    Some(options)
}

fn measure(options: &Options) -> Result<bool, Failed> {
    let cluster = TestCluster::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    println!("limit {}/s, {} s each", options.rate, options.seconds);
    println!("workers  arrived/s  used   most in 1 s      granted  most in 1 s  reservations/s");
    let mut held = true;
    for count in &options.workers {
        let address = cluster.database(&format!("limit_{count}"));
        held &= round(options, &runtime, &address, *count)?;
    }
    if options.capacity {
        let address = cluster.database("capacity");
        runtime.block_on(capacity::measure(&address, Duration::from_secs(options.seconds)))?;
    }
    Ok(held)
}

/// So many workers, each a process.
fn round(options: &Options, runtime: &Runtime, address: &str, count: u32) -> Result<bool, Failed> {
    // Enough that nobody runs out of people while it is measured.
    let people = u64::from(options.rate) * (options.seconds + 20);
    let watch = runtime.block_on(ledger::prepare(address, options.rate, people))?;
    let receiver = Receiver::start(count)?;
    let workers: Vec<Worker> =
        (0..count).map(|_| Worker::start(address, receiver.address)).collect::<Result<_, _>>()?;
    let (from, to) = receiver.measure(Duration::from_secs(options.seconds))?;
    let granted = runtime.block_on(watch.granted(from.elapsed(), to.elapsed()))?;
    drop(workers);
    let arrived = receiver.arrivals()?;
    let within = arrived.into_iter().filter(|at| (from..to).contains(at));
    let within: Vec<Duration> = within.map(|at| at.duration_since(from)).collect();
    let (seconds, rate) = (to.duration_since(from).as_secs_f64(), f64::from(options.rate));
    let a_second = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let used = a_second(within.len()) / seconds / rate;
    let most = a_second(receiver::most_in_a_second(&within)) / rate;
    println!(
        "{count:>7} {:>10.1} {used:>5.3} {:>8} = {most:.3} {:>12.3} {:>12} {:>15.1}",
        a_second(within.len()) / seconds,
        receiver::most_in_a_second(&within),
        a_second(granted.slots.len()) / seconds / rate,
        receiver::most_in_a_second(&granted.slots),
        a_second(granted.reservations) / seconds,
    );
    Ok(used >= LEAST
        && most <= MOST
        && receiver::most_in_a_second(&granted.slots) <= usize::try_from(options.rate)?)
}

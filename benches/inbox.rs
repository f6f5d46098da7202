//! What a notification costs a whole receiver: axum, verification, and a SQLite inbox that answers after the commit.
//! The CPU time of that process, all its threads, per notification, beside that of `Receiver::receive` alone on the
//! same notifications in the same run. Linux only.

#![expect(clippy::print_stdout, reason = "its output is what it is run for")]
#![expect(clippy::print_stderr, reason = "what went wrong goes there")]
#![expect(clippy::float_arithmetic, reason = "ratios of times, no money")]

#[path = "inbox/load.rs"]
mod load;
#[path = "callback/notifications.rs"]
mod notifications;
#[path = "inbox/served.rs"]
mod served;

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use favor::core::ManualClock;
use futures_util::FutureExt as _;
use rustix::time::{ClockId, clock_gettime};

use crate::notifications::Request;
use crate::served::Server;

type Failed = Box<dyn Error + Send + Sync>;

/// The speed wanted, as a part of that of receiving alone, on a quiet machine.
const GOAL: f64 = 0.4;
/// The least speed. Whatever else wants the cores makes many threads dearer than one.
const BAR: f64 = 0.35;
const USAGE: &str = "\
usage: cargo bench --bench inbox -- [options]
  --count N         notifications per round; 10000 unless given
  --rounds N        rounds; 5 unless given
  --connections N   connections, each with one request at a time; 64 unless given
  --check           fail when the bar is broken";

struct Options {
    count: usize,
    rounds: usize,
    connections: usize,
    check: bool,
    trial: bool,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    match arguments.peek().map(String::as_str) {
        Some(served::SERVE) => return served::run(),
        Some("--list") => return ExitCode::SUCCESS,
        _ => {}
    }
    let Some(options) = read(arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
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
    let mut options = Options { count: 10_000, rounds: 5, connections: 64, check: false, trial: true };
    while let Some(argument) = rest.next() {
        let mut number = || rest.next()?.parse().ok().filter(|number| *number > 0);
        match argument.as_str() {
            "--bench" => options.trial = false,
            "--check" => options.check = true,
            "--count" => options.count = number()?,
            "--rounds" => options.rounds = number()?,
            "--connections" => options.connections = number()?,
            _ => return None,
        }
    }
    if options.trial {
        (options.count, options.rounds, options.connections) = (100, 1, 8);
    }
    Some(options)
}

/// Per notification.
struct Round {
    alone: Duration,
    whole: Duration,
    clock: Duration,
}

fn run(options: &Options) -> Result<bool, Failed> {
    let requests = notifications::make(options.count);
    println!("{} notifications over {} connections", options.count, options.connections);
    println!("round  alone us  whole us  alone/whole  stored/s");
    let count = u32::try_from(options.count)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        let alone = receive_alone(&requests)? / count;
        // A new process and a new file each time, so that every notification is new.
        let server = Server::start()?;
        let (before, began) = (server.cpu()?, Instant::now());
        runtime.block_on(load::send(server.address, &requests, options.connections))?;
        let (clock, whole) = (began.elapsed() / count, (server.cpu()? - before) / count);
        server.stop(options.count)?;
        let round = Round { alone, whole, clock };
        let [alone, whole, clock] =
            [round.alone, round.whole, round.clock].map(|time| time.as_secs_f64() * 1e6);
        println!("{number:>5} {alone:>9.1} {whole:>9.1} {:>12.3} {:>9.0}", round.speed(), 1e6 / clock);
        rounds.push(round);
    }
    let mut speeds: Vec<f64> = rounds.iter().map(Round::speed).collect();
    speeds.sort_by(f64::total_cmp);
    let median = speeds[speeds.len() / 2];
    println!("alone/whole: {median:.3}, goal {GOAL}, bar {BAR}; n = {}", rounds.len());
    Ok(median >= BAR)
}

impl Round {
    fn speed(&self) -> f64 {
        self.alone.as_secs_f64() / self.whole.as_secs_f64()
    }
}

/// The CPU time of this thread to receive them all, without a server or a store.
fn receive_alone(requests: &[Request]) -> Result<Duration, Failed> {
    let receiver = notifications::receiver(Arc::new(ManualClock::new(notifications::now())))
        .map_err(|error| error.to_string())?;
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime));
    let before = now()?;
    for request in requests {
        let received = receiver.receive(&request.headers, &request.body).now_or_never();
        let notification = received.ok_or("known keys need no waiting")??;
        if notification.payload.coupon().is_none_or(|coupon| coupon.coupon_id.as_str() != request.coupon_id) {
            return Err("another coupon came out".into());
        }
        black_box(notification);
    }
    Ok(now()?.saturating_sub(before))
}

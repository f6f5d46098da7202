//! What a campaign costs beyond its sends: CPU time per coupon of a whole run (claims, limit, sends, records on disk) over
//! that of the client alone, both against the mirror, in turns. See the README beside this file. Linux only.

#![expect(clippy::print_stdout, reason = "its output is what it is run for")]
#![expect(clippy::print_stderr, reason = "what went wrong goes there")]
#![expect(clippy::float_arithmetic, reason = "ratios of times, no money")]

#[path = "campaign_send/cells.rs"]
mod cells;
#[path = "campaign_send/platform.rs"]
mod platform;
#[path = "support/processor.rs"]
#[expect(dead_code, reason = "another bench needs all of it")]
mod processor;

use std::error::Error;
use std::process::ExitCode;

use tokio::runtime::Builder;

use crate::cells::Cells;
use crate::platform::Platform;

type Failed = Box<dyn Error + Send + Sync>;

/// The most a coupon may cost in a campaign, over what the client alone takes for a send.
const BAR: f64 = 1.2;
/// Where the median of the client over itself must lie for a run to mean anything.
const VALID: std::ops::RangeInclusive<f64> = 0.95..=1.05;
/// How often an invalid run is made at most.
const RUNS: u32 = 5;
const USAGE: &str = "\
usage: cargo bench --bench campaign_send -- [options]
  --people N      coupons per cell and round; 2000 unless given
  --rounds N      rounds; 7 unless given
  --check         fail when the bar is broken";

struct Options {
    people: u64,
    rounds: u32,
    check: bool,
    trial: bool,
}

/// CPU time per coupon, in microseconds.
struct Round {
    client: f64,
    client_again: f64,
    campaign: f64,
}

impl Round {
    fn cost(&self) -> f64 {
        2.0 * self.campaign / (self.client + self.client_again)
    }

    fn control(&self) -> f64 {
        self.client_again / self.client
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        [platform::SERVE, core] => platform::serve(core.parse().ok()),
        _ if words.contains(&"--list") => Ok(ExitCode::SUCCESS),
        _ => match options(&words) {
            Some(options) => measure(&options),
            None => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        },
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Cargo gives `--bench` when it benches; without it this is a short trial that judges nothing.
fn options(words: &[&str]) -> Option<Options> {
    let mut options = Options { people: 2_000, rounds: 7, check: false, trial: true };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--bench" => options.trial = false,
            "--check" => options.check = true,
            "--people" => options.people = rest.next()?.parse().ok().filter(|people| *people > 0)?,
            "--rounds" => options.rounds = rest.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
            _ => return None,
        }
    }
    if options.trial {
        options = Options { people: 100, rounds: 1, check: false, ..options };
    }
    Some(options)
}

fn measure(options: &Options) -> Result<ExitCode, Failed> {
    let (ours, theirs) = match processor::cores()[..] {
        [ours, theirs, ..] => (Some(ours), Some(theirs)),
        _ => (None, None),
    };
    let platform = Platform::start(theirs)?;
    // Before any thread is started, so that all of them stay there.
    ours.map_or(Ok(()), processor::stay_on)?;
    println!("{} coupons per cell, {} rounds, 50 in flight", options.people, options.rounds);
    println!("avx512ifma: {}", if processor::has_ifma() { "yes" } else { "no" });
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut cells = Cells::new(&platform)?;
    runtime.block_on(cells.client(200))?;
    for run in 1..=RUNS {
        println!("\nround  client µs  again µs  campaign µs  campaign/client     A/A");
        let mut rounds = Vec::new();
        for number in 1..=options.rounds {
            let client = runtime.block_on(cells.client(options.people))?;
            let campaign = runtime.block_on(cells.campaign(options.people))?;
            let client_again = runtime.block_on(cells.client(options.people))?;
            let round = Round { client, client_again, campaign };
            println!(
                "{number:>5} {client:>10.1} {client_again:>9.1} {campaign:>12.1} {:>16.3} {:>7.3}",
                round.cost(),
                round.control()
            );
            rounds.push(round);
        }
        let cost = median(&rounds, Round::cost);
        let control = median(&rounds, Round::control);
        println!("campaign/client: {cost:.3}, bar {BAR}; A/A {control:.3}");
        if options.trial {
            return Ok(ExitCode::SUCCESS);
        }
        if VALID.contains(&control) {
            let broken = cost > BAR;
            println!("run {run} is valid; the bar {}", if broken { "is BROKEN" } else { "holds" });
            return Ok(if options.check && broken { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        println!("run {run} is INVALID: the machine is too noisy");
    }
    println!("no valid run in {RUNS}: nothing was measured");
    Ok(ExitCode::FAILURE)
}

fn median(rounds: &[Round], value: impl Fn(&Round) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

//! How fast the mirror answers: signed sends a second on one core, with a data file and each answer only after its
//! commit, beside bare RSA signatures a second on the same core. See the README beside this file. Linux only.

#![expect(clippy::print_stdout, reason = "its output is what it is run for")]
#![expect(clippy::print_stderr, reason = "what went wrong goes there")]
#![expect(clippy::float_arithmetic, reason = "ratios of times, no money")]

#[path = "mirror/load.rs"]
mod load;
#[path = "support/processor.rs"]
#[expect(dead_code, reason = "another bench needs all of it")]
mod processor;
#[path = "mirror/served.rs"]
mod served;

use std::error::Error;
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

use crate::load::Load;
use crate::served::Served;

const USAGE: &str = "\
usage: cargo bench --bench mirror -- [options]
  --sends N         coupons per round; 4000 unless given
  --connections N   requests under way at once; 64 unless given
  --rounds N        rounds; 7 unless given
  --check           fail when the bar is broken";
/// Sends per second of CPU time, as a part of the signatures per second.
const BAR: f64 = 0.75;
/// How often an invalid run is made at most.
const RUNS: u32 = 5;
/// Where the median of signing after over signing before must lie for a run to mean anything.
const VALID: std::ops::RangeInclusive<f64> = 0.95..=1.05;

type Failure = Box<dyn Error + Send + Sync>;

struct Options {
    sends: usize,
    connections: usize,
    rounds: u32,
    check: bool,
    trial: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["--serve", core, file] => served::serve(core.parse().ok(), file.as_ref()),
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
    let mut options = Options { sends: 4_000, connections: 64, rounds: 7, check: false, trial: true };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--bench" => options.trial = false,
            "--check" => options.check = true,
            "--sends" => options.sends = rest.next()?.parse().ok().filter(|sends| *sends > 0)?,
            "--connections" => options.connections = rest.next()?.parse().ok().filter(|count| *count > 0)?,
            "--rounds" => options.rounds = rest.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
            _ => return None,
        }
    }
    if options.trial {
        options = Options { sends: 200, rounds: 1, check: false, ..options };
    }
    Some(options)
}

fn measure(options: &Options) -> Result<ExitCode, Failure> {
    let (mirror_core, load_core) = match processor::cores()[..] {
        [mirror, load, ..] => (Some(mirror), Some(load)),
        _ => (None, None),
    };
    let mut mirror = Served::start(mirror_core)?;
    load_core.map_or(Ok(()), processor::stay_on)?;
    let (sends, connections) = (options.sends, options.connections);
    println!("{sends} sends over {connections} connections a round, {} rounds, data on disk", options.rounds);
    println!("avx512ifma: {}", if processor::has_ifma() { "yes" } else { "no" });
    match (mirror_core, load_core) {
        (Some(mirror), Some(load)) => println!("mirror on core {mirror}, requests from core {load}"),
        _ => println!("not pinned: there is one core only"),
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let coupons = options.sends * usize::try_from(options.rounds * RUNS)?;
    let mut load = Load::prepare(&runtime, &mirror.ready, coupons)?;
    for run in 1..=RUNS {
        println!("\nround  sends/s  of CPU  signs/s  of CPU  by the clock  by CPU     A/A");
        let mut rounds = Vec::new();
        for number in 1..=options.rounds {
            rounds.push(round(number, options, &runtime, &mut mirror, &mut load)?);
        }
        mirror.check_audit(options.sends * usize::try_from(options.rounds * run)?)?;
        let by_clock = median(&rounds, |round| round.by_clock);
        let by_cpu = median(&rounds, |round| round.by_cpu);
        let control = median(&rounds, |round| round.control);
        println!(
            "sends/signatures: by CPU time {by_cpu:.3} (bar {BAR}), by the clock {by_clock:.3}; A/A {control:.3}"
        );
        println!("the audit counts every coupon once");
        if options.trial {
            return Ok(ExitCode::SUCCESS);
        }
        if VALID.contains(&control) {
            println!("run {run} is valid; the bar {}", if by_cpu >= BAR { "holds" } else { "is BROKEN" });
            return Ok(if options.check && by_cpu < BAR { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
        println!("run {run} is INVALID: the machine is too noisy");
    }
    println!("no valid run in {RUNS}: nothing was measured");
    Ok(ExitCode::FAILURE)
}

fn round(
    number: u32,
    options: &Options,
    runtime: &Runtime,
    mirror: &mut Served,
    load: &mut Load,
) -> Result<Round, Failure> {
    let requests = load.sign(options.sends)?;
    let before = mirror.sign()?;
    let cpu = mirror.cpu()?;
    let took = runtime.block_on(load.run(requests, options.connections))?;
    let cpu = mirror.cpu()? - cpu;
    let after = mirror.sign()?;
    let sends = f64::from(u32::try_from(options.sends)?);
    let (clock, busy) = (sends / took.as_secs_f64(), sends / cpu.as_secs_f64());
    let signs = f64::midpoint(before.clock, after.clock);
    let signs_busy = f64::midpoint(before.busy, after.busy);
    let round =
        Round { by_clock: clock / signs, by_cpu: busy / signs_busy, control: after.busy / before.busy };
    println!(
        "{number:>5} {clock:>8.0} {busy:>7.0} {signs:>8.0} {signs_busy:>7.0} {:>13.3} {:>7.3} {:>7.3}",
        round.by_clock, round.by_cpu, round.control
    );
    Ok(round)
}

/// What one round gave; sends over signatures, and signatures over signatures.
struct Round {
    by_clock: f64,
    by_cpu: f64,
    control: f64,
}

fn median(rounds: &[Round], value: impl Fn(&Round) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

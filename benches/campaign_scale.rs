//! A whole campaign of many people through a platform that answers at once: what each phase costs per person, and how
//! much memory it takes. Each size in a process and a folder of its own. Linux only.

#![expect(clippy::print_stdout, reason = "its output is what it is run for")]
#![expect(clippy::print_stderr, reason = "what went wrong goes there")]
#![expect(clippy::float_arithmetic, reason = "ratios of times, no money")]

#[path = "campaign_scale/life.rs"]
mod life;
#[path = "campaign_scale/meter.rs"]
mod meter;

use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::meter::Phase;

type Failed = Box<dyn Error + Send + Sync>;

/// The most memory that a process may take, whatever the size.
const MEMORY_MIB: u64 = 256;
/// How much more CPU time a person may cost in the larger campaign. It is less on a quiet machine: what is done once
/// for a campaign is spread over more people.
const GROWTH: f64 = 1.5;
/// People of the smaller and of the larger campaign.
const SIZES: [u64; 2] = [10_000, 100_000];
const USAGE: &str = "\
usage: cargo bench --bench campaign_scale -- [options]
  --people N      measures one campaign of N people; 10000 and 100000 unless given, may be repeated
  --folder PATH   where list, ledger and report are written; the system's temporary folder unless given
  --check         fail when a bar is broken";

#[derive(Default)]
struct Options {
    people: Vec<u64>,
    folder: Option<PathBuf>,
    measured: Option<u64>,
    check: bool,
    trial: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let Some(options) = read(arguments.into_iter()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(held) if held || !options.check || options.trial => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            let mut cause = error.source();
            eprint!("error: {error}");
            while let Some(error) = cause {
                eprint!(": {error}");
                cause = error.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}

/// Cargo gives `--bench` when it benches; without it this is a short trial.
fn read(mut rest: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options { trial: true, ..Options::default() };
    while let Some(argument) = rest.next() {
        let mut number = || rest.next()?.parse().ok().filter(|number| *number > 0);
        match argument.as_str() {
            "--bench" => options.trial = false,
            "--check" => options.check = true,
            "--people" => options.people.push(number()?),
            "--measured" => options.measured = Some(number()?),
            "--folder" => options.folder = Some(rest.next()?.into()),
            _ => return None,
        }
    }
    if options.people.is_empty() {
        options.people = if options.trial { vec![500, 1_000] } else { SIZES.to_vec() };
    }
    Some(options)
}

fn run(options: &Options) -> Result<bool, Failed> {
    let folder = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    if let Some(people) = options.measured {
        for phase in life::run(people, &folder)? {
            println!("{phase}");
        }
        return Ok(true);
    }
    println!("   people  phase      CPU us/person  clock us/person  peak MiB");
    let (mut costs, mut held) = (Vec::new(), true);
    for people in &options.people {
        let phases = measure(*people, &folder)?;
        for phase in &phases {
            println!(
                "{people:>9}  {:<9} {:>14.2} {:>16.2} {:>9.1}",
                phase.name,
                phase.cpu_micros(*people),
                phase.clock_micros(*people),
                phase.peak_mib()
            );
        }
        let cpu: f64 = phases.iter().map(|phase| phase.cpu_micros(*people)).sum();
        let peak = phases.iter().map(|phase| phase.peak_kib).max().unwrap_or_default();
        println!("{people:>9}  all       {cpu:>14.2}");
        held &= peak < MEMORY_MIB * 1_024;
        costs.push(cpu);
    }
    if let (Some(first), Some(last), true) = (costs.first(), costs.last(), costs.len() > 1) {
        let growth = last / first;
        println!("CPU time per person, last/first: {growth:.2}, bar {GROWTH}");
        held &= growth <= GROWTH;
    }
    println!("memory bar: {MEMORY_MIB} MiB; {}", if held { "the bars hold" } else { "A BAR IS BROKEN" });
    Ok(held)
}

fn measure(people: u64, folder: &std::path::Path) -> Result<Vec<Phase>, Failed> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--measured", &people.to_string(), "--folder"])
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("the campaign of {people} people failed").into());
    }
    String::from_utf8(output.stdout)?.lines().map(str::parse).collect()
}

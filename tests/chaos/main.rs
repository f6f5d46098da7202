//! Campaigns under fire. Workers, mirror and database are killed again and again while thousands of people are sent a
//! coupon through a bad network; afterwards an audit that shares no code with any of them counts who has what. And the
//! audit itself is tested: it must find each of five broken campaigns.
//!
//! `cargo test -p favor --test chaos` takes a minute or two. These variables make it longer, or repeat it:
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `FAVOR_CHAOS_PEOPLE` | people on the list, in each of the two runs | 20,000 |
//! | `FAVOR_CHAOS_KILLS` | workers killed, in each of the two runs | 24 |
//! | `FAVOR_CHAOS_SEED` | the seed that a failed run printed | a new one |
//!
//! `make chaos` is a long run, with 300 workers killed over SQLite and 300 over PostgreSQL.
//!
//! A seed repeats what is planned (the list, who is killed where, which answers are struck), not how the machine divides
//! its time among the processes.
//!
//! A program of its own rather than test functions, since it starts itself again as the processes that are killed.

#![expect(clippy::print_stdout, reason = "it reports like a test")]
#![expect(clippy::print_stderr, reason = "it reports like a test")]
#![expect(clippy::unwrap_used, reason = "a failure ends the test, with its place")]
#![expect(clippy::exit, reason = "a failure ends all threads")]
#![expect(unreachable_pub, reason = "one program")]
#![expect(clippy::disallowed_methods, reason = "runs are set by variables, children too")]

mod audit;
mod broken;
mod chaos;
mod child;
mod director;
mod list;
mod mirror;
mod network;
mod point;
#[path = "../support/random.rs"]
mod random;
mod sabotage;
mod store;
mod team;
mod watched;
mod worker;
mod world;

use std::hash::{BuildHasher as _, RandomState};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use favor_store::testing::TestCluster;

use crate::chaos::Size;
use crate::child::Role;
use crate::random::Random;
use crate::sabotage::Sabotage;

const SEED: &str = "FAVOR_CHAOS_SEED";
/// Longer than any machine needs for a kill and the work between two; for the rest a lump.
const PATIENCE_EACH: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(600);

/// A run: its name and what it does.
type Run = (&'static str, fn(Size, Random, &mut Option<TestCluster>) -> String);

const RUNS: [Run; 7] = [
    ("a_campaign_in_sqlite_under_fire", |size, random, _| chaos::over_sqlite(size, random)),
    ("a_campaign_in_postgresql_under_fire", |size, random, cluster| {
        chaos::over_postgres(size, random, cluster.get_or_insert_with(TestCluster::start))
    }),
    ("the_audit_finds_fresh_numbers", |_, random, cluster| {
        broken::is_found(Sabotage::FreshNumbers, random, cluster)
    }),
    ("the_audit_finds_a_missing_fence", |_, random, cluster| {
        broken::is_found(Sabotage::NoFence, random, cluster)
    }),
    ("the_audit_finds_records_before_sends", |_, random, cluster| {
        broken::is_found(Sabotage::RecordFirst, random, cluster)
    }),
    ("the_audit_finds_a_skipped_chunk", |_, random, cluster| {
        broken::is_found(Sabotage::SkipChunk, random, cluster)
    }),
    ("the_audit_finds_unsigned_answers_believed", |_, random, cluster| {
        broken::is_found(Sabotage::BelieveUnsigned, random, cluster)
    }),
];

fn main() -> ExitCode {
    if let Some((role, folder)) = Role::of_this_process() {
        return match role {
            Role::Mirror => mirror::run(&folder),
            Role::Import => worker::run_import(&folder),
            Role::Worker => worker::run_worker(&folder),
        };
    }
    // As a test program is asked by `cargo test -- --list`, and with a filter.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|one| one == "--list") {
        for (name, _) in RUNS {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|one| !one.starts_with('-')).collect();
    let wanted =
        |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    let seed = number(SEED).unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000);
    let count = |name: &str, usual| number(name).map_or(usual, |given| usize::try_from(given).unwrap());
    let size = Size { people: count("FAVOR_CHAOS_PEOPLE", 20_000), kills: count("FAVOR_CHAOS_KILLS", 24) };
    println!("{SEED}={seed}");
    end_at_a_failure(seed);
    let mut cluster = None;
    for (number, (name, run)) in RUNS.into_iter().enumerate() {
        if wanted(name) {
            let _patience = patience(name, size);
            let random = Random(seed ^ u64::try_from(number).unwrap().rotate_left(32));
            println!("test {name} … ok: {}", run(size, random, &mut cluster));
        }
    }
    ExitCode::SUCCESS
}

/// A panic of any thread ends the run: the others may wait for what will never come.
fn end_at_a_failure(seed: u64) {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        usual(panic);
        let left = std::env::temp_dir().join("favor-chaos…");
        eprintln!("{SEED}={seed} repeats it; what it left is in {}", left.display());
        child::kill_all();
        std::process::exit(101);
    }));
}

/// Ends a run that hangs, unless what this returns is dropped in time.
fn patience(name: &'static str, size: Size) -> mpsc::Sender<()> {
    let (in_time, waiting) = mpsc::channel();
    let kills = u32::try_from(size.kills).unwrap();
    let thousands = u32::try_from(size.people / 1_000).unwrap();
    let patience = PATIENCE + PATIENCE_EACH * (kills + thousands);
    std::thread::spawn(move || {
        let waited = waiting.recv_timeout(patience);
        assert_ne!(waited, Err(mpsc::RecvTimeoutError::Timeout), "{name} is not done after {patience:?}");
    });
    in_time
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

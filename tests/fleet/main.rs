//! A fleet through every change of the platform's keys: one daemon, and readers that call and are notified throughout.
//! No verification fails, each release is held within two polls of a reader, the daemon stays small, and the platform
//! is asked no more often than it has to be.
//!
//! A program of its own rather than a test function, since it starts itself again: as the daemon, so that its memory is
//! its own, and as each of the readers. All clocks stand still and are moved together, so that nothing here depends on
//! how fast the machine is.
//!
//! `FAVOR_FLEET=2000 cargo test --test fleet` is the whole fleet, with 100 readers. Without the variable it is small.

#![expect(clippy::print_stdout, reason = "it reports like a test, and its children answer on stdout")]
#![expect(clippy::unwrap_used, reason = "a failure ends the test, with its place")]
#![expect(unreachable_pub, reason = "one program")]
#![expect(clippy::disallowed_methods, reason = "the size of the fleet is a variable")]

mod child;
mod daemon;
mod fetches;
mod fleet;
mod follower;
mod reader;
mod world;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use favor_mirror::{KeyRotation, PublicKeyPhase};

use crate::fleet::Fleet;

/// How many merchants.
const SIZE: &str = "FAVOR_FLEET";
const SMALL: u32 = 40;
/// Longer than any machine needs, shorter than a hang.
const PATIENCE: Duration = Duration::from_secs(3 * 3600);
/// The most memory of the daemon, in KiB.
const MOST_MEMORY: u64 = 64 * 1024;
const NAME: &str = "every_change_of_keys_reaches_every_reader_of_a_fleet";

const MINUTE: Duration = Duration::from_secs(60);
/// How long before it signs a certificate is listed, and how long the one before stays listed after that.
const LEAD: Duration = Duration::from_secs(90 * 60);
const OVERLAP: Duration = Duration::from_secs(30 * 60);
/// Within this every merchant is checked again: an hour and ten per cent.
const ROUND: Duration = Duration::from_secs(66 * 60);

fn main() -> ExitCode {
    if let Some(role) = child::role() {
        return match role {
            child::Role::Daemon => daemon::run(),
            child::Role::Reader { number, readers } => reader::run(number, readers),
        };
    }
    // As a test program is asked by `cargo test -- --list`, and with a filter.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|one| one == "--list") {
        println!("{NAME}: test");
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|one| !one.starts_with('-')).collect();
    if !filters.is_empty() && !filters.iter().any(|filter| NAME.contains(filter.as_str())) {
        return ExitCode::SUCCESS;
    }
    let merchants = std::env::var(SIZE).map_or(SMALL, |text| text.parse().unwrap());
    println!("test {NAME} … with {SIZE}={merchants}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async { tokio::time::timeout(PATIENCE, run(merchants)).await });
    let report = report.unwrap_or_else(|_| panic!("not done after {PATIENCE:?}"));
    println!("test {NAME} … ok: {report}");
    ExitCode::SUCCESS
}

async fn run(merchants: u32) -> String {
    let began = Instant::now();
    let mut fleet = Fleet::start(merchants).await;
    fleet.pass(70 * MINUTE).await;

    // With an overlap: listed first, signing later, the one before listed for a while.
    let rotation = KeyRotation::default().lead(LEAD).overlap(OVERLAP);
    let new = fleet.world.mirror.rotate_keys_with(rotation).await.unwrap().pop().unwrap();
    fleet.held_everywhere_within(&new, ROUND).await;
    // Until the one before has left the list.
    fleet.pass(LEAD + OVERLAP + 10 * MINUTE - ROUND).await;

    // One that signs at once. Those who call have it before their call ends, the others after their next check.
    let rotation = KeyRotation::default().overlap(OVERLAP);
    let new = fleet.world.mirror.rotate_keys_with(rotation).await.unwrap().pop().unwrap();
    fleet.held_everywhere_within(&new, ROUND).await;

    // The public key: known to everybody first, then in use for some, then for all.
    let public_key = fleet.world.mirror.public_key().id;
    fleet.world.configure(true);
    fleet.published_everywhere(&public_key).await;
    fleet.held_everywhere_within(&public_key, Duration::ZERO).await;
    fleet.world.mirror.set_public_key_phase(PublicKeyPhase::Grey).await.unwrap();
    fleet.pass(10 * MINUTE).await;
    fleet.world.mirror.set_public_key_phase(PublicKeyPhase::On).await.unwrap();
    fleet.pass(ROUND).await;

    let report = fleet.end().await;
    format!("{report}, {:.0?}", began.elapsed())
}

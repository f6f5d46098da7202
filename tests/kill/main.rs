//! The receiver killed again and again while the mirror tells of 10,000 redemptions: nothing is lost, and nothing is
//! handled once more after it was acknowledged.
//!
//! A program of its own rather than a test function, since it starts itself again as the receiver that is killed.

#![expect(clippy::print_stdout, reason = "it reports like a test")]
#![expect(clippy::unwrap_used, reason = "a failure ends the test, with its place")]
#![expect(unreachable_pub, reason = "one program")]
#![expect(clippy::disallowed_methods, reason = "a run is repeated by a variable")]

mod audit;
#[path = "../support/random.rs"]
mod random;
mod receiver;
mod shop;

use std::hash::{BuildHasher as _, RandomState};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use favor_mirror::PublicKeyPhase;

use crate::audit::{Audit, Log};
use crate::random::Random;
use crate::receiver::Child;
use crate::shop::Shop;

const EVENTS: usize = 10_000;
const KILLS: usize = 20;
/// Longer than any machine needs, shorter than a hang.
const PATIENCE: Duration = Duration::from_secs(600);
/// Set it to the seed that a failed run printed.
const SEED: &str = "FAVOR_KILL_SEED";
const NAME: &str = "receiver_killed_20_times_over_10000_callbacks";

fn main() -> ExitCode {
    if let Some(folder) = receiver::folder_of_child() {
        return receiver::run(&folder);
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
    let seed = std::env::var(SEED).ok().map(|text| text.parse().unwrap());
    let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0) % 1_000_000);
    println!("test {NAME} … with {SEED}={seed}");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let report = runtime.block_on(async { tokio::time::timeout(PATIENCE, run(Random(seed))).await });
    let report = report.unwrap_or_else(|_| panic!("not done after {PATIENCE:?}; {SEED}={seed}"));
    println!("test {NAME} … ok: {report}");
    ExitCode::SUCCESS
}

async fn run(mut random: Random) -> String {
    let began = Instant::now();
    let shop = Shop::open(EVENTS).await;
    let coupons = shop.give(EVENTS).await;
    shop.plan_faults();
    let log = Log::new(shop.folder());
    let mut audit = Audit::default();
    let mut kills = 0;
    let mut child = Child::start(&shop).await;
    for (round, chunk) in coupons.chunks(EVENTS / KILLS).enumerate() {
        match round {
            7 => drop(shop.mirror.rotate_keys().await),
            11 => shop.mirror.set_public_key_phase(PublicKeyPhase::Grey).await.unwrap(),
            _ => {}
        }
        let handled = log.lines() + 1 + below(&mut random, chunk.len() - 20);
        let redeeming = shop.redeem_all(chunk);
        let killing = async {
            // So many handled later it is killed, in the middle of whatever it does then.
            while log.lines() < handled && child.lives() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_micros(random.below(20_000))).await;
            child.kill();
            kills += 1;
            audit.look(&shop, &log);
            child = Child::start(&shop).await;
        };
        tokio::join!(redeeming, killing);
        // What failed comes again after 15 s, twice, then after 30 s.
        shop.mirror.advance(Duration::from_secs(61)).await.unwrap();
    }
    shop.deliver_the_rest().await;
    child.finish(&shop).await;
    audit.look(&shop, &log);
    let found = audit.close(&shop, &log, &coupons).await;
    assert_eq!(kills, KILLS);
    let counted = shop.mirror.audit().await;
    assert!(counted.ok, "{:?}", counted.findings);
    format!("{found}, {kills} kills, {:.1?}", began.elapsed())
}

fn below(random: &mut Random, limit: usize) -> usize {
    usize::try_from(random.below(u64::try_from(limit).unwrap())).unwrap()
}

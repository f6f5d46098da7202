//! The worlds that are played.

use std::panic::{AssertUnwindSafe, catch_unwind};

use favor_campaign::OutcomeState;

use crate::dice::Dice;
use crate::ledger::Weather;
use crate::platform::Habits;
use crate::world::{Plan, Sabotage, World};

/// Plays a world for each seed, or for the one of `FAVOR_SIM_SEED`.
#[expect(clippy::print_stderr, reason = "the seed is what plays it again")]
fn for_seeds(seeds: std::ops::Range<u64>, play: impl Fn(u64) -> Plan, check: impl Fn(&World)) {
    #[expect(clippy::disallowed_methods, reason = "the name is the test's own")]
    let chosen = std::env::var("FAVOR_SIM_SEED").ok().map(|seed| seed.parse::<u64>().unwrap());
    let seeds = chosen.map_or(seeds, |seed| seed..seed + 1);
    for seed in seeds {
        let played = catch_unwind(AssertUnwindSafe(|| {
            let world = play_one(play(seed), seed);
            world.check();
            check(&world);
        }));
        if let Err(panic) = played {
            eprintln!("seed {seed} failed; FAVOR_SIM_SEED={seed} plays it again");
            std::panic::resume_unwind(panic);
        }
    }
}

pub(crate) fn play_one(plan: Plan, seed: u64) -> World {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(plan, seed);
        world.play().await;
        world
    })
}

#[test]
fn a_quiet_world() {
    for_seeds(
        0..20,
        |_| Plan::default(),
        |world| {
            assert_eq!(world.count(OutcomeState::Sent), 60);
        },
    );
}

/// Anything can happen here.
fn stormy(seed: u64) -> Plan {
    let dice = Dice::new(seed ^ 77);
    let maybe = |chance, most: u64| if dice.thousandths(chance) { dice.below(most) } else { 0 };
    let span = |chance| {
        let from = dice.millis(0, 4000);
        dice.thousandths(chance).then(|| (from, from + dice.millis(100, 20_000)))
    };
    Plan {
        people: usize::try_from(1 + dice.below(80)).unwrap(),
        slots: u32::try_from(1 + maybe(200, 3)).unwrap(),
        chunk: 1 + dice.below(30),
        workers: usize::try_from(1 + dice.below(6)).unwrap(),
        per_second: u32::try_from(20 + dice.below(200)).unwrap(),
        in_flight: u32::try_from(1 + dice.below(20)).unwrap(),
        lease: dice.millis(1000, 8000),
        weather: Weather {
            slowness: dice.millis(0, 30),
            failing: maybe(400, 60),
            outage: span(150),
            full: span(150),
        },
        habits: Habits {
            slowness: dice.below(300),
            lost: maybe(600, 80),
            internal: maybe(600, 150),
            cut: maybe(400, 80),
            unsigned: maybe(300, 60),
            false_limits: maybe(300, 30),
            most_per_second: dice.thousandths(200).then(|| usize::try_from(10 + dice.below(60)).unwrap()),
            outage: span(150),
            broken: span(100),
            ..Habits::default()
        },
        blows: dice.thousandths(700).then(|| 1 + dice.below(5)),
        restless_operator: dice.thousandths(300),
        ..Plan::default()
    }
}

#[test]
fn stormy_worlds() {
    for_seeds(0..1500, stormy, |_| ());
}

#[test]
fn more_stormy_worlds() {
    for_seeds(2000..3500, stormy, |_| ());
}

#[test]
fn a_hundred_workers() {
    let crowd = |seed| Plan {
        people: 400,
        workers: 100,
        chunk: 7,
        per_second: 200,
        blows: Some(1),
        habits: Habits { lost: 30, internal: 50, ..stormy(seed).habits },
        ..Plan::default()
    };
    for_seeds(0..6, crowd, |_| ());
}

#[test]
fn sabotage_is_noticed() {
    let noticed = |sabotage, plan: fn(u64) -> Plan| {
        let fails = |seed| {
            let plan = Plan { sabotage, ..plan(seed) };
            catch_unwind(AssertUnwindSafe(|| play_one(plan, seed).check())).is_err()
        };
        assert!((0..60).any(fails), "{sabotage:?} was not noticed");
    };
    noticed(Sabotage::FreshNumbers, stormy);
    noticed(Sabotage::SkippedChunk, stormy);
    noticed(Sabotage::UnsignedTaken, stormy);
    noticed(Sabotage::DeafToPauses, |_| Plan { people: 500, restless_operator: true, ..Plan::default() });
    noticed(Sabotage::NoLimit, |_| Plan { people: 500, per_second: 20, in_flight: 50, ..Plan::default() });
    noticed(Sabotage::NoFence, |_| Plan { people: 300, blows: Some(1), ..Plan::default() });
}

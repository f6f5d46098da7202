//! Single situations: what the campaign does, and what it says.

use std::time::Duration;

use chrono::NaiveTime;
use favor_campaign::{DailyWindow, Ended, OutcomeState, RunError, State};
use favor_core::Clock as _;

use crate::ledger::Weather;
use crate::platform::Habits;
use crate::runs::play_one;
use crate::world::{Plan, World};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn play(plan: Plan) -> World {
    let world = play_one(plan, 7);
    world.check();
    world
}

/// A world in which nobody helps: plays for so long, and tells how it stands.
fn watch(plan: Plan, how_long: Duration) -> World {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(plan, 7);
        let workers: Vec<_> = (0..2).map(|_| world.hire()).collect();
        tokio::time::sleep(how_long).await;
        workers.iter().for_each(crate::worker::Worker::stop);
        for worker in workers {
            world.ends.extend(worker.end().await);
        }
        world
    })
}

fn habits(change: impl FnOnce(&mut Habits)) -> Habits {
    let mut habits = Habits { slowness: 60, ..Habits::default() };
    change(&mut habits);
    habits
}

/// Sends that left after a moment.
fn sends_after(world: &World, moment: Duration) -> usize {
    world.platform.given().left.iter().filter(|left| **left > moment).count()
}

#[test]
fn a_used_up_budget_pauses_and_says_so() {
    let world =
        watch(Plan { habits: habits(|habits| habits.budget = Some(25)), ..Plan::default() }, seconds(60));
    let books = world.ledger.books();
    assert_eq!(books.state, State::Paused);
    let reason = books.reason.clone().unwrap();
    assert!(reason.contains("budget is used up: NOT_ENOUGH (403) 批次预算不足, request id x"), "{reason}");
    assert!(reason.contains("Raise the stock's budget"), "{reason}");
    assert_eq!(books.outcomes.len(), 25, "the others stay open");
    drop(books);
    assert_eq!(sends_after(&world, seconds(5)), 0);
    assert!(world.ends.iter().all(|end| matches!(end, Ok(Ended::Interrupted))));
}

#[test]
fn a_wrong_signature_pauses_at_once() {
    let from = Some(seconds(1));
    let world = watch(
        Plan { habits: habits(|habits| habits.bad_signature_from = from), ..Plan::default() },
        seconds(30),
    );
    let books = world.ledger.books();
    assert_eq!(books.state, State::Paused);
    assert!(books.reason.as_ref().unwrap().contains("does not accept this side's signature"));
    drop(books);
    // Those that were under way, and no more.
    assert!(sends_after(&world, seconds(1) + Duration::from_millis(200)) <= 16);
}

#[test]
fn a_used_up_daily_budget_waits_for_beijing_midnight() {
    let world = play(Plan {
        people: 70,
        begins: "2026-11-11T23:58:00+08:00",
        habits: habits(|habits| habits.daily_budget = Some(40)),
        ..Plan::default()
    });
    assert_eq!(world.count(OutcomeState::Sent), 70);
    assert!(world.reasons.is_empty(), "nobody had to help: {:?}", world.reasons);
    let given = world.platform.given();
    assert!(given.left.iter().all(|left| *left < seconds(10) || *left >= seconds(120)), "{:?}", given.left);
    drop(given);
    assert!(world.clock.elapsed() < seconds(130));
}

#[test]
fn a_used_up_daily_budget_pauses_when_told_so() {
    let world = watch(
        Plan {
            begins: "2026-11-11T23:58:00+08:00",
            habits: habits(|habits| habits.daily_budget = Some(10)),
            adjust: |manifest| manifest.policy.wait_for_next_day = false,
            ..Plan::default()
        },
        seconds(300),
    );
    let books = world.ledger.books();
    assert_eq!((books.state, books.outcomes.len()), (State::Paused, 10));
    assert!(books.reason.as_ref().unwrap().contains("Resume on another day"), "{:?}", books.reason);
}

#[test]
fn refused_people_are_refused_and_too_many_pause() {
    let banned = |from: usize, to: usize| (from..to).map(|n| format!("oPerson{n:06}")).collect();
    let few = play(Plan { habits: habits(|habits| habits.banned = banned(0, 5)), ..Plan::default() });
    assert_eq!((few.count(OutcomeState::Refused), few.count(OutcomeState::Sent)), (5, 55));
    let many = Plan {
        people: 400,
        workers: 1,
        habits: habits(|habits| habits.banned = banned(0, 120)),
        ..Plan::default()
    };
    let world = play(many);
    assert_eq!(world.count(OutcomeState::Refused), 120);
    assert!(
        world.reasons.iter().any(|reason| reason.contains("answers were refusals")),
        "{:?}",
        world.reasons
    );
}

#[test]
fn answers_nobody_knows_are_parked_and_too_many_pause() {
    let world = play(Plan {
        people: 1000,
        per_second: 200,
        habits: habits(|habits| habits.odd_people = true),
        ..Plan::default()
    });
    assert_eq!(world.count(OutcomeState::Parked), 100);
    assert!(world.reasons.iter().any(|reason| reason.contains("coupons were parked")), "{:?}", world.reasons);
}

#[test]
fn people_who_always_get_internal_errors_are_set_aside_and_hold_up_nobody() {
    let world = play(Plan {
        people: 300,
        habits: habits(|habits| habits.cursed = (0..3).map(|n| format!("oPerson{:06}", n * 10)).collect()),
        ..Plan::default()
    });
    assert_eq!((world.count(OutcomeState::Unknown), world.count(OutcomeState::Sent)), (3, 297));
    assert!(world.reasons.is_empty());
    let books = world.ledger.books();
    let unknown = books.outcomes.values().find(|row| row.fate.state() == OutcomeState::Unknown).unwrap();
    assert_eq!((unknown.attempts, unknown.code.as_deref()), (20, Some("SYSTEM_ERROR")));
    // Everybody else was done in the time that the rate takes.
    let last_sent = books.outcomes.values().filter(|row| row.fate.state() == OutcomeState::Sent);
    let last_sent = last_sent.map(|row| row.settled_at).max().unwrap();
    assert!((last_sent - world.manifest.planned_at).num_seconds() < 12);
}

#[test]
fn while_nothing_comes_through_single_sends_probe() {
    let outage = (seconds(2), seconds(602));
    let world = play(Plan {
        people: 200,
        workers: 1,
        habits: habits(|habits| habits.outage = Some(outage)),
        ..Plan::default()
    });
    assert_eq!(world.count(OutcomeState::Sent), 200, "nobody was set aside for an outage of ten minutes");
    let given = world.platform.given();
    let probes = given.left.iter().filter(|left| (seconds(3)..outage.1).contains(*left)).count();
    assert!((100..300).contains(&probes), "{probes} probes in ten minutes");
    drop(given);
    assert!(world.clock.elapsed() < outage.1 + seconds(20));
}

#[test]
fn internal_errors_to_everybody_pause_in_the_end() {
    let broken = (seconds(1), seconds(3600));
    let world = watch(
        Plan { habits: habits(|habits| habits.broken = Some(broken)), ..Plan::default() },
        seconds(900),
    );
    let books = world.ledger.books();
    assert_eq!(books.state, State::Paused);
    let reason = books.reason.clone().unwrap();
    assert!(reason.contains("nothing but internal errors"), "{reason}");
    assert!(
        books.outcomes.values().all(|row| row.fate.state() == OutcomeState::Sent),
        "nobody was set aside"
    );
}

#[test]
fn too_fast_lowers_the_rate_and_costs_no_tries() {
    let world = play(Plan {
        people: 600,
        workers: 2,
        per_second: 100,
        in_flight: 30,
        tries: 1,
        habits: habits(|habits| habits.most_per_second = Some(50)),
        ..Plan::default()
    });
    assert_eq!(world.count(OutcomeState::Sent), 600, "not a try, so one try is enough");
    let too_fast = world.platform.given().too_fast;
    assert!(too_fast > 0 && too_fast < 300, "{too_fast} of 600 were turned away");
}

#[test]
fn a_false_limit_is_asked_for_twice() {
    let world =
        play(Plan { people: 500, habits: habits(|habits| habits.false_limits = 20), ..Plan::default() });
    let refused = world.count(OutcomeState::Refused);
    assert!(refused <= 3, "{refused} of 500 were refused twice");
    let again = world.ledger.books().outcomes.values().filter(|row| row.attempts > 1).count();
    assert!(again > 2);
}

#[test]
fn a_pilot_pauses_after_so_many_coupons_and_no_more() {
    let world = watch(Plan { pilot: 20, ..Plan::default() }, seconds(60));
    let books = world.ledger.books();
    assert_eq!(books.state, State::Paused);
    assert!(books.reason.as_ref().unwrap().starts_with("pilot: the first 2"), "{:?}", books.reason);
    // Two workers with a pilot each see the other's coupons a moment late.
    assert!((20..=36).contains(&books.outcomes.len()), "{}", books.outcomes.len());
    drop(books);
    let resumed = play(Plan { pilot: 20, workers: 1, ..Plan::default() });
    assert_eq!(resumed.reasons.len(), 1, "once, and then to the end");
    assert!(resumed.reasons[0].starts_with("pilot: the first 20 coupons"), "{}", resumed.reasons[0]);
    let small = play(Plan { pilot: 20, people: 20, ..Plan::default() });
    assert!(small.reasons.is_empty(), "nothing would be left after the pilot");
}

#[test]
fn it_sends_within_its_windows_only() {
    let world = play(Plan {
        people: 100,
        per_second: 1,
        adjust: |manifest| {
            let at = |minute| NaiveTime::from_hms_opt(10, minute, 0).unwrap();
            let window = |from| DailyWindow { from: at(from), to: at(from + 1) };
            manifest.pace.windows = vec![window(5), window(1)];
        },
        ..Plan::default()
    });
    assert_eq!(world.count(OutcomeState::Sent), 100);
    let given = world.platform.given();
    assert!(given.left.iter().all(|left| [1, 5].contains(&(left.as_secs() / 60))), "{:?}", given.left);
}

#[test]
fn the_ramp_is_kept_by_all_workers_together() {
    let world = play(Plan {
        people: 1500,
        per_second: 100,
        in_flight: 50,
        adjust: |manifest| manifest.pace.ramp_up_seconds = 20,
        ..Plan::default()
    });
    let given = world.platform.given();
    let within =
        |from, to| given.left.iter().filter(|left| (seconds(from)..seconds(to)).contains(*left)).count();
    let (first, middle, later) = (within(0, 2), within(9, 11), within(21, 23));
    assert!((10..40).contains(&first), "{first} in the first two seconds");
    assert!((80..125).contains(&middle), "{middle} in two seconds of the middle");
    assert!((190..206).contains(&later), "{later} in two seconds at full rate");
}

#[test]
fn nearly_all_of_the_limit_is_used() {
    for workers in [1, 4, 16] {
        let world = play(Plan {
            people: 6000,
            chunk: 50,
            workers,
            per_second: 500,
            in_flight: 60,
            weather: Weather { slowness: Duration::from_millis(5), ..Weather::default() },
            ..Plan::default()
        });
        let given = world.platform.given();
        let span = |from, to| (seconds(from)..seconds(to), given.left.len());
        let (middle, _) = span(1, 11);
        let used = given.left.iter().filter(|left| middle.contains(*left)).count();
        assert!(used >= 4850, "{workers} workers sent {used} of 5000 in ten seconds");
    }
}

#[test]
fn a_ledger_that_is_far_away_is_worked_with() {
    // By its answer, most of what a reservation gave has passed.
    for workers in [1, 4] {
        let far = Weather { slowness: Duration::from_millis(200), ..Weather::default() };
        let world = play(Plan {
            people: 4000,
            chunk: 500,
            workers,
            per_second: 400,
            in_flight: 100,
            weather: far,
            ..Plan::default()
        });
        assert_eq!(world.count(OutcomeState::Sent), 4000);
        let took = *world.platform.given().left.iter().max().unwrap();
        assert!(took < seconds(30), "{workers} workers took {took:?} for ten seconds' work");
    }
}

#[test]
fn a_full_disk_stops_the_sends_until_there_is_room() {
    let full = (seconds(2), seconds(302));
    let world = play(Plan {
        people: 300,
        workers: 1,
        lease: seconds(30),
        weather: Weather { slowness: Duration::from_millis(10), full: Some(full), ..Weather::default() },
        ..Plan::default()
    });
    assert_eq!(world.count(OutcomeState::Sent), 300);
    let given = world.platform.given();
    let meanwhile = given.left.iter().filter(|left| (full.0 + seconds(1)..full.1).contains(*left)).count();
    assert_eq!(meanwhile, 0, "what cannot be recorded is not sent");
}

#[test]
fn told_to_stop_while_the_ledger_is_gone_it_ends_and_says_so() {
    let gone = Some((seconds(1), seconds(3600)));
    let weather = Weather { slowness: Duration::from_millis(10), outage: gone, ..Weather::default() };
    let world = watch(Plan { people: 300, weather, ..Plan::default() }, seconds(60));
    assert_eq!(world.ends.len(), 2);
    assert!(world.ends.iter().all(|end| matches!(end, Err(RunError::Ledger(_)))), "{:?}", world.ends);
    assert!(world.clock.elapsed() < seconds(90));
}

#[test]
fn a_stopped_campaign_ends_its_runs() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(Plan { people: 1000, ..Plan::default() }, 7);
        let worker = world.hire();
        tokio::time::sleep(seconds(2)).await;
        world.ledger.command(&favor_campaign::Order::Stop).unwrap();
        let stopped_at = world.clock.elapsed();
        assert!(matches!(worker.end().await, Some(Ok(Ended::Stopped))));
        assert!(world.clock.elapsed() < stopped_at + seconds(2));
        assert_eq!(sends_after(&world, stopped_at + seconds(1)), 0);
        let refused = world.hire().end().await;
        assert!(matches!(refused, Some(Err(RunError::NotStarted(State::Stopped)))), "{refused:?}");
    });
}

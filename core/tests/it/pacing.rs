//! Rate limits, the deadline, and what the observer is told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use favor_core::{Clock, ErrorKind, Outcome, Rate, RetryPolicy, TransportFailure};

use crate::calls::{get, send};
use crate::script::Play;
use crate::world::{World, assert_error};

/// When each of `count` sends in a row reached the transport.
async fn times(world: &World, client: &favor_core::Client, count: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..count {
        client.execute(&send()).await.unwrap();
        times.push(world.clock.elapsed());
    }
    times
}

fn always_ok() -> World {
    let world = World::jumping();
    world.script.direct(|_| Play::ok("{}"));
    world
}

#[tokio::test]
async fn calls_wait_for_their_turn() {
    let world = always_ok();
    let client = world.builder().rate("coupon.send", Rate::per_second(2)).build().unwrap();
    let times = times(&world, &client, 5).await;
    let steps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(times[0], Duration::ZERO);
    assert_eq!(steps[0], Duration::from_millis(400), "a tenth of a second may be taken in advance");
    assert!(steps[1..].iter().all(|step| *step == Duration::from_millis(500)), "{steps:?}");
    for _ in 0..5 {
        let before = world.elapsed();
        client.execute(&get()).await.unwrap();
        assert_eq!(world.elapsed(), before, "another operation does not wait");
    }
}

#[tokio::test]
async fn nothing_waits_unless_a_rate_is_set() {
    let world = always_ok();
    let last = times(&world, &world.client(), 20).await;
    assert!(last.iter().all(Duration::is_zero));
}

#[tokio::test]
async fn documented_rates_are_kept_by_their_percentage() {
    let world = always_ok();
    // 500 a second are documented; 2 % of that are 10.
    let client = world.builder().documented_rates(2).build().unwrap();
    let times = times(&world, &client, 21).await;
    assert_eq!(*times.last().unwrap(), Duration::from_millis(1900));
}

#[tokio::test]
async fn a_rate_of_its_own_beats_the_documented_one() {
    let world = always_ok();
    let builder = world.builder().documented_rates(100).rate("coupon.send", Rate::per_minute(60));
    let times = times(&world, &builder.build().unwrap(), 3).await;
    assert_eq!(*times.last().unwrap(), Duration::from_millis(1900));
}

#[tokio::test]
async fn clones_share_their_rate() {
    let world = always_ok();
    let client = world.builder().rate("coupon.send", Rate::per_second(1)).build().unwrap();
    client.execute(&send()).await.unwrap();
    client.with(client.options().clone()).execute(&send()).await.unwrap();
    assert_eq!(world.elapsed(), Duration::from_millis(900));
}

#[tokio::test]
async fn who_would_wait_beyond_the_deadline_is_not_sent() {
    let world = always_ok();
    let client =
        world.builder().rate("coupon.send", Rate::per_minute(1)).retry(RetryPolicy::NONE).build().unwrap();
    client.execute(&send()).await.unwrap();
    let error = client.execute(&send()).await.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Timeout,
        Outcome::NotSent,
        "coupon.send: the rate limit leaves no place before the deadline",
    );
    assert_eq!(world.script.requests(), 1);
    assert_eq!(world.elapsed(), Duration::ZERO, "it fails at once");
}

#[tokio::test]
async fn every_attempt_takes_its_place_in_the_rate() {
    let world = World::playing([Play::fail(TransportFailure::Connect), Play::ok("{}"), Play::ok("{}")]);
    let client = world.builder().rate("coupon.send", Rate::per_second(1)).build().unwrap();
    client.execute(&send()).await.unwrap();
    client.execute(&send()).await.unwrap();
    assert_eq!(world.elapsed(), Duration::from_millis(1900));
}

#[tokio::test]
async fn no_attempt_begins_after_the_deadline() {
    let world = World::jumping();
    let clock = world.clock.clone();
    world.script.direct(move |_| {
        clock.advance(Duration::from_secs(4));
        Play::fail(TransportFailure::Timeout)
    });
    let client = world
        .builder()
        .retry(RetryPolicy::DEFAULT.attempts(100))
        .attempt_timeout(Duration::from_secs(6))
        .deadline(Duration::from_secs(15))
        .build()
        .unwrap();
    let error = client.execute(&send()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let seen = world.script.seen();
    assert_eq!(seen.len(), 3, "4 s each, with pauses between");
    assert_eq!(usize::try_from(error.attempts()).unwrap(), seen.len());
    assert_eq!(seen[0].timeout, Duration::from_secs(6));
    let last = seen.last().unwrap().timeout;
    assert!(last < Duration::from_secs(6), "the last attempt gets what is left: {last:?}");
}

#[tokio::test]
async fn a_deadline_of_zero_sends_nothing() {
    let world = World::playing([]);
    let error = world.builder().deadline(Duration::ZERO).build().unwrap().execute(&send()).await.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Timeout,
        Outcome::NotSent,
        "coupon.send: the deadline passed before the request could be sent",
    );
    assert_eq!(world.script.requests(), 0);
}

#[tokio::test]
async fn the_observer_is_told_of_each_attempt() {
    #[derive(Debug, PartialEq)]
    struct Told {
        operation: &'static str,
        attempt: u32,
        status: Option<u16>,
        failure: Option<(ErrorKind, Outcome)>,
        verified: bool,
        request_id: Option<String>,
        took: Duration,
    }
    let told = Arc::new(Mutex::new(Vec::new()));
    let world = World::jumping();
    let clock = world.clock.clone();
    let mut plays = vec![
        Play::ok("{}").header("request-id", "r4"),
        Play::error(503, "SERVICE_UNAVAILABLE", "").header("request-id", "r3"),
        Play::ok("{}").header("wechatpay-nonce", "x").header("request-id", "r2"),
        Play::fail(TransportFailure::Connect),
    ];
    world.script.direct(move |_| {
        clock.advance(Duration::from_millis(20));
        plays.pop().unwrap()
    });
    let client = world.builder().retry(RetryPolicy::DEFAULT.attempts(4)).observe({
        let told = told.clone();
        move |attempt| {
            told.lock().unwrap().push(Told {
                operation: attempt.operation,
                attempt: attempt.attempt,
                status: attempt.status,
                failure: attempt.failure,
                verified: attempt.verified,
                request_id: attempt.request_id.map(str::to_owned),
                took: attempt.took,
            });
        }
    });
    client.build().unwrap().execute(&send()).await.unwrap();
    let row = |attempt, status, failure, request_id: Option<&str>| Told {
        operation: "coupon.send",
        attempt,
        status,
        failure,
        verified: failure.is_none(),
        request_id: request_id.map(str::to_owned),
        took: Duration::from_millis(20),
    };
    assert_eq!(
        *told.lock().unwrap(),
        [
            row(1, None, Some((ErrorKind::Connect, Outcome::NotSent)), None),
            row(2, None, Some((ErrorKind::Verification, Outcome::Unknown)), Some("r2")),
            row(3, Some(503), Some((ErrorKind::Api, Outcome::Unknown)), Some("r3")),
            row(4, Some(200), None, Some("r4")),
        ]
    );
}

//! When a call is repeated, where, after what pause, and what remains of doubt.

use std::time::Duration;

use favor_core::{Call, ErrorKind, Outcome, RetryPolicy, TransportFailure};

use crate::calls::{get, send, send_once};
use crate::script::Play;
use crate::world::{BACKUP, HOST, World, assert_error};

use TransportFailure::{Connect, Interrupted, Timeout, TooLarge, Unsendable};

fn probe() -> Play {
    Play::ok("{}").header("wechatpay-signature", "WECHATPAY/SIGNTEST/AAAA")
}

fn refusal() -> Play {
    Play::error(403, "NOT_ENOUGH", "预算不足")
}

/// How many attempts a call makes when the first one goes like this and a second would succeed.
async fn attempts(call: &Call, first: Play) -> usize {
    let world = World::playing([first, Play::ok("{}")]);
    let result = world.client().execute(call).await;
    assert_eq!(result.is_ok(), world.script.requests() == 2);
    world.script.requests()
}

#[tokio::test]
async fn an_idempotent_call_is_repeated_after_whatever_can_pass() {
    let passing: [fn() -> Play; 8] = [
        || Play::fail(Connect),
        || Play::fail(Timeout),
        || Play::fail(Interrupted),
        || Play::error(408, "X", ""),
        || Play::error(429, "FREQUENCY_LIMIT_EXCEED", ""),
        || Play::error(500, "SYSTEM_ERROR", ""),
        || Play::unsigned(502, "<html>"),
        probe,
    ];
    for (at, play) in passing.iter().enumerate() {
        assert_eq!(attempts(&send(), play()).await, 2, "failure {at}");
        assert_eq!(attempts(&get(), play()).await, 2, "failure {at}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_idempotent_is_repeated_only_when_it_surely_did_nothing() {
    assert_eq!(attempts(&send_once(), Play::fail(Connect)).await, 2);
    assert_eq!(attempts(&send_once(), Play::error(429, "RATE_LIMITED", "")).await, 2);
    for play in [
        Play::fail(Timeout),
        Play::fail(Interrupted),
        Play::ok("{}").cut(),
        Play::error(408, "X", ""),
        Play::error(500, "SYSTEM_ERROR", ""),
        Play::unsigned(503, ""),
        probe(),
    ] {
        assert_eq!(attempts(&send_once(), play).await, 1);
    }
}

#[tokio::test]
async fn what_cannot_pass_is_never_repeated() {
    for play in [
        refusal(),
        Play::error(401, "SIGN_ERROR", ""),
        Play::error(404, "RESOURCE_NOT_EXISTS", ""),
        Play::unsigned(302, ""),
        Play::fail(TooLarge),
        Play::fail(Unsendable),
    ] {
        assert_eq!(attempts(&send(), play).await, 1);
    }
}

#[tokio::test]
async fn three_attempts_are_made_unless_another_number_is_set() {
    let policy = RetryPolicy::DEFAULT;
    for (policy, expected) in [
        (policy, 3),
        (policy.attempts(5), 5),
        (policy.attempts(1), 1),
        (policy.attempts(0), 1),
        (RetryPolicy::NONE, 1),
    ] {
        let world = World::jumping();
        world.script.direct(|_| Play::error(500, "SYSTEM_ERROR", "系统繁忙"));
        let error = world.builder().retry(policy).build().unwrap().execute(&send()).await.unwrap_err();
        assert_eq!(world.script.requests(), expected);
        let after = if expected == 1 { String::new() } else { format!(" after {expected} attempts") };
        assert_error(
            &error,
            ErrorKind::Api,
            Outcome::Unknown,
            &format!("coupon.send: the platform answered 500{after} < SYSTEM_ERROR: 系统繁忙"),
        );
        assert_eq!(usize::try_from(error.attempts()).unwrap(), expected);
    }
}

#[tokio::test]
async fn pauses_grow_and_stay_within_the_policy() {
    let world = World::jumping();
    world.script.direct(|_| Play::fail(Connect));
    let client = world.builder().retry(RetryPolicy::DEFAULT.attempts(8)).deadline(Duration::from_secs(600));
    let _ = client.build().unwrap().execute(&send()).await.unwrap_err();
    // Pauses of at most 0.5, 1.5, 4.5 and then 10 s, and at least half of that.
    let most = Duration::from_millis(500 + 1500 + 4500 + 4 * 10_000);
    assert!((most / 2..=most).contains(&world.elapsed()), "{:?}", world.elapsed());
}

#[tokio::test]
async fn retry_after_is_honoured_when_it_is_longer_than_our_own_pause() {
    for (asked, least, most) in
        [("20", 20_000, 20_000), ("0", 250, 500), ("soon", 250, 500), ("-1", 250, 500)]
    {
        let world = World::playing([
            Play::error(429, "FREQUENCY_LIMIT_EXCEED", "").header("retry-after", asked),
            Play::ok("{}"),
        ]);
        world.client().execute(&send()).await.unwrap();
        let waited = world.elapsed();
        let range = Duration::from_millis(least)..=Duration::from_millis(most);
        assert!(range.contains(&waited), "{asked}: {waited:?}");
    }
}

#[tokio::test]
async fn a_pause_beyond_the_deadline_is_not_begun() {
    for asked in ["31", "86400", "18446744073709551615"] {
        let world =
            World::playing([Play::error(429, "FREQUENCY_LIMIT_EXCEED", "").header("retry-after", asked)]);
        let error = world.client().execute(&send()).await.unwrap_err();
        assert_eq!((error.outcome(), error.attempts()), (Outcome::Refused, 1));
        assert_eq!(world.elapsed(), Duration::ZERO);
    }
}

#[tokio::test]
async fn once_in_doubt_a_call_stays_in_doubt() {
    let doubts: [fn() -> Play; 4] =
        [|| Play::fail(Timeout), || Play::error(500, "SYSTEM_ERROR", ""), || Play::ok("{}").cut(), probe];
    let sure: [(fn() -> Play, ErrorKind); 2] =
        [(refusal, ErrorKind::Api), (|| Play::fail(Unsendable), ErrorKind::InvalidRequest)];
    for doubt in doubts {
        for (end, kind) in sure {
            let world = World::playing([doubt(), end()]);
            let error = world.client().execute(&send()).await.unwrap_err();
            assert_eq!((error.kind(), error.outcome()), (kind, Outcome::Unknown), "{error:?}");
            assert_eq!(error.attempts(), 2);
            assert_eq!(error.hint(), "repeat the call with the same parameters and the same out_request_no");
        }
    }
}

#[tokio::test]
async fn doubt_survives_a_later_attempt_that_was_surely_not_sent() {
    let world = World::playing([Play::fail(Interrupted), Play::fail(Connect), Play::fail(Connect)]);
    let error = world.client().execute(&send()).await.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Connect,
        Outcome::Unknown,
        "coupon.send: no connection could be made after 3 attempts < scripted",
    );
}

#[tokio::test]
async fn doubt_ends_with_a_success() {
    let world = World::playing([Play::fail(Timeout), Play::ok("{}")]);
    assert!(world.client().execute(&send()).await.is_ok());
}

#[tokio::test]
async fn without_doubt_the_last_refusal_counts() {
    let world = World::playing([Play::fail(Connect), Play::error(429, "RATE_LIMITED", ""), refusal()]);
    let error = world.client().execute(&send()).await.unwrap_err();
    assert_eq!((error.outcome(), error.attempts()), (Outcome::Refused, 3));
}

/// Where each of three attempts went when all fail like this.
async fn hosts(failing: fn() -> Play) -> Vec<String> {
    let world = World::jumping();
    world.script.direct(move |_| failing());
    let client = world.builder().backup_url(BACKUP).build().unwrap();
    let _ = client.execute(&send()).await.unwrap_err();
    world.script.seen().into_iter().map(|seen| seen.base_url).collect()
}

#[tokio::test]
async fn the_backup_host_is_used_after_connection_failures_and_timeouts_only() {
    assert_eq!(hosts(|| Play::fail(Connect)).await, [HOST, BACKUP, HOST]);
    assert_eq!(hosts(|| Play::fail(Timeout)).await, [HOST, BACKUP, HOST]);
    assert_eq!(hosts(|| Play::fail(Interrupted)).await, [HOST; 3]);
    assert_eq!(hosts(|| Play::error(500, "SYSTEM_ERROR", "")).await, [HOST; 3]);
    assert_eq!(hosts(|| Play::error(429, "RATE_LIMITED", "")).await, [HOST; 3]);
    assert_eq!(hosts(probe).await, [HOST; 3]);
}

#[tokio::test]
async fn each_call_begins_at_the_main_host() {
    let world = World::playing([Play::fail(Connect), Play::ok("{}"), Play::ok("{}")]);
    let client = world.builder().backup_url(BACKUP).build().unwrap();
    client.execute(&send()).await.unwrap();
    client.execute(&send()).await.unwrap();
    let hosts: Vec<_> = world.script.seen().into_iter().map(|seen| seen.base_url).collect();
    assert_eq!(hosts, [HOST, BACKUP, HOST]);
}

#[tokio::test]
async fn options_for_some_calls_leave_the_others_alone() {
    let world = World::playing([Play::fail(Connect), Play::fail(Connect), Play::ok("{}")]);
    let client = world.client();
    let mut options = client.options().clone();
    options.retry = RetryPolicy::NONE;
    let error = client.with(options).execute(&send()).await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert!(client.execute(&send()).await.is_ok());
}

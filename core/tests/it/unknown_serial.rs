//! Answers and notifications that name a key not held: one refresh, and not more than one a minute.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use favor_core::{Client, ErrorKind, Outcome, PlatformKeys, Serial, TransportFailure, VerifyError};
use tokio::sync::Semaphore;

use crate::calls::send;
use crate::key_download::{client, good_list};
use crate::platform::{
    Platform, SERIAL_1, SERIAL_2, certificate_1, certificate_2, certificate_list, public_key_set,
};
use crate::script::Play;
use crate::world::{World, assert_error, chain};

/// A platform that has changed its certificate: downloads bring both, answers are signed by the second.
fn both_certificates() -> Play {
    let (older, newer) = (certificate_1(-20, 20), certificate_2(-1, 100));
    let list = certificate_list([(SERIAL_1, older.as_str()), (SERIAL_2, newer.as_str())]);
    Play::signed(&Platform::by_certificate_2(), 200, list)
}

/// A world where the first download brings the first certificate, and all later ones what `then` says. Calls are
/// answered by the first certificate until the returned switch is thrown, then by the second.
fn changing(then: impl Fn() -> Play + Send + 'static) -> (World, Arc<AtomicBool>) {
    let world = World::standing();
    let changed = Arc::new(AtomicBool::new(false));
    let mut first = true;
    world.script.direct({
        let changed = changed.clone();
        move |seen| match (seen.is_download(), changed.load(Ordering::Relaxed)) {
            (true, _) if std::mem::take(&mut first) => good_list(),
            (true, _) => then(),
            (false, false) => Play::signed(&Platform::by_certificate_1(), 200, "{}"),
            (false, true) => Play::signed(&Platform::by_certificate_2(), 200, "{}"),
        }
    });
    (world, changed)
}

/// A client that holds the first certificate, of a platform that has begun to use the second.
async fn behind_the_times(world: &World, changed: &AtomicBool) -> Client {
    let client = client(world);
    client.execute(&send()).await.unwrap();
    assert_eq!(world.script.downloads(), 1);
    changed.store(true, Ordering::Relaxed);
    client
}

/// A notification signed by the second certificate.
async fn notify(world: &World, client: &Client) -> Result<Serial, VerifyError> {
    let now = client.now().timestamp();
    assert_eq!(now, crate::world::START + i64::try_from(world.elapsed().as_secs()).unwrap());
    let headers = Platform::by_certificate_2().headers(now, b"{}");
    client.verify(&headers, b"{}").await
}

#[tokio::test]
async fn an_unknown_serial_brings_the_new_certificate_at_once() {
    let (world, changed) = changing(both_certificates);
    let client = behind_the_times(&world, &changed).await;
    let response = client.execute(&send()).await.unwrap();
    assert_eq!(response.signed_by.unwrap().as_str(), SERIAL_2);
    assert_eq!(world.script.downloads(), 2);
    assert_eq!(world.script.requests(), 4, "the call itself was not repeated");
    client.execute(&send()).await.unwrap();
    assert_eq!(world.script.downloads(), 2);
}

#[tokio::test]
async fn a_notification_with_an_unknown_serial_does_the_same() {
    let (world, changed) = changing(both_certificates);
    let client = behind_the_times(&world, &changed).await;
    assert_eq!(notify(&world, &client).await.unwrap().as_str(), SERIAL_2);
    assert_eq!(world.script.downloads(), 2);
}

#[tokio::test]
async fn sixty_four_calls_at_once_share_one_refresh() {
    let gate = Arc::new(Semaphore::new(0));
    let (world, changed) = changing({
        let gate = gate.clone();
        move || both_certificates().behind(&gate)
    });
    let client = behind_the_times(&world, &changed).await;
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.execute(&send()).await })
        })
        .collect();
    world.script.wait_for(2 + 64 + 1).await;
    crate::world::settle().await;
    assert_eq!(world.script.downloads(), 2, "all calls are answered and wait for one download");
    gate.add_permits(64);
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().signed_by.unwrap().as_str(), SERIAL_2);
    }
    assert_eq!(world.script.downloads(), 2);
}

#[tokio::test]
async fn forged_serials_cause_one_refresh_a_minute_at_most() {
    let (world, changed) = changing(good_list);
    let client = behind_the_times(&world, &changed).await;
    let expected = Err(VerifyError::UnknownKey(Serial::new(SERIAL_2)));
    for _ in 0..10 {
        assert_eq!(notify(&world, &client).await, expected);
    }
    assert_eq!(world.script.downloads(), 2);
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(notify(&world, &client).await, expected);
    assert_eq!(world.script.downloads(), 2);
    world.clock.advance(Duration::from_secs(1));
    for _ in 0..10 {
        assert_eq!(notify(&world, &client).await, expected);
    }
    assert_eq!(world.script.downloads(), 3);
}

#[tokio::test]
async fn failed_refreshes_count_for_the_minute_too_and_change_nothing() {
    let (world, changed) = changing(|| Play::fail(TransportFailure::Timeout));
    let client = behind_the_times(&world, &changed).await;
    for _ in 0..5 {
        let error = client.execute(&send()).await.unwrap_err();
        assert_error(
            &error,
            ErrorKind::Verification,
            Outcome::Unknown,
            &format!(
                "coupon.send: the answer cannot be trusted < signed with the key {SERIAL_2}, which is not among the platform keys held"
            ),
        );
    }
    assert_eq!(world.script.downloads(), 2);
    changed.store(false, Ordering::Relaxed);
    assert!(client.execute(&send()).await.is_ok(), "the held certificate stays in use");
}

#[tokio::test]
async fn other_faults_of_a_signature_cause_no_refresh() {
    let (world, changed) = changing(both_certificates);
    let client = behind_the_times(&world, &changed).await;
    let good = Platform::by_certificate_1().headers(crate::world::START, b"{}");
    let mut stale = good.clone();
    stale.insert("wechatpay-timestamp", "1".parse().unwrap());
    stale.insert("wechatpay-serial", "0B".parse().unwrap());
    let mut incomplete = good.clone();
    incomplete.remove("wechatpay-signature");
    incomplete.insert("wechatpay-serial", "0B".parse().unwrap());
    assert!(client.verify(&stale, b"{}").await.is_err());
    assert!(client.verify(&incomplete, b"{}").await.is_err());
    assert_eq!(client.verify(&good, b"tampered").await, Err(VerifyError::WrongSignature));
    assert!(client.verify(&good, b"{}").await.is_ok());
    assert_eq!(world.script.downloads(), 1);
}

#[tokio::test]
async fn fixed_keys_are_never_refreshed() {
    let world = World::standing();
    world.script.direct(|_| Play::signed(&Platform::by_certificate_1(), 200, "{}"));
    let client = world.builder_with(PlatformKeys::fixed(public_key_set())).build().unwrap();
    let error = client.execute(&send()).await.unwrap_err();
    assert!(chain(&error).ends_with("which is not among the platform keys held"), "{error}");
    assert_eq!(world.script.requests(), 1);
}

//! Certificates kept fresh in the background, by a clock that the test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use favor_core::{Client, TransportFailure};

use crate::calls::send;
use crate::key_download::{client, good_list, keys, world};
use crate::platform::{DAY, Platform, SERIAL_1, SERIAL_2, certificate_1, certificate_2, certificate_list};
use crate::script::Play;
use crate::world::{World, settle};

const HOUR: Duration = Duration::from_secs(3600);

/// Moves the clock and lets the background task do what is due.
async fn pass(world: &World, time: Duration) {
    world.clock.advance(time);
    settle().await;
}

fn held(client: &Client) -> Vec<String> {
    client.keys().certificates().map(|held| held.serial().as_str().to_owned()).collect()
}

#[tokio::test]
async fn a_client_downloads_by_itself_and_again_within_10_to_12_hours() {
    let world = world(good_list);
    let client = client(&world);
    settle().await;
    assert_eq!(world.script.downloads(), 1, "without any call");
    for round in 2..5 {
        pass(&world, 10 * HOUR - Duration::from_secs(1)).await;
        assert_eq!(world.script.downloads(), round - 1, "not before 10 h");
        pass(&world, 2 * HOUR + Duration::from_secs(1)).await;
        assert_eq!(world.script.downloads(), round, "by 12 h");
    }
    assert_eq!(held(&client), [SERIAL_1]);
    let last = world.script.seen().pop().unwrap();
    assert_eq!(last.header("wechatpay-serial"), Some(SERIAL_1), "a held key is announced");
}

#[tokio::test]
async fn a_failed_refresh_keeps_the_keys_and_is_tried_again_with_growing_pauses() {
    let downloads = Arc::new(AtomicUsize::new(0));
    let world = world({
        let downloads = downloads.clone();
        move || match downloads.fetch_add(1, Ordering::Relaxed) {
            0 => good_list(),
            _ => Play::fail(TransportFailure::Connect),
        }
    });
    let client = client(&world);
    settle().await;
    pass(&world, 12 * HOUR).await;
    assert_eq!(downloads.load(Ordering::Relaxed), 2);
    let mut longest = Duration::from_secs(60);
    for failure in 2..12 {
        pass(&world, longest / 2 - Duration::from_secs(1)).await;
        assert_eq!(downloads.load(Ordering::Relaxed), failure, "not before half of {longest:?}");
        pass(&world, longest / 2 + Duration::from_secs(1)).await;
        assert_eq!(downloads.load(Ordering::Relaxed), failure + 1, "by {longest:?}");
        longest = (longest * 2).min(HOUR);
    }
    assert_eq!(held(&client), [SERIAL_1]);
    client.execute(&send()).await.unwrap();
}

#[tokio::test]
async fn after_a_success_the_pauses_begin_anew() {
    let downloads = Arc::new(AtomicUsize::new(0));
    let world = world({
        let downloads = downloads.clone();
        move || match downloads.fetch_add(1, Ordering::Relaxed) {
            0 | 1 | 2 | 4 => Play::fail(TransportFailure::Connect),
            _ => good_list(),
        }
    });
    let _client = client(&world);
    settle().await;
    for pause in [60, 120, 240] {
        pass(&world, Duration::from_secs(pause)).await;
    }
    assert_eq!(downloads.load(Ordering::Relaxed), 4);
    pass(&world, 12 * HOUR).await;
    assert_eq!(downloads.load(Ordering::Relaxed), 5);
    pass(&world, Duration::from_secs(60)).await;
    assert_eq!(downloads.load(Ordering::Relaxed), 6, "60 s after the first failure, as at the beginning");
}

#[tokio::test]
async fn a_certificate_that_left_the_list_is_kept_until_it_expires() {
    let downloads = Arc::new(AtomicUsize::new(0));
    let world = world({
        let downloads = downloads.clone();
        move || {
            let (first, second) = (certificate_1(-10, 2), certificate_2(-10, 1000));
            let both = [(SERIAL_1, first.as_str()), (SERIAL_2, second.as_str())];
            let list = match downloads.fetch_add(1, Ordering::Relaxed) {
                0 => certificate_list(both),
                _ => certificate_list([both[1]]),
            };
            Play::signed(&Platform::by_certificate_2(), 200, list)
        }
    });
    let client = client(&world);
    settle().await;
    pass(&world, 12 * HOUR).await;
    assert_eq!(downloads.load(Ordering::Relaxed), 2);
    let mut serials = held(&client);
    serials.sort();
    assert_eq!(serials, [SERIAL_1, SERIAL_2], "it left the list");
    client.execute(&send()).await.expect("signed by the one that left");

    let to_expiry = Duration::from_secs(2 * DAY.unsigned_abs());
    pass(&world, to_expiry).await;
    assert!(downloads.load(Ordering::Relaxed) > 2);
    assert_eq!(held(&client), [SERIAL_2], "it expired");
}

#[tokio::test]
async fn an_expired_certificate_is_not_used_even_when_no_refresh_succeeds() {
    let mut plays = vec![{
        let pem = certificate_1(-10, 1);
        Play::signed(&Platform::by_certificate_1(), 200, certificate_list([(SERIAL_1, pem.as_str())]))
    }];
    let world = world(move || plays.pop().unwrap_or_else(|| Play::fail(TransportFailure::Connect)));
    let client = client(&world);
    client.execute(&send()).await.unwrap();
    pass(&world, Duration::from_secs(DAY.unsigned_abs() + 1)).await;
    let error = client.execute(&send()).await.unwrap_err();
    assert!(
        crate::world::chain(&error)
            .ends_with(&format!("signed with the certificate {SERIAL_1}, which has expired")),
        "{error}"
    );
}

#[tokio::test]
async fn the_background_task_ends_with_the_last_clone_of_the_client() {
    let world = world(good_list);
    let client = client(&world);
    let clone = client.clone();
    settle().await;
    drop(client);
    pass(&world, 12 * HOUR).await;
    assert_eq!(world.script.downloads(), 2, "a clone is left");
    drop(clone);
    settle().await;
    assert_eq!(world.script.holders(), 1, "nobody but the test holds the transport");
    pass(&world, 12 * HOUR).await;
    assert_eq!(world.script.downloads(), 2);
}

#[test]
fn a_client_survives_the_runtime_it_was_first_used_on() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = world(good_list);
    let client = world.builder_with(keys()).build().unwrap();
    assert_eq!(world.script.requests(), 0, "without a runtime nothing runs in the background");
    runtime().block_on(async {
        client.execute(&send()).await.unwrap();
        settle().await;
    });
    let first = world.script.downloads();
    runtime().block_on(async {
        client.execute(&send()).await.unwrap();
        settle().await;
        assert_eq!(world.script.downloads(), first + 1, "the new background task begins with a download");
        pass(&world, 12 * HOUR).await;
        assert_eq!(world.script.downloads(), first + 2, "and keeps the keys fresh");
    });
}

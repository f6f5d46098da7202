//! Repeats: when they come, and what ends them.

use std::time::Duration;

use favor_mirror::{FaultKind, FaultRule, GENERAL_RETRIES, MINUTE_RETRIES, MirrorError, NotificationState};
use serde_json::{Value, json};

use super::{patient, pay, told, told_by};
use crate::harness::{USER, builder};
use crate::receiver::{Answer, Receiver, newest, offsets};

#[tokio::test]
async fn one_jump_passes_all_repeats_at_their_instants() {
    let (world, receiver, stock) = told(Answer::Status(500)).await;
    pay(&world, &stock, USER, "s1").await;
    let began = world.mirror.now();
    let first = newest(&world).await;
    assert_eq!((first.state, first.deliveries.len()), (NotificationState::Pending, 1));
    assert_eq!(first.next_attempt, Some(began + Duration::from_secs(15)));
    // A second one, seven seconds later, so that the two interleave.
    world.mirror.advance(Duration::from_secs(7)).await.unwrap();
    pay(&world, &stock, "oOther", "s2").await;
    let end = world.mirror.advance(Duration::from_secs(10 * 86_400)).await.unwrap();
    assert_eq!(end, began + Duration::from_secs(10 * 86_400 + 7));

    let mut sum = 0;
    let expected: Vec<_> = std::iter::once(0)
        .chain(GENERAL_RETRIES.iter().map(|wait| {
            sum += i64::try_from(wait.as_secs()).unwrap();
            sum
        }))
        .collect();
    assert_eq!(expected.last(), Some(&(24 * 3_600 + 240)));
    let log = world.mirror.notifications(9, 0).await.unwrap();
    for entry in &log {
        assert_eq!((entry.state, entry.next_attempt), (NotificationState::GivenUp, None));
        assert_eq!(offsets(&entry.deliveries), expected);
        let attempts: Vec<_> = entry.deliveries.iter().map(|delivery| delivery.attempt).collect();
        assert_eq!(attempts, (1..=16).collect::<Vec<_>>());
        assert!(entry.deliveries.iter().all(|delivery| delivery.status == Some(500)));
    }
    let arrived = receiver.take();
    assert_eq!(arrived.len(), 32);
    let times: Vec<_> = arrived.iter().map(|told| told.timestamp()).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(times[31] - times[0], expected[15] + 7);
    assert!(receiver.connections() <= 2, "connections are used again");
    // Every delivery is signed and sealed anew, under the same id.
    let distinct = |text: &dyn Fn(&crate::receiver::Arrival) -> String| {
        arrived.iter().map(text).collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!(distinct(&|told| told.id()), 2);
    assert_eq!(distinct(&|told| told.header("wechatpay-nonce").to_owned()), 32);
    assert_eq!(distinct(&|told| told.header("wechatpay-signature").to_owned()), 32);
    assert_eq!(distinct(&|told| told.0.json()["resource"]["nonce"].to_string()), 32);
    assert_eq!(distinct(&|told| told.0.json()["create_time"].to_string()), 2);
    assert!(arrived.iter().all(|told| told.is_genuine(&world.mirror)));
    world.mirror.advance(Duration::from_secs(10 * 86_400)).await.unwrap();
    assert!(receiver.take().is_empty());
}

#[tokio::test]
async fn the_schedule_can_be_another() {
    let (world, receiver, stock) =
        told_by(builder().callback_schedule(MINUTE_RETRIES), Answer::Status(500)).await;
    pay(&world, &stock, USER, "s1").await;
    world.mirror.advance(Duration::from_secs(86_400)).await.unwrap();
    assert_eq!(offsets(&newest(&world).await.deliveries), (0..10).map(|n| n * 60).collect::<Vec<_>>());
    assert_eq!(receiver.take().len(), 10);
    let (world, receiver, stock) = told_by(builder().callback_schedule([]), Answer::Status(500)).await;
    pay(&world, &stock, USER, "s1").await;
    assert_eq!(newest(&world).await.state, NotificationState::GivenUp);
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn only_200_and_204_acknowledge() {
    let (world, receiver, stock) = told_by(patient(), Answer::Status(200)).await;
    receiver.script([
        Answer::Status(302),
        Answer::Status(202),
        Answer::Status(404),
        Answer::Status(500),
        Answer::Status(204),
    ]);
    pay(&world, &stock, USER, "s1").await;
    world.mirror.advance(Duration::from_secs(86_400)).await.unwrap();
    let entry = newest(&world).await;
    assert_eq!(entry.state, NotificationState::Delivered);
    let statuses: Vec<_> = entry.deliveries.iter().map(|delivery| delivery.status).collect();
    assert_eq!(statuses, [Some(302), Some(202), Some(404), Some(500), Some(204)]);
    let error = |n: usize| entry.deliveries[n].error.clone().unwrap_or_default();
    assert_eq!(error(0), "redirects are not followed");
    assert_eq!(error(1), "only 200 and 204 acknowledge");
    assert_eq!(error(4), "");
    assert_eq!(receiver.take().len(), 5);
}

#[tokio::test]
async fn silence_is_no_acknowledgement() {
    let quick = builder().callback_timeout(Duration::from_millis(700));
    let (world, receiver, stock) = told_by(quick, Answer::Status(200)).await;
    receiver.script([Answer::Hang]);
    pay(&world, &stock, USER, "s1").await;
    world.mirror.advance(Duration::from_secs(86_400)).await.unwrap();
    let entry = newest(&world).await;
    assert_eq!(entry.state, NotificationState::Delivered);
    assert_eq!(entry.deliveries[0].status, None);
    assert_eq!(entry.deliveries[0].error.as_deref(), Some("no answer within 700 ms"));
}

/// Only the beginning of an answer is kept, however long it is.
#[tokio::test]
async fn a_long_answer_is_cut_and_still_acknowledges() {
    let (world, _receiver, stock) = told(Answer::Long(20_000_000)).await;
    pay(&world, &stock, USER, "s1").await;
    let entry = newest(&world).await;
    assert_eq!((entry.state, entry.deliveries[0].answer.len()), (NotificationState::Delivered, 1_024));
}

#[tokio::test]
async fn nobody_there_is_a_failure_and_a_new_address_gets_the_next_repeat() {
    let (world, receiver, stock) = told(Answer::Status(200)).await;
    let gone = receiver.url();
    drop(receiver);
    pay(&world, &stock, USER, "s1").await;
    let entry = newest(&world).await;
    assert_eq!((entry.state, &entry.notify_url), (NotificationState::Pending, &gone));
    assert!(entry.deliveries[0].error.as_ref().unwrap().starts_with("cannot connect"), "{entry:?}");
    let receiver = Receiver::start(Answer::Status(200)).await;
    receiver.listen_for(&world).await;
    world.mirror.advance(Duration::from_secs(15)).await.unwrap();
    let entry = newest(&world).await;
    assert_eq!((entry.state, entry.notify_url), (NotificationState::Delivered, receiver.url()));
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn a_replay_delivers_once_more() {
    let (world, receiver, stock) = told(Answer::Status(200)).await;
    pay(&world, &stock, USER, "s1").await;
    let first = receiver.take().remove(0);
    receiver.usually(Answer::Status(500));
    // Acknowledged before, it stays so.
    let entry = world.mirror.replay("1").await.unwrap();
    assert_eq!(entry.state, NotificationState::Delivered);
    let replays: Vec<_> = entry.deliveries.iter().map(|one| (one.attempt, one.replay, one.status)).collect();
    assert_eq!(replays, [(1, false, Some(200)), (2, true, Some(500))]);
    assert_eq!(receiver.take()[0].id(), first.id());

    pay(&world, &stock, USER, "s2").await;
    receiver.usually(Answer::Status(200));
    let target = format!("/_mirror/callbacks/{}/replay", newest(&world).await.notification_id);
    let entry = world.control("POST", &target, &Value::Null).await.ok();
    assert_eq!((&entry["state"], &entry["next_attempt"]), (&json!("delivered"), &Value::Null));
    world.mirror.advance(Duration::from_secs(86_400)).await.unwrap();
    assert_eq!(receiver.take().len(), 2);

    // A probe spoils a replay too; being held is for the schedule.
    for (kind, faults) in
        [(FaultKind::Hold { seconds: 9 }, vec![]), (FaultKind::Probe, vec!["probe".to_owned()])]
    {
        let genuine = kind != FaultKind::Probe;
        world.mirror.plan(FaultRule::new(kind).operation("callback.notify")).unwrap();
        let entry = world.mirror.replay("2").await.unwrap();
        assert_eq!(entry.deliveries.last().unwrap().faults, faults);
        assert_eq!(receiver.take()[0].is_genuine(&world.mirror), genuine);
    }
    assert!(matches!(world.mirror.replay("EV-1").await, Err(MirrorError::NotFound { .. })));
    assert_eq!(world.control("POST", "/_mirror/callbacks/99/replay", &Value::Null).await.status, 404);
}

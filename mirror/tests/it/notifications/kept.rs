//! What is kept of notifications: over restarts, failures of the store, and resets.

use std::time::Duration;

use favor_mirror::{MirrorError, NotificationState, Redeem};

use super::{pay, told, told_by};
use crate::harness::{USER, World, builder, damage, stock_body};
use crate::receiver::{Answer, newest, offsets};

/// Killed between attempts, with deliveries under way, and with some acknowledged: nothing is lost.
#[tokio::test]
async fn what_is_pending_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let quick = || builder().data(&file).callback_timeout(Duration::from_secs(60));
    let (world, receiver, stock) = told_by(quick(), Answer::Status(200)).await;
    pay(&world, &stock, "oDone", "s0").await;
    receiver.usually(Answer::Status(500));
    pay(&world, &stock, USER, "s1").await;
    world.mirror.advance(Duration::from_secs(20)).await.unwrap();
    receiver.usually(Answer::Hang);
    receiver.take();
    let hanging = world.coupon(&stock, "oHang", "s2").await;
    {
        let paying = world.mirror.redeem(&hanging, Redeem::default());
        let arrived = async {
            while receiver.take().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = paying => panic!("the receiver answers nothing"),
            () = arrived => {}
        }
    }
    let before = world.mirror.notifications(9, 0).await.unwrap();
    let states: Vec<_> = before.iter().rev().map(|entry| (entry.state, entry.deliveries.len())).collect();
    use NotificationState::{Delivered, Pending};
    assert_eq!(states, [(Delivered, 1), (Pending, 2), (Pending, 0)]);
    drop(world);

    receiver.usually(Answer::Status(200));
    let world = World::with(quick()).await;
    // The one under way is due at once, the other one when its time comes.
    world.mirror.advance(Duration::ZERO).await.unwrap();
    let arrived = receiver.take();
    assert_eq!(arrived.iter().map(|told| told.id()).collect::<Vec<_>>(), [before[0].notification_id.clone()]);
    world.mirror.advance(Duration::from_secs(10)).await.unwrap();
    let after = world.mirror.notifications(9, 0).await.unwrap();
    assert!(after.iter().all(|entry| entry.state == Delivered));
    assert_eq!(offsets(&after[1].deliveries), [0, 15, 30]);
    assert_eq!(receiver.take().len(), 1);
    world.assert_sound(&world.mirror.audit().await);
}

/// A store that cannot keep what came of a delivery: whoever moves the clock is told, and it happens again.
#[tokio::test]
async fn a_delivery_that_cannot_be_kept_happens_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let (world, receiver, stock) = told_by(builder().data(&file), Answer::Status(200)).await;
    receiver.script([Answer::Status(500)]);
    pay(&world, &stock, USER, "s1").await;
    damage(
        &file,
        "CREATE TRIGGER full BEFORE INSERT ON deliveries BEGIN SELECT raise(FAIL, 'disk full'); END",
    );
    let failed = world.mirror.advance(Duration::from_secs(100)).await;
    assert!(matches!(failed, Err(MirrorError::Storage(_))), "{failed:?}");
    assert_eq!(Some(world.mirror.now()), newest(&world).await.next_attempt);
    damage(&file, "DROP TRIGGER full");
    world.mirror.advance(Duration::from_secs(100)).await.unwrap();
    let entry = newest(&world).await;
    assert_eq!((entry.state, offsets(&entry.deliveries)), (NotificationState::Delivered, vec![0, 15]));
    assert!(receiver.take().len() >= 3);
}

#[tokio::test]
async fn reset_forgets_notifications_and_numbers_start_over() {
    let (world, receiver, stock) = told(Answer::Status(500)).await;
    pay(&world, &stock, USER, "s1").await;
    world.mirror.reset().await.unwrap();
    world.mirror.advance(Duration::from_secs(86_400)).await.unwrap();
    assert_eq!(receiver.take().len(), 1);
    assert!(world.mirror.notifications(9, 0).await.unwrap().is_empty());
    world.mirror.reset().await.unwrap();
    receiver.listen_for(&world).await;
    let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
    pay(&world, &stock, USER, "s1").await;
    assert_eq!(receiver.take()[0].id(), "EV-202608100000000001");
}

/// What is under way when everything starts over counts for nothing afterwards, though numbers are the same again.
#[tokio::test]
async fn a_delivery_that_a_reset_overtakes_is_not_taken_for_a_later_one() {
    let slow = builder().callback_timeout(Duration::from_secs(2));
    let (world, receiver, stock) = told_by(slow, Answer::Hang).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    // Whoever paid goes away; the delivery does not.
    tokio::select! {
        _ = world.mirror.redeem(&coupon, Redeem::default()) => panic!("the receiver answers nothing"),
        () = async { while receiver.take().is_empty() { tokio::task::yield_now().await } } => {}
    }
    world.mirror.reset().await.unwrap();
    receiver.usually(Answer::Hang);
    receiver.listen_for(&world).await;
    let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
    world.mirror.advance(Duration::from_secs(10)).await.unwrap();
    // Its first delivery is still under way when the old one ends.
    pay(&world, &stock, USER, "s1").await;
    let log = world.mirror.notifications(9, 0).await.unwrap();
    assert_eq!((log.len(), log[0].deliveries.len(), receiver.take().len()), (1, 1, 1));
    assert_eq!(log[0].deliveries[0].time, log[0].created);
    assert_eq!(log[0].next_attempt, Some(log[0].created + Duration::from_secs(15)));
}

//! Many notifications at once, and receivers that hang.

use std::time::Duration;

use favor_mirror::{NotificationState, Redeem};

use super::{pay, told, told_by};
use crate::harness::{USER, builder};
use crate::receiver::{Answer, newest};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_are_told_sixteen_at_a_time() {
    let (world, receiver, stock) = told(Answer::Status(500)).await;
    let mut coupons = Vec::new();
    for n in 0..60 {
        coupons.push(world.coupon(&stock, &format!("o{n}"), &format!("s{n}")).await);
    }
    for coupon in &coupons {
        world.mirror.redeem(coupon, Redeem::default()).await.unwrap();
    }
    assert_eq!(receiver.take().len(), 60);
    // All sixty are due at one instant.
    receiver.usually(Answer::Slow(20));
    world.mirror.advance(Duration::from_secs(15)).await.unwrap();
    assert_eq!(receiver.take().len(), 60);
    assert!((2..=16).contains(&receiver.most_at_once()), "{}", receiver.most_at_once());
    let log = world.mirror.notifications(100, 0).await.unwrap();
    assert!(
        log.iter().all(|entry| entry.state == NotificationState::Delivered && entry.deliveries.len() == 2)
    );
}

#[tokio::test]
async fn hanging_receivers_hold_up_a_jump_only_so_long() {
    let quick = builder().callback_timeout(Duration::from_millis(50));
    let (world, receiver, stock) = told_by(quick, Answer::Hang).await;
    pay(&world, &stock, USER, "s1").await;
    world.mirror.advance(Duration::from_secs(2 * 86_400)).await.unwrap();
    let entry = newest(&world).await;
    assert_eq!((entry.state, entry.deliveries.len()), (NotificationState::GivenUp, 16));
    // On a busy machine some may be given up before they are read.
    assert!(receiver.take().len() <= 16);
}

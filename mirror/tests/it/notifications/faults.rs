//! Deliveries that are spoiled, doubled or held back by rule.

use std::time::Duration;

use favor_mirror::{FaultKind, FaultRule, NotificationState, Redeem};
use serde_json::json;

use super::{pay, told};
use crate::harness::USER;
use crate::receiver::{Answer, newest};

#[tokio::test]
async fn spoiled_deliveries_are_followed_by_good_ones() {
    let (world, receiver, stock) = told(Answer::Status(401)).await;
    for (n, kind) in [
        FaultKind::Probe,
        FaultKind::CorruptSignature,
        FaultKind::MissingSignature { header: Some("Wechatpay-Nonce".into()) },
        FaultKind::MissingSignature { header: None },
        FaultKind::WrongSerial,
        FaultKind::CorruptBody,
    ]
    .into_iter()
    .enumerate()
    {
        let name = kind.name();
        world.mirror.plan(FaultRule::new(kind).operation("callback.notify")).unwrap();
        receiver.script([Answer::Status(401), Answer::Status(200)]);
        pay(&world, &stock, USER, &format!("s{n}")).await;
        world.mirror.advance(Duration::from_secs(15)).await.unwrap();
        let arrived = receiver.take();
        let genuine: Vec<_> = arrived.iter().map(|told| told.is_genuine(&world.mirror)).collect();
        assert_eq!(genuine, [false, true], "{name}");
        if name == "probe" {
            assert!(arrived[0].header("wechatpay-signature").starts_with("WECHATPAY/SIGNTEST/"));
        }
        let entry = newest(&world).await;
        assert_eq!(entry.state, NotificationState::Delivered);
        assert_eq!(
            (&entry.deliveries[0].faults, &entry.deliveries[1].faults),
            (&vec![name.to_owned()], &vec![])
        );
    }
}

#[tokio::test]
async fn copies_arrive_at_once_and_held_ones_are_overtaken() {
    let (world, receiver, stock) = told(Answer::Slow(20)).await;
    let plan = json!([
        {"kind": "duplicate", "operation": "callback.notify", "copies": 3, "openid": "oTwin"},
        {"kind": "hold", "seconds": 90, "openid": "oLate"}
    ]);
    world.control("POST", "/_mirror/faults", &plan).await.ok();
    let late = pay(&world, &stock, "oLate", "s1").await;
    assert!(receiver.take().is_empty());
    let entry = newest(&world).await;
    assert_eq!(entry.next_attempt, Some(world.mirror.now() + Duration::from_secs(90)));
    pay(&world, &stock, USER, "s2").await;
    assert_eq!(receiver.take().len(), 1);
    pay(&world, &stock, "oTwin", "s3").await;
    let copies = receiver.take();
    assert_eq!(copies.len(), 3);
    assert!(copies.iter().all(|told| told.is_genuine(&world.mirror) && told.id() == copies[0].id()));
    assert!(receiver.most_at_once() >= 2);
    let twins = newest(&world).await;
    assert_eq!(twins.state, NotificationState::Delivered);
    assert!(
        twins.deliveries.iter().all(|delivery| delivery.attempt == 1 && delivery.faults == ["duplicate"])
    );
    world.mirror.advance(Duration::from_secs(90)).await.unwrap();
    let arrived = receiver.take();
    assert_eq!((arrived.len(), &arrived[0].resource(&world)["coupon_id"]), (1, &json!(late)));
    let entry = world.mirror.notifications(9, 0).await.unwrap().pop().unwrap();
    assert_eq!(
        (entry.state, &entry.deliveries[0].faults[0]),
        (NotificationState::Delivered, &"hold".to_owned())
    );
    let struck: Vec<_> = world.mirror.faults().iter().map(|fault| fault.struck).collect();
    assert_eq!(struck, [1, 1]);
}

#[tokio::test]
async fn faults_of_calls_and_of_notifications_do_not_mix() {
    let (world, receiver, stock) = told(Answer::Status(200)).await;
    world.mirror.plan(FaultRule::new(FaultKind::Probe)).unwrap();
    let cut = json!({"kind": "cut", "operation": "callback.notify"});
    let refused = world.control("POST", "/_mirror/faults", &cut).await;
    assert_eq!(refused.status, 400);
    assert!(refused.json()["message"].as_str().unwrap().contains("does not concern callback.notify"));
    let given = world.give(&stock, USER, "s1").await;
    assert!(given.header("wechatpay-signature").unwrap().starts_with("WECHATPAY/SIGNTEST/"));
    world.mirror.plan(FaultRule::new(FaultKind::Probe).operation("callback.notify")).unwrap();
    let coupon = given.json()["coupon_id"].as_str().unwrap().to_owned();
    assert_eq!(world.stock(&stock).await["distributed_coupons"], 1);
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    assert!(!receiver.take()[0].is_genuine(&world.mirror));
}

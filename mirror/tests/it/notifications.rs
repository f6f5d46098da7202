//! Notifications: what is said, to whom, when, and how often.

use std::time::Duration;

use favor_mirror::{
    FaultKind, FaultRule, GENERAL_RETRIES, MINUTE_RETRIES, MirrorError, NotificationState, Redeem, Refund,
};
use serde_json::{Value, json};

use crate::harness::{FAVOR, Reply, USER, World, builder, damage, stock_body, with};
use crate::receiver::{Answer, Receiver, newest, offsets};

/// A mirror with a running stock whose creator is told.
async fn told(usual: Answer) -> (World, Receiver, String) {
    told_by(builder(), usual).await
}

async fn told_by(builder: favor_mirror::MirrorBuilder, usual: Answer) -> (World, Receiver, String) {
    let world = World::with(builder).await;
    let receiver = Receiver::start(usual).await;
    receiver.listen_for(&world).await;
    let stock = world.running_stock(&stock_body("n1", 500, 50)).await;
    (world, receiver, stock)
}

/// A mirror that waits for its receiver however busy the machine is.
fn patient() -> favor_mirror::MirrorBuilder {
    builder().callback_timeout(Duration::from_secs(60))
}

async fn pay(world: &World, stock: &str, openid: &str, number: &str) -> String {
    let coupon = world.coupon(stock, openid, number).await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    coupon
}

#[tokio::test]
async fn a_payment_is_told_before_redeem_returns() {
    let (world, receiver, stock) = told(Answer::Status(200)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    let target = format!("/_mirror/coupons/{coupon}/redeem");
    world.control("POST", &target, &json!({"transaction_id": "T-1"})).await.ok();
    let arrived = receiver.take();
    assert_eq!(arrived.len(), 1);
    let told = &arrived[0];
    assert!(told.is_genuine(&world.mirror));
    assert_eq!(told.timestamp(), world.mirror.now().timestamp());
    assert_eq!(told.header("content-type"), "application/json");
    assert_eq!(told.header("wechatpay-signature-type"), "WECHATPAY2-SHA256-RSA2048");
    for name in ["request-id", "user-agent", "wechatpay-nonce", "content-length"] {
        assert!(!told.header(name).is_empty(), "{name}");
    }
    let body = told.0.json();
    assert_eq!(
        (&body["id"], &body["event_type"], &body["resource_type"], &body["create_time"], &body["summary"]),
        (
            &json!("EV-202608100000000001"),
            &json!("COUPON.USE"),
            &json!("encrypt-resource"),
            &json!("2026-08-10T12:01:01+08:00"),
            &json!("用券成功")
        )
    );
    assert_eq!(body["resource"]["original_type"], "coupon");
    assert_eq!(
        told.resource(&world),
        json!({
            "stock_creator_mchid": "1900000109", "stock_id": stock, "coupon_id": coupon,
            "coupon_name": "Tea 5 off 30", "status": "USED", "description": "",
            "create_time": "2026-08-10T12:01:01+08:00", "coupon_type": "NORMAL", "no_cash": true,
            "available_begin_time": "2026-08-10T12:00:00+08:00",
            "available_end_time": "2026-09-09T23:59:59+08:00", "singleitem": false,
            "normal_coupon_information": {"coupon_amount": 500, "transaction_minimum": 3000},
            "consume_information": {
                "consume_time": "2026-08-10T12:01:01+08:00", "consume_mchid": "1900000109",
                "transaction_id": "T-1"
            }
        })
    );

    let log = world.control("GET", "/_mirror/callbacks?limit=5", &Value::Null).await.ok();
    let entry = &log["callbacks"][0];
    let delivery = &entry["deliveries"][0];
    assert!(delivery["latency_us"].as_u64().unwrap() > 0);
    assert_eq!(
        *entry,
        json!({
            "id": 1, "notification_id": "EV-202608100000000001", "event_type": "COUPON.USE",
            "mchid": "1900000109", "stock_id": stock, "coupon_id": coupon, "transaction_id": "T-1",
            "created": "2026-08-10T12:01:01+08:00", "notify_url": receiver.url(), "state": "delivered",
            "next_attempt": null, "deliveries": [{
                "attempt": 1, "time": "2026-08-10T12:01:01+08:00", "serial": told.header("wechatpay-serial"),
                "faults": [], "status": 200, "error": null, "answer": "ok",
                "latency_us": delivery["latency_us"], "replay": false
            }]
        })
    );
    // Acknowledged is acknowledged, and a refund is not told.
    world.mirror.refund(&coupon, Refund::default()).await.unwrap();
    world.mirror.advance(Duration::from_secs(2 * 86_400)).await.unwrap();
    assert!(receiver.take().is_empty());
    // The same coupon again is another notification.
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    assert_eq!(receiver.take()[0].id(), "EV-202608120000000002");
    assert_eq!(world.mirror.notifications(9, 1).await.unwrap().len(), 1);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn the_goods_of_a_single_item_coupon_are_told() {
    let world = World::new().await;
    let receiver = Receiver::start(Answer::Status(204)).await;
    receiver.listen_for(&world).await;
    let body = with(stock_body("n1", 10, 5), "/coupon_use_rule/available_items", json!(["tea"]));
    let stock = world.running_stock(&body).await;
    pay(&world, &stock, USER, "s1").await;
    let resource = receiver.take()[0].resource(&world);
    assert_eq!(
        (&resource["singleitem"], &resource["singleitem_discount_off"]),
        (&json!(true), &json!({"single_price_max": 500}))
    );
    assert_eq!(resource["consume_information"]["goods_detail"][0]["goods_id"], "tea");
}

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
async fn who_wants_nothing_is_told_nothing() {
    let world = World::new().await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    let stock = world.running_stock(&stock_body("n1", 50, 50)).await;
    pay(&world, &stock, USER, "s1").await;
    let off = json!({"mchid": "1900000109", "notify_url": receiver.url(), "switch": false});
    world.call("POST", &format!("{FAVOR}/callbacks"), &off).await.ok();
    pay(&world, &stock, USER, "s2").await;
    receiver.listen_for(&world).await;
    // Neither what is given nor a long history made at once.
    world.coupon(&stock, USER, "s3").await;
    world.mirror.fill_flow(&stock, 10).await.unwrap();
    world.mirror.advance(Duration::from_secs(86_400)).await.unwrap();
    assert!(world.mirror.notifications(9, 0).await.unwrap().is_empty());
    assert!(receiver.take().is_empty());
}

#[tokio::test]
async fn coupons_given_are_told_where_switched_on() {
    let (world, receiver, stock) = told_by(builder().notify_sends(true), Answer::Status(200)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    // A repeat gives nothing.
    assert_eq!(world.coupon(&stock, USER, "s1").await, coupon);
    world.mirror.advance(Duration::ZERO).await.unwrap();
    let arrived = receiver.take();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].0.json()["event_type"], "COUPON.SEND");
    let resource = arrived[0].resource(&world);
    assert_eq!((&resource["status"], &resource["coupon_id"]), (&json!("SENDED"), &json!(coupon)));
    assert_eq!((resource.get("consume_information"), resource.get("out_request_no")), (None, None));
    assert_eq!(newest(&world).await.transaction_id, None);
    world.mirror.set_notify_sends(false);
    world.coupon(&stock, USER, "s2").await;
    let on = world.control("POST", "/_mirror/callbacks", &json!({"notify_sends": true})).await.ok();
    assert_eq!(on, json!({"notify_sends": true}));
    world.coupon(&stock, USER, "s3").await;
    world.mirror.advance(Duration::ZERO).await.unwrap();
    assert_eq!(receiver.take().len(), 1);
}

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

/// A test can make a notification without having one sent.
#[tokio::test]
async fn notifications_can_be_sealed_and_signed_without_sending() {
    let world = World::new().await;
    let draft = favor_mirror::NotificationDraft::new("EV-1", r#"{"coupon_id":"1"}"#);
    let made = world.mirror.seal_notification("1900000109", &draft).unwrap();
    let reply = |made: &favor_mirror::SignedNotification| {
        let mut headers = reqwest::header::HeaderMap::new();
        for (name, value) in &made.headers {
            headers.insert(name.parse::<reqwest::header::HeaderName>().unwrap(), value.parse().unwrap());
        }
        crate::receiver::Arrival(Reply { status: 0, headers, body: made.body.clone() })
    };
    let told = reply(&made);
    assert!(told.is_genuine(&world.mirror));
    assert_eq!((told.id().as_str(), told.resource(&world)), ("EV-1", json!({"coupon_id": "1"})));
    let plain = reply(&world.mirror.sign_notification("1900000109", "not JSON").unwrap());
    assert!(plain.is_genuine(&world.mirror));
    assert_eq!(plain.0.body, b"not JSON");
    assert!(world.mirror.seal_notification("1", &draft).is_err());
}

/// A receiver behind TLS that answers 204 to every request; returns its address and how many came.
async fn tls_receiver(
    certificate: &rcgen::CertifiedKey<rcgen::KeyPair>,
) -> (std::net::SocketAddr, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_rustls::rustls::{ServerConfig, crypto, pki_types};
    let provider = std::sync::Arc::new(crypto::aws_lc_rs::default_provider());
    let key = pki_types::PrivatePkcs8KeyDer::from(certificate.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count: std::sync::Arc<std::sync::atomic::AtomicUsize> = std::sync::Arc::default();
    let counted = std::sync::Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 64 * 1024];
            let mut length = 0;
            // The body ends in a brace, the head never does.
            while length == 0 || request[length - 1] != b'}' {
                length += stream.read(&mut request[length..]).await.unwrap();
            }
            assert!(request.starts_with(b"POST /notify HTTP/1.1\r\n"));
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.unwrap();
            stream.shutdown().await.ok();
        }
    });
    (address, count)
}

#[tokio::test]
async fn https_receivers_must_be_trusted() {
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (address, count) = tls_receiver(&certificate).await;
    let url = format!("https://localhost:{}/notify", address.port());
    for (builder, state, arrived) in [
        (builder(), NotificationState::Pending, 0),
        (builder().callback_root(certificate.cert.pem()), NotificationState::Delivered, 1),
    ] {
        let world = World::with(builder).await;
        let body = json!({"mchid": "1900000109", "notify_url": url});
        world.call("POST", &format!("{FAVOR}/callbacks"), &body).await.ok();
        let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
        pay(&world, &stock, USER, "s1").await;
        let entry = newest(&world).await;
        assert_eq!(entry.state, state, "{entry:?}");
        assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), arrived);
    }
    let unreadable = builder().callback_root("no certificate").start().await;
    assert!(matches!(unreadable, Err(MirrorError::Key { .. })));
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

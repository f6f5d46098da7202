//! Notifications: what is said, and to whom.

mod crowds;
mod faults;
mod https;
mod kept;
mod repeats;

use std::time::Duration;

use favor_mirror::{Redeem, Refund};
use serde_json::{Value, json};

use crate::harness::{FAVOR, Reply, USER, World, builder, stock_body, with};
use crate::receiver::{Answer, Receiver, newest};

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

//! Stocks and coupons by control calls: what is shown, and buttons that keep to the rules.

use std::time::Duration;

use favor_mirror::{Merchant, MerchantSeed, MirrorError};
use serde_json::{Value, json};

use crate::harness::{World, builder, stock_body, with};

async fn button(world: &World, stock: &str, verb: &str) -> (u16, Value) {
    let reply = world.control("POST", &format!("/_mirror/stocks/{stock}/{verb}"), &Value::Null).await;
    (reply.status, reply.json())
}

async fn shown(world: &World, stock: &str) -> Value {
    world.control("GET", &format!("/_mirror/stocks/{stock}"), &Value::Null).await.ok()
}

#[tokio::test]
async fn a_stock_shows_its_rules_and_its_budget() {
    let world = World::with(builder().merchant(MerchantSeed::new("1900000110"))).await;
    let body = with(stock_body("Number1", 5, 5), "/stock_use_rule/max_amount_by_day", json!(1_500));
    let body = with(body, "/no_cash", json!(false));
    let id = world.running_stock(&body).await;
    world.mirror.authorise_sender(&id, "1900000110").await.unwrap();
    let mut coupons = Vec::new();
    for number in ["a", "b", "c"] {
        coupons.push(world.coupon(&id, "oUser1", &format!("Number{number}")).await);
    }
    world.mirror.redeem(&coupons[0], Default::default()).await.unwrap();
    world.mirror.redeem(&coupons[1], Default::default()).await.unwrap();
    world.mirror.refund(&coupons[1], Default::default()).await.unwrap();
    world.mirror.expire(&coupons[2]).await.unwrap();
    let stock = shown(&world, &id).await;
    for (key, value) in [
        ("stock_id", json!(id)),
        ("name", json!("Tea 5 off 30")),
        ("creator_mchid", json!("1900000109")),
        ("status", json!("running")),
        ("max_amount", json!(2_500)),
        ("given_amount", json!(1_500)),
        ("max_coupons", json!(5)),
        ("distributed", json!(3)),
        ("used", json!(1)),
        ("expired", json!(1)),
        ("refunded", json!(1)),
        ("today", json!({"date": "20260810", "max_amount": 1_500, "given_amount": 1_500})),
        ("coupon_amount", json!(500)),
        ("transaction_minimum", json!(3_000)),
        ("no_cash", json!(false)),
        ("locked_amount", json!(2_500)),
        ("spent_amount", json!(500)),
        ("senders", json!(["1900000110"])),
        ("available_merchants", json!(["1900000109"])),
        ("available_end_time", json!("2026-09-09T23:59:59+08:00")),
    ] {
        assert_eq!(stock[key], value, "{key}");
    }
    let list = world.control("GET", "/_mirror/stocks", &Value::Null).await.ok();
    assert_eq!((list["total"].as_i64(), &list["stocks"][0]), (Some(1), &stock));
    let by_library = world.mirror.stock(&id).await.unwrap();
    assert_eq!(serde_json::to_value(&by_library).unwrap(), stock);
    assert_eq!(world.mirror.stocks().await.unwrap(), [by_library]);
    // After the end all that was not used has expired.
    world.clock("2026-09-10T00:00:00+08:00").await;
    let stock = shown(&world, &id).await;
    assert_eq!((stock["status"].as_str(), stock["expired"].as_i64()), (Some("stoped"), Some(2)));
    assert!(stock["released_time"].is_string() && stock["today"]["given_amount"] == 0);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn newer_stocks_come_first_and_unknown_ones_are_said_so() {
    let world = World::new().await;
    let first = world.created_stock(&stock_body("Number1", 5, 5)).await;
    let second = world.created_stock(&stock_body("Number2", 5, 5)).await;
    let ids: Vec<_> = world.mirror.stocks().await.unwrap().into_iter().map(|stock| stock.stock_id).collect();
    assert_eq!(ids, [second.clone(), first]);
    let list = world.control("GET", "/_mirror/stocks?limit=1", &Value::Null).await.ok();
    assert_eq!((list["total"].as_i64(), list["stocks"].as_array().unwrap().len()), (Some(2), 1));
    assert_eq!(list["stocks"][0]["stock_id"], second);
    for target in ["/_mirror/stocks/1", "/_mirror/stocks/x", "/_mirror/stocks/1/coupons"] {
        let reply = world.control("GET", target, &Value::Null).await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (404, Some("NOT_FOUND")), "{target}");
    }
    assert_eq!(button(&world, "1", "pause").await.0, 404);
    let coupon = world.control("POST", "/_mirror/coupons/1/expire", &Value::Null).await;
    assert_eq!(coupon.status, 404);
}

#[tokio::test]
async fn coupons_come_in_pages() {
    let world = World::new().await;
    let other = world.created_stock(&stock_body("Number2", 10, 10)).await;
    let id = world.running_stock(&stock_body("Number1", 10, 10)).await;
    world.start(&other).await.ok();
    let mut given = Vec::new();
    for number in 0..5 {
        given.push(world.coupon(&id, &format!("oUser{number}"), &format!("Send{number}")).await);
        world.coupon(&other, &format!("oUser{number}"), &format!("Other{number}")).await;
    }
    let mut found = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let target = format!("/_mirror/stocks/{id}/coupons?limit=2&after={after}");
        let page = world.control("GET", &target, &Value::Null).await.ok();
        let Some(last) = page["coupons"].as_array().unwrap().last() else { break };
        after = last["coupon_id"].as_str().unwrap().to_owned();
        found.extend(page["coupons"].as_array().unwrap().iter().map(|coupon| coupon["coupon_id"].clone()));
    }
    assert_eq!(found, given);
    let page = world.mirror.stock_coupons(&id, 3, given[1].parse().unwrap()).await.unwrap();
    assert_eq!(
        page.iter().map(|coupon| coupon.openid.as_str()).collect::<Vec<_>>(),
        ["oUser2", "oUser3", "oUser4"]
    );
    let odd = world.control("GET", &format!("/_mirror/stocks/{id}/coupons?after=x"), &Value::Null).await;
    assert_eq!(odd.status, 400);
}

#[tokio::test]
async fn buttons_keep_to_the_rules() {
    let world = World::new().await;
    let id = world.created_stock(&stock_body("Number1", 10, 10)).await;
    let never = world.created_stock(&stock_body("Number2", 10, 10)).await;
    let (status, refused) = button(&world, &id, "start").await;
    assert_eq!((status, refused["code"].as_str()), (409, Some("REFUSED")));
    assert!(refused["message"].as_str().unwrap().contains("start."), "{refused}");
    assert_eq!(button(&world, &id, "pause").await.0, 409);
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    for (verb, state) in [("start", "running"), ("pause", "paused"), ("restart", "running")] {
        let (status, stock) = button(&world, &id, verb).await;
        assert_eq!((status, stock["status"].as_str()), (200, Some(state)), "{verb}");
        // The API sees the same.
        assert_eq!(world.stock(&id).await["status"], state);
        world.assert_sound(&world.mirror.audit().await);
    }
    assert_eq!(button(&world, &id, "stop").await.0, 409, "only a stock that never ran is stopped");
    assert_eq!(button(&world, &never, "stop").await.1["status"], "stoped");
    assert!(matches!(world.mirror.restart_stock(&never).await, Err(MirrorError::Refused { .. })));
    assert_eq!(world.mirror.pause_stock(&id).await.unwrap().status, "paused");
    assert_eq!(world.mirror.restart_stock(&id).await.unwrap().status, "running");
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn buttons_are_methods_too() {
    let world = World::new().await;
    let id = world.created_stock(&stock_body("Number1", 10, 10)).await;
    let never = world.created_stock(&stock_body("Number2", 10, 10)).await;
    let refused = |told| matches!(told, Err(MirrorError::Refused { .. }));
    assert!(refused(world.mirror.start_stock(&id).await), "too soon");
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(world.mirror.start_stock(&id).await.unwrap().status, "running");
    assert_eq!(world.stock(&id).await["status"], "running");
    assert!(refused(world.mirror.stop_stock(&id).await), "it ran");
    assert_eq!(world.mirror.stop_stock(&never).await.unwrap().status, "stoped");
    assert_eq!(world.stock(&never).await["status"], "stoped");
    let missing = world.mirror.stop_stock("1").await;
    assert!(matches!(missing, Err(MirrorError::NotFound { .. })), "{missing:?}");
}

/// Starting by button locks the money, as starting by the API does.
#[tokio::test]
async fn a_prefunded_stock_needs_its_money() {
    let seed = MerchantSeed { balance_fen: 4_999, ..MerchantSeed::new("1900000109") };
    let world = World::with(builder().merchant(seed)).await;
    let merchant: &Merchant = world.mirror.merchant();
    assert_eq!(merchant.mchid, "1900000109");
    let id = world.created_stock(&with(stock_body("Number1", 10, 10), "/no_cash", json!(false))).await;
    let small = world.created_stock(&with(stock_body("Number2", 9, 9), "/no_cash", json!(false))).await;
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(button(&world, &id, "start").await.0, 409);
    assert_eq!(button(&world, &small, "start").await.1["locked_amount"], 4_500);
    let merchants = world.control("GET", "/_mirror/merchants", &Value::Null).await.ok();
    assert_eq!(merchants["merchants"][0]["balance_fen"], 499);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn an_expired_coupon_is_expired_for_everybody() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("Number1", 10, 10)).await;
    let coupon = world.coupon(&id, "oUser1", "Send1").await;
    let target = format!("/_mirror/coupons/{coupon}/expire");
    let record = world.control("POST", &target, &Value::Null).await.ok();
    assert_eq!(record["status"], "EXPIRED");
    assert_eq!(record["available_end_time"], "2026-08-10T12:01:01+08:00");
    let appid = &world.mirror.merchant().appid;
    let query = format!("/v3/marketing/favor/users/oUser1/coupons/{coupon}?appid={appid}");
    assert_eq!(world.get(&query).await.ok()["status"], "EXPIRED");
    let payment = world.mirror.redeem(&coupon, Default::default()).await;
    assert!(matches!(payment, Err(MirrorError::Refused { .. })));
    // Once more changes nothing, also later.
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(world.control("POST", &target, &Value::Null).await.ok(), record);
    world.assert_sound(&world.mirror.audit().await);

    // Paid and refunded at one moment of a standing clock, then expired.
    let second = world.coupon(&id, "oUser1", "Send2").await;
    world.mirror.redeem(&second, Default::default()).await.unwrap();
    let used = world.mirror.expire(&second).await;
    assert!(matches!(used, Err(MirrorError::Refused { reason }) if reason.contains("USED")));
    world.mirror.refund(&second, Default::default()).await.unwrap();
    assert_eq!(world.mirror.expire(&second).await.unwrap().status, "EXPIRED");
    world.assert_sound(&world.mirror.audit().await);
    // The same after the clock was set back behind the payment.
    let third = world.coupon(&id, "oUser1", "Send3").await;
    world.mirror.redeem(&third, Default::default()).await.unwrap();
    world.mirror.refund(&third, Default::default()).await.unwrap();
    world.clock("2026-08-10T12:00:30+08:00").await;
    assert_eq!(world.mirror.expire(&third).await.unwrap().status, "EXPIRED");
    world.assert_sound(&world.mirror.audit().await);
}

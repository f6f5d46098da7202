//! The switches for what is not documented: each of them, both ways.

use std::time::Duration;

use favor_mirror::{FaultKind, FaultPlace, FaultRule, Provenance, Readings, Redeem, Refund, Verdict};
use serde_json::{Value, json};

use crate::harness::{FAVOR, USER, World, builder, coupons_of, fetch, stock_body, with};

async fn read(world: &World, name: &str, value: impl Into<Value>) {
    world.control("POST", "/_mirror/readings", &json!({ name: value.into() })).await.ok();
}

#[tokio::test]
async fn every_switch_can_be_seen_and_set() {
    let world = World::new().await;
    let shown = world.control("GET", "/_mirror/readings", &Value::Null).await.ok();
    let list = shown["readings"].as_array().unwrap();
    assert_eq!(list.len(), Readings::default().list().len());
    let rules = world.control("GET", "/_mirror/rules", &Value::Null).await.ok();
    assert_eq!(rules["readings"], shown["readings"]);
    for reading in list {
        let name = reading["name"].as_str().unwrap();
        for value in reading["values"].as_array().unwrap() {
            if reading["value"].is_string() {
                read(&world, name, value["value"].clone()).await;
            }
        }
    }
    let bad = world.control("POST", "/_mirror/readings", &json!({"ended_status": "gone"})).await;
    assert_eq!(bad.status, 400);
    assert_eq!(world.control("POST", "/_mirror/readings", &json!({"no": 1})).await.status, 400);
    // What a bad request held changed nothing; the last values are in force.
    assert_eq!(world.mirror.readings().ended_status, favor_mirror::EndedStatus::Kept);
    world.mirror.set_readings(Readings::default());
    assert_eq!(world.mirror.readings(), Readings::default());
}

#[tokio::test]
async fn repeats() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("n1", 10, 2)).await;
    world.start(&id).await.ok();
    read(&world, "repeated_start", "refused").await;
    world.start(&id).await.refused(400, "INVALID_REQUEST", "活动已结束或未激活");
    let logged = &world.mirror.requests(1, 0)[0];
    assert_eq!((logged.verdict, logged.rule.unwrap().id), (Verdict::Refused, "start.repeated"));
    assert_eq!(logged.rule.unwrap().provenance, Provenance::Assumed);
    assert!(logged.notes.iter().any(|note| note.contains("assumed")), "{:?}", logged.notes);

    world.act(&id, "pause").await.ok();
    world.act(&id, "pause").await.ok();
    read(&world, "repeated_change", "refused").await;
    world.act(&id, "pause").await.refused(400, "INVALID_REQUEST", "活动已结束或未激活");
    world.act(&id, "restart").await.ok();
    world.act(&id, "restart").await.refused(400, "INVALID_REQUEST", "活动已结束或未激活");
}

#[tokio::test]
async fn a_number_with_another_content() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("n1", 10, 2)).await;
    let coupon = world.coupon(&id, USER, "s1").await;
    let again = async || world.give(&id, "oOther", "s1").await;
    assert_eq!(again().await.error().1, "INVALID_REQUEST");
    read(&world, "number_reused", "duplicate").await;
    again().await.refused(400, "DUPREQUEST", "已通过该发券凭证给用户发券");
    let other = with(stock_body("n1", 10, 2), "/comment", json!("x"));
    let create = async || world.call("POST", &format!("{FAVOR}/coupon-stocks"), &other).await;
    assert_eq!(create().await.error().1, "DUPREQUEST");
    read(&world, "number_reused", "first_result").await;
    assert_eq!(again().await.ok()["coupon_id"], coupon);
    assert_eq!(create().await.ok()["stock_id"], id);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn numbers_that_are_forgotten() {
    let world = World::with(builder().start_delay(Duration::ZERO)).await;
    read(&world, "number_lifetime_hours", 24).await;
    let id = world.created_stock(&stock_body("n1", 10, 3)).await;
    world.start(&id).await.ok();
    let coupon = world.coupon(&id, USER, "s1").await;
    world.mirror.advance(Duration::from_secs(24 * 3_600 - 1)).await.unwrap();
    assert_eq!(world.coupon(&id, USER, "s1").await, coupon);
    world.mirror.advance(Duration::from_secs(1)).await.unwrap();
    let second = world.coupon(&id, USER, "s1").await;
    assert_ne!(second, coupon);
    // The new one is remembered in its turn.
    assert_eq!(world.coupon(&id, USER, "s1").await, second);
    let later = with(stock_body("n1", 10, 3), "/available_begin_time", json!("2026-08-11T12:00:00+08:00"));
    assert_ne!(world.created_stock(&later).await, id);
    world.assert_sound(&world.mirror.audit().await);
    read(&world, "number_lifetime_hours", 0).await;
    world.mirror.advance(Duration::from_secs(100 * 3_600)).await.unwrap();
    assert_eq!(world.coupon(&id, USER, "s1").await, second);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_that_disturb_each_other() {
    let world = std::sync::Arc::new(World::new().await);
    let id = world.running_stock(&stock_body("n1", 10, 5)).await;
    let slow = || {
        let rule = FaultRule::new(FaultKind::Delay).place(FaultPlace::BeforeCommit).operation("coupon.send");
        rule.delay(Duration::from_secs(4)).openid(USER)
    };
    for (disturbed, number) in [(false, "a"), (true, "b")] {
        if disturbed {
            read(&world, "concurrent_sends", "false_limit").await;
        }
        let fault = world.mirror.plan(slow()).unwrap();
        let first = {
            let (world, id, number) = (world.clone(), id.clone(), format!("{number}1"));
            tokio::spawn(async move { world.give(&id, USER, &number).await })
        };
        let struck = || world.mirror.faults().iter().any(|known| known.id == fault && known.struck == 1);
        while !struck() {
            tokio::task::yield_now().await;
        }
        let second = world.give(&id, USER, &format!("{number}2")).await;
        if disturbed {
            second.refused(403, "REQUEST_BLOCKED", "用户已达最大领券次数");
            // Others are not disturbed, and alone the same send succeeds.
            world.give(&id, "oOther", "b3").await.ok();
        } else {
            second.ok();
        }
        first.await.unwrap().ok();
        world.give(&id, USER, &format!("{number}2")).await.ok();
    }
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn the_end_and_what_does_not_run() {
    let world = World::new().await;
    let fresh = world.created_stock(&stock_body("n2", 10, 2)).await;
    let body = with(stock_body("n1", 10, 2), "/stock_use_rule/max_amount_by_day", json!(500));
    let id = world.running_stock(&body).await;
    world.coupon(&id, USER, "s0").await;
    world.give(&id, USER, "s1").await.refused(403, "NOT_ENOUGH", "发券超过单天限额");
    read(&world, "daily_budget", "rule_limit").await;
    world.give(&id, USER, "s1").await.refused(403, "RULE_LIMIT", "发券超过单天限额");

    let (e2, e5) =
        ((400, "INVALID_REQUEST", "活动已结束或未激活"), (403, "REQUEST_BLOCKED", "活动未开始或已结束"));
    world.act(&id, "pause").await.ok();
    for (value, of_fresh, of_paused) in
        [("by_state", e2, e5), ("invalid_request", e2, e2), ("request_blocked", e5, e5)]
    {
        read(&world, "send_not_running", value).await;
        world.give(&fresh, USER, "f").await.refused(of_fresh.0, of_fresh.1, of_fresh.2);
        world.give(&id, USER, "p").await.refused(of_paused.0, of_paused.1, of_paused.2);
    }
    world.act(&id, "restart").await.ok();
    world.clock("2026-09-10T00:00:00+08:00").await;
    assert_eq!(world.stock(&id).await["status"], "stoped");
    read(&world, "ended_status", "kept").await;
    assert_eq!(world.stock(&id).await["status"], "running");
    let list = format!("{FAVOR}/stocks?offset=0&limit=10&stock_creator_mchid=1900000109&status=running");
    assert_eq!(world.get(&list).await.ok()["data"][0]["stock_id"], id);
}

#[tokio::test]
async fn codes_seen_instead_of_better_ones() {
    let world = World::new().await;
    let fresh = world.created_stock(&stock_body("n1", 10, 2)).await;
    read(&world, "too_soon", "system_error").await;
    world.start(&fresh).await.refused(500, "SYSTEM_ERROR", "系统错误");
    let body = with(world.send_body(&fresh, "s1"), "/stock_creator_mchid", json!("42"));
    let send = async || world.call("POST", &coupons_of(USER), &body).await;
    send().await.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");
    read(&world, "wrong_creator", "system_error").await;
    send().await.refused(500, "SYSTEM_ERROR", "系统错误");

    let foreign = with(stock_body("n2", 10, 2), "/coupon_use_rule/available_merchants", json!(["42"]));
    let create = async || world.call("POST", &format!("{FAVOR}/coupon-stocks"), &foreign).await;
    create().await.refused(400, "MCH_NOT_EXISTS", "商户号不合法");
    read(&world, "unknown_merchant", "invalid_request").await;
    create().await.refused(400, "INVALID_REQUEST", "非法的商户号");

    let callbacks = format!("{FAVOR}/callbacks");
    let bad = json!({"mchid": "1900000109", "notify_url": "ftp://shop.example/"});
    assert_eq!(world.call("POST", &callbacks, &bad).await.error().1, "PARAM_ERROR");
    read(&world, "bad_callback", "system_error").await;
    world.call("POST", &callbacks, &bad).await.refused(500, "SYSTEM_ERROR", "系统繁忙");
    let unset = format!("{callbacks}?mchid=1900000109");
    assert_eq!(world.get(&unset).await.status, 404);
    read(&world, "unset_callback", "empty").await;
    assert_eq!(world.get(&unset).await.ok()["notify_url"], "");
}

#[tokio::test]
async fn empty_lists_and_pages() {
    let world = World::new().await;
    let stocks = format!("{FAVOR}/stocks?offset=0&limit=10&stock_creator_mchid=1900000109");
    assert_eq!(world.get(&stocks).await.status, 404);
    read(&world, "empty_stock_list", "empty").await;
    assert_eq!(world.get(&stocks).await.ok(), json!({"total_count": 0, "limit": 10, "offset": 0}));
    let id = world.created_stock(&stock_body("n1", 10, 2)).await;
    let page = format!("{FAVOR}/stocks/{id}/merchants?offset=1&limit=10&stock_creator_mchid=1900000109");
    assert_eq!(world.get(&page).await.error().1, "MCH_NOT_EXISTS");
    read(&world, "page_past_end", "empty").await;
    let empty = world.get(&page).await.ok();
    assert_eq!((&empty["total_count"], empty.get("data")), (&json!(1), None));
}

#[tokio::test]
async fn fields_that_nobody_documented() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("n1", 10, 2)).await;
    let body = with(world.send_body(&id, "s1"), "/openid", json!(USER));
    let send = async || world.call("POST", &coupons_of(USER), &body).await;
    read(&world, "extra_fields", "refused").await;
    let refused = send().await;
    refused.refused(400, "PARAM_ERROR", "参数错误，请核对文档要求");
    assert_eq!((refused.number(), &refused.json()["detail"]["field"]), (270_924_358, &json!("/openid")));
    world.give(&id, USER, "s2").await.ok();
    read(&world, "extra_fields", "ignored").await;
    send().await.ok();
}

#[tokio::test]
async fn places_that_refunds_give_back() {
    for (no_cash, reading) in [(true, "taken"), (true, "freed"), (false, "freed")] {
        let world = World::new().await;
        read(&world, "refunded_place", reading).await;
        let body = with(stock_body("n1", 5, 5), "/no_cash", json!(no_cash));
        let id = world.running_stock(&body).await;
        let mut coupons = Vec::new();
        for n in 0..5 {
            coupons.push(world.coupon(&id, USER, &format!("s{n}")).await);
        }
        let full = async |number: &str| {
            world.give(&id, "oOther", number).await.refused(403, "NOT_ENOUGH", "批次预算不足");
        };
        full("s5").await;
        // Twice paid and refunded, the second time in parts: one place.
        for parts in [vec![None], vec![Some(1_000), None]] {
            world.mirror.redeem(&coupons[0], Redeem::default()).await.unwrap();
            for amount in parts {
                world.mirror.refund(&coupons[0], Refund { amount }).await.unwrap();
            }
        }
        if reading == "freed" {
            coupons.push(world.coupon(&id, "oOther", "s5").await);
        }
        full("s6").await;
        world.assert_sound(&world.mirror.audit().await);
        // The money of a prefunded stock covers as many discounts as before.
        let mut paid = 0;
        for coupon in &coupons {
            paid += i64::from(world.mirror.redeem(coupon, Redeem::default()).await.is_ok());
        }
        assert_eq!(paid, if no_cash && reading == "freed" { 6 } else { 5 });
        world.assert_sound(&world.mirror.audit().await);
    }
}

#[tokio::test]
async fn nonces_and_user_agents() {
    let world = World::new().await;
    let target = "/v3/certificates";
    // The harness always signs with the same nonce.
    world.get(target).await.ok();
    read(&world, "reused_nonce", "refused").await;
    world.get(target).await.ok();
    world.get(target).await.refused(401, "SIGN_ERROR", "Http头Authorization中的nonce_str重复");
    world.mirror.advance(Duration::from_secs(601)).await.unwrap();
    world.get(target).await.ok();
    read(&world, "reused_nonce", "accepted").await;

    let bare = async || {
        let authorization =
            world.credentials().authorization("GET", target, world.mirror.now().timestamp(), "");
        let url = format!("{}{target}", world.mirror.base_url());
        fetch(world.http.get(url).header("Authorization", authorization)).await.unwrap()
    };
    bare().await.ok();
    assert!(world.mirror.requests(1, 0)[0].notes.iter().any(|note| note.contains("User-Agent")));
    read(&world, "missing_user_agent", "refused").await;
    let refused = bare().await;
    assert_eq!((refused.status, refused.body.len()), (403, 0));
    assert!(refused.header("wechatpay-signature").is_none());
    assert_eq!(world.mirror.requests(1, 0)[0].rule.unwrap().id, "edge.user_agent");
}

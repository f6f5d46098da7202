//! Sending and reading coupons.

use std::time::Duration;

use favor_mirror::{MerchantSeed, MirrorBuilder};
use serde_json::{Value, json};

use crate::harness::{FAVOR, Reply, USER, World, builder, coupons_of, stock_body, time, with};

const SENDER: &str = "1900000110";

fn with_sender() -> MirrorBuilder {
    builder().merchant(MerchantSeed { appids: vec!["wx1".into()], ..MerchantSeed::new(SENDER) })
}

/// A send by the second merchant.
async fn give_as_sender(world: &World, stock_id: &str, number: &str) -> Reply {
    let body = with(world.send_body(stock_id, number), "/appid", json!("wx1"));
    world.call_as(&world.credentials_of(SENDER), "POST", &coupons_of("oOther"), &body).await
}

async fn coupon(world: &World, openid: &str, id: &str) -> Reply {
    let appid = &world.mirror.merchant().appid;
    world.get(&format!("{}/{id}?appid={appid}", coupons_of(openid))).await
}

#[tokio::test]
async fn a_coupon_is_given_and_read() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("n1", 10, 2)).await;
    let reply = world.give(&id, USER, "s1").await;
    assert!(reply.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    assert_eq!(reply.ok(), json!({"coupon_id": "18180000000001"}));
    assert_eq!(
        coupon(&world, USER, "18180000000001").await.ok(),
        json!({
            "stock_creator_mchid": "1900000109", "stock_id": id, "coupon_id": "18180000000001",
            "coupon_name": "Tea 5 off 30", "status": "SENDED", "description": "",
            "create_time": "2026-08-10T12:01:01+08:00", "coupon_type": "NORMAL", "no_cash": true,
            "available_begin_time": "2026-08-10T12:00:00+08:00",
            "available_end_time": "2026-09-09T23:59:59+08:00", "singleitem": false,
            "normal_coupon_information": {"coupon_amount": 500, "transaction_minimum": 3000},
            "out_request_no": "s1"
        })
    );
    assert_eq!(world.stock(&id).await["distributed_coupons"], 1);
    world.mirror.set_clock(time("2026-09-10T00:00:00+08:00")).await.unwrap();
    assert_eq!(coupon(&world, USER, "18180000000001").await.ok()["status"], "EXPIRED");
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn a_repeat_answers_the_same_coupon_whatever_has_happened_since() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("n1", 5, 1)).await;
    let first = world.give(&id, USER, "s1").await.ok();
    assert_eq!(world.give(&id, USER, "s1").await.ok(), first);
    for other in 2..=5 {
        world.give(&id, &format!("o{other}"), &format!("s{other}")).await.ok();
    }
    assert_eq!(world.give(&id, USER, "s1").await.ok(), first);
    world.mirror.mark_user_abnormal(USER).await.unwrap();
    assert_eq!(world.give(&id, USER, "s1").await.ok(), first);
    world.mirror.set_clock(time("2026-12-01T00:00:00+08:00")).await.unwrap();
    assert_eq!(world.give(&id, USER, "s1").await.ok(), first);
    assert_eq!(world.stock(&id).await["distributed_coupons"], 5);

    let reused = world.give(&id, "oOther", "s1").await;
    assert_eq!((reused.status, reused.json()["code"].as_str()), (400, Some("INVALID_REQUEST")));
    assert_eq!(reused.number(), 268_498_688);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn numbers_belong_to_the_merchant_that_uses_them() {
    let world = World::with(with_sender()).await;
    let id = world.running_stock(&stock_body("n1", 10, 1)).await;
    world.mirror.authorise_sender(&id, SENDER).await.unwrap();
    let own = world.give(&id, USER, "s1").await.ok();
    let other = give_as_sender(&world, &id, "s1").await.ok();
    assert_ne!(own, other);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn fields_of_a_send() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("n1", 10, 1)).await;
    let value = "参数错误，请核对文档要求";
    let cases = [
        ("/stock_id", Value::Null, "参数“批次id”是必填项"),
        ("/stock_id", json!(15_300_001), "参数“批次id”是必填项"),
        ("/out_request_no", Value::Null, "参数“商户单据号”是必填项"),
        ("/appid", Value::Null, "appid必填"),
        ("/stock_creator_mchid", json!(""), "商户号必填"),
        ("/coupon_value", json!(500), value),
        ("/coupon_minimum", json!(500), value),
    ];
    for (pointer, wrong, message) in cases {
        let body = with(world.send_body(&id, "s1"), pointer, wrong);
        world.call("POST", &coupons_of(USER), &body).await.refused(400, "PARAM_ERROR", message);
    }
    let body = with(world.send_body(&id, "s1"), "/out_request_no", json!("a b"));
    assert_eq!(world.call("POST", &coupons_of(USER), &body).await.json()["code"], "PARAM_ERROR");
    let long = world.give(&id, &"o".repeat(129), "s1").await;
    assert_eq!(long.json()["detail"]["location"], "uri_template");
    assert_eq!(world.stock(&id).await["distributed_coupons"], 0);
}

#[tokio::test]
async fn who_may_send_what_to_whom() {
    let world = World::with(with_sender()).await;
    let id = world.running_stock(&stock_body("n1", 10, 1)).await;
    world.give("15399999", USER, "s1").await.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");
    let body = with(world.send_body(&id, "s1"), "/stock_creator_mchid", json!(SENDER));
    let wrong_creator = world.call("POST", &coupons_of(USER), &body).await;
    wrong_creator.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");

    give_as_sender(&world, &id, "s1").await.refused(403, "REQUEST_BLOCKED", "批次不支持跨商户发券");
    let third = MerchantSeed::new("1900000120");
    world.mirror.add_merchant(third).await.unwrap();
    world.mirror.authorise_sender(&id, "1900000120").await.unwrap();
    give_as_sender(&world, &id, "s1").await.refused(403, "REQUEST_BLOCKED", "商户无权发券");
    world.mirror.authorise_sender(&id, SENDER).await.unwrap();
    give_as_sender(&world, &id, "s1").await.ok();

    let body = with(world.send_body(&id, "s2"), "/appid", json!("wx1"));
    let unbound = world.call("POST", &coupons_of(USER), &body).await;
    unbound.refused(400, "APPID_MCHID_NOT_MATCH", "商户号与appid不匹配");
    // This user is known under the sender's appid.
    let foreign = world.give(&id, "oOther", "s3").await;
    foreign.refused(400, "INVALID_REQUEST", "openid与appID不匹配");
    assert_eq!(foreign.number(), 270_079_501);
    assert!(world.mirror.authorise_sender("1", SENDER).await.is_err());
    assert!(world.mirror.authorise_sender(&id, "1").await.is_err());
}

#[tokio::test]
async fn states_and_the_window() {
    let world = World::new().await;
    let begin = "/available_begin_time";
    let body = with(stock_body("n1", 10, 1), begin, json!("2026-08-11T00:00:00+08:00"));
    let id = world.created_stock(&body).await;
    world.give(&id, USER, "s1").await.refused(400, "INVALID_REQUEST", "活动已结束或未激活");
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    world.start(&id).await.ok();
    world.give(&id, USER, "s1").await.refused(403, "REQUEST_BLOCKED", "活动未开始或已结束");
    world.mirror.set_clock(time("2026-08-11T00:00:00+08:00")).await.unwrap();
    world.give(&id, USER, "s1").await.ok();
    world.mirror.set_clock(time("2026-09-10T00:00:00+08:00")).await.unwrap();
    world.give(&id, "oLate", "s2").await.refused(403, "REQUEST_BLOCKED", "活动未开始或已结束");
}

#[tokio::test]
async fn limits_of_users_and_persons() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("n1", 10, 1)).await;
    world.give(&id, USER, "s1").await.ok();
    let limited = world.give(&id, USER, "s2").await;
    limited.refused(403, "REQUEST_BLOCKED", "用户被限领拦截");
    assert_eq!(limited.number(), 270_079_532);

    world.mirror.same_person(&["oA", "oB"]).await.unwrap();
    world.give(&id, "oA", "s3").await.ok();
    world.give(&id, "oB", "s4").await.ok();
    let body = with(stock_body("n2", 10, 1), "/stock_use_rule/natural_person_limit", json!(true));
    world.mirror.set_clock(time("2026-08-10T12:00:00+08:00")).await.unwrap();
    let strict = world.running_stock(&body).await;
    world.give(&strict, "oA", "s5").await.ok();
    world.give(&strict, "oB", "s6").await.refused(403, "REQUEST_BLOCKED", "用户被限领拦截");
    world.give(&strict, USER, "s7").await.ok();
}

#[tokio::test]
async fn accounts_that_may_not_receive() {
    let world = World::new().await;
    let plain = world.running_stock(&stock_body("n1", 10, 1)).await;
    world.mirror.set_clock(time("2026-08-10T12:00:00+08:00")).await.unwrap();
    let body = with(stock_body("n2", 10, 1), "/stock_use_rule/prevent_api_abuse", json!(true));
    let guarded = world.running_stock(&body).await;
    world.mirror.mark_user_abnormal("oBad").await.unwrap();
    world.give(&plain, "oBad", "s1").await.refused(403, "USER_ACCOUNT_ABNORMAL", "用户非法");
    let risky = json!({"openid": "oRisky", "risky": true});
    world.control("POST", "/_mirror/users", &risky).await.ok();
    world.give(&guarded, "oRisky", "s2").await.refused(403, "USER_ACCOUNT_ABNORMAL", "用户非法");
    world.give(&plain, "oRisky", "s2").await.ok();
}

#[tokio::test]
async fn budgets_in_all_and_by_day() {
    let world = World::new().await;
    let body = with(stock_body("n1", 5, 1), "/stock_use_rule/max_amount_by_day", json!(1_000));
    let id = world.running_stock(&body).await;
    let give = |n: i64| {
        let world = &world;
        let id = &id;
        async move { world.give(id, &format!("o{n}"), &format!("s{n}")).await }
    };
    give(1).await.ok();
    give(2).await.ok();
    give(3).await.refused(403, "NOT_ENOUGH", "发券超过单天限额");
    // The day is Beijing's: it ends at 16:00 UTC.
    world.mirror.set_clock(time("2026-08-10T15:59:59Z")).await.unwrap();
    give(3).await.refused(403, "NOT_ENOUGH", "发券超过单天限额");
    world.mirror.set_clock(time("2026-08-10T16:00:00Z")).await.unwrap();
    give(3).await.ok();
    give(4).await.ok();
    world.mirror.set_clock(time("2026-08-12T00:00:00+08:00")).await.unwrap();
    give(5).await.ok();
    let over = give(6).await;
    over.refused(403, "NOT_ENOUGH", "批次预算不足");
    assert_eq!(over.number(), 270_079_534);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn the_platforms_monthly_cap() {
    let world = World::with(builder().monthly_cap_fen(Some(1_000))).await;
    let id = world.running_stock(&stock_body("n1", 10, 5)).await;
    world.give(&id, USER, "s1").await.ok();
    world.give(&id, USER, "s2").await.ok();
    let capped = world.give(&id, USER, "s3").await;
    capped.refused(400, "INVALID_REQUEST", "暂时无法领取，请联系商家处理。");
    world.mirror.set_clock(time("2026-09-01T00:00:00+08:00")).await.unwrap();
    world.give(&id, USER, "s3").await.ok();
}

#[tokio::test]
async fn a_coupons_life_can_be_shorter_than_its_stocks() {
    let world = World::new().await;
    let time_rule = json!({"second_day_available": true, "available_time_after_receive": 90});
    let body = with(stock_body("n1", 10, 1), "/coupon_use_rule/coupon_available_time", time_rule);
    let id = world.running_stock(&body).await;
    world.give(&id, USER, "s1").await.ok();
    let coupon = coupon(&world, USER, "18180000000001").await.ok();
    assert_eq!(coupon["available_begin_time"], "2026-08-11T00:00:00+08:00");
    assert_eq!(coupon["available_end_time"], "2026-08-11T01:30:00+08:00");
}

#[tokio::test]
async fn who_may_read_a_coupon() {
    let world = World::with(with_sender().merchant(MerchantSeed::new("1900000120"))).await;
    let id = world.running_stock(&stock_body("n1", 10, 1)).await;
    world.mirror.authorise_sender(&id, SENDER).await.unwrap();
    let given = give_as_sender(&world, &id, "s1").await.ok();
    let coupon_id = given["coupon_id"].as_str().unwrap();
    let read = |credentials, appid: &str, openid: &str| {
        let target = format!("{FAVOR}/users/{openid}/coupons/{coupon_id}?appid={appid}");
        let world = &world;
        async move { world.call_as(&credentials, "GET", &target, &Value::Null).await }
    };
    let sender = || world.credentials_of(SENDER);
    read(sender(), "wx1", "oOther").await.ok();
    let gone = read(sender(), "wx1", "oNobody").await;
    assert_eq!((gone.status, gone.json()["code"].as_str()), (404, Some("RESOURCE_NOT_EXISTS")));
    let stranger = read(world.credentials_of("1900000120"), "wx1", "oOther").await;
    stranger.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
    let unbound = read(sender(), "wx2", "oOther").await;
    unbound.refused(400, "APPID_MCHID_NOT_MATCH", "商户号与appid不匹配");
    let own = world.mirror.merchant().appid.clone();
    let foreign = read(world.credentials(), &own, "oOther").await;
    foreign.refused(400, "INVALID_REQUEST", "openid与appID不匹配");
    let target = format!("{FAVOR}/users/oOther/coupons/{coupon_id}");
    world.get(&target).await.refused(400, "PARAM_ERROR", "appid必填");
}

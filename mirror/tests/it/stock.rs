//! Creating, starting and reading stocks.

use std::time::Duration;

use favor_mirror::MerchantSeed;
use serde_json::{Value, json};

use crate::harness::{FAVOR, Reply, START, World, builder, fetch, stock_body, time, with};

const MINUTE: Duration = Duration::from_secs(60);

async fn create(world: &World, body: &Value) -> Reply {
    world.call("POST", &format!("{FAVOR}/coupon-stocks"), body).await
}

fn prefunded(number: &str, coupons: i64) -> Value {
    with(stock_body(number, coupons, 1), "/no_cash", json!(false))
}

async fn balance(world: &World) -> i64 {
    let list = world.control("GET", "/_mirror/merchants", &Value::Null).await.ok();
    list["merchants"][0]["balance_fen"].as_i64().unwrap()
}

#[tokio::test]
async fn a_stock_is_created_started_and_read() {
    let world = World::new().await;
    let created = create(&world, &stock_body("n1", 10, 2)).await.ok();
    assert_eq!(created, json!({"stock_id": "15300001", "create_time": START}));
    let id = "15300001";
    let fresh = world.stock(id).await;
    assert_eq!(fresh["status"], "unactivated");
    assert_eq!(fresh["distributed_coupons"], 0);
    assert!(fresh.get("start_time").is_none());

    world.mirror.advance(MINUTE).await.unwrap();
    let started = world.start(id).await;
    assert!(started.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    let expected = json!({"start_time": "2026-08-10T12:01:00+08:00", "stock_id": id});
    assert_eq!(started.ok(), expected);
    world.mirror.advance(MINUTE).await.unwrap();
    assert_eq!(world.start(id).await.ok(), expected);

    let stock = world.stock(id).await;
    assert_eq!(stock["status"], "running");
    assert_eq!(stock["start_time"], "2026-08-10T12:01:00+08:00");
    assert_eq!(stock["stock_use_rule"]["max_amount"], 5_000);
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let world = World::new().await;
    let target = format!("{FAVOR}/coupon-stocks");
    let credentials = world.credentials();
    for body in ["{", "[]", "null", "\u{feff}{}"] {
        let reply = world.send_as(&credentials, "POST", &target, body).await.unwrap();
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("PARAM_ERROR")), "{body}");
    }
    let header = credentials.authorization("POST", &target, world.mirror.now().timestamp(), "{}");
    let plain = world
        .http
        .post(format!("{}{target}", world.mirror.base_url()))
        .header("Authorization", header)
        .header("Content-Type", "text/plain")
        .body("{}");
    let reply = fetch(plain).await.unwrap();
    assert_eq!((reply.status, reply.number()), (400, 270_924_345));
    let emoji = with(stock_body("n1", 10, 1), "/comment", json!("tea 🍵"));
    assert_eq!(create(&world, &emoji).await.json()["code"], "PARAM_ERROR");
}

/// Each rule of creation that the wire shows with words of its own.
#[tokio::test]
async fn rules_of_creation() {
    let seeds = [
        MerchantSeed::new("1900000110"),
        MerchantSeed { product_permission: false, ..MerchantSeed::new("1900000111") },
    ];
    let world = World::with(seeds.into_iter().fold(builder(), |builder, seed| builder.merchant(seed))).await;
    let contradiction = "批次发放规则或核销规则有误，请修改后重试";
    let available = "/coupon_use_rule/available_merchants";
    let begin = "/available_begin_time";
    let end = "/available_end_time";
    let cases = [
        ("/stock_name", Value::Null, 400, "PARAM_ERROR", "参数“批次名称”是必填项"),
        ("/stock_name", json!("夏日测试券"), 403, "REQUEST_BLOCKED", "活动未开始或已结束\n"),
        ("/belong_merchant", json!("1900000110"), 403, "REQUEST_BLOCKED", "商户权限校验不通过"),
        (begin, json!("10 August"), 400, "PARAM_ERROR", "输入时间格式错误"),
        (begin, json!("2026-08-10T11:59:00+08:00"), 400, "INVALID_REQUEST", contradiction),
        (begin, json!("2027-08-10T12:00:01+08:00"), 400, "INVALID_REQUEST", contradiction),
        (end, json!("2026-11-08T12:00:01+08:00"), 400, "INVALID_REQUEST", contradiction),
        (end, json!(START), 400, "INVALID_REQUEST", contradiction),
        ("/stock_use_rule/max_amount", json!(1), 400, "PARAM_ERROR", "批次预算等于批次面额乘以发券数"),
        ("/stock_use_rule/max_amount_by_day", json!(5_001), 400, "PARAM_ERROR", "单天预算不能大于总预算"),
        ("/stock_type", json!("DISCOUNT"), 403, "REQUEST_BLOCKED", "调用商户无权限"),
        (available, json!(["1900009999"]), 400, "MCH_NOT_EXISTS", "商户号不合法"),
        (available, json!(["1900000110"]), 403, "REQUEST_BLOCKED", "商户权限校验不通过"),
    ];
    for (pointer, value, status, code, message) in cases {
        let reply = create(&world, &with(stock_body("n1", 10, 1), pointer, value)).await;
        reply.refused(status, code, message);
        let logged = &world.mirror.requests(1, 0)[0];
        assert!(logged.rule.is_some() && !logged.notes.is_empty(), "{pointer}");
    }
    // None of the refusals used up the number.
    assert_eq!(create(&world, &stock_body("n1", 10, 1)).await.status, 200);
    let closed = world.credentials_of("1900000111");
    let body = with(stock_body("n2", 10, 1), "/belong_merchant", json!("1900000111"));
    let reply = world.call_as(&closed, "POST", &format!("{FAVOR}/coupon-stocks"), &body).await;
    reply.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn a_repeated_create_answers_the_same_stock_even_when_its_window_has_begun() {
    let world = World::new().await;
    let body = stock_body("n1", 10, 1);
    let first = create(&world, &body).await.ok();
    world.mirror.advance(Duration::from_secs(3_600)).await.unwrap();
    assert_eq!(create(&world, &body).await.ok(), first);
    // Other order of keys, other blanks: the same content.
    let text = serde_json::to_string_pretty(&body).unwrap();
    let target = format!("{FAVOR}/coupon-stocks");
    let reply = world.send_as(&world.credentials(), "POST", &target, &text).await.unwrap();
    assert_eq!(reply.ok(), first);
    let other = create(&world, &with(body, "/comment", json!("x"))).await;
    assert_eq!((other.status, other.json()["code"].as_str()), (400, Some("INVALID_REQUEST")));
    assert_eq!(other.number(), 268_498_688);
    assert_eq!(world.mirror.audit().await.stocks.len(), 1);
}

#[tokio::test]
async fn rules_of_starting() {
    let world = World::with(builder().merchant(MerchantSeed::new("1900000110"))).await;
    let id = world.created_stock(&stock_body("n1", 10, 1)).await;
    world.start(&id).await.refused(400, "INVALID_REQUEST", "卡包信息尚未注册完成，请稍后重试");
    world.start("15399999").await.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");
    world.start("abc").await.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");
    let target = format!("{FAVOR}/stocks/{id}/start");
    let missing = world.call("POST", &target, &json!({})).await;
    missing.refused(400, "PARAM_ERROR", "商户号必填");
    let named = json!({"stock_creator_mchid": "1900000110"});
    world.call("POST", &target, &named).await.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
    let other = world.credentials_of("1900000110");
    world.call_as(&other, "POST", &target, &named).await.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
    world.mirror.set_clock(time("2026-09-10T00:00:00+08:00")).await.unwrap();
    world.start(&id).await.refused(400, "INVALID_REQUEST", "活动已结束或未激活");
}

#[tokio::test]
async fn a_prefunded_stock_locks_its_budget_until_its_end() {
    let seed = MerchantSeed { balance_fen: 12_000, ..MerchantSeed::new("1900000109") };
    let world = World::with(builder().merchant(seed)).await;
    let first = world.created_stock(&prefunded("n1", 10)).await;
    let second = world.created_stock(&prefunded("n2", 20)).await;
    world.mirror.advance(MINUTE).await.unwrap();
    world.start(&first).await.ok();
    world.start(&first).await.ok();
    assert_eq!(balance(&world).await, 7_000);
    world.start(&second).await.refused(403, "NOT_ENOUGH", "激活失败:账户余额不足，请充值");
    assert_eq!(world.stock(&second).await["status"], "unactivated");
    world.assert_sound(&world.mirror.audit().await);
    world.mirror.set_clock(time("2026-09-10T00:00:00+08:00")).await.unwrap();
    assert_eq!(balance(&world).await, 12_000);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn who_may_read_a_stock() {
    let world = World::with(builder().merchant(MerchantSeed::new("1900000110"))).await;
    let id = world.created_stock(&stock_body("n1", 10, 1)).await;
    let target = format!("{FAVOR}/stocks/{id}?stock_creator_mchid=1900000109");
    let other = world.credentials_of("1900000110");
    let reply = world.call_as(&other, "GET", &target, &Value::Null).await;
    reply.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
    world.mirror.authorise_sender(&id, "1900000110").await.unwrap();
    assert_eq!(world.call_as(&other, "GET", &target, &Value::Null).await.status, 200);
    let elsewhere = format!("{FAVOR}/stocks/{id}?stock_creator_mchid=1900000110");
    world.get(&elsewhere).await.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");
    world.get(&format!("{FAVOR}/stocks/{id}")).await.refused(400, "PARAM_ERROR", "商户号必填");
    let long = world.get(&format!("{FAVOR}/stocks/{}?stock_creator_mchid=1900000109", "1".repeat(21))).await;
    assert_eq!(long.json()["detail"]["field"], "stock_id");
}

#[tokio::test]
async fn after_its_end_a_stock_shows_as_stopped() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("n1", 10, 1)).await;
    world.mirror.set_clock(time("2026-09-09T23:59:59+08:00")).await.unwrap();
    assert_eq!(world.stock(&id).await["status"], "running");
    world.mirror.advance(Duration::from_millis(1)).await.unwrap();
    let ended = world.stock(&id).await;
    assert_eq!(ended["status"], "stoped");
}

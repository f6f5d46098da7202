//! Changing goods, merchants and budgets.

use favor_mirror::MerchantSeed;
use serde_json::{Value, json};

use crate::harness::{FAVOR, Reply, USER, World, builder, stock_body, with};

async fn change(world: &World, stock: &str, path: &str, mut body: Value) -> Reply {
    body["stock_creator_mchid"] = json!("1900000109");
    world.call("POST", &format!("{FAVOR}/stocks/{stock}/{path}"), &body).await
}

async fn members(world: &World, stock: &str, list: &str) -> Value {
    let target = format!("{FAVOR}/stocks/{stock}/{list}?stock_creator_mchid=1900000109&offset=0&limit=50");
    world.get(&target).await.ok()["data"].clone()
}

#[tokio::test]
async fn goods() {
    let world = World::new().await;
    let body = with(stock_body("n1", 10, 1), "/coupon_use_rule/available_items", json!(["a", "b"]));
    let stock = world.running_stock(&body).await;
    let goods = |body| change(&world, &stock, "modify-goods-id", body);
    let changed = goods(json!({"add_goods_id_list": ["c"], "delete_goods_id_list": ["a"]})).await;
    assert!(changed.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    let now = "2026-08-10T12:01:01+08:00";
    assert_eq!(changed.ok(), json!({"stock_id": stock, "pause_time": now, "effect_time": now}));
    assert_eq!(members(&world, &stock, "items").await, json!(["b", "c"]));
    // A repeat changes nothing.
    goods(json!({"add_goods_id_list": ["c"], "delete_goods_id_list": ["a"]})).await.ok();
    assert_eq!(members(&world, &stock, "items").await, json!(["b", "c"]));
    let empty = goods(json!({"delete_goods_id_list": ["b", "c"]})).await;
    empty.refused(400, "INVALID_REQUEST", "至少须保留一项");
    for bad in [
        json!({}),
        json!({"add_goods_id_list": []}),
        json!({"add_goods_id_list": "c,d"}),
        json!({"add_goods_id_list": ["x".repeat(129)]}),
        json!({"add_goods_id_list": vec!["x"; 51]}),
    ] {
        let reply = goods(bad.clone()).await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("PARAM_ERROR")), "{bad}");
    }
    world.clock("2026-08-10T12:00:00+08:00").await;
    let whole = world.running_stock(&stock_body("n2", 10, 1)).await;
    let refused = change(&world, &whole, "modify-goods-id", json!({"add_goods_id_list": ["c"]})).await;
    refused.refused(400, "INVALID_REQUEST", "批次不是单品券");
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn merchants() {
    let brand = |mchid: &str| MerchantSeed { brand: Some("b".into()), ..MerchantSeed::new(mchid) };
    let seeds = [brand("1900000109"), brand("1900000110"), MerchantSeed::new("1900000120")];
    let world = World::with(seeds.into_iter().fold(builder(), |builder, seed| builder.merchant(seed))).await;
    let stock = world.running_stock(&stock_body("n1", 10, 1)).await;
    let merchants = |body| change(&world, &stock, "modify-merchants", body);
    let swap = json!({"add_mchid_list": ["1900000110"], "delete_mchid_list": ["1900000109"]});
    let changed = merchants(swap).await.ok();
    assert_eq!(changed, json!({"stock_id": stock, "effect_time": "2026-08-10T12:01:01+08:00"}));
    assert_eq!(members(&world, &stock, "merchants").await, json!(["1900000110"]));
    let unknown = merchants(json!({"add_mchid_list": ["1900009999"]})).await;
    unknown.refused(400, "MCH_NOT_EXISTS", "商户号不合法");
    let foreign = merchants(json!({"add_mchid_list": ["1900000120"]})).await;
    foreign.refused(403, "REQUEST_BLOCKED", "商户权限校验不通过");
    let none = merchants(json!({"delete_mchid_list": ["1900000110"]})).await;
    none.refused(400, "INVALID_REQUEST", "至少须保留一项");
    let letters = merchants(json!({"add_mchid_list": ["1x"]})).await;
    assert_eq!(letters.json()["code"], "PARAM_ERROR");
}

#[tokio::test]
async fn budgets_are_compared_and_raised() {
    let seed = MerchantSeed { balance_fen: 6_000, ..MerchantSeed::new("1900000109") };
    let world = World::with(builder().merchant(seed)).await;
    let stock = world.running_stock(&with(stock_body("n1", 5, 5), "/no_cash", json!(false))).await;
    for n in 0..5 {
        world.give(&stock, USER, &format!("s{n}")).await.ok();
    }
    world.give(&stock, "oLate", "late").await.refused(403, "NOT_ENOUGH", "批次预算不足");
    let raise = |current: i64, target: i64| {
        let body = json!({"current_max_amount": current, "target_max_amount": target});
        change(&world, &stock, "max-amount-modify", body)
    };
    raise(2_000, 3_000).await.refused(400, "INVALID_REQUEST", "当前预算与批次预算不一致");
    let text = "目标预算须大于当前预算且为面额的整数倍";
    raise(2_500, 2_500).await.refused(400, "INVALID_REQUEST", text);
    raise(2_500, 2_600).await.refused(400, "INVALID_REQUEST", text);
    raise(2_500, 7_000).await.refused(403, "NOT_ENOUGH", "激活失败:账户余额不足，请充值");
    assert_eq!(raise(2_500, 3_000).await.ok(), json!({"stock_id": stock, "max_amount": 3_000}));
    // The same request again, its answer having been lost.
    assert_eq!(raise(2_500, 3_000).await.ok(), json!({"stock_id": stock, "max_amount": 3_000}));
    let rule = world.stock(&stock).await["stock_use_rule"].clone();
    assert_eq!((rule["max_coupons"].as_i64(), rule["max_amount"].as_i64()), (Some(6), Some(3_000)));
    world.give(&stock, "oLate", "late").await.ok();
    let list = world.control("GET", "/_mirror/merchants", &Value::Null).await.ok();
    assert_eq!(list["merchants"][0]["balance_fen"], 3_000);
    world.assert_sound(&world.mirror.audit().await);
    let missing = change(&world, &stock, "max-amount-modify", json!({"target_max_amount": 1})).await;
    missing.refused(400, "PARAM_ERROR", "参数“当前批次最大发放金额”是必填项");
}

#[tokio::test]
async fn daily_budgets() {
    let world = World::new().await;
    let stock = world.running_stock(&stock_body("n1", 10, 10)).await;
    let set = |amount: Value| {
        let body = json!({"stock_creator_mchid": "1900000109", "max_amount_by_day": amount});
        let target = format!("{FAVOR}/stocks/{stock}");
        let world = &world;
        async move { world.call("PATCH", &target, &body).await }
    };
    for n in 0..3 {
        world.give(&stock, USER, &format!("s{n}")).await.ok();
    }
    // Less than has been given today: no more today.
    assert_eq!(set(json!(1_000)).await.ok(), json!({"stock_id": stock, "max_amount_by_day": 1_000}));
    world.give(&stock, USER, "more").await.refused(403, "NOT_ENOUGH", "发券超过单天限额");
    world.assert_sound(&world.mirror.audit().await);
    set(json!(2_000)).await.ok();
    world.give(&stock, USER, "more").await.ok();
    world.give(&stock, USER, "again").await.refused(403, "NOT_ENOUGH", "发券超过单天限额");
    set(json!(0)).await.ok();
    world.give(&stock, USER, "again").await.ok();
    assert_eq!(world.stock(&stock).await["stock_use_rule"]["max_amount_by_day"], 0);
    world.assert_sound(&world.mirror.audit().await);
    set(json!(5_001)).await.refused(400, "PARAM_ERROR", "单天预算不能大于总预算");
    assert_eq!(set(json!("1")).await.json()["code"], "PARAM_ERROR");
    assert_eq!(set(Value::Null).await.json()["code"], "PARAM_ERROR");
}

#[tokio::test]
async fn only_between_start_and_end_and_only_the_creator() {
    let world = World::with(builder().merchant(MerchantSeed::new("1900000110"))).await;
    let body = with(stock_body("n1", 10, 1), "/coupon_use_rule/available_items", json!(["a"]));
    let stock = world.created_stock(&body).await;
    let requests = [
        ("POST", "/modify-goods-id", json!({"add_goods_id_list": ["c"]})),
        ("POST", "/modify-merchants", json!({"add_mchid_list": ["1900000109"]})),
        ("POST", "/max-amount-modify", json!({"current_max_amount": 5_000, "target_max_amount": 5_500})),
        ("PATCH", "", json!({"max_amount_by_day": 500})),
    ];
    let all = |named: &'static str, caller: &'static str, expected: (u16, &'static str, &'static str)| {
        let (world, stock, requests) = (&world, &stock, &requests);
        async move {
            for (method, path, body) in requests {
                let mut body = body.clone();
                body["stock_creator_mchid"] = json!(named);
                let target = format!("{FAVOR}/stocks/{stock}{path}");
                let reply = world.call_as(&world.credentials_of(caller), method, &target, &body).await;
                let (status, code, message) = expected;
                reply.refused(status, code, message);
            }
        }
    };
    let state = (400, "INVALID_REQUEST", "活动已结束或未激活");
    all("1900000109", "1900000109", state).await;
    world.clock("2026-08-10T12:01:00+08:00").await;
    world.start(&stock).await.ok();
    let blocked = (403, "REQUEST_BLOCKED", "调用商户无权限");
    all("1900000110", "1900000110", blocked).await;
    all("1900000110", "1900000109", blocked).await;
    world.clock("2026-09-10T00:00:00+08:00").await;
    all("1900000109", "1900000109", state).await;
    for (method, path, body) in requests {
        let body = with(body, "/stock_creator_mchid", json!("1900000109"));
        let reply = world.call(method, &format!("{FAVOR}/stocks/15399999{path}"), &body).await;
        reply.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");
    }
}

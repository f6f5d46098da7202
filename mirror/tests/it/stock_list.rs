//! Lists of stocks, of their merchants and of their goods.

use std::time::Duration;

use favor_mirror::MerchantSeed;
use serde_json::{Value, json};

use crate::harness::{FAVOR, START, World, builder, stock_body, with};

fn ids(list: &Value) -> Vec<&str> {
    let data = list["data"].as_array().map_or(&[][..], Vec::as_slice);
    data.iter().map(|stock| stock["stock_id"].as_str().unwrap()).collect()
}

/// Twelve stocks, one a minute. The first runs, the second is paused, the third is stopped.
async fn world() -> World {
    let world = World::with(builder().merchant(MerchantSeed::new("1900000110"))).await;
    for n in 0..12 {
        let body = with(
            stock_body(&format!("n{n}"), 10, 1),
            "/available_begin_time",
            json!("2026-08-11T00:00:00+08:00"),
        );
        world.created_stock(&body).await;
        world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    }
    world.start("15300001").await.ok();
    world.start("15300002").await.ok();
    world.act("15300002", "pause").await.ok();
    world.act("15300003", "stop").await.ok();
    world
}

async fn list(world: &World, query: &str) -> crate::harness::Reply {
    world.get(&format!("{FAVOR}/stocks?stock_creator_mchid=1900000109&{query}")).await
}

#[tokio::test]
async fn pages_come_newest_first() {
    let world = world().await;
    let first = list(&world, "offset=0&limit=10").await.ok();
    assert_eq!(ids(&first)[..2], ["15300012", "15300011"]);
    assert_eq!((first["total_count"].as_i64(), first["limit"].as_i64()), (Some(12), Some(10)));
    assert_eq!(first["offset"], 0);
    assert_eq!(first["data"][0], world.stock("15300012").await);
    let second = list(&world, "offset=1&limit=10").await.ok();
    assert_eq!(ids(&second), ["15300002", "15300001"]);
    // A page number, not a position.
    assert_eq!(ids(&list(&world, "offset=3&limit=3").await.ok()), ["15300003", "15300002", "15300001"]);
    let past = list(&world, "offset=2&limit=10").await.ok();
    assert_eq!((past["total_count"].as_i64(), past.get("data")), (Some(12), None));
}

#[tokio::test]
async fn filters() {
    let world = world().await;
    for (status, expected) in
        [("running", vec!["15300001"]), ("paused", vec!["15300002"]), ("stoped", vec!["15300003"])]
    {
        let found = list(&world, &format!("offset=0&limit=10&status={status}")).await.ok();
        assert_eq!(ids(&found), expected, "{status}");
    }
    let unactivated = list(&world, "offset=0&limit=1&status=unactivated").await.ok();
    assert_eq!(unactivated["total_count"], 9);
    let from = "create_start_time=2026-08-10T12:01:00%2B08:00";
    let to = "create_end_time=2026-08-10T12:03:00%2B08:00";
    let found = list(&world, &format!("offset=0&limit=10&{from}&{to}")).await.ok();
    assert_eq!(ids(&found), ["15300004", "15300003", "15300002"]);
    let found = list(&world, &format!("offset=0&limit=10&{from}")).await.ok();
    assert_eq!(found["total_count"], 11);
    // Nothing fits: production answers 404.
    let none = list(&world, "offset=0&limit=10&status=audit").await;
    none.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");
    // After their end all show as stopped, and are found as that.
    world.clock("2026-09-10T00:00:00+08:00").await;
    assert_eq!(list(&world, "offset=0&limit=10&status=stoped").await.ok()["total_count"], 12);
    assert_eq!(list(&world, "offset=0&limit=10&status=running").await.status, 404);
}

#[tokio::test]
async fn wrong_parameters() {
    let world = world().await;
    let swapped = "create_start_time=2026-08-10T12:03:00%2B08:00&create_end_time=2026-08-10T12:01:00%2B08:00";
    for (query, message) in [
        ("offset=0&limit=11", "页大小超过阈值"),
        ("offset=0&limit=10&status=stopped", "非法的批次状态"),
        ("offset=0&limit=10&create_start_time=2026-08-10T12:01:00+08:00", "输入时间格式错误"),
        ("offset=0&limit=10&create_end_time=yesterday", "输入时间格式错误"),
        (&format!("offset=0&limit=10&{swapped}"), "输入时间格式错误"),
        ("limit=10", "参数“分页页码”是必填项"),
        ("offset=0", "参数“分页大小”是必填项"),
    ] {
        list(&world, query).await.refused(400, "PARAM_ERROR", message);
    }
    for query in ["offset=0&limit=0", "offset=-1&limit=1", "offset=0&limit=x", "offset=4294967296&limit=1"] {
        let reply = list(&world, query).await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("PARAM_ERROR")), "{query}");
    }
    let target = format!("{FAVOR}/stocks?offset=0&limit=10");
    world.get(&target).await.refused(400, "PARAM_ERROR", "商户号必填");
    let other = format!("{target}&stock_creator_mchid=1900000109");
    let reply = world.call_as(&world.credentials_of("1900000110"), "GET", &other, &Value::Null).await;
    reply.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
}

#[tokio::test]
async fn merchants_and_goods() {
    let brand = |mchid: &str| MerchantSeed { brand: Some("b".into()), ..MerchantSeed::new(mchid) };
    let seeds =
        [brand("1900000109"), brand("1900000110"), brand("1900000111"), MerchantSeed::new("1900000120")];
    let world = World::with(seeds.into_iter().fold(builder(), |builder, seed| builder.merchant(seed))).await;
    let merchants = json!(["1900000109", "1900000110", "1900000111"]);
    let body = with(stock_body("n1", 10, 1), "/coupon_use_rule/available_merchants", merchants);
    let body = with(body, "/coupon_use_rule/available_items", json!(["a", "b"]));
    let stock = world.created_stock(&body).await;
    let whole = world.created_stock(&stock_body("n2", 10, 1)).await;
    let get = |stock: &str, list: &str, query: &str| {
        let target = format!("{FAVOR}/stocks/{stock}/{list}?stock_creator_mchid=1900000109&{query}");
        let world = &world;
        async move { world.get(&target).await }
    };
    assert_eq!(
        get(&stock, "merchants", "offset=1&limit=2").await.ok(),
        json!({"total_count": 3, "data": ["1900000111"], "offset": 1, "limit": 2, "stock_id": stock})
    );
    let items = get(&stock, "items", "offset=0&limit=100").await.ok();
    assert_eq!((items["data"].clone(), items["total_count"].as_i64()), (json!(["a", "b"]), Some(2)));
    let none = get(&whole, "items", "offset=0&limit=100").await.ok();
    assert_eq!(none, json!({"total_count": 0, "offset": 0, "limit": 100, "stock_id": whole}));
    for (list, query) in [
        ("merchants", "offset=0&limit=51"),
        ("merchants", "offset=1001&limit=50"),
        ("items", "offset=0&limit=101"),
        ("items", "offset=501&limit=100"),
    ] {
        get(&stock, list, query).await.refused(400, "PARAM_ERROR", "页大小超过阈值");
    }
    for (list, query) in [("merchants", "offset=1&limit=3"), ("items", "offset=500&limit=1")] {
        get(&stock, list, query).await.refused(400, "MCH_NOT_EXISTS", "商户号不合法");
    }
    get("15399999", "items", "offset=0&limit=1").await.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");

    let target = format!("{FAVOR}/stocks/{stock}/merchants?stock_creator_mchid=1900000109&offset=0&limit=1");
    let other = world.credentials_of("1900000120");
    let reply = world.call_as(&other, "GET", &target, &Value::Null).await;
    reply.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
    world.mirror.authorise_sender(&stock, "1900000120").await.unwrap();
    assert_eq!(world.call_as(&other, "GET", &target, &Value::Null).await.status, 200);
    assert_eq!(world.mirror.now().to_rfc3339(), START);
}

//! Where notifications go.

use favor_mirror::MerchantSeed;
use serde_json::{Value, json};

use crate::harness::{FAVOR, START, World, builder};

#[tokio::test]
async fn an_address_is_set_shown_and_replaced() {
    let world = World::new().await;
    let target = format!("{FAVOR}/callbacks");
    let shown = format!("{target}?mchid=1900000109");
    let none = world.get(&shown).await;
    assert_eq!((none.status, none.json()["code"].as_str()), (404, Some("RESOURCE_NOT_EXISTS")));
    for url in ["https://shop.example/notify", "http://127.0.0.1:9000/notify"] {
        let body = json!({"mchid": "1900000109", "notify_url": url, "switch": true});
        let set = world.call("POST", &target, &body).await;
        assert!(set.is_signed_by(&world.mirror.platform_certificates()[0].pem));
        let without_scheme = url.split_once("://").unwrap().1;
        assert_eq!(set.ok(), json!({"update_time": START, "notify_url": without_scheme}));
        assert_eq!(world.get(&shown).await.ok(), json!({"notify_url": url, "mchid": "1900000109"}));
    }
}

#[tokio::test]
async fn rules() {
    let closed = MerchantSeed { product_permission: false, ..MerchantSeed::new("1900000111") };
    let world = World::with(builder().merchant(MerchantSeed::new("1900000110")).merchant(closed)).await;
    let target = format!("{FAVOR}/callbacks");
    let set = |body: Value| {
        let (world, target) = (&world, &target);
        async move { world.call("POST", target, &body).await }
    };
    let good = "https://shop.example/notify";
    let of = |mchid: Value, url: Value| json!({"mchid": mchid, "notify_url": url});
    set(of(Value::Null, json!(good))).await.refused(400, "PARAM_ERROR", "回调商户不能为空");
    set(of(json!("1900000109"), json!(""))).await.refused(400, "PARAM_ERROR", "回调url不能为空");
    for url in ["http://shop.example/notify", "https://shop.example/notify?a=1", "shop.example"] {
        set(of(json!("1900000109"), json!(url))).await.refused(400, "PARAM_ERROR", "回调url格式错误");
    }
    let long = format!("https://shop.example/{}", "x".repeat(256));
    assert_eq!(set(of(json!("1900000109"), json!(long))).await.json()["code"], "PARAM_ERROR");
    let other = set(of(json!("1900000110"), json!(good))).await;
    other.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
    let closed = world.credentials_of("1900000111");
    let body = of(json!("1900000111"), json!(good));
    let reply = world.call_as(&closed, "POST", &target, &body).await;
    reply.refused(403, "REQUEST_BLOCKED", "调用商户无权限");

    world.get(&target).await.refused(400, "PARAM_ERROR", "回调商户不能为空");
    let foreign = world.get(&format!("{target}?mchid=1900000110")).await;
    foreign.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
}

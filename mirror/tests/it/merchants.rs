//! Merchants changed while the mirror runs, and what they may do.

use favor_mirror::{CertificateChange, MerchantChange, MerchantSeed, MirrorError, Redeem};
use serde_json::{Value, json};

use crate::harness::{FAVOR, USER, World, stock_body, with};

const OWN: &str = "1900000109";

async fn balance(world: &World, mchid: &str) -> i64 {
    let merchants = world.control("GET", "/_mirror/merchants", &Value::Null).await.ok();
    let all = merchants["merchants"].as_array().unwrap();
    let merchant = all.iter().find(|merchant| merchant["mchid"] == mchid).unwrap();
    merchant["balance_fen"].as_i64().unwrap()
}

#[tokio::test]
async fn money_paid_in_is_there_and_is_conserved() {
    let world = World::new().await;
    let poor = world.mirror.add_merchant(MerchantSeed::new("42")).await.unwrap();
    let body = with(stock_body("n1", 10, 2), "/belong_merchant", json!("42"));
    let body = with(body, "/no_cash", json!(false));
    let body = with(body, "/coupon_use_rule/available_merchants", json!(["42"]));
    let credentials = (&poor).into();
    let created = world.call_as(&credentials, "POST", &format!("{FAVOR}/coupon-stocks"), &body).await.ok();
    let id = created["stock_id"].as_str().unwrap();
    world.mirror.advance(std::time::Duration::from_secs(60)).await.unwrap();
    let start = async || {
        let body = json!({"stock_creator_mchid": "42"});
        world.call_as(&credentials, "POST", &format!("{FAVOR}/stocks/{id}/start"), &body).await
    };
    start().await.refused(403, "NOT_ENOUGH", "激活失败:账户余额不足，请充值");
    for top_up in [4_999, 1, 250] {
        let body = json!({ "top_up_fen": top_up });
        world.control("PATCH", "/_mirror/merchants/42", &body).await.ok();
    }
    start().await.ok();
    assert_eq!(balance(&world, "42").await, 250);
    world.assert_sound(&world.mirror.audit().await);
    let send = json!({
        "stock_id": id, "out_request_no": "s1", "appid": poor.appid, "stock_creator_mchid": "42"
    });
    let target = format!("{FAVOR}/users/{USER}/coupons");
    let coupon = world.call_as(&credentials, "POST", &target, &send).await.ok();
    world.mirror.redeem(coupon["coupon_id"].as_str().unwrap(), Redeem::default()).await.unwrap();
    world
        .mirror
        .change_merchant("42", MerchantChange { top_up_fen: 7, ..MerchantChange::default() })
        .await
        .unwrap();
    world.assert_sound(&world.mirror.audit().await);
    world.mirror.reset().await.unwrap();
    assert_eq!(balance(&world, "42").await, 5_257);
    world.assert_sound(&world.mirror.audit().await);
    let negative = MerchantChange { top_up_fen: -1, ..MerchantChange::default() };
    assert!(matches!(world.mirror.change_merchant("42", negative).await, Err(MirrorError::Seed { .. })));
    let missing = world.mirror.change_merchant("77", MerchantChange::default()).await;
    assert!(matches!(missing, Err(MirrorError::NotFound { what: "merchant" })));
}

#[tokio::test]
async fn certificates_end_and_are_renewed() {
    let world = World::new().await;
    let old = world.credentials();
    let ask = async |credentials: &crate::harness::Credentials| {
        world.call_as(credentials, "GET", "/v3/certificates", &Value::Null).await
    };
    let change = async |certificate| {
        let change = MerchantChange { certificate: Some(certificate), ..MerchantChange::default() };
        world.mirror.change_merchant(OWN, change).await.unwrap()
    };
    ask(&old).await.ok();
    let expired = change(CertificateChange::Expired).await;
    assert_eq!(expired.serial_no, old.serial_no);
    ask(&old).await.refused(401, "SIGN_ERROR", "商户证书已过期");
    let renewed = change(CertificateChange::Renewed).await;
    assert_ne!(renewed.serial_no, old.serial_no);
    ask(&old).await.refused(401, "SIGN_ERROR", "商户证书序列号有误");
    ask(&(&renewed).into()).await.ok();
    let again = change(CertificateChange::Renewed).await;
    assert_ne!(again.serial_no, renewed.serial_no);
    change(CertificateChange::Missing).await;
    ask(&(&again).into()).await.refused(401, "SIGN_ERROR", "商户未申请过证书");
    let expires = Some(crate::harness::time("2026-08-10T13:00:00+08:00"));
    let dated = MerchantChange { certificate_expires: expires, ..MerchantChange::default() };
    let dated = (&world.mirror.change_merchant(OWN, dated).await.unwrap()).into();
    ask(&dated).await.ok();
    world.clock("2026-08-10T13:00:00+08:00").await;
    ask(&dated).await.refused(401, "SIGN_ERROR", "商户证书已过期");
}

#[tokio::test]
async fn permissions_and_appids_are_taken_and_given() {
    let world = World::new().await;
    let patch = async |body: Value| {
        world.control("PATCH", &format!("/_mirror/merchants/{OWN}"), &body).await.ok();
    };
    let callback = async || {
        let body = json!({"mchid": OWN, "notify_url": "http://127.0.0.1:9/n"});
        world.call("POST", &format!("{FAVOR}/callbacks"), &body).await
    };
    callback().await.ok();
    patch(json!({"event_permission": false})).await;
    callback().await.refused(403, "REQUEST_BLOCKED", "请开通回调通知产品权限");
    let read = world.get(&format!("{FAVOR}/callbacks?mchid={OWN}")).await;
    read.refused(403, "REQUEST_BLOCKED", "请开通回调通知产品权限");
    patch(json!({"event_permission": true})).await;
    callback().await.ok();

    let id = world.running_stock(&stock_body("n1", 10, 2)).await;
    patch(json!({"appids": ["wxNew"]})).await;
    world.give(&id, USER, "s1").await.refused(400, "APPID_MCHID_NOT_MATCH", "商户号与appid不匹配");
    patch(json!({"appids": [world.mirror.merchant().appid, "wxNew"]})).await;
    world.give(&id, USER, "s1").await.ok();
    patch(json!({"product_permission": false})).await;
    world.give(&id, USER, "s2").await.refused(403, "REQUEST_BLOCKED", "调用商户无权限");
    patch(json!({"product_permission": true})).await;

    // Where a no-cash stock is spent: at merchants of the brand and at sub-merchants.
    world.mirror.add_merchant(MerchantSeed::new("42")).await.unwrap();
    let body = |number: &str| {
        let body = with(stock_body(number, 10, 2), "/coupon_use_rule/available_merchants", json!(["42"]));
        with(body, "/available_begin_time", json!("2026-08-11T00:00:00+08:00"))
    };
    let create =
        async |number: &str| world.call("POST", &format!("{FAVOR}/coupon-stocks"), &body(number)).await;
    create("n2").await.refused(403, "REQUEST_BLOCKED", "商户权限校验不通过");
    let other = async |body: Value| {
        world.control("PATCH", "/_mirror/merchants/42", &body).await.ok();
    };
    other(json!({ "service_provider": OWN })).await;
    create("n2").await.ok();
    other(json!({ "service_provider": "" })).await;
    create("n3").await.refused(403, "REQUEST_BLOCKED", "商户权限校验不通过");
    other(json!({ "brand": "tea" })).await;
    patch(json!({ "brand": "tea" })).await;
    create("n3").await.ok();
}

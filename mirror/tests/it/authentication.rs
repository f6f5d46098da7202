//! Who may call: every cause of a 401, routes, and what the log says about them.

use std::time::Duration;

use favor_mirror::{Merchant, MerchantCertificate, MerchantSeed, Verdict};
use serde_json::{Value, json};

use crate::harness::{Credentials, FAVOR, Reply, World, builder, fetch};

const TARGET: &str = "/v3/certificates";

async fn world() -> World {
    World::with(
        builder()
            .merchant(MerchantSeed::new("1900000110"))
            .merchant(MerchantSeed {
                certificate: MerchantCertificate::Expired,
                ..MerchantSeed::new("1900000111")
            })
            .merchant(MerchantSeed {
                certificate: MerchantCertificate::Missing,
                ..MerchantSeed::new("1900000112")
            }),
    )
    .await
}

/// A 401 is never signed and carries its number.
#[track_caller]
fn assert_unauthenticated(reply: &Reply, message: &str, number: Option<u32>) {
    reply.refused(401, "SIGN_ERROR", message);
    assert!(reply.header("wechatpay-signature").is_none());
    assert!(reply.header("wechatpay-serial").is_none());
    if let Some(number) = number {
        assert_eq!(reply.number(), number);
    }
}

async fn with_header(world: &World, header: &str) -> Reply {
    fetch(world.request("GET", TARGET, "").header("Authorization", header)).await.unwrap()
}

#[tokio::test]
async fn headers_that_cannot_be_read() {
    let world = world().await;
    let good = world.credentials().authorization("GET", TARGET, world.mirror.now().timestamp(), "");
    let missing = fetch(world.request("GET", TARGET, "")).await.unwrap();
    assert_unauthenticated(&missing, "Authorization不合法", None);
    let scheme = good.replace("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3");
    for bad in [scheme, good.replace("nonce_str", "nonce"), good.replace("\",", "\";")] {
        assert_unauthenticated(&with_header(&world, &bad).await, "Authorization不合法", None);
    }
    let twice =
        world.request("GET", TARGET, "").header("Authorization", &good).header("Authorization", &good);
    assert_unauthenticated(&fetch(twice).await.unwrap(), "Authorization不合法", None);
}

#[tokio::test]
async fn the_order_of_items_is_free() {
    let world = world().await;
    let good = world.credentials().authorization("GET", TARGET, world.mirror.now().timestamp(), "");
    let (scheme, items) = good.split_once(' ').unwrap();
    let mut items: Vec<_> = items.split(',').collect();
    items.reverse();
    let reply = with_header(&world, &format!("{scheme} {}", items.join(", "))).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.number(), 0);
}

#[tokio::test]
async fn merchants_and_serials() {
    let world = world().await;
    let unknown = Credentials { mchid: "1900009999".into(), ..world.credentials() };
    let reply = world.call_as(&unknown, "GET", TARGET, &Value::Null).await;
    assert_unauthenticated(&reply, "商户号不存在", Some(269_546_538));

    let serial = Credentials { serial_no: "AB".repeat(20), ..world.credentials() };
    let reply = world.call_as(&serial, "GET", TARGET, &Value::Null).await;
    assert_unauthenticated(&reply, "商户证书序列号有误", Some(269_546_507));

    let expired = world.credentials_of("1900000111");
    let reply = world.call_as(&expired, "GET", TARGET, &Value::Null).await;
    assert_unauthenticated(&reply, "商户证书已过期", Some(269_546_505));

    let none = Credentials { serial_no: "1".into(), ..world.credentials_of("1900000112") };
    let reply = world.call_as(&none, "GET", TARGET, &Value::Null).await;
    assert_unauthenticated(&reply, "商户未申请过证书", None);
}

#[tokio::test]
async fn the_clock_window() {
    let world = world().await;
    let now = world.mirror.now().timestamp();
    for (offset, fine) in [(0, true), (299, true), (-299, true), (300, false), (-300, false)] {
        let header = world.credentials().authorization("GET", TARGET, now + offset, "");
        let reply = with_header(&world, &header).await;
        if fine {
            assert_eq!(reply.status, 200, "{offset}");
        } else {
            let message = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟";
            assert_unauthenticated(&reply, message, Some(268_573_590));
        }
    }
}

#[tokio::test]
async fn a_wrong_signature_shows_what_the_server_built() {
    let world = world().await;
    let target = format!("{FAVOR}/stocks/1?stock_creator_mchid=1900000109");
    let now = world.mirror.now().timestamp();
    let header = world.credentials().authorization("GET", "/v3/other", now, "");
    let reply = fetch(world.request("GET", &target, "").header("Authorization", header)).await.unwrap();
    assert_unauthenticated(&reply, "错误的签名，验签失败", Some(269_546_525));
    let built = format!("GET\n{target}\n{now}\nQw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc\n\n");
    assert_eq!(
        reply.json()["detail"],
        json!({
            "field": "signature", "location": "authorization", "detail": {"issue": "sign not match"},
            "sign_information": {
                "method": "GET", "url": target, "sign_message_length": built.len(),
                "truncated_sign_message": built
            }
        })
    );
    let logged = &world.mirror.requests(1, 0)[0];
    assert_eq!(logged.verdict, Verdict::Unauthenticated);
    assert_eq!(logged.canonical.as_deref(), Some(built.as_str()));
    assert_eq!(logged.rule.unwrap().id, "authentication.signature");
    assert_eq!(logged.signed_with, None);
}

#[tokio::test]
async fn another_merchants_key_is_recognised() {
    let world = world().await;
    let mixed = Credentials {
        private_key_pem: world.credentials_of("1900000110").private_key_pem,
        ..world.credentials()
    };
    let reply = world.call_as(&mixed, "GET", TARGET, &Value::Null).await;
    assert_unauthenticated(&reply, "错误的签名，验签失败", Some(269_546_525));
    assert!(world.mirror.requests(1, 0)[0].notes[0].contains("1900000110"));
}

/// The target is signed as it is on the request line, odd encodings and all.
#[tokio::test]
async fn the_raw_target_is_what_counts() {
    let world = world().await;
    for target in [
        "/v3/certificates?",
        "/v3/certificates?algorithm_type=R%53A",
        "/v3/certificates?b=%2f&a=%7E~+*'(),;:@/?",
        "/v3/marketing/favor/users/o%2fa%zz/coupons/1?appid=x",
    ] {
        let header = world.credentials().authorization("GET", target, world.mirror.now().timestamp(), "");
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\nConnection: close\r\nAuthorization: {header}\r\n\r\n"
        );
        let answer = String::from_utf8(world.raw(request.as_bytes()).await).unwrap();
        assert!(!answer.starts_with("HTTP/1.1 401"), "{target}: {answer}");
        assert_eq!(world.mirror.requests(1, 0)[0].path, target);
    }
}

#[tokio::test]
async fn unknown_paths_are_answered_after_authentication_and_explained() {
    let world = world().await;
    let unsigned = fetch(world.request("GET", "/v3/nothing", "")).await.unwrap();
    assert_unauthenticated(&unsigned, "Authorization不合法", None);

    let reply = world.get(&format!("{FAVOR}/coupon-stocks")).await;
    assert_eq!((reply.status, reply.json()["code"].as_str().unwrap()), (404, "NOT_FOUND"));
    assert!(reply.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    let logged = &world.mirror.requests(1, 0)[0];
    assert_eq!(logged.operation, None);
    assert!(logged.notes.iter().any(|note| note.contains("wants POST")), "{:?}", logged.notes);

    let reply = world.get("/v3/marketing/favor/stock/1").await;
    assert_eq!(reply.status, 404);
    assert!(world.mirror.requests(1, 0)[0].notes[0].contains("closest"));
}

#[tokio::test]
async fn an_empty_path_parameter_is_a_parameter_fault() {
    let world = world().await;
    let reply = world.call("POST", &format!("{FAVOR}/users//coupons"), &json!({})).await;
    let message = "输入源“/uri_template/openid”映射到字段“用户openid”必填性规则校验失败，此字段为必填项";
    reply.refused(400, "PARAM_ERROR", message);
    assert_eq!(reply.json()["detail"]["location"], "uri_template");
}

#[tokio::test]
async fn a_missing_user_agent_is_noted_not_refused() {
    let world = world().await;
    let header = world.credentials().authorization("GET", TARGET, world.mirror.now().timestamp(), "");
    let request =
        format!("GET {TARGET} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {header}\r\n\r\n");
    let answer = world.raw(request.as_bytes()).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert!(world.mirror.requests(1, 0)[0].notes[0].contains("User-Agent"));
}

#[tokio::test]
async fn replies_look_like_productions() {
    let world = world().await;
    let reply = world.get(TARGET).await;
    assert_eq!(reply.header("server"), Some("nginx"));
    assert_eq!(reply.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-cache, must-revalidate"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("keep-alive"), Some("timeout=8"));
    assert_eq!(reply.header("wechatpay-signature-type"), Some("WECHATPAY2-SHA256-RSA2048"));
    assert_eq!(reply.header("date"), Some("Mon, 10 Aug 2026 04:00:00 GMT"));
    let timestamp: i64 = reply.header("wechatpay-timestamp").unwrap().parse().unwrap();
    assert_eq!(timestamp, world.mirror.now().timestamp());
}

/// The wire clock stays with the machine when only the test clock moves.
#[tokio::test]
async fn moving_the_test_clock_does_not_lock_clients_out() {
    let world = World::with(favor_mirror::Mirror::builder()).await;
    let real = world.mirror.now().timestamp();
    world.mirror.advance(Duration::from_secs(86_400)).await.unwrap();
    let header = world.credentials().authorization("GET", TARGET, real, "");
    assert_eq!(with_header(&world, &header).await.status, 200);
}

#[tokio::test]
async fn documented_rates_are_enforced_when_asked() {
    let world = World::with(builder().documented_rate_limits(true)).await;
    let target = format!("{FAVOR}/coupon-stocks");
    for _ in 0..60 {
        assert_ne!(world.call("POST", &target, &json!({})).await.status, 429);
    }
    let reply = world.call("POST", &target, &json!({})).await;
    reply.refused(429, "FREQUENCY_LIMIT_EXCEED", "接口限频");
    assert_eq!(reply.number(), 268_461_336);
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(world.call("POST", &target, &json!({})).await.status, 400);
}

#[tokio::test]
async fn the_default_merchant_is_the_same_everywhere() {
    let (one, two) = (World::new().await, World::new().await);
    let (one, two): (&Merchant, &Merchant) = (one.mirror.merchant(), two.mirror.merchant());
    assert_eq!((&one.mchid, &one.serial_no, &one.api_v3_key), (&two.mchid, &two.serial_no, &two.api_v3_key));
    assert_eq!(one.mchid, "1900000109");
}

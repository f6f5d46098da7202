//! What goes out: request line, headers, signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_core::{Backend, Call, Multipart, PlatformKeys, PublicKey, Serial};

use crate::calls::{GET, OPENID, OUT_REQUEST_NO, PATCH, get, link, send};
use crate::platform::{
    PUBLIC_KEY_ID, Platform, SERIAL_2, certificate_1, certificate_2, certificate_set, public_key,
};
use crate::script::{Play, Seen};
use crate::test_keys::MERCHANT_PUBLIC;
use crate::world::{HOST, MERCHANT_ID, MERCHANT_SERIAL, START, World};

/// The message a server builds from what it received, and whether the signature over it holds.
fn signature_holds(seen: &Seen, signed_body: &[u8]) -> bool {
    let head = format!(
        "{}\n{}\n{}\n{}\n",
        seen.method,
        seen.path_and_query,
        seen.authorization("timestamp"),
        seen.authorization("nonce_str"),
    );
    let message = [head.as_bytes(), signed_body, b"\n"].concat();
    let signature = STANDARD.decode(seen.authorization("signature")).unwrap();
    let public = PublicKey::from_pem(MERCHANT_PUBLIC).unwrap();
    public.verify(&message, &signature).is_ok()
}

#[tokio::test]
async fn a_post_carries_its_body_and_the_documented_headers() {
    let world = World::playing([Play::ok("{}")]);
    world.client().execute(&send()).await.unwrap();
    let seen = world.script.only();
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.base_url, HOST);
    assert_eq!(seen.path_and_query, format!("/v3/marketing/favor/users/{OPENID}/coupons"));
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body["out_request_no"], OUT_REQUEST_NO);
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let agent = format!("favor/{} ({})", env!("CARGO_PKG_VERSION"), std::env::consts::OS);
    assert_eq!(seen.header("user-agent"), Some(agent.as_str()));
    assert_eq!(seen.header("wechatpay-serial"), Some(PUBLIC_KEY_ID));
    assert_eq!(seen.header("accept-language"), None);

    let authorization = seen.header("authorization").unwrap();
    let expected = format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{MERCHANT_ID}\",nonce_str=\"{}\",timestamp=\"{START}\",serial_no=\"{MERCHANT_SERIAL}\",signature=\"{}\"",
        seen.authorization("nonce_str"),
        seen.authorization("signature"),
    );
    assert_eq!(authorization, expected);
    assert!(seen.headers["authorization"].is_sensitive(), "so that no middleware prints it");
    let nonce = seen.authorization("nonce_str");
    assert!(nonce.len() == 32 && nonce.bytes().all(|b| b.is_ascii_alphanumeric()), "{nonce}");
    assert!(signature_holds(&seen, &seen.body));
    assert!(!signature_holds(&seen, b""));
}

#[tokio::test]
async fn a_get_has_no_body_and_no_content_type() {
    let world = World::playing([Play::ok("{}")]);
    world.client().execute(&get()).await.unwrap();
    let seen = world.script.only();
    assert_eq!(seen.method, "GET");
    assert_eq!(seen.path_and_query, "/v3/marketing/favor/stocks/9856000?stock_creator_mchid=9856888");
    assert!(seen.body.is_empty());
    assert_eq!(seen.header("content-type"), None);
    assert!(signature_holds(&seen, b""));
}

#[tokio::test]
async fn a_patch_without_a_body_is_signed_like_a_get() {
    let world = World::playing([Play::ok("{}")]);
    world.client().execute(&Call::to(&PATCH).finish().unwrap()).await.unwrap();
    let seen = world.script.only();
    assert_eq!(seen.method, "PATCH");
    assert!(signature_holds(&seen, b""));
}

#[tokio::test]
async fn odd_values_are_encoded_once_and_signed_as_sent() {
    let world = World::playing([Play::ok("{}")]);
    let call = Call::to(&GET)
        .segment("stock_id", "a/b c%2F券")
        .query("create_start_time", "2026-05-20T00:00:00+08:00")
        .finish()
        .unwrap();
    world.client().execute(&call).await.unwrap();
    let seen = world.script.only();
    assert_eq!(
        seen.path_and_query,
        "/v3/marketing/favor/stocks/a%2Fb%20c%252F%E5%88%B8?create_start_time=2026-05-20T00%3A00%3A00%2B08%3A00"
    );
    assert!(signature_holds(&seen, b""));
}

#[tokio::test]
async fn an_upload_sends_the_whole_form_and_signs_its_meta_part() {
    let world = World::playing([Play::ok("{}")]);
    let meta = r#"{"filename":"logo.png","sha256":"ab"}"#;
    let form = Multipart::new(meta, "logo.png", "image/png", b"\x89PNG").unwrap();
    let call = Call::to(&crate::calls::SEND).segment("openid", "o").multipart(form).finish().unwrap();
    world.client().execute(&call).await.unwrap();
    let seen = world.script.only();
    let content_type = seen.header("content-type").unwrap();
    assert!(content_type.starts_with("multipart/form-data; boundary="), "{content_type}");
    assert!(seen.body.windows(4).any(|bytes| bytes == b"\x89PNG"));
    assert!(signature_holds(&seen, meta.as_bytes()));
    assert!(!signature_holds(&seen, &seen.body));
}

#[tokio::test]
async fn every_attempt_has_its_own_time_and_nonce_and_the_same_body() {
    let world = World::playing([
        Play::error(500, "SYSTEM_ERROR", "x"),
        Play::error(503, "SERVICE_UNAVAILABLE", "x").header("retry-after", "7"),
        Play::ok("{}"),
    ]);
    world.client().execute(&send()).await.unwrap();
    let seen = world.script.seen();
    assert_eq!(seen.len(), 3);
    let mut nonces: Vec<_> = seen.iter().map(|seen| seen.authorization("nonce_str")).collect();
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 3, "a nonce was used twice");
    let times: Vec<i64> = seen.iter().map(|seen| seen.authorization("timestamp").parse().unwrap()).collect();
    assert_eq!(times[0], START);
    assert!(times[2] >= START + 7, "{times:?}");
    for one in &seen {
        assert_eq!((&one.body, &one.path_and_query), (&seen[0].body, &seen[0].path_and_query));
        assert!(signature_holds(one, &one.body));
    }
}

#[tokio::test]
async fn the_announced_key_follows_the_mode() {
    let certificates = || certificate_set([certificate_1(-20, 20).as_str(), certificate_2(-10, 10).as_str()]);
    let both = certificates().with_public_key(PUBLIC_KEY_ID, public_key()).unwrap();
    let sealed_by = Serial::new("0A11");
    for (keys, sealed_with, announced) in [
        (certificates(), None, Some(SERIAL_2)),
        (both.clone(), None, Some(PUBLIC_KEY_ID)),
        (both, Some(sealed_by), Some("0A11")),
        (certificate_set([certificate_1(-20, -10).as_str()]), None, None),
    ] {
        let world = World::playing([Play::unsigned(200, "{}")]);
        let mut call = Call::to(&crate::calls::LINK).segment("stock_id", "1");
        if let Some(serial) = sealed_with {
            call = call.sealed_with(serial);
        }
        let client = world.builder_with(PlatformKeys::fixed(keys)).build().unwrap();
        client.execute(&call.finish().unwrap()).await.unwrap();
        assert_eq!(world.script.only().header("wechatpay-serial"), announced);
    }
}

#[tokio::test]
async fn program_and_language_are_named_when_set() {
    let world = World::playing([Play::ok("{}"), Play::ok("{}")]);
    let client = world.builder().user_agent("shop/2.1").language("en").build().unwrap();
    client.execute(&get()).await.unwrap();
    let mut options = client.options().clone();
    options.language = Some("zh-HK".parse().unwrap());
    client.with(options).execute(&get()).await.unwrap();
    let seen = world.script.seen();
    let agent = seen[0].header("user-agent").unwrap();
    assert!(agent.starts_with("shop/2.1 favor/"), "{agent}");
    assert_eq!(seen[0].header("accept-language"), Some("en"));
    assert_eq!(seen[1].header("accept-language"), Some("zh-HK"));
}

#[tokio::test]
async fn the_answer_comes_back_whole_with_who_signed_it() {
    for backend in Backend::ALL.iter().copied() {
        let world = World::playing([Play::ok(r#"{"a":1}"#).header("request-id", "08F78BB5-0")]);
        let key = PublicKey::from_pem_with(crate::test_keys::PUBLIC_KEY_PUBLIC, backend).unwrap();
        let keys = PlatformKeys::public_key(PUBLIC_KEY_ID, key).unwrap();
        let client = world.builder_with(keys).build().unwrap();
        let response = client.execute(&get()).await.unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.body, r#"{"a":1}"#);
        assert_eq!(response.request_id.as_deref(), Some("08F78BB5-0"));
        assert_eq!(response.signed_by.unwrap().as_str(), PUBLIC_KEY_ID);
        assert!(response.headers.contains_key("wechatpay-nonce"));
    }
}

#[tokio::test]
async fn an_answer_without_a_body_is_verified_too() {
    let platform = Platform::by_public_key();
    let world = World::playing([Play::signed(&platform, 204, "")]);
    let response = world.client().execute(&send()).await.unwrap();
    assert_eq!((response.status.as_u16(), response.body.len()), (204, 0));
    assert!(response.signed_by.is_some());
}

#[tokio::test]
async fn a_link_may_come_unsigned_and_is_verified_when_it_is_signed() {
    let world = World::playing([Play::unsigned(200, "{}"), Play::ok("{}")]);
    let client = world.client();
    assert_eq!(client.execute(&link()).await.unwrap().signed_by, None);
    assert!(client.execute(&link()).await.unwrap().signed_by.is_some());
}

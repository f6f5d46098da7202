//! No printed form of any public type holds a secret or a person's data.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::fmt::Debug;
use std::sync::LazyLock;

use favor_core::*;
use serde::Deserialize;

use crate::calls::{LINK, OPENID, SEND, send, send_once};
use crate::platform::{
    API_V3_KEY, PUBLIC_KEY_ID, Platform, certificate_1, certificate_set, public_key, public_key_set,
};
use crate::script::Play;
use crate::test_keys::{MERCHANT, MERCHANT_CERTIFICATE, MERCHANT_KEY};
use crate::world::{HOST, START, World, chain, signer, start};

/// Marks a text that only bodies hold.
const BODY: &str = "body-marker-4711";
const PASSWORD: &str = "hunter2";

/// What must never be printed.
static SECRETS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let key_lines = MERCHANT.lines().filter(|line| !line.starts_with("-----"));
    let der = pem::parse(MERCHANT).unwrap();
    let mut secrets: Vec<String> = key_lines.map(str::to_owned).collect();
    secrets.extend([OPENID, API_V3_KEY, BODY, PASSWORD].map(str::to_owned));
    // Keys as Debug would print bytes.
    secrets.push(bytes(API_V3_KEY.as_bytes()));
    secrets.push(bytes(&der.contents()[100..108]));
    secrets
});

fn bytes(bytes: &[u8]) -> String {
    let debug = format!("{bytes:?}");
    debug.trim_matches(['[', ']']).to_owned()
}

#[track_caller]
fn assert_clean(what: &str, text: &str) {
    for secret in SECRETS.iter() {
        assert!(!text.contains(secret.as_str()), "{what} prints {secret}: {text}");
    }
}

/// The printed forms, by the name of the public type.
#[derive(Default)]
struct Prints(Vec<(&'static str, String)>);

impl Prints {
    fn debug(&mut self, name: &'static str, value: &dyn Debug) {
        self.0.push((name, format!("{value:?}\n{value:#?}")));
    }

    fn error(&mut self, name: &'static str, error: &(dyn std::error::Error + 'static)) {
        self.debug(name, &error);
        self.0.push((name, chain(error)));
    }
}

#[derive(Debug, Deserialize)]
struct Nothing {}

/// How calls to a world that plays `play` fail.
async fn failure(play: Play) -> Error {
    let world = World::playing([play]);
    let client = world.builder().retry(RetryPolicy::NONE).build().unwrap();
    match client.fetch::<Vec<Nothing>>(&send()).await {
        Ok(_) => panic!("a failure was expected"),
        Err(error) => error,
    }
}

fn everything(prints: &mut Prints) {
    secrets_and_keys(prints);
    calls_and_clients(prints);
    values(prints);
    plain_errors(prints);
}

fn secrets_and_keys(prints: &mut Prints) {
    prints.debug("Secret", &Secret::new(API_V3_KEY.to_owned()));
    prints.debug("ApiV3Key", &ApiV3Key::new(API_V3_KEY).unwrap());
    prints.debug("Backend", &Backend::default());
    prints.debug("PrivateKey", &*MERCHANT_KEY);
    prints.debug("PublicKey", &public_key());
    prints.debug("RsaError", &RsaError);
    prints.debug("Certificate", &Certificate::from_pem(MERCHANT_CERTIFICATE).unwrap());
    prints.debug("MerchantSigner", &signer());
    prints.debug(
        "SignatureHeaders",
        &SignatureHeaders::read(&Platform::by_public_key().headers(START, b"")).unwrap(),
    );
    prints.debug("KeySet", &certificate_set([certificate_1(-1, 1).as_str()]));
    prints.debug("FixedKeys", &FixedKeys::new(public_key_set()));
    prints.debug("Serial", &Serial::new(PUBLIC_KEY_ID));
    prints.debug("Lookup", &public_key_set().find(&Serial::new(PUBLIC_KEY_ID), start()));
    prints.debug("Refresh", &Refresh::UnknownSerial(Serial::new("0A")));
    let key = ApiV3Key::new(API_V3_KEY).unwrap();
    prints.debug("PlatformKeys", &PlatformKeys::download(key.clone()));
    prints.debug(
        "PlatformKeys",
        &PlatformKeys::download_and_public_key(key, PUBLIC_KEY_ID, public_key()).unwrap(),
    );
    prints.debug("PlatformKeys", &PlatformKeys::store(FixedKeys::new(public_key_set())));
    prints.debug("Sealed", &Sealed::new("AAAA", "123456789012", None));
    prints.debug("SealedField", &public_key_set().seal(OPENID, start()).unwrap());
}

fn calls_and_clients(prints: &mut Prints) {
    prints.debug("Call", &send());
    prints.debug("Call", &send_once());
    prints.debug(
        "CallBuilder",
        &Call::to(&SEND).private_segment("openid", OPENID).json(BODY).query("openid", OPENID),
    );
    prints.debug("Multipart", &Multipart::new(BODY, "a.png", "image/png", BODY.as_bytes()).unwrap());
    prints.debug("Operation", &SEND);
    prints.debug("Verb", &Verb::Get);
    prints.debug("ReplySignature", &ReplySignature::Required);
    prints.debug("Rate", &Rate::per_second(1));
    prints.debug("RetryPolicy", &RetryPolicy::DEFAULT);
    prints.debug("CallOptions", &CallOptions::default());
    let world = World::jumping();
    let key = ApiV3Key::new(API_V3_KEY).unwrap();
    let builder = || world.builder_with(PlatformKeys::download(key.clone())).observe(|_| {});
    prints.debug("ClientBuilder", &builder());
    prints.debug("Client", &builder().build().unwrap());
    prints.debug("Client", &world.client());
    prints.debug("SystemClock", &SystemClock::new());
    prints.debug("ManualClock", &ManualClock::new(start()));
    prints.debug("ResponseBody", &ResponseBody::from(bytes::Bytes::from(BODY)));
    let response = HttpResponse::new(
        http::StatusCode::OK,
        http::HeaderMap::new(),
        ResponseBody::from(bytes::Bytes::from(BODY)),
    );
    prints.debug("HttpResponse", &response);
    #[cfg(feature = "http-transport")]
    {
        let builder = || HttpTransport::builder().proxy(format!("http://shop:{PASSWORD}@127.0.0.1:3128"));
        prints.debug("HttpTransportBuilder", &builder());
        prints.debug("HttpTransport", &builder().build().unwrap());
        prints.debug("HttpTransport", &HttpTransport::new().unwrap());
    }
}

fn values(prints: &mut Prints) {
    let openid = OpenId::new(OPENID).unwrap();
    prints.debug("OpenId", &openid);
    prints.0.push(("OpenId", openid.to_string()));
    prints.debug("MerchantId", &MerchantId::new("1").unwrap());
    prints.debug("AppId", &AppId::new("wx1").unwrap());
    prints.debug("StockId", &StockId::new("1").unwrap());
    prints.debug("CouponId", &CouponId::new("1").unwrap());
    prints.debug("TransactionId", &TransactionId::new("1").unwrap());
    prints.debug("OutRequestNo", &OutRequestNo::new("1").unwrap());
    prints.debug("Fen", &Fen::ZERO);
    prints.debug("Page", &serde_json::from_str::<Page<u8>>(r#"{"total_count":0}"#).unwrap());
    prints.debug("CouponType", &CouponType::Normal);
    prints.debug("CouponStatus", &CouponStatus::Sent);
    prints.debug("BusinessType", &BusinessType::ConsumptionCredit);
    prints.debug("TradeType", &TradeType::App);
    prints.debug("FixedNormalCoupon", &FixedNormalCoupon::new(Fen::ZERO, Fen::ZERO));
    let cut_to = r#"{"single_price_max":2,"cut_to_price":1}"#;
    prints.debug("CutToMessage", &serde_json::from_str::<CutToMessage>(cut_to).unwrap());
    let goods = r#"{"goods_id":"a","quantity":1,"price":1,"discount_amount":1}"#;
    prints.debug("GoodsDetail", &serde_json::from_str::<GoodsDetail>(goods).unwrap());
    let consumed = r#"{"consume_time":"2026-05-20T00:00:00+08:00","consume_mchid":"1","transaction_id":"1"}"#;
    prints.debug("ConsumeInformation", &serde_json::from_str::<ConsumeInformation>(consumed).unwrap());
    prints.debug("Timestamp", &time::beijing(&start()));
    prints.debug("ErrorKind", &ErrorKind::Api);
    prints.debug("Outcome", &Outcome::Unknown);
    prints.debug("ErrorCode", &ErrorCode::SignError);
    prints.debug("Authenticity", &Authenticity::Unsigned);
    prints.debug("TransportFailure", &TransportFailure::Connect);
}

fn plain_errors(prints: &mut Prints) {
    prints.error("IdError", &OpenId::new(format!("{OPENID} ")).unwrap_err());
    prints.error("MoneyError", &Fen::new(-1).unwrap_err());
    prints.error("KeyError", &ApiV3Key::new(&API_V3_KEY[1..]).unwrap_err());
    prints.error("KeyError", &PrivateKey::from_pem(&MERCHANT[..1000]).unwrap_err());
    prints.error("KeyError", &PublicKey::from_pem(MERCHANT).unwrap_err());
    prints.error("KeyError", &Certificate::from_pem(API_V3_KEY).unwrap_err());
    let key = ApiV3Key::new(API_V3_KEY).unwrap();
    prints.error("AeadError", &key.open(&Sealed::new("AAAA", "123456789012", None)).unwrap_err());
    prints.error("SensitiveError", &MERCHANT_KEY.open_field(BODY).unwrap_err());
    prints.error("SignError", &sign::SignError::new("no").caused_by(RsaError));
    prints.error("TransportError", &TransportError::new(TransportFailure::Connect));
    prints.error("VerifyError", &VerifyError::WrongSignature);
    let mut checks = Checks::new();
    checks.text("openid", &format!("{OPENID}\u{1f39f}"), 1..=3);
    prints.debug("Checks", &checks);
    let invalid = checks.finish().unwrap_err();
    prints.debug("Violation", &invalid.violations());
    prints.error("InvalidRequest", &invalid);
    prints.error("Error", &Error::from(invalid));
    let error = Call::to(&SEND).private_segment("openid", OPENID).json(&format!("{BODY}\u{1f39f}")).finish();
    prints.error("InvalidRequest", &error.unwrap_err());
}

/// Every failure a call can have, with the person and the body in every place where the platform can put them.
async fn failed_calls(prints: &mut Prints) {
    let detail = serde_json::json!({
        "code": "SIGN_ERROR", "message": format!("openid {OPENID}"),
        "detail": {"value": OPENID, "issue": BODY, "sign_information": {
            "sign_message_length": 7, "truncated_sign_message": format!("POST\n/v3/marketing/favor/users/{OPENID}")}},
    });
    let secret_body = || bytes::Bytes::from(format!("{{\"{BODY}\":\"{OPENID}\"}}"));
    let platform = Platform::by_public_key();
    let plays = [
        Play::fail(TransportFailure::Connect),
        Play::fail(TransportFailure::Timeout),
        Play::fail(TransportFailure::Unsendable),
        Play::unsigned(401, detail.to_string()),
        Play::unsigned(500, secret_body()),
        Play::unsigned(200, secret_body()),
        Play::ok("{}").header("wechatpay-serial", "0A"),
        Play::signed(&platform, 200, secret_body()),
        Play::signed(&platform, 200, format!("\"{BODY}\"")),
        Play::signed(&platform, 200, BODY),
        Play::signed(&platform, 200, secret_body()).cut(),
    ];
    for play in plays {
        let error = failure(play).await;
        prints.error("Error", &error);
        assert!(error.source().is_none_or(|source| source.to_string() != error.to_string()));
        if let Some(api) = error.api() {
            prints.error("ApiError", api);
        }
        if let Some(diagnosis) = error.diagnose() {
            prints.debug("Diagnosis", &diagnosis);
            prints.0.push(("Diagnosis", diagnosis.to_string()));
        }
    }
}

#[derive(Debug)]
struct Spy(std::sync::Arc<std::sync::Mutex<Prints>>, crate::script::Script);

impl std::fmt::Debug for Prints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prints")
    }
}

impl Transport for Spy {
    fn send(
        &self,
        request: HttpRequest,
    ) -> futures_util::future::BoxFuture<'_, Result<HttpResponse, TransportError>> {
        let mut prints = self.0.lock().unwrap();
        prints.debug("HttpRequest", &request);
        prints.0.push(("HttpRequest", format!("{:?}", request.headers)));
        drop(prints);
        self.1.send(request)
    }
}

/// What is seen on the way: requests, attempts, responses, replies.
async fn a_successful_call(prints: &mut Prints) {
    let world =
        World::playing([Play::signed(&Platform::by_public_key(), 200, format!("{{\"x\":\"{BODY}\"}}"))]);
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Prints::default()));
    let client = Client::builder(signer(), PlatformKeys::fixed(public_key_set()))
        .base_url(HOST)
        .clock(world.clock.clone())
        .transport(Spy(seen.clone(), world.script.clone()))
        .observe({
            let seen = seen.clone();
            move |attempt| seen.lock().unwrap().debug("Attempt", attempt)
        })
        .build()
        .unwrap();
    let reply: Reply<Nothing> = client.fetch(&send()).await.unwrap();
    prints.debug("Reply", &reply);
    world.script.play([Play::unsigned(200, BODY)]);
    prints.debug("FileStream", &client.open(&LINK, &format!("{HOST}/file?token={BODY}"), &[]).await.unwrap());
    prints.debug("Response", reply.response());
    prints.0.append(&mut seen.lock().unwrap().0);
}

/// Keys downloaded by a program of its own, and keys in a directory.
async fn kept_keys(prints: &mut Prints) {
    use crate::key_directory::{merchant, publish};
    use favor_core::{ApiV3Key, DirectoryKeys, HttpKeys, MerchantKeyStatus, Release};

    let world = crate::key_download::world(crate::key_download::good_list);
    let client = world.builder_with(PlatformKeys::fixed(favor_core::KeySet::new())).build().unwrap();
    let none = favor_core::KeySet::new();
    let key = ApiV3Key::new(crate::platform::API_V3_KEY).unwrap();
    prints.debug("DownloadedCertificates", &client.download_certificates(&key, &none).await.unwrap());
    let wrong = ApiV3Key::new("x".repeat(32)).unwrap();
    let error = client.download_certificates(&wrong, &none).await.unwrap_err();
    prints.debug("DownloadFault", &error.fault());
    prints.debug("DownloadError", &error);

    let root = tempfile::tempdir().unwrap();
    prints.debug("KeyDirectoryError", &DirectoryKeys::open(root.path(), merchant()).unwrap_err());
    prints.debug("Manifest", &publish(root.path(), 1, &[&certificate_1(-1, 1)], true));
    prints.debug("Release", &Release::read(root.path(), &merchant()).unwrap());
    prints.debug("DirectoryKeys", &DirectoryKeys::open(root.path(), merchant()).unwrap());
    let reader = HttpKeys::builder("http://127.0.0.1:1", merchant(), world.script.clone());
    prints.debug("HttpKeys", &reader.open_empty().unwrap());
    prints.debug("MerchantKeyStatus", &MerchantKeyStatus::new(merchant()));
}

#[tokio::test]
async fn nothing_printed_holds_a_secret_or_a_person() {
    let mut prints = Prints::default();
    everything(&mut prints);
    failed_calls(&mut prints).await;
    a_successful_call(&mut prints).await;
    kept_keys(&mut prints).await;
    for (what, text) in &prints.0 {
        assert_clean(what, text);
    }
    let covered: BTreeSet<_> = prints.0.iter().map(|(name, _)| *name).collect();
    let missing: Vec<_> = public_types().filter(|name| !covered.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "public types whose printed form is not checked: {missing:?}");
}

/// Every type that the crate's root re-exports, read from its source, so that none can be forgotten.
fn public_types() -> impl Iterator<Item = String> {
    const TRAITS: [&str; 4] = ["Clock", "KeyStore", "Signer", "Transport"];
    let source = include_str!("../../src/lib.rs");
    let uses = source.split("pub use ").skip(1).filter_map(|rest| rest.split_once(';'));
    let names: Vec<String> = uses
        .flat_map(|(list, _)| {
            list.split(['{', '}', ',', ':']).map(|name| name.trim().to_owned()).collect::<Vec<_>>()
        })
        .filter(|name| {
            name.starts_with(|c: char| c.is_ascii_uppercase())
                && name.contains(|c: char| c.is_ascii_lowercase())
                && !TRAITS.contains(&name.as_str())
                && (cfg!(feature = "http-transport") || !name.starts_with("HttpTransport"))
        })
        .collect();
    assert!(names.len() > 50, "the source is read wrongly: {names:?}");
    names.into_iter()
}

#[test]
fn the_guard_itself_notices_each_secret() {
    for secret in SECRETS.iter() {
        let text = format!("x{secret}x");
        assert!(std::panic::catch_unwind(|| assert_clean("a test", &text)).is_err());
    }
}

//! What the crate writes by `tracing`, down to TRACE: enough to follow a call, and nothing secret.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, Once};

use favor_core::{RetryPolicy, TransportFailure};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::calls::{OPENID, OUT_REQUEST_NO, send};
use crate::key_download;
use crate::platform::{API_V3_KEY, NONCE, Platform};
use crate::script::{Play, Script};
use crate::test_keys::MERCHANT;
use crate::world::{World, settle};

/// Marks a text that only answers hold.
const ANSWER: &str = "answer-marker-4711";

thread_local! {
    /// Where this thread's output goes; nowhere while a test does not collect it.
    static HERE: RefCell<Option<Written>> = const { RefCell::new(None) };
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    /// Collects what this test's thread writes from now on.
    ///
    /// The subscriber is the whole program's: one per thread would miss what another thread has written first,
    /// since `tracing` remembers per place in the code whether anybody listens.
    fn begin() -> Self {
        static SUBSCRIBER: Once = Once::new();
        SUBSCRIBER.call_once(|| {
            let layer = tracing_subscriber::fmt::layer()
                .with_span_events(FmtSpan::FULL)
                .without_time()
                .with_ansi(false)
                .with_writer(|| HERE.with_borrow(|here| here.clone().unwrap_or_default()));
            let listening = dynamic_filter_fn(|_, _| HERE.with_borrow(Option::is_some));
            let subscriber = tracing_subscriber::registry().with(layer.with_filter(listening));
            tracing::subscriber::set_global_default(subscriber).unwrap();
            tracing::callsite::rebuild_interest_cache();
        });
        let written = Self::default();
        HERE.set(Some(written.clone()));
        written
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[track_caller]
fn assert_clean(text: &str, signatures: &[String]) {
    let key_line = MERCHANT.lines().nth(3).unwrap();
    let fixed =
        [OPENID, OUT_REQUEST_NO, API_V3_KEY, NONCE, ANSWER, key_line, "BEGIN CERTIFICATE", "mchid=\""];
    for secret in fixed.into_iter().chain(signatures.iter().map(String::as_str)) {
        assert!(!text.contains(secret), "{secret} was written: {text}");
    }
}

/// The signatures and nonces of all requests.
fn signatures(script: &Script) -> Vec<String> {
    let seen = script.seen();
    assert!(!seen.is_empty());
    seen.iter().flat_map(|seen| [seen.authorization("signature"), seen.authorization("nonce_str")]).collect()
}

#[tokio::test]
async fn a_call_that_succeeds_after_a_repeat_can_be_followed() {
    let written = Written::begin();
    let answer = format!("{{\"coupon_id\":\"{ANSWER}\"}}");
    let world = World::playing([
        Play::fail(TransportFailure::Timeout),
        Play::signed(&Platform::by_public_key(), 200, answer).header("request-id", "08F78BB5-0"),
    ]);
    world.client().execute(&send()).await.unwrap();
    let text = written.text();
    for told in [
        "favor.call",
        "op=\"coupon.send\"",
        "path=\"/v3/marketing/favor/users/{openid}/coupons\"",
        "attempts=2",
        "outcome=\"done\"",
        "08F78BB5-0",
        "attempt failed, will repeat",
    ] {
        assert!(text.contains(told), "{told} is missing: {text}");
    }
    assert_clean(&text, &signatures(&world.script));
}

#[tokio::test]
async fn a_call_that_fails_can_be_followed() {
    let written = Written::begin();
    for play in [
        Play::error(403, "NOT_ENOUGH", &format!("{OPENID} {ANSWER}")).header("request-id", "08F78BB5-1"),
        Play::unsigned(200, ANSWER).header("request-id", "08F78BB5-1"),
        Play::signed(&Platform::by_certificate_1(), 200, ANSWER).header("request-id", "08F78BB5-1"),
    ] {
        let world = World::playing([play]);
        let client = world.builder().retry(RetryPolicy::NONE).build().unwrap();
        let error = client.fetch::<String>(&send()).await.unwrap_err();
        let text = written.text();
        for told in [format!("outcome={}", error.outcome()), "attempts=1".into(), "08F78BB5-1".into()] {
            assert!(text.contains(&told), "{told} is missing: {text}");
        }
        assert_clean(&text, &signatures(&world.script));
    }
}

#[tokio::test]
async fn downloads_name_the_serials_and_failures_their_reason() {
    let written = Written::begin();
    let world = key_download::world(key_download::good_list);
    let client = key_download::client(&world);
    client.execute(&send()).await.unwrap();
    let headers = Platform::by_certificate_2().headers(crate::world::START, ANSWER.as_bytes());
    world.script.direct(|_| Play::error(500, "SYSTEM_ERROR", ANSWER));
    client.verify(&headers, ANSWER.as_bytes()).await.unwrap_err();
    settle().await;
    let text = written.text();
    for told in [
        "platform certificates downloaded",
        crate::platform::SERIAL_1,
        "an unknown key was named, and newer keys could not be had",
        "certificates.download: the platform answered 500",
    ] {
        assert!(text.contains(told), "{told} is missing: {text}");
    }
    assert_clean(&text, &signatures(&world.script));
}

#[cfg(feature = "http-transport")]
#[tokio::test]
async fn the_http_library_writes_nothing_secret_either() {
    use crate::platform::public_key_set;
    use crate::server::{Deed, Server};
    use crate::world::signer;
    use favor_core::{Client, PlatformKeys};
    let written = Written::begin();
    let answer = format!("{{\"coupon_id\":\"{ANSWER}\"}}");
    let server = Server::start([
        Deed::signed(crate::world::START, &answer),
        Deed::Close,
        Deed::AnswerAndClose(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nanswer-marker-4711".to_vec()),
    ])
    .await;
    let client = Client::builder(signer(), PlatformKeys::fixed(public_key_set()))
        .base_url(server.url())
        .clock(World::jumping().clock)
        .retry(RetryPolicy::NONE)
        .build()
        .unwrap();
    client.execute(&send()).await.unwrap();
    for _ in 0..2 {
        client.execute(&send()).await.unwrap_err();
    }
    let text = written.text();
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    let after = |request: &String, item: &str| {
        let rest = request.split_once(&format!("{item}=\"")).unwrap().1;
        rest.split_once('"').unwrap().0.to_owned()
    };
    let secrets: Vec<_> = requests
        .iter()
        .flat_map(|request| [after(request, "signature"), after(request, "nonce_str")])
        .collect();
    assert_clean(&text, &secrets);
}

//! Any bytes at all as a request: the mirror answers or closes, never panics and never hangs.

use std::cell::Cell;
use std::sync::Once;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{USER, World, builder, coupons_of, stock_body};

const CLOSE: &[u8] = b"Connection: close\r\n";
const PATIENCE: Duration = Duration::from_secs(30);

thread_local! {
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// Remembers panics of this thread, on which the mirror of this test runs too. The runtime would swallow them.
fn watch_for_panics() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICKED.set(true);
            before(panic);
        }));
    });
}

/// Pieces that requests are made of, so that the noise gets past the first line now and then.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::sample::select(
            &[
                "GET ",
                "POST ",
                "PATCH ",
                "OPTIONS ",
                "/",
                "/v3/certificates",
                "/v3/marketing/favor/stocks/1",
                "/v3/marketing/favor/users/o/coupons",
                "/v3/billdownload/file",
                "/_mirror/audit",
                "/_mirror/clock",
                "/_mirror/faults",
                "/_mirror/nothing",
                "?",
                "%",
                "%00",
                " HTTP/1.1\r\n",
                " HTTP/1.0\r\n",
                "Host: x\r\n",
                "Authorization: WECHATPAY2-SHA256-RSA2048 ",
                "mchid=\"1900000109\"",
                ",",
                "\"",
                "Content-Length: ",
                "Transfer-Encoding: chunked\r\n",
                "Content-Type: application/json\r\n",
                "Expect: 100-continue\r\n",
                "Connection: keep-alive\r\n",
                "Upgrade: h2c\r\n",
                "\r\n",
                "\r\n\r\n",
                "\n",
                "0\r\n\r\n",
                "5\r\n",
                "{",
                "}",
                "{\"advance_seconds\":",
                "9999999999999999999",
                "-1",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            ][..]
        )
        .prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..40),
        "[ -~]{0,20}".prop_map(String::into_bytes),
    ]
}

/// What has the form of a request, with noise wherever there is room for it.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let method = prop::sample::select(&["GET", "POST", "PATCH", "DELETE", "OPTIONS", "X"][..]);
    let start = prop::sample::select(
        &[
            "/",
            "/v3/",
            "/v3/marketing/favor/",
            "/v3/marketing/favor/stocks/",
            "/_mirror/",
            "/_mirror/coupons/",
        ][..],
    );
    let path = "([a-z%/._~-]|%[0-9a-fA-F]{2}){0,30}(\\?[ -~&&[^ ]]{0,30})?";
    let header = "(Host|Accept|Authorization|Content-Type|User-Agent|Wechatpay-Serial|X-Any): [ -~]{0,60}";
    let headers = prop::collection::vec(header, 0..6);
    (method, start, path, headers, prop::collection::vec(piece(), 0..4)).prop_map(
        |(method, start, path, headers, body)| {
            let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
            let body = body.concat();
            let length = body.len();
            let head = format!("{method} {start}{path} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n");
            [head.as_bytes(), CLOSE, b"\r\n", &body].concat()
        },
    )
}

/// A change to a good request: bytes written over, cut away or put in.
#[derive(Clone, Debug)]
enum Damage {
    Over(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    In(prop::sample::Index, Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Over(at, byte)),
        1 => any::<prop::sample::Index>().prop_map(Damage::Cut),
        2 => (any::<prop::sample::Index>(), piece()).prop_map(|(at, bytes)| Damage::In(at, bytes)),
    ]
}

fn damaged(mut request: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let length = request.len() + 1;
        match damage {
            Damage::Over(at, byte) => {
                if let Some(old) = request.get_mut(at.index(length)) {
                    *old = *byte;
                }
            }
            Damage::Cut(at) => request.truncate(at.index(length)),
            Damage::In(at, bytes) => {
                let at = at.index(length);
                request.splice(at..at, bytes.iter().copied());
            }
        }
    }
    request
}

/// The server's words until it closes.
async fn said(world: &World, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(world.mirror.base_url().trim_start_matches("http://")).await.unwrap();
    stream.write_all(request).await.ok();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the mirror hangs").ok();
    answer
}

fn holds(request: &[u8], answer: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(!PANICKED.get(), "the mirror panicked");
    let is_http = answer.is_empty() || answer.starts_with(b"HTTP/1.") || request.starts_with(b"PRI");
    // What begins like TLS is turned away in its words: an alert.
    let is_alert = request.starts_with(&[0x16]) && answer.starts_with(&[0x15]);
    prop_assert!(is_http || is_alert, "{:?}", String::from_utf8_lossy(answer));
    prop_assert!(!answer.starts_with(b"HTTP/1.1 500"), "{:?}", String::from_utf8_lossy(answer));
    Ok(())
}

#[test]
fn any_bytes_are_answered_or_closed() {
    watch_for_panics();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let quick = Duration::from_millis(10);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let (world, good) = runtime.block_on(async {
        // Made ready by a mirror that gives its clients time.
        let world = World::with(builder().data(&file)).await;
        let stock_id = world.running_stock(&stock_body("n1", 100, 60)).await;
        let (target, body) = (coupons_of(USER), world.send_body(&stock_id, "s1").to_string());
        let now = world.mirror.now().timestamp();
        let authorization = world.credentials().authorization("POST", &target, now, &body);
        let good = format!(
            "POST {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {}\r\nAuthorization: {authorization}\r\n\r\n{body}",
            body.len()
        );
        world.mirror.shutdown().await;
        let world = World::with(builder().data(&file).keep_alive_timeout(quick).request_timeout(quick)).await;
        (world, good.into_bytes())
    });
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let noise = prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..3_000),
        4 => request(),
        2 => prop::collection::vec(piece(), 0..30).prop_map(|pieces| pieces.concat()),
        3 => prop::collection::vec(damage(), 0..4).prop_map(move |damages| damaged(good.clone(), &damages)),
    ];
    runner
        .run(&noise, |request| {
            PANICKED.set(false);
            let answer = runtime.block_on(said(&world, &request));
            holds(&request, &answer)
        })
        .unwrap();
    runtime.block_on(async {
        assert_eq!(world.mirror.audit().await.findings, []);
        world.mirror.shutdown().await;
    });
}

//! Bodies, framing and paths that no decent client sends. Everything is answered or closed, and nothing is done.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{FAVOR, USER, World, builder, coupons_of, fetch, stock_body};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const CLOSE: &[u8] = b"Connection: close\r\n";
const NONCE: &str = "Qw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc";

/// The head of a request that is signed over these bytes, without a word about how the body is framed.
fn signed_head(world: &World, method: &str, target: &str, body: &[u8]) -> String {
    let credentials = world.credentials();
    let now = world.mirror.now().timestamp();
    let message = [format!("{method}\n{target}\n{now}\n{NONCE}\n").as_bytes(), body, b"\n"].concat();
    format!(
        "{method} {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\nAuthorization: WECHATPAY2-SHA256-RSA2048 \
         mchid=\"{}\",nonce_str=\"{NONCE}\",timestamp=\"{now}\",serial_no=\"{}\",signature=\"{}\"\r\n",
        credentials.mchid,
        credentials.serial_no,
        credentials.sign(&message)
    )
}

fn signed(world: &World, method: &str, target: &str, content_type: &str, body: &[u8]) -> Vec<u8> {
    let head = signed_head(world, method, target, body);
    let framing = format!("{content_type}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), framing.as_bytes(), body].concat()
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.mirror.base_url().trim_start_matches("http://")).await.unwrap()
}

/// Everything the server says to these bytes until it closes. A client that did not ask it to close says that it
/// has nothing more to say.
async fn said(world: &World, request: &[u8]) -> String {
    let mut stream = connect(world).await;
    // The server may close before it has read everything.
    stream.write_all(request).await.ok();
    let asked = request.windows(CLOSE.len()).any(|window| window == CLOSE);
    if !asked {
        stream.shutdown().await.ok();
    }
    rest(&mut stream).await
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server hangs").ok();
    String::from_utf8_lossy(&answer).into_owned()
}

fn error_of(answer: &str) -> (u16, String, String) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    (status, text("code"), text("message"))
}

async fn assert_well(world: &World) {
    assert_eq!(world.get("/v3/certificates").await.status, 200);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn bodies_that_are_no_json_object_are_refused() {
    let world = World::new().await;
    let stock_id = world.running_stock(&stock_body("n1", 100, 60)).await;
    let good = world.send_body(&stock_id, "s1").to_string();
    let with = |old: &str, new: &str| good.replace(old, new).into_bytes();
    let number = "\"s1\"";
    let mut invalid_utf8 = good.clone().into_bytes();
    invalid_utf8.splice(2..2, [0xFF, 0xFE, 0x80]);
    let latin1 = with(number, "\"s\u{e9}\"").into_iter().filter(|byte| *byte != 0xC3).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("blanks", b"   \r\n".to_vec()),
        ("not UTF-8", invalid_utf8),
        ("Latin-1", latin1),
        ("UTF-16", good.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a byte order mark", ["\u{feff}", &good].concat().into_bytes()),
        ("a list", format!("[{good}]").into_bytes()),
        ("a text", b"\"text\"".to_vec()),
        ("a number", b"1".to_vec()),
        ("null", b"null".to_vec()),
        ("two objects", format!("{good}{good}").into_bytes()),
        ("text behind it", format!("{good} and more").into_bytes()),
        ("cut short", good.as_bytes()[..good.len() - 1].to_vec()),
        ("a comma too many", with("}", ",}")),
        ("a comment", with("{", "{/* send it */")),
        ("single quotes", with("\"", "'")),
        ("a form", b"stock_id=1&out_request_no=s1".to_vec()),
        ("a raw NUL", with(number, "\"s\u{0}1\"")),
        ("a raw line break", with(number, "\"s\n1\"")),
        ("a lone surrogate", with(number, "\"\\ud800\"")),
        ("surrogates in the wrong order", with(number, "\"\\udc00\\ud800\"")),
        ("a character beyond the basic plane", with(number, "\"😀\"")),
        ("one beyond it, escaped", with(number, "\"\\ud83d\\ude00\"")),
        ("an escaped NUL", with(number, "\"s\\u00001\"")),
        ("lists a hundred thousand deep", "[".repeat(100_000).into_bytes()),
        ("objects a hundred thousand deep", "{\"a\":".repeat(100_000).into_bytes()),
        (
            "deep in an unknown field",
            with("{", &format!("{{\"x\":{}1{},", "[".repeat(5_000), "]".repeat(5_000))),
        ),
        ("a number of a thousand digits", with(number, &"9".repeat(1_000))),
        ("an endless exponent", with(number, "1e999999999")),
        ("NaN", with(number, "NaN")),
        ("a number for a text", with(number, "1")),
        ("null for a text", with(number, "null")),
        ("a text of a million letters", with(number, &format!("\"{}\"", "s".repeat(1_000_000)))),
    ];
    for (what, body) in cases {
        let request = signed(&world, "POST", &coupons_of(USER), "Content-Type: application/json\r\n", &body);
        let (status, code, _) = error_of(&said(&world, &request).await);
        assert_eq!((status, code.as_str()), (400, "PARAM_ERROR"), "{what}");
    }
    for content_type in
        ["", "text/plain", "application/xml", "application/json5", "multipart/form-data", "a, b", "\"", "é"]
    {
        let line =
            if content_type.is_empty() { String::new() } else { format!("Content-Type: {content_type}\r\n") };
        let request = signed(&world, "POST", &coupons_of(USER), &line, good.as_bytes());
        let (status, code, _) = error_of(&said(&world, &request).await);
        assert_eq!((status, code.as_str()), (400, "PARAM_ERROR"), "{content_type:?}");
    }
    assert_eq!(world.mirror.audit().await.stocks[0].coupons, 0);

    // Of a key that occurs twice the last one counts.
    let twice = with(number, "\"other\",\"out_request_no\":\"s1\"");
    let request = signed(
        &world,
        "POST",
        &coupons_of(USER),
        "Content-Type: application/json; charset=UTF-8\r\n",
        &twice,
    );
    assert!(said(&world, &request).await.starts_with("HTTP/1.1 200"));
    world.give(&stock_id, USER, "s1").await.ok();
    assert_eq!(world.mirror.audit().await.stocks[0].coupons, 1);
    assert_well(&world).await;
}

#[tokio::test]
async fn ten_megabytes_are_refused_and_the_connection_goes_on() {
    let world = World::new().await;
    let body = vec![b'x'; 10 << 20];
    let target = format!("{FAVOR}/coupon-stocks");
    let head = signed_head(&world, "POST", &target, &body);
    let mut stream = connect(&world).await;
    for framing in
        ["Content-Length: 10485760\r\n\r\n".to_owned(), "Transfer-Encoding: chunked\r\n\r\na00000\r\n".into()]
    {
        stream
            .write_all(format!("{head}Content-Type: application/json\r\n{framing}").as_bytes())
            .await
            .unwrap();
        stream.write_all(&body).await.unwrap();
        if framing.starts_with("Transfer") {
            stream.write_all(b"\r\n0\r\n\r\n").await.unwrap();
        }
        let (status, code, message) = error_of(&answer(&mut stream).await);
        assert_eq!((status, code.as_str(), message.as_str()), (400, "PARAM_ERROR", "请求内容过大"));
    }
    // The same connection, for a call that is fine.
    let head = signed_head(&world, "GET", "/v3/certificates", b"");
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));

    // A client that asks first hears it before it has sent anything.
    let head = signed_head(&world, "POST", &target, &body);
    let request = format!("{head}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let (status, ..) = error_of(&rest(&mut stream).await);
    assert_eq!(status, 400);

    // What has no end is not read to its end.
    let mut stream = connect(&world).await;
    let head = signed_head(&world, "POST", &target, b"");
    stream.write_all(format!("{head}Content-Length: 1000000000000\r\n\r\n").as_bytes()).await.unwrap();
    let mut sent = 0;
    while sent < 1 << 30 && stream.write_all(&body).await.is_ok() {
        sent += body.len();
    }
    assert!(sent < 1 << 30, "it took a gigabyte");
    assert_well(&world).await;
}

/// One whole answer on a connection that stays open.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = timeout(PATIENCE, stream.read(&mut piece)).await.unwrap().unwrap();
        assert!(read > 0, "closed after {}", String::from_utf8_lossy(&text));
        text.extend(&piece[..read]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        let Some((head, _)) = whole.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        if text.len() == head.len() + 4 + length.parse::<usize>().unwrap() {
            return whole;
        }
    }
}

#[tokio::test]
async fn broken_framing_is_refused_or_closed() {
    let world = World::new().await;
    let target = coupons_of(USER);
    let post = |rest: &str| {
        let head = signed_head(&world, "POST", &target, b"{}");
        format!("{head}Content-Type: application/json\r\n{rest}").into_bytes()
    };
    let get = |line: &str| format!("{line}\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes();
    let headers = |count: usize| {
        let lines: String = (0..count).map(|at| format!("X-{at}: 1\r\n")).collect();
        format!("GET /v3/certificates HTTP/1.1\r\nHost: x\r\n{lines}\r\n").into_bytes()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a chunk size that is no number", post("Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n")),
        ("a negative chunk size", post("Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n")),
        (
            "a chunk size beyond 64 bits",
            post("Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n"),
        ),
        ("a huge chunk that ends early", post("Transfer-Encoding: chunked\r\n\r\nffffffff\r\n{}\r\n")),
        ("chunks without an end", post("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")),
        ("chunks without line ends", post("Transfer-Encoding: chunked\r\n\r\n2{}0")),
        ("a body shorter than announced", post("Content-Length: 10\r\n\r\n{}")),
        ("an announced length that is no number", post("Content-Length: two\r\n\r\n{}")),
        ("a negative length", post("Content-Length: -2\r\n\r\n{}")),
        ("a length beyond 64 bits", post("Content-Length: 99999999999999999999999\r\n\r\n{}")),
        ("two lengths", post("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")),
        ("a list of lengths", post("Content-Length: 2, 3\r\n\r\n{}")),
        ("both a length and chunks", post("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}")),
        ("an unknown coding", post("Transfer-Encoding: brotli\r\n\r\n{}")),
        ("two hundred headers", headers(200)),
        ("a million headers", headers(100_000)),
        (
            "a header of two megabytes",
            format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(2 << 20)).into_bytes(),
        ),
        ("a header without a colon", b"GET / HTTP/1.1\r\nHost\r\n\r\n".to_vec()),
        ("a header with a NUL", b"GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n".to_vec()),
        ("a header over two lines", b"GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n".to_vec()),
        ("a header with a blank name", b"GET / HTTP/1.1\r\n : x\r\n\r\n".to_vec()),
        ("a request line of a megabyte", get(&format!("GET /{} HTTP/1.1", "a".repeat(1 << 20)))),
        ("no version", b"GET /v3/certificates\r\n\r\n".to_vec()),
        ("another version", get("GET /v3/certificates HTTP/3.0")),
        ("no path", get("GET  HTTP/1.1")),
        ("no slash", get("GET v3/certificates HTTP/1.1")),
        ("a blank in the path", get("GET /v3/cert ificates HTTP/1.1")),
        ("a control character in the path", get("GET /v3/\u{1} HTTP/1.1")),
        ("bytes beyond ASCII in the path", get("GET /v3/证书 HTTP/1.1")),
        ("another host", get("GET http://evil.example/v3/certificates HTTP/1.1")),
        ("another scheme", get("GET gopher://x:70/_ HTTP/1.1")),
        ("an asterisk", get("OPTIONS * HTTP/1.1")),
        ("an authority", get("CONNECT evil.example:443 HTTP/1.1")),
        ("a method of its own", get("BREW /v3/certificates HTTP/1.1")),
        ("a method of a megabyte", get(&format!("{} / HTTP/1.1", "A".repeat(1 << 20)))),
        ("a method that is none", get("G@T / HTTP/1.1")),
        ("line feeds alone", b"GET /v3/certificates HTTP/1.1\nHost: x\n\n".to_vec()),
        ("nothing", Vec::new()),
        ("empty lines", b"\r\n\r\n\r\n".to_vec()),
        ("half a request", b"GET /v3/cert".to_vec()),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaaaaaaaaaaaaaaaaaa".to_vec()),
        ("HTTP/2 that stops", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        (
            "HTTP/2 with a bad frame",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        ),
        ("half of the HTTP/2 preface", b"PRI * HT".to_vec()),
        ("zeros", vec![0; 100_000]),
    ];
    for (what, request) in cases {
        let answer = said(&world, &request).await;
        let status = error_of(&answer).0;
        let is_http2 = what.starts_with("HTTP/2");
        // Closed without a word, turned away by the HTTP layer, or by the mirror.
        assert!(
            is_http2 || answer.is_empty() || (400..=505).contains(&status) && status != 500,
            "{what}: {answer:.300}"
        );
        assert!(!answer.contains("coupon_id"), "{what}");
    }
    assert_eq!(world.mirror.audit().await.stocks.len(), 0);
    assert_well(&world).await;
}

#[tokio::test]
async fn control_calls_bear_hostile_bodies_too() {
    let world = World::new().await;
    let large = "x".repeat(10 << 20);
    let deep = "[".repeat(100_000);
    for target in
        ["clock", "faults", "merchants", "users", "keys/public-key", "coupons/1/redeem", "stocks/1/fill"]
    {
        for (what, body) in [
            ("large", large.as_str()),
            ("deep", &deep),
            ("a lone surrogate", "{\"a\":\"\\ud800\"}"),
            ("a huge number", "{\"advance_seconds\":1e999,\"rows\":99999999999999999999}"),
            ("negative", "{\"advance_seconds\":-1,\"rows\":-1,\"mchid\":-1}"),
            ("a list of nonsense", "[1,null,{}]"),
        ] {
            let reply = fetch(world.request("POST", &format!("/_mirror/{target}"), body)).await.unwrap();
            assert!((400..500).contains(&reply.status), "{what} to {target}: {}", reply.status);
            assert!(reply.json()["message"].is_string(), "{what} to {target}");
        }
    }
    assert_well(&world).await;
}

/// Odd paths are answered as what they are; what counts is that they are signed as sent.
#[tokio::test]
async fn nonsense_in_paths_and_queries_is_answered() {
    let world = World::new().await;
    for (target, statuses) in [
        ("/%", &[404][..]),
        ("/%zz", &[404]),
        ("/v3/%63ertificates", &[404]),
        ("/v3/certificates%00", &[404]),
        ("/v3/certificates/..", &[404]),
        ("/v3/../v3/certificates", &[404]),
        ("//v3/certificates", &[404]),
        ("/v3//certificates", &[404]),
        ("/v3/certificates;a=b", &[404]),
        ("/v3/certificates?%", &[200]),
        ("/v3/certificates?=&&=&a=%ff%zz", &[200]),
        ("/v3/certificates?algorithm_type=%E2%28%A1", &[200, 400]),
        ("/v3/marketing/favor/stocks/%ff%fe?stock_creator_mchid=1900000109", &[400, 404]),
        ("/v3/marketing/favor/stocks/%2e%2e%2f?stock_creator_mchid=1900000109", &[400, 404]),
        ("/v3/marketing/favor/stocks/1%00?stock_creator_mchid=1900000109", &[400, 404]),
        ("/v3/marketing/favor/stocks/99999999999999999999999?stock_creator_mchid=1900000109", &[400, 404]),
        ("/v3/marketing/favor/stocks/-1?stock_creator_mchid=1900000109", &[400, 404]),
        ("/v3/marketing/favor/stocks?offset=-1&limit=1e3&stock_creator_mchid=%00", &[400]),
        ("/v3/marketing/favor/users/%zz/coupons/%zz?appid=%zz", &[400, 404]),
        ("/v3/billdownload/file?token=%00", &[400, 404]),
    ] {
        let request = signed(&world, "GET", target, "", b"");
        let answer = said(&world, &request).await;
        let status = error_of(&answer).0;
        assert!(statuses.contains(&status), "{target}: {answer:.600}");
    }
    let long = format!("/v3/marketing/favor/stocks/{}", "9".repeat(50_000));
    let request = signed(&world, "GET", &long, "", b"");
    assert_eq!(error_of(&said(&world, &request).await).0 / 100, 4);
    assert_well(&world).await;
}

#[tokio::test]
async fn an_unknown_path_is_answered_with_the_nearest_one() {
    let world = World::new().await;
    let reply = world.call("POST", &format!("{FAVOR}/coupon-stock"), &json!({})).await;
    let message = "请求的资源不存在，最接近的接口是 POST /v3/marketing/favor/coupon-stocks";
    reply.refused(404, "NOT_FOUND", message);
    assert!(reply.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    assert!(world.mirror.requests(1, 0)[0].notes[0].contains("POST /v3/marketing/favor/coupon-stocks"));
    let reply = world.get(&format!("{FAVOR}/coupon-stocks")).await;
    reply.refused(404, "NOT_FOUND", message);
    assert!(world.mirror.requests(1, 0)[0].notes[0].contains("wants POST instead of GET"));
    world.get("/favicon.ico").await.refused(404, "NOT_FOUND", "请求的资源不存在");
}

#[tokio::test]
async fn slow_clients_are_cut_off() {
    let quick = Duration::from_millis(300);
    let world = World::with(builder().keep_alive_timeout(quick).request_timeout(quick)).await;
    let post = signed_head(&world, "POST", &coupons_of(USER), b"{}");
    for (what, beginning, status) in [
        ("silence", String::new(), 0),
        ("a letter that could begin anything", "P".to_owned(), 0),
        ("half a head", post.clone(), 0),
        ("half a head, HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 0),
        ("half a body", format!("{post}Content-Length: 2\r\n\r\n{{"), 408),
        ("no body", format!("{post}Content-Length: 2\r\n\r\n"), 408),
        (
            "half a control call",
            "POST /_mirror/clock HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{".to_owned(),
            408,
        ),
        ("half a chunk", format!("{post}Transfer-Encoding: chunked\r\n\r\n2\r\n{{"), 408),
    ] {
        let mut stream = connect(&world).await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        if !what.contains("HTTP/2") {
            assert_eq!(error_of(&answer).0, status, "{what}: {answer}");
        }
        if status == 408 && !what.contains("control") {
            let logged = &world.mirror.requests(1, 0)[0];
            assert_eq!(logged.rule.unwrap().id, "edge.body_time", "{what}");
        }
    }
    // Dripping does not help: all of it has to be there in time.
    let mut stream = connect(&world).await;
    stream.write_all(format!("{post}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answer = Vec::new();
    tokio::select! {
        read = timeout(PATIENCE, reader.read_to_end(&mut answer)) => { read.expect("the server hangs").ok(); }
        () = async { while writer.write_all(b"1\r\n \r\n").await.is_ok() { tokio::task::yield_now().await; } std::future::pending().await } => {}
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.is_empty() || [400, 408].contains(&error_of(&answer).0), "{answer}");
    assert_eq!(fetch(world.request("GET", "/_mirror/healthz", "")).await.unwrap().status, 200);
}

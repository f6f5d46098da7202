//! The mirror as a proxy: WeChat's hosts end here, and nothing else is let through.

use std::time::Duration;

use favor_mirror::{Mirror, Redeem, Verdict};
use hyper_util::rt::{TokioExecutor, TokioIo};
use reqwest::Version;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{FAVOR, USER, World, builder, fetch, stock_body};
use crate::reach::{
    PLATFORM_HOSTS, PRODUCTION, address, client_hello, closes, connect, get_at, logged, proxied, read_head,
    secured,
};

#[tokio::test]
async fn every_host_of_the_platform_is_answered_here() {
    let world = World::new().await;
    let http = proxied(&world.mirror).build().unwrap();
    for host in PLATFORM_HOSTS {
        let reply = get_at(&world, &http, &format!("https://{host}"), "/v3/certificates").await;
        assert_eq!(reply.status, 200, "{host}");
        assert!(reply.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    }
    let logged = world.mirror.requests(100, 0);
    assert_eq!(logged.len(), PLATFORM_HOSTS.len(), "tunnels themselves are not logged");
    assert!(logged.iter().all(|entry| entry.path == "/v3/certificates"));
}

#[tokio::test]
async fn http2_and_http1_go_through_a_tunnel() {
    let world = World::new().await;
    for (http, version) in
        [(proxied(&world.mirror), Version::HTTP_2), (proxied(&world.mirror).http1_only(), Version::HTTP_11)]
    {
        let http = http.build().unwrap();
        let answer = http.get(format!("{PRODUCTION}/v3/certificates")).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (401, version));
    }
}

#[tokio::test]
async fn whole_urls_are_taken_without_a_tunnel() {
    let world = World::new().await;
    for scheme in ["http", "https"] {
        let target = "/v3/certificates";
        let timestamp = world.mirror.now().timestamp();
        let authorization = world.credentials().authorization("GET", target, timestamp, "");
        let request = format!(
            "GET {scheme}://api.mch.weixin.qq.com{target} HTTP/1.1\r\nHost: api.mch.weixin.qq.com\r\n\
             User-Agent: t\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
        );
        let answer = String::from_utf8(world.raw(request.as_bytes()).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let own = format!(
        "GET {}/_mirror/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        world.mirror.base_url()
    );
    let answer = String::from_utf8(world.raw(own.as_bytes()).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn every_other_host_is_refused_in_words() {
    let world = World::new().await;
    for (request, host) in [
        ("CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n", "example.com:443"),
        (
            "CONNECT pay.weixin.qq.com:443 HTTP/1.1\r\nHost: pay.weixin.qq.com\r\n\r\n",
            "pay.weixin.qq.com:443",
        ),
        ("CONNECT api.mch.weixin.qq.com:22 HTTP/1.1\r\nHost: x\r\n\r\n", "api.mch.weixin.qq.com:22"),
        ("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n", "127.0.0.1:1"),
        ("GET http://example.com/secret?token=1 HTTP/1.1\r\nHost: example.com\r\n\r\n", "example.com"),
        (
            "POST https://example.com/x HTTP/1.1\r\nHost: api.mch.weixin.qq.com\r\nContent-Length: 0\r\n\r\n",
            "example.com",
        ),
    ] {
        let answer = String::from_utf8(world.raw(request.as_bytes()).await).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(host), "{message}");
        let logged = world.mirror.requests(1, 0).pop().unwrap();
        assert_eq!((logged.verdict, logged.status), (Verdict::Refused, Some(403)));
        assert_eq!((logged.path.as_str(), logged.notes[0].as_str()), (host, message));
    }
    let http = proxied(&world.mirror).build().unwrap();
    assert!(http.get("https://example.com/").send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn the_control_calls_have_no_address_at_the_platform() {
    let world = World::new().await;
    let http = proxied(&world.mirror).build().unwrap();
    for target in ["/_mirror", "/_mirror/healthz", "/_mirror/reset"] {
        let reply = get_at(&world, &http, PRODUCTION, target).await;
        assert_eq!(reply.status, 404, "{target}");
        // By whatever name, inside a tunnel.
        let request = http.get(format!("{PRODUCTION}{target}")).header("Host", "localhost");
        assert_eq!(fetch(request).await.unwrap().status, 404, "{target}");
    }
    let plain =
        "GET http://api.mch.weixin.qq.com/_mirror HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert!(world.raw(plain.as_bytes()).await.starts_with(b"HTTP/1.1 404"));
}

#[tokio::test]
async fn links_name_the_host_that_the_client_called() {
    let world = World::new().await;
    let http = proxied(&world.mirror).build().unwrap();
    let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    world.clock("2026-09-11T10:00:00+08:00").await;

    let of_stock = format!("{FAVOR}/stocks/{stock}/use-flow");
    let of_day = format!("{FAVOR}/stocks/{stock}/use-flow-by-day?bill_date=2026-08-10");
    for (base, download) in [
        (PRODUCTION, "https://download-service.wechatpay.cn"),
        ("https://api2.mch.weixin.qq.com", "https://download-service.wechatpay.cn"),
        ("http://api.wechatpay.cn", "http://download-service.wechatpay.cn"),
    ] {
        for (target, host) in [(&of_stock, base), (&of_day, download)] {
            let link = get_at(&world, &http, base, target).await.ok();
            let url = link["url"].as_str().unwrap();
            let target = url.strip_prefix(host).unwrap_or_else(|| panic!("{url} is not at {host}"));
            let file = get_at(&world, &http, host, target).await;
            assert_eq!(file.status, 200);
            assert!(String::from_utf8(file.body).unwrap().contains(&coupon));
        }
    }
    // Without a proxy everything is at the mirror's own address.
    for target in [&of_stock, &of_day] {
        let link = world.get(target).await.ok();
        assert!(link["url"].as_str().unwrap().starts_with(world.mirror.base_url()), "{link}");
    }

    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 64]].concat();
    let meta = json!({ "filename": "a.png", "sha256": sha256(&png) }).to_string();
    let target = format!("{FAVOR}/media/image-upload");
    let timestamp = world.mirror.now().timestamp();
    let authorization = world.credentials().authorization("POST", &target, timestamp, &meta);
    let part = |head: &str| format!("--B\r\nContent-Disposition: form-data; {head}\r\n\r\n");
    let form = [
        format!("{}{meta}\r\n{}", part("name=\"meta\""), part("name=\"file\"; filename=\"a.png\""))
            .as_bytes(),
        &png,
        b"\r\n--B--\r\n",
    ]
    .concat();
    let request = http.post(format!("{PRODUCTION}{target}")).header("Authorization", authorization);
    let request = request.header("User-Agent", "t").header("Content-Type", "multipart/form-data; boundary=B");
    let uploaded = fetch(request.body(form)).await.unwrap().ok();
    let url = uploaded["media_url"].as_str().unwrap();
    assert!(url.starts_with(PRODUCTION), "{url}");
    assert_eq!(fetch(http.get(url)).await.unwrap().body, png);
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().iter().fold(
        String::new(),
        |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        },
    )
}

#[tokio::test]
async fn a_client_may_speak_before_the_tunnel_is_there() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(address(&world.mirror)).await.unwrap();
    let mut request = b"CONNECT api.mch.weixin.qq.com:443 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec();
    request.extend(client_hello());
    stream.write_all(&request).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200"));
    assert_eq!(stream.read_u8().await.unwrap(), 0x16, "the server's hello");
}

#[tokio::test]
async fn what_is_no_tls_in_a_tunnel_is_turned_away() {
    let world = World::with(builder().handshake_timeout(Duration::from_secs(1))).await;
    let target = "api.mch.weixin.qq.com:443";
    for sent in
        [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".as_slice(), b"\0\0\0\0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let (mut stream, head) = connect(&world.mirror, target).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        stream.write_all(sent).await.unwrap();
        let answer = read_head(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(closes(&mut stream).await);
        let logged = world.mirror.requests(1, 0).pop().unwrap();
        assert_eq!(logged.path, target);
        assert!(logged.notes[0].contains("something else than TLS"), "{:?}", logged.notes);
    }
    // A hello that is cut, by silence and by leaving.
    for leaves in [false, true] {
        let (mut stream, _) = connect(&world.mirror, target).await;
        let hello = client_hello();
        stream.write_all(&hello[..hello.len() / 2]).await.unwrap();
        if leaves {
            stream.shutdown().await.unwrap();
        }
        assert!(closes(&mut stream).await);
    }
    // One that says nothing is gone at once when the client leaves.
    let (mut stream, _) = connect(&world.mirror, target).await;
    stream.shutdown().await.unwrap();
    assert!(closes(&mut stream).await);
    assert_eq!(world.get("/v3/certificates").await.status, 200);
}

#[tokio::test]
async fn a_tunnel_may_be_a_stream_of_http2() {
    let idle = Duration::from_millis(500);
    let world = World::with(builder().keep_alive_timeout(idle)).await;
    let stream = TokioIo::new(TcpStream::connect(address(&world.mirror)).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = |target: &str| http::Request::connect(target).body(axum::body::Body::empty()).unwrap();
    assert_eq!(sender.send_request(request("example.com:443")).await.unwrap().status(), 403);

    let answer = sender.send_request(request("api.mch.weixin.qq.com:443")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let tunnel = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    let mut secure = secured(&world.mirror, "api.mch.weixin.qq.com", tunnel).await;
    // The connection around the tunnel has no request of its own, and yet is in use.
    let began = std::time::Instant::now();
    while began.elapsed() < 4 * idle {
        secure.write_all(b"GET /v3/certificates HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 4_096];
        let length = secure.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 401"));
    }
}

#[tokio::test]
async fn malformed_proxy_requests_are_answered() {
    let world = World::new().await;
    for request in [
        "CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT  HTTP/1.1\r\n\r\n",
        "CONNECT :443 HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT a:99999 HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let answer = String::from_utf8(world.raw(request.as_bytes()).await).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 403"),
            "{request:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_client_that_leaves_after_the_handshake_is_explained() {
    let world = World::new().await;
    let (stream, _) = connect(&world.mirror, "api.mch.weixin.qq.com:443").await;
    drop(secured(&world.mirror, "api.mch.weixin.qq.com", stream).await);
    let logged = logged(&world.mirror).await;
    assert_eq!((logged.path.as_str(), logged.verdict), ("api.mch.weixin.qq.com:443", Verdict::Abandoned));
    assert!(logged.notes[0].contains("ca_file"), "{:?}", logged.notes);
}

#[tokio::test]
async fn an_idle_tunnel_is_closed() {
    let world = World::with(builder().keep_alive_timeout(Duration::from_millis(100))).await;
    let (mut silent, head) = connect(&world.mirror, "api.mch.weixin.qq.com:443").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(closes(&mut silent).await);
}

#[tokio::test]
async fn shutdown_closes_tunnels() {
    for gracefully in [true, false] {
        let mirror = Mirror::builder().start().await.unwrap();
        let http = proxied(&mirror).build().unwrap();
        http.get(format!("{PRODUCTION}/v3/certificates")).send().await.unwrap();
        let (mut silent, _) = connect(&mirror, "api.mch.weixin.qq.com:443").await;
        let (mut shaking, _) = connect(&mirror, "api2.mch.weixin.qq.com:443").await;
        shaking.write_all(&client_hello()[..10]).await.unwrap();
        if gracefully {
            tokio::time::timeout(Duration::from_secs(4), mirror.shutdown())
                .await
                .expect("no grace is needed");
        } else {
            drop(mirror);
        }
        assert!(closes(&mut silent).await);
        assert!(closes(&mut shaking).await);
    }
}

//! Connections: idle ones, HTTP/2, shutdown.

use std::time::Duration;

use favor_mirror::Mirror;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{World, builder, fetch};

fn address(mirror: &Mirror) -> String {
    mirror.base_url().trim_start_matches("http://").to_owned()
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let world = World::with(builder().keep_alive_timeout(Duration::from_millis(500))).await;
    let mut silent = TcpStream::connect(address(&world.mirror)).await.unwrap();
    let mut used = TcpStream::connect(address(&world.mirror)).await.unwrap();
    used.write_all(b"GET /_mirror/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    used.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn an_answer_that_takes_long_is_not_idle() {
    let world = World::with(builder().keep_alive_timeout(Duration::from_millis(400))).await;
    let plan = json!([{"kind": "slow", "operation": "certificates.list", "bytes_per_second": 2_000}]);
    world.control("POST", "/_mirror/faults", &plan).await.ok();
    let listed = world.get("/v3/certificates").await.ok();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(address(&world.mirror)).await.unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET /_mirror/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 4_096];
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn http2_without_tls_works_too() {
    let world = World::new().await;
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let world = World { http, ..world };
    let reply = world.get("/v3/certificates").await;
    assert_eq!(reply.status, 200);
    assert!(reply.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    assert_eq!(reply.header("keep-alive"), None);
}

#[tokio::test]
async fn shutdown_and_drop_close_the_port() {
    for gracefully in [true, false] {
        let mirror = Mirror::builder().start().await.unwrap();
        let address = address(&mirror);
        let mut open = TcpStream::connect(&address).await.unwrap();
        if gracefully {
            mirror.shutdown().await;
        } else {
            drop(mirror);
        }
        assert_eq!(open.read(&mut [0; 1]).await.unwrap_or(0), 0);
        while TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_taken_address_is_an_error() {
    let mirror = Mirror::builder().start().await.unwrap();
    let taken: std::net::SocketAddr = address(&mirror).parse().unwrap();
    let error = Mirror::builder().listen(taken).start().await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {taken}; port 0 takes a free one"));
}

#[tokio::test]
async fn oversized_requests_are_refused() {
    let world = World::new().await;
    let body = "x".repeat(5 * 1024 * 1024);
    match fetch(world.request("POST", "/v3/marketing/favor/coupon-stocks", &body)).await {
        Ok(reply) => assert_eq!(reply.status, 400),
        // The server may close before it has read all of it.
        Err(error) => assert!(error.is_request() || error.is_body(), "{error}"),
    }
    assert_eq!(world.control("GET", "/_mirror/healthz", &Value::Null).await.status, 200);
}

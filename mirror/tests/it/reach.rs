//! Ways to the mirror other than its base URL.

use std::sync::Arc;
use std::time::Duration;

use favor_mirror::{LoggedRequest, Mirror};
use reqwest::{Certificate, Client, ClientBuilder, Proxy};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::harness::{Reply, World, fetch};

pub(crate) const PRODUCTION: &str = "https://api.mch.weixin.qq.com";
pub(crate) const PLATFORM_HOSTS: [&str; 11] = [
    "api.mch.weixin.qq.com",
    "api2.mch.weixin.qq.com",
    "api.wechatpay.cn",
    "api2.wechatpay.cn",
    "download-service.wechatpay.cn",
    "api.weixin.qq.com",
    "api2.weixin.qq.com",
    "sh.api.weixin.qq.com",
    "sz.api.weixin.qq.com",
    "hk.api.weixin.qq.com",
    "mp.weixin.qq.com",
];

pub(crate) fn address(mirror: &Mirror) -> std::net::SocketAddr {
    mirror.base_url().trim_start_matches("http://").parse().unwrap()
}

/// A client that trusts this mirror's authority and nobody else.
pub(crate) fn trusting(mirror: &Mirror) -> ClientBuilder {
    let authority = Certificate::from_pem(mirror.ca_pem().as_bytes()).unwrap();
    Client::builder().no_proxy().tls_certs_only([authority])
}

/// The same, through the mirror as a proxy.
pub(crate) fn proxied(mirror: &Mirror) -> ClientBuilder {
    trusting(mirror).proxy(Proxy::all(mirror.proxy_url()).unwrap())
}

/// A signed call of the default merchant by another address than the base URL.
pub(crate) async fn call_at(
    world: &World,
    http: &Client,
    base_url: &str,
    method: &str,
    target: &str,
    body: &Value,
) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let timestamp = world.mirror.now().timestamp();
    let authorization = world.credentials().authorization(method, target, timestamp, &body);
    let request = http
        .request(method.parse().unwrap(), format!("{base_url}{target}"))
        .header("Authorization", authorization)
        .header("Accept", "application/json")
        .header("User-Agent", "favor-mirror-tests/1")
        .header("Content-Type", "application/json")
        .body(body);
    fetch(request).await.unwrap()
}

pub(crate) async fn get_at(world: &World, http: &Client, base_url: &str, target: &str) -> Reply {
    call_at(world, http, base_url, "GET", target, &Value::Null).await
}

/// A connection with a tunnel to `target` asked for, and the head of the answer.
pub(crate) async fn connect(mirror: &Mirror, target: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address(mirror)).await.unwrap();
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await;
    (stream, head)
}

/// Reads to the end of the header lines.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

fn tls_client(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// The first message of a TLS client, as it goes over the wire.
pub(crate) fn client_hello() -> Vec<u8> {
    let config = tls_client(RootCertStore::empty());
    let mut client = ClientConnection::new(config, "api.mch.weixin.qq.com".try_into().unwrap()).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

/// A handshake made by hand, with the mirror's authority trusted.
pub(crate) async fn secured<S: AsyncRead + AsyncWrite + Unpin>(
    mirror: &Mirror,
    host: &'static str,
    stream: S,
) -> TlsStream<S> {
    let mut roots = RootCertStore::empty();
    roots.add(pem::parse(mirror.ca_pem()).unwrap().into_contents().into()).unwrap();
    let connector = TlsConnector::from(tls_client(roots));
    connector.connect(host.try_into().unwrap(), stream).await.unwrap()
}

/// The entry of the request log that comes without an answer to wait for.
pub(crate) async fn logged(mirror: &Mirror) -> LoggedRequest {
    let waited = async {
        loop {
            if let Some(entry) = mirror.requests(1, 0).pop() {
                return entry;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waited).await.unwrap()
}

/// Whether the other side closes, with or without a last word.
pub(crate) async fn closes(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut rest)).await.is_ok()
}

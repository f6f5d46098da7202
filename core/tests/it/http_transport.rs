//! The default transport: what it does to requests and answers, and what it leaves alone.

use favor_core::{
    Call, Client, ErrorKind, HttpRequest, HttpResponse, HttpTransport, Operation, Outcome, PlatformKeys,
    Transport, TransportError, Verb,
};
use futures_util::future::BoxFuture;

use crate::calls::{get, send};
use crate::platform::public_key_set;
use crate::server::{Deed, Server, frame, signature};
use crate::world::{START, World, assert_error, signer};

fn client(server: &Server) -> Client {
    Client::builder(signer(), PlatformKeys::fixed(public_key_set()))
        .base_url(server.url())
        .clock(World::jumping().clock)
        .build()
        .unwrap()
}

#[tokio::test]
async fn one_connection_carries_many_calls() {
    let server = Server::start((0..5).map(|_| Deed::signed(START, "{}"))).await;
    let client = client(&server);
    for _ in 0..5 {
        client.execute(&send()).await.unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 5));
}

#[tokio::test]
async fn an_error_answer_leaves_the_connection_usable() {
    let refusal = frame(403, "", r#"{"code":"NO_AUTH","message":"x"}"#);
    let server = Server::start([Deed::Answer(refusal), Deed::signed(START, "{}")]).await;
    let client = client(&server);
    let error = client.execute(&send()).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused);
    client.execute(&send()).await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_signed_path_arrives_byte_for_byte_however_it_is_encoded() {
    static ODD: Operation = Operation::new(
        "odd",
        Verb::Get,
        "/v3/a%7Eb/%2f%2F//c;d=e/~f/()*!$&+,:@/%e5%88%B8/%zz%?q=%2B+%20&r=%7e&&t=%&u=:/?@",
    );
    let call = Call::to(&ODD).query("at", "2026-05-20T00:00:00+08:00").finish().unwrap();
    let server = Server::start([Deed::signed(START, "{}")]).await;
    client(&server).execute(&call).await.unwrap();
    let request = server.requests().remove(0);
    assert!(request.starts_with(&format!("GET {} HTTP/1.1\r\n", call.path_and_query())), "{request}");
}

#[tokio::test]
async fn every_encoded_value_arrives_byte_for_byte() {
    static ANY: Operation = Operation::new("any", Verb::Get, "/v3/x/{value}");
    let values: Vec<String> = (0x20..0x7fu8).map(char::from).map(|c| format!("a{c}b")).collect();
    let special = ["%2e%2e", "...", "券", "\t", "%", "a\\b", "~", "a b+c"].map(String::from);
    let values: Vec<_> = values.into_iter().chain(special).collect();
    let server = Server::start(values.iter().map(|_| Deed::signed(START, "{}"))).await;
    let client = client(&server);
    for (at, value) in values.iter().enumerate() {
        let call = Call::to(&ANY).segment("value", value).query(value, value).finish().unwrap();
        client.execute(&call).await.unwrap_or_else(|error| panic!("{value:?}: {error}"));
        let line = format!("GET {} HTTP/1.1\r\n", call.path_and_query());
        assert!(server.requests()[at].starts_with(&line), "{value:?}: {}", server.requests()[at]);
    }
}

#[tokio::test]
async fn a_path_the_url_library_would_rewrite_is_not_sent() {
    const fn odd(path: &'static str) -> Operation {
        Operation::new("odd", Verb::Get, path)
    }
    static ODD: [Operation; 6] = [
        odd("/v3/a/../b"),
        odd("/v3/a/%2e%2E/b"),
        odd("/v3/a b"),
        odd("/v3/\\a"),
        odd("/v3/券"),
        odd("/v3/a?q='"),
    ];
    let server = Server::start([]).await;
    for operation in &ODD {
        let error = client(&server).execute(&Call::to(operation).finish().unwrap()).await.unwrap_err();
        assert_error(
            &error,
            ErrorKind::InvalidRequest,
            Outcome::NotSent,
            "odd: the request cannot be sent < the URL is not in its normal form",
        );
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = Server::start([Deed::signed(START, "{}")]).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("location: {}/v3/x\r\n", other.url());
        let server = Server::start([Deed::Answer(frame(status, &location, ""))]).await;
        let error = client(&server).execute(&get()).await.unwrap_err();
        assert_error(
            &error,
            ErrorKind::Api,
            Outcome::Unknown,
            &format!("stock.get: the platform answered {status} < an answer without an error code"),
        );
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_request_goes_out_as_it_was_signed() {
    let server = Server::start([Deed::signed(START, "{}")]).await;
    client(&server).execute(&send()).await.unwrap();
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.as_bytes(), send().body());
    let lines: Vec<_> = head.lines().skip(1).map(|line| line.split_once(": ").unwrap()).collect();
    let value = |name: &str| {
        let values: Vec<_> = lines.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name)).collect();
        assert!(values.len() <= 1, "{name} is there twice");
        values.first().map(|(_, value)| *value)
    };
    assert!(value("authorization").unwrap().starts_with("WECHATPAY2-SHA256-RSA2048 mchid="));
    assert_eq!(value("content-type"), Some("application/json"));
    assert_eq!(value("content-length"), Some(body.len().to_string().as_str()));
    assert_eq!(value("accept"), Some("application/json"));
    assert_eq!(value("accept-encoding"), None, "the body is verified as it came");
    assert!(value("host").unwrap().starts_with("127.0.0.1:"));
    assert!(value("user-agent").unwrap().starts_with("favor/"));
}

#[tokio::test]
async fn a_post_without_a_body_announces_its_length() {
    static START_STOCK: Operation = Operation::new("stock.start", Verb::Post, "/v3/start");
    let server = Server::start([Deed::signed(START, "{}")]).await;
    client(&server).execute(&Call::to(&START_STOCK).finish().unwrap()).await.unwrap();
    let head = server.requests().remove(0).to_lowercase();
    assert!(head.contains("\r\ncontent-length: 0\r\n"), "{head}");
}

#[tokio::test]
async fn a_chunked_answer_is_verified_whole() {
    let body = r#"{"coupon_id":"9867041"}"#;
    let chunked = format!(
        "HTTP/1.1 200 OK\r\n{}transfer-encoding: chunked\r\n\r\n5\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        signature(START, body),
        &body[..5],
        body.len() - 5,
        &body[5..]
    );
    let server = Server::start([Deed::Answer(chunked.into())]).await;
    let response = client(&server).execute(&get()).await.unwrap();
    assert_eq!(response.body, body);
}

#[tokio::test]
async fn an_answer_without_content_is_verified() {
    let answer = format!("HTTP/1.1 204 No Content\r\n{}\r\n", signature(START, ""));
    let server = Server::start([Deed::Answer(answer.into()), Deed::signed(START, "{}")]).await;
    let client = client(&server);
    assert_eq!(client.execute(&send()).await.unwrap().status, 204);
    client.execute(&send()).await.unwrap();
    assert_eq!(server.connections(), 1);
}

/// A transport of the user's own around the default one.
#[derive(Debug)]
struct Stamped(HttpTransport);

impl Transport for Stamped {
    fn send(&self, mut request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        request.headers.insert("x-trace", "7".parse().unwrap());
        self.0.send(request)
    }
}

#[tokio::test]
async fn a_wrapped_transport_may_add_headers() {
    let server = Server::start([Deed::signed(START, "{}")]).await;
    let client = Client::builder(signer(), PlatformKeys::fixed(public_key_set()))
        .base_url(server.url())
        .clock(World::jumping().clock)
        .transport(Stamped(HttpTransport::new().unwrap()))
        .build()
        .unwrap();
    client.execute(&get()).await.unwrap();
    assert!(server.requests()[0].contains("\r\nx-trace: 7\r\n"));
}

#[tokio::test]
async fn calls_go_through_a_proxy_when_one_is_set() {
    let proxy = Server::start([Deed::signed(START, "{}")]).await;
    let transport = HttpTransport::builder().proxy(proxy.url()).build().unwrap();
    let client = Client::builder(signer(), PlatformKeys::fixed(public_key_set()))
        .base_url("http://mirror.test")
        .dangerous_plain_http()
        .clock(World::jumping().clock)
        .transport(transport)
        .build()
        .unwrap();
    client.execute(&get()).await.unwrap();
    let request = proxy.requests().remove(0);
    let line = format!("GET http://mirror.test{} HTTP/1.1\r\n", get().path_and_query());
    assert!(request.starts_with(&line), "{request}");
}

#[test]
fn malformed_options_are_refused() {
    let error = HttpTransport::builder().proxy("not a url").build().unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Config, Outcome::NotSent));
    assert_eq!(error.to_string(), "the proxy URL is malformed");
    let error = HttpTransport::builder().root_certificate("not a certificate").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let expected = if cfg!(any(feature = "reqwest", feature = "reqwest-no-provider")) {
        "a root certificate is malformed: it is no PEM certificate"
    } else {
        "this build has no TLS, so a root certificate is of no use"
    };
    assert_eq!(error.to_string(), expected);
}

//! The client over real sockets: what each way of failing does to the outcome.

use std::time::Duration;

use favor_core::{
    Client, ClientBuilder, Error, ErrorKind, HttpTransport, Outcome, PlatformKeys, RetryPolicy,
};

use crate::calls::{OPENID, send};
use crate::platform::public_key_set;
use crate::server::{Deed, Server, closed_port, frame, signature};
use crate::world::{START, World, chain, signer};

/// A client of `url` over the default transport, with the clock of a world that jumps.
fn builder(url: &str) -> ClientBuilder {
    Client::builder(signer(), PlatformKeys::fixed(public_key_set()))
        .base_url(url)
        .clock(World::jumping().clock)
}

async fn failure(builder: ClientBuilder) -> Error {
    let client = builder.retry(RetryPolicy::NONE).build().unwrap();
    client.execute(&send()).await.unwrap_err()
}

#[track_caller]
fn assert_failed(error: &Error, kind: ErrorKind, outcome: Outcome, words: &str) {
    let text = chain(error);
    assert_eq!((error.kind(), error.outcome()), (kind, outcome), "{text}");
    assert!(text.starts_with(&format!("coupon.send: {words} < ")), "{text}");
    let debug = format!("{error:?}");
    assert!(!text.contains(OPENID) && !debug.contains(OPENID), "the URL is not printed: {text} {debug}");
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let (_socket, url) = closed_port();
    let error = failure(builder(&url)).await;
    assert_failed(&error, ErrorKind::Connect, Outcome::NotSent, "no connection could be made");
}

#[tokio::test]
async fn a_connection_closed_before_or_after_reading_is_in_doubt() {
    for deed in [Deed::CloseUnread, Deed::Close] {
        let server = Server::start([deed]).await;
        let error = failure(builder(&server.url())).await;
        assert_failed(
            &error,
            ErrorKind::Interrupted,
            Outcome::Unknown,
            "the connection broke before the answer was complete",
        );
        assert_eq!(server.connections(), 1, "the transport repeats nothing");
    }
}

#[tokio::test]
async fn an_answer_cut_within_head_or_body_is_in_doubt() {
    let whole = frame(200, &signature(START, r#"{"coupon_id":"1"}"#), r#"{"coupon_id":"1"}"#);
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"cou\r\n";
    for cut in [whole[..20].to_vec(), whole[..whole.len() - 1].to_vec(), chunked.into()] {
        let server = Server::start([Deed::AnswerAndClose(cut)]).await;
        let error = failure(builder(&server.url())).await;
        assert_failed(
            &error,
            ErrorKind::Interrupted,
            Outcome::Unknown,
            "the connection broke before the answer was complete",
        );
    }
}

#[tokio::test]
async fn what_is_no_http_is_in_doubt() {
    let server = Server::start([Deed::AnswerAndClose(b"220 mail.example ESMTP\r\n".to_vec())]).await;
    let error = failure(builder(&server.url())).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Interrupted, Outcome::Unknown));
}

/// How long an answer is waited for that never comes: long enough to connect and ask on a busy machine.
const SHORT: Duration = Duration::from_secs(2);

#[tokio::test]
async fn silence_is_in_doubt() {
    let server = Server::start([Deed::Silence]).await;
    let error = failure(builder(&server.url()).attempt_timeout(SHORT)).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown));
    assert!(chain(&error).starts_with("coupon.send: no complete answer came in time"), "{error}");
    assert_eq!(server.requests().len(), 1, "it had arrived");
}

#[tokio::test]
async fn silence_within_the_body_is_in_doubt() {
    let head = frame(200, &signature(START, r#"{"coupon_id":"1"}"#), r#"{"coupon_id":"1"}"#);
    let server = Server::start([Deed::Answer(head[..head.len() - 3].to_vec())]).await;
    let error = failure(builder(&server.url()).attempt_timeout(SHORT)).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Timeout, Outcome::Unknown));
}

#[tokio::test]
async fn a_cut_answer_is_repeated_with_the_same_body_and_succeeds() {
    let server = Server::start([Deed::Close, Deed::signed(START, "{}")]).await;
    let client = builder(&server.url()).build().unwrap();
    client.execute(&send()).await.unwrap();
    let requests = server.requests();
    let body = |request: &String| request.split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(requests.len(), 2);
    assert_eq!(body(&requests[0]), body(&requests[1]));
    assert_ne!(requests[0], requests[1], "signed anew");
}

#[tokio::test]
async fn the_backup_host_takes_over_when_the_main_one_refuses() {
    let (_socket, main) = closed_port();
    let backup = Server::start([Deed::signed(START, "{}")]).await;
    let client = builder(&main).backup_url(backup.url()).build().unwrap();
    client.execute(&send()).await.unwrap();
    assert_eq!(backup.requests().len(), 1);
}

#[tokio::test]
async fn an_oversized_answer_is_given_up_while_it_comes() {
    let large = "x".repeat(100_000);
    let server = Server::start([Deed::Answer(frame(200, "", &large))]).await;
    let error = failure(builder(&server.url()).largest_answer(1000)).await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::TooLarge, Outcome::Unknown));
}

#[tokio::test]
async fn a_transport_given_by_hand_works_like_the_default() {
    let server = Server::start([Deed::signed(START, "{}")]).await;
    let transport = HttpTransport::builder().connect_timeout(Duration::from_secs(3)).build().unwrap();
    let client = builder(&server.url()).transport(transport).build().unwrap();
    assert!(client.execute(&send()).await.is_ok());
}

//! Tokens and tickets: fetched once for everybody, renewed in time, and once when found stale.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use favor_card::{Codes, ErrCode, Error, ErrorKind, GetCode, MemoryTokens, Outcome, TokenKind};
use favor_core::{HttpRequest, HttpResponse, HttpTransport, ManualClock, Transport, TransportError};
use futures_util::future::{BoxFuture, join_all};
use serde_json::json;
use tokio::sync::{Barrier, Semaphore};

use crate::server::{SECRET, Server, chain, code, token};

const GET: &str = "/card/code/get";
const STABLE: &str = "/cgi-bin/stable_token";
const BASIC: &str = "/cgi-bin/token";
const TICKET: &str = "/cgi-bin/ticket/getticket";
const STATE: &str = r#"{"errcode":0,"errmsg":"ok","card":{"card_id":"pTESTcard0000000000000000001"},
    "openid":"oTESTopenid00000000000000001","can_consume":true,"user_card_status":"NORMAL"}"#;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(DateTime::from_timestamp(1_700_000_000, 0).unwrap()))
}

fn ask() -> GetCode {
    GetCode::new(code("880012345678"), false)
}

#[tokio::test]
async fn one_token_serves_many_calls_until_shortly_before_its_end() {
    let (server, clock) = (Server::start().await, clock());
    server.answer(GET, STATE);
    let client = server.builder().clock(clock.clone()).build().unwrap();
    let codes = Codes::new(&client);
    for _ in 0..3 {
        assert!(codes.get(&ask()).await.unwrap().can_consume);
    }
    assert_eq!(server.count(STABLE), 1);
    let fetched = &server.seen()[0];
    assert_eq!(
        fetched.json(),
        json!({"grant_type":"client_credential","appid":"wx1234567890abcdef","secret":SECRET})
    );
    assert!(server.last().query.starts_with("access_token=68_TOKEN%2B1%2F%3D"), "percent-encoded");

    clock.advance(Duration::from_secs(6899));
    codes.get(&ask()).await.unwrap();
    assert_eq!(server.count(STABLE), 1, "good until 300 s before its end");
    clock.advance(Duration::from_secs(1));
    codes.get(&ask()).await.unwrap();
    assert_eq!(server.count(STABLE), 2);
}

#[tokio::test]
async fn the_basic_token_is_a_get_and_renewed_ten_minutes_before_its_end() {
    let (server, clock) = (Server::start().await, clock());
    server.answer(GET, STATE);
    let client = server.builder().clock(clock.clone()).token_kind(TokenKind::Basic).build().unwrap();
    let codes = Codes::new(&client);
    codes.get(&ask()).await.unwrap();
    let fetched = &server.seen()[0];
    assert_eq!((fetched.method.as_str(), fetched.path.as_str()), ("GET", BASIC));
    assert_eq!(
        fetched.query,
        format!("grant_type=client_credential&appid=wx1234567890abcdef&secret={SECRET}")
    );
    clock.advance(Duration::from_secs(6599));
    codes.get(&ask()).await.unwrap();
    assert_eq!(server.count(BASIC), 1);
    clock.advance(Duration::from_secs(1));
    codes.get(&ask()).await.unwrap();
    assert_eq!(server.count(BASIC), 2);
    assert_eq!(client.replace_leaked_token().await.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_token_that_lives_shorter_than_the_margin_is_used_for_nine_tenths_of_its_life() {
    let (server, clock) = (Server::start().await, clock());
    server.answer(GET, STATE);
    server.direct(STABLE, |_| (200, json!({"access_token":"short","expires_in":"100"}).to_string()));
    server.direct("/never", |_| (200, String::new()));
    let client = server.builder().clock(clock.clone()).build().unwrap();
    assert_eq!(client.access_token().await.unwrap().expose(), "short");
    clock.advance(Duration::from_secs(89));
    client.access_token().await.unwrap();
    assert_eq!(server.count(STABLE), 1);
    clock.advance(Duration::from_secs(1));
    client.access_token().await.unwrap();
    assert_eq!(server.count(STABLE), 2);
}

#[tokio::test]
async fn a_life_that_cannot_be_right_is_an_error() {
    for seconds in ["0", "-1", "99999999999", "\"soon\"", "null"] {
        let server = Server::start().await;
        server.direct(STABLE, move |_| {
            (200, format!(r#"{{"access_token":"SECRETTOKEN","expires_in":{seconds}}}"#))
        });
        let error = server.client().access_token().await.unwrap_err();
        assert_eq!((error.kind(), error.endpoint().unwrap().number), (ErrorKind::Decode, "P2"), "{seconds}");
        assert!(!format!("{error:?} {}", chain(&error)).contains("SECRETTOKEN"));
    }
}

/// Lets a call pass when all are there, and no more than some at the same time: sockets are few.
struct Gate {
    inner: HttpTransport,
    all: Barrier,
    narrow: Semaphore,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

#[derive(Clone, Debug)]
struct Gated(Arc<Gate>);

impl Transport for Gated {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(async move {
            let gate = &self.0;
            // All thousand have been given the first token, and none has been answered.
            if request.path_and_query.contains(GET) && request.path_and_query.ends_with("TOKEN%2B1%2F%3D") {
                gate.all.wait().await;
            }
            let _permit = gate.narrow.acquire().await.unwrap();
            gate.inner.send(request).await
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_with_a_token_that_just_went_stale_fetch_one_and_none_fails() {
    const CALLS: usize = 1_000;
    let server = Server::start().await;
    server.answer(GET, STATE);
    let gate =
        Gate { inner: HttpTransport::new().unwrap(), all: Barrier::new(CALLS), narrow: Semaphore::new(64) };
    let client = server.builder().transport(Gated(Arc::new(gate))).build().unwrap();
    client.access_token().await.unwrap();
    server.forget_token();
    let codes = Codes::new(&client);
    let calls = (0..CALLS).map(|_| {
        let codes = codes.clone();
        tokio::spawn(async move { codes.get(&ask()).await })
    });
    for call in join_all(calls).await {
        assert!(call.unwrap().unwrap().can_consume);
    }
    assert_eq!(server.count(STABLE), 2, "one before, one refresh");
    assert_eq!(server.count(GET), 2 * CALLS, "each once with the old token and once with the new one");
}

#[tokio::test]
async fn the_same_body_goes_once_more_and_never_a_third_time() {
    for number in [40001, 40014, 42001, 42007] {
        let server = Server::start().await;
        server.direct(GET, move |_| (200, json!({"errcode": number, "errmsg": "stale"}).to_string()));
        let error = Codes::new(&server.client()).get(&ask()).await.unwrap_err();
        assert_eq!(error.code(), Some(ErrCode::from(number)));
        assert_eq!((error.outcome(), server.count(GET)), (Outcome::Refused, 2));
        let bodies: Vec<_> =
            server.seen().iter().filter(|seen| seen.path == GET).map(|seen| seen.body.clone()).collect();
        assert_eq!(bodies[0], bodies[1]);
        assert!(error.hint().contains("token"), "{}", error.hint());
    }
}

#[tokio::test]
async fn whoever_waits_for_a_fetch_that_fails_gets_its_error_and_a_pause_follows() {
    let (server, clock) = (Server::start().await, clock());
    server.answer(GET, STATE);
    server.answer(STABLE, r#"{"errcode":40125,"errmsg":"invalid appsecret rid: 1"}"#);
    let client = server.builder().clock(clock.clone()).build().unwrap();
    let codes = Codes::new(&client);
    let request = ask();
    let results = join_all((0..20).map(|_| codes.get(&request))).await;
    for result in results {
        let error: Error = result.unwrap_err();
        assert_eq!(error.code(), Some(ErrCode::InvalidSecret));
        assert_eq!(error.outcome(), Outcome::NotSent, "the call itself was not made");
        assert_eq!(error.endpoint().unwrap().name, "access.stable_token");
    }
    assert_eq!((server.count(STABLE), server.count(GET)), (1, 0));
    clock.advance(Duration::from_millis(999));
    codes.get(&ask()).await.unwrap_err();
    assert_eq!(server.count(STABLE), 1, "too soon to ask again");
    clock.advance(Duration::from_millis(1));
    server.direct(STABLE, |_| (200, json!({"access_token": token(7), "expires_in": 7200}).to_string()));
    assert_eq!(client.access_token().await.unwrap().expose(), token(7));
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_take_the_fetch_with_it() {
    let server = Server::start().await;
    let client = server.client();
    let fetch = tokio::spawn({
        let client = client.clone();
        async move { client.access_token().await }
    });
    fetch.abort();
    // Whichever came first, the next caller gets a token and at most one more was fetched.
    client.access_token().await.unwrap();
    client.access_token().await.unwrap();
    assert!(server.count(STABLE) <= 2);
}

#[tokio::test]
async fn a_leaked_token_is_replaced_by_force() {
    let server = Server::start().await;
    let client = server.client();
    client.access_token().await.unwrap();
    client.replace_leaked_token().await.unwrap();
    assert_eq!(server.seen()[1].json()["force_refresh"], true);
    assert_eq!(client.access_token().await.unwrap().expose(), token(2));
    assert_eq!(server.count(STABLE), 2);
}

#[tokio::test]
async fn a_leaked_token_is_replaced_though_another_client_has_a_newer_one() {
    let (server, store) = (Server::start().await, MemoryTokens::new());
    server.answer(GET, STATE);
    let one = server.builder().tokens(store.clone()).build().unwrap();
    let two = server.builder().tokens(store).build().unwrap();
    one.access_token().await.unwrap();
    server.forget_token();
    Codes::new(&two).get(&ask()).await.expect("finds its token stale, and fetches another");
    assert_eq!(two.access_token().await.unwrap().expose(), token(2), "this one has leaked");
    one.replace_leaked_token().await.unwrap();
    assert_eq!(server.seen().last().unwrap().json()["force_refresh"], true);
    assert_eq!(one.access_token().await.unwrap().expose(), token(3));
    Codes::new(&two).get(&ask()).await.expect("takes the new token up");
    assert_eq!(two.access_token().await.unwrap().expose(), token(3));
    assert_eq!(server.count(STABLE), 3);
}

#[tokio::test]
async fn a_leaked_token_that_is_still_in_force_is_an_error() {
    let server = Server::start().await;
    server.direct(STABLE, |_| (200, json!({"access_token": "leaked", "expires_in": 7200}).to_string()));
    let client = server.client();
    client.access_token().await.unwrap();
    let error = client.replace_leaked_token().await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::NotReplaced, Outcome::Refused));
    assert!(error.is_retryable() && error.hint().contains("30 s"), "{}", error.hint());
    assert!(!chain(&error).contains("leaked\""), "{}", chain(&error));
    assert_eq!(client.access_token().await.unwrap().expose(), "leaked", "it still works");
    server.direct(STABLE, |_| (200, json!({"access_token": "fresh", "expires_in": 7200}).to_string()));
    client.replace_leaked_token().await.expect("nothing stops a second try");
    assert_eq!(client.access_token().await.unwrap().expose(), "fresh");
}

#[tokio::test]
async fn whoever_makes_calls_by_hand_says_which_token_was_stale() {
    for kind in [TokenKind::Stable, TokenKind::Basic] {
        let server = Server::start().await;
        let client = server.builder().token_kind(kind).build().unwrap();
        let first = client.access_token().await.unwrap();
        server.forget_token();
        let second = client.access_token_other_than(&first).await.unwrap();
        assert_eq!((first.expose(), second.expose()), (&token(1)[..], &token(2)[..]));
        let again = client.access_token_other_than(&first).await.unwrap();
        assert_eq!(again.expose(), token(2), "there is another one already");
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn the_two_tickets_are_kept_apart_and_refreshed_when_asked() {
    let (server, clock) = (Server::start().await, clock());
    let given = std::sync::atomic::AtomicU32::new(0);
    server.direct(TICKET, move |seen| {
        let kind = if seen.query.ends_with("type=wx_card") { "card" } else { "page" };
        let number = given.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let ticket = format!("{kind}-{number}");
        (200, json!({"errcode":0,"errmsg":"ok","ticket":ticket,"expires_in":7200}).to_string())
    });
    let client = server.builder().clock(clock.clone()).build().unwrap();
    assert_eq!(client.card_ticket().await.unwrap().expose(), "card-0");
    assert_eq!(client.jsapi_ticket().await.unwrap().expose(), "page-1");
    assert_eq!(client.card_ticket().await.unwrap().expose(), "card-0");
    assert_eq!(client.refresh_card_ticket().await.unwrap().expose(), "card-2");
    assert_eq!(client.card_ticket().await.unwrap().expose(), "card-2");
    assert_eq!(client.refresh_jsapi_ticket().await.unwrap().expose(), "page-3");
    clock.advance(Duration::from_secs(6900));
    assert_eq!(client.card_ticket().await.unwrap().expose(), "card-4");
    assert!(!format!("{:?}", client.card_ticket().await.unwrap()).contains("card-4"));
}

#[tokio::test]
async fn two_clients_with_one_store_fetch_one_token() {
    let server = Server::start().await;
    let store = MemoryTokens::new();
    let one = server.builder().tokens(store.clone()).build().unwrap();
    let two = server.builder().tokens(store).build().unwrap();
    let (first, second) = tokio::join!(one.access_token(), two.access_token());
    assert_eq!(first.unwrap().expose(), second.unwrap().expose());
    assert_eq!(server.count(STABLE), 1);
}

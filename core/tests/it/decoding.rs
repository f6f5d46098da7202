//! Authentic answers and what is read out of them.

use favor_core::{Error, ErrorKind, Fen, Outcome, Page, Reply, Timestamp, lenient, open_enum};
use serde::Deserialize;

use crate::calls::{get, send};
use crate::platform::Platform;
use crate::script::Play;
use crate::world::{World, assert_error};

open_enum! {
    /// What became of a coupon.
    enum Status {
        /// Given out.
        Sent => "SENDED" | "SENT",
        /// Used.
        Used => "USED",
    }
}

#[derive(Debug, Deserialize)]
struct Stock {
    stock_id: String,
    status: Status,
    amount: Fen,
    #[serde(default)]
    description: Option<String>,
    #[serde(default, deserialize_with = "lenient::optional_count")]
    sent: Option<u64>,
    #[serde(default, with = "favor_core::time::rfc3339_option")]
    at: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::null_is_default")]
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    amount: Fen,
}

async fn fetch(body: &'static str) -> Result<Reply<Stock>, Error> {
    let world = World::playing([Play::ok(body).header("request-id", "r-0")]);
    world.client().fetch(&get()).await
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_unknown_values_kept() {
    let body = r#"{"stock_id":"1","status":"FROZEN","amount":500,"new_field":{"a":[1]},"rules":[{"amount":"7","x":1}]}"#;
    let stock = fetch(body).await.unwrap();
    assert_eq!(stock.status, Status::Unknown("FROZEN".into()));
    assert_eq!(stock.status.to_string(), "FROZEN");
    assert_eq!(serde_json::to_string(&stock.status).unwrap(), "\"FROZEN\"");
    assert_eq!(stock.rules[0].amount, Fen::new(7).unwrap());
    assert_eq!(stock.raw(), body, "what is not known is still reachable");
    assert_eq!(stock.request_id(), Some("r-0"));
    assert_eq!(stock.response().status, 200);
    assert_eq!(stock.into_value().stock_id, "1");
}

#[tokio::test]
async fn null_and_missing_are_the_same() {
    let missing = fetch(r#"{"stock_id":"1","status":"SENDED","amount":0}"#).await.unwrap();
    let nulls = r#"{"stock_id":"1","status":"SENT","amount":0,"description":null,"sent":null,"at":null,"rules":null}"#;
    let null = fetch(nulls).await.unwrap();
    for stock in [&missing, &null] {
        assert_eq!((&stock.status, stock.amount), (&Status::Sent, Fen::ZERO));
        assert!(
            stock.description.is_none()
                && stock.sent.is_none()
                && stock.at.is_none()
                && stock.rules.is_empty()
        );
    }
}

#[tokio::test]
async fn a_decode_failure_names_the_field_and_not_its_value() {
    let cases = [
        (
            r#"{"stock_id":"1","status":"SENDED","amount":"five"}"#,
            "amount < the value is of an unexpected form",
        ),
        (r#"{"stock_id":"1","status":"SENDED","amount":-5}"#, "amount < the value is of an unexpected form"),
        (
            r#"{"stock_id":"1","status":"SENDED","amount":5,"rules":[{"amount":1},{"amount":1.5}]}"#,
            "rules[1].amount < the value is of an unexpected form",
        ),
        (r#"{"stock_id":"1","status":7,"amount":5}"#, "status < the value is of an unexpected form"),
        (r#"{"status":"SENDED","amount":5}"#, ". < the value is of an unexpected form"),
        (
            r#"{"stock_id":"1","status":"SENDED","amount":5,"at":"yesterday"}"#,
            "at < the value is of an unexpected form",
        ),
        ("[]", ". < the value is of an unexpected form"),
        ("null", ". < the value is of an unexpected form"),
        ("<html>", ". < it is not JSON"),
        (r#"{"stock_id":"1","status":"SEN"#, "status < it ends too early"),
        (r#"{"stock_id":"1","status":"SENDED","amount":5} {}"#, "its end < it is not JSON"),
    ];
    for (body, expected) in cases {
        let error = fetch(body).await.unwrap_err();
        let (place, why) = expected.split_once(" < ").unwrap();
        let text = crate::world::chain(&error);
        let head = format!(
            "stock.get: the answer cannot be decoded at {place} (request id r-0) < {why} (line 1, column "
        );
        assert!(text.starts_with(&head), "{body}: {text}");
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Decode, Outcome::Unknown));
        assert_eq!(error.body().unwrap(), body);
        assert!(!error.is_retryable());
        for value in ["five", "yesterday", "html"] {
            assert!(!text.contains(value) && !format!("{error:?}").contains(value), "{text}");
        }
    }
}

#[tokio::test]
async fn an_empty_answer_where_one_is_needed_is_named() {
    for body in ["", " \r\n"] {
        assert_error(
            &fetch(body).await.unwrap_err(),
            ErrorKind::Decode,
            Outcome::Unknown,
            "stock.get: the answer has no body where one is needed (request id r-0)",
        );
    }
}

#[tokio::test]
async fn a_decode_failure_tells_how_many_attempts_were_made_and_makes_no_more() {
    let platform = Platform::by_public_key();
    let world = World::playing([
        Play::error(500, "SYSTEM_ERROR", ""),
        Play::signed(&platform, 200, r#"{"coupon_id":1}"#),
    ]);
    let error = world.client().fetch::<Stock>(&send()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Decode, 2), "{error}");
    assert_eq!(error.operation(), Some("coupon.send"));
}

#[tokio::test]
async fn only_verified_bytes_are_decoded() {
    let world = World::jumping();
    world.script.direct(|_| Play::unsigned(200, r#"{"stock_id":"1","status":"SENDED","amount":0}"#));
    let error = world.client().fetch::<Stock>(&get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Verification);
}

#[tokio::test]
async fn a_page_counts_in_pages() {
    let world =
        World::playing([Play::ok(r#"{"total_count":"21","offset":1,"limit":"10","data":[{"amount":1}]}"#)]);
    let page: Reply<Page<Rule>> = world.client().fetch(&get()).await.unwrap();
    assert_eq!((page.total_count, page.offset, page.limit, page.data.len()), (21, 1, 10, 1));
    assert_eq!(page.next(), Some(2));
}

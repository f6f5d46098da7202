//! Every fault the mirror can plan for a call of the card API, at every place, and what the client makes of it. There
//! are no numbers by which a repeat is known, so it is settled by looking first, and the coupon is redeemed once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use favor::core::{HttpRequest, HttpResponse, HttpTransport, Transport, TransportError};
use favor_card::*;
use favor_mirror::{FaultKind, FaultPlace, FaultRule, GzipHash, Mirror};
use futures_util::future::BoxFuture;

use super::desk::{Desk, base, builder, coupon};
use crate::strike::{AFTER_WORK, WHEREVER, is_silent};

const CONSUME: &str = "card.code_consume";
const GET: &str = "card.code_get";
/// What the client waits for an answer that will not come.
const SHORT: Duration = Duration::from_secs(1);
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(600);
const LARGEST_ANSWER: usize = 64 << 10;

/// The usual transport, which waits at length unless it is told that no answer will come.
#[derive(Clone, Debug)]
struct Temper {
    http: Arc<HttpTransport>,
    is_hasty: Arc<AtomicBool>,
}

impl Temper {
    fn new() -> Self {
        Self { http: Arc::new(HttpTransport::new().unwrap()), is_hasty: Arc::default() }
    }

    fn be_hasty(&self, is_hasty: bool) {
        self.is_hasty.store(is_hasty, Ordering::SeqCst);
    }
}

impl Transport for Temper {
    fn send(&self, mut request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        request.timeout = if self.is_hasty.load(Ordering::SeqCst) { SHORT } else { PATIENCE };
        self.http.send(request)
    }
}

/// What the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Done,
    Failed(ErrorKind, Outcome),
}
use Outcome::{NotSent, Refused, Unknown};
use Seen::{Done, Failed};

fn seen<T>(result: &Result<T, Error>) -> Seen {
    result.as_ref().map_or_else(|error| Failed(error.kind(), error.outcome()), |_| Done)
}

/// One fault, and what comes of a redemption, of a query, and of a redemption whose access token meets it.
#[derive(Clone, Debug)]
struct Row {
    kind: FaultKind,
    place: FaultPlace,
    delay: Duration,
    consume: Seen,
    get: Seen,
    token: Seen,
}

impl Row {
    fn rule(&self, operation: &str) -> FaultRule {
        FaultRule::new(self.kind.clone()).place(self.place).delay(self.delay).operation(operation)
    }

    fn is_silent(&self) -> bool {
        is_silent(&self.kind, self.delay, SHORT)
    }
}

/// Numbers of which a call is told as they are: one that says nothing about what was done, and refusals.
const NUMBERS: [(i64, Outcome); 5] =
    [(-1, Unknown), (45_009, Refused), (45_011, Refused), (48_001, Refused), (61_501, Refused)];
/// Numbers that make the client take another token and send the call once more.
const STALE: [i64; 4] = [40_001, 40_014, 42_001, 42_007];

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |kind: FaultKind, places: &[FaultPlace], seen: Seen| {
        // A call whose token cannot be had is not sent, whatever became of the token.
        let token = match seen {
            Failed(kind, _) => Failed(kind, NotSent),
            Done => Done,
        };
        rows.extend(places.iter().map(|place| Row {
            kind: kind.clone(),
            place: *place,
            delay: Duration::ZERO,
            consume: seen,
            get: seen,
            token,
        }));
    };
    for (errcode, outcome) in NUMBERS {
        add(FaultKind::ErrCode { errcode, message: None }, &WHEREVER, Failed(ErrorKind::Api, outcome));
    }
    add(FaultKind::RateLimited { retry_after: None }, &WHEREVER, Failed(ErrorKind::Api, Refused));
    for status in [400, 403, 404, 429, 500, 502, 503] {
        let kind = FaultKind::Status { status, code: String::new(), message: None };
        add(kind, &WHEREVER, Failed(ErrorKind::Status, Unknown));
    }
    let redirect = FaultKind::Redirect { status: 302, location: "https://evil.example/".to_owned() };
    for kind in [FaultKind::HtmlError, redirect] {
        add(kind, &WHEREVER, Failed(ErrorKind::Status, Unknown));
    }
    add(FaultKind::NotJson, &WHEREVER, Failed(ErrorKind::Decode, Unknown));
    for kind in [FaultKind::Cut, FaultKind::Reset] {
        add(kind, &WHEREVER, Failed(ErrorKind::Interrupted, Unknown));
    }
    add(FaultKind::Hang, &WHEREVER, Failed(ErrorKind::Timeout, Unknown));
    for kind in [FaultKind::TruncatedBody, FaultKind::CutAfter { bytes: 0 }, FaultKind::CutAfter { bytes: 7 }]
    {
        add(kind, &AFTER_WORK, Failed(ErrorKind::Interrupted, Unknown));
    }
    add(FaultKind::OversizedBody { bytes: 1 << 20 }, &AFTER_WORK, Failed(ErrorKind::TooLarge, Unknown));
    add(FaultKind::Slow { bytes_per_second: 1 }, &AFTER_WORK, Failed(ErrorKind::Timeout, Unknown));
    // It takes its time and arrives whole.
    add(FaultKind::Slow { bytes_per_second: 1 << 20 }, &AFTER_WORK, Done);
    // Another digit: nothing is signed here, so nobody can tell.
    add(FaultKind::CorruptBody, &AFTER_WORK, Done);
    for (errcode, place) in STALE.into_iter().flat_map(|errcode| WHEREVER.map(|place| (errcode, place))) {
        let refused = Failed(ErrorKind::Api, Refused);
        rows.push(Row {
            kind: FaultKind::ErrCode { errcode, message: None },
            place,
            delay: Duration::ZERO,
            // What is sent once more after the work finds the code redeemed.
            consume: if place == FaultPlace::AfterCommit { refused } else { Done },
            get: Done,
            // From the call for a token itself it is no news about a token.
            token: Failed(ErrorKind::Api, NotSent),
        });
    }
    for (delay, seen) in [(1, Done), (3_600_000, Failed(ErrorKind::Timeout, Unknown))] {
        let token = if seen == Done { Done } else { Failed(ErrorKind::Timeout, NotSent) };
        rows.extend(WHEREVER.map(|place| Row {
            kind: FaultKind::Delay,
            place,
            delay: Duration::from_millis(delay),
            consume: seen,
            get: seen,
            token,
        }));
    }
    rows
}

/// Faults that strike after an answer, and what the next call on the connection sees.
fn after_answer() -> [(FaultKind, ErrorKind); 3] {
    [
        (FaultKind::Cut, ErrorKind::Interrupted),
        (FaultKind::Reset, ErrorKind::Interrupted),
        (FaultKind::Hang, ErrorKind::Timeout),
    ]
}

/// Kinds that have nothing to strike here: signatures, links to flow files, deliveries.
fn of_others() -> Vec<FaultKind> {
    vec![
        FaultKind::CorruptSignature,
        FaultKind::MissingSignature { header: None },
        FaultKind::WrongSerial,
        FaultKind::Probe,
        FaultKind::WrongHash,
        FaultKind::LinkTo { url: "https://evil.example/file".to_owned() },
        FaultKind::ExpiredLink,
        FaultKind::Gzip { hash: GzipHash::Unpacked },
        FaultKind::Duplicate { copies: 2 },
        FaultKind::Hold { seconds: 1 },
    ]
}

fn new_client(desk: &Desk, temper: &Temper, kind: TokenKind) -> Client {
    let client = builder(&desk.mirror).transport(temper.clone()).largest_answer(LARGEST_ANSWER);
    client.clock(desk.clock.clone()).token_kind(kind).build().unwrap()
}

/// A desk, a card of which there is enough, and a client that has its token.
struct Till {
    desk: Desk,
    card_id: CardId,
    client: Client,
    temper: Temper,
}

impl Till {
    async fn open() -> Self {
        let desk = Desk::new().await;
        let mut card = coupon();
        card.base_info = base().get_limit(1_000).use_limit(1_000);
        card.base_info.sku = Sku::new(1_000);
        let card_id = desk.card(card).await;
        let temper = Temper::new();
        let client = new_client(&desk, &temper, TokenKind::Stable);
        client.access_token().await.unwrap();
        Self { desk, card_id, client, temper }
    }

    fn codes(&self, row: &Row) -> Codes {
        self.temper.be_hasty(row.is_silent());
        Codes::new(&self.client)
    }

    fn assert_struck(&self, row: &Row) {
        assert_eq!(self.desk.mirror.faults()[0].struck, 1, "{row:?}");
    }

    async fn status(&self, code: &Code) -> Option<CodeStatus> {
        let state = Codes::new(&self.desk.client).get(&GetCode::new(code.clone(), false)).await.unwrap();
        state.user_card_status.clone()
    }

    /// Looks, and redeems what is not redeemed yet, as a till does. Afterwards it can be done no more.
    async fn settle(&self, code: &Code) {
        self.desk.mirror.clear_faults();
        let codes = Codes::new(&self.desk.client);
        let redeem = async || codes.consume(&CodeRef::new(code.clone())).await.map_err(|error| error.code());
        let twice = Some(ErrCode::CodeConsumed);
        if self.status(code).await == Some(CodeStatus::Normal) {
            // A call whose client is gone may still be carried out in between.
            let first = redeem().await.map(drop);
            assert!(matches!(first, Ok(())) || first == Err(twice), "{first:?}");
        }
        assert_eq!(self.status(code).await, Some(CodeStatus::Consumed));
        assert_eq!(redeem().await.map(drop), Err(twice));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redemption_ends_as_the_table_says_and_happens_once() {
    let till = Till::open().await;
    for row in rows() {
        let code = till.desk.claim(&till.card_id).await;
        till.desk.mirror.plan(row.rule(CONSUME)).unwrap();
        let result = till.codes(&row).consume(&CodeRef::new(code.clone())).await;
        assert_eq!(seen(&result), row.consume, "{row:?}: {result:?}");
        till.assert_struck(&row);
        let is_planned = matches!(row.kind, FaultKind::ErrCode { .. } | FaultKind::RateLimited { .. });
        if let (true, Err(error)) = (is_planned, &result) {
            let expected = match &row.kind {
                FaultKind::ErrCode { errcode, .. } if !STALE.contains(errcode) => *errcode,
                FaultKind::ErrCode { .. } => ErrCode::CodeConsumed.number(),
                _ => ErrCode::DailyLimit.number(),
            };
            assert_eq!(error.code().map(ErrCode::number), Some(expected), "{row:?}");
        }
        let is_before = row.place != FaultPlace::AfterCommit && row.consume != Done;
        if is_before && !row.is_silent() {
            assert_eq!(till.status(&code).await, Some(CodeStatus::Normal), "{row:?}: nothing was done");
        } else if !row.is_silent() {
            assert_eq!(till.status(&code).await, Some(CodeStatus::Consumed), "{row:?}: the work was done");
        }
        till.settle(&code).await;
    }
    let events = till.desk.mirror.cards().events(10_000).await.unwrap();
    let told = events.iter().filter(|event| event.event == "user_consume_card").count();
    assert_eq!(told, rows().len(), "each coupon once");
    let audit = till.desk.mirror.audit().await;
    assert!(audit.ok, "{:?}", audit.findings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_ends_as_the_table_says_and_can_be_repeated() {
    let till = Till::open().await;
    let code = till.desk.claim(&till.card_id).await;
    for row in rows() {
        till.desk.mirror.plan(row.rule(GET)).unwrap();
        let result = till.codes(&row).get(&GetCode::new(code.clone(), true)).await;
        assert_eq!(seen(&result), row.get, "{row:?}: {result:?}");
        till.assert_struck(&row);
        till.desk.mirror.clear_faults();
        assert_eq!(till.status(&code).await, Some(CodeStatus::Normal), "{row:?}");
    }
    till.settle(&code).await;
}

/// A client without a token redeems: where it gets none, nothing was sent, and the next call gets one.
async fn without_a_token(kind: TokenKind, operation: &str) {
    let till = Till::open().await;
    for row in rows() {
        let code = till.desk.claim(&till.card_id).await;
        till.temper.be_hasty(row.is_silent());
        let codes = Codes::new(&new_client(&till.desk, &till.temper, kind));
        let calls = till.desk.asked(CONSUME);
        till.desk.mirror.plan(row.rule(operation)).unwrap();
        let result = codes.consume(&CodeRef::new(code.clone())).await;
        assert_eq!(seen(&result), row.token, "{row:?}: {result:?}");
        till.assert_struck(&row);
        till.desk.mirror.clear_faults();
        if let Err(error) = &result {
            assert_eq!(till.desk.asked(CONSUME), calls, "{row:?}");
            assert_eq!(till.status(&code).await, Some(CodeStatus::Normal), "{row:?}");
            let of_token = error.endpoint().map(|endpoint| endpoint.path);
            assert!(of_token.is_some_and(|path| path.ends_with("token")), "{of_token:?}");
            // For a second after a failure nobody asks again.
            till.desk.clock.advance(Duration::from_secs(2));
            till.temper.be_hasty(false);
            codes.consume(&CodeRef::new(code.clone())).await.unwrap();
        }
        till.settle(&code).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_without_a_stable_token() {
    without_a_token(TokenKind::Stable, "card.stable_token").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_without_a_basic_token() {
    without_a_token(TokenKind::Basic, "card.token").await;
}

/// The connection dies after an answer, unseen until the next call is on it. That call is in doubt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_answer_the_next_call_is_in_doubt() {
    let till = Till::open().await;
    for (kind, expected) in after_answer() {
        let is_silent = kind == FaultKind::Hang;
        till.temper.be_hasty(false);
        let rule = FaultRule::new(kind).place(FaultPlace::AfterAnswer).operation(GET);
        let codes = Codes::new(&till.client);
        let code = till.desk.claim(&till.card_id).await;
        till.desk.mirror.plan(rule.clone()).unwrap();
        let mut turns = 0;
        loop {
            let answer = codes.get(&GetCode::new(code.clone(), true)).await;
            if let Err(error) = answer {
                assert_eq!(Failed(error.kind(), error.outcome()), Failed(expected, Unknown), "{rule:?}");
                break;
            }
            assert_eq!(till.desk.mirror.faults()[0].struck, 1, "{rule:?}");
            till.temper.be_hasty(is_silent);
            // The pool may take another connection first; the dead one is in it until a call meets it.
            turns += 1;
            assert!(turns < 100, "no call met the dead connection of {rule:?}");
        }
        assert!(turns > 0, "the answer itself arrives");
        till.settle(&code).await;
    }
}

/// A kind or a place that no test above strikes must not come unseen.
#[tokio::test]
async fn the_tables_leave_no_kind_and_no_place_out() {
    let rows = rows();
    let mut covered: BTreeSet<(&str, &str)> =
        rows.iter().map(|row| (row.kind.name(), row.place.name())).collect();
    let after = after_answer();
    covered.extend(after.iter().map(|(kind, _)| (kind.name(), FaultPlace::AfterAnswer.name())));
    let others = of_others();
    for name in FaultKind::NAMES {
        let is_of_others = others.iter().any(|kind| kind.name() == *name);
        let is_struck = covered.iter().any(|(kind, _)| kind == name);
        assert!(is_struck != is_of_others, "{name} is in no table, or in two");
    }
    // Whatever rule the mirror takes for these calls is in a table.
    let mirror = Mirror::builder().start().await.unwrap();
    let kinds = rows.iter().map(|row| &row.kind).chain(&others);
    for (kind, place) in kinds.flat_map(|kind| FaultPlace::ALL.map(|place| (kind, place))) {
        let delay = if *kind == FaultKind::Delay { Duration::from_millis(1) } else { Duration::ZERO };
        for operation in [CONSUME, GET, "card.stable_token", "card.token"] {
            let rule = FaultRule::new(kind.clone()).place(place).delay(delay).operation(operation);
            if mirror.plan(rule).is_ok() {
                let pair = (kind.name(), place.name());
                assert!(
                    covered.contains(&pair),
                    "{pair:?} is taken for {operation}, and no test strikes with it"
                );
            }
        }
    }
}

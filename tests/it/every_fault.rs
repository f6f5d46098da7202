//! Every fault the mirror can plan, at every place, and what the client makes of it. Whatever happened, the same
//! number settles it, and there is one coupon.

use std::collections::BTreeSet;
use std::time::Duration;

use favor::core::CallOptions;
use favor::prelude::*;
use favor::stock::{DownloadOptions, FlowError};
use favor_mirror::{FaultKind, FaultPlace, FaultRule, GzipHash, Mirror, Redeem};

use crate::harness::{World, openid, quick};
use crate::strike::{AFTER_WORK, WHEREVER, is_silent};

const SEND: &str = "coupon.send";
const READ: &str = "stock.get";
const LINK: &str = "stock.use_flow";
const FILE: &str = "stock.flow_file";
/// What the client waits for an answer that will not come.
const SHORT: Duration = Duration::from_millis(600);
/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const LARGEST_ANSWER: usize = 64 << 10;
/// Kinds that strike the mirror's own deliveries and never a client's call.
const OF_DELIVERIES: [&str; 2] = ["duplicate", "hold"];
/// The kind that strikes calls of the card API alone, which have tables of their own.
const OF_CARDS: &str = "errcode";

/// What the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Done,
    NotSent,
    Refused,
    Unknown,
    /// The flow file is not what was announced, and nothing of it was kept.
    NotTheFile,
}
use Seen::{Done, NotSent, NotTheFile, Refused, Unknown};

impl From<&Error> for Seen {
    fn from(error: &Error) -> Self {
        match error.outcome() {
            Outcome::NotSent => NotSent,
            Outcome::Refused => Refused,
            Outcome::Unknown => Unknown,
        }
    }
}

fn seen<T>(result: &Result<T, Error>) -> Seen {
    result.as_ref().map_or_else(Seen::from, |_| Done)
}

fn seen_of_file<T>(result: &Result<T, FlowError>) -> Seen {
    match result {
        Ok(_) => Done,
        Err(FlowError::Api(error)) => error.into(),
        Err(FlowError::Hash { .. } | FlowError::Gzip(_)) => NotTheFile,
        Err(other) => panic!("{other:?}"),
    }
}

/// One fault, and what comes of a call of one attempt and of three.
#[derive(Clone, Debug)]
struct Row {
    kind: FaultKind,
    place: FaultPlace,
    delay: Duration,
    once: Seen,
    thrice: Seen,
}

impl Row {
    fn rule(&self, operation: &str) -> FaultRule {
        FaultRule::new(self.kind.clone()).place(self.place).delay(self.delay).operation(operation)
    }

    fn is_silent(&self) -> bool {
        is_silent(&self.kind, self.delay, SHORT)
    }
}

/// Status, code, and whether the client may try again by itself.
const DOCUMENTED: [(u16, &str, bool); 17] = [
    (400, "PARAM_ERROR", false),
    (400, "INVALID_REQUEST", false),
    (400, "MCH_NOT_EXISTS", false),
    (400, "APPID_MCHID_NOT_MATCH", false),
    (400, "DUPREQUEST", false),
    (401, "SIGN_ERROR", false),
    (403, "NO_AUTH", false),
    (403, "REQUEST_BLOCKED", false),
    (403, "NOT_ENOUGH", false),
    (403, "USER_ACCOUNT_ABNORMAL", false),
    (403, "RULE_LIMIT", false),
    (404, "RESOURCE_NOT_EXISTS", false),
    (404, "NOT_FOUND", false),
    (429, "FREQUENCY_LIMIT_EXCEED", true),
    (500, "SYSTEM_ERROR", true),
    (502, "SERVICE_UNAVAILABLE", true),
    (503, "SERVICE_UNAVAILABLE", true),
];

/// Faults of any signed call.
fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |kind: FaultKind, places: &[FaultPlace], once: Seen, thrice: Seen| {
        let row = |place: &FaultPlace| Row {
            kind: kind.clone(),
            place: *place,
            delay: Duration::ZERO,
            once,
            thrice,
        };
        rows.extend(places.iter().map(row));
    };
    for (status, code, again) in DOCUMENTED {
        let kind = FaultKind::Status { status, code: code.into(), message: None };
        let once = if status < 500 { Refused } else { Unknown };
        add(kind, &WHEREVER, once, if again { Done } else { once });
    }
    for retry_after in [None, Some(0)] {
        add(FaultKind::RateLimited { retry_after }, &WHEREVER, Refused, Done);
    }
    for kind in [FaultKind::Cut, FaultKind::Reset, FaultKind::Hang, FaultKind::HtmlError] {
        add(kind, &WHEREVER, Unknown, Done);
    }
    for status in [301, 302, 307] {
        let location = "https://evil.example/".to_owned();
        add(FaultKind::Redirect { status, location }, &WHEREVER, Unknown, Unknown);
    }
    for header in ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Wechatpay-Serial"] {
        add(FaultKind::MissingSignature { header: Some(header.into()) }, &AFTER_WORK, Unknown, Done);
    }
    for kind in [
        FaultKind::TruncatedBody,
        FaultKind::CorruptSignature,
        FaultKind::MissingSignature { header: None },
        FaultKind::WrongSerial,
        FaultKind::Probe,
        FaultKind::CorruptBody,
        FaultKind::CutAfter { bytes: 0 },
        FaultKind::CutAfter { bytes: 7 },
        FaultKind::Slow { bytes_per_second: 1 },
    ] {
        add(kind, &AFTER_WORK, Unknown, Done);
    }
    // It takes its time and arrives whole.
    add(FaultKind::Slow { bytes_per_second: 1 << 20 }, &AFTER_WORK, Done, Done);
    // Unsigned it may be anybody's; signed it would come the same way again, as would one that is too large.
    add(FaultKind::NotJson, &[FaultPlace::BeforeVerify], Unknown, Done);
    add(FaultKind::NotJson, &[FaultPlace::BeforeCommit, FaultPlace::AfterCommit], Unknown, Unknown);
    add(FaultKind::OversizedBody { bytes: 1 << 20 }, &AFTER_WORK, Unknown, Unknown);

    let delayed = |delay: u64, once: Seen| {
        WHEREVER.map(|place| Row {
            kind: FaultKind::Delay,
            place,
            delay: Duration::from_millis(delay),
            once,
            thrice: Done,
        })
    };
    rows.extend(delayed(1, Done));
    rows.extend(delayed(3_600_000, Unknown));
    rows
}

/// Faults that strike only links to flow files and the files.
fn flow_rows() -> Vec<(&'static str, FaultKind, Seen)> {
    let to = |url: &str| FaultKind::LinkTo { url: url.into() };
    vec![
        (LINK, FaultKind::WrongHash, NotTheFile),
        (LINK, to("https://evil.example/file"), NotSent),
        (LINK, to("download://example.csv"), Unknown),
        (LINK, FaultKind::ExpiredLink, Refused),
        (FILE, FaultKind::ExpiredLink, Refused),
        (LINK, FaultKind::Gzip { hash: GzipHash::Packed }, Done),
        (LINK, FaultKind::Gzip { hash: GzipHash::Unpacked }, Done),
        (FILE, FaultKind::Gzip { hash: GzipHash::Unpacked }, Done),
    ]
}

/// What a fault of any signed call means for a link, whose answer may be unsigned.
fn of_link(row: &Row) -> Seen {
    if row.kind == (FaultKind::MissingSignature { header: None }) { Done } else { row.once }
}

/// And for a file, which is never signed and is what its hash says.
fn of_file(row: &Row) -> Seen {
    match row.kind {
        FaultKind::CorruptSignature
        | FaultKind::MissingSignature { .. }
        | FaultKind::WrongSerial
        | FaultKind::Probe => Done,
        FaultKind::CorruptBody | FaultKind::OversizedBody { .. } | FaultKind::NotJson => NotTheFile,
        _ => row.once,
    }
}

async fn world() -> World {
    World::with(Mirror::builder(), |client| client.retry(quick(1)).largest_answer(LARGEST_ANSWER)).await
}

/// The client with so many attempts, and little patience where an answer may never come.
fn client(world: &World, row: &Row, attempts: u32) -> Client {
    let mut options: CallOptions = world.client.options().clone();
    options.retry = quick(attempts);
    if row.is_silent() {
        options.attempt_timeout = SHORT;
    }
    world.client.with(options)
}

/// Repeats a send until it is settled, as money code does, and checks that there is one coupon for it.
async fn settle(world: &World, stock_id: &StockId, number: &str, coupons: u64) {
    world.mirror.clear_faults();
    let send = async || {
        let request = world.send_request(stock_id, number);
        world.coupons.send(&openid(&format!("o-{number}")), &request).await.unwrap().coupon_id.clone()
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first, second);
    let audit = world.mirror.audit().await;
    assert!(audit.ok, "{number}: {:?}", audit.findings);
    assert_eq!(u64::try_from(audit.stocks[0].coupons).unwrap(), coupons, "{number}");
}

#[tokio::test]
async fn a_send_ends_as_the_table_says_and_gives_one_coupon() {
    let world = world().await;
    let stock_id = world.running(&world.stock_request(100_000, 5, "table")).await;
    let mut coupons = 0;
    for (at, row) in rows().iter().enumerate() {
        for (attempts, expected) in [(1, row.once), (3, row.thrice)] {
            let number = format!("n{at}-{attempts}");
            let request = world.send_request(&stock_id, &number);
            let of_row = Coupons::new(&client(&world, row, attempts));
            world.mirror.plan(row.rule(SEND)).unwrap();
            let result = of_row.send(&openid(&format!("o-{number}")), &request).await;
            assert_eq!(seen(&result), expected, "{attempts} attempts, {row:?}: {result:?}");
            if let Err(error) = &result {
                assert!(!error.is_retryable() || attempts == 1, "{row:?}: a repeat was left out");
                let of_rule = matches!(&row.kind, FaultKind::RateLimited { retry_after: Some(_) });
                let retry_after = error.api().and_then(favor::core::ApiError::retry_after);
                assert_eq!(retry_after.is_some(), of_rule, "{row:?}");
            }
            assert_eq!(world.mirror.faults()[0].struck, 1, "{row:?}");
            let given = async || u64::try_from(world.mirror.audit().await.stocks[0].coupons).unwrap();
            let is_given = expected == Done || row.place == FaultPlace::AfterCommit;
            if is_given {
                // A client without patience may be gone before the work is done.
                let done = async {
                    while given().await == coupons {
                        tokio::task::yield_now().await;
                    }
                };
                tokio::time::timeout(PATIENCE, done).await.expect("it comes after the work");
            }
            assert_eq!(given().await, coupons + u64::from(is_given), "{row:?}");
            coupons += 1;
            settle(&world, &stock_id, &number, coupons).await;
        }
    }
}

#[tokio::test]
async fn a_read_ends_as_the_table_says() {
    let world = world().await;
    let stock_id = world.running(&world.stock_request(10, 5, "read")).await;
    for row in rows() {
        for (attempts, expected) in [(1, row.once), (3, row.thrice)] {
            world.mirror.plan(row.rule(READ)).unwrap();
            let result = Stocks::new(&client(&world, &row, attempts)).get(&stock_id).await;
            assert_eq!(seen(&result), expected, "{attempts} attempts, {row:?}: {result:?}");
            world.mirror.clear_faults();
            world.stocks.get(&stock_id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_flow_file_arrives_whole_or_not_at_all() {
    let world = world().await;
    let stock_id = world.running(&world.stock_request(10, 5, "flow")).await;
    let sent = world.coupons.send(&openid("oFlow"), &world.send_request(&stock_id, "n")).await.unwrap();
    world.mirror.redeem(sent.coupon_id.as_str(), Redeem::default()).await.unwrap();
    world.mirror.advance(Duration::from_secs(32 * 86_400)).await.unwrap();

    let mut cases: Vec<(&str, Row, Seen)> = Vec::new();
    for row in rows() {
        cases.push((LINK, row.clone(), of_link(&row)));
        let of_file = of_file(&row);
        cases.push((FILE, row, of_file));
    }
    for (operation, kind, once) in flow_rows() {
        let row = Row { kind, place: FaultPlace::AfterCommit, delay: Duration::ZERO, once, thrice: Done };
        cases.push((operation, row, once));
    }
    for (operation, row, expected) in cases {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("use.csv");
        let flow = Stocks::new(&client(&world, &row, 1)).use_flow(&stock_id);
        world.mirror.plan(row.rule(operation)).unwrap();
        let result = flow.download_with(&to, &DownloadOptions::default().attempts(1)).await;
        assert_eq!(seen_of_file(&result), expected, "{operation} {row:?}: {result:?}");
        assert_eq!(world.mirror.faults()[0].struck, 1, "{operation} {row:?}");
        world.mirror.clear_faults();
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, usize::from(expected == Done), "{operation} {row:?}");
        let options = DownloadOptions::default().replace(true);
        world.stocks.use_flow(&stock_id).download_with(&to, &options).await.unwrap();
    }
}

/// The connection dies after an answer, unseen until the next call is on it. That call is in doubt.
#[tokio::test]
async fn after_an_answer_the_next_call_is_in_doubt_and_a_repeat_settles_it() {
    let mut coupons = 0;
    let world = world().await;
    let stock_id = world.running(&world.stock_request(1_000, 5, "after")).await;
    for kind in [FaultKind::Cut, FaultKind::Reset, FaultKind::Hang] {
        let row =
            Row { kind, place: FaultPlace::AfterAnswer, delay: Duration::ZERO, once: Done, thrice: Done };
        for attempts in [1, 3] {
            world.mirror.plan(row.rule("*")).unwrap();
            world.stocks.get(&stock_id).await.expect("the answer itself arrives");
            assert_eq!(world.mirror.faults()[0].struck, 1);
            let of_row = Coupons::new(&client(&world, &row, attempts));
            let before = world.attempts_at(SEND);
            // The pool may take another connection first; the dead one is in it until a call meets it.
            for turn in 0.. {
                let number = format!("{}-{attempts}-{turn}", row.kind.name());
                let request = world.send_request(&stock_id, &number);
                let result = of_row.send(&openid(&format!("o-{number}")), &request).await;
                let tried = world.attempts_at(SEND) - before - turn;
                let in_doubt = result.is_err() || tried > 1;
                if in_doubt {
                    let expected = if attempts == 1 { Unknown } else { Done };
                    assert_eq!(seen(&result), expected, "{row:?}: {result:?}");
                }
                coupons += 1;
                settle(&world, &stock_id, &number, coupons).await;
                if in_doubt {
                    break;
                }
                assert!(turn < 100, "no call met the dead connection of {row:?}");
            }
        }
    }
}

/// A kind or a place that no test above strikes must not come unseen.
#[tokio::test]
async fn the_tables_leave_no_kind_and_no_place_out() {
    let mut kinds: Vec<(FaultKind, FaultPlace)> =
        rows().into_iter().map(|row| (row.kind, row.place)).collect();
    kinds.extend(flow_rows().into_iter().map(|(_, kind, _)| (kind, FaultPlace::AfterCommit)));
    for kind in [FaultKind::Cut, FaultKind::Reset, FaultKind::Hang] {
        kinds.push((kind, FaultPlace::AfterAnswer));
    }
    let covered: BTreeSet<(&str, &str)> =
        kinds.iter().map(|(kind, place)| (kind.name(), place.name())).collect();
    let is_of_others = |name: &str| OF_DELIVERIES.contains(&name) || name == OF_CARDS;
    for name in FaultKind::NAMES.iter().filter(|name| !is_of_others(name)) {
        assert!(covered.iter().any(|(kind, _)| kind == name), "no test strikes with {name}");
    }
    // Whatever rule the mirror takes is in a table.
    let mirror = Mirror::builder().start().await.unwrap();
    for (kind, place) in kinds.iter().flat_map(|(kind, _)| FaultPlace::ALL.map(|place| (kind, place))) {
        let delay = if *kind == FaultKind::Delay { Duration::from_millis(1) } else { Duration::ZERO };
        let rule = FaultRule::new(kind.clone()).place(place).delay(delay);
        if mirror.plan(rule).is_ok() {
            assert!(covered.contains(&(kind.name(), place.name())), "{} at {}", kind.name(), place.name());
        }
    }
    // The card API has numbers in place of codes, and a client of its own.
    let rules = Mirror::rules().filter(|rule| !rule.id.starts_with("card."));
    let codes: BTreeSet<&str> = rules.map(|rule| rule.code).collect();
    // A gateway's refusal has no code.
    for code in codes.into_iter().filter(|code| !code.is_empty()) {
        assert!(DOCUMENTED.iter().any(|(_, known, _)| *known == code), "no test strikes with {code}");
    }
}

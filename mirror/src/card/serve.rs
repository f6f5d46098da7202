//! The way of every call of the card API: faults, token, the call itself, log.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{Method, Version};
use rusqlite::Connection;
use serde_json::{Map, Value};

use super::ask::{Ask, Failed, Told, ensure, errmsg};
use super::body::Body;
use super::endpoint::{self, Endpoint, Way};
use super::{pictures, qr_picture, redact, tokens};
use crate::answer::Answer;
use crate::exchange::{dress, finish, send_off, strike};
use crate::fault::{self, FaultPlace, Subject};
use crate::ledger::{LedgerError, all_or_nothing};
use crate::moment::Moment;
use crate::outgoing::{Delivery, Outgoing};
use crate::request_body;
use crate::request_log::{Recording, Verdict};
use crate::rules::card::{
    BUSY, CHARSET, CREDENTIAL, EMPTY_POST, EXPIRED, FORMAT, GET_WANTED, NO_TOKEN, POST_WANTED, TOKEN, URL,
};
use crate::rules::{Refusal, Rule};
use crate::state::App;
use crate::wire_copy::WireCopy;

/// Most levels of a body.
const DEEPEST: usize = 100;
/// The name by which faults know what is no call.
const UNKNOWN: &str = "card.unknown";

/// A call with its body.
struct Incoming {
    parts: Parts,
    query: HashMap<String, String>,
    body: Bytes,
}

impl Incoming {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

/// Every path of the card API.
pub(crate) async fn serve(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = redact::target(parts.uri.path_and_query().map_or("/", |target| target.as_str()));
    let mut recording = Recording::begin(&app.log, app.clocks.wire_now(), parts.method.as_str(), &target);
    let is_http1 = parts.version <= Version::HTTP_11;
    let endpoint = endpoint::find(parts.uri.path());
    let name = endpoint.map_or(UNKNOWN, |endpoint| endpoint.name);
    recording.entry().operation = endpoint.map(|endpoint| endpoint.name);
    let received = WireCopy::of_headers(&parts.headers);
    let read = request_body::read(&parts.headers, body, app.settings.request_timeout).await;
    let outgoing = match read {
        Ok(body) => {
            let shown = if redact::hides_body(parts.uri.path()) { Bytes::new() } else { body.clone() };
            recording.entry().received = received.with_body(&shown);
            let query = Query::try_from_uri(&parts.uri).map(|Query(query)| query).unwrap_or_default();
            respond(&app, &mut recording, endpoint, Incoming { parts, query, body }).await
        }
        Err(rule) => {
            recording.entry().received = received;
            finish(&app, &mut recording, &Refusal::from(rule).into(), None)
        }
    };
    send_off(&app, recording, outgoing, Subject { operation: name, openid: None }, is_http1).await
}

async fn respond(
    app: &App,
    recording: &mut Recording,
    endpoint: Option<&'static Endpoint>,
    incoming: Incoming,
) -> Outgoing {
    let subject = Subject { operation: endpoint.map_or(UNKNOWN, |endpoint| endpoint.name), openid: None };
    if let Some(outgoing) = struck_down(app, recording, FaultPlace::BeforeVerify, subject).await {
        return outgoing;
    }
    // Who is refused at the door is refused by the work, which looks again.
    if app.faults.awaits(FaultPlace::BeforeCommit, subject)
        && is_admitted(app, endpoint, &incoming).await
        && let Some(outgoing) = struck_down(app, recording, FaultPlace::BeforeCommit, subject).await
    {
        return outgoing;
    }
    let picture = endpoint
        .filter(|endpoint| matches!(endpoint.way, Way::Picture) && endpoint.method == incoming.parts.method);
    let answer = if picture.is_some() {
        qr_picture::answer(app, incoming.parameter("ticket").map(str::to_owned)).await
    } else {
        let (appid, told) = work(app, endpoint, incoming).await;
        recording.entry().mchid = appid
            .as_deref()
            .and_then(|appid| app.merchants().owner_of(appid).map(|owner| owner.mchid().to_owned()));
        answer(told)
    };
    if let Some(rule) = answer.rule {
        let stale = [&TOKEN, &CREDENTIAL, &EXPIRED, &NO_TOKEN].iter().any(|known| known.id == rule.id);
        recording.judge(match () {
            () if rule.id == BUSY.id => Verdict::Failed,
            () if stale => Verdict::Unauthenticated,
            () => Verdict::Refused,
        });
    }
    recording.answer(&answer);
    match strike(app, recording, FaultPlace::AfterCommit, subject).await {
        Some(rule) => {
            let answer = fault::alter_reply(&rule, answer);
            recording.entry().code.clone_from(&answer.code);
            let mut outgoing = dress(app, &answer, None);
            qr_picture::label(picture.is_some(), &mut outgoing);
            fault::alter_response(&rule, &mut outgoing);
            outgoing
        }
        None => {
            let mut outgoing = dress(app, &answer, None);
            qr_picture::label(picture.is_some(), &mut outgoing);
            debug_assert_eq!(outgoing.delivery, Delivery::Whole, "nothing has spoiled it");
            outgoing
        }
    }
}

/// What a fault before the work answers in its place.
async fn struck_down(
    app: &App,
    recording: &mut Recording,
    place: FaultPlace,
    subject: Subject<'_>,
) -> Option<Outgoing> {
    let rule = strike(app, recording, place, subject).await?;
    let answer = fault::instead_of_call(&rule)?;
    let mut outgoing = finish(app, recording, &answer, None);
    fault::alter_response(&rule, &mut outgoing);
    Some(outgoing)
}

/// Whether the call is one, and says who calls: the work comes next.
async fn is_admitted(app: &App, endpoint: Option<&'static Endpoint>, incoming: &Incoming) -> bool {
    let Some(endpoint) = endpoint.filter(|endpoint| endpoint.method == incoming.parts.method) else {
        return false;
    };
    match endpoint.way {
        Way::Token => owner_by_query(app, incoming).is_ok(),
        Way::StableToken => owner_by_body(app, &incoming.body).is_ok(),
        Way::Picture => true,
        Way::Ticket | Way::Upload | Way::Read(_) | Way::Write(_) | Way::Action(_) => {
            let (token, now) = (incoming.parameter("access_token").map(str::to_owned), app.clocks.now());
            let checked = app.ledger.read(move |db| Ok(tokens::check(db, token.as_deref(), now).is_ok()));
            checked.await.unwrap_or(false)
        }
    }
}

/// The account that a query with appid and secret is of.
fn owner_by_query(app: &App, incoming: &Incoming) -> Result<String, Failed> {
    let given = ["grant_type", "appid", "secret"].map(|name| incoming.parameter(name));
    tokens::credentials(&app.merchants(), (given[0], given[1], given[2]))
}

/// The account that a body with appid and secret is of, and the body.
fn owner_by_body(app: &App, body: &Bytes) -> Result<(String, Map<String, Value>), Failed> {
    let body = object(body)?;
    let text = |key: &str| Body(&body).text(key, usize::MAX);
    let given = (text("grant_type")?, text("appid")?, text("secret")?);
    let appid = tokens::credentials(&app.merchants(), given)?;
    Ok((appid, body))
}

/// What the call comes to, and whose it is.
async fn work(
    app: &App,
    endpoint: Option<&'static Endpoint>,
    incoming: Incoming,
) -> (Option<String>, Result<Told, LedgerError>) {
    let now = app.clocks.now();
    let Some(endpoint) = endpoint else { return (None, Ok(Err((&URL).into()))) };
    if incoming.parts.method != endpoint.method {
        let wanted = if endpoint.method == Method::GET { &GET_WANTED } else { &POST_WANTED };
        return (None, Ok(Err(wanted.into())));
    }
    let token = incoming.parameter("access_token").map(str::to_owned);
    match endpoint.way {
        Way::Token => match owner_by_query(app, &incoming) {
            Ok(appid) => own(app, appid, move |db, appid| tokens::plain(db, appid, now)).await,
            Err(failed) => (None, Ok(Err(failed))),
        },
        Way::StableToken => match owner_by_body(app, &incoming.body) {
            Ok((appid, body)) => {
                own(app, appid, move |db, appid| tokens::stable(db, appid, &body, now)).await
            }
            Err(failed) => (None, Ok(Err(failed))),
        },
        Way::Ticket => {
            let kind = incoming.parameter("type").map(str::to_owned);
            called(app, token, now, true, move |db, appid| tokens::ticket(db, appid, kind.as_deref(), now))
                .await
        }
        Way::Upload => {
            let content_type = incoming.parts.headers.get(http::header::CONTENT_TYPE);
            let content_type =
                content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            let temporary = endpoint.path == "/cgi-bin/media/upload";
            let body = incoming.body;
            let keep = move |db: &Connection, appid: &str| {
                pictures::upload(db, appid, &content_type, &body, temporary, now)
            };
            called(app, token, now, true, keep).await
        }
        // Its answer is made before.
        Way::Picture => (None, Ok(Err((&URL).into()))),
        Way::Read(handler) => json_call(app, token, incoming, false, move |ask, _| handler(ask)).await,
        Way::Write(handler) => json_call(app, token, incoming, true, move |ask, _| handler(ask)).await,
        Way::Action(handler) => json_call(app, token, incoming, true, handler).await,
    }
}

/// A call with a JSON object, or a GET, which has none; the work also gets the `action` of the query.
async fn json_call(
    app: &App,
    token: Option<String>,
    incoming: Incoming,
    writes: bool,
    work: impl FnOnce(&Ask<'_>, Option<&str>) -> Told + Send + 'static,
) -> (Option<String>, Result<Told, LedgerError>) {
    let now = app.clocks.now();
    let gets = incoming.parts.method == Method::GET;
    let call = move |db: &Connection, appid: &str| {
        let body = if gets { Map::new() } else { object(&incoming.body)? };
        work(&Ask { db, appid, now, body: Body(&body) }, incoming.parameter("action"))
    };
    let done = called(app, token, now, writes, call).await;
    if writes {
        // An event may be due now, or a review later.
        app.timeline.changed();
    }
    done
}

/// Work for an account that has said who it is.
async fn own(
    app: &App,
    appid: String,
    work: impl FnOnce(&Connection, &str) -> Told + Send + 'static,
) -> (Option<String>, Result<Told, LedgerError>) {
    let name = appid.clone();
    let told = app.ledger.write(move |db| settled(all_or_nothing(db, |db| work(db, &appid))));
    (Some(name), told.await)
}

/// Work for the account that a token is for. The token is looked at in the same transaction.
async fn called(
    app: &App,
    token: Option<String>,
    now: Moment,
    writes: bool,
    work: impl FnOnce(&Connection, &str) -> Told + Send + 'static,
) -> (Option<String>, Result<Told, LedgerError>) {
    let job = move |db: &Connection| {
        let appid = match tokens::check(db, token.as_deref(), now) {
            Ok(appid) => appid,
            Err(Failed::Store(error)) => return Err(error),
            Err(failed) => return Ok((None, Err(failed))),
        };
        let told = if writes {
            settled(all_or_nothing(db, |db| work(db, &appid)))?
        } else {
            settled(Ok(work(db, &appid)))?
        };
        Ok((Some(appid), told))
    };
    let done = if writes { app.ledger.write(job).await } else { app.ledger.read(job).await };
    match done {
        Ok((appid, told)) => (appid, Ok(told)),
        Err(error) => (None, Err(error)),
    }
}

/// A store that failed is no refusal.
fn settled(told: rusqlite::Result<Told>) -> rusqlite::Result<Told> {
    match told? {
        Err(Failed::Store(error)) => Err(error),
        told => Ok(told),
    }
}

/// The JSON object of a body.
fn object(body: &Bytes) -> Result<Map<String, Value>, Failed> {
    if body.is_empty() {
        return Err((&EMPTY_POST).into());
    }
    ensure(!is_escaped(body), &CHARSET)?;
    let refuse =
        |reason: String| Refusal::from(&FORMAT).with_message(format!("{}: {reason}", FORMAT.message));
    let object: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| refuse(error.to_string()))?;
    // What is kept lies some levels deeper, and is read again.
    if object.values().any(|value| depth(value) >= DEEPEST) {
        return Err(refuse(format!("more than {DEEPEST} levels")).into());
    }
    Ok(object)
}

/// Levels of lists and objects; the parser has bounded them.
fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(list) => list.iter().map(depth).max(),
        Value::Object(object) => object.values().map(depth).max(),
        _ => return 0,
    };
    deepest.unwrap_or(0) + 1
}

/// Whether there is a character beyond ASCII written as `\uXXXX`.
fn is_escaped(body: &[u8]) -> bool {
    let mut rest = body;
    while let Some(place) = rest.iter().position(|byte| *byte == b'\\') {
        let after = &rest[place + 1..];
        let digits = after.get(1..5).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if after.first() == Some(&b'u') && code.is_some_and(|code| code > 0x7F) {
            return true;
        }
        rest = after.get(1..).unwrap_or_default();
    }
    false
}

/// HTTP 200 in any case.
fn answer(told: Result<Told, LedgerError>) -> Answer {
    let (refusal, note) = match told {
        Ok(Ok(told)) => {
            // As the vendor does it: tokens and statistics come without an errcode.
            let bare = ["access_token", "list", "media_id"].iter().any(|key| told.contains_key(*key));
            let mut body = Map::new();
            if !bare {
                body.insert("errcode".to_owned(), 0.into());
                body.insert("errmsg".to_owned(), "ok".into());
            }
            body.extend(told);
            return Answer::ok(&body);
        }
        Ok(Err(Failed::Refused(refusal))) => {
            let rule = refusal.rule.note();
            // What a refusal knows beyond its rule is for the log alone.
            let note = match refusal.detail.as_deref() {
                Some(Value::String(detail)) => format!("{detail}; {rule}"),
                _ => rule,
            };
            (refusal, note)
        }
        Ok(Err(Failed::Store(error))) => (Refusal::from(&BUSY), error.to_string()),
        Err(error) => (Refusal::from(&BUSY), error.to_string()),
    };
    let rule: &'static Rule = refusal.rule;
    let errcode = rule.code.parse::<i64>().unwrap_or(-1);
    let body = serde_json::json!({ "errcode": errcode, "errmsg": errmsg(&refusal) });
    Answer { code: Some(rule.code.to_owned()), rule: Some(rule), note: Some(note), ..Answer::ok(&body) }
}

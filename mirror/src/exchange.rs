//! The way of every API call: faults, authentication, the endpoint, signature, log.
//!
//! The order of checks is: authentication (401), route (404), rate (429), then what the endpoint checks.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Version, header};

use crate::answer::Answer;
use crate::auth::{self, Signed};
use crate::authorization::Authorization;
use crate::card::redact;
use crate::doctor::{self, Case};
use crate::fault::{self, FaultKind, FaultPlace, FaultRule, Subject};
use crate::image::multipart;
use crate::merchant::KnownMerchant;
use crate::operation::{COUPON_SEND, IMAGE_UPLOAD, Operation};
use crate::outgoing::{self, Delivery, Outgoing};
use crate::platform_keys::{PUBLIC_KEY_PREFIX, Signer};
use crate::rate::Caller;
use crate::reached::{self, Named};
use crate::request_body;
use crate::request_log::{Recording, Verdict};
use crate::rules::authentication::{NONCE, SIGNATURE};
use crate::rules::edge::{FOREIGN_PUBLIC_KEY, NO_SUCH_PATH, RATE, USER_AGENT};
use crate::rules::parameter::FORMAT;
use crate::rules::readings::{ConcurrentSends, ExtraFields, ImageSignature, MissingUserAgent, ReusedNonce};
use crate::rules::{Refusal, ensure, extra_fields, image};
use crate::state::App;
use crate::wire_copy::WireCopy;

/// Calls whose answers are secrets, which the log does not show.
const TOKENS: [&str; 3] = ["card.token", "card.stable_token", "card.ticket"];
const WECHATPAY_SERIAL: &str = "wechatpay-serial";

/// An authenticated call, as endpoints see it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) merchant: Arc<KnownMerchant>,
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<String>,
    pub(crate) query: Option<String>,
    /// Another send to the same user is under way, and by the mirror's reading that counts.
    pub(crate) crowded: bool,
    /// The mirror's address as this client names it, for links: `http://host:port`.
    pub(crate) base_url: String,
    /// The same for links to files of a day, which have a host of their own in production.
    pub(crate) download_url: String,
}

/// A request with its body, and what it is about.
struct Incoming {
    parts: Parts,
    body: Bytes,
    operation: Option<&'static Operation>,
    openid: Option<String>,
}

impl Incoming {
    fn subject(&self) -> Subject<'_> {
        Subject { operation: named(self.operation), openid: self.openid.as_deref() }
    }

    /// What the client signs: of an upload only the text of its meta part.
    fn signed_body(&self) -> Bytes {
        if self.operation.is_some_and(|operation| operation.name == IMAGE_UPLOAD.name) {
            let content_type = only(&self.parts.headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
            if let Ok(form) = multipart::read(content_type, &self.body) {
                return form.meta;
            }
        }
        self.body.clone()
    }

    fn wechatpay_serial(&self) -> Option<&str> {
        self.parts.headers.get(WECHATPAY_SERIAL).and_then(|value| value.to_str().ok())
    }
}

/// Middleware around all endpoints.
pub(crate) async fn exchange(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // A call of the card API whose path is not quite right comes here.
    let target = redact::target(parts.uri.path_and_query().map_or("/", |target| target.as_str()));
    let mut recording = Recording::begin(&app.log, app.clocks.wire_now(), parts.method.as_str(), &target);
    let is_http1 = parts.version <= Version::HTTP_11;
    let received = WireCopy::of_headers(&parts.headers);
    let operation = Operation::find(&parts.method, parts.uri.path());
    let openid = operation.and_then(|operation| operation.parameter("openid", parts.uri.path()));
    let outgoing = match request_body::read(&parts.headers, body, app.settings.request_timeout).await {
        Ok(body) => {
            let shown = if redact::hides_body(parts.uri.path()) { Bytes::new() } else { body.clone() };
            recording.entry().received = received.with_body(&shown);
            let incoming = Incoming { parts, body, operation, openid: openid.clone() };
            respond(&app, &mut recording, incoming, next).await
        }
        Err(rule) => {
            recording.entry().received = received;
            finish(&app, &mut recording, &Refusal::from(rule).into(), None)
        }
    };
    let subject = Subject { operation: named(operation), openid: openid.as_deref() };
    send_off(&app, recording, outgoing, subject, is_http1).await
}

/// The end of every exchange: faults of the connection, and the last words of the log.
pub(crate) async fn send_off(
    app: &App,
    mut recording: Recording,
    mut outgoing: Outgoing,
    subject: Subject<'_>,
    is_http1: bool,
) -> Response {
    if outgoing.delivery == Delivery::Whole
        && let Some(rule) = strike(app, &mut recording, FaultPlace::AfterAnswer, subject).await
    {
        fault::after_answer(&rule, &mut outgoing);
    }
    if is_http1 {
        outgoing.keep_alive(app.settings.keep_alive.as_secs());
    }
    let entry = recording.entry();
    if !matches!(outgoing.delivery, Delivery::Ended(_)) {
        entry.status = Some(outgoing.status.as_u16());
        entry.request_id = outgoing.header(&outgoing::REQUEST_ID).map(str::to_owned);
        entry.signed_with = outgoing.header(&outgoing::SERIAL).map(str::to_owned);
        entry.sent = if TOKENS.contains(&subject.operation) {
            WireCopy::of_headers(&outgoing.headers)
        } else {
            outgoing.copy()
        };
    }
    recording.finish();
    outgoing.into_response()
}

/// The name by which faults know an operation.
fn named(operation: Option<&Operation>) -> &'static str {
    operation.map_or("unknown", |operation| operation.name)
}

async fn respond(app: &App, recording: &mut Recording, incoming: Incoming, next: Next) -> Outgoing {
    recording.entry().operation = incoming.operation.map(|operation| operation.name);
    let readings = app.readings();
    if readings.missing_user_agent == MissingUserAgent::Refused
        && !incoming.parts.headers.contains_key(header::USER_AGENT)
    {
        let bare = Answer { body: Bytes::new(), ..Refusal::from(&USER_AGENT).into() };
        return finish(app, recording, &bare, None);
    }
    let sends = incoming.operation.is_some_and(|operation| operation.name == COUPON_SEND.name);
    let openid = incoming.openid.clone();
    let under_way = match &openid {
        Some(openid) if sends && readings.concurrent_sends == ConcurrentSends::FalseLimit => {
            Some(app.crowd.enter(openid))
        }
        _ => None,
    };
    if let Some(rule) = strike(app, recording, FaultPlace::BeforeVerify, incoming.subject()).await
        && let Some(answer) = fault::instead_of_work(&rule)
    {
        let mut outgoing = finish(app, recording, &answer, None);
        fault::alter_outgoing(&rule, &mut outgoing);
        return outgoing;
    }
    let merchant = match authenticate(app, recording, &incoming) {
        Ok(merchant) => merchant,
        Err(refusal) => {
            recording.judge(Verdict::Unauthenticated);
            return finish(app, recording, &refusal.into(), None);
        }
    };
    let platform = app.platform();
    let signer = platform.signer(incoming.wechatpay_serial(), merchant.public_key_only, app.clocks.now());
    if let Err(refusal) = pass_edge(app, recording, &merchant, &incoming, &platform.public_key.serial) {
        return finish(app, recording, &refusal.into(), Some(&signer));
    }
    if readings.extra_fields == ExtraFields::Refused
        && let Err(refusal) = extra_fields::check(incoming.subject().operation, &incoming.body)
    {
        return finish(app, recording, &refusal.into(), Some(&signer));
    }
    let struck = strike(app, recording, FaultPlace::BeforeCommit, incoming.subject()).await;
    if let Some(rule) = struck
        && let Some(answer) = fault::instead_of_work(&rule)
    {
        let mut outgoing = finish(app, recording, &answer, Some(&signer));
        fault::alter_outgoing(&rule, &mut outgoing);
        return outgoing;
    }
    let subject = incoming.subject();
    let (operation, openid) = (subject.operation.to_owned(), subject.openid.map(str::to_owned));
    let crowded = under_way.as_ref().is_some_and(|send| send.crowded);
    let answer = work(merchant, incoming, crowded, app.base_url().to_owned(), next).await;
    recording.answer(&answer);
    let subject = Subject { operation: &operation, openid: openid.as_deref() };
    match strike(app, recording, FaultPlace::AfterCommit, subject).await {
        Some(rule) => {
            let answer = fault::alter_link(&rule, answer).await;
            let answer = fault::alter_answer(&rule, answer);
            recording.entry().code.clone_from(&answer.code);
            let mut outgoing = dress(app, &answer, Some(&signer));
            fault::alter_outgoing(&rule, &mut outgoing);
            outgoing
        }
        None => dress(app, &answer, Some(&signer)),
    }
}

/// The fault that strikes here, after its delay.
pub(crate) async fn strike(
    app: &App,
    recording: &mut Recording,
    place: FaultPlace,
    subject: Subject<'_>,
) -> Option<FaultRule> {
    let rule = app.faults.strike(place, subject)?;
    let entry = recording.entry();
    entry.faults.push(format!("{}@{}", rule.kind.name(), place.name()));
    if rule.kind != FaultKind::Delay && place != FaultPlace::AfterAnswer {
        recording.judge(Verdict::Faulted);
    }
    if !rule.delay.is_zero() {
        tokio::time::sleep(rule.delay).await;
    }
    Some(rule)
}

fn authenticate(
    app: &App,
    recording: &mut Recording,
    incoming: &Incoming,
) -> Result<Arc<KnownMerchant>, Refusal> {
    let parts = &incoming.parts;
    let signed_body = incoming.signed_body();
    let signed = Signed {
        method: parts.method.as_str(),
        target: parts.uri.path_and_query().map_or("/", |target| target.as_str()),
        body: &signed_body,
    };
    let header = only(&parts.headers, header::AUTHORIZATION.as_str());
    let check = auth::check(header, signed, &app.merchants(), app.clocks.wire_now());
    let entry = recording.entry();
    entry.mchid = match (&check.result, check.mchid) {
        (Ok(merchant), _) => Some(merchant.mchid().to_owned()),
        (Err(_), given) => given,
    };
    entry.canonical = check.message;
    entry.notes.extend(check.notes);
    if let Err(refusal) = &check.result {
        let diagnosis = doctor::diagnose(Case {
            rule: refusal.rule,
            headers: &parts.headers,
            signed,
            whole_body: &incoming.body,
            merchants: &app.merchants(),
            platform: &app.platform(),
            now: app.clocks.wire_now(),
        });
        let causes = std::iter::once(&diagnosis.cause).chain(&diagnosis.also);
        // What refused a request before its signature was looked at is noted already.
        let noted = usize::from(!entry.notes.is_empty());
        entry.notes.extend(causes.skip(noted).map(|cause| cause.en.what.clone()));
        entry.signature = Some(Box::new(diagnosis));
    }
    if !parts.headers.contains_key(header::USER_AGENT) {
        entry.notes.push("there is no User-Agent; production may refuse such a request".to_owned());
    }
    let is_upload = incoming.operation.is_some_and(|operation| operation.name == IMAGE_UPLOAD.name);
    let merchant = check.result.map_err(|refusal| {
        let by_endpoint = app.readings().image_signature == ImageSignature::RequestBlocked;
        if by_endpoint && is_upload && refusal.rule == &SIGNATURE {
            Refusal::from(&image::SIGNATURE)
        } else {
            refusal
        }
    })?;
    if app.readings().reused_nonce == ReusedNonce::Refused {
        let used = header.and_then(|header| Authorization::parse(header).ok());
        let fresh =
            used.is_none_or(|used| app.nonces.is_new(merchant.mchid(), used.nonce, app.clocks.wire_now()));
        ensure(fresh, &NONCE)?;
    }
    Ok(merchant)
}

/// The value of a header that occurs exactly once and is text.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    std::str::from_utf8(value.as_bytes()).ok()
}

/// What lies between authentication and the endpoint.
fn pass_edge(
    app: &App,
    recording: &mut Recording,
    merchant: &KnownMerchant,
    incoming: &Incoming,
    public_key_id: &str,
) -> Result<(), Refusal> {
    if let Some(operation) = incoming.operation {
        let peer = incoming.parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = peer.map(|peer| peer.0.ip().to_canonical());
        let caller = Caller { mchid: merchant.mchid(), address };
        if let Err(limit) = app.rates.admit(operation, caller, app.clocks.wire_now()) {
            recording.entry().notes.push(format!("the limit is {}", limit.words()));
            return Err(Refusal::from(&RATE));
        }
    }
    match incoming.wechatpay_serial() {
        Some(serial) if serial.starts_with(PUBLIC_KEY_PREFIX) && serial != public_key_id => {
            Err(Refusal::from(&FOREIGN_PUBLIC_KEY))
        }
        _ => Ok(()),
    }
}

async fn work(
    merchant: Arc<KnownMerchant>,
    incoming: Incoming,
    crowded: bool,
    base_url_of_mirror: String,
    next: Next,
) -> Answer {
    let Incoming { parts, body, operation, .. } = incoming;
    let content_type = only(&parts.headers, header::CONTENT_TYPE.as_str()).map(str::to_owned);
    let query = parts.uri.query().map(str::to_owned);
    let Named { base_url, download_url } = reached::named(&parts)
        .unwrap_or_else(|| Named { base_url: base_url_of_mirror.clone(), download_url: base_url_of_mirror });
    let mut request = Request::from_parts(parts, Body::empty());
    request.extensions_mut().insert(Call {
        merchant,
        body,
        content_type,
        query,
        crowded,
        base_url,
        download_url,
    });
    let mut response = next.run(request).await;
    // Endpoints answer with an `Answer`. Without one the router turned the request away, which for a known
    // path means that a parameter in it is not UTF-8.
    let turned_away = if operation.is_some() { &FORMAT } else { &NO_SUCH_PATH };
    response.extensions_mut().remove::<Answer>().unwrap_or_else(|| Refusal::from(turned_away).into())
}

/// Records an answer and dresses it.
pub(crate) fn finish(
    app: &App,
    recording: &mut Recording,
    answer: &Answer,
    signer: Option<&Signer>,
) -> Outgoing {
    recording.answer(answer);
    dress(app, answer, signer)
}

pub(crate) fn dress(app: &App, answer: &Answer, signer: Option<&Signer>) -> Outgoing {
    Outgoing::new(answer, signer, &app.request_ids.next(answer.number), app.clocks.wire_now())
}

//! The way to the platform, step by step: name, connection, proxy, TLS, and who answers.

use std::error::Error as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use favor_core::Clock;
use reqwest::{Client, Response, Url};

use crate::doctor::code::Code;
use crate::doctor::report::Report;
use crate::doctor::surroundings::Way;
use crate::env;

const CONNECT: Duration = Duration::from_secs(5);
const WHOLE: Duration = Duration::from_secs(15);
const PATH: &str = "/v3/certificates";
/// The platform's window; half a minute is worth a word already.
const WINDOW: i64 = 300;
const DRIFT: i64 = 30;
/// How old or new a pushed event may be.
const CARD_WINDOW: i64 = 600;
const CARD_PATH: &str = "/cgi-bin/ticket/getticket";
const SET_CLOCK: &str =
    "set the clock and keep it set: switch on time synchronisation (timedatectl set-ntp true)";

/// Who answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Platform,
    Mirror,
}

/// Asks once without a signature. None: nobody who matters can be reached.
pub(crate) async fn check(way: &Way, clock: &dyn Clock, report: &mut Report) -> Option<Peer> {
    let base = way.base.as_ref()?;
    let host = shown(base);
    let client = match client(way) {
        Ok(client) => client,
        Err(error) => {
            let why = chain(&error);
            report.bad(
                Code::ClientUnusable,
                format!("no HTTP client can be made: {why}"),
                "check proxy and ca_file",
            );
            return None;
        }
    };
    let before = clock.now();
    let asked = client.get(join(base, PATH)).header("accept", "application/json").send().await;
    let response = match asked {
        Ok(response) => response,
        Err(error) => {
            explain(&error, way, base, report).await;
            return None;
        }
    };
    let now = before + (clock.now() - before) / 2;
    let date = header(&response, "date").and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
    let status = response.status();
    let has_id = header(&response, "request-id").is_some();
    let code = error_code(response).await;
    if !has_id && code.is_none() {
        report.bad(
            Code::NotThePlatform,
            format!("{host} answered {status}, and neither like WeChat Pay nor like a mirror: no Request-ID, no error code"),
            "check base_url; a proxy, a gateway or a log-in page of the network may answer in its place",
        );
        return None;
    }
    let peer =
        if !way.is_production() && is_mirror(&client, base).await { Peer::Mirror } else { Peer::Platform };
    let who = if peer == Peer::Mirror { "a mirror" } else { "the platform" };
    let how = if way.proxy.is_some() { ", through the proxy" } else { "" };
    report.good(Code::Reached, format!("{who} answers at {host}{how}"));
    match date {
        Some(date) => judge_clock((now - date.to_utc()).num_seconds(), date.to_utc(), report),
        None => report.skip("clock", "the answer has no Date header to compare with"),
    }
    Some(peer)
}

/// Asks the card API's host for a ticket without a token, which every side refuses in the same way. False: nobody who
/// matters can be reached.
pub(crate) async fn check_card(way: &Way, clock: &dyn Clock, report: &mut Report) -> bool {
    let Some(base) = way.base.as_ref() else { return false };
    let host = shown(base);
    let client = match client(way) {
        Ok(client) => client,
        Err(error) => {
            let why = format!("no HTTP client can be made: {}", chain(&error));
            report.bad(Code::ClientUnusable, why, "check proxy and ca_file");
            return false;
        }
    };
    let before = clock.now();
    let response = match client.get(join(base, CARD_PATH)).send().await {
        Ok(response) => response,
        Err(error) => {
            explain(&error, way, base, report).await;
            return false;
        }
    };
    let now = before + (clock.now() - before) / 2;
    let date = header(&response, "date").and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
    let status = response.status();
    if json(response).await.is_none_or(|answer| answer.get("errcode").is_none()) {
        report.bad(
            Code::NotThePlatform,
            format!("{host} answered {status}, and not like the card API: no errcode"),
            "check base_url; a proxy, a gateway or a log-in page of the network may answer in its place",
        );
        return false;
    }
    let how = if way.proxy.is_some() { ", through the proxy" } else { "" };
    report.good(Code::CardReached, format!("the card API answers at {host}{how}"));
    let is_judged = report.has(&[Code::Clock, Code::ClockDrift, Code::ClockWrong]);
    match date {
        _ if is_judged => {}
        Some(date) => judge_card_clock((now - date.to_utc()).num_seconds(), date.to_utc(), report),
        None => report.skip("clock", "the answer has no Date header to compare with"),
    }
    true
}

/// The same as [`judge_clock`] for cards, where the clock matters to events and to the signatures of pages.
fn judge_card_clock(ahead: i64, theirs: DateTime<Utc>, report: &mut Report) {
    let (off, words) = clock_words(ahead, theirs);
    if off >= CARD_WINDOW.unsigned_abs() {
        let words =
            format!("{words}; from {CARD_WINDOW} s on pushed events are refused here as too old or too new");
        report.bad(Code::ClockWrong, words, SET_CLOCK);
    } else if off >= DRIFT.unsigned_abs() {
        let words = format!("{words}; at {CARD_WINDOW} s pushed events are refused here");
        report.bad(Code::ClockDrift, words, SET_CLOCK);
    } else {
        report.good(Code::Clock, if off <= 2 { "right".to_owned() } else { words });
    }
}

fn clock_words(ahead: i64, theirs: DateTime<Utc>) -> (u64, String) {
    let off = ahead.unsigned_abs();
    let words = format!(
        "this machine's clock is {off} s {} the platform's ({})",
        if ahead > 0 { "ahead of" } else { "behind" },
        theirs.format("%Y-%m-%d %H:%M:%S UTC")
    );
    (off, words)
}

/// Says how far this machine's clock is off; `ahead` in seconds. The header is exact to a second only.
pub(crate) fn judge_clock(ahead: i64, theirs: DateTime<Utc>, report: &mut Report) {
    let (off, words) = clock_words(ahead, theirs);
    if off >= WINDOW.unsigned_abs() {
        let words = format!("{words}; from {WINDOW} s on every signature is refused, on both sides");
        report.bad(Code::ClockWrong, words, SET_CLOCK);
    } else if off >= DRIFT.unsigned_abs() {
        report.bad(Code::ClockDrift, format!("{words}; at {WINDOW} s signatures are refused"), SET_CLOCK);
    } else {
        report.good(Code::Clock, if off <= 2 { "right".to_owned() } else { words });
    }
}

fn client(way: &Way) -> reqwest::Result<Client> {
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .user_agent(concat!("favor-cli/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(WHOLE);
    if let Some(proxy) = &way.proxy {
        builder = builder.proxy(reqwest::Proxy::all(proxy.clone())?);
    }
    if let Some(roots) = &way.roots {
        builder = reqwest::Certificate::from_pem_bundle(roots)?
            .into_iter()
            .fold(builder, reqwest::ClientBuilder::add_root_certificate);
    }
    builder.build()
}

fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// The code of an error answer of the platform's form.
async fn error_code(response: Response) -> Option<String> {
    json(response).await?.get("code")?.as_str().map(str::to_owned)
}

/// A small JSON answer.
async fn json(mut response: Response) -> Option<serde_json::Value> {
    const LARGEST: usize = 64 * 1024;
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            return None;
        }
    }
    serde_json::from_slice(&body).ok()
}

/// Never asked of WeChat Pay's own hosts.
async fn is_mirror(client: &Client, base: &Url) -> bool {
    let Ok(response) = client.get(join(base, "/_mirror/healthz")).send().await else { return false };
    response.status().is_success()
}

/// Tells apart what keeps a request from being answered.
async fn explain(error: &reqwest::Error, way: &Way, base: &Url, report: &mut Report) {
    let (why, host) = (chain(error), shown(base));
    if !error.is_connect() {
        if error.is_timeout() {
            report.bad(
                Code::HostSlow,
                format!("{host} was reached, and gave no answer within {} s", WHOLE.as_secs()),
                "try again; when it lasts, a firewall or a proxy may swallow the request",
            );
        } else {
            report.bad(
                Code::ConnectionBroken,
                format!("the connection to {host} was made, and broke before the answer: {why}"),
                "try again; when it lasts, look at what stands between: proxy, firewall, load balancer, or another service on this port",
            );
        }
        return;
    }
    let next = way.proxy.as_ref().unwrap_or(base);
    if let Err(what) = connect(next).await {
        match &way.proxy {
            Some(_) => report.bad(
                Code::ProxyUnreachable,
                format!("the proxy cannot be reached: {}", what.words(next)),
                "correct the proxy, or take it out of the settings where there is a direct way",
            ),
            None => what.tell(next, report),
        }
        return;
    }
    // The first step works: so it is what comes after.
    let lower = why.to_ascii_lowercase();
    if way.proxy.is_some() && lower.contains("tunnel") {
        report.bad(
            Code::ProxyRefused,
            format!("the proxy is there, and makes no way to {host}: {why}"),
            "allow this host in the proxy; where it asks for a log-in, write it as http://user:password@proxy:3128",
        );
    } else if lower.contains("certificate") {
        report.bad(
            Code::TlsUntrusted,
            format!("the TLS certificate of {host} is not trusted: {why}"),
            "for a mirror set ca_file to its mirror_ca.pem; for WeChat Pay itself something stands between, such as a proxy that opens TLS: trust its root by ca_file only if it is your company's",
        );
    } else if base.scheme() == "https" {
        report.bad(
            Code::TlsFailed,
            format!("a connection to {host} is there, and TLS does not come about: {why}"),
            "check the port: one that speaks plain http cannot serve https",
        );
    } else {
        report.bad(
            Code::HostUnreachable,
            format!("{host} cannot be reached: {why}"),
            "check address, port and firewall",
        );
    }
}

/// What keeps the first connection from being made.
enum Obstacle {
    Name(std::io::Error),
    Connection(std::io::Error),
}

impl Obstacle {
    fn words(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        match self {
            Obstacle::Name(error) => format!("the name {host} has no address ({error})"),
            Obstacle::Connection(error) => {
                format!("{host}, port {}: {error}", url.port_or_known_default().unwrap_or_default())
            }
        }
    }

    fn tell(&self, url: &Url, report: &mut Report) {
        match self {
            Obstacle::Name(_) => report.bad(
                Code::HostNotFound,
                self.words(url),
                format!("check base_url for a slip, and this machine's name server (/etc/resolv.conf){}", other_proxy()),
            ),
            Obstacle::Connection(_) => report.bad(
                Code::HostUnreachable,
                format!("no connection to {}", self.words(url)),
                format!("check the port, whether the mirror runs, and whether a firewall lets this machine out or wants a proxy{}", other_proxy()),
            ),
        }
    }
}

async fn connect(url: &Url) -> Result<(), Obstacle> {
    let late = || std::io::Error::new(std::io::ErrorKind::TimedOut, "no reply in time");
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or_default();
    let found = tokio::time::timeout(CONNECT, tokio::net::lookup_host((host, port)))
        .await
        .unwrap_or_else(|_| Err(late()))
        .map_err(Obstacle::Name)?;
    let addresses: Vec<_> = found.collect();
    let mut last = Obstacle::Name(std::io::Error::other("none was found"));
    for address in addresses {
        match tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => last = Obstacle::Connection(error),
            Err(_) => last = Obstacle::Connection(late()),
        }
    }
    Err(last)
}

/// The environment's usual proxy is not used, which surprises where there is no other way out.
fn other_proxy() -> String {
    match env::read(env::HTTPS_PROXY) {
        Some(_) => format!(
            "; {} is set, and favor takes a proxy from {} or its profile only",
            env::HTTPS_PROXY,
            env::PROXY
        ),
        None => String::new(),
    }
}

fn shown(base: &Url) -> &str {
    base.as_str().trim_end_matches('/')
}

/// An error's causes below the HTTP library's own words, which repeat the URL.
fn chain(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // This one says no more than that a client had an error.
        if words.last() != Some(&text) && !text.starts_with("client error (") {
            words.push(text);
        }
        source = cause.source();
    }
    if words.is_empty() { "no reason given".to_owned() } else { words.join(": ") }
}

//! `favor card listen`: pushed events verified, printed and handed on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use favor_card::event::{Answer, Message, Receiver, Rejection};
use favor_core::{Clock as _, SystemClock, time};
use futures_util::StreamExt as _;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::account::Account;
use super::forward::Forwarder;
use super::pushed;
use crate::args::ListenEvents;
use crate::callback::server;
use crate::exit::Exit;
use crate::mirror::Stop;
use crate::output::{BrokenPipe, Output};

/// The platform gives up after this, so that a slower body is not its.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) async fn run(args: &ListenEvents, account: &Account, output: &Output) -> anyhow::Result<Exit> {
    let stop = Stop::listen()?;
    let forwarder = args.forward.as_deref().map(|url| Forwarder::new(url, args.forward_as)).transpose()?;
    let (receiver, is_encrypted) = account.receiver(args.take_plain)?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let desk = Arc::new(Desk {
        receiver,
        forwarder,
        path: args.path.clone(),
        output: output.clone(),
        once: args.once,
        is_over: watch::Sender::new(None),
        new: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    });
    let stopping = watch::Sender::new(false);
    let router = Router::new().fallback(answer).with_state(desk.clone());
    let mut server = tokio::spawn(server::serve_router(listener, router, stopping.subscribe()));
    tell_ready(args, address, account, is_encrypted, output)?;

    let mut over = desk.is_over.subscribe();
    tokio::select! {
        stopped = stop.wait() => stopped?,
        _ = over.wait_for(Option::is_some) => {}
        ended = &mut server => ended??,
    }
    stopping.send_replace(true);
    if !server.is_finished() {
        server.await??;
    }
    if *over.borrow() == Some(Over::StdoutIsGone) {
        return Err(BrokenPipe.into());
    }
    let (new, refused) = (desk.new.load(Ordering::Relaxed), desk.refused.load(Ordering::Relaxed));
    output.talk(format!("stopped; {new} new, {refused} not taken"));
    Ok(Exit::Done)
}

fn tell_ready(
    args: &ListenEvents,
    address: SocketAddr,
    account: &Account,
    is_encrypted: bool,
    output: &Output,
) -> anyhow::Result<()> {
    let url = format!("http://{address}{}", args.path.as_deref().unwrap_or("/"));
    if output.is_json() {
        return output.json(&json!({
            "verdict": "ready", "address": address.to_string(), "url": url, "appid": account.app_id.as_str(),
            "encrypted": is_encrypted,
        }));
    }
    output.talk(format!("listening on {url} for account {}; ctrl-c stops it", account.app_id));
    if !is_encrypted {
        output.talk("plain messages: their signature does not cover their body, so set an EncodingAESKey");
    }
    if !address.ip().is_loopback() {
        output.talk("this speaks plain http: put it behind a server that speaks https");
    }
    Ok(())
}

/// Why it ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    Enough,
    StdoutIsGone,
}

struct Desk {
    receiver: Receiver,
    forwarder: Option<Forwarder>,
    path: Option<String>,
    output: Output,
    once: Option<u64>,
    is_over: watch::Sender<Option<Over>>,
    new: AtomicU64,
    refused: AtomicU64,
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    if desk.path.as_deref().is_some_and(|path| path != request.uri().path()) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    let (head, body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let answer = match head.method {
        Method::GET => desk.check(query),
        Method::POST => match read(&desk.receiver, body).await {
            Ok(body) => desk.take(query, &body).await,
            Err(rejection) => desk.refuse(&rejection),
        },
        _ => desk.refuse(&Rejection::Method),
    };
    answer.into_response()
}

async fn read(receiver: &Receiver, body: Body) -> Result<Vec<u8>, Rejection> {
    let limit = receiver.limit();
    let whole = async {
        let (mut parts, mut bytes) = (body.into_data_stream(), Vec::new());
        while let Some(part) = parts.next().await {
            let part = part.map_err(|_| Rejection::Interrupted)?;
            if part.len() > limit - bytes.len() {
                return Err(Rejection::TooLarge { limit });
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    };
    tokio::time::timeout(PATIENCE, whole).await.unwrap_or(Err(Rejection::Interrupted))
}

impl Desk {
    /// The request by which the platform checks a new address.
    fn check(&self, query: &str) -> Answer {
        match self.receiver.verify_url(query) {
            Ok(answer) => {
                self.say("checked", json!({}), "the platform checked this address");
                answer
            }
            Err(rejection) => self.refuse(&rejection),
        }
    }

    async fn take(&self, query: &str, body: &[u8]) -> Answer {
        let received = match self.receiver.receive(query, body) {
            Ok(received) => received,
            Err(rejection) => return self.refuse(&rejection),
        };
        let mut status = None;
        if let Some(forwarder) = &self.forwarder {
            match forwarder.hand_on(&received, query, body).await {
                Ok(taken) => status = Some(taken),
                Err((status, reason)) => return self.put_off(&received, status, &reason),
            }
        }
        let mut line = pushed::json_of(&received);
        if status.is_some() {
            line["status"] = json!(status);
        }
        // Accepted once it is printed, and not before.
        if !self.say("new", line, &pushed::line_of(&received)) {
            return Answer::try_later();
        }
        let answer = received.done();
        let new = self.new.fetch_add(1, Ordering::Relaxed) + 1;
        if self.once.is_some_and(|once| new >= once) {
            self.end(Over::Enough);
        }
        answer
    }

    /// The address did not take it: the platform is asked to send it again.
    fn put_off(&self, message: &Message, status: Option<u16>, reason: &str) -> Answer {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let mut line = pushed::json_of(message);
        line["status"] = json!(status);
        line["reason"] = json!(reason);
        let words =
            format!("{} was not taken: {reason}; the platform sends it again", pushed::line_of(message));
        self.say("put_back", line, &words);
        Answer::try_later()
    }

    fn refuse(&self, rejection: &Rejection) -> Answer {
        let answer = rejection.answer();
        let verdict = match rejection {
            Rejection::Repeated | Rejection::InProgress => "duplicate",
            _ => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                "rejected"
            }
        };
        let reason = crate::settings::in_words(rejection);
        let line = json!({"reason": reason, "status": answer.status().as_u16()});
        self.say(verdict, line, &format!("{verdict}: {reason}"));
        answer
    }

    /// Prints a line; false when stdout is gone, which ends the whole.
    fn say(&self, verdict: &str, mut line: Value, words: &str) -> bool {
        let printed = if self.output.is_json() {
            line["verdict"] = json!(verdict);
            line["received_at"] = json!(time::to_wire(&time::beijing(&SystemClock::new().now())));
            self.output.json(&line)
        } else {
            self.output.line(words)
        };
        if printed.is_err() {
            self.end(Over::StdoutIsGone);
        }
        printed.is_ok()
    }

    fn end(&self, why: Over) {
        self.is_over.send_if_modified(|over| {
            let first = over.is_none();
            over.get_or_insert(why);
            first
        });
    }
}

//! Health, metrics and keys over HTTP, on loopback or a unix socket. All one can do besides reading is ask for a check.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use favor_core::{MerchantId, Serial};
use serde::Deserialize;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{mpsc, oneshot, watch};

use super::fleet::Fleet;
use super::{Command, DaemonError, Refresh, metrics, place};
use crate::config::Listen;

const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How long a reader with an unknown serial, or who asked for a check, waits for the fetch to end.
const LONGEST_FETCH: Duration = Duration::from_secs(20);
/// How many merchants `/readyz` names.
const NAMED: usize = 20;

#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub(super) async fn bind(listen: &Listen, mode: u32) -> Result<Self, DaemonError> {
        let failed = |error| DaemonError::Listen { place: place(listen), error };
        match listen {
            Listen::Loopback(address) => TcpListener::bind(address).await.map(Self::Tcp).map_err(failed),
            Listen::Unix(path) => {
                // A socket that nobody listens on is left by a daemon that was killed.
                if std::os::unix::net::UnixStream::connect(path).is_err() && is_socket(path) {
                    std::fs::remove_file(path).map_err(failed)?;
                }
                let listener = UnixListener::bind(path).map_err(failed)?;
                // Whoever may read the key files may connect, which needs the right to write.
                let mode = mode | ((mode & 0o444) >> 1);
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(failed)?;
                Ok(Self::Unix(listener))
            }
        }
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(_) => None,
        }
    }
}

fn is_socket(path: &std::path::Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) fleet: Arc<Fleet>,
    pub(super) commands: mpsc::UnboundedSender<Command>,
}

pub(super) async fn serve(listener: Listener, state: State, mut stopped: watch::Receiver<bool>) {
    let app = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(all_metrics))
        .route("/v1/keys", get(keys))
        .route("/v1/refresh", post(refresh))
        .with_state(state)
        // Else each connection gets a copy of it all, and readers of a fleet hold hundreds.
        .into_make_service();
    // Readers that wait for news would keep a graceful end waiting: they come back by themselves.
    let served = async {
        match listener {
            Listener::Tcp(listener) => axum::serve(listener, app).await,
            Listener::Unix(listener) => axum::serve(listener, app).await,
        }
    };
    tokio::select! {
        result = served => if let Err(error) = result {
            tracing::error!(%error, "health and keys are not served any more");
        },
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}

async fn ready(Extract(state): Extract<State>) -> Response {
    let failing = state.fleet.not_ready();
    let (merchants, _) = state.fleet.counts();
    if failing.is_empty() {
        return format!("ok: {merchants} merchants\n").into_response();
    }
    let mut text = format!("{} of {merchants} merchants are not ready\n", failing.len());
    for (id, why) in failing.iter().take(NAMED) {
        text.push_str(&format!("{}: {why}\n", id.as_str()));
    }
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn all_metrics(Extract(state): Extract<State>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, metrics::text(&state.fleet)).into_response()
}

#[derive(Debug, Deserialize)]
struct Asked {
    mchid: String,
    generation: Option<u64>,
    content: Option<String>,
    #[serde(default)]
    wait: u64,
    serial: Option<String>,
}

async fn keys(Extract(state): Extract<State>, Query(asked): Query<Asked>) -> Response {
    let Ok(id) = MerchantId::new(asked.mchid.as_str()) else {
        return (StatusCode::BAD_REQUEST, "mchid has only digits\n").into_response();
    };
    if let Some(serial) = &asked.serial {
        tell_unknown(&state, &id, &Serial::new(serial.as_str())).await;
    }
    let mut changes = state.fleet.changes();
    let wait = Duration::from_secs(asked.wait).min(LONGEST_WAIT);
    let mut over = state.fleet.clock().sleep(wait);
    loop {
        changes.borrow_and_update();
        let Some(release) = state.fleet.release(&id) else {
            let text = "no keys are published for this merchant; see /readyz\n";
            return (StatusCode::NOT_FOUND, text).into_response();
        };
        let holds = match &asked.content {
            Some(content) => content == release.content(),
            None => asked.generation == Some(release.generation()),
        };
        if !holds {
            let generation = release.generation();
            let read = crate::blocking::run(move || release.to_json()).await;
            match read.map_err(|error| error.to_string()).and_then(|read| read.map_err(|e| e.to_string())) {
                Ok(json) => return ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
                // Many releases were made meanwhile, and this one is gone: the next one counts.
                Err(_) if state.fleet.release(&id).is_some_and(|r| r.generation() != generation) => {
                    continue;
                }
                Err(error) => {
                    tracing::warn!(mchid = id.as_str(), "the release in force cannot be served: {error}");
                    let text = "the keys cannot be read just now; keep those you hold\n";
                    return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
                }
            }
        }
        if wait.is_zero() {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() {
                return StatusCode::NOT_MODIFIED.into_response();
            },
            () = &mut over => return StatusCode::NOT_MODIFIED.into_response(),
        }
    }
}

#[derive(Debug, Deserialize)]
struct Wanted {
    mchid: String,
}

/// Checks one merchant now, and answers with how that went.
async fn refresh(Extract(state): Extract<State>, Query(wanted): Query<Wanted>) -> Response {
    let Ok(id) = MerchantId::new(wanted.mchid.as_str()) else {
        return (StatusCode::BAD_REQUEST, "mchid has only digits\n").into_response();
    };
    let (answer, answered) = oneshot::channel();
    // Nobody answers once the daemon is told to stop.
    let _ = state.commands.send(Command::Refresh(id.clone(), answer));
    let ended = match answered.await {
        Ok(Refresh::Begun(ended)) => ended,
        Ok(Refresh::TooSoon(left)) => {
            let seconds = (left.as_secs() + 1).to_string();
            let text = format!("checked on request less than a minute ago; again in {seconds} s\n");
            return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds)], text).into_response();
        }
        Ok(Refresh::StandingBy) => {
            let text = "another process writes the directory and checks; ask that one\n";
            return (StatusCode::CONFLICT, text).into_response();
        }
        Ok(Refresh::NoSuchMerchant) => {
            return (StatusCode::NOT_FOUND, "no such merchant in the settings\n").into_response();
        }
        Err(_) => return (StatusCode::SERVICE_UNAVAILABLE, "the daemon is stopping\n").into_response(),
    };
    match tokio::time::timeout(LONGEST_FETCH, ended).await {
        Ok(_) => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (kind, state.fleet.status(&id).to_json()).into_response()
        }
        Err(_) => (StatusCode::ACCEPTED, "the check is under way; see /metrics\n").into_response(),
    }
}

/// Has the scheduler fetch, where the serial is not in force; it limits how often that happens.
async fn tell_unknown(state: &State, id: &MerchantId, serial: &Serial) {
    let Some(release) = state.fleet.release(id) else { return };
    if release.has(serial) {
        return;
    }
    state.fleet.count_unknown_serial(id);
    let (answer, answered) = oneshot::channel();
    if state.commands.send(Command::Unknown(id.clone(), answer)).is_ok() {
        let _ = tokio::time::timeout(LONGEST_FETCH, answered).await;
    }
}

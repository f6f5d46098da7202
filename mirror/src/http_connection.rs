//! HTTP on one stream, until it ends: by itself, when it has been idle, at shutdown.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use bytes::Bytes;
use http::Request;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::time::{Instant, sleep_until};
use tower::ServiceExt as _;
use tower::util::service_fn;

use crate::connection::ConnectionCut;
use crate::connection_end::Fate;
use crate::lock;
use crate::proxy::{self, Plan};
use crate::reached::Channel;
use crate::serve::{Server, told};
use crate::tls::Stream;

/// What a connection is doing.
#[derive(Debug)]
struct Activity {
    open_requests: usize,
    /// Whether there has been any request.
    used: bool,
    last: Instant,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// After requests, or by the mirror's decision.
    Usually,
    /// The client left before any request.
    LeftUnused,
}

/// Serves the requests of `peer`.
pub(crate) async fn converse<S: Stream + 'static>(
    server: Arc<Server>,
    stream: S,
    peer: SocketAddr,
    channel: Channel,
    fate: Fate,
) -> Ended {
    let activity = Arc::new(Mutex::new(Activity { open_requests: 0, used: false, last: Instant::now() }));
    let service = {
        let (server, activity) = (Arc::clone(&server), Arc::clone(&activity));
        service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(channel);
            let open = Open::new(Arc::clone(&activity));
            answer(Arc::clone(&server), request, peer, channel, fate.clone(), open)
        })
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .title_case_headers(true)
        // Its time starts when the connection falls idle.
        .timer(TokioTimer::new())
        .header_read_timeout(server.keep_alive.saturating_add(server.request_timeout));
    let service = hyper_util::service::TowerToHyperService::new(service);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let keep_alive = server.keep_alive;
    let mut stop = server.stopped.clone();
    let mut closing = false;
    loop {
        let idle_until = {
            let activity = lock::mutex(&activity);
            let from = if activity.open_requests > 0 { Instant::now() } else { activity.last };
            from + keep_alive
        };
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended");
                }
                let used = closing || lock::mutex(&activity).used;
                return if used { Ended::Usually } else { Ended::LeftUnused };
            }
            () = sleep_until(idle_until), if !closing => {
                let activity = lock::mutex(&activity);
                if activity.open_requests == 0 && activity.last + keep_alive <= Instant::now() {
                    connection.as_mut().graceful_shutdown();
                    closing = true;
                }
            }
            // What is half-said is not waited for any longer.
            () = sleep_until(idle_until + server.request_timeout), if closing => {
                let activity = lock::mutex(&activity);
                let over = activity.last + keep_alive + server.request_timeout;
                if activity.open_requests == 0 && over <= Instant::now() {
                    return Ended::Usually;
                }
            }
            () = told(&mut stop), if !closing => {
                connection.as_mut().graceful_shutdown();
                closing = true;
                lock::mutex(&activity).last = Instant::now();
            }
        }
    }
}

/// Counts a request as open for as long as it lives.
pub(crate) struct Open(Arc<Mutex<Activity>>);

impl Open {
    fn new(activity: Arc<Mutex<Activity>>) -> Self {
        {
            let mut activity = lock::mutex(&activity);
            activity.open_requests += 1;
            activity.used = true;
        }
        Self(activity)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut activity = lock::mutex(&self.0);
        activity.open_requests -= 1;
        activity.last = Instant::now();
    }
}

async fn answer(
    server: Arc<Server>,
    mut request: Request<Incoming>,
    peer: SocketAddr,
    channel: Channel,
    fate: Fate,
    open: Open,
) -> Result<Response, ConnectionCut> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let response = match proxy::plan(&parts, channel, server.address) {
        Plan::Answer => {
            let answer = async {
                match server.router.clone().oneshot(Request::from_parts(parts, Body::new(body))).await {
                    Ok(response) => response,
                    Err(never) => never_happens(never),
                }
            };
            fate.meet(server.stopped.clone(), answer).await
        }
        Plan::Tunnel => {
            let host = parts.uri.authority().map(ToString::to_string).unwrap_or_default();
            server.open_tunnel(upgrade, host, peer, fate, open);
            return Ok(proxy::established());
        }
        Plan::Refuse(reason) => Ok(proxy::refuse(&server.app, &parts, reason)),
    };
    response.map(|response| response.map(|body| Body::new(Held { body, _open: open })))
}

/// A body whose request is open until it has been sent.
struct Held {
    body: Body,
    _open: Open,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn never_happens(error: Infallible) -> Response {
    match error {}
}

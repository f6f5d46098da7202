//! Accepts connections, and ends them: when idle, when a fault says so, at shutdown.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::Request;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tower::ServiceExt as _;
use tower::util::service_fn;

use crate::connection::ConnectionCut;
use crate::connection_end::{Fate, Socket};
use crate::lock;

/// How long open requests may take once the mirror shuts down.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until told to stop, then lets open requests finish.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    keep_alive: Duration,
    request_timeout: Duration,
    mut stopped: watch::Receiver<bool>,
) {
    let stop = stopped.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let app = app.clone();
                    let stop = stop.clone();
                    connections.spawn(connection(stream, peer, app, keep_alive, request_timeout, stop));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: give others time to close some.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = told(&mut stopped) => break,
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were still open after the grace period");
    }
}

/// Returns once the mirror is told to stop, or is gone.
async fn told(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}

/// What a connection is doing.
#[derive(Debug)]
struct Activity {
    open_requests: usize,
    last: Instant,
    /// Whether there ever was a request.
    requested: bool,
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    keep_alive: Duration,
    request_timeout: Duration,
    mut stop: watch::Receiver<bool>,
) {
    stream.set_nodelay(true).ok();
    let activity = Mutex::new(Activity { open_requests: 0, last: Instant::now(), requested: false });
    let activity = Arc::new(activity);
    let fate = Fate::default();
    let socket = Socket::new(stream, fate.clone());
    let service = {
        let (activity, stop) = (Arc::clone(&activity), stop.clone());
        service_fn(move |mut request: Request<_>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let open = Open::new(Arc::clone(&activity));
            answer(app.clone(), request.map(Body::new), open, fate.clone(), stop.clone())
        })
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .title_case_headers(true)
        // Its time starts when the connection falls idle.
        .timer(TokioTimer::new())
        .header_read_timeout(keep_alive.saturating_add(request_timeout));
    let service = hyper_util::service::TowerToHyperService::new(service);
    let connection = builder.serve_connection(TokioIo::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    let mut closing = false;
    loop {
        let (idle_until, requested) = {
            let activity = lock::mutex(&activity);
            let from = if activity.open_requests > 0 { Instant::now() } else { activity.last };
            (from + keep_alive, activity.requested)
        };
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended");
                }
                return;
            }
            () = sleep_until(idle_until), if !closing => {
                let activity = lock::mutex(&activity);
                if activity.open_requests == 0 && activity.last + keep_alive <= Instant::now() {
                    connection.as_mut().graceful_shutdown();
                    closing = true;
                }
            }
            // HTTP/2 waits for ever for the rest of a first greeting.
            () = sleep_until(idle_until + request_timeout), if closing && !requested => return,
            () = told(&mut stop), if !closing => {
                connection.as_mut().graceful_shutdown();
                closing = true;
            }
        }
    }
}

/// Counts a request as open for as long as it lives.
struct Open(Arc<Mutex<Activity>>);

impl Open {
    fn new(activity: Arc<Mutex<Activity>>) -> Self {
        {
            let mut activity = lock::mutex(&activity);
            activity.open_requests += 1;
            activity.requested = true;
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
    app: Router,
    request: Request<Body>,
    _open: Open,
    fate: Fate,
    stop: watch::Receiver<bool>,
) -> Result<Response, ConnectionCut> {
    let answer = async {
        match app.oneshot(request).await {
            Ok(response) => response,
            Err(never) => never_happens(never),
        }
    };
    fate.meet(stop, answer).await
}

fn never_happens(error: Infallible) -> Response {
    match error {}
}

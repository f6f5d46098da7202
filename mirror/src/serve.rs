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
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tower::ServiceExt as _;
use tower::util::service_fn;

use crate::connection::{ConnectionCut, Cut};
use crate::lock;
use crate::metrics::Metrics;

/// How long open requests may take once the mirror shuts down.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until told to stop, then lets open requests finish.
pub(crate) async fn serve(
    listener: TcpListener,
    app: Router,
    keep_alive: Duration,
    metrics: Arc<Metrics>,
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
                    let metrics = Arc::clone(&metrics);
                    connections.spawn(async move {
                        let _open = metrics.connection();
                        connection(stream, peer, app, keep_alive, stop).await;
                    });
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
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    keep_alive: Duration,
    mut stop: watch::Receiver<bool>,
) {
    stream.set_nodelay(true).ok();
    let activity = Mutex::new(Activity { open_requests: 0, last: Instant::now() });
    let activity = Arc::new(activity);
    let service = {
        let activity = Arc::clone(&activity);
        service_fn(move |mut request: Request<_>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            answer(app.clone(), request.map(Body::new), Arc::clone(&activity))
        })
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().title_case_headers(true);
    let service = hyper_util::service::TowerToHyperService::new(service);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
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
                return;
            }
            () = sleep_until(idle_until), if !closing => {
                let activity = lock::mutex(&activity);
                if activity.open_requests == 0 && activity.last + keep_alive <= Instant::now() {
                    connection.as_mut().graceful_shutdown();
                    closing = true;
                }
            }
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
        lock::mutex(&activity).open_requests += 1;
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
    activity: Arc<Mutex<Activity>>,
) -> Result<Response, ConnectionCut> {
    let _open = Open::new(activity);
    let response = match app.oneshot(request).await {
        Ok(response) => response,
        Err(never) => never_happens(never),
    };
    if response.extensions().get::<Cut>().is_some() { Err(ConnectionCut) } else { Ok(response) }
}

fn never_happens(error: Infallible) -> Response {
    match error {}
}

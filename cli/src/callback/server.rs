//! The server that the platform calls.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use favor_callback::{Intake, Receiver, Reply};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::report::Reporter;

/// How long requests under way may take to end after a stop. The platform waits 5 s.
const GRACE: Duration = Duration::from_secs(6);

/// What becomes of a request.
#[derive(Clone)]
pub(crate) enum Work {
    /// Verified, stored, answered.
    Store(Intake),
    /// Verified and answered.
    Look(Receiver, Arc<Reporter>),
}

impl Work {
    async fn take(&self, request: Request) -> Reply {
        match self {
            Self::Store(intake) => intake.take_request(request).await,
            Self::Look(receiver, reporter) => match receiver.receive_request(request).await {
                Ok(notification) => {
                    reporter.seen(&notification);
                    Reply::accepted()
                }
                Err(rejection) => {
                    reporter.rejected(&rejection);
                    rejection.reply()
                }
            },
        }
    }
}

#[derive(Clone)]
struct App {
    work: Work,
    path: Option<Arc<str>>,
}

/// Serves until `stopping` says so; then takes no more, and returns when what is under way has been answered.
pub(crate) async fn serve(
    listener: TcpListener,
    work: Work,
    path: Option<String>,
    stopping: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let app = App { work, path: path.map(Arc::from) };
    serve_router(listener, Router::new().fallback(answer).with_state(app), stopping).await
}

/// [`serve`] for any router.
pub(crate) async fn serve_router(
    listener: TcpListener,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut late = stopping.clone();
    let stop = async move {
        let _ = stopping.wait_for(|stopping| *stopping).await;
    };
    let served = axum::serve(listener, router).with_graceful_shutdown(stop).into_future();
    // A client that keeps its connection open must not hold up the end.
    let too_late = async move {
        let _ = late.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = served => served,
        () = too_late => Ok(()),
    }
}

async fn answer(State(app): State<App>, request: Request) -> Response {
    if app.path.as_deref().is_some_and(|path| path != request.uri().path()) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    app.work.take(request).await.into_response()
}

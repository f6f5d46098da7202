//! Control calls are not authenticated, so only this machine may make them.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::failure::Failure;
use crate::state::App;

pub(crate) async fn local_only(State(app): State<App>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    if app.settings.open_control || peer.is_some_and(|peer| peer.is_loopback()) {
        next.run(request).await
    } else {
        Failure::forbidden("control calls are taken from this machine only").into_response()
    }
}

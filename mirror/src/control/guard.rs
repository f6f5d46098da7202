//! Control calls are not authenticated, so only this machine may make them, and never by a name of WeChat's.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::failure::Failure;
use crate::reached;
use crate::state::App;

pub(crate) async fn local_only(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if reached::as_platform(&parts) {
        let message = format!(
            "WeChat has no {}; the mirror's own calls are at {}/_mirror",
            parts.uri.path(),
            app.base_url()
        );
        return Failure::not_found(message).into_response();
    }
    let request = Request::from_parts(parts, body);
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    if app.settings.open_control || peer.is_some_and(|peer| peer.is_loopback()) {
        next.run(request).await
    } else {
        Failure::forbidden("control calls are taken from this machine only").into_response()
    }
}

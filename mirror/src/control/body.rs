//! Bodies of control calls: there in time, and of a size.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::failure::Failure;
use crate::request_body;
use crate::state::App;

/// Reads the whole body before the call begins.
pub(crate) async fn in_time(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match request_body::read(&parts.headers, body, app.settings.request_timeout).await {
        Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
        Err(rule) => Failure::broken_body(rule).into_response(),
    }
}

//! Whether the mirror works.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::failure::Failure;
use crate::state::App;

/// Goes once through the writer, so a store that cannot commit shows.
pub(crate) async fn check(State(app): State<App>) -> Result<Json<Value>, Failure> {
    app.ledger.write(|_| Ok(())).await?;
    Ok(Json(json!({ "ok": true, "version": env!("CARGO_PKG_VERSION"), "now": app.clocks.now().rfc3339() })))
}

//! The audit.

use axum::Json;
use axum::extract::State;

use super::failure::Failure;
use crate::audit::{self, Audit};
use crate::error::MirrorError;
use crate::state::App;

pub(crate) async fn run(app: &App) -> Result<Audit, MirrorError> {
    Ok(app.ledger.read(audit::audit).await?)
}

pub(crate) async fn report(State(app): State<App>) -> Result<Json<Audit>, Failure> {
    Ok(Json(run(&app).await?))
}

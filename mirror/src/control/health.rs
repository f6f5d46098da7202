//! Whether the mirror works.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, FixedOffset, SubsecRound as _};
use serde::Serialize;

use super::failure::Failure;
use crate::error::MirrorError;
use crate::state::App;

/// A mirror that works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// True: one that does not work answers with an error.
    pub ok: bool,
    /// Which mirror this is, e.g. `0.1.0`.
    pub version: String,
    /// What the test clock shows, to the second.
    pub now: DateTime<FixedOffset>,
}

/// Goes once through the writer, so a store that cannot commit shows.
pub(crate) async fn examine(app: &App) -> Result<Health, MirrorError> {
    app.ledger.write(|_| Ok(())).await?;
    let now = app.clocks.now().date_time().trunc_subsecs(0);
    Ok(Health { ok: true, version: env!("CARGO_PKG_VERSION").to_owned(), now })
}

pub(crate) async fn check(State(app): State<App>) -> Result<Json<Health>, Failure> {
    Ok(Json(examine(&app).await?))
}

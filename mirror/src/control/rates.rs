//! The documented rate limits.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::failure::{self, Failure};
use crate::operation::OPERATIONS;
use crate::rate::CountedBy;
use crate::state::App;

/// The documented rate limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rates {
    /// Whether they are enforced.
    pub enforced: bool,
    /// All of them; an operation may have several, or none.
    pub limits: Vec<RateLimit>,
}

/// So many calls of an operation in so many seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RateLimit {
    /// e.g. `coupon.send`.
    pub operation: String,
    /// Whose calls are counted.
    pub by: CountedBy,
    /// How many calls are let through.
    pub calls: u32,
    /// In how many seconds, by the wire clock.
    pub seconds: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Enforcement {
    enforced: bool,
}

pub(crate) async fn set(State(app): State<App>, body: Bytes) -> Result<Json<Rates>, Failure> {
    let wanted: Enforcement = failure::read(&body)?;
    app.rates.enforce(wanted.enforced);
    Ok(Json(shown(&app)))
}

pub(crate) async fn show(State(app): State<App>) -> Json<Rates> {
    Json(shown(&app))
}

pub(crate) fn shown(app: &App) -> Rates {
    let limits = OPERATIONS.iter().flat_map(|operation| {
        operation.limits.iter().map(|limit| RateLimit {
            operation: operation.name.to_owned(),
            by: limit.by,
            calls: limit.calls,
            seconds: limit.seconds,
        })
    });
    Rates { enforced: app.rates.are_enforced(), limits: limits.collect() }
}

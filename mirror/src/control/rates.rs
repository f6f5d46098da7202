//! The documented rate limits.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::operation::OPERATIONS;
use crate::state::App;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rates {
    enforced: bool,
}

pub(crate) async fn set(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let wanted: Rates = failure::read(&body)?;
    app.rates.enforce(wanted.enforced);
    Ok(shown(&app))
}

pub(crate) async fn show(State(app): State<App>) -> Json<Value> {
    shown(&app)
}

fn shown(app: &App) -> Json<Value> {
    let limits: Vec<_> = OPERATIONS
        .iter()
        .flat_map(|operation| operation.limits.iter().map(move |limit| (operation.name, limit)))
        .map(|(operation, limit)| {
            json!({
                "operation": operation,
                "by": limit.by,
                "calls": limit.calls,
                "seconds": limit.seconds,
            })
        })
        .collect();
    Json(json!({ "enforced": app.rates.are_enforced(), "limits": limits }))
}

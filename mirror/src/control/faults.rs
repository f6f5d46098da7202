//! Planned faults.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::error::MirrorError;
use crate::fault::FaultRule;
use crate::state::App;

/// One rule, a list of rules, or an object with the list under `rules`.
pub(crate) async fn plan(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let value: Value = failure::read_any(&body)?;
    let list = match value {
        Value::Array(list) => list,
        Value::Object(mut object) if object.len() == 1 && object.contains_key("rules") => {
            match object.remove("rules") {
                Some(Value::Array(list)) => list,
                _ => return Err(Failure::bad_request("rules must be a list")),
            }
        }
        one => vec![one],
    };
    let rules = list
        .into_iter()
        .map(serde_json::from_value::<FaultRule>)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Failure::bad_request(error.to_string()))?;
    // All or none.
    rules.iter().try_for_each(FaultRule::check)?;
    for rule in rules {
        app.faults.add(rule)?;
    }
    Ok(shown(&app))
}

pub(crate) async fn list(State(app): State<App>) -> Json<Value> {
    shown(&app)
}

pub(crate) async fn clear(State(app): State<App>) -> Json<Value> {
    app.faults.clear();
    shown(&app)
}

pub(crate) async fn remove(State(app): State<App>, Path(id): Path<u64>) -> Result<Json<Value>, Failure> {
    take_back(&app, id)?;
    Ok(shown(&app))
}

/// Takes one fault back.
pub(crate) fn take_back(app: &App, id: u64) -> Result<(), MirrorError> {
    app.faults.remove(id).then_some(()).ok_or(MirrorError::NotFound { what: "fault" })
}

fn shown(app: &App) -> Json<Value> {
    Json(json!({ "faults": app.faults.all() }))
}

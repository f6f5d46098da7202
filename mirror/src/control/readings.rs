//! How the mirror reads what is not documented.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::failure::{self, Failure};
use crate::state::App;

/// Changes the switches that are given; the others stay.
pub(crate) async fn set(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let given: Map<String, Value> = failure::read(&body)?;
    let _one_at_a_time = app.changing.lock().await;
    let mut all = serde_json::to_value(app.readings()).unwrap_or_default();
    if let Some(all) = all.as_object_mut() {
        all.extend(given);
    }
    let readings = serde_json::from_value(all).map_err(|error| Failure::bad_request(error.to_string()))?;
    app.set_readings(readings);
    Ok(shown(&app))
}

pub(crate) async fn show(State(app): State<App>) -> Json<Value> {
    shown(&app)
}

fn shown(app: &App) -> Json<Value> {
    Json(json!({ "readings": list(app) }))
}

/// Every switch, with what each value means.
pub(crate) fn list(app: &App) -> Vec<Value> {
    let entry = |reading: crate::rules::readings::Reading| {
        let values: Vec<_> = reading
            .values
            .iter()
            .map(|(value, meaning)| json!({ "value": value, "meaning": meaning }))
            .collect();
        json!({
            "name": reading.name,
            "section": reading.section,
            "question": reading.question,
            "value": reading.value,
            "values": values,
        })
    };
    app.readings().list().into_iter().map(entry).collect()
}

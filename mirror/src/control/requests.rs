//! The request log.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::App;

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<usize>,
    after: Option<u64>,
}

pub(crate) async fn list(State(app): State<App>, Query(page): Query<Page>) -> Json<Value> {
    let requests = app.log.list(page.limit.unwrap_or(100), page.after.unwrap_or(0));
    Json(json!({ "requests": requests }))
}

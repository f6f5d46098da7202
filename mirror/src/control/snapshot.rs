//! The whole state in a file, and back. Paths are those of the mirror's process.

use std::path::PathBuf;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::snapshot;
use crate::state::App;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snapshot {
    file: PathBuf,
    #[serde(default)]
    overwrite: bool,
}

pub(crate) async fn take(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let wanted: Snapshot = failure::read(&body)?;
    let path = snapshot::take(&app, &wanted.file, wanted.overwrite).await?;
    let bytes = tokio::task::spawn_blocking({
        let path = path.clone();
        move || path.metadata().map(|metadata| metadata.len()).unwrap_or_default()
    });
    Ok(Json(json!({ "file": path, "bytes": bytes.await.unwrap_or_default() })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Restore {
    file: PathBuf,
}

pub(crate) async fn restore(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let wanted: Restore = failure::read(&body)?;
    let path = snapshot::restore(&app, &wanted.file).await?;
    Ok(Json(json!({ "file": path, "now": app.clocks.now().rfc3339() })))
}

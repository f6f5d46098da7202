//! Notifications and their deliveries.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::error::MirrorError;
use crate::ledger::notifications;
use crate::notify::NotificationRecord;
use crate::state::App;

const NOT_FOUND: MirrorError = MirrorError::NotFound { what: "notification" };
/// Most notifications one call answers.
const LARGEST_PAGE: usize = 10_000;

pub(crate) async fn page(
    app: &App,
    limit: usize,
    after: u64,
) -> Result<Vec<NotificationRecord>, MirrorError> {
    let limit = limit.min(LARGEST_PAGE);
    Ok(app.ledger.read(move |db| notifications::list(db, limit, after)).await?)
}

/// Delivers once more; answers the notification afterwards.
pub(crate) async fn replay_one(app: &App, name: &str) -> Result<NotificationRecord, MirrorError> {
    let name = name.to_owned();
    let id = app.ledger.read(move |db| notifications::number(db, &name)).await?.ok_or(NOT_FOUND)?;
    app.notify.ask_replay(id).await?;
    app.ledger.read(move |db| notifications::show(db, id)).await?.ok_or(NOT_FOUND)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Switches {
    notify_sends: bool,
}

/// Whether coupons given are notified too.
pub(crate) async fn set(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let switches: Switches = failure::read(&body)?;
    app.notify.set_sends(switches.notify_sends);
    Ok(Json(json!({ "notify_sends": app.notify.sends() })))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<usize>,
    after: Option<u64>,
}

pub(crate) async fn list(State(app): State<App>, Query(wanted): Query<Page>) -> Result<Json<Value>, Failure> {
    let callbacks = page(&app, wanted.limit.unwrap_or(100), wanted.after.unwrap_or(0)).await?;
    Ok(Json(json!({ "callbacks": callbacks })))
}

pub(crate) async fn replay(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<NotificationRecord>, Failure> {
    Ok(Json(replay_one(&app, &name).await?))
}

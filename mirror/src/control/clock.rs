//! The test clock.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::clock::ClockMode;
use crate::error::MirrorError;
use crate::ledger::{clock, prefunds};
use crate::moment::Moment;
use crate::state::App;

/// A change of the test clock.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Advance(Duration),
    Set(Moment),
    Freeze,
    Unfreeze,
}

impl Change {
    fn apply(self, mode: ClockMode) -> ClockMode {
        match self {
            Self::Advance(by) => mode.advance(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
            Self::Set(time) => mode.set(time),
            Self::Freeze => mode.freeze(),
            Self::Unfreeze => mode.unfreeze(),
        }
    }
}

/// Changes the clock, and does what falls due with the new time, before it returns.
pub(crate) async fn change(app: &App, changes: &[Change]) -> Result<Moment, MirrorError> {
    let _one_at_a_time = app.changing.lock().await;
    let mode = changes.iter().fold(app.clocks.mode(), |mode, change| change.apply(mode));
    app.ledger
        .write(move |db| {
            clock::save(db, mode)?;
            prefunds::release_ended(db, mode.now())
        })
        .await?;
    app.clocks.set_mode(mode);
    Ok(mode.now())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    freeze: Option<bool>,
    set: Option<DateTime<FixedOffset>>,
    advance_seconds: Option<u64>,
}

/// Several at once are done in the order freeze, set, advance.
pub(crate) async fn set(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let request: Request = failure::read(&body)?;
    let freeze = request.freeze.map(|freeze| if freeze { Change::Freeze } else { Change::Unfreeze });
    let set = request.set.map(|time| Change::Set(time.into()));
    let advance = request.advance_seconds.map(|seconds| Change::Advance(Duration::from_secs(seconds)));
    let changes: Vec<_> = [freeze, set, advance].into_iter().flatten().collect();
    if changes.is_empty() {
        return Err(Failure::bad_request("one of advance_seconds, set and freeze is needed"));
    }
    change(&app, &changes).await?;
    Ok(shown(&app))
}

pub(crate) async fn show(State(app): State<App>) -> Json<Value> {
    shown(&app)
}

fn shown(app: &App) -> Json<Value> {
    let text = |moment: Moment| moment.date_time().to_rfc3339_opts(SecondsFormat::AutoSi, false);
    Json(json!({
        "now": text(app.clocks.now()),
        "frozen": app.clocks.mode().is_frozen(),
        "wire_now": text(app.clocks.wire_now()),
    }))
}

//! The test clock.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use super::failure::{self, Failure};
use crate::clock::{ClockMode, FASTEST};
use crate::error::MirrorError;
use crate::moment::Moment;
use crate::state::App;
use crate::timeline;

/// What the clocks show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClockState {
    /// What the test clock shows.
    pub now: DateTime<FixedOffset>,
    /// Whether the test clock stands still.
    pub frozen: bool,
    /// How many times as fast as the machine's the test clock runs; a frozen one, once it is let go.
    pub rate: u32,
    /// What the clock of signatures shows.
    pub wire_now: DateTime<FixedOffset>,
}

/// A change of the test clock.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Advance(Duration),
    Set(Moment),
    Freeze,
    Unfreeze,
    Rate(u32),
}

impl Change {
    fn apply(self, mode: ClockMode) -> ClockMode {
        match self {
            Self::Advance(by) => mode.advance(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
            Self::Set(time) => mode.set(time),
            Self::Freeze => mode.freeze(),
            Self::Unfreeze => mode.unfreeze(),
            Self::Rate(rate) => mode.at_rate(rate),
        }
    }
}

/// Refuses rates that a clock cannot have.
pub(crate) fn check_rate(rate: u32) -> Result<(), MirrorError> {
    if (1..=FASTEST).contains(&rate) {
        return Ok(());
    }
    Err(MirrorError::Refused {
        reason: format!("a clock runs 1 to {FASTEST} times as fast as the machine's"),
    })
}

/// Changes the clock. When this returns, everything due by the new time has happened.
pub(crate) async fn change(app: &App, changes: &[Change]) -> Result<Moment, MirrorError> {
    let _one_at_a_time = app.timeline.moving.lock().await;
    let mode = changes.iter().fold(app.clocks.mode(), |mode, change| change.apply(mode));
    timeline::travel(app, mode).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    freeze: Option<bool>,
    set: Option<DateTime<FixedOffset>>,
    advance_seconds: Option<u64>,
    rate: Option<u32>,
}

/// Several at once are done in the order rate, freeze, set, advance.
pub(crate) async fn set(State(app): State<App>, body: Bytes) -> Result<Json<ClockState>, Failure> {
    let request: Request = failure::read(&body)?;
    if let Some(rate) = request.rate {
        check_rate(rate).map_err(|error| Failure::bad_request(error.to_string()))?;
    }
    let rate = request.rate.map(Change::Rate);
    let freeze = request.freeze.map(|freeze| if freeze { Change::Freeze } else { Change::Unfreeze });
    let set = request.set.map(|time| Change::Set(time.into()));
    let advance = request.advance_seconds.map(|seconds| Change::Advance(Duration::from_secs(seconds)));
    let changes: Vec<_> = [rate, freeze, set, advance].into_iter().flatten().collect();
    if changes.is_empty() {
        return Err(Failure::bad_request("one of advance_seconds, set, freeze and rate is needed"));
    }
    change(&app, &changes).await?;
    Ok(Json(shown(&app)))
}

pub(crate) async fn show(State(app): State<App>) -> Json<ClockState> {
    Json(shown(&app))
}

pub(crate) fn shown(app: &App) -> ClockState {
    let mode = app.clocks.mode();
    ClockState {
        now: app.clocks.now().date_time(),
        frozen: mode.is_frozen(),
        rate: mode.rate(),
        wire_now: app.clocks.wire_now().date_time(),
    }
}

//! `POST …/pause`, `…/restart` and `…/stop`.

use axum::Extension;
use axum::extract::{Path, State};
use rusqlite::Connection;
use serde_json::json;

use super::{CREATOR, Refused, STOCK_ID, find, stock_id};
use crate::answer::Answer;
use crate::exchange::Call;
use crate::fields::Fields;
use crate::ledger::stocks;
use crate::moment::Moment;
use crate::parameters;
use crate::rules::lifecycle::{self, Action, Decision, LifecycleView};
use crate::rules::readings::Readings;
use crate::state::App;

/// `POST …/stocks/{stock_id}/pause`
pub(crate) async fn pause(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    act(&app, id, &call, Action::Pause).await
}

/// `POST …/stocks/{stock_id}/restart`
pub(crate) async fn restart(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    act(&app, id, &call, Action::Restart).await
}

/// `POST …/stocks/{stock_id}/stop`
pub(crate) async fn stop(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    act(&app, id, &call, Action::Stop).await
}

async fn act(app: &App, id: String, call: &Call, action: Action) -> Result<Answer, Answer> {
    let id = parameters::path(id, STOCK_ID, 20)?;
    let body = parameters::body(call)?;
    let creator = Fields::body(&body).required_text(CREATOR, 20)?.to_owned();
    let view = LifecycleView::of(call, app.readings());
    let wanted = stock_id(&id);
    let clocks = app.clocks.clone();
    let work = move |db: &Connection| act_in(db, view, wanted, action, &creator, clocks.now());
    let time = app.ledger.write(work).await??;
    let key = match action {
        Action::Pause => "pause_time",
        Action::Restart => "restart_time",
        Action::Stop => "stop_time",
    };
    Ok(Answer::ok(&json!({ key: time.rfc3339(), "stock_id": id })))
}

pub(crate) fn act_in(
    db: &Connection,
    mut view: LifecycleView,
    wanted: Option<i64>,
    action: Action,
    named_creator: &str,
    now: Moment,
) -> Refused<Moment> {
    view.stock = find(db, wanted)?;
    match lifecycle::decide(&view, action, named_creator, now) {
        Ok(Decision::Change) => {
            let id = wanted.unwrap_or_default();
            match action {
                Action::Pause => stocks::mark_paused(db, id, now)?,
                Action::Restart => stocks::mark_restarted(db, id, now)?,
                Action::Stop => stocks::mark_stopped(db, id, now)?,
            }
            Ok(Ok(now))
        }
        Ok(Decision::Unchanged { since }) => Ok(Ok(since)),
        Err(refusal) => Ok(Err(refusal)),
    }
}

impl LifecycleView {
    /// What the call itself says; the stock is still to be looked up.
    pub(super) fn of(call: &Call, readings: Readings) -> Self {
        Self {
            mchid: call.merchant.mchid().to_owned(),
            product_permission: call.merchant.product_permission,
            stock: None,
            readings,
        }
    }
}

//! Back to the beginning.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::failure::Failure;
use crate::error::MirrorError;
use crate::ledger::schema::STATE_TABLES;
use crate::ledger::{clock, keys};
use crate::state::App;

/// Forgets stocks, coupons, users, the log and the moved clock; faults are those of the start and balances are as
/// seeded. Keys and merchants stay, since clients hold them.
pub(crate) async fn reset_all(app: &App) -> Result<(), MirrorError> {
    let _no_move = app.timeline.moving.lock().await;
    let _one_at_a_time = app.changing.lock().await;
    let mode = app.settings.first_clock;
    // What is planned for keys stays as far away as it is.
    let shift = mode.now().millis().saturating_sub(app.clocks.now().millis());
    let platform = app.platform().shifted(shift);
    let (kept, app_) = (platform.clone(), App::clone(app));
    app.ledger
        .write(move |db| {
            app_.notify.forget();
            for table in STATE_TABLES {
                db.execute(&format!("DELETE FROM {table}"), [])?;
            }
            db.execute("UPDATE merchants SET balance = deposited", [])?;
            keys::save(db, &kept)?;
            clock::save(db, mode)
        })
        .await?;
    app.clocks.set_mode(mode);
    app.replace_platform(platform);
    app.timeline.changed();
    app.faults.reset();
    app.rates.clear();
    app.links.clear();
    app.log.clear();
    Ok(())
}

pub(crate) async fn reset(State(app): State<App>) -> Result<Json<Value>, Failure> {
    reset_all(&app).await?;
    Ok(Json(json!({})))
}

//! Back to the beginning.

use axum::Json;
use axum::extract::State;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::failure::Failure;
use crate::error::MirrorError;
use crate::ledger::schema::STATE_TABLES;
use crate::ledger::{all_or_nothing, clock, keys};
use crate::seed;
use crate::state::App;

/// Forgets stocks, coupons, users, cards with their accounts and tokens, the log and the moved clock, and puts back
/// what the seed holds and the faults of the start. Balances are what was paid in. Keys and merchants stay, since clients hold them.
pub(crate) async fn reset_all(app: &App) -> Result<(), MirrorError> {
    let _no_move = app.timeline.moving.lock().await;
    let _one_at_a_time = app.changing.lock().await;
    let mode = app.settings.first_clock;
    // What is planned for keys stays as far away as it is.
    let shift = mode.now().millis().saturating_sub(app.clocks.now().millis());
    let platform = app.platform().shifted(shift);
    let (kept, app_) = (platform.clone(), App::clone(app));
    let (seed, merchants) = (app.settings.seed.clone(), app.merchants());
    let (start_delay, monthly_cap) = (app.settings.start_delay, app.settings.monthly_cap);
    let empty = move |db: &Connection| -> Result<(), MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        app_.notify.forget();
        for table in STATE_TABLES {
            db.execute(&format!("DELETE FROM {table}"), []).map_err(storage)?;
        }
        db.execute("UPDATE merchants SET balance = deposited", []).map_err(storage)?;
        keys::save(db, &kept).map_err(storage)?;
        clock::save(db, mode).map_err(storage)?;
        if let Some(seed) = &seed {
            let world = seed::World { merchants: &merchants, start_delay, monthly_cap, now: mode.now() };
            seed::apply(db, seed, world)?;
        }
        Ok(())
    };
    app.ledger.write(move |db| all_or_nothing(db, empty)).await??;
    app.clocks.set_mode(mode);
    app.replace_platform(platform);
    app.timeline.changed();
    app.faults.reset();
    app.rates.clear();
    app.nonces.clear();
    app.request_ids.restart();
    app.links.clear();
    app.log.clear();
    Ok(())
}

pub(crate) async fn reset(State(app): State<App>) -> Result<Json<Value>, Failure> {
    reset_all(&app).await?;
    Ok(Json(json!({})))
}

//! Back to the beginning.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::failure::Failure;
use crate::error::MirrorError;
use crate::ledger::clock;
use crate::ledger::schema::STATE_TABLES;
use crate::state::App;

/// Forgets stocks, coupons, users, the log and the moved clock; faults are those of the start and balances are as
/// seeded. Keys and merchants stay, since clients hold them.
pub(crate) async fn reset_all(app: &App) -> Result<(), MirrorError> {
    let _one_at_a_time = app.changing.lock().await;
    let mode = app.settings.first_clock;
    app.ledger
        .write(move |db| {
            for table in STATE_TABLES {
                db.execute(&format!("DELETE FROM {table}"), [])?;
            }
            db.execute("UPDATE merchants SET balance = deposited", [])?;
            clock::save(db, mode)
        })
        .await?;
    app.clocks.set_mode(mode);
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

//! The platform's keys: rotation, and the move to the public key.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::error::MirrorError;
use crate::ledger::keys;
use crate::platform_keys::{PlatformKeys, PublicKeyPhase};
use crate::state::App;

/// Adds a certificate that signs from now on; answers the serials now served.
pub(crate) async fn rotate_now(app: &App) -> Result<Vec<String>, MirrorError> {
    let _one_at_a_time = app.changing.lock().await;
    let mut platform = PlatformKeys::clone(&app.platform());
    let now = app.clocks.wire_now();
    let current = platform.clone();
    let next = tokio::task::spawn_blocking(move || current.next_certificate(now))
        .await
        .map_err(|_| MirrorError::Stopped)??;
    let kept = next.clone();
    app.ledger.write(move |db| keys::insert_certificate(db, &kept)).await?;
    platform.certificates.push(next);
    app.replace_platform(platform);
    Ok(serials(app))
}

pub(crate) async fn change_phase(
    app: &App,
    phase: PublicKeyPhase,
    certificates_void: bool,
) -> Result<(), MirrorError> {
    let _one_at_a_time = app.changing.lock().await;
    app.ledger.write(move |db| keys::save_phase(db, phase, certificates_void)).await?;
    let platform = PlatformKeys { phase, certificates_void, ..PlatformKeys::clone(&app.platform()) };
    app.replace_platform(platform);
    Ok(())
}

pub(crate) fn serials(app: &App) -> Vec<String> {
    app.platform().served(app.clocks.wire_now()).map(|known| known.serial_no.clone()).collect()
}

pub(crate) async fn rotate(State(app): State<App>) -> Result<Json<Value>, Failure> {
    Ok(Json(json!({ "serials": rotate_now(&app).await? })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phase {
    phase: PublicKeyPhase,
    #[serde(default)]
    certificates_void: bool,
}

pub(crate) async fn set_phase(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let wanted: Phase = failure::read(&body)?;
    change_phase(&app, wanted.phase, wanted.certificates_void).await?;
    Ok(shown(&app))
}

pub(crate) async fn show(State(app): State<App>) -> Json<Value> {
    shown(&app)
}

fn shown(app: &App) -> Json<Value> {
    let platform = app.platform();
    Json(json!({
        "phase": platform.phase,
        "certificates_void": platform.certificates_void,
        "serials": serials(app),
        "public_key_id": platform.public_key.serial,
        "public_key": platform.public_key.key.public_pem(),
    }))
}

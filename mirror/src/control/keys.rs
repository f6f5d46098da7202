//! The platform's keys: rotation, and the move to the public key.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use chrono::{DateTime, FixedOffset, SubsecRound as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::error::MirrorError;
use crate::ledger::keys;
use crate::moment::Moment;
use crate::platform_keys::{KeyRotation, PlatformKeys, PublicKeyPhase, Rotation, RotationSchedule};
use crate::state::App;

/// The platform's keys as they are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyState {
    /// How far the move to the public key has come.
    pub phase: PublicKeyPhase,
    /// Whether the move has ended: certificates are void and no longer served.
    pub certificates_void: bool,
    /// Since when notifications are mixed, on the test clock, while they are.
    pub grey_since: Option<DateTime<FixedOffset>>,
    /// Serials of the certificates now served, oldest first.
    pub serials: Vec<String>,
    /// The certificates now served, oldest first.
    pub certificates: Vec<CertificateState>,
    /// The schedule by which certificates follow each other, if there is one.
    pub schedule: Option<ScheduleState>,
    /// Id of the public key, `PUB_KEY_ID_…`.
    pub public_key_id: String,
    /// The public key as PEM.
    pub public_key: String,
}

/// A platform certificate that is served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CertificateState {
    /// Its serial number.
    pub serial_no: String,
    /// Whether it signs where the public key does not.
    pub signs: bool,
    /// From when on it signs, on the test clock; none of one that did from the start.
    pub signs_from: Option<DateTime<FixedOffset>>,
    /// Until when it is listed, on the test clock; none where there is no end.
    pub listed_until: Option<DateTime<FixedOffset>>,
}

/// A schedule in force. Seconds of the test clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ScheduleState {
    /// How long each certificate signs.
    pub rotate_every_seconds: i64,
    /// How long each is listed before it signs.
    pub lead_seconds: i64,
    /// How long each stays listed after the next one began to sign.
    pub overlap_seconds: i64,
    /// When the next one is listed.
    pub next_listed: DateTime<FixedOffset>,
}

/// Adds a certificate; answers the serials now served.
pub(crate) async fn rotate_now(app: &App, rotation: KeyRotation) -> Result<Vec<String>, MirrorError> {
    replace(app, move |keys, app| keys.rotated(rotation, app.clocks.both()).map(Some)).await?;
    Ok(serials(app))
}

/// Adds the certificates that the schedule wants by now.
pub(crate) async fn catch_up(app: &App) -> Result<(), MirrorError> {
    let now = app.clocks.now();
    if app.platform().rotation.is_none_or(|rotation| rotation.due() > now) {
        return Ok(());
    }
    replace(app, |keys, app| keys.caught_up(app.clocks.both())).await
}

/// Begins a schedule from now, or ends the one there is.
pub(crate) async fn schedule(app: &App, schedule: Option<RotationSchedule>) -> Result<(), MirrorError> {
    let now = app.clocks.now();
    let rotation = schedule.map(|schedule| Rotation::begin(schedule, now)).transpose()?;
    replace(app, move |keys, _| Ok(Some(PlatformKeys { rotation, ..keys.clone() }))).await
}

pub(crate) async fn change_phase(
    app: &App,
    phase: PublicKeyPhase,
    certificates_void: bool,
) -> Result<(), MirrorError> {
    replace(app, move |keys, app| {
        let migration = keys.migration.change(phase, certificates_void, app.clocks.now());
        Ok(Some(PlatformKeys { migration, ..keys.clone() }))
    })
    .await
}

/// Puts other keys into the place of those in force, in the store and then here.
async fn replace<F>(app: &App, change: F) -> Result<(), MirrorError>
where
    F: FnOnce(&PlatformKeys, &App) -> Result<Option<PlatformKeys>, MirrorError> + Send + 'static,
{
    let _one_at_a_time = app.changing.lock().await;
    let app_ = App::clone(app);
    let changed = tokio::task::spawn_blocking(move || change(&app_.platform(), &app_))
        .await
        .map_err(|_| MirrorError::Stopped)??;
    let Some(changed) = changed else { return Ok(()) };
    let kept = changed.clone();
    app.ledger.write(move |db| keys::save(db, &kept)).await?;
    app.replace_platform(changed);
    app.timeline.changed();
    Ok(())
}

pub(crate) fn serials(app: &App) -> Vec<String> {
    app.platform().served(app.clocks.both()).map(|known| known.serial_no.clone()).collect()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    #[serde(default)]
    lead_seconds: u64,
    overlap_seconds: Option<u64>,
}

pub(crate) async fn rotate(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let wanted: Rotate = failure::read(&body)?;
    let mut rotation = KeyRotation::default().lead(Duration::from_secs(wanted.lead_seconds));
    rotation.overlap = wanted.overlap_seconds.map(Duration::from_secs);
    Ok(Json(json!({ "serials": rotate_now(&app, rotation).await? })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Schedule {
    rotate_every_seconds: Option<u64>,
    lead_seconds: Option<u64>,
    overlap_seconds: Option<u64>,
}

/// `rotate_every_seconds` left out, null or 0 ends the schedule.
pub(crate) async fn set_schedule(State(app): State<App>, body: Bytes) -> Result<Json<KeyState>, Failure> {
    let wanted: Schedule = failure::read(&body)?;
    let every = wanted.rotate_every_seconds.filter(|every| *every > 0);
    if every.is_none() && (wanted.lead_seconds.is_some() || wanted.overlap_seconds.is_some()) {
        return Err(Failure::bad_request("a lead or an overlap needs rotate_every_seconds"));
    }
    let wanted = every.map(|every| {
        let mut schedule = RotationSchedule::every(Duration::from_secs(every));
        schedule.lead = wanted.lead_seconds.map_or(schedule.lead, Duration::from_secs);
        schedule.overlap = wanted.overlap_seconds.map_or(schedule.overlap, Duration::from_secs);
        schedule
    });
    schedule(&app, wanted).await?;
    Ok(Json(shown(&app)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phase {
    phase: PublicKeyPhase,
    #[serde(default)]
    certificates_void: bool,
}

pub(crate) async fn set_phase(State(app): State<App>, body: Bytes) -> Result<Json<KeyState>, Failure> {
    let wanted: Phase = failure::read(&body)?;
    change_phase(&app, wanted.phase, wanted.certificates_void).await?;
    Ok(Json(shown(&app)))
}

pub(crate) async fn show(State(app): State<App>) -> Json<KeyState> {
    Json(shown(&app))
}

/// To the second, as the platform says times.
fn time(moment: Moment) -> DateTime<FixedOffset> {
    moment.date_time().trunc_subsecs(0)
}

pub(crate) fn shown(app: &App) -> KeyState {
    let platform = app.platform();
    let now = app.clocks.both();
    let signer = platform.signer(None, false, now.test).serial;
    let certificates = platform.served(now).map(|known| CertificateState {
        serial_no: known.serial_no.clone(),
        signs: known.serial_no == signer,
        signs_from: known.signs_from.map(time),
        listed_until: known.listed_until.map(time),
    });
    KeyState {
        phase: platform.migration.phase,
        certificates_void: platform.migration.certificates_void,
        grey_since: platform.migration.grey_since.map(time),
        serials: serials(app),
        certificates: certificates.collect(),
        schedule: platform.rotation.map(|rotation| ScheduleState {
            rotate_every_seconds: rotation.every / 1_000,
            lead_seconds: rotation.lead / 1_000,
            overlap_seconds: rotation.overlap / 1_000,
            next_listed: time(rotation.due()),
        }),
        public_key_id: platform.public_key.serial.clone(),
        public_key: platform.public_key.key.public_pem().to_owned(),
    }
}

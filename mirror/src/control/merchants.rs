//! Merchants.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::directory::Directory;
use crate::error::MirrorError;
use crate::ledger::merchants;
use crate::merchant::{KnownMerchant, Merchant, MerchantChange, MerchantSeed};
use crate::state::App;

pub(crate) async fn add_seed(app: &App, seed: MerchantSeed) -> Result<Merchant, MirrorError> {
    let _one_at_a_time = app.changing.lock().await;
    let mut directory = Directory::clone(&app.merchants());
    if directory.find(&seed.mchid).is_some() {
        return Err(MirrorError::Seed { mchid: seed.mchid, reason: "the id is taken".to_owned() });
    }
    let taken: Vec<_> = directory.all().map(|merchant| merchant.public.private_key_pem.clone()).collect();
    let now = app.clocks.wire_now();
    let deposit = seed.balance_fen;
    let known = tokio::task::spawn_blocking(move || KnownMerchant::from_seed(&seed, &taken, now))
        .await
        .map_err(|_| MirrorError::Stopped)??;
    let public = known.public.clone();
    let known = app
        .ledger
        .write(move |db| {
            merchants::insert(db, &known, deposit)?;
            Ok(known)
        })
        .await?;
    directory.add(known);
    app.replace_merchants(directory);
    Ok(public)
}

/// Changes a merchant, and answers it as it is now.
pub(crate) async fn change_one(
    app: &App,
    mchid: &str,
    change: MerchantChange,
) -> Result<Merchant, MirrorError> {
    let _one_at_a_time = app.changing.lock().await;
    let mut directory = Directory::clone(&app.merchants());
    let held = directory.find(mchid).ok_or(MirrorError::NotFound { what: "merchant" })?;
    let (now, top_up) = (app.clocks.wire_now(), change.top_up_fen);
    let known = tokio::task::spawn_blocking(move || held.changed(&change, now))
        .await
        .map_err(|_| MirrorError::Stopped)??;
    let public = known.public.clone();
    let known = app
        .ledger
        .write(move |db| {
            merchants::update(db, &known, top_up)?;
            Ok(known)
        })
        .await?;
    directory.replace(known);
    app.replace_merchants(directory);
    Ok(public)
}

pub(crate) async fn change(
    State(app): State<App>,
    Path(mchid): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Failure> {
    Ok(keys(&change_one(&app, &mchid, failure::read(&body)?).await?))
}

/// The answer holds the private key and the APIv3 key: whoever adds a merchant wants to be it.
pub(crate) async fn add(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    Ok(keys(&add_seed(&app, failure::read(&body)?).await?))
}

fn keys(merchant: &Merchant) -> Json<Value> {
    Json(json!({
        "mchid": merchant.mchid,
        "serial_no": merchant.serial_no,
        "private_key_pem": merchant.private_key_pem,
        "certificate_pem": merchant.certificate_pem,
        "api_v3_key": merchant.api_v3_key,
        "appids": merchant.appids,
        "app_secret": merchant.app_secret,
    }))
}

pub(crate) async fn list(State(app): State<App>) -> Result<Json<Value>, Failure> {
    let balances = app.ledger.read(merchants::balances).await?;
    let directory = app.merchants();
    let list: Vec<_> = balances
        .iter()
        .filter_map(|(mchid, balance)| {
            let merchant = directory.find(mchid)?;
            Some(json!({
                "mchid": mchid,
                "serial_no": merchant.public.serial_no,
                "appids": merchant.public.appids,
                "balance_fen": balance,
                "certificate_expires": merchant.certificate.as_ref().map(|held| held.not_after.rfc3339()),
                "product_permission": merchant.product_permission,
                "event_permission": merchant.event_permission,
                "public_key_only": merchant.public_key_only,
                "brand": merchant.brand,
                "service_provider": merchant.service_provider,
            }))
        })
        .collect();
    Ok(Json(json!({ "merchants": list })))
}

//! Merchants.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::directory::Directory;
use crate::error::MirrorError;
use crate::ledger::merchants;
use crate::merchant::{KnownMerchant, Merchant, MerchantSeed};
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

/// The answer holds the private key and the APIv3 key: whoever adds a merchant wants to be it.
pub(crate) async fn add(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let merchant = add_seed(&app, failure::read(&body)?).await?;
    Ok(Json(json!({
        "mchid": merchant.mchid,
        "serial_no": merchant.serial_no,
        "private_key_pem": merchant.private_key_pem,
        "certificate_pem": merchant.certificate_pem,
        "api_v3_key": merchant.api_v3_key,
        "appids": merchant.appids,
        "app_secret": merchant.app_secret,
    })))
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
                "product_permission": merchant.product_permission,
                "public_key_only": merchant.public_key_only,
                "brand": merchant.brand,
            }))
        })
        .collect();
    Ok(Json(json!({ "merchants": list })))
}

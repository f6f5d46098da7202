//! Merchants that may send another's stock.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::error::MirrorError;
use crate::ledger::stocks;
use crate::state::App;
use crate::stock::stock_id;

pub(crate) async fn authorise(app: &App, stock: &str, mchid: &str) -> Result<(), MirrorError> {
    if app.merchants().find(mchid).is_none() {
        return Err(MirrorError::NotFound { what: "merchant" });
    }
    let id = stock_id(stock).ok_or(MirrorError::NotFound { what: "stock" })?;
    let mchid = mchid.to_owned();
    let found = app
        .ledger
        .write(move |db| {
            let found = stocks::find(db, id)?.is_some();
            if found {
                stocks::add_sender(db, id, &mchid)?;
            }
            Ok(found)
        })
        .await?;
    if found { Ok(()) } else { Err(MirrorError::NotFound { what: "stock" }) }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sender {
    mchid: String,
}

pub(crate) async fn add(
    State(app): State<App>,
    Path(stock): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Failure> {
    let sender: Sender = failure::read(&body)?;
    authorise(&app, &stock, &sender.mchid).await?;
    Ok(Json(json!({ "stock_id": stock, "mchid": sender.mchid })))
}

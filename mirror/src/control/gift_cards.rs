//! Gift cards from the phones' side, by HTTP.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::card::gift_cards::desk as gift_desk;
use crate::card::gift_cards::record::{GiftOrderRecord, InvoiceRecord};
use crate::state::App;

/// Orders where the call says nothing.
const USUAL_ORDERS: u32 = 100;

pub(crate) async fn buy(State(app): State<App>, body: Bytes) -> Result<Json<GiftOrderRecord>, Failure> {
    Ok(Json(gift_desk::buy(&app, failure::read(&body)?).await?))
}

pub(crate) async fn send(State(app): State<App>, body: Bytes) -> Result<Json<GiftOrderRecord>, Failure> {
    Ok(Json(gift_desk::send(&app, failure::read(&body)?).await?))
}

pub(crate) async fn accept(State(app): State<App>, body: Bytes) -> Result<Json<GiftOrderRecord>, Failure> {
    Ok(Json(gift_desk::accept(&app, failure::read(&body)?).await?))
}

pub(crate) async fn invoice(State(app): State<App>, body: Bytes) -> Result<Json<InvoiceRecord>, Failure> {
    Ok(Json(gift_desk::invoice(&app, failure::read(&body)?).await?))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<u32>,
}

/// Orders of all accounts, newest first.
pub(crate) async fn orders(State(app): State<App>, Query(page): Query<Page>) -> Result<Json<Value>, Failure> {
    Ok(Json(json!({ "orders": gift_desk::orders(&app, page.limit.unwrap_or(USUAL_ORDERS)).await? })))
}

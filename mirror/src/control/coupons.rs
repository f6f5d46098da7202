//! Paying with coupons and refunding.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::payment::{self, CouponRecord};
use crate::state::App;

pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<CouponRecord>, Failure> {
    Ok(Json(payment::show(&app, &id).await?))
}

pub(crate) async fn redeem(
    State(app): State<App>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<CouponRecord>, Failure> {
    Ok(Json(payment::redeem(&app, &id, failure::read(&body)?).await?))
}

pub(crate) async fn refund(
    State(app): State<App>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<CouponRecord>, Failure> {
    Ok(Json(payment::refund(&app, &id, failure::read(&body)?).await?))
}

pub(crate) async fn expire(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<CouponRecord>, Failure> {
    Ok(Json(payment::expire(&app, &id).await?))
}

pub(crate) async fn recover(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<CouponRecord>, Failure> {
    Ok(Json(payment::recover(&app, &id).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fill {
    rows: i64,
}

pub(crate) async fn fill(
    State(app): State<App>,
    Path(stock): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Failure> {
    let fill: Fill = failure::read(&body)?;
    payment::fill(&app, &stock, fill.rows).await?;
    Ok(Json(json!({ "stock_id": stock, "rows": fill.rows })))
}

//! The card API's other side by HTTP.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::card::act::Deed;
use crate::card::desk;
use crate::card::record::{CardAccount, CardReview, SubMerchantReview, UserCard};
use crate::state::App;

/// Events where the call says nothing.
const USUAL_EVENTS: u32 = 100;
/// Codes that are shown.
const CODES: u32 = 1_000;

pub(crate) async fn claim(State(app): State<App>, body: Bytes) -> Result<Json<UserCard>, Failure> {
    Ok(Json(desk::claim(&app, failure::read(&body)?).await?))
}

macro_rules! deeds {
    ($($name:ident $deed:ident;)*) => {
        $(pub(crate) async fn $name(State(app): State<App>, body: Bytes) -> Result<Json<UserCard>, Failure> {
            Ok(Json(desk::act(&app, Deed::$deed, failure::read(&body)?).await?))
        })*
    };
}

deeds! {
    gift Gift;
    accept Accept;
    reopen Reopen;
    remove Remove;
    restore Restore;
    redeem Redeem;
    view View;
    enter_session EnterSession;
    submit_form SubmitForm;
    pay Pay;
}

/// Sets an account up. A new address is kept only if it answers the echostr.
pub(crate) async fn set_account(State(app): State<App>, body: Bytes) -> Result<Json<CardAccount>, Failure> {
    Ok(Json(desk::set_account(&app, failure::read(&body)?).await?))
}

/// Accounts, without their secrets, and how many tokens each was given.
pub(crate) async fn list_accounts(State(app): State<App>) -> Result<Json<Value>, Failure> {
    Ok(Json(json!({ "accounts": desk::list_accounts(&app).await? })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Whose {
    appid: Option<String>,
}

/// All tokens of an account are stale from now on: as if somebody else had asked for one.
pub(crate) async fn stale_tokens(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let whose: Whose = failure::read(&body)?;
    Ok(Json(json!({ "stale": desk::stale_tokens(&app, whose.appid).await? })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Review {
    /// Why it is refused; none when it passes.
    refused: Option<String>,
}

/// The review answers now.
pub(crate) async fn review(
    State(app): State<App>,
    Path(card_id): Path<String>,
    body: Bytes,
) -> Result<Json<CardReview>, Failure> {
    let wanted: Review = failure::read(&body)?;
    Ok(Json(desk::review(&app, card_id, wanted.refused).await?))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SubMerchantAnswer {
    appid: Option<String>,
    refused: Option<String>,
}

/// The review of a sub-merchant answers.
pub(crate) async fn review_sub_merchant(
    State(app): State<App>,
    Path(id): Path<i64>,
    body: Bytes,
) -> Result<Json<SubMerchantReview>, Failure> {
    let wanted: SubMerchantAnswer = failure::read(&body)?;
    Ok(Json(desk::review_sub_merchant(&app, wanted.appid, id, wanted.refused).await?))
}

/// Codes of a card, oldest first, at most 1,000.
pub(crate) async fn list_codes(
    State(app): State<App>,
    Path(card_id): Path<String>,
) -> Result<Json<Value>, Failure> {
    Ok(Json(json!({ "codes": desk::codes(&app, card_id, CODES).await? })))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<u32>,
}

/// Events with what became of them, newest first.
pub(crate) async fn list_events(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Failure> {
    Ok(Json(json!({ "events": desk::events(&app, page.limit.unwrap_or(USUAL_EVENTS)).await? })))
}

//! The card API's other side by HTTP.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::card::act::{CardAct, ClaimCard, Deed};
use crate::card::desk;
use crate::card::record::{CardAccount, CardEventRecord, CardReview, CoinOrder, SubMerchantReview, UserCard};
use crate::state::App;

/// Events and messages where the call says nothing.
const USUAL_PAGE: u32 = 100;
/// Codes that are shown.
const CODES: u32 = 1_000;

pub(crate) async fn claim(State(app): State<App>, body: Bytes) -> Result<Json<UserCard>, Failure> {
    let claim: ClaimCard = failure::read(&body)?;
    needed("openid", &claim.openid)?;
    Ok(Json(desk::claim(&app, claim).await?))
}

/// A field that no card act can do without.
fn needed(field: &str, value: &str) -> Result<(), Failure> {
    match value {
        "" => Err(Failure::bad_request(format!("missing field `{field}`"))),
        _ => Ok(()),
    }
}

macro_rules! deeds {
    ($($name:ident $deed:ident;)*) => {
        $(pub(crate) async fn $name(State(app): State<App>, body: Bytes) -> Result<Json<UserCard>, Failure> {
            let act: CardAct = failure::read(&body)?;
            needed("code", &act.code)?;
            Ok(Json(desk::act(&app, Deed::$deed, act).await?))
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
    Ok(Json(json!({ "events": desk::events(&app, page.limit.unwrap_or(USUAL_PAGE)).await? })))
}

/// Delivers an event once more.
pub(crate) async fn replay(
    State(app): State<App>,
    Path(id): Path<i64>,
) -> Result<Json<CardEventRecord>, Failure> {
    Ok(Json(desk::replay(&app, id).await?))
}

/// Cards sent as messages, newest first.
pub(crate) async fn list_messages(
    State(app): State<App>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Failure> {
    Ok(Json(json!({ "messages": desk::messages(&app, page.limit.unwrap_or(USUAL_PAGE)).await? })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CoinPayment {
    order_id: String,
    openid: Option<String>,
}

/// Somebody pays a recharge of coins.
pub(crate) async fn pay_coins(State(app): State<App>, body: Bytes) -> Result<Json<CoinOrder>, Failure> {
    let payment: CoinPayment = failure::read(&body)?;
    Ok(Json(desk::pay_coins(&app, payment.order_id, payment.openid).await?))
}

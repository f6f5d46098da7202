//! The card API's other side: what users do on their phones, and the owner of an account in its console.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use rusqlite::{Connection, OptionalExtension as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::failure::{self, Failure};
use crate::card::ask::{Ask, Failed};
use crate::card::people::{self, Act, Claim, Deed};
use crate::card::{cipher, due, push, sub_merchants, tokens as card_tokens};
use crate::error::MirrorError;
use crate::ledger::card::accounts::{self, Account};
use crate::ledger::card::{cards, events, qrcodes, tokens};
use crate::ledger::{LedgerError, all_or_nothing};
use crate::rules::callback::is_address;
use crate::rules::card::{CARD_ID, SERIAL_CODE};
use crate::state::App;

fn refused(reason: impl Into<String>) -> Failure {
    MirrorError::Refused { reason: reason.into() }.into()
}

pub(super) fn failed(failed: Failed) -> Failure {
    match failed {
        Failed::Refused(refusal) => {
            let rule = refusal.rule;
            refused(format!("errcode {}: {}; the rule is: {}", rule.code, refusal.message(), rule.note()))
        }
        Failed::Store(error) => LedgerError::from(error).into(),
    }
}

/// Work as an account, all of it or nothing.
pub(super) async fn as_account(
    app: &App,
    whose: impl FnOnce(&Connection) -> Result<String, Failed> + Send + 'static,
    work: impl FnOnce(&Ask<'_>) -> Result<Value, Failed> + Send + 'static,
) -> Result<Json<Value>, Failure> {
    let now = app.clocks.now();
    let done = app.ledger.write(move |db| {
        all_or_nothing(db, |db| {
            let appid = whose(db)?;
            work(&people::asking(db, &appid, now, &Map::new()))
        })
    });
    let done = done.await?.map_err(failed)?;
    app.timeline.changed();
    Ok(Json(done))
}

fn owner_of_card(db: &Connection, card_id: &str) -> Result<String, Failed> {
    Ok(cards::find(db, card_id)?.ok_or(&CARD_ID)?.appid)
}

/// Server codes are known without their card.
fn owner_of_code(db: &Connection, code: &str) -> Result<String, Failed> {
    let found = db
        .prepare_cached(
            "SELECT appid FROM cards JOIN card_codes ON card = cards.id WHERE code = ?1 AND own = 0",
        )?
        .query_row([code], |row| row.get(0))
        .optional()?;
    found.ok_or_else(|| (&SERIAL_CODE).into())
}

pub(crate) async fn claim(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let claim: Claim = failure::read(&body)?;
    let (ticket, card_id) = (claim.ticket.clone(), claim.card_id.clone());
    let whose = move |db: &Connection| match (ticket, card_id) {
        (Some(ticket), _) => match qrcodes::find(db, &ticket)? {
            Some(code) => Ok(code.appid),
            None => Err((&crate::rules::card::ACTION_INFO).into()),
        },
        (None, Some(card_id)) => owner_of_card(db, &card_id),
        (None, None) => Err((&CARD_ID).into()),
    };
    as_account(&app, whose, move |ask| people::claim(ask, &claim)).await
}

async fn deed(app: App, deed: Deed, body: Bytes) -> Result<Json<Value>, Failure> {
    let act: Act = failure::read(&body)?;
    let (code, card_id) = (act.code.clone(), act.card_id.clone());
    let whose = move |db: &Connection| match card_id {
        Some(card_id) => owner_of_card(db, &card_id),
        None => owner_of_code(db, &code),
    };
    as_account(&app, whose, move |ask| people::act(ask, deed, &act)).await
}

macro_rules! deeds {
    ($($name:ident $deed:ident;)*) => {
        $(pub(crate) async fn $name(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
            deed(app, Deed::$deed, body).await
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

/// What to change about an account; what is not given stays.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AccountChange {
    appid: Option<String>,
    /// An empty one ends the pushing.
    url: Option<String>,
    token: Option<String>,
    encoding_aes_key: Option<String>,
    mode: Option<String>,
    review: Option<String>,
    review_seconds: Option<i64>,
    custom_code: Option<bool>,
    bonus: Option<bool>,
    balance: Option<bool>,
    pay: Option<bool>,
}

fn appid_of(app: &App, given: Option<String>) -> Result<String, Failure> {
    let merchants = app.merchants();
    match given {
        Some(appid) if merchants.owner_of(&appid).is_some() => Ok(appid),
        Some(appid) => Err(Failure::not_found(format!("no merchant has the appid {appid}"))),
        None => merchants
            .all()
            .find_map(|merchant| merchant.public.appids.first().cloned())
            .ok_or_else(|| Failure::not_found("no merchant has an appid")),
    }
}

fn changed(mut account: Account, change: AccountChange) -> Result<Account, Failure> {
    if let Some(url) = change.url {
        if !url.is_empty() && !is_address(&url) {
            return Err(Failure::bad_request("url is https without query, or plain http to this machine"));
        }
        account.url = Some(url).filter(|url| !url.is_empty());
    }
    account.token = change.token.unwrap_or(account.token);
    account.aes_key = change.encoding_aes_key.unwrap_or(account.aes_key);
    account.mode = change.mode.unwrap_or(account.mode);
    account.review = change.review.unwrap_or(account.review);
    account.review_seconds = change.review_seconds.unwrap_or(account.review_seconds);
    account.custom_code = change.custom_code.unwrap_or(account.custom_code);
    account.bonus = change.bonus.unwrap_or(account.bonus);
    account.balance = change.balance.unwrap_or(account.balance);
    account.pay = change.pay.unwrap_or(account.pay);
    let token = &account.token;
    let good_token =
        (3..=32).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if account.url.is_some() && !good_token {
        return Err(Failure::bad_request("token has 3 to 32 letters and digits"));
    }
    if !matches!(account.mode.as_str(), "plain" | "compatible" | "secure") {
        return Err(Failure::bad_request("mode is plain, compatible or secure"));
    }
    if account.mode != "plain" && cipher::key(&account.aes_key).is_none() {
        return Err(Failure::bad_request("encoding_aes_key has 43 characters of base64"));
    }
    if !matches!(account.review.as_str(), "pass" | "fail" | "manual") {
        return Err(Failure::bad_request("review is pass, fail or manual"));
    }
    if !(0..=31_536_000).contains(&account.review_seconds) {
        return Err(Failure::bad_request("review_seconds is 0 to a year"));
    }
    Ok(account)
}

fn shown(appid: &str, account: &Account) -> Value {
    json!({
        "appid": appid,
        "account": crate::merchant::account_name(appid),
        "url": account.url,
        "mode": account.mode,
        "review": account.review,
        "review_seconds": account.review_seconds,
        "custom_code": account.custom_code,
        "bonus": account.bonus,
        "balance": account.balance,
        "pay": account.pay,
    })
}

/// Sets an account up. A new address is kept only if it answers the echostr.
pub(crate) async fn set_account(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let mut change: AccountChange = failure::read(&body)?;
    let appid = appid_of(&app, change.appid.take())?;
    let pushes = change.url.is_some() || change.token.is_some();
    let held = app.ledger.read({
        let appid = appid.clone();
        move |db| accounts::find(db, &appid)
    });
    let account = changed(held.await?, change)?;
    if pushes {
        push::check_address(&app, &account).await?;
    }
    let answer = shown(&appid, &account);
    app.ledger.write(move |db| accounts::save(db, &appid, &account)).await?;
    Ok(Json(answer))
}

/// Accounts, without their secrets, and how many tokens each was given.
pub(crate) async fn list_accounts(State(app): State<App>) -> Result<Json<Value>, Failure> {
    let appids: Vec<String> =
        app.merchants().all().flat_map(|merchant| merchant.public.appids.clone()).collect();
    let list = app.ledger.read(move |db| {
        appids
            .iter()
            .map(|appid| {
                let mut account = shown(appid, &accounts::find(db, appid)?);
                account["tokens"] = card_tokens::counts(db, appid)?;
                Ok(account)
            })
            .collect::<rusqlite::Result<Vec<_>>>()
    });
    Ok(Json(json!({ "accounts": list.await? })))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Whose {
    appid: Option<String>,
}

/// All tokens of an account are stale from now on: as if somebody else had asked for one.
pub(crate) async fn stale_tokens(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let whose: Whose = failure::read(&body)?;
    let appid = appid_of(&app, whose.appid)?;
    let now = app.clocks.now();
    let stale = app.ledger.write(move |db| {
        let plain = tokens::replace(db, &appid, tokens::Kind::Plain, now)?;
        Ok(plain + tokens::replace(db, &appid, tokens::Kind::Stable, now)?)
    });
    Ok(Json(json!({ "stale": stale.await? })))
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
) -> Result<Json<Value>, Failure> {
    let wanted: Review = failure::read(&body)?;
    let owner = card_id.clone();
    as_account(
        &app,
        move |db| owner_of_card(db, &owner),
        move |ask| {
            let mut card = cards::find(ask.db, &card_id)?.ok_or(&CARD_ID)?;
            if card.status != cards::NOT_VERIFY {
                return Err((&crate::rules::card::CARD_STATUS).into());
            }
            due::review(ask.db, &mut card, wanted.refused.as_deref(), ask.now)?;
            Ok(json!({ "card_id": card.card_id, "status": card.status }))
        },
    )
    .await
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SubMerchantReview {
    appid: Option<String>,
    refused: Option<String>,
}

/// The review of a sub-merchant answers.
pub(crate) async fn review_sub_merchant(
    State(app): State<App>,
    Path(id): Path<i64>,
    body: Bytes,
) -> Result<Json<Value>, Failure> {
    let wanted: SubMerchantReview = failure::read(&body)?;
    let appid = appid_of(&app, wanted.appid)?;
    let review = move |ask: &Ask<'_>| sub_merchants::review(ask, id, wanted.refused.as_deref());
    as_account(&app, move |_| Ok(appid), review).await
}

/// Codes of a card, oldest first, at most 1,000.
pub(crate) async fn list_codes(
    State(app): State<App>,
    Path(card_id): Path<String>,
) -> Result<Json<Value>, Failure> {
    let owner = card_id.clone();
    as_account(
        &app,
        move |db| owner_of_card(db, &owner),
        move |ask| Ok(json!({ "codes": people::codes_of(ask.db, ask.appid, &card_id, ask.now)? })),
    )
    .await
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
    let found = app.ledger.read(move |db| events::list(db, page.limit.unwrap_or(100))).await?;
    let list: Vec<_> = found
        .iter()
        .map(|event| {
            json!({
                "id": event.id,
                "appid": event.appid,
                "event": event.event,
                "xml": event.xml,
                "created": event.created.rfc3339(),
                "state": event.state,
                "attempts": event.attempts,
                "status": event.status,
                "error": event.error,
            })
        })
        .collect();
    Ok(Json(json!({ "events": list })))
}

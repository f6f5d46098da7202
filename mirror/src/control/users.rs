//! Users.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::error::MirrorError;
use crate::ledger::users::{self, UserState};
use crate::state::App;

/// What to change about a user; what is not given stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// Who; somebody who was never seen is new.
    pub openid: String,
    /// The appid that the openid belongs to.
    #[serde(default)]
    pub appid: Option<String>,
    /// Whether the account is restricted, so that it can receive no coupon.
    #[serde(default)]
    pub abnormal: Option<bool>,
    /// Whether risk control turns it away where a stock asks for that.
    #[serde(default)]
    pub risky: Option<bool>,
    /// Accounts with the same value belong to one natural person.
    #[serde(default)]
    pub person: Option<String>,
}

/// A user as the mirror knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UserRecord {
    /// Who.
    pub openid: String,
    /// The appid that the openid belongs to; none before its first use.
    pub appid: Option<String>,
    /// Whether the account is restricted, so that it can receive no coupon.
    pub abnormal: bool,
    /// Whether risk control turns it away where a stock asks for that.
    pub risky: bool,
    /// Accounts with the same value belong to one natural person.
    pub person: Option<String>,
    /// How many coupons it was given.
    pub coupons: i64,
}

impl UserRecord {
    fn new((openid, user, coupons): (String, UserState, i64)) -> Self {
        let UserState { appid, abnormal, risky, person } = user;
        Self { openid, appid, abnormal, risky, person, coupons }
    }
}

/// Changes users, all of them or none.
pub(crate) async fn change(app: &App, changes: Vec<UserChange>) -> Result<(), MirrorError> {
    app.ledger.write(move |db| changes.into_iter().try_for_each(|change| apply(db, change))).await?;
    Ok(())
}

fn apply(db: &Connection, change: UserChange) -> rusqlite::Result<()> {
    let mut user = users::find(db, &change.openid)?.unwrap_or_default();
    user.appid = change.appid.or(user.appid);
    user.abnormal = change.abnormal.unwrap_or(user.abnormal);
    user.risky = change.risky.unwrap_or(user.risky);
    user.person = change.person.or(user.person);
    users::save(db, &change.openid, &user)
}

fn check_openid(openid: &str) -> Result<(), MirrorError> {
    match openid {
        "" => Err(MirrorError::Refused { reason: "openid is empty".to_owned() }),
        _ => Ok(()),
    }
}

/// Changes one user; answers it as it is then.
pub(crate) async fn change_one(app: &App, change: UserChange) -> Result<UserRecord, MirrorError> {
    check_openid(&change.openid)?;
    let changed = app.ledger.write(move |db| {
        let openid = change.openid.clone();
        apply(db, change)?;
        let user = users::find(db, &openid)?.unwrap_or_default();
        let coupons = users::coupons(db, &openid)?;
        Ok(UserRecord::new((openid, user, coupons)))
    });
    Ok(changed.await?)
}

/// Users after this openid, in order.
pub(crate) async fn page(app: &App, after: String, limit: u32) -> Result<Vec<UserRecord>, MirrorError> {
    let found = app.ledger.read(move |db| users::list(db, &after, limit)).await?;
    Ok(found.into_iter().map(UserRecord::new).collect())
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<u32>,
    after: Option<String>,
}

/// By openid; `after` is the last one of the page before.
pub(crate) async fn list(State(app): State<App>, Query(wanted): Query<Page>) -> Result<Json<Value>, Failure> {
    let (after, limit) = (wanted.after.unwrap_or_default(), wanted.limit.unwrap_or(100));
    Ok(Json(json!({ "users": page(&app, after, limit).await? })))
}

pub(crate) async fn save(State(app): State<App>, body: Bytes) -> Result<Json<UserRecord>, Failure> {
    let wanted: UserChange = failure::read(&body)?;
    check_openid(&wanted.openid).map_err(|error| Failure::bad_request(error.to_string()))?;
    Ok(Json(change_one(&app, wanted).await?))
}

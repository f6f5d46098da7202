//! Users.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::error::MirrorError;
use crate::ledger::users;
use crate::state::App;

/// What to change about a user; what is not given stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    pub(crate) openid: String,
    #[serde(default)]
    pub(crate) appid: Option<String>,
    #[serde(default)]
    pub(crate) abnormal: Option<bool>,
    #[serde(default)]
    pub(crate) risky: Option<bool>,
    #[serde(default)]
    pub(crate) person: Option<String>,
}

/// Changes users, all of them or none.
pub(crate) async fn change(app: &App, changes: Vec<UserChange>) -> Result<(), MirrorError> {
    app.ledger
        .write(move |db| {
            for change in changes {
                let mut user = users::find(db, &change.openid)?.unwrap_or_default();
                user.appid = change.appid.or(user.appid);
                user.abnormal = change.abnormal.unwrap_or(user.abnormal);
                user.risky = change.risky.unwrap_or(user.risky);
                user.person = change.person.or(user.person);
                users::save(db, &change.openid, &user)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<u32>,
    after: Option<String>,
}

/// By openid; `after` is the last one of the page before.
pub(crate) async fn list(State(app): State<App>, Query(page): Query<Page>) -> Result<Json<Value>, Failure> {
    let (after, limit) = (page.after.unwrap_or_default(), page.limit.unwrap_or(100));
    let found = app.ledger.read(move |db| users::list(db, &after, limit)).await?;
    let users: Vec<_> = found
        .iter()
        .map(|(openid, user, coupons)| {
            json!({
                "openid": openid,
                "appid": user.appid,
                "abnormal": user.abnormal,
                "risky": user.risky,
                "person": user.person,
                "coupons": coupons,
            })
        })
        .collect();
    Ok(Json(json!({ "users": users })))
}

pub(crate) async fn save(State(app): State<App>, body: Bytes) -> Result<Json<Value>, Failure> {
    let wanted: UserChange = failure::read(&body)?;
    if wanted.openid.is_empty() {
        return Err(Failure::bad_request("openid is empty"));
    }
    let openid = wanted.openid.clone();
    change(&app, vec![wanted]).await?;
    let user = app.ledger.read({
        let openid = openid.clone();
        move |db| users::find(db, &openid)
    });
    let user = user.await?.unwrap_or_default();
    Ok(Json(json!({
        "openid": openid,
        "appid": user.appid,
        "abnormal": user.abnormal,
        "risky": user.risky,
        "person": user.person,
    })))
}

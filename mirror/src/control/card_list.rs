//! Cards and codes of all accounts, for displays.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::Failure;
use crate::card::desk;
use crate::card::shown::{CardList, CodeFilter, ShownCard};
use crate::error::MirrorError;
use crate::state::App;

const CARDS_SHOWN: u32 = 200;
const CODES_SHOWN: u32 = 50;

/// Says where the cards are to be found when this one is not there.
fn failed(error: MirrorError, card_id: &str) -> Failure {
    match error {
        MirrorError::NotFound { .. } => {
            Failure::not_found(format!("there is no card {card_id}; GET /_mirror/card/cards lists them"))
        }
        other => other.into(),
    }
}

/// An empty field of a form is no condition.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[derive(Debug, Deserialize)]
pub(crate) struct Whose {
    appid: Option<String>,
    limit: Option<u32>,
}

/// Newest first, deleted ones too.
pub(crate) async fn list(
    State(app): State<App>,
    Query(page): Query<Whose>,
) -> Result<Json<CardList>, Failure> {
    Ok(Json(desk::cards(&app, said(page.appid), page.limit.unwrap_or(CARDS_SHOWN)).await?))
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(card_id): Path<String>,
) -> Result<Json<ShownCard>, Failure> {
    let found = desk::card(&app, card_id.clone()).await;
    Ok(Json(found.map_err(|error| failed(error, &card_id))?))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    card_id: Option<String>,
    openid: Option<String>,
    limit: Option<u32>,
    before: Option<i64>,
}

/// Codes that somebody has or had, newest first.
pub(crate) async fn codes(State(app): State<App>, Query(page): Query<Page>) -> Result<Json<Value>, Failure> {
    let card_id = said(page.card_id);
    let wanted = CodeFilter { card_id: card_id.clone(), openid: said(page.openid), before: page.before };
    let found = desk::held_codes(&app, wanted, page.limit.unwrap_or(CODES_SHOWN)).await;
    let codes = found.map_err(|error| failed(error, &card_id.unwrap_or_default()))?;
    Ok(Json(json!({ "codes": codes })))
}

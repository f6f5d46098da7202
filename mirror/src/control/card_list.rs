//! Cards and codes of all accounts, for displays.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::Failure;
use crate::card::views::{self, Holders, ShownCard};
use crate::ledger::card::views as rows;
use crate::state::App;

const CARDS_SHOWN: u32 = 200;
const MOST_CARDS: u32 = 1_000;
const CODES_SHOWN: u32 = 50;
const MOST_CODES: u32 = 500;

fn no_card(card_id: &str) -> Failure {
    Failure::not_found(format!("there is no card {card_id}; GET /_mirror/card/cards lists them"))
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
pub(crate) async fn list(State(app): State<App>, Query(page): Query<Whose>) -> Result<Json<Value>, Failure> {
    let appid = said(page.appid);
    let limit = page.limit.unwrap_or(CARDS_SHOWN).min(MOST_CARDS);
    let (total, cards) = app
        .ledger
        .read(move |db| Ok((rows::total(db, appid.as_deref())?, views::list(db, appid.as_deref(), limit)?)))
        .await?;
    Ok(Json(json!({ "total": total, "cards": cards })))
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(card_id): Path<String>,
) -> Result<Json<ShownCard>, Failure> {
    let now = app.clocks.now();
    let wanted = card_id.clone();
    let found = app.ledger.read(move |db| views::show(db, &wanted, now)).await?;
    Ok(Json(found.ok_or_else(|| no_card(&card_id))?))
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
    let now = app.clocks.now();
    let card_id = said(page.card_id);
    let wanted = Holders {
        card_id: card_id.clone(),
        openid: said(page.openid),
        before: page.before.unwrap_or(i64::MAX),
        limit: page.limit.unwrap_or(CODES_SHOWN).min(MOST_CODES),
    };
    let found = app.ledger.read(move |db| views::codes(db, &wanted, now)).await?;
    let codes = found.ok_or_else(|| no_card(&card_id.unwrap_or_default()))?;
    Ok(Json(json!({ "codes": codes })))
}

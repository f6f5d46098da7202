//! `GET …/merchants` and `…/items`: where and for what a stock's coupons can be spent.

use axum::Extension;
use axum::extract::{Path, State};
use rusqlite::Connection;
use serde::Serialize;

use super::{CREATOR, STOCK_ID, find, stock_id};
use crate::answer::Answer;
use crate::exchange::Call;
use crate::ledger::stocks;
use crate::page::Page;
use crate::parameters;
use crate::rules::query;
use crate::state::App;

/// The last page and the largest page of each list.
const MERCHANT_PAGES: (i64, i64) = (1_000, 50);
const ITEM_PAGES: (i64, i64) = (500, 100);

#[derive(Serialize)]
struct List {
    total_count: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data: Vec<String>,
    offset: i64,
    limit: i64,
    stock_id: String,
}

/// `GET …/stocks/{stock_id}/merchants`
pub(crate) async fn merchants(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    members(&app, id, &call, MERCHANT_PAGES, stocks::available_merchants).await
}

/// `GET …/stocks/{stock_id}/items`
pub(crate) async fn items(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    members(&app, id, &call, ITEM_PAGES, stocks::available_items).await
}

async fn members(
    app: &App,
    id: String,
    call: &Call,
    (last_page, largest): (i64, i64),
    read: fn(&Connection, i64) -> rusqlite::Result<Vec<String>>,
) -> Result<Answer, Answer> {
    let id = parameters::path(id, STOCK_ID, 20)?;
    let page = Page::required(call, last_page, largest)?;
    let creator = parameters::required_query(call, CREATOR, 20)?;
    let caller = call.merchant.mchid().to_owned();
    let wanted = stock_id(&id);
    let look = move |db: &Connection| {
        let known = wanted.unwrap_or_default();
        Ok((find(db, wanted)?, stocks::senders(db, known, &caller)?, read(db, known)?))
    };
    let (found, senders, all) = app.ledger.read(look).await?;
    let merchant = &call.merchant;
    query::stock(merchant.mchid(), merchant.product_permission, found.as_ref(), senders, &creator)?;
    let total_count = i64::try_from(all.len()).unwrap_or(i64::MAX);
    query::page(page, total_count, app.readings())?;
    let data = page.of(all);
    Ok(Answer::ok(&List { total_count, data, offset: page.offset, limit: page.limit, stock_id: id }))
}

//! Flow files: links to them, and the files.

pub(crate) mod file;
pub(crate) mod links;
mod row;
mod writer;

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use serde_json::json;

use crate::answer::Answer;
use crate::exchange::Call;
use crate::ledger::stocks;
use crate::parameters;
use crate::rules::flow::{self, DAY_PAST, EMPTY, LINK, LINK_OWNER, NO_REFUNDS, NO_USES};
use crate::rules::parameter::Field;
use crate::rules::{Refusal, Rule, ensure};
use crate::state::App;
use crate::stock::{STOCK_ID, stock_id};
use file::FlowFile;
use links::Link;
use row::{Flow, Kind};

const BILL_DATE: Field = Field::new("bill_date", "账单日期");
const TOKEN: Field = Field::new("token", "下载凭证");
const BILL_PARAMS: Field = Field::new("bill_params", "下载凭证");

/// `GET …/stocks/{stock_id}/use-flow`
pub(crate) async fn uses(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    of_stock(&app, id, &call, Kind::Use).await
}

/// `GET …/stocks/{stock_id}/refund-flow`
pub(crate) async fn refunds(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    of_stock(&app, id, &call, Kind::Refund).await
}

async fn of_stock(app: &App, id: String, call: &Call, kind: Kind) -> Result<Answer, Answer> {
    let id = parameters::path(id, STOCK_ID, 20)?;
    let link = link(app, &id, call, kind, None, &EMPTY).await?;
    let url = format!("{}/v3/billdownload/file?token={}", call.base_url, link.token());
    let answer = json!({ "url": url, "hash_value": link.file().sha1, "hash_type": "SHA1" });
    Ok(Answer { link: Some(link), ..Answer::ok(&answer) })
}

/// `GET …/stocks/{stock_id}/use-flow-by-day`
pub(crate) async fn uses_by_day(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let (link, url) = of_day(&app, id, &call, Kind::Use, &NO_USES).await?;
    let file = link.file();
    let answer = json!({
        "url": url, "stock_useflow_hash": file.sha1, "stock_useflow_count": file.records.to_string(),
    });
    Ok(Answer { link: Some(link), ..Answer::ok(&answer) })
}

/// `GET …/stocks/{stock_id}/refund-flow-by-day`
pub(crate) async fn refunds_by_day(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let (link, url) = of_day(&app, id, &call, Kind::Refund, &NO_REFUNDS).await?;
    let file = link.file();
    let answer = json!({
        "url": url, "stock_refundflow_hash": file.sha1, "stock_refundflow_count": file.records.to_string(),
    });
    Ok(Answer { link: Some(link), ..Answer::ok(&answer) })
}

async fn of_day(
    app: &App,
    id: String,
    call: &Call,
    kind: Kind,
    empty: &'static Rule,
) -> Result<(Arc<Link>, String), Answer> {
    let id = parameters::path(id, STOCK_ID, 20)?;
    let text = parameters::required_query(call, BILL_DATE, 32)?;
    let day = flow::day(&text, app.clocks.now()).map_err(|rule| {
        let issue = if rule == &DAY_PAST { "须早于当天" } else { "须为yyyy-MM-dd格式" };
        parameters::query_fault(rule, BILL_DATE, text.clone(), issue)
    })?;
    let link = link(app, &id, call, kind, Some(day), empty).await?;
    let url = format!("{}/mkt/storage/bill/download?bill_params={}", call.download_url, link.token());
    Ok((link, url))
}

/// Writes the file, unless there is a link to the same one already, and makes a link to it.
async fn link(
    app: &App,
    id: &str,
    call: &Call,
    kind: Kind,
    day: Option<i64>,
    empty: &'static Rule,
) -> Result<Arc<Link>, Answer> {
    let now = app.clocks.now();
    let wanted = stock_id(id);
    let found = app
        .ledger
        .read(move |db| match wanted {
            Some(id) => stocks::find(db, id),
            None => Ok(None),
        })
        .await?;
    let mchid = call.merchant.mchid();
    let stock = flow::link(mchid, call.merchant.product_permission, found.as_ref(), day, now)?;
    let flow = Flow { kind, stock_id: stock.id, single_item: stock.single_item, day };
    let last = app.ledger.read(move |db| row::last(db, flow)).await?;
    ensure(last > 0, empty)?;
    let file = match app.links.file_of(flow, last, now) {
        Some(file) => file,
        None => file::write(app, flow, last).await?,
    };
    ensure(file.records > 0, empty)?;
    Ok(app.links.add(flow, last, mchid, file, now))
}

/// `GET /v3/billdownload/file`
pub(crate) async fn download(
    State(app): State<App>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    fetch(&app, &call, TOKEN)
}

/// `GET /mkt/storage/bill/download`
pub(crate) async fn download_by_day(
    State(app): State<App>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    fetch(&app, &call, BILL_PARAMS)
}

fn fetch(app: &App, call: &Call, field: Field) -> Result<Answer, Answer> {
    let token = parameters::required_query(call, field, 2_048)?;
    let link = app.links.find(&token, app.clocks.now()).ok_or_else(|| Refusal::from(&LINK))?;
    ensure(link.mchid == call.merchant.mchid(), &LINK_OWNER)?;
    let file: Arc<FlowFile> = link.file();
    Ok(Answer::file(file))
}

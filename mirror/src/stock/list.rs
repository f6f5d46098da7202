//! `GET …/stocks`: a creator's stocks, newest first.

use axum::Extension;
use axum::extract::State;
use serde::Serialize;

use super::wire::StockWire;
use super::{CREATOR, StockStatus};
use crate::answer::Answer;
use crate::exchange::Call;
use crate::ledger::stocks::{self, StockFilter};
use crate::page::{LAST_PAGE, Page};
use crate::parameters;
use crate::rules::parameter::{Field, STATUS, TIME};
use crate::rules::query;
use crate::state::App;

const CREATED_FROM: Field = Field::new("create_start_time", "起始时间");
const CREATED_TO: Field = Field::new("create_end_time", "终止时间");
const STATUS_FILTER: Field = Field::new("status", "批次状态");
const LARGEST_PAGE: i64 = 10;

#[derive(Serialize)]
struct List<'a> {
    total_count: i64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data: Vec<StockWire<'a>>,
    limit: i64,
    offset: i64,
}

/// `GET …/stocks`
pub(crate) async fn list(State(app): State<App>, Extension(call): Extension<Call>) -> Result<Answer, Answer> {
    let page = Page::required(&call, LAST_PAGE, LARGEST_PAGE)?;
    let creator = parameters::required_query(&call, CREATOR, 20)?;
    let from = parameters::time_query(&call, CREATED_FROM)?;
    let to = parameters::time_query(&call, CREATED_TO)?;
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        let text = parameters::query(&call, CREATED_FROM).unwrap_or_default();
        return Err(parameters::query_fault(&TIME, CREATED_FROM, text, "起始时间晚于终止时间").into());
    }
    let status = match parameters::optional_query(&call, STATUS_FILTER, 12)? {
        None => None,
        Some(text) => match StockStatus::from_wire(&text) {
            Some(status) => Some(status),
            None => {
                return Err(parameters::query_fault(&STATUS, STATUS_FILTER, text, "不是批次状态").into());
            }
        },
    };
    query::own_stocks(call.merchant.mchid(), call.merchant.product_permission, &creator)?;
    let readings = app.readings();
    let now = readings.status_time(app.clocks.now());
    let filter = StockFilter { creator, from, to, status, now };
    let (total_count, found) = app.ledger.read(move |db| stocks::list(db, &filter, page)).await?;
    query::some_stocks(total_count, readings)?;
    Ok(Answer::ok(&List {
        total_count,
        data: found.iter().map(|stock| StockWire::new(stock, now)).collect(),
        limit: page.limit,
        offset: page.offset,
    }))
}

//! What can be changed once a stock has been started: goods, merchants, budgets.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use rusqlite::Connection;
use serde_json::json;

use super::{CREATOR, Refused, STOCK_ID, StockState, find, stock_id};
use crate::answer::Answer;
use crate::directory::Directory;
use crate::exchange::Call;
use crate::fields::Fields;
use crate::ledger::{prefunds, stocks};
use crate::moment::Moment;
use crate::parameters;
use crate::rules::create::{DAILY_BUDGET, MERCHANT_FOREIGN, MERCHANT_UNKNOWN};
use crate::rules::lifecycle::{self, LifecycleView};
use crate::rules::modify::{self, Decision, WHOLE_ORDER};
use crate::rules::parameter::{Field, REQUIRED};
use crate::rules::{Refusal, ensure};
use crate::state::App;

const ADD_GOODS: Field = Field::new("add_goods_id_list", "新增的单品编码列表");
const DELETE_GOODS: Field = Field::new("delete_goods_id_list", "删除的单品编码列表");
const ADD_MERCHANTS: Field = Field::new("add_mchid_list", "新增的商户号列表");
const DELETE_MERCHANTS: Field = Field::new("delete_mchid_list", "删除的商户号列表");
const TARGET_AMOUNT: Field = Field::new("target_max_amount", "目标批次最大发放金额");
const CURRENT_AMOUNT: Field = Field::new("current_max_amount", "当前批次最大发放金额");
const DAY_AMOUNT: Field = Field::new("max_amount_by_day", "单天预算发放上限");
const LARGEST_BUDGET: i64 = 10_000_000_000;
const MOST_ENTRIES: usize = 50;

/// Entries to put in and to take out. One of the two is needed.
fn changes(
    fields: &Fields<'_>,
    (add, delete): (Field, Field),
    longest: usize,
    fits: fn(&str) -> bool,
) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let added = fields.texts(add, 0..=MOST_ENTRIES, longest, fits)?.unwrap_or_default();
    let removed = fields.texts(delete, 0..=MOST_ENTRIES, longest, fits)?.unwrap_or_default();
    if added.is_empty() && removed.is_empty() {
        return Err(fields.fault(&REQUIRED, add, "新增与删除不能都为空"));
    }
    Ok((added, removed))
}

/// `POST …/stocks/{stock_id}/modify-goods-id`
pub(crate) async fn items(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let id = parameters::path(id, STOCK_ID, 20)?;
    let body = parameters::body(&call)?;
    let fields = Fields::body(&body);
    let creator = fields.required_text(CREATOR, 20)?.to_owned();
    let (added, removed) = changes(&fields, (ADD_GOODS, DELETE_GOODS), 128, |_| true)?;
    let change = move |db: &Connection, stock: &StockState, _now| {
        if !stock.single_item {
            return Ok(Err(Refusal::from(&WHOLE_ORDER)));
        }
        match modify::members(stocks::available_items(db, stock.id)?, added, &removed) {
            Ok(items) => stocks::replace_items(db, stock.id, &items).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    };
    let (now, ()) = act(&app, &call, &id, creator, change).await?;
    Ok(Answer::ok(&json!({ "stock_id": id, "pause_time": now.rfc3339(), "effect_time": now.rfc3339() })))
}

/// `POST …/stocks/{stock_id}/modify-merchants`
pub(crate) async fn merchants(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let id = parameters::path(id, STOCK_ID, 20)?;
    let body = parameters::body(&call)?;
    let fields = Fields::body(&body);
    let creator = fields.required_text(CREATOR, 20)?.to_owned();
    let is_mchid = |mchid: &str| mchid.bytes().all(|byte| byte.is_ascii_digit());
    let (added, removed) = changes(&fields, (ADD_MERCHANTS, DELETE_MERCHANTS), 20, is_mchid)?;
    let directory = app.merchants();
    let change = move |db: &Connection, stock: &StockState, _now| {
        if let Err(refusal) = acceptable(&directory, stock, &added) {
            return Ok(Err(refusal));
        }
        match modify::members(stocks::available_merchants(db, stock.id)?, added, &removed) {
            Ok(merchants) => stocks::replace_merchants(db, stock.id, &merchants).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    };
    let (now, ()) = act(&app, &call, &id, creator, change).await?;
    Ok(Answer::ok(&json!({ "stock_id": id, "effect_time": now.rfc3339() })))
}

/// The same rules as when the stock was created.
fn acceptable(directory: &Arc<Directory>, stock: &StockState, added: &[String]) -> Result<(), Refusal> {
    let creator = directory.find(&stock.creator);
    for mchid in added {
        let merchant = directory.find(mchid).ok_or(&MERCHANT_UNKNOWN)?;
        let takes_it = creator.as_ref().is_some_and(|creator| merchant.takes_stocks_of(creator));
        ensure(!stock.no_cash || takes_it, &MERCHANT_FOREIGN)?;
    }
    Ok(())
}

/// `POST …/stocks/{stock_id}/max-amount-modify`
pub(crate) async fn budget(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let id = parameters::path(id, STOCK_ID, 20)?;
    let body = parameters::body(&call)?;
    let fields = Fields::body(&body);
    let creator = fields.required_text(CREATOR, 20)?.to_owned();
    let target = fields.required_integer(TARGET_AMOUNT, 1, LARGEST_BUDGET)?;
    let current = fields.required_integer(CURRENT_AMOUNT, 1, LARGEST_BUDGET)?;
    let change = move |db: &Connection, stock: &StockState, now| {
        prefunds::release_ended(db, now)?;
        let balance = prefunds::balance(db, &stock.creator)?;
        match modify::budget(stock, current, target, balance) {
            Ok(Decision::Raise { max_coupons, lock }) => {
                stocks::set_budget(db, stock.id, target, max_coupons)?;
                prefunds::lock_more(db, stock.id, lock).map(Ok)
            }
            Ok(Decision::Repeat) => Ok(Ok(())),
            Err(refusal) => Ok(Err(refusal)),
        }
    };
    act(&app, &call, &id, creator, change).await?;
    Ok(Answer::ok(&json!({ "stock_id": id, "max_amount": target })))
}

/// `PATCH …/stocks/{stock_id}`
pub(crate) async fn daily_budget(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let id = parameters::path(id, STOCK_ID, 20)?;
    let body = parameters::body(&call)?;
    let fields = Fields::body(&body);
    let creator = fields.required_text(CREATOR, 20)?.to_owned();
    let amount = fields.required_integer(DAY_AMOUNT, 0, LARGEST_BUDGET)?;
    let change = move |db: &Connection, stock: &StockState, _now| match ensure(
        amount <= stock.max_amount,
        &DAILY_BUDGET,
    ) {
        Ok(()) => stocks::set_daily_budget(db, stock.id, amount).map(Ok),
        Err(refusal) => Ok(Err(refusal)),
    };
    act(&app, &call, &id, creator, change).await?;
    Ok(Answer::ok(&json!({ "stock_id": id, "max_amount_by_day": amount })))
}

/// Makes a change of the caller's own stock that has been started and has not ended.
async fn act<T: Send + 'static>(
    app: &App,
    call: &Call,
    id: &str,
    creator: String,
    change: impl FnOnce(&Connection, &StockState, Moment) -> Refused<T> + Send + 'static,
) -> Result<(Moment, T), Answer> {
    let mut view = LifecycleView::of(call, app.readings());
    let wanted = stock_id(id);
    let clocks = app.clocks.clone();
    let work = move |db: &Connection| {
        let now = clocks.now();
        view.stock = find(db, wanted)?;
        let own = lifecycle::own(&view, &creator).and_then(|stock| {
            modify::changeable(stock, now)?;
            Ok(stock)
        });
        match own {
            Ok(stock) => change(db, stock, now).map(|done| done.map(|done| (now, done))),
            Err(refusal) => Ok(Err(refusal)),
        }
    };
    Ok(app.ledger.write(work).await??)
}

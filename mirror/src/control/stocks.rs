//! Stocks for display, and their life cycle without a signature.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use chrono::{DateTime, FixedOffset};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::failure::{self, Failure};
use crate::error::MirrorError;
use crate::ledger::stock_views::{self, CouponCounts};
use crate::ledger::stocks;
use crate::moment::Moment;
use crate::payment::{self, CouponRecord};
use crate::rules::Refusal;
use crate::rules::lifecycle::{Action, LifecycleView};
use crate::rules::start::StartView;
use crate::state::App;
use crate::stock::{self, StockState, stock_id};

const STOCKS_SHOWN: i64 = 200;
const MOST_STOCKS: i64 = 1_000;
const COUPONS_SHOWN: i64 = 50;
const MOST_COUPONS: i64 = 500;
const NO_STOCK: MirrorError = MirrorError::NotFound { what: "stock" };

/// A stock with its rules, its budget and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StockRecord {
    /// Id of the stock.
    pub stock_id: String,
    /// Its name.
    pub name: String,
    /// What users are told.
    pub description: String,
    /// The merchant that created it.
    pub creator_mchid: String,
    /// `unactivated`, `audit`, `running`, `paused` or `stoped`, by the test clock.
    pub status: String,
    /// From when on coupons are given.
    pub available_begin_time: DateTime<FixedOffset>,
    /// Until when.
    pub available_end_time: DateTime<FixedOffset>,
    /// When it was created.
    pub create_time: DateTime<FixedOffset>,
    /// When it was started.
    pub start_time: Option<DateTime<FixedOffset>>,
    /// When it was last paused.
    pub pause_time: Option<DateTime<FixedOffset>>,
    /// When it was last restarted.
    pub restart_time: Option<DateTime<FixedOffset>>,
    /// When it was stopped.
    pub stop_time: Option<DateTime<FixedOffset>>,
    /// What a coupon takes off, in fen.
    pub coupon_amount: i64,
    /// From which order total on, in fen.
    pub transaction_minimum: i64,
    /// Without prefunding: settled later.
    pub no_cash: bool,
    /// For single goods.
    pub single_item: bool,
    /// Budget in fen.
    pub max_amount: i64,
    /// Face value of the coupons given, in fen.
    pub given_amount: i64,
    /// Coupons that may be given.
    pub max_coupons: i64,
    /// Coupons given.
    pub distributed: i64,
    /// Coupons that are used now.
    pub used: i64,
    /// Coupons that ended unused.
    pub expired: i64,
    /// Coupons that the platform took back.
    pub recovered: i64,
    /// Payments that were refunded, wholly or in part.
    pub refunded: i64,
    /// Today's budget, when there is one by the day.
    pub today: Option<DayBudget>,
    /// Money locked at the start, in fen; of prefunded stocks.
    pub locked_amount: Option<i64>,
    /// Of that spent, in fen.
    pub spent_amount: Option<i64>,
    /// When the rest went back to the creator.
    pub released_time: Option<DateTime<FixedOffset>>,
    /// Coupons one user may get.
    pub max_coupons_per_user: i64,
    /// Whether accounts of one person count together.
    pub natural_person_limit: bool,
    /// Whether risky users are refused.
    pub prevent_api_abuse: bool,
    /// Whether it combines with other discounts.
    pub combine_use: bool,
    /// Marks of orders it is for.
    pub goods_tag: Vec<String>,
    /// Ways of payment it is for.
    pub trade_type: Vec<String>,
    /// Minutes a coupon lives after it was received.
    pub minutes_after_receive: Option<i64>,
    /// Coupons begin on the day after they were received.
    pub second_day_available: bool,
    /// Days of the week on which coupons can be used, 0 is Sunday; empty means all.
    pub week_days: Vec<i64>,
    /// Seconds of the day from and to which coupons can be used.
    pub day_seconds: Option<(i64, i64)>,
    /// Merchants that may send it besides the creator.
    pub senders: Vec<String>,
    /// Merchants where it can be spent.
    pub available_merchants: Vec<String>,
    /// Goods it can be spent on; of single-item stocks.
    pub available_items: Vec<String>,
}

/// A stock's budget of one Beijing day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DayBudget {
    /// `yyyyMMdd`
    pub date: String,
    /// What may be given, in fen; 0 is no limit by the day.
    pub max_amount: i64,
    /// What was given, in fen.
    pub given_amount: i64,
}

fn record(
    db: &Connection,
    stock: StockState,
    counts: CouponCounts,
    now: Moment,
) -> rusqlite::Result<StockRecord> {
    let id = stock.id;
    let day_given = stocks::day_amount(db, id, now.beijing_day())?;
    let prefund = stock_views::prefund(db, id)?;
    let time = |moment: Option<Moment>| moment.map(Moment::date_time);
    let status = stock.shown_status(now).wire().to_owned();
    Ok(StockRecord {
        stock_id: id.to_string(),
        status,
        available_begin_time: stock.begins.date_time(),
        available_end_time: stock.ends.date_time(),
        create_time: stock.created.date_time(),
        start_time: time(stock.started),
        pause_time: time(stock.paused),
        restart_time: time(stock.restarted),
        stop_time: time(stock.stopped),
        given_amount: stock.distributed.saturating_mul(stock.coupon_amount),
        used: counts.used,
        expired: counts.expired,
        recovered: counts.recovered,
        refunded: counts.refunded,
        today: (stock.max_amount_by_day > 0 || day_given > 0).then(|| DayBudget {
            date: now.beijing_date(),
            max_amount: stock.max_amount_by_day,
            given_amount: day_given,
        }),
        locked_amount: prefund.map(|prefund| prefund.locked),
        spent_amount: prefund.map(|prefund| prefund.spent),
        released_time: time(prefund.and_then(|prefund| prefund.released)),
        week_days: stock.fixed_time.as_ref().map(|fixed| fixed.week_days.clone()).unwrap_or_default(),
        day_seconds: stock.fixed_time.as_ref().map(|fixed| (fixed.begins, fixed.ends)),
        senders: stock_views::senders(db, id)?,
        available_merchants: stocks::available_merchants(db, id)?,
        available_items: stocks::available_items(db, id)?,
        name: stock.name,
        description: stock.description,
        creator_mchid: stock.creator,
        coupon_amount: stock.coupon_amount,
        transaction_minimum: stock.transaction_minimum,
        no_cash: stock.no_cash,
        single_item: stock.single_item,
        max_amount: stock.max_amount,
        max_coupons: stock.max_coupons,
        distributed: stock.distributed,
        max_coupons_per_user: stock.max_coupons_per_user,
        natural_person_limit: stock.natural_person_limit,
        prevent_api_abuse: stock.prevent_api_abuse,
        combine_use: stock.combine_use,
        goods_tag: stock.goods_tag,
        trade_type: stock.trade_type,
        minutes_after_receive: stock.minutes_after_receive,
        second_day_available: stock.second_day_available,
    })
}

/// The newest stocks, and how many there are.
pub(crate) async fn newest(app: &App, limit: i64) -> Result<(i64, Vec<StockRecord>), MirrorError> {
    let now = app.clocks.now();
    let work = move |db: &Connection| {
        let counts = stock_views::counts(db, None, now)?;
        let mut records = Vec::new();
        for id in stock_views::newest(db, limit)? {
            if let Some(stock) = stocks::find(db, id)? {
                records.push(record(db, stock, counts.get(&id).copied().unwrap_or_default(), now)?);
            }
        }
        Ok((stock_views::total(db)?, records))
    };
    Ok(app.ledger.read(work).await?)
}

/// One stock.
pub(crate) async fn find(app: &App, stock: &str) -> Result<StockRecord, MirrorError> {
    let id = stock_id(stock).ok_or(NO_STOCK)?;
    let now = app.clocks.now();
    let work = move |db: &Connection| {
        let Some(stock) = stocks::find(db, id)? else { return Ok(None) };
        let counts = stock_views::counts(db, Some(id), now)?;
        record(db, stock, counts.get(&id).copied().unwrap_or_default(), now).map(Some)
    };
    app.ledger.read(work).await?.ok_or(NO_STOCK)
}

/// A page of a stock's coupons, oldest first.
pub(crate) async fn coupons(
    app: &App,
    stock: &str,
    limit: i64,
    after: i64,
) -> Result<Vec<CouponRecord>, MirrorError> {
    let id = stock_id(stock).ok_or(NO_STOCK)?;
    let now = app.clocks.now();
    let work = move |db: &Connection| {
        if stocks::find(db, id)?.is_none() {
            return Ok(Err(NO_STOCK));
        }
        let mut records = Vec::new();
        for coupon in stock_views::coupons_after(db, id, after, limit)? {
            match payment::read(db, coupon, now)? {
                Ok(record) => records.push(record),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(records))
    };
    app.ledger.read(work).await?
}

/// Something to do with a stock.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Button {
    Start,
    Act(Action),
}

/// Does what the creator could do by the API, under the same rules.
pub(crate) async fn press(app: &App, stock: &str, button: Button) -> Result<StockRecord, MirrorError> {
    let id = stock_id(stock).ok_or(NO_STOCK)?;
    let merchants = app.merchants();
    let clocks = app.clocks.clone();
    let delay = app.settings.start_delay;
    let readings = app.readings();
    let work = move |db: &Connection| {
        let Some(found) = stocks::find(db, id)? else { return Ok(None) };
        let creator = found.creator;
        let product_permission = merchants.find(&creator).is_some_and(|merchant| merchant.product_permission);
        let mchid = creator.clone();
        let now = clocks.now();
        let done = match button {
            Button::Start => {
                let view = StartView {
                    mchid,
                    product_permission,
                    stock: None,
                    balance: 0,
                    running_elsewhere: 0,
                    delay,
                    readings,
                };
                stock::start_in(db, view, Some(id), &creator, now)?
            }
            Button::Act(action) => {
                let view = LifecycleView { mchid, product_permission, stock: None, readings };
                stock::lifecycle::act_in(db, view, Some(id), action, &creator, now)?
            }
        };
        Ok(Some(done))
    };
    app.ledger.write(work).await?.ok_or(NO_STOCK)?.map_err(refused)?;
    find(app, stock).await
}

/// Puts a stock that was never started under the platform's review, or ends its review.
pub(crate) async fn review(app: &App, stock: &str, under_review: bool) -> Result<StockRecord, MirrorError> {
    let id = stock_id(stock).ok_or(NO_STOCK)?;
    app.ledger.write(move |db| stock::review::review_in(db, id, under_review)).await??;
    find(app, stock).await
}

fn refused(refusal: Refusal) -> MirrorError {
    let rule = refusal.rule;
    MirrorError::Refused { reason: format!("{} ({}: {})", refusal.message(), rule.id, rule.explanation) }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Limit {
    limit: Option<i64>,
}

pub(crate) async fn list(State(app): State<App>, Query(page): Query<Limit>) -> Result<Json<Value>, Failure> {
    let limit = page.limit.unwrap_or(STOCKS_SHOWN).clamp(0, MOST_STOCKS);
    let (total, stocks) = newest(&app, limit).await?;
    Ok(Json(json!({ "total": total, "stocks": stocks })))
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<StockRecord>, Failure> {
    Ok(Json(find(&app, &id).await?))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<i64>,
    after: Option<i64>,
}

pub(crate) async fn list_coupons(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Failure> {
    let limit = page.limit.unwrap_or(COUPONS_SHOWN).clamp(0, MOST_COUPONS);
    let coupons = coupons(&app, &id, limit, page.after.unwrap_or(0)).await?;
    Ok(Json(json!({ "coupons": coupons })))
}

pub(crate) async fn start(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<StockRecord>, Failure> {
    Ok(Json(press(&app, &id, Button::Start).await?))
}

pub(crate) async fn pause(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<StockRecord>, Failure> {
    Ok(Json(press(&app, &id, Button::Act(Action::Pause)).await?))
}

pub(crate) async fn restart(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<StockRecord>, Failure> {
    Ok(Json(press(&app, &id, Button::Act(Action::Restart)).await?))
}

pub(crate) async fn stop(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<StockRecord>, Failure> {
    Ok(Json(press(&app, &id, Button::Act(Action::Stop)).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Review {
    under_review: bool,
}

pub(crate) async fn set_review(
    State(app): State<App>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<StockRecord>, Failure> {
    let wanted: Review = failure::read(&body)?;
    Ok(Json(review(&app, &id, wanted.under_review).await?))
}

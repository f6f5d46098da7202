//! The endpoints of stocks.

pub(crate) mod lifecycle;
pub(crate) mod list;
pub(crate) mod members;
pub(crate) mod modify;
pub(crate) mod new_stock;
pub(crate) mod review;
pub(crate) mod state;
mod wire;

use axum::Extension;
use axum::extract::{Path, State};
use rusqlite::Connection;
use serde_json::json;

use crate::answer::Answer;
use crate::directory::Directory;
use crate::exchange::Call;
use crate::fields::Fields;
use crate::ledger::{prefunds, requests, stocks};
use crate::merchant::KnownMerchant;
use crate::moment::Moment;
use crate::parameters;
use crate::rules::create::{self, AvailableMerchant, CreateView};
use crate::rules::parameter::Field;
use crate::rules::readings::Readings;
use crate::rules::start::{self, StartView};
use crate::rules::{Refusal, query};
use crate::state::App;

pub(crate) use new_stock::NewStock;
#[cfg(test)]
pub(crate) use state::FixedTime;
pub(crate) use state::{StockState, StockStatus};
pub(crate) use wire::FaceValue;
use wire::StockWire;

pub(crate) const STOCK_ID: Field = Field::new("stock_id", "批次id");
const CREATOR: Field = Field::new("stock_creator_mchid", "创建批次的商户号").with_required("商户号必填");

/// `POST …/coupon-stocks`
pub(crate) async fn create(
    State(app): State<App>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let new = NewStock::read(&parameters::body(&call)?)?;
    let view = create_view(&call.merchant, &app.merchants(), &new, app.readings());
    let clocks = app.clocks.clone();
    let (id, created) = app.ledger.write(move |db| create_in(db, view, &new, clocks.now())).await??;
    Ok(Answer::ok(&json!({ "stock_id": id.to_string(), "create_time": created.rfc3339() })))
}

/// What is known about a new stock without the store.
pub(crate) fn create_view(
    creator: &KnownMerchant,
    merchants: &Directory,
    new: &NewStock,
    readings: Readings,
) -> CreateView {
    let available = new.coupon.available_merchants.iter().map(|mchid| match merchants.find(mchid) {
        Some(found) => AvailableMerchant {
            known: true,
            takes_it: found.takes_stocks_of(creator),
            has_mini_program_appid: new.mini_program_appid.as_ref().is_some_and(|id| found.has_appid(id)),
        },
        None => AvailableMerchant::default(),
    });
    CreateView {
        mchid: creator.mchid().to_owned(),
        product_permission: creator.product_permission,
        available: available.collect(),
        earlier: None,
        readings,
    }
}

pub(crate) type Refused<T> = rusqlite::Result<Result<T, Refusal>>;

pub(crate) fn create_in(
    db: &Connection,
    mut view: CreateView,
    new: &NewStock,
    now: Moment,
) -> Refused<(i64, Moment)> {
    view.earlier = requests::earlier_create(db, &view.mchid, &new.out_request_no)?;
    let free = match &view.earlier {
        Some(earlier) if view.readings.number_lifetime_hours > 0 => {
            let made = stocks::find(db, earlier.made)?.map(|stock| stock.created);
            made.filter(|made| view.readings.number_is_free(*made, now)).and(view.earlier.take())
        }
        _ => None,
    };
    let decision = match create::decide(&view, new, now) {
        Ok(decision) => decision,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(Ok(match decision {
        create::Decision::Create => {
            if let Some(earlier) = free {
                requests::retire_create(db, &view.mchid, &new.out_request_no, earlier.made)?;
            }
            let id = stocks::insert(db, &view.mchid, new, now)?;
            requests::keep_create(db, &view.mchid, &new.out_request_no, &new.digest, id)?;
            (id, now)
        }
        create::Decision::Repeat(id) => {
            let stock = stocks::find(db, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            (id, stock.created)
        }
    }))
}

/// `POST …/stocks/{stock_id}/start`
pub(crate) async fn start(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let id = parameters::path(id, STOCK_ID, 20)?;
    let body = parameters::body(&call)?;
    let creator = Fields::body(&body).required_text(CREATOR, 20)?.to_owned();
    let view = StartView {
        mchid: call.merchant.mchid().to_owned(),
        product_permission: call.merchant.product_permission,
        stock: None,
        balance: 0,
        running_elsewhere: 0,
        delay: app.settings.start_delay,
        readings: app.readings(),
    };
    let wanted = stock_id(&id);
    let clocks = app.clocks.clone();
    let started = app.ledger.write(move |db| start_in(db, view, wanted, &creator, clocks.now())).await??;
    Ok(Answer::ok(&json!({ "start_time": started.rfc3339(), "stock_id": id })))
}

pub(crate) fn start_in(
    db: &Connection,
    mut view: StartView,
    wanted: Option<i64>,
    named_creator: &str,
    now: Moment,
) -> Refused<Moment> {
    view.stock = find(db, wanted)?;
    prefunds::release_ended(db, now)?;
    view.balance = prefunds::balance(db, &view.mchid)?;
    view.running_elsewhere = stocks::running_at_busiest(db, wanted.unwrap_or_default(), now)?;
    let decision = match start::decide(&view, named_creator, now) {
        Ok(decision) => decision,
        Err(refusal) => return Ok(Err(refusal)),
    };
    match (decision, wanted) {
        (start::Decision::Start { lock }, Some(id)) => {
            stocks::mark_started(db, id, now)?;
            if let Some(amount) = lock {
                prefunds::lock(db, &view.mchid, id, amount)?;
            }
            Ok(Ok(now))
        }
        (start::Decision::Running { since }, _) => Ok(Ok(since)),
        (start::Decision::Start { .. }, None) => Ok(Err(Refusal::from(&start::STOCK))),
    }
}

/// `GET …/stocks/{stock_id}`
pub(crate) async fn get(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let id = stock_id(&parameters::path(id, STOCK_ID, 20)?);
    let creator = parameters::required_query(&call, CREATOR, 20)?;
    let caller = call.merchant.mchid().to_owned();
    let (found, senders) = app
        .ledger
        .read(move |db| Ok((find(db, id)?, stocks::senders(db, id.unwrap_or_default(), &caller)?)))
        .await?;
    let merchant = &call.merchant;
    let permission = merchant.product_permission;
    let stock = query::stock(merchant.mchid(), permission, found.as_ref(), senders, &creator)?;
    Ok(Answer::ok(&StockWire::new(stock, app.readings().status_time(app.clocks.now()))))
}

fn find(db: &Connection, id: Option<i64>) -> rusqlite::Result<Option<StockState>> {
    match id {
        Some(id) => stocks::find(db, id),
        None => Ok(None),
    }
}

/// The number of a stock id; other texts name no stock.
pub(crate) fn stock_id(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|id| id.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_are_stock_ids() {
        assert_eq!(stock_id("15300001"), Some(15_300_001));
        for other in ["", "015300001", "+15300001", "1e3", "99999999999999999999", "一"] {
            assert_eq!(stock_id(other), None, "{other}");
        }
    }
}

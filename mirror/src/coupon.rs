//! The endpoints of coupons.

pub(crate) mod list;
mod send_request;
pub(crate) mod state;
mod wire;

use axum::Extension;
use axum::extract::{Path, State};
use rusqlite::Connection;
use serde_json::json;

use crate::answer::Answer;
use crate::exchange::Call;
use crate::ledger::users::{self, UserState};
use crate::ledger::{coupons, requests, stocks};
use crate::merchant::KnownMerchant;
use crate::metrics::Happening;
use crate::moment::Moment;
use crate::notify::{self, Raised};
use crate::parameters;
use crate::rules::parameter::Field;
use crate::rules::readings::Readings;
use crate::rules::send::{self, SendView};
use crate::rules::{Refusal, query};
use crate::state::App;
use crate::stock::Refused;

pub(crate) use send_request::SendRequest;
pub(crate) use state::{CouponState, NewCoupon};
use wire::CouponWire;
pub(crate) use wire::notified;

const OPENID: Field = Field::new("openid", "用户openid").with_required("openid必填");
const COUPON_ID: Field = Field::new("coupon_id", "券id").with_required("券id必填");
const APPID: Field = Field::new("appid", "公众账号ID").with_required("appid必填");

/// `POST …/users/{openid}/coupons`
pub(crate) async fn send(
    State(app): State<App>,
    Path(openid): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let openid = parameters::path(openid, OPENID, 128)?;
    let request = SendRequest::read(openid, &parameters::body(&call)?)?;
    let sender = Sender {
        mchid: call.merchant.mchid().to_owned(),
        product_permission: call.merchant.product_permission,
        appid_bound: call.merchant.has_appid(&request.appid),
        monthly_cap: app.settings.monthly_cap,
        crowded: call.crowded,
        readings: app.readings(),
    };
    let clocks = app.clocks.clone();
    let notified = app.notify.sends().then(|| app.clone());
    let given = move |db: &Connection| {
        let now = clocks.now();
        let given = send_in(db, &sender, &request, now)?;
        // The notification is delivered once this is dropped, after the transaction.
        let raised = match (&notified, &given) {
            (Some(app), Ok(Given::New(id))) => notify_given(app, db, *id, now)?,
            _ => None,
        };
        Ok((given, raised))
    };
    let (given, _raised) = app.ledger.write(given).await?;
    let id = match given? {
        Given::New(id) => {
            app.metrics.count(Happening::Sent, 1);
            id
        }
        Given::Before(id) => id,
    };
    Ok(Answer::ok(&json!({ "coupon_id": id.to_string() })))
}

/// What is known about the caller without the store.
#[derive(Debug)]
struct Sender {
    mchid: String,
    product_permission: bool,
    appid_bound: bool,
    monthly_cap: Option<i64>,
    crowded: bool,
    readings: Readings,
}

/// The coupon that answers a send.
#[derive(Debug, Clone, Copy)]
enum Given {
    New(i64),
    /// Given by an earlier request with the same number.
    Before(i64),
}

/// Gives a coupon outside a call, by the same rules as to a client, with the best reading of each.
pub(crate) fn give(
    db: &Connection,
    merchant: &KnownMerchant,
    request: &SendRequest,
    monthly_cap: Option<i64>,
    now: Moment,
) -> Refused<i64> {
    let sender = Sender {
        mchid: merchant.mchid().to_owned(),
        product_permission: merchant.product_permission,
        appid_bound: merchant.has_appid(&request.appid),
        monthly_cap,
        crowded: false,
        readings: Readings::default(),
    };
    let given = send_in(db, &sender, request, now)?;
    Ok(given.map(|(Given::New(id) | Given::Before(id))| id))
}

fn notify_given(app: &App, db: &Connection, id: i64, now: Moment) -> rusqlite::Result<Option<Raised>> {
    let Some(coupon) = coupons::find(db, id)? else { return Ok(None) };
    let Some(stock) = stocks::find(db, coupon.stock_id)? else { return Ok(None) };
    notify::given(app, db, id, &stock, now)
}

fn send_in(
    db: &Connection,
    sender: &Sender,
    request: &SendRequest,
    now: Moment,
) -> rusqlite::Result<Result<Given, Refusal>> {
    let mut view = look(db, sender, request, now)?;
    let free = free_number(db, &mut view, now)?;
    let decision = match send::decide(&view, request, now) {
        Ok(decision) => decision,
        Err(refusal) => return Ok(Err(refusal)),
    };
    match (decision, &view.stock) {
        (send::Decision::Give { begins, ends }, Some(stock)) => {
            let coupon = NewCoupon {
                stock_id: stock.id,
                openid: &request.openid,
                appid: &request.appid,
                sender: &sender.mchid,
                out_request_no: &request.out_request_no,
                amount: stock.coupon_amount,
                minimum: stock.transaction_minimum,
                received: now,
                begins,
                ends,
            };
            if let Some(made) = free {
                requests::retire_send(db, &sender.mchid, &request.out_request_no, made)?;
            }
            let id = coupons::insert(db, &coupon)?;
            requests::keep_send(db, &sender.mchid, &request.out_request_no, &request.digest, id)?;
            stocks::count_coupons(db, stock.id, 1)?;
            stocks::add_day_amount(db, stock.id, now.beijing_day(), stock.coupon_amount)?;
            if view.user.appid.is_none() {
                users::bind(db, &request.openid, &request.appid)?;
            }
            Ok(Ok(Given::New(id)))
        }
        (send::Decision::Repeat(id), _) => Ok(Ok(Given::Before(id))),
        (send::Decision::Give { .. }, None) => Ok(Err(Refusal::from(&send::STOCK))),
    }
}

/// Forgets what the number made earlier if its life is over, and says what that was.
fn free_number(db: &Connection, view: &mut SendView, now: Moment) -> rusqlite::Result<Option<i64>> {
    let Some(earlier) = &view.earlier else { return Ok(None) };
    if view.readings.number_lifetime_hours == 0 {
        return Ok(None);
    }
    let made = earlier.made;
    let over =
        coupons::find(db, made)?.is_some_and(|coupon| view.readings.number_is_free(coupon.received, now));
    if over {
        view.earlier = None;
    }
    Ok(over.then_some(made))
}

fn look(db: &Connection, sender: &Sender, request: &SendRequest, now: Moment) -> rusqlite::Result<SendView> {
    let stock = match request.stock_id {
        Some(id) => stocks::find(db, id)?,
        None => None,
    };
    let id = stock.as_ref().map_or(0, |stock| stock.id);
    let user = users::find(db, &request.openid)?;
    let by_person = stock.as_ref().is_some_and(|stock| stock.natural_person_limit);
    let person = user.as_ref().and_then(|user: &UserState| user.person.as_deref()).filter(|_| by_person);
    let held = match person {
        Some(person) => coupons::held_by_person(db, id, person)?,
        None => coupons::held_by_user(db, id, &request.openid)?,
    };
    let month_amount = match sender.monthly_cap {
        Some(_) => {
            let since = now.beijing_month_start();
            coupons::sent_to_user_since(db, &sender.mchid, &request.openid, since)?
        }
        None => 0,
    };
    Ok(SendView {
        mchid: sender.mchid.clone(),
        product_permission: sender.product_permission,
        appid_bound: sender.appid_bound,
        senders: stocks::senders(db, id, &sender.mchid)?,
        user: user.unwrap_or_default(),
        earlier: requests::earlier_send(db, &sender.mchid, &request.out_request_no)?,
        held,
        day_amount: stocks::day_amount(db, id, now.beijing_day())?,
        month_amount,
        monthly_cap: sender.monthly_cap,
        crowded: sender.crowded,
        readings: sender.readings,
        stock,
    })
}

/// `GET …/users/{openid}/coupons/{coupon_id}`
pub(crate) async fn get(
    State(app): State<App>,
    Path((openid, coupon_id)): Path<(String, String)>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let openid = parameters::path(openid, OPENID, 128)?;
    let coupon_id = parameters::path(coupon_id, COUPON_ID, 20)?;
    let appid = parameters::required_query(&call, APPID, 128)?;
    let id = coupon_id.parse::<i64>().ok().filter(|id| id.to_string() == coupon_id);
    let found = app.ledger.read(move |db| find(db, id, &openid)).await?;
    let asker = query::CouponAsker {
        mchid: call.merchant.mchid(),
        product_permission: call.merchant.product_permission,
        appid: &appid,
        appid_bound: call.merchant.has_appid(&appid),
    };
    let (coupon, stock) = query::coupon(asker, found.as_ref())?;
    Ok(Answer::ok(&CouponWire::new(coupon, stock, app.clocks.now())))
}

fn find(
    db: &Connection,
    id: Option<i64>,
    openid: &str,
) -> rusqlite::Result<Option<(CouponState, crate::stock::StockState)>> {
    let Some(id) = id else { return Ok(None) };
    let Some(coupon) = coupons::find_of(db, id, openid)? else {
        return Ok(None);
    };
    Ok(stocks::find(db, coupon.stock_id)?.map(|stock| (coupon, stock)))
}

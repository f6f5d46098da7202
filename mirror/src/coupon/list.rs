//! `GET …/users/{openid}/coupons`: the coupons in a user's hands, newest first.

use axum::Extension;
use axum::extract::{Path, State};
use rusqlite::Connection;
use serde::Serialize;

use super::wire::CouponWire;
use super::{APPID, CouponState, OPENID};
use crate::answer::Answer;
use crate::exchange::Call;
use crate::ledger::coupons::{self, CouponFilter, Through};
use crate::ledger::{stocks, users};
use crate::page::Page;
use crate::parameters;
use crate::rules::parameter::{FORMAT, Field, Location, REQUIRED, fault};
use crate::rules::{Refusal, query};
use crate::state::App;
use crate::stock::{STOCK_ID, StockState, stock_id};

const CREATOR: Field = Field::new("creator_mchid", "创建批次的商户号").with_required("商户号必填");
const SENDER: Field = Field::new("sender_mchid", "批次发放商户号");
const AVAILABLE: Field = Field::new("available_mchid", "可用商户号");
const STATUS: Field = Field::new("status", "券状态");
const BUSINESS_TYPE: Field = Field::new("business_type", "业务类型");
const LARGEST_PAGE: i64 = 20;
/// Coupons that can be spent in parts. The mirror has none.
const CONSUMPTION_CREDIT: &str = "MULTIUSE";

#[derive(Serialize)]
struct List<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    data: Vec<CouponWire<'a>>,
    total_count: i64,
    limit: i64,
    offset: i64,
}

/// `GET …/users/{openid}/coupons`
pub(crate) async fn list(
    State(app): State<App>,
    Path(openid): Path<String>,
    Extension(call): Extension<Call>,
) -> Result<Answer, Answer> {
    let openid = parameters::path(openid, OPENID, 128)?;
    let appid = parameters::required_query(&call, APPID, 128)?;
    let through = through(&call)?;
    let credit = business_type(&call)?;
    let at_merchant = matches!(through, Through::Available(_));
    // With available_mchid these have no effect, be they right or wrong.
    let (stock, usable_only, page) = if at_merchant {
        (None, true, Page { offset: 0, limit: LARGEST_PAGE })
    } else {
        let stock = parameters::optional_query(&call, STOCK_ID, 20)?;
        let page = Page::optional(&call, 1..=LARGEST_PAGE, LARGEST_PAGE)?;
        // Ids of stocks are positive, so no stock is found under an id that cannot be one.
        (stock.map(|id| stock_id(&id).unwrap_or(-1)), status(&call)?, page)
    };
    let merchant = &call.merchant;
    let asker = query::CouponAsker {
        mchid: merchant.mchid(),
        product_permission: merchant.product_permission,
        appid: &appid,
        appid_bound: merchant.has_appid(&appid),
    };
    let user = app.ledger.read({
        let openid = openid.clone();
        move |db| users::find(db, &openid)
    });
    query::coupons(asker, user.await?.and_then(|user| user.appid).as_deref())?;

    let now = app.clocks.now();
    let filter = CouponFilter {
        openid,
        appid: appid.clone(),
        caller: merchant.mchid().to_owned(),
        through,
        stock,
        usable_only,
        now,
    };
    let mut found = app.ledger.read(move |db| find(db, &filter)).await?;
    if at_merchant {
        found.retain(|(coupon, stock)| coupon.usable_now(stock, now));
    }
    if credit {
        found.clear();
    }
    let total_count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    query::page(page, total_count, app.readings())?;
    // All usable coupons come at once, and the page says so.
    let limit = if at_merchant { page.limit.max(total_count) } else { page.limit };
    let found = Page { limit, ..page }.of(found);
    let data = found.iter().map(|(coupon, stock)| CouponWire::new(coupon, stock, now)).collect();
    Ok(Answer::ok(&List { data, total_count, limit, offset: page.offset }))
}

/// Which of the three merchants counts: the creator goes first, the sender, not open in production, last.
fn through(call: &Call) -> Result<Through, Refusal> {
    let given = |field| parameters::optional_query(call, field, 20);
    if let Some(creator) = given(CREATOR)? {
        return Ok(Through::Creator(creator));
    }
    if let Some(available) = given(AVAILABLE)? {
        return Ok(Through::Available(available));
    }
    given(SENDER)?
        .map(Through::Sender)
        .ok_or_else(|| fault(&REQUIRED, CREATOR, "", Location::Query, None, "三个商户号须填其一"))
}

/// Whether only usable coupons are wanted. Used ones come together with usable ones; expired ones never come.
fn status(call: &Call) -> Result<bool, Refusal> {
    match parameters::optional_query(call, STATUS, 32)?.as_deref() {
        None | Some("USED") => Ok(false),
        Some("SENDED") => Ok(true),
        Some(other) => {
            Err(parameters::query_fault(&FORMAT, STATUS, other.to_owned(), "取值须为SENDED或USED"))
        }
    }
}

/// Whether consumption credit is asked for.
fn business_type(call: &Call) -> Result<bool, Refusal> {
    match parameters::optional_query(call, BUSINESS_TYPE, 32)?.as_deref() {
        None => Ok(false),
        Some(CONSUMPTION_CREDIT) => Ok(true),
        Some(other) => {
            Err(parameters::query_fault(&FORMAT, BUSINESS_TYPE, other.to_owned(), "取值须为MULTIUSE"))
        }
    }
}

fn find(db: &Connection, filter: &CouponFilter) -> rusqlite::Result<Vec<(CouponState, StockState)>> {
    let mut found = Vec::new();
    for coupon in coupons::list(db, filter)? {
        if let Some(stock) = stocks::find(db, coupon.stock_id)? {
            found.push((coupon, stock));
        }
    }
    Ok(found)
}

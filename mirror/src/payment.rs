//! Paying with a coupon, and refunding. In production this happens inside payments, which the mirror does not
//! have; here it is done by control calls.

mod bulk;
mod check;
mod expire;
mod record;
mod recover;
mod request;

use rusqlite::Connection;

use crate::coupon::CouponState;
use crate::error::MirrorError;
use crate::ledger::{coupons, prefunds, redemptions, refunds, stocks};
use crate::metrics::Happening;
use crate::moment::Moment;
use crate::notify::{self, Raised};
use crate::rules::readings::RefundedPlace;
use crate::state::App;
use crate::stock::{StockState, stock_id};

pub(crate) use bulk::fill;
pub(crate) use expire::expire;
pub use record::{ConsumeInformation, CouponRecord, RedemptionRecord, RefundRecord};
pub(crate) use recover::recover;
pub use request::{GoodsDetail, Redeem, Refund};

/// One payment with a coupon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redemption {
    pub(crate) id: i64,
    pub(crate) transaction_id: String,
    pub(crate) redeemed: Moment,
    pub(crate) mchid: String,
    /// Order total.
    pub(crate) total_amount: i64,
    /// What the coupon took off.
    pub(crate) discount: i64,
    pub(crate) goods_detail: Vec<GoodsDetail>,
}

/// A payment about to be kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NewRedemption {
    pub(crate) mchid: String,
    pub(crate) total_amount: i64,
    pub(crate) discount: i64,
    /// `None`: to be made up.
    pub(crate) transaction_id: Option<String>,
    pub(crate) goods_detail: Vec<GoodsDetail>,
    pub(crate) device_no: Vec<u8>,
    pub(crate) bank_serial: String,
}

/// The refund of an order or of a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefundRow {
    pub(crate) refund_id: String,
    pub(crate) refunded: Moment,
    /// Part of the order total.
    pub(crate) amount: i64,
    /// Part of the discount.
    pub(crate) discount: i64,
}

const NO_COUPON: MirrorError = MirrorError::NotFound { what: "coupon" };

/// Pays with a coupon.
pub(crate) async fn redeem(app: &App, coupon: &str, payment: Redeem) -> Result<CouponRecord, MirrorError> {
    let id = stock_id(coupon).ok_or(NO_COUPON)?;
    let app = App::clone(app);
    let shared = App::clone(&app);
    let done = app.ledger.write(move |db| redeem_in(&shared, db, id, &payment, shared.clocks.now())).await?;
    let (record, raised) = done?;
    if let Some(raised) = raised {
        raised.tried().await;
    }
    app.metrics.count(Happening::Redeemed, 1);
    Ok(record)
}

fn redeem_in(
    app: &App,
    db: &Connection,
    id: i64,
    payment: &Redeem,
    now: Moment,
) -> rusqlite::Result<Result<(CouponRecord, Option<Raised>), MirrorError>> {
    let stock = match pay_in(db, id, payment, now)? {
        Ok(stock) => stock,
        Err(error) => return Ok(Err(error)),
    };
    let raised = notify::redeemed(app, db, id, &stock, now)?;
    Ok(read(db, id, now)?.map(|record| (record, raised)))
}

/// Pays with a coupon, and tells nobody. Answers its stock.
pub(crate) fn pay_in(
    db: &Connection,
    id: i64,
    payment: &Redeem,
    now: Moment,
) -> rusqlite::Result<Result<StockState, MirrorError>> {
    let Some((coupon, stock)) = find(db, id)? else { return Ok(Err(NO_COUPON)) };
    let place = check::Place {
        merchants: stocks::available_merchants(db, stock.id)?,
        items: stocks::available_items(db, stock.id)?,
    };
    let new = match check::payment(&coupon, &stock, &place, payment, now) {
        Ok(new) => new,
        Err(reason) => return Ok(Err(MirrorError::Refused { reason })),
    };
    let transaction_id = match &new.transaction_id {
        Some(given) if redemptions::is_taken(db, given)? => {
            let reason = format!("transaction_id {given} is taken");
            return Ok(Err(MirrorError::Refused { reason }));
        }
        Some(given) => given.clone(),
        None => redemptions::free_transaction_id(db, now)?,
    };
    if !prefunds::spend(db, stock.id, new.discount)? {
        return Ok(Err(MirrorError::Refused { reason: check::MONEY_GONE.to_owned() }));
    }
    redemptions::insert(db, &coupon, &new, &transaction_id, now)?;
    coupons::set_status(db, coupon.id, "USED")?;
    Ok(Ok(stock))
}

/// Refunds what was paid with a coupon.
pub(crate) async fn refund(app: &App, coupon: &str, refund: Refund) -> Result<CouponRecord, MirrorError> {
    let id = stock_id(coupon).ok_or(NO_COUPON)?;
    let clocks = app.clocks.clone();
    let frees = app.readings().refunded_place == RefundedPlace::Freed;
    let work = move |db: &Connection| {
        let refunded = refund_in(db, id, refund, clocks.now())?;
        if frees && refunded.is_ok() {
            stocks::free_place(db, id)?;
        }
        Ok(refunded)
    };
    let record = app.ledger.write(work).await??;
    app.metrics.count(Happening::Refunded, 1);
    Ok(record)
}

pub(crate) fn refund_in(
    db: &Connection,
    id: i64,
    wanted: Refund,
    now: Moment,
) -> rusqlite::Result<Result<CouponRecord, MirrorError>> {
    let Some((coupon, stock)) = find(db, id)? else { return Ok(Err(NO_COUPON)) };
    let Some(payment) = coupon.consumed else {
        let reason = match coupon.status.as_str() {
            recover::RECOVERED => "the coupon was taken back, so there is nothing to refund",
            _ => "the coupon is not used, so there is nothing to refund",
        };
        let reason = reason.to_owned();
        return Ok(Err(MirrorError::Refused { reason }));
    };
    let earlier = refunds::sums(db, payment.id)?;
    let back = match check::refund(&payment, earlier, wanted) {
        Ok(back) => back,
        Err(reason) => return Ok(Err(MirrorError::Refused { reason })),
    };
    refunds::insert(db, payment.id, stock.id, back, now)?;
    prefunds::give_back(db, stock.id, back.discount)?;
    if earlier.amount + back.amount == payment.total_amount {
        coupons::set_status(db, id, "SENDED")?;
    }
    read(db, id, now)
}

/// A coupon as control calls show it.
pub(crate) async fn show(app: &App, coupon: &str) -> Result<CouponRecord, MirrorError> {
    let id = stock_id(coupon).ok_or(NO_COUPON)?;
    let now = app.clocks.now();
    app.ledger.read(move |db| read(db, id, now)).await?
}

pub(crate) fn read(
    db: &Connection,
    id: i64,
    now: Moment,
) -> rusqlite::Result<Result<CouponRecord, MirrorError>> {
    let Some((coupon, stock)) = find(db, id)? else { return Ok(Err(NO_COUPON)) };
    let mut paid = Vec::new();
    for payment in redemptions::of_coupon(db, id)? {
        let refunds = refunds::of_redemption(db, payment.id)?;
        paid.push((payment, refunds));
    }
    Ok(Ok(CouponRecord::new(&coupon, &stock, paid, now)))
}

fn find(db: &Connection, id: i64) -> rusqlite::Result<Option<(CouponState, StockState)>> {
    let Some(coupon) = coupons::find(db, id)? else { return Ok(None) };
    Ok(stocks::find(db, coupon.stock_id)?.map(|stock| (coupon, stock)))
}

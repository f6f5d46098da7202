//! A coupon as control calls show it: with its user and all that was paid and refunded.

use chrono::{DateTime, FixedOffset};
use serde::Serialize;

use super::{GoodsDetail, Redemption, RefundRow};
use crate::coupon::CouponState;
use crate::moment::Moment;
use crate::stock::StockState;

/// A coupon with its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CouponRecord {
    /// Id of the coupon.
    pub coupon_id: String,
    /// Its stock.
    pub stock_id: String,
    /// Creator of the stock.
    pub stock_creator_mchid: String,
    /// Whose it is.
    pub openid: String,
    /// The appid under which the user is known.
    pub appid: String,
    /// Who sent it.
    pub sender_mchid: String,
    /// Under which number.
    pub out_request_no: String,
    /// `SENDED`, `USED` or `EXPIRED`, by the test clock.
    pub status: String,
    /// What it takes off, in fen.
    pub coupon_amount: i64,
    /// From which order total on, in fen.
    pub transaction_minimum: i64,
    /// When it was received.
    pub create_time: DateTime<FixedOffset>,
    /// From when on it can be used.
    pub available_begin_time: DateTime<FixedOffset>,
    /// Until when it can be used.
    pub available_end_time: DateTime<FixedOffset>,
    /// The payment it is used up by; none unless it is `USED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consume_information: Option<ConsumeInformation>,
    /// All payments, oldest first, those refunded too.
    pub redemptions: Vec<RedemptionRecord>,
}

/// Where and for what a coupon was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConsumeInformation {
    /// When.
    pub consume_time: DateTime<FixedOffset>,
    /// The merchant that was paid.
    pub consume_mchid: String,
    /// Number of the payment.
    pub transaction_id: String,
    /// What was bought.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub goods_detail: Vec<GoodsDetail>,
}

/// A payment with the coupon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RedemptionRecord {
    /// Number of the payment.
    pub transaction_id: String,
    /// When.
    pub consume_time: DateTime<FixedOffset>,
    /// The merchant that was paid.
    pub consume_mchid: String,
    /// Order total in fen.
    pub total_amount: i64,
    /// What the coupon took off, in fen.
    pub discount_amount: i64,
    /// Its refunds, oldest first.
    pub refunds: Vec<RefundRecord>,
}

/// A refund of such a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RefundRecord {
    /// Number of the refund.
    pub refund_id: String,
    /// When.
    pub refund_time: DateTime<FixedOffset>,
    /// Part of the order total, in fen.
    pub amount: i64,
    /// Part of the discount that went back, in fen.
    pub discount_amount: i64,
}

impl CouponRecord {
    pub(super) fn new(
        coupon: &CouponState,
        stock: &StockState,
        paid: Vec<(Redemption, Vec<RefundRow>)>,
        now: Moment,
    ) -> Self {
        Self {
            coupon_id: coupon.id.to_string(),
            stock_id: stock.id.to_string(),
            stock_creator_mchid: stock.creator.clone(),
            openid: coupon.openid.clone(),
            appid: coupon.appid.clone(),
            sender_mchid: coupon.sender.clone(),
            out_request_no: coupon.out_request_no.clone(),
            status: coupon.shown_status(now).to_owned(),
            coupon_amount: coupon.amount,
            transaction_minimum: coupon.minimum,
            create_time: coupon.received.date_time(),
            available_begin_time: coupon.begins.date_time(),
            available_end_time: coupon.ends.date_time(),
            consume_information: coupon.consumed.as_ref().map(|payment| ConsumeInformation {
                consume_time: payment.redeemed.date_time(),
                consume_mchid: payment.mchid.clone(),
                transaction_id: payment.transaction_id.clone(),
                goods_detail: payment.goods_detail.clone(),
            }),
            redemptions: paid.into_iter().map(|(payment, refunds)| redemption(payment, refunds)).collect(),
        }
    }
}

fn redemption(payment: Redemption, refunds: Vec<RefundRow>) -> RedemptionRecord {
    RedemptionRecord {
        transaction_id: payment.transaction_id,
        consume_time: payment.redeemed.date_time(),
        consume_mchid: payment.mchid,
        total_amount: payment.total_amount,
        discount_amount: payment.discount,
        refunds: refunds.into_iter().map(refund).collect(),
    }
}

fn refund(row: RefundRow) -> RefundRecord {
    RefundRecord {
        refund_id: row.refund_id,
        refund_time: row.refunded.date_time(),
        amount: row.amount,
        discount_amount: row.discount,
    }
}

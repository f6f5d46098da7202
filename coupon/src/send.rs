//! Sending a coupon (spec §3.11).

use favor_core::{AppId, Checks, CouponId, Fen, InvalidRequest, MerchantId, OutRequestNo, StockId};
use serde::{Deserialize, Serialize};

/// One coupon of a stock for one user, who is named beside it.
///
/// Idempotent by `out_request_no`: repeated with the same number and content it returns the same coupon and counts
/// once. A new number means a new coupon.
///
/// [Official page](https://pay.weixin.qq.com/doc/v3/merchant/4012463767).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SendCoupon {
    /// The stock to take it from.
    pub stock_id: StockId,
    /// The caller's own number for this coupon: durable before the first attempt, the same for each repeat.
    pub out_request_no: OutRequestNo,
    /// An appid bound to the calling merchant, under which the user's openid was issued.
    pub appid: AppId,
    /// The creator of the stock.
    pub stock_creator_mchid: MerchantId,
    /// The face value, for stocks whose value is set at sending. Not open: leave it out for normal stocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon_value: Option<Fen>,
    /// The threshold, for stocks whose value is set at sending. Not open: leave it out for normal stocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon_minimum: Option<Fen>,
}

impl SendCoupon {
    /// A coupon of a normal stock.
    pub fn new(
        stock_id: StockId,
        out_request_no: OutRequestNo,
        appid: AppId,
        stock_creator_mchid: MerchantId,
    ) -> Self {
        Self {
            stock_id,
            out_request_no,
            appid,
            stock_creator_mchid,
            coupon_value: None,
            coupon_minimum: None,
        }
    }

    /// Sets face value and threshold, for stocks that leave them open.
    #[must_use]
    pub fn value(mut self, coupon_value: Fen, coupon_minimum: Fen) -> Self {
        self.coupon_value = Some(coupon_value);
        self.coupon_minimum = Some(coupon_minimum);
        self
    }

    pub(crate) fn check(&self) -> Result<(), InvalidRequest> {
        let mut checks = Checks::new();
        let digits = self.stock_creator_mchid.as_str().len();
        checks.require(digits <= 20, "stock_creator_mchid", "must have at most 20 digits");
        checks.require(
            self.coupon_value.is_some() == self.coupon_minimum.is_some(),
            "coupon_minimum",
            "is needed together with coupon_value",
        );
        checks.finish()
    }
}

/// The coupon in the user's hands. Keep it beside the user: notifications name the coupon only.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct SentCoupon {
    /// The platform's id of the coupon.
    pub coupon_id: CouponId,
}

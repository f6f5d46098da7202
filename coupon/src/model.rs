//! A coupon as the platform reports it (spec §3.12).

use favor_core::{
    BusinessType, ConsumeInformation, CouponId, CouponStatus, CouponType, CutToMessage, Fen,
    FixedNormalCoupon, MerchantId, OutRequestNo, StockId, Timestamp, lenient,
};
use serde::Deserialize;

/// A coupon (spec §3.12).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Coupon {
    /// The merchant that created the stock.
    pub stock_creator_mchid: MerchantId,
    /// The stock it was taken from.
    pub stock_id: StockId,
    /// The platform's id of the coupon.
    pub coupon_id: CouponId,
    /// Its prices; cut-to coupons only.
    #[serde(default)]
    pub cut_to_message: Option<CutToMessage>,
    /// The stock's name.
    #[serde(default, deserialize_with = "lenient::null_is_default")]
    pub coupon_name: String,
    /// Its state.
    pub status: CouponStatus,
    /// The rules text; may be empty.
    #[serde(default, deserialize_with = "lenient::null_is_default")]
    pub description: String,
    /// When the user received it.
    #[serde(with = "favor_core::time::rfc3339")]
    pub create_time: Timestamp,
    /// Full-reduction or cut-to.
    pub coupon_type: CouponType,
    /// Whether no money moves; null in some answers.
    #[serde(default)]
    pub no_cash: Option<bool>,
    /// From when it may be spent.
    #[serde(with = "favor_core::time::rfc3339")]
    pub available_begin_time: Timestamp,
    /// Until when.
    #[serde(with = "favor_core::time::rfc3339")]
    pub available_end_time: Timestamp,
    /// Whether it is bound to goods; null in some answers.
    #[serde(default)]
    pub singleitem: Option<bool>,
    /// Face value and threshold; full-reduction coupons only.
    #[serde(default)]
    pub normal_coupon_information: Option<FixedNormalCoupon>,
    /// How it was redeemed, once it was.
    #[serde(default)]
    pub consume_information: Option<ConsumeInformation>,
    /// The sender's number; in newer answers.
    #[serde(default)]
    pub out_request_no: Option<OutRequestNo>,
    /// What is left of it; consumption credit only.
    #[serde(default)]
    pub available_balance: Option<Fen>,
    /// Set for consumption credit.
    #[serde(default)]
    pub business_type: Option<BusinessType>,
}

impl Coupon {
    /// Whether it can be spent at `now`, by state and validity.
    pub fn usable(&self, now: Timestamp) -> bool {
        self.status == CouponStatus::Sent
            && (self.available_begin_time..=self.available_end_time).contains(&now)
    }
}

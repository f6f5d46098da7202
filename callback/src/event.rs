//! What notifications tell of (spec §6.3).

use favor_core::{
    BusinessType, ConsumeInformation, CouponId, CouponStatus, CouponType, Fen, FixedNormalCoupon, MerchantId,
    StockId, Timestamp, lenient, open_enum,
};
use serde::{Deserialize, Serialize};

open_enum! {
    /// What happened.
    pub enum EventType {
        /// A coupon was redeemed (用券).
        CouponUse => "COUPON.USE",
        /// A coupon was given out (领券). Described in old documentation; not pushed at present.
        CouponSend => "COUPON.SEND",
    }
}

/// The opened content of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload {
    /// A coupon was redeemed.
    CouponUsed(Box<CouponEvent>),
    /// A coupon was given out.
    CouponSent(Box<CouponEvent>),
    /// An event type that this version does not know; [`Notification::raw`](crate::Notification::raw) holds its
    /// JSON. Accept it: the platform repeats what is refused.
    Unknown,
}

impl Payload {
    /// The coupon, whatever happened to it.
    pub fn coupon(&self) -> Option<&CouponEvent> {
        match self {
            Self::CouponUsed(coupon) | Self::CouponSent(coupon) => Some(coupon),
            Self::Unknown => None,
        }
    }
}

/// A coupon as a notification shows it.
///
/// There is no openid and no request number in it: to know the person, keep your own map from coupon id to person
/// when you send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CouponEvent {
    /// The merchant that created the stock.
    pub stock_creator_mchid: MerchantId,
    /// The stock it was taken from.
    pub stock_id: StockId,
    /// The platform's id of the coupon.
    pub coupon_id: CouponId,
    /// For single-item coupons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub singleitem_discount_off: Option<SingleItemDiscountOff>,
    /// For cut-to coupons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_to: Option<DiscountTo>,
    /// The stock's name.
    #[serde(default, deserialize_with = "lenient::null_is_default")]
    pub coupon_name: String,
    /// Its state. Trust [`Notification::event_type`](crate::Notification::event_type) more: samples of a
    /// redemption show `EXPIRED` here.
    #[serde(alias = "state")]
    pub status: CouponStatus,
    /// The rules text; may be empty.
    #[serde(default, deserialize_with = "lenient::null_is_default")]
    pub description: String,
    /// When the user received it.
    #[serde(with = "favor_core::time::rfc3339")]
    pub create_time: Timestamp,
    /// Full-reduction or cut-to.
    pub coupon_type: CouponType,
    /// Whether no money moves; null in a sample.
    #[serde(default)]
    pub no_cash: Option<bool>,
    /// From when it may be spent.
    #[serde(with = "favor_core::time::rfc3339")]
    pub available_begin_time: Timestamp,
    /// Until when.
    #[serde(with = "favor_core::time::rfc3339")]
    pub available_end_time: Timestamp,
    /// Whether it is bound to goods; null in a sample.
    #[serde(default)]
    pub singleitem: Option<bool>,
    /// Face value and threshold; full-reduction coupons only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal_coupon_information: Option<FixedNormalCoupon>,
    /// How it was redeemed, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consume_information: Option<ConsumeInformation>,
    /// Set for consumption credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_type: Option<BusinessType>,
}

/// The terms of a single-item coupon, as notifications name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SingleItemDiscountOff {
    /// The highest unit price it applies to.
    pub single_price_max: Fen,
}

/// The prices of a cut-to coupon, as notifications name them; queries call them `cut_to_message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DiscountTo {
    /// The unit price it lowers to.
    pub cut_to_price: Fen,
    /// The highest unit price it applies to.
    pub max_price: Fen,
}

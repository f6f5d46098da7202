//! The terms of a coupon that stocks, coupons and notifications share.

use serde::{Deserialize, Serialize};

use crate::id::{MerchantId, TransactionId};
use crate::lenient;
use crate::money::Fen;
use crate::open_enum;
use crate::time::Timestamp;

open_enum! {
    /// In what way a coupon lowers the price.
    pub enum CouponType {
        /// Full-reduction: a fixed face value off when the threshold is met (满减券).
        Normal => "NORMAL",
        /// Cut-to: lowers the unit price of one item to a given price (减至券).
        CutTo => "CUT_TO",
    }
}

open_enum! {
    /// The state of a coupon. `Used` is not final: a refunded order can give the coupon back.
    pub enum CouponStatus {
        /// Given out and usable. The platform spells it so.
        Sent => "SENDED" | "SENT",
        /// Spent.
        Used => "USED",
        /// Its validity has ended.
        Expired => "EXPIRED",
        /// Taken back by the platform; in one copy of the documentation only.
        Recovered => "RECOVER",
    }
}

open_enum! {
    /// A relative of the cash coupon that comes back from the same queries.
    pub enum BusinessType {
        /// Consumption credit, which can be spent in parts (消费金).
        ConsumptionCredit => "MULTIUSE",
    }
}

open_enum! {
    /// How an order may be paid for a coupon to apply.
    pub enum TradeType {
        /// Mini program.
        MiniProgram => "MICROAPP",
        /// In-app.
        App => "APPPAY",
        /// Password-free.
        PasswordFree => "PPAY",
        /// Payment code.
        PaymentCode => "CARD",
        /// Face.
        Face => "FACE",
        /// Any other way.
        Other => "OTHER",
    }
}

/// Face value and threshold of a full-reduction coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FixedNormalCoupon {
    /// The face value (面额): what the coupon takes off.
    pub coupon_amount: Fen,
    /// The threshold (门槛): the lowest order total at which it applies.
    pub transaction_minimum: Fen,
}

impl FixedNormalCoupon {
    /// `coupon_amount` off orders of at least `transaction_minimum`.
    pub fn new(coupon_amount: Fen, transaction_minimum: Fen) -> Self {
        Self { coupon_amount, transaction_minimum }
    }
}

/// The prices of a cut-to coupon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CutToMessage {
    /// The highest unit price it applies to.
    pub single_price_max: Fen,
    /// The unit price it lowers to.
    pub cut_to_price: Fen,
}

/// How a coupon was redeemed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConsumeInformation {
    /// When.
    #[serde(with = "crate::time::rfc3339")]
    pub consume_time: Timestamp,
    /// At which merchant.
    pub consume_mchid: MerchantId,
    /// In which payment.
    pub transaction_id: TransactionId,
    /// What was spent; consumption credit only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consume_amount: Option<Fen>,
    /// The goods; single-item coupons only.
    #[serde(default, deserialize_with = "lenient::null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub goods_detail: Vec<GoodsDetail>,
}

/// One line of goods that a coupon was redeemed for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GoodsDetail {
    /// The merchant's own item code.
    pub goods_id: String,
    /// How many.
    #[serde(deserialize_with = "lenient::count")]
    pub quantity: u64,
    /// The unit price.
    pub price: Fen,
    /// The discount on this line.
    pub discount_amount: Fen,
}

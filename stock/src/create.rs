//! Creating a stock (spec §3.1).

use favor_core::{MerchantId, OutRequestNo, StockId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::pattern::PatternInfo;
use crate::rules::{CouponRule, StockRule, StockType};

/// A new stock: its name, window, giving-out rules and redemption rules.
///
/// Idempotent by `out_request_no`: repeated with the same number and content it returns the same stock.
///
/// [Official page](https://pay.weixin.qq.com/doc/v3/merchant/4012534537).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreateStock {
    /// What users see: at most 9 Chinese characters or 20 letters, without `_ , ; |`. The platform screens the
    /// text: a name with a word such as 测试 or TEST is refused, with a message about something else.
    pub stock_name: String,
    /// For the creator only, at most 60 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The owner; in practice the calling merchant.
    pub belong_merchant: MerchantId,
    /// From when coupons are given out and usable: not before now, at most 365 days ahead.
    #[serde(with = "favor_core::time::rfc3339")]
    pub available_begin_time: Timestamp,
    /// Until when: at most 90 days after the begin.
    #[serde(with = "favor_core::time::rfc3339")]
    pub available_end_time: Timestamp,
    /// How coupons are given out.
    pub stock_use_rule: StockRule,
    /// What the coupon looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern_info: Option<PatternInfo>,
    /// How coupons are redeemed.
    pub coupon_use_rule: CouponRule,
    /// `true`: no money moves, the redeeming merchant receives less. `false`: the creator's money is locked when
    /// the stock is started.
    pub no_cash: bool,
    /// `NORMAL`; the other types of the enumeration are not open.
    pub stock_type: StockType,
    /// The caller's own number for this stock: the idempotency key.
    pub out_request_no: OutRequestNo,
    /// Reserved by the platform; leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ext_info: Option<String>,
}

impl CreateStock {
    /// A stock for which no money moves: each redeeming merchant simply receives less (免充值).
    pub fn no_cash(
        stock_name: impl Into<String>,
        belong_merchant: MerchantId,
        window: std::ops::Range<Timestamp>,
        stock_use_rule: StockRule,
        coupon_use_rule: CouponRule,
        out_request_no: OutRequestNo,
    ) -> Self {
        Self {
            stock_name: stock_name.into(),
            comment: None,
            belong_merchant,
            available_begin_time: window.start,
            available_end_time: window.end,
            stock_use_rule,
            pattern_info: None,
            coupon_use_rule,
            no_cash: true,
            stock_type: StockType::Normal,
            out_request_no,
            ext_info: None,
        }
    }

    /// A stock paid for in advance: its whole budget is locked in the creator's balance when it is started (预充值).
    pub fn prefunded(
        stock_name: impl Into<String>,
        belong_merchant: MerchantId,
        window: std::ops::Range<Timestamp>,
        stock_use_rule: StockRule,
        coupon_use_rule: CouponRule,
        out_request_no: OutRequestNo,
    ) -> Self {
        let no_cash = false;
        Self {
            no_cash,
            ..Self::no_cash(
                stock_name,
                belong_merchant,
                window,
                stock_use_rule,
                coupon_use_rule,
                out_request_no,
            )
        }
    }

    /// Adds a note for the creator.
    #[must_use]
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    /// Sets what the coupon looks like.
    #[must_use]
    pub fn pattern_info(mut self, pattern_info: PatternInfo) -> Self {
        self.pattern_info = Some(pattern_info);
        self
    }
}

/// The new stock. Start it after about a minute: before, the platform refuses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CreatedStock {
    /// The platform's id of the stock.
    pub stock_id: StockId,
    /// When it was created.
    #[serde(with = "favor_core::time::rfc3339")]
    pub create_time: Timestamp,
}

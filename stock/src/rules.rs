//! The rules of a new stock: how coupons are given out and redeemed (spec §3.1).

use favor_core::{Fen, FixedNormalCoupon, MerchantId, TradeType, open_enum};
use serde::{Deserialize, Serialize};

open_enum! {
    /// The type of a stock to create.
    pub enum StockType {
        /// Full-reduction coupons with a fixed face value.
        Normal => "NORMAL",
        /// Discount; not open.
        Discount => "DISCOUNT",
        /// Exchange; not open. The platform spells it so.
        Exchange => "EXCHAHGE" | "EXCHANGE",
        /// Random value; not open.
        Random => "RANDOM",
    }
}

/// How coupons are given out: number, budget and limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StockRule {
    /// How many coupons there are: 5 to 10 000 000.
    pub max_coupons: u64,
    /// The budget: exactly `max_coupons` times the face value, at most 100 million yuan.
    pub max_amount: Fen,
    /// The budget per Beijing day; none when not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_amount_by_day: Option<Fen>,
    /// How many coupons one user may have: 1 to 60.
    pub max_coupons_per_user: u32,
    /// Whether the limit per user counts all accounts of one natural person together.
    pub natural_person_limit: bool,
    /// Whether risk control may refuse sends to suspicious accounts.
    pub prevent_api_abuse: bool,
}

impl StockRule {
    /// `max_coupons` coupons for `max_amount` in all, at most `max_coupons_per_user` to one user. Risk control is
    /// on, the limit per natural person is off.
    pub fn new(max_coupons: u64, max_amount: Fen, max_coupons_per_user: u32) -> Self {
        Self {
            max_coupons,
            max_amount,
            max_amount_by_day: None,
            max_coupons_per_user,
            natural_person_limit: false,
            prevent_api_abuse: true,
        }
    }

    /// Limits the face value given out per Beijing day.
    #[must_use]
    pub fn max_amount_by_day(mut self, budget: Fen) -> Self {
        self.max_amount_by_day = Some(budget);
        self
    }

    /// Counts the limit per user over all accounts of one natural person.
    #[must_use]
    pub fn natural_person_limit(mut self, on: bool) -> Self {
        self.natural_person_limit = on;
        self
    }

    /// Lets risk control refuse sends to suspicious accounts.
    #[must_use]
    pub fn prevent_api_abuse(mut self, on: bool) -> Self {
        self.prevent_api_abuse = on;
        self
    }
}

/// How coupons are redeemed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CouponRule {
    /// When a coupon works within the stock's window. Several copies of the documentation call it not open yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon_available_time: Option<AvailableTime>,
    /// Face value and threshold; needed for the type `NORMAL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_normal_coupon: Option<FixedNormalCoupon>,
    /// Labels of which the pay order must carry one: at most 50, each of letters, digits and `_`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goods_tag: Vec<String>,
    /// The one payment method it applies to, such as `ICBC_CREDIT`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limit_pay: Vec<String>,
    /// Which bank cards it applies to; only together with a bank in `limit_pay`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_card: Option<LimitCard>,
    /// Which payment ways it applies to; all when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trade_type: Vec<TradeType>,
    /// Whether it may combine with other discounts; the platform's default is that it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub combine_use: Option<bool>,
    /// The merchant's item codes it is bound to: at most 50. With any, this is a single-item coupon.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub available_items: Vec<String>,
    /// Item codes it does not apply to; not open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unavailable_items: Vec<String>,
    /// Where it may be spent: 1 to 50 merchants.
    pub available_merchants: Vec<MerchantId>,
}

impl CouponRule {
    /// A full-reduction coupon, to be spent at `available_merchants`.
    pub fn normal(
        coupon: FixedNormalCoupon,
        available_merchants: impl IntoIterator<Item = MerchantId>,
    ) -> Self {
        Self {
            coupon_available_time: None,
            fixed_normal_coupon: Some(coupon),
            goods_tag: Vec::new(),
            limit_pay: Vec::new(),
            limit_card: None,
            trade_type: Vec::new(),
            combine_use: None,
            available_items: Vec::new(),
            unavailable_items: Vec::new(),
            available_merchants: available_merchants.into_iter().collect(),
        }
    }

    /// Makes it a single-item coupon for these item codes.
    #[must_use]
    pub fn available_items(mut self, items: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.available_items = items.into_iter().map(Into::into).collect();
        self
    }

    /// Demands that the pay order carry one of these labels.
    #[must_use]
    pub fn goods_tag(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.goods_tag = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Limits it to one payment method.
    #[must_use]
    pub fn limit_pay(mut self, method: impl Into<String>) -> Self {
        self.limit_pay = vec![method.into()];
        self
    }

    /// Limits it to these bank cards.
    #[must_use]
    pub fn limit_card(mut self, card: LimitCard) -> Self {
        self.limit_card = Some(card);
        self
    }

    /// Limits it to these payment ways.
    #[must_use]
    pub fn trade_type(mut self, ways: impl IntoIterator<Item = TradeType>) -> Self {
        self.trade_type = ways.into_iter().collect();
        self
    }

    /// Says whether it may combine with other discounts.
    #[must_use]
    pub fn combine_use(mut self, may: bool) -> Self {
        self.combine_use = Some(may);
        self
    }

    /// Narrows when a coupon works.
    #[must_use]
    pub fn coupon_available_time(mut self, time: AvailableTime) -> Self {
        self.coupon_available_time = Some(time);
        self
    }
}

/// Bank cards a coupon applies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimitCard {
    /// Shown at checkout: at most 4 Chinese characters.
    pub name: String,
    /// The first 6 to 9 digits of card numbers: 1 to 10 entries.
    pub bin: Vec<String>,
}

impl LimitCard {
    /// Cards whose numbers begin with one of `bin`.
    pub fn new(name: impl Into<String>, bin: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), bin: bin.into_iter().map(Into::into).collect() }
    }
}

/// When a coupon works within the stock's window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AvailableTime {
    /// Only on these days and at these hours. Not together with `second_day_available`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix_available_time: Option<FixedAvailableTime>,
    /// Only from the day after it was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_day_available: Option<bool>,
    /// For this many minutes after it was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_time_after_receive: Option<u32>,
}

impl AvailableTime {
    /// Only on these days and at these hours.
    pub fn fixed(time: FixedAvailableTime) -> Self {
        Self { fix_available_time: Some(time), ..Self::default() }
    }

    /// Only from the day after it was received.
    pub fn from_second_day() -> Self {
        Self { second_day_available: Some(true), ..Self::default() }
    }

    /// For this many minutes after it was received.
    pub fn minutes_after_receive(minutes: u32) -> Self {
        Self { available_time_after_receive: Some(minutes), ..Self::default() }
    }
}

/// Days of the week and hours of the day, Beijing time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FixedAvailableTime {
    /// 0 is Sunday, 6 Saturday; every day when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub available_week_day: Vec<u8>,
    /// Seconds of the day from which it works: 0 to 86 400.
    pub begin_time: u32,
    /// Seconds of the day until which it works: 1 to 86 399, the platform's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_time: Option<u32>,
}

impl FixedAvailableTime {
    /// From second `begin_time` to the end of the day, on these days of the week (0 is Sunday).
    pub fn new(available_week_day: impl IntoIterator<Item = u8>, begin_time: u32) -> Self {
        Self { available_week_day: available_week_day.into_iter().collect(), begin_time, end_time: None }
    }

    /// Ends it at this second of the day.
    #[must_use]
    pub fn end_time(mut self, second: u32) -> Self {
        self.end_time = Some(second);
        self
    }
}

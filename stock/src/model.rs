//! A stock as the platform reports it (spec §3.2, §3.7).

use favor_core::{
    BusinessType, CouponType, CutToMessage, Fen, FixedNormalCoupon, MerchantId, StockId, Timestamp,
    TradeType, lenient, open_enum, time::beijing,
};
use serde::Deserialize;

const TEN: chrono::NaiveTime = match chrono::NaiveTime::from_hms_opt(10, 0, 0) {
    Some(ten) => ten,
    None => panic!("ten o'clock is a time"),
};

open_enum! {
    /// The state of a stock. That its window has ended is not reliably among them: look at the time as well.
    pub enum StockStatus {
        /// Created and not started.
        Unactivated => "unactivated",
        /// Under review by the platform.
        Audit => "audit",
        /// Started.
        Running => "running",
        /// Ended for ever. The platform spells it so.
        Stopped => "stoped" | "stopped",
        /// Giving out is suspended; coupons given out stay usable.
        Paused => "paused",
    }
}

open_enum! {
    /// The state of a platform-wide stock: another product, in the official SDK's enumerations only.
    pub enum PlatformStockStatus {
        /// Created and not started.
        Unactivated => "UNACTIVATED",
        /// Started.
        Running => "RUNNING",
        /// Giving out is suspended.
        Paused => "PAUSED",
        /// Ended.
        Expired => "EXPIRED",
    }
}

open_enum! {
    /// When the money of a stock is taken: in the official SDK's enumerations only, used by no endpoint.
    pub enum DeductBalanceMethod {
        /// For the whole stock at once.
        Batch => "BATCH_DEDUCT",
        /// At each redemption.
        RealTime => "REALTIME_DEDUCT",
    }
}

open_enum! {
    /// The type of a stock in queries; not the type it was created with.
    pub enum QueriedStockType {
        /// Cash coupons.
        Normal => "NORMAL",
        /// Instant discount, made in the console.
        InstantDiscount => "DISCOUNT_CUT",
        /// Any other.
        Other => "OTHER",
    }
}

/// A stock (spec §3.7).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Stock {
    /// The platform's id of the stock.
    pub stock_id: StockId,
    /// The merchant that created it.
    pub stock_creator_mchid: MerchantId,
    /// What users see.
    pub stock_name: String,
    /// Its state.
    pub status: StockStatus,
    /// When it was created.
    #[serde(with = "favor_core::time::rfc3339")]
    pub create_time: Timestamp,
    /// The rules text on the coupon's page; may be empty.
    #[serde(default, deserialize_with = "lenient::null_is_default")]
    pub description: String,
    /// Its limits; for normal stocks.
    #[serde(default)]
    pub stock_use_rule: Option<StockUseRule>,
    /// From when coupons are given out and usable.
    #[serde(with = "favor_core::time::rfc3339")]
    pub available_begin_time: Timestamp,
    /// Until when.
    #[serde(with = "favor_core::time::rfc3339")]
    pub available_end_time: Timestamp,
    /// How many coupons were given out.
    #[serde(deserialize_with = "lenient::count")]
    pub distributed_coupons: u64,
    /// Whether no money moves; null in some answers.
    #[serde(default)]
    pub no_cash: Option<bool>,
    /// When it was started.
    #[serde(default, with = "favor_core::time::rfc3339_option")]
    pub start_time: Option<Timestamp>,
    /// When it was ended for ever.
    #[serde(default, with = "favor_core::time::rfc3339_option")]
    pub stop_time: Option<Timestamp>,
    /// Its prices; cut-to coupons only.
    #[serde(default)]
    pub cut_to_message: Option<CutToMessage>,
    /// Whether it is a single-item coupon; null in some answers.
    #[serde(default)]
    pub singleitem: Option<bool>,
    /// Cash coupon, instant discount or other.
    #[serde(default)]
    pub stock_type: Option<QueriedStockType>,
    /// The card-pack id.
    #[serde(default)]
    pub card_id: Option<String>,
    /// Set for consumption credit.
    #[serde(default)]
    pub business_type: Option<BusinessType>,
    /// Where it may be spent; consumption credit only.
    #[serde(default, deserialize_with = "lenient::null_is_default")]
    pub available_region_list: Vec<AvailableRegion>,
    /// For what it may be spent; consumption credit only.
    #[serde(default, deserialize_with = "lenient::null_is_default")]
    pub available_industry_list: Vec<String>,
}

impl Stock {
    /// Whether its window has ended at `now`, whatever the state says.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now > self.available_end_time
    }

    /// Whether it can be started at `now`: created, not ended. The platform also wants a minute to have passed.
    pub fn can_start(&self, now: Timestamp) -> bool {
        self.status == StockStatus::Unactivated && !self.has_ended(now)
    }

    /// Whether it can be paused at `now`.
    pub fn can_pause(&self, now: Timestamp) -> bool {
        self.status == StockStatus::Running && !self.has_ended(now)
    }

    /// Whether it can be restarted at `now`.
    pub fn can_restart(&self, now: Timestamp) -> bool {
        self.status == StockStatus::Paused && !self.has_ended(now)
    }

    /// Whether it can be ended for ever: only a stock that was never started.
    pub fn can_stop(&self, now: Timestamp) -> bool {
        self.status == StockStatus::Unactivated && !self.has_ended(now)
    }

    /// Whether its flow files can be there at `now`: from 10:00 Beijing time of the day after its end.
    pub fn has_flows(&self, now: Timestamp) -> bool {
        let ended = beijing(&self.available_end_time);
        let ten_next_day =
            (ended.date_naive() + chrono::Days::new(1)).and_time(TEN) - chrono::TimeDelta::hours(8);
        self.start_time.is_some() && now.naive_utc() >= ten_next_day
    }

    /// Whether a send can succeed at `now`, by state and window. Budget and limits are not looked at.
    pub fn gives_out(&self, now: Timestamp) -> bool {
        self.status == StockStatus::Running && now >= self.available_begin_time && !self.has_ended(now)
    }
}

/// The limits of a stock as reported. Not what it was created with: some rules are not reported.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StockUseRule {
    /// How many coupons there are.
    #[serde(default, deserialize_with = "lenient::optional_count")]
    pub max_coupons: Option<u64>,
    /// The budget.
    #[serde(default)]
    pub max_amount: Option<Fen>,
    /// The budget per Beijing day; zero or none: no such limit.
    #[serde(default)]
    pub max_amount_by_day: Option<Fen>,
    /// Face value and threshold.
    #[serde(default)]
    pub fixed_normal_coupon: Option<FixedNormalCoupon>,
    /// How many coupons one user may have.
    #[serde(default, deserialize_with = "lenient::optional_count")]
    pub max_coupons_per_user: Option<u64>,
    /// Full-reduction or cut-to.
    #[serde(default)]
    pub coupon_type: Option<CouponType>,
    /// Labels of which the pay order must carry one.
    #[serde(default, deserialize_with = "lenient::one_or_many")]
    pub goods_tag: Vec<String>,
    /// Payment ways it applies to; a bare text in old answers.
    #[serde(default, deserialize_with = "lenient::one_or_many")]
    pub trade_type: Vec<TradeType>,
    /// Whether it may combine with other discounts.
    #[serde(default)]
    pub combine_use: Option<bool>,
}

/// A place where consumption credit may be spent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct AvailableRegion {
    /// What kind of place.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// Country.
    #[serde(default)]
    pub country: Option<String>,
    /// Province.
    #[serde(default)]
    pub province: Option<String>,
    /// City.
    #[serde(default)]
    pub city: Option<String>,
    /// District.
    #[serde(default)]
    pub district: Option<String>,
}

/// A stock was paused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PausedStock {
    /// The stock.
    pub stock_id: StockId,
    /// Since when it gives nothing out. Some of the platform's samples name it `start_time`.
    #[serde(alias = "start_time", with = "favor_core::time::rfc3339")]
    pub pause_time: Timestamp,
}

/// A paused stock runs again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct RestartedStock {
    /// The stock.
    pub stock_id: StockId,
    /// Since when it runs again. Some of the platform's samples name it `start_time`.
    #[serde(alias = "start_time", with = "favor_core::time::rfc3339")]
    pub restart_time: Timestamp,
}

/// A stock was ended for ever.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StoppedStock {
    /// The stock.
    pub stock_id: StockId,
    /// Since when.
    #[serde(with = "favor_core::time::rfc3339")]
    pub stop_time: Timestamp,
}

/// A stock was started.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StartedStock {
    /// The stock.
    pub stock_id: StockId,
    /// Since when it runs.
    #[serde(with = "favor_core::time::rfc3339")]
    pub start_time: Timestamp,
}

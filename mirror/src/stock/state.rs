//! A stock as the store keeps it.

use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// The state as stored. What clients are shown after the end differs: see [`StockState::shown_status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StockStatus {
    Unactivated,
    Audit,
    Running,
    Paused,
    Stopped,
}

impl StockStatus {
    pub(crate) fn wire(self) -> &'static str {
        match self {
            Self::Unactivated => "unactivated",
            Self::Audit => "audit",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stoped",
        }
    }

    pub(crate) fn from_wire(text: &str) -> Option<Self> {
        [Self::Unactivated, Self::Audit, Self::Running, Self::Paused, Self::Stopped]
            .into_iter()
            .find(|status| status.wire() == text)
    }
}

/// `fix_available_time`: the days of the week and the seconds of the day on which coupons can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FixedTime {
    /// 0 is Sunday; none means all.
    #[serde(default, rename = "available_week_day")]
    pub(crate) week_days: Vec<i64>,
    #[serde(rename = "begin_time")]
    pub(crate) begins: i64,
    #[serde(default = "end_of_day", rename = "end_time")]
    pub(crate) ends: i64,
}

fn end_of_day() -> i64 {
    86_399
}

impl FixedTime {
    pub(crate) fn holds(&self, now: Moment) -> bool {
        let day = self.week_days.is_empty() || self.week_days.contains(&now.beijing_weekday());
        day && (self.begins..=self.ends).contains(&now.beijing_second())
    }
}

/// One stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StockState {
    pub(crate) id: i64,
    pub(crate) creator: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) status: StockStatus,
    pub(crate) no_cash: bool,
    pub(crate) single_item: bool,
    pub(crate) begins: Moment,
    pub(crate) ends: Moment,
    pub(crate) max_coupons: i64,
    pub(crate) max_amount: i64,
    /// 0 means no daily budget.
    pub(crate) max_amount_by_day: i64,
    pub(crate) max_coupons_per_user: i64,
    pub(crate) natural_person_limit: bool,
    pub(crate) prevent_api_abuse: bool,
    pub(crate) coupon_amount: i64,
    pub(crate) transaction_minimum: i64,
    pub(crate) combine_use: bool,
    pub(crate) goods_tag: Vec<String>,
    pub(crate) trade_type: Vec<String>,
    pub(crate) minutes_after_receive: Option<i64>,
    pub(crate) second_day_available: bool,
    pub(crate) fixed_time: Option<FixedTime>,
    pub(crate) created: Moment,
    pub(crate) started: Option<Moment>,
    /// The last pause and the last restart.
    pub(crate) paused: Option<Moment>,
    pub(crate) restarted: Option<Moment>,
    pub(crate) stopped: Option<Moment>,
    pub(crate) distributed: i64,
    /// Places in the budget that refunds have given back.
    pub(crate) returned: i64,
}

impl StockState {
    /// Coupons that may still be given.
    pub(crate) fn coupons_left(&self) -> i64 {
        self.max_coupons.saturating_add(self.returned).saturating_sub(self.distributed)
    }

    pub(crate) fn has_ended(&self, now: Moment) -> bool {
        now > self.ends
    }

    /// A stock that ran shows as stopped once its window is over.
    pub(crate) fn shown_status(&self, now: Moment) -> StockStatus {
        if self.has_ended(now) { StockStatus::Stopped } else { self.status }
    }

    /// From when to when a coupon received now can be used.
    pub(crate) fn coupon_window(&self, received: Moment) -> (Moment, Moment) {
        let narrowed = self.second_day_available || self.minutes_after_receive.is_some();
        let begins = match (narrowed, self.second_day_available) {
            (false, _) => self.begins,
            (true, false) => received,
            (true, true) => received.next_beijing_midnight(),
        };
        let begins = begins.min(self.ends);
        let ends = match self.minutes_after_receive {
            Some(minutes) => begins.plus_millis(minutes.saturating_mul(60_000)).min(self.ends),
            None => self.ends,
        };
        (begins, ends)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn at(text: &str) -> Moment {
        chrono::DateTime::parse_from_rfc3339(text).unwrap().into()
    }

    /// A running stock of ten coupons of 5 yuan in August 2026.
    pub(crate) fn stock() -> StockState {
        StockState {
            id: 15_300_001,
            creator: "1900000109".into(),
            name: "Tea 5 off 30".into(),
            description: String::new(),
            status: StockStatus::Running,
            no_cash: true,
            single_item: false,
            begins: at("2026-08-01T00:00:00+08:00"),
            ends: at("2026-08-31T23:59:59+08:00"),
            max_coupons: 10,
            max_amount: 5_000,
            max_amount_by_day: 0,
            max_coupons_per_user: 2,
            natural_person_limit: false,
            prevent_api_abuse: false,
            coupon_amount: 500,
            transaction_minimum: 3_000,
            combine_use: true,
            goods_tag: Vec::new(),
            trade_type: Vec::new(),
            minutes_after_receive: None,
            second_day_available: false,
            fixed_time: None,
            created: at("2026-07-30T10:00:00+08:00"),
            started: Some(at("2026-07-30T10:05:00+08:00")),
            paused: None,
            restarted: None,
            stopped: None,
            distributed: 0,
            returned: 0,
        }
    }

    #[test]
    fn a_coupon_lives_as_long_as_its_stock_unless_narrowed() {
        let received = at("2026-08-10T12:00:00+08:00");
        let plain = stock();
        assert_eq!(plain.coupon_window(received), (plain.begins, plain.ends));

        let minutes = StockState { minutes_after_receive: Some(90), ..stock() };
        assert_eq!(minutes.coupon_window(received), (received, at("2026-08-10T13:30:00+08:00")));

        let tomorrow = StockState { second_day_available: true, ..stock() };
        assert_eq!(tomorrow.coupon_window(received), (at("2026-08-11T00:00:00+08:00"), plain.ends));

        let both = StockState { second_day_available: true, minutes_after_receive: Some(60), ..stock() };
        assert_eq!(
            both.coupon_window(received),
            (at("2026-08-11T00:00:00+08:00"), at("2026-08-11T01:00:00+08:00"))
        );
    }

    #[test]
    fn fixed_times_are_days_of_the_week_and_hours_of_the_day() {
        // The tenth of August 2026 is a Monday.
        let noon = at("2026-08-10T12:00:00+08:00");
        let fixed =
            |week_days: &[i64], begins, ends| FixedTime { week_days: week_days.to_vec(), begins, ends };
        assert!(fixed(&[], 0, 86_399).holds(noon));
        assert!(fixed(&[1], 43_200, 43_200).holds(noon));
        assert!(!fixed(&[0, 2, 3, 4, 5, 6], 0, 86_399).holds(noon));
        assert!(!fixed(&[1], 43_201, 86_399).holds(noon));
        assert!(!fixed(&[1], 0, 43_199).holds(noon));
    }

    #[test]
    fn no_coupon_outlives_its_stock() {
        let received = at("2026-08-31T23:00:00+08:00");
        let late =
            StockState { second_day_available: true, minutes_after_receive: Some(i64::MAX), ..stock() };
        let (begins, ends) = late.coupon_window(received);
        assert!(begins <= ends && ends == late.ends);
    }

    #[test]
    fn after_its_end_a_stock_shows_as_stopped() {
        let stock = stock();
        assert_eq!(stock.shown_status(stock.ends), StockStatus::Running);
        assert_eq!(stock.shown_status(stock.ends.plus_millis(1)), StockStatus::Stopped);
    }
}

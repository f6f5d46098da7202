//! How many coupons, what they are worth, how long they take.

use std::time::Duration;

use chrono::Timelike as _;
use favor_core::Fen;
use favor_stock::Stock;
use serde::Serialize;

use super::worth;
use crate::manifest::Manifest;
use crate::pace::DailyWindow;

const DAY: u64 = 86_400;

/// What a campaign amounts to, as far as it is known before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Estimate {
    /// Coupons in all.
    pub coupons: u64,
    /// What they are worth, where a coupon's value is known.
    pub value: Option<Fen>,
    /// How many days the daily budget makes of it; none where there is no such budget.
    pub budget_days: Option<u64>,
    /// From start to end at the planned rate, within its daily windows and the daily budget. Longer when the platform
    /// slows down.
    pub takes: Duration,
}

/// Estimates a campaign; the stock adds its daily budget.
pub fn estimate(manifest: &Manifest, stock: Option<&Stock>) -> Estimate {
    let coupons = manifest.list.people.saturating_mul(u64::from(manifest.coupons_per_person));
    let value = manifest.face_value.and_then(|face| worth(face, coupons));
    let budget_days = stock.and_then(|stock| budget_days(manifest, stock, coupons));
    let sending = sending_seconds(manifest, coupons);
    let open = open_seconds(&manifest.pace.windows);
    let full_days = if open == 0 { 0 } else { sending / open };
    let by_windows = full_days.saturating_mul(DAY).saturating_add(sending - full_days.saturating_mul(open));
    let by_budget = budget_days.map_or(0, |days| days.saturating_sub(1).saturating_mul(DAY));
    let takes = if open == DAY { sending } else { by_windows };
    Estimate { coupons, value, budget_days, takes: Duration::from_secs(takes.max(by_budget)) }
}

/// Coupons that a day's budget is enough for; none where there is no such budget.
pub(super) fn coupons_a_day(manifest: &Manifest, stock: &Stock) -> Option<u64> {
    let budget = stock.stock_use_rule.as_ref()?.max_amount_by_day.filter(|budget| *budget > Fen::ZERO)?;
    let face = manifest.face_value.filter(|face| *face > Fen::ZERO)?;
    u64::try_from(budget.get() / face.get()).ok()
}

fn budget_days(manifest: &Manifest, stock: &Stock, coupons: u64) -> Option<u64> {
    match coupons_a_day(manifest, stock)? {
        0 => None,
        a_day => Some(coupons.div_ceil(a_day)),
    }
}

/// At a rate that climbs evenly from a tenth, half and a twentieth of the ramp's time is lost.
fn sending_seconds(manifest: &Manifest, coupons: u64) -> u64 {
    let rate = u64::from(manifest.pace.per_second.max(1));
    let ramp = u64::from(manifest.pace.ramp_up_seconds);
    let in_ramp = rate.saturating_mul(ramp).saturating_mul(11) / 20;
    if coupons <= in_ramp {
        return ramp.min(coupons.saturating_mul(10).div_ceil(rate));
    }
    (coupons - in_ramp).div_ceil(rate).saturating_add(ramp)
}

/// How many seconds of a day lie in one of the windows; all when there are none.
fn open_seconds(windows: &[DailyWindow]) -> u64 {
    if windows.is_empty() {
        return DAY;
    }
    let mut spans = Vec::new();
    for window in windows {
        let (from, to) = (second(window.from), second(window.to));
        match from < to {
            true => spans.push((from, to)),
            false => spans.extend([(from, DAY), (0, to)]),
        }
    }
    spans.sort_unstable();
    let (mut open, mut until) = (0, 0);
    for (from, to) in spans {
        open += to.saturating_sub(from.max(until));
        until = until.max(to);
    }
    open
}

fn second(time: chrono::NaiveTime) -> u64 {
    u64::from(time.num_seconds_from_midnight())
}

//! How fast a campaign sends, and at what times of the day.

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

/// How fast a campaign sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Pace {
    /// Sends per second of all workers together. WeChat Pay allows a merchant 500 (spec §3.0); the default is 400, since
    /// the merchant's shop sends by the same quota.
    pub per_second: u32,
    /// Requests under way at once, per worker: 50.
    pub in_flight: u32,
    /// Seconds over which the rate climbs from a tenth of `per_second` at the start: 0 begins at full rate.
    pub ramp_up_seconds: u32,
    /// Beijing times of the day at which it sends; none means at all times.
    pub windows: Vec<DailyWindow>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { per_second: 400, in_flight: 50, ramp_up_seconds: 0, windows: Vec::new() }
    }
}

/// A part of the day, by the Beijing clock; one that ends before it begins goes over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DailyWindow {
    /// The first moment within.
    pub from: NaiveTime,
    /// The first moment after.
    pub to: NaiveTime,
}

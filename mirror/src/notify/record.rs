//! Notifications as control calls show them.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

/// What has become of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NotificationState {
    /// A delivery is still to come.
    Pending,
    /// The receiver has acknowledged one.
    Delivered,
    /// The schedule has ended without that.
    GivenUp,
}

/// A notification and all its deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NotificationRecord {
    /// Number in the log, counted from 1.
    pub id: u64,
    /// The id in the notification itself, the same in all deliveries.
    pub notification_id: String,
    /// `COUPON.USE`, or `COUPON.SEND` where that is switched on.
    pub event_type: String,
    /// Who is told.
    pub mchid: String,
    /// The coupon's stock.
    pub stock_id: String,
    /// The coupon.
    pub coupon_id: String,
    /// The payment; none when a coupon was given.
    pub transaction_id: Option<String>,
    /// When it happened, on the test clock.
    pub created: DateTime<FixedOffset>,
    /// Where it goes.
    pub notify_url: String,
    /// What has become of it.
    pub state: NotificationState,
    /// When the next delivery is due, on the test clock.
    pub next_attempt: Option<DateTime<FixedOffset>>,
    /// All deliveries, oldest first.
    pub deliveries: Vec<DeliveryRecord>,
}

/// One delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeliveryRecord {
    /// Counted from 1; copies sent at once have the same number.
    pub attempt: u32,
    /// When, on the test clock.
    pub time: DateTime<FixedOffset>,
    /// Name of the key that signed it, before any fault.
    pub serial: String,
    /// Names of the faults that struck it.
    pub faults: Vec<String>,
    /// HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it does not count as acknowledged.
    pub error: Option<String>,
    /// The first 1,024 bytes of the answer's body.
    pub answer: String,
    /// From the first byte out to the answer, in microseconds of the machine's clock.
    pub latency_us: u64,
    /// Whether it was asked for by a replay.
    pub replay: bool,
}

//! Notifications as they are shown: a line for people, JSON for programs.

use favor_callback::{Entry, Notification, Record};
use favor_core::{Fen, Timestamp, time};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// What a notification tells, without whose coupon it is: that is not in it.
pub(crate) fn of(notification: &Notification) -> Value {
    let coupon = notification.payload.coupon();
    let used = coupon.and_then(|coupon| coupon.consume_information.as_ref());
    json!({
        "id": notification.id.as_str(),
        "event_type": notification.event_type.as_str(),
        "mchid": notification.merchant_id.as_ref().map(|id| id.as_str()),
        "coupon_id": coupon.map(|coupon| coupon.coupon_id.as_str()),
        "stock_id": coupon.map(|coupon| coupon.stock_id.as_str()),
        "transaction_id": used.map(|used| used.transaction_id.as_str()),
        "amount": amount(notification),
        "create_time": time::to_wire(&notification.create_time),
        "signed_by": notification.signed_by.as_str(),
    })
}

/// What the coupon takes off, in fen.
fn amount(notification: &Notification) -> Option<Fen> {
    Some(notification.payload.coupon()?.normal_coupon_information.as_ref()?.coupon_amount)
}

/// The same as words.
pub(crate) fn words(notification: &Notification) -> String {
    let Some(coupon) = notification.payload.coupon() else {
        return notification.summary.clone().unwrap_or_default();
    };
    let mut words = format!("coupon {} of stock {}", coupon.coupon_id, coupon.stock_id);
    if let Some(amount) = amount(notification) {
        words.push_str(&format!(", {amount} off"));
    }
    if let Some(used) = &coupon.consume_information {
        words.push_str(&format!(", payment {}", used.transaction_id));
    }
    words
}

/// A notification of an inbox.
pub(crate) fn entry(entry: &Entry) -> Value {
    let record = &entry.record;
    let mut shown = match record.clone().into_notification() {
        Ok(notification) => of(&notification),
        // Kept, and not of a form that this version can read: its raw JSON is there.
        Err(_) => json!({
            "id": record.id.as_str(),
            "event_type": record.event_type.as_str(),
            "mchid": record.merchant_id.as_ref().map(|id| id.as_str()),
            "create_time": time::to_wire(&record.create_time),
            "signed_by": record.signed_by.as_str(),
        }),
    };
    shown["inbox_id"] = json!(entry.id.0);
    shown["state"] = json!(entry.state.as_str());
    shown["attempts"] = json!(entry.attempts);
    shown["times_received"] = json!(entry.times_received);
    shown["received_at"] = json!(time::to_wire(&entry.received_at));
    shown["handled_at"] = json!(entry.handled_at.as_ref().map(time::to_wire));
    shown["reason"] = json!(entry.reason);
    shown
}

/// The platform's own request, as `favor verify` and `favor decrypt` read it.
pub(crate) fn request(record: &Record) -> Value {
    let headers: serde_json::Map<_, _> =
        record.request.headers().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    json!({ "headers": headers, "body": String::from_utf8_lossy(&record.request.body) })
}

/// What is opened of a notification, as it is handed on.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Opened<'a> {
    pub(crate) id: &'a str,
    pub(crate) event_type: &'a str,
    pub(crate) create_time: String,
    pub(crate) summary: Option<&'a str>,
    pub(crate) mchid: Option<&'a str>,
    /// As the platform wrote it.
    pub(crate) resource: &'a RawValue,
}

impl<'a> Opened<'a> {
    pub(crate) fn of_notification(notification: &'a Notification) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: notification.id.as_str(),
            event_type: notification.event_type.as_str(),
            create_time: wire(&notification.create_time),
            summary: notification.summary.as_deref(),
            mchid: notification.merchant_id.as_ref().map(|id| id.as_str()),
            resource: serde_json::from_str(notification.raw())?,
        })
    }

    pub(crate) fn of_record(record: &'a Record) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: record.id.as_str(),
            event_type: record.event_type.as_str(),
            create_time: wire(&record.create_time),
            summary: record.summary.as_deref(),
            mchid: record.merchant_id.as_ref().map(|id| id.as_str()),
            resource: serde_json::from_str(&record.resource)?,
        })
    }
}

fn wire(moment: &Timestamp) -> String {
    time::to_wire(moment)
}

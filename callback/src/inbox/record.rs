//! What an inbox keeps of a notification.

use std::fmt;

use bytes::Bytes;
use favor_core::{CouponId, MerchantId, Serial, Timestamp, TransactionId};
use http::HeaderMap;

use crate::event::EventType;
use crate::notification::{Notification, NotificationId};
use crate::rejection::Malformation;

/// What an inbox keeps of a notification. Debug shows neither what it says nor its summary.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The platform's id of it.
    pub id: NotificationId,
    /// The merchant it is for, where the receiver was told its id.
    pub merchant_id: Option<MerchantId>,
    /// When the platform made it.
    pub create_time: Timestamp,
    /// What happened.
    pub event_type: EventType,
    /// One line for people.
    pub summary: Option<String>,
    /// The platform key that signed it.
    pub signed_by: Serial,
    /// The second key to drop repeats by, for redemptions.
    pub redemption: Option<(CouponId, TransactionId)>,
    /// The opened JSON.
    pub resource: String,
    /// The request it came in: the platform's signature over it can be shown to anybody later.
    pub request: SignedRequest,
}

impl Record {
    /// What is kept of a notification that came in this request.
    pub fn new(notification: Notification, request: SignedRequest) -> Self {
        let redemption = notification.dedup_use().map(|(coupon, payment)| (coupon.clone(), payment.clone()));
        let (resource, notification) = notification.into_raw();
        Self {
            id: notification.id,
            merchant_id: notification.merchant_id,
            create_time: notification.create_time,
            event_type: notification.event_type,
            summary: notification.summary,
            signed_by: notification.signed_by,
            redemption,
            resource,
            request,
        }
    }

    /// The notification again.
    ///
    /// # Errors
    /// [`Malformation`] when what was kept is not what a notification says.
    pub fn into_notification(self) -> Result<Notification, Malformation> {
        Notification::again(self)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("merchant_id", &self.merchant_id)
            .field("create_time", &self.create_time)
            .field("event_type", &self.event_type)
            .field("signed_by", &self.signed_by)
            .field("resource_bytes", &self.resource.len())
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// A request as it came: the headers its signature covers, and its body. Debug shows its size only.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// `Wechatpay-Timestamp`.
    pub timestamp: String,
    /// `Wechatpay-Nonce`.
    pub nonce: String,
    /// `Wechatpay-Serial`.
    pub serial: String,
    /// `Wechatpay-Signature`.
    pub signature: String,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl SignedRequest {
    /// The names of its headers, in the order of the fields.
    pub const HEADERS: [&'static str; 4] =
        ["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-serial", "wechatpay-signature"];

    /// Takes what the signature covers from a request. A header that is missing or not ASCII is empty.
    pub fn new(headers: &HeaderMap, body: impl Into<Bytes>) -> Self {
        let [timestamp, nonce, serial, signature] = Self::HEADERS.map(|name| {
            headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        });
        Self { timestamp, nonce, serial, signature, body: body.into() }
    }

    /// The headers' names and values.
    pub fn headers(&self) -> [(&'static str, &str); 4] {
        let [timestamp, nonce, serial, signature] = Self::HEADERS;
        [
            (timestamp, &self.timestamp),
            (nonce, &self.nonce),
            (serial, &self.serial),
            (signature, &self.signature),
        ]
    }
}

impl fmt::Debug for SignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedRequest").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

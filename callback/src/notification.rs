//! A notification that was verified and opened.

use std::fmt;

use favor_core::{CouponId, MerchantId, Serial, Timestamp, TransactionId, id};

use crate::decode::decode;
use crate::envelope::Envelope;
use crate::event::{EventType, Payload};
use crate::inbox::Record;
use crate::rejection::{Malformation, Rejection};

const PART: &str = "the opened resource";

id! {
    /// A notification's id (`EV-…`), the same over all repeats.
    pub struct NotificationId: "the notification id", "1 to 36 visible ASCII characters",
    |t| (1..=36).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic()), plain
}

/// A notification that was verified and opened.
///
/// The same one can come again, at the same moment on another machine, and even after it was accepted. Drop what
/// you already handled, by both keys: [`dedup_id`](Self::dedup_id) and [`dedup_use`](Self::dedup_use).
/// Debug shows neither the JSON nor the summary.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The platform's id of it, the same over all repeats.
    pub id: NotificationId,
    /// When the platform made it.
    pub create_time: Timestamp,
    /// What happened.
    pub event_type: EventType,
    /// One line for people.
    pub summary: Option<String>,
    /// The merchant it is for, where the receiver was told its id.
    pub merchant_id: Option<MerchantId>,
    /// The platform key that signed it.
    pub signed_by: Serial,
    /// What it says.
    pub payload: Payload,
    raw: String,
}

impl Notification {
    /// The first key to drop repeats by.
    pub fn dedup_id(&self) -> &NotificationId {
        &self.id
    }

    /// The second key, for redemptions: one redemption can be told under several ids. The coupon alone is no key,
    /// since a refund gives it back and it can be used again.
    pub fn dedup_use(&self) -> Option<(&CouponId, &TransactionId)> {
        match &self.payload {
            Payload::CouponUsed(coupon) => {
                Some((&coupon.coupon_id, &coupon.consume_information.as_ref()?.transaction_id))
            }
            _ => None,
        }
    }

    /// The opened JSON as it came, with fields this version does not know.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    pub(crate) fn read(
        envelope: Envelope<'_>,
        plaintext: Vec<u8>,
        signed_by: Serial,
    ) -> Result<Self, Rejection> {
        let raw = String::from_utf8(plaintext).map_err(|_| Malformation::new(PART, "it is not UTF-8"))?;
        let payload = read_payload(&envelope.event_type, &raw)?;
        let Envelope { id, create_time, event_type, summary, .. } = envelope;
        Ok(Self { id, create_time, event_type, summary, merchant_id: None, signed_by, payload, raw })
    }

    /// What an inbox kept.
    pub(crate) fn again(record: Record) -> Result<Self, Malformation> {
        let payload = read_payload(&record.event_type, &record.resource)?;
        let Record { id, create_time, event_type, summary, merchant_id, signed_by, resource, .. } = record;
        Ok(Self { id, create_time, event_type, summary, merchant_id, signed_by, payload, raw: resource })
    }

    /// The opened JSON, taken out.
    pub(crate) fn into_raw(mut self) -> (String, Self) {
        (std::mem::take(&mut self.raw), self)
    }
}

fn read_payload(event_type: &EventType, raw: &str) -> Result<Payload, Malformation> {
    Ok(match event_type {
        EventType::CouponUse => Payload::CouponUsed(decode(PART, raw)?),
        EventType::CouponSend => Payload::CouponSent(decode(PART, raw)?),
        EventType::Unknown(_) => {
            decode::<serde::de::IgnoredAny>(PART, raw)?;
            Payload::Unknown
        }
    })
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("id", &self.id)
            .field("create_time", &self.create_time)
            .field("event_type", &self.event_type)
            .field("merchant_id", &self.merchant_id)
            .field("signed_by", &self.signed_by)
            .field("payload", &self.payload)
            .field("raw_bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

//! The outer JSON of a notification (spec §6.2). Read only after the signature held.

use std::borrow::Cow;

use favor_core::{AEAD_AES_256_GCM, Sealed, Timestamp, time};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::decode::decode;
use crate::event::EventType;
use crate::notification::NotificationId;
use crate::rejection::{Malformation, Rejection};

const PART: &str = "the notification";
const RESOURCE_TYPE: &str = "encrypt-resource";
const COUPON: &str = "coupon";

#[derive(Deserialize)]
pub(crate) struct Envelope<'a> {
    pub(crate) id: NotificationId,
    #[serde(deserialize_with = "either_form")]
    pub(crate) create_time: Timestamp,
    pub(crate) event_type: EventType,
    #[serde(borrow, default)]
    resource_type: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(crate) summary: Option<String>,
    #[serde(borrow)]
    resource: Resource<'a>,
}

#[derive(Deserialize)]
struct Resource<'a> {
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    ciphertext: String,
    nonce: String,
    #[serde(default)]
    associated_data: Option<String>,
    #[serde(borrow, default)]
    original_type: Option<Cow<'a, str>>,
}

impl<'a> Envelope<'a> {
    /// Reads it, and checks that what is sealed in it is of a kind that can be opened.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Rejection> {
        let text = str::from_utf8(body).map_err(|_| Malformation::new(PART, "it is not UTF-8"))?;
        let envelope: Self = decode(PART, text)?;
        if envelope.id.as_str().is_empty() {
            return Err(Malformation::new(PART, "it is empty").at("id").into());
        }
        envelope.check()?;
        Ok(envelope)
    }

    fn check(&self) -> Result<(), Rejection> {
        let unsupported = |field, found: &str| Err(Rejection::Unsupported { field, found: found.to_owned() });
        match self.resource_type.as_deref() {
            None | Some("" | RESOURCE_TYPE) => {}
            Some(other) => return unsupported("resource_type", other),
        }
        if self.resource.algorithm != AEAD_AES_256_GCM {
            return unsupported("resource.algorithm", &self.resource.algorithm);
        }
        let is_coupon_event = !matches!(self.event_type, EventType::Unknown(_));
        match self.resource.original_type.as_deref() {
            None | Some("" | COUPON) => Ok(()),
            Some(other) if is_coupon_event => unsupported("resource.original_type", other),
            Some(_) => Ok(()),
        }
    }

    /// The sealed text, taken out.
    pub(crate) fn take_sealed(&mut self) -> Sealed {
        let Resource { ciphertext, nonce, associated_data, .. } = &mut self.resource;
        Sealed::new(std::mem::take(ciphertext), std::mem::take(nonce), associated_data.take())
    }
}

/// RFC 3339, or the 14 digits of old documentation: `yyyyMMddHHmmss`, Beijing time.
fn either_form<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    let text = text.trim();
    let moment = if text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit()) {
        let (date, clock) = text.split_at(8);
        let [year, month, day] = [&date[..4], &date[4..6], &date[6..]];
        let [hour, minute, second] = [&clock[..2], &clock[2..4], &clock[4..]];
        time::from_wire(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}+08:00"))
    } else {
        time::from_wire(text)
    };
    moment.map_err(|_| D::Error::custom("not a time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_time(json: &str) -> Result<String, serde_json::Error> {
        either_form(&mut serde_json::Deserializer::from_str(json)).map(|moment| time::to_wire(&moment))
    }

    #[test]
    fn both_forms_of_a_time_are_read() {
        for json in [r#""20260803123001""#, r#""2026-08-03T12:30:01+08:00""#, r#""2026-08-03T04:30:01Z""#] {
            assert_eq!(create_time(json).unwrap(), "2026-08-03T12:30:01+08:00", "{json}");
        }
        for json in
            [r#""20261303123001""#, r#""2026080312300""#, r#""""#, r#""２０２６""#, "null", "20260803123001"]
        {
            assert!(create_time(json).is_err(), "{json}");
        }
    }
}

//! The body of a notification, sealed, and its headers, signed.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::aead;
use crate::clock::Times;
use crate::ids::RequestIds;
use crate::merchant::KnownMerchant;
use crate::outgoing::{self, Delivery, Outgoing};
use crate::platform_keys::PlatformKeys;

const ASSOCIATED_DATA: &str = "coupon";
/// What the platform calls itself.
const USER_AGENT: &str = "Mozilla/4.0";

/// A notification to be signed and sealed as the platform would.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotificationDraft {
    /// Id of the notification.
    pub id: String,
    /// e.g. `COUPON.USE`.
    pub event_type: String,
    /// A line for people.
    pub summary: String,
    /// What is sealed, usually JSON.
    pub resource: String,
    /// The how-manieth delivery it is, counted from 1; in the week of the move to the public key, id and attempt
    /// decide by which key it is signed.
    pub attempt: u32,
}

impl NotificationDraft {
    /// The first delivery of a `COUPON.USE` with this resource.
    pub fn new(id: impl Into<String>, resource: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            event_type: "COUPON.USE".to_owned(),
            summary: "用券成功".to_owned(),
            resource: resource.into(),
            attempt: 1,
        }
    }

    /// Another event.
    #[must_use]
    pub fn event_type(mut self, event_type: impl Into<String>) -> Self {
        self.event_type = event_type.into();
        self
    }

    /// A later delivery.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }
}

/// A notification ready to be sent: what a receiver gets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedNotification {
    /// Name of the key that signed it.
    pub serial: String,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl SignedNotification {
    pub(crate) fn new(outgoing: &Outgoing) -> Self {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self {
            serial: outgoing.header(&outgoing::SERIAL).unwrap_or_default().to_owned(),
            headers: outgoing
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                .collect(),
            body: outgoing.body.to_vec(),
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    id: &'a str,
    create_time: &'a str,
    event_type: &'a str,
    resource_type: &'static str,
    summary: &'a str,
    resource: Resource<'a>,
}

#[derive(Serialize)]
struct Resource<'a> {
    original_type: &'static str,
    algorithm: &'static str,
    ciphertext: &'a str,
    associated_data: &'static str,
    nonce: &'a str,
}

/// Seals and signs a notification; everything in it but the id is fresh.
pub(crate) fn seal(
    draft: &NotificationDraft,
    create_time: &str,
    merchant: &KnownMerchant,
    platform: &PlatformKeys,
    now: Times,
) -> Outgoing {
    let sealed = aead::seal(&merchant.api_v3_key, ASSOCIATED_DATA, &draft.resource);
    let envelope = Envelope {
        id: &draft.id,
        create_time,
        event_type: &draft.event_type,
        resource_type: "encrypt-resource",
        summary: &draft.summary,
        resource: Resource {
            original_type: "coupon",
            algorithm: aead::ALGORITHM,
            ciphertext: &sealed.ciphertext,
            associated_data: ASSOCIATED_DATA,
            nonce: &sealed.nonce,
        },
    };
    let body = serde_json::to_vec(&envelope).expect("an envelope is made of texts");
    sign(body, &draft.id, draft.attempt, merchant, platform, now)
}

/// Signs a body as it is.
pub(crate) fn sign(
    body: Vec<u8>,
    notification_id: &str,
    attempt: u32,
    merchant: &KnownMerchant,
    platform: &PlatformKeys,
    now: Times,
) -> Outgoing {
    let signer = platform.notification_signer(notification_id, attempt, merchant.public_key_only, now.test);
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    if let Ok(id) = HeaderValue::try_from(RequestIds::default().next(0)) {
        headers.insert(outgoing::REQUEST_ID, id);
    }
    outgoing::sign(&mut headers, &body, &signer, now.wire);
    Outgoing {
        status: StatusCode::OK,
        headers,
        body: body.into(),
        file: None,
        delivery: Delivery::Whole,
        afterwards: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchant::MerchantSeed;
    use crate::moment::Moment;
    use crate::platform_keys::PublicKeyPhase;

    #[test]
    fn every_delivery_is_sealed_and_signed_anew() {
        let now = Moment::from_millis(1_790_000_000_000);
        let times = Times { test: now, wire: now };
        let merchant = KnownMerchant::from_seed(&MerchantSeed::new("1"), &[], now).unwrap();
        let platform = PlatformKeys::new(PublicKeyPhase::Off, times).unwrap();
        let draft = NotificationDraft::new("EV-1", "{}");
        let [one, two] = [1, 2].map(|attempt| {
            seal(&draft.clone().attempt(attempt), &now.rfc3339(), &merchant, &platform, times)
        });
        let body = |outgoing: &Outgoing| serde_json::from_slice::<serde_json::Value>(&outgoing.body).unwrap();
        assert_eq!(body(&one)["id"], body(&two)["id"]);
        assert_eq!(body(&one)["create_time"], body(&two)["create_time"]);
        assert_ne!(body(&one)["resource"]["nonce"], body(&two)["resource"]["nonce"]);
        assert_ne!(one.header(&outgoing::NONCE), two.header(&outgoing::NONCE));
        assert!(body(&one)["id"].as_str().unwrap().len() <= 36);
    }
}

//! What both databases keep of a notification, as texts, and the record again.

use chrono::DateTime;
use favor_core::Serial;
use favor_store::StoreError;
use serde::de::value::StringDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer as _};

use super::{BoxError, InboxError, InboxId, Record, SignedRequest, State};
use crate::event::EventType;

/// Longest reason that is kept, in characters.
const REASON: usize = 1_000;

/// A notification as it is kept.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) merchant_id: String,
    pub(crate) notification_id: String,
    pub(crate) create_time: String,
    pub(crate) event_type: String,
    pub(crate) summary: Option<String>,
    pub(crate) signed_by: String,
    pub(crate) coupon_id: Option<String>,
    pub(crate) transaction_id: Option<String>,
    pub(crate) resource: String,
    pub(crate) request: SignedRequest,
}

impl From<Record> for Columns {
    fn from(record: Record) -> Self {
        let (coupon_id, transaction_id) = record.redemption.unzip();
        Self {
            merchant_id: record.merchant_id.map(String::from).unwrap_or_default(),
            notification_id: record.id.into(),
            create_time: record.create_time.to_rfc3339(),
            event_type: record.event_type.as_str().to_owned(),
            summary: record.summary,
            signed_by: record.signed_by.as_str().to_owned(),
            coupon_id: coupon_id.map(String::from),
            transaction_id: transaction_id.map(String::from),
            resource: record.resource,
            request: record.request,
        }
    }
}

impl Columns {
    /// Whether one of its texts holds U+0000.
    #[cfg(feature = "postgres")]
    pub(crate) fn has_nul(&self) -> bool {
        let SignedRequest { timestamp, nonce, serial, signature, body: _ } = &self.request;
        let always = [
            &self.merchant_id,
            &self.notification_id,
            &self.event_type,
            &self.signed_by,
            &self.resource,
            timestamp,
            nonce,
            serial,
            signature,
        ];
        let sometimes = [&self.summary, &self.coupon_id, &self.transaction_id].into_iter().flatten();
        always.into_iter().chain(sometimes).any(|text| text.contains('\0'))
    }

    /// The record again.
    pub(crate) fn into_record(self, id: InboxId) -> Result<Record, InboxError> {
        self.read().map_err(|cause| InboxError::Damaged { id, cause })
    }

    fn read(self) -> Result<Record, BoxError> {
        let merchant_id = Some(self.merchant_id).filter(|id| !id.is_empty());
        let redemption = self.coupon_id.zip(self.transaction_id);
        Ok(Record {
            id: kept(self.notification_id)?,
            merchant_id: merchant_id.map(kept).transpose()?,
            create_time: DateTime::parse_from_rfc3339(&self.create_time)?,
            event_type: EventType::from(self.event_type.as_str()),
            summary: self.summary,
            signed_by: Serial::new(self.signed_by),
            redemption: redemption
                .map(|(coupon, payment)| Ok::<_, BoxError>((kept(coupon)?, kept(payment)?)))
                .transpose()?,
            resource: self.resource,
            request: self.request,
        })
    }
}

/// An id as it was kept: the platform's are taken as they come, so they are not checked here either.
fn kept<T: DeserializeOwned>(text: String) -> Result<T, serde::de::value::Error> {
    let text: StringDeserializer<serde::de::value::Error> = text.into_deserializer();
    T::deserialize(text)
}

/// The state of this word.
pub(crate) fn state(id: InboxId, word: &str) -> Result<State, InboxError> {
    [State::Waiting, State::Claimed, State::Handled, State::Parked]
        .into_iter()
        .find(|state| state.as_str() == word)
        .ok_or_else(|| InboxError::Damaged { id, cause: "its state is not known".into() })
}

/// What is kept of a reason.
pub(crate) fn reason(text: &str) -> String {
    // PostgreSQL keeps no U+0000.
    text.chars().take(REASON).map(|c| if c == '\0' { '\u{FFFD}' } else { c }).collect()
}

impl From<StoreError> for InboxError {
    fn from(error: StoreError) -> Self {
        if error.is_temporary() {
            return Self::Unavailable(Box::new(error));
        }
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::Unusable(format!("{error}{cause}"))
    }
}

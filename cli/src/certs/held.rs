//! The platform's keys as they are now, asked for by the profile.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use favor_core::{Client, Error, KeySet, Refresh};
use serde::Serialize;

use crate::expiry::days_left;

/// One key.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HeldKey {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) not_before: Option<DateTime<Utc>>,
    pub(crate) not_after: Option<DateTime<Utc>>,
    pub(crate) days_left: Option<i64>,
    /// In the words of the key directory.
    pub(crate) trusted_by: &'static str,
}

/// Asks the platform. A profile with the public key alone asks nobody.
pub(crate) async fn ask(client: &Client) -> Result<Arc<KeySet>, Error> {
    let store = client.key_store();
    store.refresh(Refresh::NoKeys).await?;
    Ok(store.keys())
}

/// The keys in words: the public key first, then the certificates, the newest first.
pub(crate) fn of(keys: &KeySet, now: DateTime<Utc>) -> Vec<HeldKey> {
    let public_key = keys.public_key_id().map(|id| HeldKey {
        kind: "public_key",
        id: id.to_string(),
        not_before: None,
        not_after: None,
        days_left: None,
        trusted_by: "file",
    });
    let certificates = keys.certificates().map(|certificate| HeldKey {
        kind: "certificate",
        id: certificate.serial().to_string(),
        not_before: Some(certificate.not_before()),
        not_after: Some(certificate.not_after()),
        days_left: Some(days_left(certificate.not_after(), now)),
        trusted_by: "first_download",
    });
    public_key.into_iter().chain(certificates).collect()
}

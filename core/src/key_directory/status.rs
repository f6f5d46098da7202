//! How checking a merchant's keys goes: `status.json` beside `current`, so that a check without news makes no release.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{KeyDirectoryError, STATUS_FILE, release};
use crate::id::MerchantId;

/// Why the last check failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CheckFailure {
    /// A short code for machines, such as `undecryptable`.
    pub code: String,
    /// What happened and what to do, in words.
    pub message: String,
}

impl CheckFailure {
    /// A failure with its code and its words.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// The merchant's own API certificate, which ends too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MerchantCertificateStatus {
    /// Its serial.
    pub serial_no: String,
    /// Until when it is valid.
    pub not_after: DateTime<Utc>,
}

impl MerchantCertificateStatus {
    /// The certificate of this serial, valid until then.
    pub fn new(serial_no: impl Into<String>, not_after: DateTime<Utc>) -> Self {
        Self { serial_no: serial_no.into(), not_after }
    }
}

/// How checking a merchant's keys goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MerchantKeyStatus {
    /// The version of the format, as of the manifest.
    pub format: u32,
    /// Whose keys they are.
    pub mchid: MerchantId,
    /// When the keys were last checked with the platform, whatever came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_checked: Option<DateTime<Utc>>,
    /// When that last succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<DateTime<Utc>>,
    /// Since when every check has failed; none when the last one succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<DateTime<Utc>>,
    /// Why the last check failed; none when it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<CheckFailure>,
    /// When the next check is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_check: Option<DateTime<Utc>>,
    /// Certificates that left the platform's list and are kept, since they have not expired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_unlisted: Vec<String>,
    /// What is wrong with the merchant's own key files since they changed; the keys read before are in use until they
    /// are right, or the daemon ends. None while they are right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_keys: Option<CheckFailure>,
    /// The merchant's own API certificate, where its file is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_certificate: Option<MerchantCertificateStatus>,
}

impl MerchantKeyStatus {
    /// Nothing checked yet.
    pub fn new(mchid: MerchantId) -> Self {
        Self {
            format: super::MANIFEST_FORMAT,
            mchid,
            last_checked: None,
            last_success: None,
            failing_since: None,
            failure: None,
            next_check: None,
            kept_unlisted: Vec::new(),
            own_keys: None,
            merchant_certificate: None,
        }
    }

    /// Reads the status of `merchant` in the directory `root`; none when there is none yet.
    ///
    /// # Errors
    /// [`KeyDirectoryError`] when it cannot be read or is damaged.
    pub fn read(root: impl AsRef<Path>, merchant: &MerchantId) -> Result<Option<Self>, KeyDirectoryError> {
        let path = root.as_ref().join(merchant.as_str()).join(STATUS_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let status = serde_json::from_str(&release::text(&path)?);
        status.map(Some).map_err(|error| {
            KeyDirectoryError::damaged(path.display().to_string(), format!("is no status: {error}"))
        })
    }

    /// As JSON text, the way it is written.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

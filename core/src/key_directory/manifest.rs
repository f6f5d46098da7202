//! What a release says about itself: `manifest.json`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{BUNDLE_FILE, MANIFEST_FILE};
use crate::certificate::Certificate;
use crate::id::MerchantId;
use crate::keys::Serial;

/// The version of the format. A reader refuses any other.
pub const MANIFEST_FORMAT: u32 = 1;

/// What kind of key an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyKind {
    /// A platform certificate.
    Certificate,
    /// The WeChat Pay public key.
    PublicKey,
}

impl KeyKind {
    fn name(self) -> &'static str {
        match self {
            KeyKind::Certificate => "certificate",
            KeyKind::PublicKey => "public_key",
        }
    }
}

/// Why a key was believed when it was published first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trust {
    /// Opened with the APIv3 key, in an answer signed by a key that came with it: the first download.
    FirstDownload,
    /// Opened with the APIv3 key, in an answer signed by a key that was held already.
    Download,
    /// Given by the operator as a file: the public key from the merchant console.
    File,
}

/// One key of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ManifestKey {
    /// A certificate or the public key.
    pub kind: KeyKind,
    /// The certificate's serial, upper-case hexadecimal, or the public key's id.
    pub id: String,
    /// The name of its file in the release: the id and `.pem`.
    pub file: String,
    /// SHA-256 of the file's bytes, lower-case hexadecimal.
    pub sha256: String,
    /// From when it is valid; none for a public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<DateTime<Utc>>,
    /// Until when it is valid; none for a public key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<DateTime<Utc>>,
    /// When it was first published in this directory.
    pub first_seen: DateTime<Utc>,
    /// Why it was believed then.
    pub trusted_by: Trust,
}

impl ManifestKey {
    /// The entry of a platform certificate, whose file is [`Certificate::pem`].
    pub fn certificate(certificate: &Certificate, first_seen: DateTime<Utc>, trusted_by: Trust) -> Self {
        Self {
            kind: KeyKind::Certificate,
            id: certificate.serial().as_str().to_owned(),
            file: format!("{}.pem", certificate.serial()),
            sha256: sha256(certificate.pem().as_bytes()),
            not_before: Some(certificate.not_before()),
            not_after: Some(certificate.not_after()),
            first_seen,
            trusted_by,
        }
    }

    /// The entry of the public key whose file is `pem`.
    pub fn public_key(id: &Serial, pem: &str, first_seen: DateTime<Utc>) -> Self {
        Self {
            kind: KeyKind::PublicKey,
            id: id.as_str().to_owned(),
            file: format!("{id}.pem"),
            sha256: sha256(pem.as_bytes()),
            not_before: None,
            not_after: None,
            first_seen,
            trusted_by: Trust::File,
        }
    }

    /// The key's name as responses and notifications give it.
    pub fn serial(&self) -> Serial {
        Serial::new(self.id.as_str())
    }
}

/// What a release holds. Unknown fields are ignored, so that a later minor addition does not stop a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Manifest {
    /// [`MANIFEST_FORMAT`].
    pub format: u32,
    /// Grows with every release of this directory and never goes back: the Unix second of the release, or one more
    /// than before when that is larger.
    pub generation: u64,
    /// What the keys hash to. Two directories with the same keys have the same content, whoever wrote them.
    pub content: String,
    /// Whose keys they are.
    pub mchid: MerchantId,
    /// When these keys were fetched.
    pub fetched_at: DateTime<Utc>,
    /// The keys: the public key first, then the certificates, the newest first.
    pub keys: Vec<ManifestKey>,
}

impl Manifest {
    /// The manifest of a release that follows `previous`, the generation before it, at `now`.
    pub fn new(mchid: MerchantId, keys: Vec<ManifestKey>, previous: Option<u64>, now: DateTime<Utc>) -> Self {
        let by_clock = u64::try_from(now.timestamp()).unwrap_or(0);
        let generation = previous.map_or(by_clock, |previous| by_clock.max(previous.saturating_add(1)));
        let content = Self::content_of(&keys);
        Self { format: MANIFEST_FORMAT, generation, content, mchid, fetched_at: now, keys }
    }

    /// SHA-256 over a line `kind id sha256` for each key, sorted, each ended by a line feed; lower-case hexadecimal.
    pub fn content_of(keys: &[ManifestKey]) -> String {
        let line = |key: &ManifestKey| format!("{} {} {}\n", key.kind.name(), key.id, key.sha256);
        let mut lines: Vec<_> = keys.iter().map(line).collect();
        lines.sort();
        sha256(lines.concat().as_bytes())
    }

    /// The name of the release's folder.
    pub fn release_name(&self) -> String {
        format!("{}-{}", self.generation, self.content.get(..8).unwrap_or(&self.content))
    }

    /// As JSON text, the way it is written.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What is wrong with it, if anything: format, emptiness, file names, content.
    pub(super) fn fault(&self) -> Option<String> {
        if self.format != MANIFEST_FORMAT {
            let found = self.format;
            return Some(format!(
                "is of format {found}, and this version reads {MANIFEST_FORMAT}; update favor"
            ));
        }
        if self.keys.is_empty() {
            return Some("lists no key".to_owned());
        }
        for key in &self.keys {
            let plain = key.file.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            let reserved = key.file == MANIFEST_FILE || key.file == BUNDLE_FILE || key.file.starts_with('.');
            if key.file.is_empty() || key.file.len() > 200 || !plain || reserved {
                return Some(format!("names a file {:?}, which cannot be a key's", key.file));
            }
        }
        (Self::content_of(&self.keys) != self.content).then(|| "does not hash to its own content".to_owned())
    }
}

/// SHA-256, lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, sha256: &str) -> ManifestKey {
        ManifestKey {
            kind: KeyKind::Certificate,
            id: id.to_owned(),
            file: format!("{id}.pem"),
            sha256: sha256.to_owned(),
            not_before: None,
            not_after: None,
            first_seen: DateTime::UNIX_EPOCH,
            trusted_by: Trust::Download,
        }
    }

    fn manifest(keys: Vec<ManifestKey>, previous: Option<u64>, seconds: i64) -> Manifest {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        Manifest::new(MerchantId::new("1900000109").unwrap(), keys, previous, now)
    }

    #[test]
    fn the_content_depends_on_the_keys_alone() {
        let one = manifest(vec![key("A", "1"), key("B", "2")], None, 100);
        let mut other = manifest(vec![key("B", "2"), key("A", "1")], Some(500), 7);
        other.keys[0].first_seen = DateTime::from_timestamp(5, 0).unwrap();
        assert_eq!(one.content, other.content);
        assert_ne!(one.content, manifest(vec![key("A", "1"), key("B", "3")], None, 100).content);
        // As another language would compute it: sha256("certificate A 1\n").
        assert_eq!(manifest(vec![key("A", "1")], None, 0).content, sha256(b"certificate A 1\n"),);
    }

    #[test]
    fn the_generation_never_goes_back() {
        assert_eq!(manifest(vec![key("A", "1")], None, 100).generation, 100);
        assert_eq!(manifest(vec![key("A", "1")], Some(40), 100).generation, 100);
        assert_eq!(manifest(vec![key("A", "1")], Some(100), 100).generation, 101);
        assert_eq!(manifest(vec![key("A", "1")], Some(900), 100).generation, 901, "a clock that went back");
    }

    #[test]
    fn a_file_name_that_leads_elsewhere_is_a_fault() {
        for name in ["../A.pem", "/etc/passwd", "", ".hidden", "manifest.json", "a b.pem", "bundle.pem"] {
            let mut wrong = key("A", "1");
            wrong.file = name.to_owned();
            assert!(manifest(vec![wrong], None, 1).fault().is_some(), "{name}");
        }
        assert_eq!(manifest(vec![key("A", "1")], None, 1).fault(), None);
        assert!(manifest(vec![], None, 1).fault().is_some());
        let mut other = manifest(vec![key("A", "1")], None, 1);
        other.content = "0".repeat(64);
        assert!(other.fault().unwrap().contains("hash"));
        let mut newer = manifest(vec![key("A", "1")], None, 1);
        newer.format = 2;
        assert!(newer.fault().unwrap().contains("update favor"));
    }
}

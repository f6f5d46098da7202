//! The platform's keys, by which its responses and notifications are verified (spec §2.12, §2.13).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use crate::certificate::Certificate;
use crate::error::Error;
use crate::key_file::KeyError;
use crate::rsa::PublicKey;

const PUBLIC_KEY_ID_PREFIX: &str = "PUB_KEY_ID_";

/// What names a key: a certificate's serial number, or the id of a WeChat Pay public key.
///
/// Certificate serials compare without regard to case and leading zeros, public key ids exactly.
#[derive(Clone)]
pub struct Serial {
    text: String,
    zeros: usize,
}

impl Serial {
    /// Takes a serial as it was written. Any text is accepted; it simply names no key when it is nonsense.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text: String = text.into();
        let mut zeros = 0;
        if text.bytes().all(|b| b.is_ascii_hexdigit()) {
            text.make_ascii_uppercase();
            zeros = text.len() - text.trim_start_matches('0').len();
        }
        Self { text, zeros }
    }

    pub(crate) fn from_der(bytes: &[u8]) -> Self {
        let unsigned = bytes.strip_prefix(&[0]).unwrap_or(bytes);
        Self::new(unsigned.iter().map(|byte| format!("{byte:02X}")).collect::<String>())
    }

    /// The serial as it goes on the wire.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is the id of a public key rather than a certificate's serial.
    pub fn is_public_key_id(&self) -> bool {
        self.text.starts_with(PUBLIC_KEY_ID_PREFIX)
    }

    fn significant(&self) -> &str {
        &self.text[self.zeros..]
    }
}

impl PartialEq for Serial {
    fn eq(&self, other: &Self) -> bool {
        self.significant() == other.significant()
    }
}

impl Eq for Serial {}

impl Hash for Serial {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.significant().hash(state);
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Serial({:?})", self.text)
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The platform keys at one moment: certificates, a public key, or both while a merchant switches.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    certificates: Vec<Arc<Certificate>>,
    public_key: Option<(Serial, PublicKey)>,
}

/// What a set of keys knows of a serial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup<'a> {
    /// The key, valid now.
    Found(&'a PublicKey),
    /// A certificate whose validity has ended.
    Expired,
    /// A certificate whose validity has not begun.
    NotYetValid,
    /// Nothing.
    Unknown,
}

impl KeySet {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a platform certificate; one with the same serial is replaced.
    ///
    /// # Errors
    /// [`KeyError`] when it is a merchant's certificate.
    pub fn with_certificate(mut self, certificate: Certificate) -> Result<Self, KeyError> {
        if certificate.is_merchants() {
            return Err(KeyError::swapped(
                "this is a merchant's API certificate (apiclient_cert.pem); a platform certificate of WeChat Pay is needed",
            ));
        }
        self.insert(Arc::new(certificate));
        Ok(self)
    }

    /// Sets the WeChat Pay public key and its id.
    ///
    /// # Errors
    /// [`KeyError`] when `id` does not begin with `PUB_KEY_ID_`.
    pub fn with_public_key(mut self, id: impl AsRef<str>, key: PublicKey) -> Result<Self, KeyError> {
        let id = id.as_ref().trim();
        if id.len() <= PUBLIC_KEY_ID_PREFIX.len() || !id.starts_with(PUBLIC_KEY_ID_PREFIX) {
            return Err(KeyError::public_key_id());
        }
        self.public_key = Some((Serial::new(id), key));
        Ok(self)
    }

    pub(crate) fn insert(&mut self, certificate: Arc<Certificate>) {
        self.certificates.retain(|held| held.serial() != certificate.serial());
        self.certificates.push(certificate);
        self.certificates.sort_by_key(|held| std::cmp::Reverse(held.not_before()));
    }

    pub(crate) fn drop_expired(&mut self, now: DateTime<Utc>) {
        self.certificates.retain(|held| held.not_after() >= now);
    }

    /// The key that `serial` names, if it may be used at `now`.
    pub fn find(&self, serial: &Serial, now: DateTime<Utc>) -> Lookup<'_> {
        if let Some((id, key)) = &self.public_key
            && id == serial
        {
            return Lookup::Found(key);
        }
        match self.certificates.iter().find(|held| held.serial() == serial) {
            Some(held) if held.valid_at(now) => Lookup::Found(held.public_key()),
            Some(held) if now < held.not_before() => Lookup::NotYetValid,
            Some(_) => Lookup::Expired,
            None => Lookup::Unknown,
        }
    }

    /// The key to announce in `Wechatpay-Serial` and to seal fields with: the public key where there is one,
    /// else the certificate whose validity began last.
    pub fn preferred(&self, now: DateTime<Utc>) -> Option<(&Serial, &PublicKey)> {
        if let Some((id, key)) = &self.public_key {
            return Some((id, key));
        }
        let newest = self.certificates.iter().find(|held| held.valid_at(now))?;
        Some((newest.serial(), newest.public_key()))
    }

    /// The certificates, the newest first.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.iter().map(AsRef::as_ref)
    }

    /// The id of the public key, when there is one.
    pub fn public_key_id(&self) -> Option<&Serial> {
        self.public_key.as_ref().map(|(id, _)| id)
    }

    /// Whether there is any key at all.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.public_key.is_none()
    }

    /// Whether `key` is among them.
    pub(crate) fn contains_key(&self, key: &PublicKey) -> bool {
        self.certificates.iter().any(|held| held.public_key() == key)
            || self.public_key.as_ref().is_some_and(|(_, held)| held == key)
    }
}

/// Why a store is asked for newer keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refresh {
    /// There are no keys yet.
    NoKeys,
    /// A response or notification names a key that is not held.
    UnknownSerial(Serial),
}

/// Where the platform's keys come from: a fixed set, a download that keeps itself fresh, or a store of your own.
pub trait KeyStore: fmt::Debug + Send + Sync {
    /// The keys held now. Called for each verification, so it must be quick.
    fn keys(&self) -> Arc<KeySet>;

    /// Asks for newer keys. Completes when there may be some; a store that cannot refresh does nothing.
    ///
    /// Anybody can send an unknown serial, so a store must limit how often this reaches the platform.
    fn refresh(&self, reason: Refresh) -> BoxFuture<'_, Result<(), Error>> {
        let _ = reason;
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Keys that never change by themselves.
#[derive(Debug)]
pub struct FixedKeys(Arc<KeySet>);

impl FixedKeys {
    /// Holds `keys`.
    pub fn new(keys: KeySet) -> Self {
        Self(Arc::new(keys))
    }
}

impl KeyStore for FixedKeys {
    fn keys(&self) -> Arc<KeySet> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_compare_without_case_and_leading_zeros() {
        assert_eq!(Serial::new("0c4A1"), Serial::new("C4A1"));
        assert_eq!(Serial::new("00C4A1"), Serial::new("c4a1"));
        assert_ne!(Serial::new("C4A10"), Serial::new("C4A1"));
        assert_ne!(Serial::new("PUB_KEY_ID_01"), Serial::new("PUB_KEY_ID_1"));
        assert_ne!(Serial::new("PUB_KEY_ID_0a"), Serial::new("PUB_KEY_ID_0A"));
        assert_eq!(Serial::new("0C4A1").as_str(), "0C4A1", "the wire form keeps its zeros");
        assert_eq!(Serial::from_der(&[0, 0x8f, 1]).as_str(), "8F01");
        assert_eq!(Serial::from_der(&[0x0c, 0x4a]).as_str(), "0C4A");
        assert_eq!(Serial::new("").as_str(), "");
        assert_eq!(Serial::new("零").as_str(), "零");
    }
}

//! X.509 certificates: the platform's and the merchant's (spec §2.2, §2.12).

use chrono::{DateTime, Utc};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::key_file::{Found, KeyError, Needed, PemText};
use crate::keys::Serial;
use crate::rsa::{Backend, PublicKey};

/// An X.509 certificate with an RSA key.
#[derive(Clone, Debug)]
pub struct Certificate {
    serial: Serial,
    not_before: DateTime<Utc>,
    not_after: DateTime<Utc>,
    subject: Option<String>,
    public_key: PublicKey,
    pem: String,
}

impl Certificate {
    /// Reads a PEM certificate, for the default RSA backend.
    ///
    /// # Errors
    /// [`KeyError`], which says what was found and what is needed.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Self::from_pem_with(pem, Backend::default())
    }

    /// [`from_pem`](Self::from_pem) for a chosen backend.
    ///
    /// # Errors
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_with(pem: impl AsRef<[u8]>, backend: Backend) -> Result<Self, KeyError> {
        let block = PemText::read(pem.as_ref(), Needed::Certificate)?;
        let damaged = || KeyError::wrong(Needed::Certificate, Found::Damaged);
        let (_, x509) = X509Certificate::from_der(block.der()).map_err(|_| damaged())?;
        let moment = |time: x509_parser::time::ASN1Time| {
            DateTime::from_timestamp(time.timestamp(), 0).ok_or_else(damaged)
        };
        let subject = x509.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        Ok(Self {
            serial: Serial::from_der(x509.raw_serial()),
            not_before: moment(x509.validity().not_before)?,
            not_after: moment(x509.validity().not_after)?,
            subject: subject.map(str::to_owned),
            public_key: PublicKey::from_spki(x509.public_key().raw, backend)
                .map_err(|error| error.needing(Needed::Certificate))?,
            pem: pem::encode(&pem::Pem::new("CERTIFICATE", block.der())),
        })
    }

    /// Reads a PEM file, as [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    /// [`KeyError`], also when the file cannot be read.
    pub fn from_pem_file(path: impl AsRef<std::path::Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        Self::from_pem(crate::key_file::read(path)?).map_err(|error| error.in_file(path))
    }

    /// The serial number, upper-case hexadecimal.
    pub fn serial(&self) -> &Serial {
        &self.serial
    }

    /// From when it is valid.
    pub fn not_before(&self) -> DateTime<Utc> {
        self.not_before
    }

    /// Until when it is valid.
    pub fn not_after(&self) -> DateTime<Utc> {
        self.not_after
    }

    /// Whether it is valid at `moment`.
    pub fn valid_at(&self, moment: DateTime<Utc>) -> bool {
        (self.not_before..=self.not_after).contains(&moment)
    }

    /// The subject's common name: the merchant id in a merchant certificate.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The key inside.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The certificate as PEM text.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Merchant certificates carry the merchant id as their name; the platform's never do.
    pub(crate) fn is_merchants(&self) -> bool {
        self.subject().is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()))
    }
}

//! Reading key files, and saying what is wrong with them.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// A key, certificate or APIv3 key that cannot be used: what was found, what is needed, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    reason: Reason,
    file: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Wrong { needed: Needed, found: Found },
    Inconsistent,
    Unreadable(String),
    ApiV3Length(usize),
    ApiV3Text,
    Mismatch,
    Swapped(&'static str),
    Serial { announced: String, inside: String },
    PublicKeyId,
}

/// What a key file is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needed {
    PrivateKey,
    PublicKey,
    Certificate,
}

/// What a key file turned out to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Pkcs8,
    Pkcs1,
    PublicKey,
    Certificate,
    Encrypted,
    NotRsa,
    RsaOfBits(usize),
    OtherPem(String),
    Pkcs12OrDer,
    BareBase64,
    ApiV3Key,
    Empty,
    Damaged,
    NoPem,
}

impl KeyError {
    pub(crate) fn wrong(needed: Needed, found: Found) -> Self {
        Reason::Wrong { needed, found }.into()
    }

    /// The same, when the key was only a part of what is needed.
    pub(crate) fn needing(mut self, what: Needed) -> Self {
        if let Reason::Wrong { needed, .. } = &mut self.reason {
            *needed = what;
        }
        self
    }

    pub(crate) fn inconsistent() -> Self {
        Reason::Inconsistent.into()
    }

    pub(crate) fn api_v3_length(length: usize) -> Self {
        Reason::ApiV3Length(length).into()
    }

    pub(crate) fn api_v3_text() -> Self {
        Reason::ApiV3Text.into()
    }

    pub(crate) fn mismatch() -> Self {
        Reason::Mismatch.into()
    }

    pub(crate) fn swapped(what: &'static str) -> Self {
        Reason::Swapped(what).into()
    }

    pub(crate) fn serial(announced: &str, inside: &str) -> Self {
        Reason::Serial { announced: announced.to_owned(), inside: inside.to_owned() }.into()
    }

    pub(crate) fn public_key_id() -> Self {
        Reason::PublicKeyId.into()
    }

    pub(crate) fn in_file(mut self, path: &Path) -> Self {
        self.file = Some(path.to_owned());
        self
    }

    /// The file the fault is in, when it was read from one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }
}

impl From<Reason> for KeyError {
    fn from(reason: Reason) -> Self {
        Self { reason, file: None }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.display())?;
        }
        match &self.reason {
            Reason::Wrong { needed, found } => write!(f, "needed {needed}, found {found}"),
            Reason::Inconsistent => f.write_str("the numbers of the RSA key do not fit together; the file is damaged"),
            Reason::Unreadable(why) => write!(f, "the file cannot be read: {why}"),
            Reason::ApiV3Length(length) => write!(
                f,
                "the APIv3 key has {length} bytes, but it must have exactly 32; copy it from the merchant console as it was set"
            ),
            Reason::ApiV3Text => f.write_str("the APIv3 key must be 32 printable ASCII characters"),
            Reason::Mismatch => f.write_str(
                "the private key does not belong to this certificate; use the key and certificate of one download",
            ),
            Reason::Swapped(what) => f.write_str(what),
            Reason::Serial { announced, inside } => {
                write!(f, "the certificate's own serial {inside} differs from the serial {announced} it was announced with")
            }
            Reason::PublicKeyId => {
                f.write_str("the public key id must begin with PUB_KEY_ID_; copy it from the merchant console")
            }
        }
    }
}

impl std::error::Error for KeyError {}

impl fmt::Display for Needed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Needed::PrivateKey => "an RSA private key in PEM (PRIVATE KEY, the file apiclient_key.pem)",
            Needed::PublicKey => "an RSA public key in PEM (PUBLIC KEY, the file pub_key.pem)",
            Needed::Certificate => "an X.509 certificate in PEM (CERTIFICATE)",
        })
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Pkcs8 | Found::Pkcs1 => f.write_str("a private key"),
            Found::PublicKey => f.write_str("a public key"),
            Found::Certificate => f.write_str("a certificate"),
            Found::Encrypted => f.write_str(
                "an encrypted private key; decrypt it first with: openssl pkcs8 -in FILE -out apiclient_key.pem",
            ),
            Found::NotRsa => f.write_str("a key of another kind than RSA"),
            Found::RsaOfBits(bits) => write!(f, "an RSA key of {bits} bits (2048 are needed)"),
            Found::OtherPem(label) => write!(f, "a PEM block labelled {label}"),
            Found::Pkcs12OrDer => f.write_str(
                "binary data, perhaps a .p12 or DER file; convert it with: openssl pkcs12 -in FILE -nodes -legacy",
            ),
            Found::BareBase64 => f.write_str("base64 without its -----BEGIN…----- and -----END…----- lines"),
            Found::ApiV3Key => f.write_str("a text of 32 characters, perhaps the APIv3 key"),
            Found::Empty => f.write_str("nothing: it is empty"),
            Found::Damaged => f.write_str("a damaged one: its content cannot be decoded"),
            Found::NoPem => f.write_str("no PEM text"),
        }
    }
}

/// One PEM block, classified.
pub(crate) struct PemText {
    found: Found,
    der: Zeroizing<Vec<u8>>,
}

impl PemText {
    /// Finds the first PEM block that can serve as `needed`, else classifies the first one.
    pub(crate) fn read(bytes: &[u8], needed: Needed) -> Result<Self, KeyError> {
        let wrong = |found| Err(KeyError::wrong(needed, found));
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let Ok(text) = std::str::from_utf8(bytes) else {
            return wrong(Found::Pkcs12OrDer);
        };
        if text.trim().is_empty() {
            return wrong(Found::Empty);
        }
        if !text.contains("-----BEGIN ") {
            return wrong(without_armour(text));
        }
        let Ok(blocks) = pem::parse_many(text) else {
            return wrong(Found::Damaged);
        };
        let mut blocks = blocks.into_iter().map(Self::classify).collect::<Vec<_>>();
        let at = blocks.iter().position(|block| block.serves(needed)).unwrap_or(0);
        if blocks.is_empty() {
            return wrong(Found::Damaged);
        }
        let block = blocks.swap_remove(at);
        if block.serves(needed) { Ok(block) } else { wrong(block.found) }
    }

    fn classify(block: pem::Pem) -> Self {
        let encrypted =
            block.headers().iter().any(|(name, value)| name == "Proc-Type" && value.contains("ENCRYPTED"));
        let found = match block.tag() {
            _ if encrypted => Found::Encrypted,
            "PRIVATE KEY" => Found::Pkcs8,
            "RSA PRIVATE KEY" => Found::Pkcs1,
            "ENCRYPTED PRIVATE KEY" => Found::Encrypted,
            "EC PRIVATE KEY" => Found::NotRsa,
            "PUBLIC KEY" => Found::PublicKey,
            "CERTIFICATE" => Found::Certificate,
            other => Found::OtherPem(other.to_owned()),
        };
        Self { found, der: Zeroizing::new(block.into_contents()) }
    }

    fn serves(&self, needed: Needed) -> bool {
        match needed {
            Needed::PrivateKey => matches!(self.found, Found::Pkcs8 | Found::Pkcs1),
            Needed::PublicKey => self.found == Found::PublicKey,
            Needed::Certificate => self.found == Found::Certificate,
        }
    }

    pub(crate) fn found(&self) -> &Found {
        &self.found
    }

    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }
}

fn without_armour(text: &str) -> Found {
    let text = text.trim();
    let base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=\r\n".contains(&b);
    if text.len() == 32 && text.is_ascii() {
        Found::ApiV3Key
    } else if text.len() > 200 && text.bytes().all(base64) {
        Found::BareBase64
    } else {
        Found::NoPem
    }
}

/// Reads a whole key file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    std::fs::read(path).map_err(|error| KeyError::from(Reason::Unreadable(error.to_string())).in_file(path))
}

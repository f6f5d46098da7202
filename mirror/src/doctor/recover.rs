//! What a signature gives away without its message: whose key made it, and the digest inside.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::digest::{self, Algorithm, Digest};
use num_bigint::BigUint;

use super::cause::{self, Cause};
use crate::merchant::EMBEDDED_KEYS;
use crate::rsa_key::SigningKey;

/// Modulus and exponent.
#[derive(Debug, Clone)]
pub(super) struct PublicNumbers {
    modulus: BigUint,
    exponent: BigUint,
    bytes: usize,
}

impl PublicNumbers {
    /// From a `RSAPublicKey`, or the same inside a `SubjectPublicKeyInfo`.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let (0x30, content, _) = element(der)? else { return None };
        let (tag, first, rest) = element(content)?;
        let (second_tag, second, _) = element(rest)?;
        match (tag, second_tag) {
            (0x02, 0x02) => Some(Self {
                modulus: BigUint::from_bytes_be(first),
                exponent: BigUint::from_bytes_be(second),
                bytes: first.iter().skip_while(|byte| **byte == 0).count(),
            }),
            (0x30, 0x03) => Self::from_der(second.split_first()?.1),
            _ => None,
        }
    }

    /// What was padded and then raised to the private exponent.
    fn open(&self, signature: &[u8]) -> Option<Vec<u8>> {
        if signature.len() != self.bytes {
            return None;
        }
        let signature = BigUint::from_bytes_be(signature);
        if signature >= self.modulus {
            return None;
        }
        let opened = signature.modpow(&self.exponent, &self.modulus).to_bytes_be();
        let mut padded = vec![0; self.bytes.checked_sub(opened.len())?];
        padded.extend_from_slice(&opened);
        Some(padded)
    }
}

/// Tag, content and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(short - 0x80))?;
            (digits.iter().fold(0, |length, digit| length * 256 + usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The hexadecimal form of a serial written in decimal.
pub(super) fn hex_of_decimal(text: &str) -> Option<String> {
    let plain = (1..=60).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { BigUint::parse_bytes(text.as_bytes(), 10).map(|number| format!("{number:X}")) } else { None }
}

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    Merchant(String),
    /// By the name of the key.
    Platform(String),
    /// One of the keys that mirrors hand out; nobody has it in this one.
    Spare,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Merchant(mchid) => write!(f, "merchant {mchid}"),
            Self::Platform(serial) => write!(f, "platform {serial}"),
            Self::Spare => f.write_str("a merchant of another run"),
        }
    }
}

/// What is known of the signed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// PKCS#1 v1.5 with the name of its hash.
    Digest { hash: Hash, digest: Vec<u8> },
    /// PKCS#1 v1.5 around something that is not a digest with its name.
    Bare(Vec<u8>),
    /// PSS with SHA-256 and MGF1 of the same.
    Pss { salt: Vec<u8>, digest: Vec<u8> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }
}

/// `DigestInfo` up to the digest.
const PREFIXES: [(Hash, &[u8]); 4] = [
    (Hash::Sha1, b"\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"),
    (Hash::Sha256, b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"),
    (Hash::Sha384, b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30"),
    (Hash::Sha512, b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40"),
];

pub(super) fn sha256(message: &[u8]) -> Digest {
    digest::digest(&digest::SHA256, message)
}

impl Proof {
    /// Whether this message was signed.
    pub(super) fn fits(&self, message: &[u8]) -> bool {
        match self {
            Self::Digest { hash, digest } => digest::digest(hash.algorithm(), message).as_ref() == digest,
            Self::Bare(content) => sha256(message).as_ref() == content || message == content,
            Self::Pss { salt, digest } => {
                let mut salted = vec![0; 8];
                salted.extend_from_slice(sha256(message).as_ref());
                salted.extend_from_slice(salt);
                sha256(&salted).as_ref() == digest
            }
        }
    }

    /// The digest of the message, where it can be told.
    pub(super) fn digest(&self) -> Option<&[u8]> {
        match self {
            Self::Digest { digest, .. } => Some(digest),
            Self::Bare(_) | Self::Pss { .. } => None,
        }
    }

    /// What is wrong with the way of signing.
    pub(super) fn cause(&self) -> Option<Cause> {
        match self {
            Self::Digest { hash: Hash::Sha256, .. } => None,
            Self::Digest { hash, .. } => Some(cause::WRONG_HASH.cause(hash.name())),
            Self::Bare(_) => Some(cause::NO_DIGEST_INFO.cause("")),
            Self::Pss { .. } => Some(cause::PSS.cause("")),
        }
    }

    /// What a padded block proves; nothing when it is noise, that is, when the key is not the right one.
    fn read(block: &[u8]) -> Option<Self> {
        match block {
            [0, 1, padding @ ..] => {
                let end = padding.iter().position(|byte| *byte != 0xff)?;
                let content = padding[end..].strip_prefix(&[0]).filter(|_| end >= 8)?;
                let known = PREFIXES.iter().find_map(|(hash, prefix)| {
                    let digest = content.strip_prefix(*prefix)?;
                    (digest.len() == hash.algorithm().output_len()).then(|| (*hash, digest.to_vec()))
                });
                Some(match known {
                    Some((hash, digest)) => Self::Digest { hash, digest },
                    None => Self::Bare(content.to_vec()),
                })
            }
            [masked @ .., 0xbc] => pss(masked),
            _ => None,
        }
    }
}

/// The part before the closing byte: a masked block, then the digest.
fn pss(block: &[u8]) -> Option<Proof> {
    let (masked, digest) = block.split_at_checked(block.len().checked_sub(digest::SHA256_OUTPUT_LEN)?)?;
    let mut plain = Vec::with_capacity(masked.len() + digest::SHA256_OUTPUT_LEN);
    for counter in 0u32.. {
        if plain.len() >= masked.len() {
            break;
        }
        let mut seed = digest.to_vec();
        seed.extend_from_slice(&counter.to_be_bytes());
        plain.extend_from_slice(sha256(&seed).as_ref());
    }
    plain.truncate(masked.len());
    for (plain, masked) in plain.iter_mut().zip(masked) {
        *plain ^= masked;
    }
    // The key has a whole number of bytes, so one bit is left over.
    *plain.first_mut()? &= 0x7f;
    let zeros = plain.iter().position(|byte| *byte != 0)?;
    let salt = plain[zeros..].strip_prefix(&[1])?;
    Some(Proof::Pss { salt: salt.to_vec(), digest: digest.to_vec() })
}

/// A signature with the key that made it.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) owner: Owner,
    pub(super) proof: Proof,
}

/// Finds the key that made a signature.
pub(super) fn origin(signature: &[u8], keys: &[(Owner, PublicNumbers)]) -> Option<Origin> {
    keys.iter().find_map(|(owner, numbers)| {
        let proof = Proof::read(&numbers.open(signature)?)?;
        Some(Origin { owner: owner.clone(), proof })
    })
}

/// The keys that mirrors hand out to merchants.
pub(super) fn spare_keys() -> impl Iterator<Item = (Owner, PublicNumbers)> {
    static KEYS: OnceLock<Vec<PublicNumbers>> = OnceLock::new();
    let read = |pem: &&str| {
        let key = SigningKey::from_pem(pem).ok()?;
        PublicNumbers::from_der(key.verifying_key().der())
    };
    let keys = KEYS.get_or_init(|| EMBEDDED_KEYS.iter().filter_map(read).collect());
    keys.iter().map(|numbers| (Owner::Spare, numbers.clone()))
}

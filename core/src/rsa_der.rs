//! The DER shapes of RSA keys, read once for every backend.

use x509_parser::asn1_rs::{FromDer, Integer, OctetString, Oid, Sequence};
use x509_parser::x509::SubjectPublicKeyInfo;
use zeroize::Zeroizing;

use crate::key_file::{Found, KeyError, Needed, PemText};

const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
/// SEQUENCE { OID rsaEncryption, NULL }
const RSA_ALGORITHM: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A private key as PKCS#1, the form both backends read.
pub(crate) struct PrivateKeyDer {
    pkcs1: Zeroizing<Vec<u8>>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PrivateKeyDer {
    pub(crate) fn from_pem(pem: &PemText) -> Result<Self, KeyError> {
        match pem.found() {
            Found::Pkcs8 => Self::from_pkcs8(pem.der()),
            Found::Pkcs1 => Self::from_pkcs1(pem.der()),
            other => Err(KeyError::wrong(Needed::PrivateKey, other.clone())),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let damaged = || KeyError::wrong(Needed::PrivateKey, Found::Damaged);
        let (_, outer) = Sequence::from_der(der).map_err(|_| damaged())?;
        let (rest, _version) = Integer::from_der(&outer.content).map_err(|_| damaged())?;
        let (rest, algorithm) = Sequence::from_der(rest).map_err(|_| damaged())?;
        let (_, oid) = Oid::from_der(&algorithm.content).map_err(|_| damaged())?;
        if oid.to_id_string() != RSA_ENCRYPTION {
            return Err(KeyError::wrong(Needed::PrivateKey, Found::NotRsa));
        }
        let (_, key) = OctetString::from_der(rest).map_err(|_| damaged())?;
        Self::from_pkcs1(key.as_ref())
    }

    fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let damaged = || KeyError::wrong(Needed::PrivateKey, Found::Damaged);
        let (_, outer) = Sequence::from_der(der).map_err(|_| damaged())?;
        let (rest, _version) = Integer::from_der(&outer.content).map_err(|_| damaged())?;
        let (rest, modulus) = Integer::from_der(rest).map_err(|_| damaged())?;
        let (_, exponent) = Integer::from_der(rest).map_err(|_| damaged())?;
        let key = Self {
            pkcs1: Zeroizing::new(der.to_vec()),
            modulus: unsigned(modulus.as_ref()).to_vec(),
            exponent: unsigned(exponent.as_ref()).to_vec(),
        };
        check_bits(&key.modulus, Needed::PrivateKey)?;
        Ok(key)
    }

    pub(crate) fn pkcs1(&self) -> &[u8] {
        &self.pkcs1
    }

    pub(crate) fn public(&self) -> PublicKeyDer {
        PublicKeyDer::from_parts(self.modulus.clone(), &self.exponent)
    }
}

/// A public key as SubjectPublicKeyInfo.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicKeyDer {
    spki: Vec<u8>,
    modulus: Vec<u8>,
}

impl PublicKeyDer {
    pub(crate) fn from_pem(pem: &PemText) -> Result<Self, KeyError> {
        match pem.found() {
            Found::PublicKey => Self::from_spki(pem.der()),
            other => Err(KeyError::wrong(Needed::PublicKey, other.clone())),
        }
    }

    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let damaged = || KeyError::wrong(Needed::PublicKey, Found::Damaged);
        let (_, spki) = <SubjectPublicKeyInfo as x509_parser::prelude::FromDer<_>>::from_der(der)
            .map_err(|_| damaged())?;
        if spki.algorithm.algorithm.to_id_string() != RSA_ENCRYPTION {
            return Err(KeyError::wrong(Needed::PublicKey, Found::NotRsa));
        }
        let (_, key) = Sequence::from_der(&spki.subject_public_key.data).map_err(|_| damaged())?;
        let (rest, modulus) = Integer::from_der(&key.content).map_err(|_| damaged())?;
        let (_, exponent) = Integer::from_der(rest).map_err(|_| damaged())?;
        let modulus = unsigned(modulus.as_ref());
        check_bits(modulus, Needed::PublicKey)?;
        Ok(Self::from_parts(modulus.to_vec(), unsigned(exponent.as_ref())))
    }

    /// Writes the key anew, so that the same key always has the same bytes.
    fn from_parts(modulus: Vec<u8>, exponent: &[u8]) -> Self {
        let key = tlv(0x30, &[integer(&modulus), integer(exponent)].concat());
        let bits = tlv(0x03, &[&[0], key.as_slice()].concat());
        Self { spki: tlv(0x30, &[RSA_ALGORITHM, &bits].concat()), modulus }
    }

    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    pub(crate) fn bits(&self) -> usize {
        bits(&self.modulus)
    }
}

fn check_bits(modulus: &[u8], needed: Needed) -> Result<(), KeyError> {
    let bits = bits(modulus);
    if BITS.contains(&bits) { Ok(()) } else { Err(KeyError::wrong(needed, Found::RsaOfBits(bits))) }
}

fn bits(unsigned: &[u8]) -> usize {
    let leading = unsigned.first().map_or(0, |byte| byte.leading_zeros());
    (unsigned.len() * 8).saturating_sub(usize::try_from(leading).unwrap_or(0))
}

fn unsigned(mut bytes: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

fn integer(unsigned: &[u8]) -> Vec<u8> {
    match unsigned.first() {
        Some(first) if *first < 0x80 => tlv(0x02, unsigned),
        _ => tlv(0x02, &[&[0], unsigned].concat()),
    }
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = unsigned(&length);
    let mut out = vec![tag];
    match length {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        long => {
            out.push(0x80 | long.iter().fold(0, |count: u8, _| count + 1));
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}

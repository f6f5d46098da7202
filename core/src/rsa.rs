//! RSA behind one seam: PKCS#1 v1.5 signatures with SHA-256, and OAEP with SHA-1 (spec §2.5, §2.9, §2.15).

use std::fmt;
use std::sync::Arc;

use crate::key_file::{KeyError, Needed, PemText};
#[cfg(feature = "aws-lc")]
use crate::rsa_aws_lc as aws_lc;
use crate::rsa_der::{PrivateKeyDer, PublicKeyDer};
#[cfg(feature = "rustcrypto")]
use crate::rsa_rustcrypto as rustcrypto;

#[cfg(not(any(feature = "aws-lc", feature = "rustcrypto")))]
compile_error!("favor-core needs an RSA backend: enable the feature `aws-lc` or `rustcrypto`");

/// Which library does the RSA arithmetic. Signatures are deterministic, so both give the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// aws-lc-rs: about four times faster at signing and eight at verifying. Default where it is compiled in.
    #[cfg(feature = "aws-lc")]
    AwsLc,
    /// The pure Rust `rsa` crate, always blinded. Needs no C compiler.
    #[cfg(feature = "rustcrypto")]
    RustCrypto,
}

impl Backend {
    /// The backends compiled into this build, the default first.
    pub const ALL: &'static [Backend] = &[
        #[cfg(feature = "aws-lc")]
        Backend::AwsLc,
        #[cfg(feature = "rustcrypto")]
        Backend::RustCrypto,
    ];
}

impl Default for Backend {
    fn default() -> Self {
        Self::ALL[0]
    }
}

/// An RSA operation did not succeed. Says no more, so that it cannot be used as an oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the RSA operation failed")]
pub struct RsaError;

/// An RSA private key of 2048 to 8192 bits, parsed once and held. Cloning is cheap.
#[derive(Clone)]
pub struct PrivateKey {
    inner: Arc<PrivateInner>,
    public: PublicKey,
}

enum PrivateInner {
    #[cfg(feature = "aws-lc")]
    AwsLc(aws_lc::PrivateKey),
    #[cfg(feature = "rustcrypto")]
    RustCrypto(Box<rustcrypto::PrivateKey>),
}

impl PrivateKey {
    /// Reads a PEM private key, PKCS#8 (`PRIVATE KEY`) or PKCS#1 (`RSA PRIVATE KEY`), for the default backend.
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
        let der = PrivateKeyDer::from_pem(&PemText::read(pem.as_ref(), Needed::PrivateKey)?)?;
        let public = PublicKey::from_der(&der.public(), backend)?;
        let inner = match backend {
            #[cfg(feature = "aws-lc")]
            Backend::AwsLc => aws_lc::PrivateKey::new(&der).map(PrivateInner::AwsLc),
            #[cfg(feature = "rustcrypto")]
            Backend::RustCrypto => {
                rustcrypto::PrivateKey::new(&der).map(Box::new).map(PrivateInner::RustCrypto)
            }
        };
        let key = Self { inner: Arc::new(inner.map_err(|RsaError| KeyError::inconsistent())?), public };
        // The first private operation of aws-lc seeds its random generator (24 ms): pay for it here. It also
        // proves that the private and the public half belong together.
        let probe = b"favor key check";
        let signature = key.sign(probe).map_err(|RsaError| KeyError::inconsistent())?;
        key.public.verify(probe, &signature).map_err(|RsaError| KeyError::inconsistent())?;
        Ok(key)
    }

    /// Reads a PEM file, as [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    /// [`KeyError`], also when the file cannot be read.
    pub fn from_pem_file(path: impl AsRef<std::path::Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        let pem = zeroize::Zeroizing::new(crate::key_file::read(path)?);
        Self::from_pem(pem.as_slice()).map_err(|error| error.in_file(path))
    }

    /// Signs `message`: RSASSA-PKCS1-v1_5 with SHA-256.
    ///
    /// # Errors
    /// [`RsaError`] when the arithmetic fails its own check or no random bytes can be had for blinding.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, RsaError> {
        match &*self.inner {
            #[cfg(feature = "aws-lc")]
            PrivateInner::AwsLc(key) => key.sign(message),
            #[cfg(feature = "rustcrypto")]
            PrivateInner::RustCrypto(key) => key.sign(message),
        }
    }

    /// Opens a sensitive field: RSAES-OAEP with SHA-1 (spec §2.15).
    ///
    /// # Errors
    /// [`RsaError`] when the ciphertext was not made for this key.
    pub fn decrypt_oaep(&self, ciphertext: &[u8]) -> Result<Vec<u8>, RsaError> {
        match &*self.inner {
            #[cfg(feature = "aws-lc")]
            PrivateInner::AwsLc(key) => key.decrypt_oaep(ciphertext),
            #[cfg(feature = "rustcrypto")]
            PrivateInner::RustCrypto(key) => key.decrypt_oaep(ciphertext),
        }
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(RSA {} bits, ****)", self.public.bits())
    }
}

/// An RSA public key of 2048 to 8192 bits, parsed once and held. Cloning is cheap.
#[derive(Clone)]
pub struct PublicKey {
    inner: Arc<PublicInner>,
    der: Arc<PublicKeyDer>,
}

enum PublicInner {
    #[cfg(feature = "aws-lc")]
    AwsLc(aws_lc::PublicKey),
    #[cfg(feature = "rustcrypto")]
    RustCrypto(rustcrypto::PublicKey),
}

impl PublicKey {
    /// Reads a PEM public key (SPKI, `PUBLIC KEY`), for the default backend.
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
        let pem = PemText::read(pem.as_ref(), Needed::PublicKey)?;
        Self::from_der(&PublicKeyDer::from_pem(&pem)?, backend)
    }

    /// Reads a PEM file, as [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    /// [`KeyError`], also when the file cannot be read.
    pub fn from_pem_file(path: impl AsRef<std::path::Path>) -> Result<Self, KeyError> {
        let path = path.as_ref();
        Self::from_pem(crate::key_file::read(path)?).map_err(|error| error.in_file(path))
    }

    /// Takes the key out of a certificate's SubjectPublicKeyInfo.
    pub(crate) fn from_spki(spki: &[u8], backend: Backend) -> Result<Self, KeyError> {
        Self::from_der(&PublicKeyDer::from_spki(spki)?, backend)
    }

    fn from_der(der: &PublicKeyDer, backend: Backend) -> Result<Self, KeyError> {
        let inner = match backend {
            #[cfg(feature = "aws-lc")]
            Backend::AwsLc => aws_lc::PublicKey::new(der).map(PublicInner::AwsLc),
            #[cfg(feature = "rustcrypto")]
            Backend::RustCrypto => rustcrypto::PublicKey::new(der).map(PublicInner::RustCrypto),
        };
        let inner = inner.map_err(|RsaError| KeyError::inconsistent())?;
        Ok(Self { inner: Arc::new(inner), der: Arc::new(der.clone()) })
    }

    /// Checks a signature over `message`: RSASSA-PKCS1-v1_5 with SHA-256.
    ///
    /// # Errors
    /// [`RsaError`] when it does not hold.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), RsaError> {
        match &*self.inner {
            #[cfg(feature = "aws-lc")]
            PublicInner::AwsLc(key) => key.verify(message, signature),
            #[cfg(feature = "rustcrypto")]
            PublicInner::RustCrypto(key) => key.verify(message, signature),
        }
    }

    /// Seals a sensitive field: RSAES-OAEP with SHA-1 (spec §2.15). At most 214 bytes for a 2048-bit key.
    ///
    /// # Errors
    /// [`RsaError`] when the plaintext is too long or no random bytes can be had.
    pub fn encrypt_oaep(&self, plaintext: &[u8]) -> Result<Vec<u8>, RsaError> {
        match &*self.inner {
            #[cfg(feature = "aws-lc")]
            PublicInner::AwsLc(key) => key.encrypt_oaep(plaintext),
            #[cfg(feature = "rustcrypto")]
            PublicInner::RustCrypto(key) => key.encrypt_oaep(plaintext),
        }
    }

    /// The size of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.der.bits()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey(RSA {} bits)", self.bits())
    }
}

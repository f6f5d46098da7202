//! Signing requests (spec §2.5).

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::BoxFuture;

use crate::certificate::Certificate;
use crate::id::MerchantId;
use crate::key_file::KeyError;
use crate::keys::Serial;
use crate::random;
use crate::rsa::PrivateKey;

/// The signature scheme, for requests and responses.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// A signature could not be made. Nothing was sent.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct SignError {
    reason: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SignError {
    /// An error with a reason for people. It must hold no secret.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), source: None }
    }

    /// Adds the cause.
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// Who signs requests: a key in memory ([`MerchantSigner`]), or a KMS or HSM behind this trait.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The merchant that calls.
    fn merchant_id(&self) -> &MerchantId;

    /// The serial of the merchant's API certificate.
    fn serial(&self) -> &Serial;

    /// The scheme in the `Authorization` header.
    fn scheme(&self) -> &str {
        SCHEME
    }

    /// Signs `message` with RSASSA-PKCS1-v1_5 and SHA-256.
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>>;

    /// The public half of the key, where it is at hand. The client uses it to notice swapped key files.
    fn public_key(&self) -> Option<&crate::rsa::PublicKey> {
        None
    }
}

/// Signs with a private key held in memory, inline.
#[derive(Clone, Debug)]
pub struct MerchantSigner {
    merchant_id: MerchantId,
    serial: Serial,
    key: PrivateKey,
}

impl MerchantSigner {
    /// A signer from the serial of the merchant's API certificate and its private key.
    ///
    /// # Errors
    /// [`KeyError`] when `serial` is no certificate serial.
    pub fn new(merchant_id: MerchantId, serial: impl AsRef<str>, key: PrivateKey) -> Result<Self, KeyError> {
        let serial = serial.as_ref().trim();
        if serial.starts_with("PUB_KEY_ID_") {
            return Err(KeyError::swapped(
                "the merchant certificate's serial is needed, and a WeChat Pay public key id was given",
            ));
        }
        if serial.is_empty() || !serial.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(KeyError::swapped(
                "the merchant certificate's serial must be hexadecimal digits; see: openssl x509 -in apiclient_cert.pem -noout -serial",
            ));
        }
        Ok(Self { merchant_id, serial: Serial::new(serial), key })
    }

    /// A signer that takes the serial from the merchant's API certificate.
    ///
    /// # Errors
    /// [`KeyError`] when the certificate is not the merchant's, or the key does not belong to it.
    pub fn from_certificate(
        merchant_id: MerchantId,
        certificate: &Certificate,
        key: PrivateKey,
    ) -> Result<Self, KeyError> {
        if certificate.public_key() != key.public_key() {
            return Err(if certificate.is_merchants() {
                KeyError::mismatch()
            } else {
                KeyError::swapped(
                    "this is not a merchant's API certificate; apiclient_cert.pem is needed here, a platform certificate verifies responses",
                )
            });
        }
        Ok(Self { merchant_id, serial: certificate.serial().clone(), key })
    }

    /// The private key, for sensitive fields in responses (spec §2.15).
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }
}

impl Signer for MerchantSigner {
    fn merchant_id(&self) -> &MerchantId {
        &self.merchant_id
    }

    fn serial(&self) -> &Serial {
        &self.serial
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, SignError>> {
        let signature = self
            .key
            .sign(message)
            .map_err(|error| SignError::new("the private key could not sign").caused_by(error));
        Box::pin(std::future::ready(signature))
    }

    fn public_key(&self) -> Option<&crate::rsa::PublicKey> {
        Some(self.key.public_key())
    }
}

/// The time and nonce of one attempt. Each attempt takes new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Unix time in seconds.
    pub timestamp: i64,
    /// 32 letters and digits.
    pub nonce: String,
}

impl Stamp {
    /// This time, with a new nonce.
    ///
    /// # Errors
    /// [`SignError`] when the system gives no random bytes.
    pub fn at(timestamp: i64) -> Result<Self, SignError> {
        Ok(Self { timestamp, nonce: random::nonce()? })
    }
}

/// The message that is signed for a request: five lines, each ended by a line feed.
///
/// `path_and_query` are the bytes of the HTTP request line, `body` the signed body: all of it, or for an upload
/// the text of its `meta` part (spec §2.7).
pub fn request_message(method: &str, path_and_query: &str, stamp: &Stamp, body: &[u8]) -> Vec<u8> {
    let timestamp = stamp.timestamp.to_string();
    let lines =
        [method.as_bytes(), path_and_query.as_bytes(), timestamp.as_bytes(), stamp.nonce.as_bytes(), body];
    lines_message(&lines)
}

/// The message that is signed for a response or notification: three lines, each ended by a line feed.
///
/// Timestamp and nonce are the header texts as received.
pub fn response_message(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    lines_message(&[timestamp.as_bytes(), nonce.as_bytes(), body])
}

fn lines_message(lines: &[&[u8]]) -> Vec<u8> {
    let mut message = Vec::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
    for line in lines {
        message.extend_from_slice(line);
        message.push(b'\n');
    }
    message
}

/// Room for a header with the signature of a key of 2048 bits.
const HEADER_BYTES: usize = 576;

/// The value of the `Authorization` header.
pub fn authorization(
    scheme: &str,
    merchant_id: &MerchantId,
    serial: &Serial,
    stamp: &Stamp,
    signature: &[u8],
) -> String {
    let Stamp { timestamp, nonce } = stamp;
    let mut header = String::with_capacity(HEADER_BYTES);
    // Writing to a text cannot fail.
    let _ = write!(
        header,
        "{scheme} mchid=\"{merchant_id}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",serial_no=\"{serial}\",signature=\""
    );
    STANDARD.encode_string(signature, &mut header);
    header.push('"');
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp { timestamp: 1_750_000_000, nonce: "Qw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc".into() }
    }

    // The three layouts of spec §2.5.
    #[test]
    fn the_message_has_five_lines() {
        assert_eq!(
            request_message("GET", "/v3/certificates", &stamp(), b""),
            b"GET\n/v3/certificates\n1750000000\nQw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc\n\n"
        );
        assert_eq!(
            request_message("GET", "/v3/marketing/favor/stocks/9856000?stock_creator_mchid=9856888", &stamp(), b""),
            b"GET\n/v3/marketing/favor/stocks/9856000?stock_creator_mchid=9856888\n1750000000\nQw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc\n\n"
        );
        assert_eq!(
            request_message(
                "POST",
                "/v3/marketing/favor/stocks/9856000/start",
                &stamp(),
                br#"{"stock_creator_mchid":"9856888"}"#
            ),
            b"POST\n/v3/marketing/favor/stocks/9856000/start\n1750000000\nQw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc\n{\"stock_creator_mchid\":\"9856888\"}\n"
        );
        assert_eq!(
            request_message("POST", "/v3/x", &stamp(), b"{}\n"),
            b"POST\n/v3/x\n1750000000\nQw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc\n{}\n\n",
            "a body that ends in a line feed is followed by another"
        );
    }

    #[test]
    fn a_response_message_has_three_lines_also_without_a_body() {
        assert_eq!(response_message("1750000000", "abc", b"{}"), b"1750000000\nabc\n{}\n");
        assert_eq!(response_message("1750000000", "abc", b""), b"1750000000\nabc\n\n");
    }

    #[test]
    fn the_header_has_five_items_and_no_blanks() {
        let header = authorization(
            SCHEME,
            &MerchantId::new("1900000109").unwrap(),
            &Serial::new("0c4a"),
            &stamp(),
            &[0xfb, 0xff],
        );
        assert_eq!(
            header,
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1900000109\",nonce_str=\"Qw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc\",\
             timestamp=\"1750000000\",serial_no=\"0C4A\",signature=\"+/8=\""
        );
    }
}

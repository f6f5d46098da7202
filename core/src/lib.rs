// The README's example runs over the default transport, so builds without one have a line in its place.
#![cfg_attr(feature = "http-transport", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "http-transport"),
    doc = "The plumbing of WeChat Pay API v3; this build has no transport of its own."
)]

mod aead;
mod api_error;
mod call;
mod certificate;
mod certificate_download;
mod check;
mod client;
mod clock;
mod config;
mod diagnose;
mod encode;
mod error;
mod exchange;
mod id;
pub mod key_directory;
mod key_file;
mod key_refresh;
mod keys;
pub mod lenient;
mod link;
mod money;
mod multipart;
mod observe;
mod open_enum;
mod page;
mod random;
mod rate;
mod reply;
mod retry;
mod rsa;
#[cfg(feature = "aws-lc")]
mod rsa_aws_lc;
mod rsa_der;
#[cfg(feature = "rustcrypto")]
mod rsa_rustcrypto;
mod secret;
mod sensitive;
pub mod sign;
mod terms;
pub mod time;
mod transport;
#[cfg(feature = "http-transport")]
mod transport_http;
mod verify;

pub use aead::{AEAD_AES_256_GCM, AeadError, ApiV3Key, Sealed};
pub use api_error::{ApiError, Authenticity, ErrorCode};
pub use call::{Call, CallBuilder, Operation, ReplySignature, Verb};
pub use certificate::Certificate;
pub use certificate_download::{DownloadError, DownloadFault, DownloadedCertificates};
pub use check::{Checks, InvalidRequest, Violation};
pub use client::{CallOptions, Client, Response};
pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{BACKUP_URL, ClientBuilder, MAIN_URL, PlatformKeys};
pub use diagnose::Diagnosis;
pub use error::{Error, ErrorKind, Outcome};
pub use id::{AppId, CouponId, IdError, MerchantId, OpenId, OutRequestNo, StockId, TransactionId};
pub use key_directory::{DirectoryKeys, HttpKeys, KeyDirectoryError, Manifest, MerchantKeyStatus, Release};
pub use key_file::KeyError;
pub use keys::{FixedKeys, KeySet, KeyStore, Lookup, Refresh, Serial};
pub use link::FileStream;
pub use money::{Fen, MoneyError};
pub use multipart::Multipart;
pub use observe::Attempt;
pub use page::{Page, all_pages};
pub use rate::Rate;
pub use reply::Reply;
pub use retry::RetryPolicy;
pub use rsa::{Backend, PrivateKey, PublicKey, RsaError};
pub use secret::Secret;
pub use sensitive::{SealedField, SensitiveError};
pub use sign::{MerchantSigner, SignError, Signer};
pub use terms::{
    BusinessType, ConsumeInformation, CouponStatus, CouponType, CutToMessage, FixedNormalCoupon, GoodsDetail,
    TradeType,
};
pub use time::Timestamp;
pub use transport::{HttpRequest, HttpResponse, ResponseBody, Transport, TransportError, TransportFailure};
#[cfg(feature = "http-transport")]
pub use transport_http::{HttpTransport, HttpTransportBuilder};
pub use verify::{PROBE_PREFIX, SignatureHeaders, VerifyError, WINDOW_SECONDS};

/// What the macros of this crate need where they are used, and what sibling crates share. Not part of the API.
#[doc(hidden)]
pub mod __private {
    pub use crate::config::check_url;
    pub use crate::encode::encode_into;
    pub use crate::random::nonce;
    pub use serde;

    /// Reads an identifier: a text, or a number's digits.
    pub fn text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = String;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E>(self, text: &str) -> Result<String, E> {
                Ok(text.to_owned())
            }

            fn visit_string<E>(self, text: String) -> Result<String, E> {
                Ok(text)
            }

            fn visit_u64<E>(self, number: u64) -> Result<String, E> {
                Ok(number.to_string())
            }
        }
        deserializer.deserialize_any(Text)
    }
}

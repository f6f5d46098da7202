//! Merchants: what a test is given, what it may ask for, and what the server knows.

mod change;

use std::fmt;

use aws_lc_rs::digest;
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use crate::aead;
use crate::certificate::{self, Holder, Validity};
use crate::error::MirrorError;
use crate::moment::Moment;
use crate::random;
use crate::rsa_key::{SigningKey, VerifyingKey};

pub use change::{CertificateChange, MerchantChange};

pub(crate) const DEFAULT_MCHID: &str = "1900000109";
pub(crate) const DEFAULT_APPID: &str = "wx00000000000000aa";
const DEFAULT_BALANCE: i64 = 100_000_000_000;

pub(crate) const EMBEDDED_KEYS: [&str; 4] = [
    include_str!("../keys/merchant-1.pem"),
    include_str!("../keys/merchant-2.pem"),
    include_str!("../keys/merchant-3.pem"),
    include_str!("../keys/merchant-4.pem"),
];

/// A merchant with everything a client needs to call the mirror.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merchant {
    /// Merchant id.
    pub mchid: String,
    /// Serial number of the merchant's API certificate; empty when it has none.
    pub serial_no: String,
    /// Private key in PEM (PKCS#8).
    pub private_key_pem: String,
    /// API certificate in PEM; empty when the merchant has none.
    pub certificate_pem: String,
    /// APIv3 key, 32 ASCII characters.
    pub api_v3_key: String,
    /// The first of the appids bound to the merchant.
    pub appid: String,
    /// All appids bound to the merchant.
    pub appids: Vec<String>,
    /// Secret of the first appid, for the card API.
    pub app_secret: String,
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merchant")
            .field("mchid", &self.mchid)
            .field("serial_no", &self.serial_no)
            .field("appids", &self.appids)
            .finish_non_exhaustive()
    }
}

/// The state of a merchant's API certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MerchantCertificate {
    /// Valid for years.
    #[default]
    Valid,
    /// Ended yesterday.
    Expired,
    /// The merchant never asked for one.
    Missing,
}

/// A merchant to be known to the mirror.
///
/// Only the merchant id is needed; everything else has a default that works.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MerchantSeed {
    /// Merchant id, 1 to 20 digits.
    pub mchid: String,
    /// Appids bound to the merchant. Default: one made from the merchant id.
    #[serde(default)]
    pub appids: Vec<String>,
    /// Money on account, in fen; prefunded stocks are paid from it. Default: none.
    #[serde(default)]
    pub balance_fen: i64,
    /// Private key in PEM (PKCS#8, RSA, at least 2048 bits). Default: one of the mirror's own.
    #[serde(default)]
    pub private_key_pem: Option<String>,
    /// APIv3 key, 32 ASCII characters. Default: one made from the merchant id.
    #[serde(default)]
    pub api_v3_key: Option<String>,
    /// State of the API certificate.
    #[serde(default)]
    pub certificate: MerchantCertificate,
    /// When the API certificate ends; goes before `certificate`. Default: what that says.
    #[serde(default)]
    pub certificate_expires: Option<DateTime<FixedOffset>>,
    /// Whether the cash-coupon product is opened. Default: yes.
    #[serde(default = "yes")]
    pub product_permission: bool,
    /// Whether the push of marketing events is opened; without it there is no callback address. Default: yes.
    #[serde(default = "yes")]
    pub event_permission: bool,
    /// Registered in public-key mode: there are no platform certificates for it. Default: no.
    #[serde(default)]
    pub public_key_only: bool,
    /// Merchants of one brand may share no-cash stocks.
    #[serde(default)]
    pub brand: Option<String>,
    /// The service provider that this merchant has authorised: its no-cash stocks may be spent here.
    #[serde(default)]
    pub service_provider: Option<String>,
}

fn yes() -> bool {
    true
}

impl MerchantSeed {
    /// A merchant with this id and defaults for the rest.
    pub fn new(mchid: impl Into<String>) -> Self {
        Self {
            mchid: mchid.into(),
            appids: Vec::new(),
            balance_fen: 0,
            private_key_pem: None,
            api_v3_key: None,
            certificate: MerchantCertificate::Valid,
            certificate_expires: None,
            product_permission: true,
            event_permission: true,
            public_key_only: false,
            brand: None,
            service_provider: None,
        }
    }

    /// The merchant every mirror has unless a seed with the same id replaces it.
    pub(crate) fn default_merchant() -> Self {
        Self {
            appids: vec![DEFAULT_APPID.to_owned()],
            balance_fen: DEFAULT_BALANCE,
            ..Self::new(DEFAULT_MCHID)
        }
    }
}

impl fmt::Debug for MerchantSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MerchantSeed")
            .field("mchid", &self.mchid)
            .field("appids", &self.appids)
            .field("balance_fen", &self.balance_fen)
            .field("certificate", &self.certificate)
            .field("certificate_expires", &self.certificate_expires)
            .field("product_permission", &self.product_permission)
            .field("event_permission", &self.event_permission)
            .field("public_key_only", &self.public_key_only)
            .field("brand", &self.brand)
            .field("service_provider", &self.service_provider)
            .finish_non_exhaustive()
    }
}

/// A merchant as the server knows it; its keys are parsed.
pub(crate) struct KnownMerchant {
    pub(crate) public: Merchant,
    pub(crate) certificate: Option<KnownCertificate>,
    pub(crate) api_v3_key: [u8; aead::KEY_LENGTH],
    pub(crate) product_permission: bool,
    pub(crate) event_permission: bool,
    pub(crate) public_key_only: bool,
    pub(crate) brand: Option<String>,
    /// The service provider that this merchant has authorised.
    pub(crate) service_provider: Option<String>,
}

impl fmt::Debug for KnownMerchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownMerchant").field("public", &self.public).finish_non_exhaustive()
    }
}

/// What a merchant may do, and whom it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) product_permission: bool,
    pub(crate) event_permission: bool,
    pub(crate) public_key_only: bool,
    pub(crate) brand: Option<String>,
    pub(crate) service_provider: Option<String>,
}

#[derive(Debug)]
pub(crate) struct KnownCertificate {
    pub(crate) key: VerifyingKey,
    pub(crate) not_after: Moment,
}

impl KnownMerchant {
    /// Makes keys and certificate for a seed. `taken` are the private keys other merchants have.
    pub(crate) fn from_seed(seed: &MerchantSeed, taken: &[String], now: Moment) -> Result<Self, MirrorError> {
        let refuse =
            |reason: &str| MirrorError::Seed { mchid: seed.mchid.clone(), reason: reason.to_owned() };
        if !(1..=20).contains(&seed.mchid.len()) || !seed.mchid.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse("a merchant id has 1 to 20 digits"));
        }
        if seed.balance_fen < 0 {
            return Err(refuse("the balance is negative"));
        }
        if seed.appids.iter().any(|appid| appid.is_empty() || appid.len() > 128) {
            return Err(refuse("an appid has 1 to 128 characters"));
        }
        let key = private_key(seed, taken)?;
        let api_v3_key = match &seed.api_v3_key {
            Some(key) => key.clone(),
            None => derived("api v3 key", &seed.mchid)[..aead::KEY_LENGTH].to_owned(),
        };
        let validity = match (seed.certificate_expires, seed.certificate) {
            (Some(end), _) => Some(Validity::until(end.into())),
            (None, MerchantCertificate::Valid) => Some(Validity::around(now)),
            (None, MerchantCertificate::Expired) => Some(Validity::over(now)),
            (None, MerchantCertificate::Missing) => None,
        };
        let (serial_no, certificate_pem) = match validity {
            Some(validity) => {
                let serial_no = serial(&seed.mchid);
                let holder = Holder::Merchant(&seed.mchid);
                let pem = certificate::issue(holder, &serial_no, &key, validity)?;
                (serial_no, pem)
            }
            None => (String::new(), String::new()),
        };
        let appids = match seed.appids.as_slice() {
            [] => vec![format!("wx{}", &derived("appid", &seed.mchid)[..16])],
            given => given.to_vec(),
        };
        let public = Merchant {
            mchid: seed.mchid.clone(),
            serial_no,
            private_key_pem: key.private_pem().to_owned(),
            certificate_pem,
            api_v3_key,
            appid: appids[0].clone(),
            app_secret: app_secret(&appids[0]),
            appids,
        };
        let certificate = validity
            .map(|validity| KnownCertificate { key: key.verifying_key(), not_after: validity.not_after });
        let standing = Standing {
            product_permission: seed.product_permission,
            event_permission: seed.event_permission,
            public_key_only: seed.public_key_only,
            brand: seed.brand.clone(),
            service_provider: seed.service_provider.clone(),
        };
        Self::restore(public, certificate, standing)
    }

    /// The same from what the data file keeps.
    pub(crate) fn restore(
        public: Merchant,
        certificate: Option<KnownCertificate>,
        standing: Standing,
    ) -> Result<Self, MirrorError> {
        let api_v3_key = public.api_v3_key.as_bytes().try_into().map_err(|_| MirrorError::Seed {
            mchid: public.mchid.clone(),
            reason: "an APIv3 key has 32 ASCII characters".to_owned(),
        })?;
        let Standing { product_permission, event_permission, public_key_only, brand, service_provider } =
            standing;
        Ok(Self {
            public,
            certificate,
            api_v3_key,
            product_permission,
            event_permission,
            public_key_only,
            brand,
            service_provider,
        })
    }

    /// Whether no-cash stocks of `creator` may be spent at this merchant: it is the creator, of its brand, or
    /// has authorised it as its service provider.
    pub(crate) fn takes_stocks_of(&self, creator: &Self) -> bool {
        self.mchid() == creator.mchid()
            || (self.brand.is_some() && self.brand == creator.brand)
            || self.service_provider.as_deref() == Some(creator.mchid())
    }

    pub(crate) fn mchid(&self) -> &str {
        &self.public.mchid
    }

    pub(crate) fn has_appid(&self, appid: &str) -> bool {
        self.public.appids.iter().any(|known| known == appid)
    }
}

fn private_key(seed: &MerchantSeed, taken: &[String]) -> Result<SigningKey, MirrorError> {
    if let Some(given) = &seed.private_key_pem {
        return SigningKey::from_pem(given);
    }
    for embedded in EMBEDDED_KEYS {
        // They stand in their files as the mirror writes keys, so those in use are passed over without being parsed.
        if !taken.iter().any(|pem| pem == embedded) {
            return SigningKey::from_pem(embedded);
        }
    }
    SigningKey::generate()
}

/// The serial of a merchant's first certificate.
fn serial(mchid: &str) -> String {
    // A leading 1 keeps the number positive and 40 digits long.
    format!("1{}", &derived("serial", mchid)[..39]).to_uppercase()
}

/// The secret of an appid, for the card API.
pub(crate) fn app_secret(appid: &str) -> String {
    derived("app secret", appid)[..32].to_owned()
}

/// The name under which an account sends messages.
pub(crate) fn account_name(appid: &str) -> String {
    format!("gh_{}", &derived("account", appid)[..12])
}

/// Hexadecimal text that depends on nothing but its inputs.
fn derived(purpose: &str, name: &str) -> String {
    let text = format!("favor-mirror {purpose} {name}");
    random::encode_hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_millis_const(1_790_000_000_000);

    fn known(seed: &MerchantSeed) -> KnownMerchant {
        KnownMerchant::from_seed(seed, &[], NOW).unwrap()
    }

    #[test]
    fn a_merchant_is_the_same_on_every_machine() {
        let one = known(&MerchantSeed::new("42"));
        let two = known(&MerchantSeed::new("42"));
        assert_eq!(one.public.serial_no, two.public.serial_no);
        assert_eq!(one.public.api_v3_key, two.public.api_v3_key);
        assert_eq!(one.public.serial_no.len(), 40);
        assert_eq!(one.public.api_v3_key.len(), 32);
        assert_ne!(one.public.serial_no, known(&MerchantSeed::new("43")).public.serial_no);
    }

    #[test]
    fn no_two_merchants_share_an_embedded_key() {
        let first = known(&MerchantSeed::new("1"));
        let taken = [first.public.private_key_pem.clone()];
        let second = KnownMerchant::from_seed(&MerchantSeed::new("2"), &taken, NOW).unwrap();
        assert_ne!(first.public.private_key_pem, second.public.private_key_pem);
    }

    #[test]
    fn debug_shows_no_secret() {
        let merchant = known(&MerchantSeed::default_merchant());
        let held = format!("{merchant:?}");
        assert!(
            !held.contains(&format!("{:?}", merchant.api_v3_key)) && !held.contains("api_v3_key"),
            "{held}"
        );
        let merchant = merchant.public;
        let shown = format!("{merchant:?}");
        assert!(shown.contains(DEFAULT_MCHID));
        for secret in [&merchant.private_key_pem, &merchant.api_v3_key, &merchant.app_secret] {
            assert!(!shown.contains(secret.as_str()));
        }
        let seed = MerchantSeed {
            private_key_pem: Some("SECRET".into()),
            api_v3_key: Some("SECRET".into()),
            ..MerchantSeed::new("1")
        };
        assert!(!format!("{seed:?}").contains("SECRET"));
    }

    #[test]
    fn unusable_seeds_are_refused() {
        let bad = [
            MerchantSeed::new(""),
            MerchantSeed::new("12a"),
            MerchantSeed { balance_fen: -1, ..MerchantSeed::new("1") },
            MerchantSeed { api_v3_key: Some("short".into()), ..MerchantSeed::new("1") },
            MerchantSeed { appids: vec![String::new()], ..MerchantSeed::new("1") },
            MerchantSeed { private_key_pem: Some("x".into()), ..MerchantSeed::new("1") },
        ];
        for seed in bad {
            assert!(KnownMerchant::from_seed(&seed, &[], NOW).is_err(), "{seed:?}");
        }
    }
}

//! Changing a merchant that exists.

use chrono::{DateTime, FixedOffset};
use serde::Deserialize;

use super::{KnownCertificate, KnownMerchant, Merchant, Standing, app_secret, derived};
use crate::certificate::{self, Holder, Validity};
use crate::error::MirrorError;
use crate::moment::Moment;
use crate::rsa_key::SigningKey;

/// Keeps sums of many payments far from the limits of 64 bits.
const LARGEST_TOP_UP: i64 = 1_000_000_000_000_000;

/// What becomes of a merchant's API certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CertificateChange {
    /// A new one with another serial; signatures under the old serial are refused from now on.
    Renewed,
    /// The present one has ended.
    Expired,
    /// There is none any more.
    Missing,
}

/// What to change about a merchant; what is not given stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MerchantChange {
    /// Money paid in, in fen.
    pub top_up_fen: i64,
    /// The appids bound to the merchant from now on; at least one.
    pub appids: Option<Vec<String>>,
    /// What becomes of its API certificate.
    pub certificate: Option<CertificateChange>,
    /// When its API certificate ends.
    pub certificate_expires: Option<DateTime<FixedOffset>>,
    /// Whether the cash-coupon product is opened.
    pub product_permission: Option<bool>,
    /// Whether the push of marketing events is opened.
    pub event_permission: Option<bool>,
    /// Whether there are no platform certificates for it.
    pub public_key_only: Option<bool>,
    /// Its brand; an empty text takes it away.
    pub brand: Option<String>,
    /// The service provider it has authorised; an empty text takes that back.
    pub service_provider: Option<String>,
}

impl KnownMerchant {
    pub(crate) fn changed(&self, change: &MerchantChange, now: Moment) -> Result<Self, MirrorError> {
        let refuse =
            |reason: &str| MirrorError::Seed { mchid: self.mchid().to_owned(), reason: reason.to_owned() };
        if !(0..=LARGEST_TOP_UP).contains(&change.top_up_fen) {
            return Err(refuse("what is paid in is negative or beyond 10^15 fen"));
        }
        let mut public = self.public.clone();
        if let Some(appids) = &change.appids {
            if appids.is_empty() || appids.iter().any(|appid| appid.is_empty() || appid.len() > 128) {
                return Err(refuse("there is at least one appid, each of 1 to 128 characters"));
            }
            public.appid.clone_from(&appids[0]);
            public.app_secret = app_secret(&appids[0]);
            public.appids.clone_from(appids);
        }
        let certificate = self.next_certificate(&mut public, change, now)?;
        let text = |given: &Option<String>, held: &Option<String>| match given {
            Some(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            None => held.clone(),
        };
        let standing = Standing {
            product_permission: change.product_permission.unwrap_or(self.product_permission),
            event_permission: change.event_permission.unwrap_or(self.event_permission),
            public_key_only: change.public_key_only.unwrap_or(self.public_key_only),
            brand: text(&change.brand, &self.brand),
            service_provider: text(&change.service_provider, &self.service_provider),
        };
        Self::restore(public, certificate, standing)
    }

    fn next_certificate(
        &self,
        public: &mut Merchant,
        change: &MerchantChange,
        now: Moment,
    ) -> Result<Option<KnownCertificate>, MirrorError> {
        let key = SigningKey::from_pem(&public.private_key_pem)?;
        let held = self.certificate.as_ref().map(|held| held.not_after);
        let end = change.certificate_expires.map(Moment::from);
        let validity = match (change.certificate, end, held) {
            (Some(CertificateChange::Missing), ..) | (None, None, None) => {
                public.serial_no.clear();
                public.certificate_pem.clear();
                return Ok(None);
            }
            (None, None, Some(not_after)) => {
                return Ok(Some(KnownCertificate { key: key.verifying_key(), not_after }));
            }
            (Some(CertificateChange::Expired), ..) => Validity::until(now.plus_millis(-1_000)),
            (_, Some(end), _) => Validity::until(end),
            (Some(CertificateChange::Renewed), None, _) => Validity::around(now),
        };
        if held.is_none() || change.certificate == Some(CertificateChange::Renewed) {
            let name = format!("{} after {}", public.mchid, public.serial_no);
            public.serial_no = format!("1{}", &derived("serial", &name)[..39]).to_uppercase();
        }
        let holder = Holder::Merchant(&public.mchid);
        public.certificate_pem = certificate::issue(holder, &public.serial_no, &key, validity)?;
        Ok(Some(KnownCertificate { key: key.verifying_key(), not_after: validity.not_after }))
    }
}

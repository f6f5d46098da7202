//! The platform's own keys: its certificates, its public key, and which of them signs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::certificate::{self, Holder, Validity};
use crate::error::MirrorError;
use crate::moment::Moment;
use crate::rsa_key::SigningKey;

pub(crate) const PUBLIC_KEY_PREFIX: &str = "PUB_KEY_ID_";
const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000001092026010100000000000001";
const PUBLIC_KEY: &str = include_str!("../keys/public-key.pem");

/// Serial and key of the certificates of the first rotations. The second serial starts with a zero digit,
/// which programs print in two ways.
const EMBEDDED: [(&str, &str); 3] = [
    ("5E6903152F21065DDFD70DF70BC2D659ACAE92C1", include_str!("../keys/platform-1.pem")),
    ("0C4A825D94A84620AAE91D85AF8C95EF6ED1ABD8", include_str!("../keys/platform-2.pem")),
    ("6DB4585ACDFA59516DDB4F0F553C7ED6EB292BE0", include_str!("../keys/platform-3.pem")),
];

/// How far a merchant has come in moving from platform certificates to the public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublicKeyPhase {
    /// Not switched: certificates sign, even where a request names the public key.
    #[default]
    Off,
    /// Switching: a response is signed with what the request's `Wechatpay-Serial` names.
    Grey,
    /// Switched: the public key signs everything; certificates are still served.
    On,
}

/// A platform certificate as it is served, without its private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PlatformCertificate {
    /// Serial number, 40 upper-case hexadecimal digits.
    pub serial_no: String,
    /// The certificate in PEM.
    pub pem: String,
}

/// The platform's public key, as a merchant downloads it from the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PublicKey {
    /// `PUB_KEY_ID_` and digits.
    pub id: String,
    /// The key in PEM (`PUBLIC KEY`).
    pub pem: String,
}

/// A platform certificate with its key.
#[derive(Debug, Clone)]
pub(crate) struct CertifiedKey {
    pub(crate) serial_no: String,
    pub(crate) certificate_pem: String,
    pub(crate) validity: Validity,
    pub(crate) key: Arc<SigningKey>,
}

impl CertifiedKey {
    fn issue(serial_no: String, key: SigningKey, validity: Validity) -> Result<Self, MirrorError> {
        let certificate_pem = certificate::issue(Holder::Platform, &serial_no, key.private_pem(), validity)?;
        Ok(Self { serial_no, certificate_pem, validity, key: Arc::new(key) })
    }
}

/// A key together with the name under which it signs.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) serial: String,
    pub(crate) key: Arc<SigningKey>,
}

/// All keys of the platform. Replaced as a whole when one is added.
#[derive(Debug, Clone)]
pub(crate) struct PlatformKeys {
    /// In the order in which they were made; the last one signs.
    pub(crate) certificates: Vec<CertifiedKey>,
    pub(crate) public_key: Signer,
    pub(crate) phase: PublicKeyPhase,
    /// The certificates have been declared void: there is only the public key.
    pub(crate) certificates_void: bool,
}

impl PlatformKeys {
    pub(crate) fn new(phase: PublicKeyPhase, now: Moment) -> Result<Self, MirrorError> {
        let (serial_no, key) = EMBEDDED[0];
        let first =
            CertifiedKey::issue(serial_no.to_owned(), SigningKey::from_pem(key)?, Validity::around(now))?;
        Self::restore(vec![first], phase, false)
    }

    pub(crate) fn restore(
        certificates: Vec<CertifiedKey>,
        phase: PublicKeyPhase,
        certificates_void: bool,
    ) -> Result<Self, MirrorError> {
        let key = Arc::new(SigningKey::from_pem(PUBLIC_KEY)?);
        let public_key = Signer { serial: PUBLIC_KEY_ID.to_owned(), key };
        Ok(Self { certificates, public_key, phase, certificates_void })
    }

    /// A further certificate, newer than all there are. Slow once the embedded keys are used.
    pub(crate) fn next_certificate(&self, now: Moment) -> Result<CertifiedKey, MirrorError> {
        let (serial_no, key) = match EMBEDDED.get(self.certificates.len()) {
            Some((serial_no, key)) => ((*serial_no).to_owned(), SigningKey::from_pem(key)?),
            None => (fresh_serial(), SigningKey::generate()?),
        };
        let newest = self.certificates.iter().map(|known| known.validity.not_before).max();
        let start = newest.map_or(now, |newest| newest.plus_millis(1_000).max(now.plus_millis(-60_000)));
        CertifiedKey::issue(serial_no, key, Validity::from(start))
    }

    /// The certificates a merchant may download now.
    pub(crate) fn served(&self, now: Moment) -> impl Iterator<Item = &CertifiedKey> {
        self.certificates
            .iter()
            .filter(move |known| !self.certificates_void && known.validity.not_after > now)
    }

    /// The key for a response. `asked` is the request's `Wechatpay-Serial`.
    pub(crate) fn signer(&self, asked: Option<&str>, public_key_only: bool) -> Signer {
        let by_public_key = public_key_only
            || self.certificates_void
            || match self.phase {
                PublicKeyPhase::Off => false,
                PublicKeyPhase::Grey => asked == Some(self.public_key.serial.as_str()),
                PublicKeyPhase::On => true,
            };
        match self.certificates.last() {
            Some(newest) if !by_public_key => {
                Signer { serial: newest.serial_no.clone(), key: Arc::clone(&newest.key) }
            }
            _ => self.public_key.clone(),
        }
    }
}

fn fresh_serial() -> String {
    // A leading 4 keeps the number positive and 40 digits long.
    let digits = crate::random::hex::<20>();
    format!("4{}", &digits[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_millis_const(1_790_000_000_000);

    fn keys(phase: PublicKeyPhase) -> PlatformKeys {
        PlatformKeys::new(phase, NOW).unwrap()
    }

    #[test]
    fn the_phase_decides_who_signs() {
        let certificate = EMBEDDED[0].0;
        for (phase, asked, expected) in [
            (PublicKeyPhase::Off, Some(PUBLIC_KEY_ID), certificate),
            (PublicKeyPhase::Grey, Some(PUBLIC_KEY_ID), PUBLIC_KEY_ID),
            (PublicKeyPhase::Grey, Some(certificate), certificate),
            (PublicKeyPhase::Grey, None, certificate),
            (PublicKeyPhase::On, None, PUBLIC_KEY_ID),
        ] {
            assert_eq!(keys(phase).signer(asked, false).serial, expected, "{phase:?} {asked:?}");
        }
        assert_eq!(keys(PublicKeyPhase::Off).signer(None, true).serial, PUBLIC_KEY_ID);
    }

    #[test]
    fn a_rotation_adds_a_newer_certificate_and_keeps_the_old_ones() {
        let mut keys = keys(PublicKeyPhase::Off);
        for _ in 0..3 {
            let next = keys.next_certificate(NOW).unwrap();
            keys.certificates.push(next);
        }
        let served: Vec<_> = keys.served(NOW).map(|known| known.serial_no.as_str()).collect();
        assert_eq!(served.len(), 4);
        assert!(served[1].starts_with('0'));
        assert!(served.iter().all(|serial| serial.len() == 40));
        let starts: Vec<_> = keys.certificates.iter().map(|known| known.validity.not_before).collect();
        assert!(starts.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn an_expired_certificate_is_not_served() {
        let keys = keys(PublicKeyPhase::Off);
        assert_eq!(keys.served(NOW.plus_days(4 * 365 + 1)).count(), 0);
    }
}

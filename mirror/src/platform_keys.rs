//! The platform's own keys: its certificates, its public key, and which of them signs.
//!
//! Which certificate signs and which are listed goes by the test clock; from when to when one is valid goes by the
//! wire clock, since that is what clients compare it with.

mod rotation;
mod week;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::certificate::{self, Holder, Validity};
use crate::clock::Times;
use crate::error::MirrorError;
use crate::moment::Moment;
use crate::rsa_key::SigningKey;

pub(crate) use rotation::Rotation;
pub use rotation::{KeyRotation, RotationSchedule};

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
    /// Switching: a response is signed with what the request's `Wechatpay-Serial` names. Notifications move over
    /// within a week of the test clock: of those signed on its days 0.1, 1, 5, 10, 20, 50 and 100 per cent are
    /// signed by the public key.
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
    /// How many were made before it.
    pub(crate) position: u32,
    pub(crate) serial_no: String,
    pub(crate) certificate_pem: String,
    pub(crate) validity: Validity,
    pub(crate) key: Arc<SigningKey>,
    /// From when on it signs, by the test clock; `None` is always.
    pub(crate) signs_from: Option<Moment>,
    /// Until when it is listed, by the test clock; `None` is for ever.
    pub(crate) listed_until: Option<Moment>,
}

impl CertifiedKey {
    fn issue(
        position: u32,
        serial_no: String,
        key: SigningKey,
        validity: Validity,
    ) -> Result<Self, MirrorError> {
        let certificate_pem = certificate::issue(Holder::Platform, &serial_no, &key, validity)?;
        let key = Arc::new(key);
        Ok(Self { position, serial_no, certificate_pem, validity, key, signs_from: None, listed_until: None })
    }

    fn is_listed(&self, now: Moment) -> bool {
        self.listed_until.is_none_or(|until| now < until)
    }

    fn signs(&self, now: Moment) -> bool {
        self.is_listed(now) && self.signs_from.is_none_or(|from| from <= now)
    }
}

/// A key together with the name under which it signs.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) serial: String,
    pub(crate) key: Arc<SigningKey>,
}

/// All keys of the platform. Replaced as a whole when something about them changes.
#[derive(Debug, Clone)]
pub(crate) struct PlatformKeys {
    /// In the order in which they were made.
    pub(crate) certificates: Vec<CertifiedKey>,
    pub(crate) public_key: Signer,
    pub(crate) migration: PublicKeyMove,
    /// Where new certificates come by themselves.
    pub(crate) rotation: Option<Rotation>,
}

/// The move from certificates to the public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PublicKeyMove {
    pub(crate) phase: PublicKeyPhase,
    /// The certificates have been declared void: there is only the public key.
    pub(crate) certificates_void: bool,
    /// When the week began, by the test clock.
    pub(crate) grey_since: Option<Moment>,
}

impl PublicKeyMove {
    /// A phase that begins now. One that is under way goes on.
    pub(crate) fn change(self, phase: PublicKeyPhase, certificates_void: bool, now: Moment) -> Self {
        let grey_since = match phase {
            PublicKeyPhase::Grey => self.grey_since.or(Some(now)),
            PublicKeyPhase::Off | PublicKeyPhase::On => None,
        };
        Self { phase, certificates_void, grey_since }
    }
}

impl PlatformKeys {
    pub(crate) fn new(phase: PublicKeyPhase, now: Times) -> Result<Self, MirrorError> {
        let (serial_no, key) = EMBEDDED[0];
        let validity = Validity::around(now.wire);
        let first = CertifiedKey::issue(0, serial_no.to_owned(), SigningKey::from_pem(key)?, validity)?;
        Self::restore(vec![first], PublicKeyMove::default().change(phase, false, now.test), None)
    }

    pub(crate) fn restore(
        certificates: Vec<CertifiedKey>,
        migration: PublicKeyMove,
        rotation: Option<Rotation>,
    ) -> Result<Self, MirrorError> {
        let key = Arc::new(SigningKey::from_pem(PUBLIC_KEY)?);
        let public_key = Signer { serial: PUBLIC_KEY_ID.to_owned(), key };
        Ok(Self { certificates, public_key, migration, rotation })
    }

    /// A further certificate, newer than all there are. Slow once the embedded keys are all in use.
    fn next_certificate(&self, wire_now: Moment) -> Result<CertifiedKey, MirrorError> {
        let position = self.certificates.last().map_or(0, |newest| newest.position + 1);
        let (serial_no, key) = match usize::try_from(position).ok().and_then(|place| EMBEDDED.get(place)) {
            Some((serial_no, key)) => ((*serial_no).to_owned(), SigningKey::from_pem(key)?),
            None => (fresh_serial(), self.unused_key()?),
        };
        // A day back leaves room for many that each begin a second after the one before.
        let earliest = wire_now.plus_days(-1);
        let newest = self.certificates.iter().map(|known| known.validity.not_before).max();
        let start = newest.map_or(earliest, |newest| newest.plus_millis(1_000).max(earliest));
        CertifiedKey::issue(position, serial_no, key, Validity::from(start))
    }

    /// An embedded key that no certificate has any more, or a new one.
    fn unused_key(&self) -> Result<SigningKey, MirrorError> {
        for (_, pem) in EMBEDDED {
            let key = SigningKey::from_pem(pem)?;
            if !self.certificates.iter().any(|known| known.key.private_pem() == key.private_pem()) {
                return Ok(key);
            }
        }
        SigningKey::generate()
    }

    /// The certificates a merchant may download now.
    pub(crate) fn served(&self, now: Times) -> impl Iterator<Item = &CertifiedKey> {
        self.certificates.iter().filter(move |known| {
            !self.migration.certificates_void
                && known.validity.not_after > now.wire
                && known.is_listed(now.test)
        })
    }

    /// The key for a response. `asked` is the request's `Wechatpay-Serial`.
    pub(crate) fn signer(&self, asked: Option<&str>, public_key_only: bool, now: Moment) -> Signer {
        let by_public_key = public_key_only
            || self.migration.certificates_void
            || match self.migration.phase {
                PublicKeyPhase::Off => false,
                PublicKeyPhase::Grey => asked == Some(self.public_key.serial.as_str()),
                PublicKeyPhase::On => true,
            };
        if by_public_key { self.public_key.clone() } else { self.newest(now) }
    }

    /// The key for a delivery of a notification.
    pub(crate) fn notification_signer(
        &self,
        notification_id: &str,
        attempt: u32,
        public_key_only: bool,
        now: Moment,
    ) -> Signer {
        let by_public_key = public_key_only
            || self.migration.certificates_void
            || match (self.migration.phase, self.migration.grey_since) {
                (PublicKeyPhase::Off, _) => false,
                (PublicKeyPhase::Grey, Some(since)) => week::is_moved(since, now, notification_id, attempt),
                (PublicKeyPhase::Grey, None) | (PublicKeyPhase::On, _) => true,
            };
        if by_public_key { self.public_key.clone() } else { self.newest(now) }
    }

    /// The newest certificate that signs; with a clock set far back, the oldest there is.
    fn newest(&self, now: Moment) -> Signer {
        let newest = self.certificates.iter().rev().find(|known| known.signs(now));
        match newest.or(self.certificates.first()) {
            Some(known) => Signer { serial: known.serial_no.clone(), key: Arc::clone(&known.key) },
            None => self.public_key.clone(),
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
    const TIMES: Times = Times { test: NOW, wire: NOW };

    fn keys(phase: PublicKeyPhase) -> PlatformKeys {
        PlatformKeys::new(phase, TIMES).unwrap()
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
            assert_eq!(keys(phase).signer(asked, false, NOW).serial, expected, "{phase:?} {asked:?}");
        }
        assert_eq!(keys(PublicKeyPhase::Off).signer(None, true, NOW).serial, PUBLIC_KEY_ID);
    }

    #[test]
    fn notifications_move_within_the_week() {
        let signer = |keys: &PlatformKeys, now| keys.notification_signer("EV-1", 1, false, now).serial;
        let grey = keys(PublicKeyPhase::Grey);
        assert_eq!(signer(&grey, NOW), EMBEDDED[0].0);
        assert_eq!(signer(&grey, NOW.plus_days(6)), PUBLIC_KEY_ID);
        assert_eq!(signer(&keys(PublicKeyPhase::Off), NOW.plus_days(9)), EMBEDDED[0].0);
        assert_eq!(signer(&keys(PublicKeyPhase::On), NOW), PUBLIC_KEY_ID);
        // Naming the phase again does not begin the week again.
        let again = grey.migration.change(PublicKeyPhase::Grey, false, NOW.plus_days(3));
        assert_eq!(again, grey.migration);
        assert_eq!(again.change(PublicKeyPhase::Off, false, NOW).grey_since, None);
    }

    #[test]
    fn a_rotation_adds_a_newer_certificate_and_keeps_the_old_ones() {
        let mut keys = keys(PublicKeyPhase::Off);
        for _ in 0..3 {
            keys = keys.rotated(KeyRotation::default(), TIMES).unwrap();
        }
        let served: Vec<_> = keys.served(TIMES).map(|known| known.serial_no.as_str()).collect();
        assert_eq!(served.len(), 4);
        assert!(served[1].starts_with('0'));
        assert!(served.iter().all(|serial| serial.len() == 40));
        let starts: Vec<_> = keys.certificates.iter().map(|known| known.validity.not_before).collect();
        assert!(starts.is_sorted_by(|one, next| one < next));
        assert_eq!(keys.signer(None, false, NOW).serial, served[3]);
    }

    #[test]
    fn an_expired_certificate_is_not_served() {
        let keys = keys(PublicKeyPhase::Off);
        let late = Times { test: NOW, wire: NOW.plus_days(4 * 365 + 1) };
        assert_eq!(keys.served(late).count(), 0);
    }
}

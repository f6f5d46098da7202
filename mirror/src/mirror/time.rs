//! Clock and keys of a running mirror.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};

use super::Mirror;
use crate::control::clock::{self, Change, ClockState};
use crate::control::keys::{self, KeyState};
use crate::error::MirrorError;
use crate::moment::Moment;
use crate::platform_keys::{KeyRotation, PlatformCertificate, PublicKey, PublicKeyPhase, RotationSchedule};

impl Mirror {
    /// What the test clock shows.
    #[must_use]
    pub fn now(&self) -> DateTime<FixedOffset> {
        self.app.clocks.now().date_time()
    }

    /// What both clocks show, and how the test clock runs.
    #[must_use]
    pub fn clock(&self) -> ClockState {
        clock::shown(&self.app)
    }

    /// Moves the test clock forward. When this returns, everything that falls due has happened, in the order in
    /// which it is due: notifications and their repeats, key changes, the release of money. A receiver that does not
    /// answer costs 5 seconds of the machine's time each time; those due at one instant are told at once, 16 at a
    /// time.
    ///
    /// # Errors
    ///
    /// When storage fails, or more than 100,000 instants at which something is due lie between: the clock then stays
    /// where it has come to.
    pub async fn advance(&self, by: Duration) -> Result<DateTime<FixedOffset>, MirrorError> {
        self.change_clock(Change::Advance(by)).await
    }

    /// Sets the test clock, forward or back. A frozen clock stays frozen. Forward is like [`Mirror::advance`]; back,
    /// what has happened stays, and what is planned waits for its time.
    ///
    /// # Errors
    ///
    /// As for [`Mirror::advance`].
    pub async fn set_clock(&self, time: DateTime<FixedOffset>) -> Result<DateTime<FixedOffset>, MirrorError> {
        self.change_clock(Change::Set(time.into())).await
    }

    /// Stops the test clock at the time it shows.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn freeze_clock(&self) -> Result<DateTime<FixedOffset>, MirrorError> {
        self.change_clock(Change::Freeze).await
    }

    /// Lets the test clock run on from the time it shows.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn unfreeze_clock(&self) -> Result<DateTime<FixedOffset>, MirrorError> {
        self.change_clock(Change::Unfreeze).await
    }

    /// Lets the test clock run this many times as fast as the machine's, 1 to 1,000,000, from the time it shows. A
    /// frozen clock stays frozen and runs so once it is let go. It goes on in this way while the mirror is not
    /// running.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is no such rate; or storage fails.
    pub async fn set_clock_rate(&self, rate: u32) -> Result<DateTime<FixedOffset>, MirrorError> {
        clock::check_rate(rate)?;
        self.change_clock(Change::Rate(rate)).await
    }

    async fn change_clock(&self, change: Change) -> Result<DateTime<FixedOffset>, MirrorError> {
        clock::change(&self.app, &[change]).await.map(Moment::date_time)
    }

    /// The platform's keys: which sign, which are served until when, and how far the move to the public key has come.
    #[must_use]
    pub fn keys(&self) -> KeyState {
        keys::shown(&self.app)
    }

    /// The platform's public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let platform = self.app.platform();
        PublicKey {
            id: platform.public_key.serial.clone(),
            pem: platform.public_key.key.public_pem().to_owned(),
        }
    }

    /// The platform certificates now served, oldest first. The newest one signs, unless it is listed ahead of its time.
    #[must_use]
    pub fn platform_certificates(&self) -> Vec<PlatformCertificate> {
        self.app
            .platform()
            .served(self.app.clocks.both())
            .map(|known| PlatformCertificate {
                serial_no: known.serial_no.clone(),
                pem: known.certificate_pem.clone(),
            })
            .collect()
    }

    /// Adds a platform certificate, which signs from now on, and returns the serials now served. The older
    /// certificates stay valid. Should storage fail, the keys stay as they are.
    pub async fn rotate_keys(&self) -> Vec<String> {
        keys::rotate_now(&self.app, KeyRotation::default()).await.unwrap_or_else(|error| {
            tracing::error!(%error, "keys could not be rotated");
            keys::serials(&self.app)
        })
    }

    /// Adds a platform certificate that signs after a lead, with the older ones listed for an overlap, and returns the
    /// serials now served.
    ///
    /// # Errors
    ///
    /// When no key can be made, or storage fails.
    pub async fn rotate_keys_with(&self, rotation: KeyRotation) -> Result<Vec<String>, MirrorError> {
        keys::rotate_now(&self.app, rotation).await
    }

    /// Lets platform certificates follow each other by the test clock from now on, the first new one after one
    /// interval; `None` ends that.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Key`] when the intervals do not fit together; or storage fails.
    pub async fn schedule_rotation(&self, schedule: Option<RotationSchedule>) -> Result<(), MirrorError> {
        keys::schedule(&self.app, schedule).await
    }

    /// Sets how far the move to the public key has come. [`PublicKeyPhase::Grey`] begins the week, unless it has
    /// begun.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn set_public_key_phase(&self, phase: PublicKeyPhase) -> Result<(), MirrorError> {
        keys::change_phase(&self.app, phase, false).await
    }

    /// Ends the move to the public key: certificates are void and no longer served.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn void_certificates(&self) -> Result<(), MirrorError> {
        keys::change_phase(&self.app, PublicKeyPhase::On, true).await
    }
}

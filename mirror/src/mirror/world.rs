//! Merchants, readings and limits of a running mirror, and its whole state.

use std::path::{Path, PathBuf};

use super::Mirror;
use crate::audit::Audit;
use crate::control;
use crate::control::health::Health;
use crate::control::rates::Rates;
use crate::error::MirrorError;
use crate::merchant::{Merchant, MerchantChange, MerchantSeed};
use crate::rules::readings::Readings;
use crate::snapshot;

impl Mirror {
    /// All merchants, the default one first.
    #[must_use]
    pub fn merchants(&self) -> Vec<Merchant> {
        self.app.merchants().all().map(|known| known.public.clone()).collect()
    }

    /// Adds a merchant.
    ///
    /// # Errors
    ///
    /// When the seed is not usable, its id is taken, or storage fails.
    pub async fn add_merchant(&self, seed: MerchantSeed) -> Result<Merchant, MirrorError> {
        control::merchants::add_seed(&self.app, seed).await
    }

    /// Changes a merchant: money, permissions, appids, certificate. Returns it as it is now.
    ///
    /// # Errors
    ///
    /// When there is no such merchant, the change is not usable, or storage fails.
    pub async fn change_merchant(
        &self,
        mchid: &str,
        change: MerchantChange,
    ) -> Result<Merchant, MirrorError> {
        control::merchants::change_one(&self.app, mchid, change).await
    }

    /// Whether the mirror and its store work: goes once through the store's writer.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    pub async fn health(&self) -> Result<Health, MirrorError> {
        control::health::examine(&self.app).await
    }

    /// Its counters since the start, in the text format of Prometheus.
    #[must_use]
    pub fn metrics(&self) -> String {
        control::metrics::page(&self.app)
    }

    /// What was noted when the seed met a data file that already held something else.
    #[must_use]
    pub fn seed_notes(&self) -> &[String] {
        &self.app.settings.seed_notes
    }

    /// How the mirror reads what is not documented.
    #[must_use]
    pub fn readings(&self) -> Readings {
        self.app.readings()
    }

    /// Changes how the mirror reads what is not documented, from the next request on.
    pub fn set_readings(&self, readings: Readings) {
        self.app.set_readings(readings);
    }

    /// The documented rate limits, and whether they are enforced.
    #[must_use]
    pub fn rates(&self) -> Rates {
        control::rates::shown(&self.app)
    }

    /// Enforces the documented rate limits from now on, or no longer.
    pub fn enforce_rate_limits(&self, enforced: bool) {
        self.app.rates.enforce(enforced);
    }

    /// Writes the whole state (stocks, coupons, users, merchants, keys, clock) into one file while requests go
    /// on, and returns its absolute path. The file holds private keys. An earlier snapshot is replaced when
    /// `overwrite` says so; nothing else ever is.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Snapshot`] when the file exists or cannot be written; or storage fails.
    pub async fn snapshot(&self, file: impl AsRef<Path>, overwrite: bool) -> Result<PathBuf, MirrorError> {
        snapshot::take(&self.app, file.as_ref(), overwrite).await
    }

    /// Replaces the whole state by that of a snapshot or a data file, all of it or nothing. With a data file the
    /// new state is on disk when this returns. Planned faults, readings and the request log stay.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Snapshot`] when the file is missing, damaged, not a mirror's, or of a newer version; or
    /// storage fails.
    pub async fn restore(&self, file: impl AsRef<Path>) -> Result<PathBuf, MirrorError> {
        snapshot::restore(&self.app, file.as_ref()).await
    }

    /// Forgets stocks, coupons, users, cards with their accounts and tokens, notifications, the log and the moved clock,
    /// and puts back what the seed holds and the faults of the start. Keys and merchants stay, and what is planned for
    /// keys stays as far away as it is; balances are what was paid in.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn reset(&self) -> Result<(), MirrorError> {
        control::reset::reset_all(&self.app).await
    }

    /// Recounts everything from the coupons. Should storage fail, that is the finding.
    pub async fn audit(&self) -> Audit {
        control::audit::run(&self.app).await.unwrap_or_else(|error| Audit::failed(&error))
    }

    /// Audits a data file or a snapshot without a mirror and without changing it.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Snapshot`] when the file is missing, damaged, not a mirror's, or of a newer version.
    pub async fn audit_file(file: impl AsRef<Path>) -> Result<Audit, MirrorError> {
        snapshot::audit_file(file.as_ref()).await
    }
}

//! A running mirror.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::app;
use crate::audit::Audit;
use crate::builder::MirrorBuilder;
use crate::control::clock::{self, Change};
use crate::control::users::UserChange;
use crate::control::{self, keys};
use crate::error::MirrorError;
use crate::fault::{FaultRule, PlannedFault};
use crate::merchant::{Merchant, MerchantChange, MerchantSeed};
use crate::moment::Moment;
use crate::payment::{self, CouponRecord, Redeem, Refund};
use crate::platform_keys::{PlatformCertificate, PublicKey, PublicKeyPhase};
use crate::ready::Ready;
use crate::request_log::LoggedRequest;
use crate::rules::readings::Readings;
use crate::rules::{self, Rule};
use crate::serve;
use crate::snapshot;
use crate::state::{App, State};

/// A running mirror. Dropping it stops it.
#[derive(Debug)]
pub struct Mirror {
    app: App,
    base_url: String,
    /// The merchant every mirror has.
    merchant: Merchant,
    stop: watch::Sender<bool>,
    server: Option<JoinHandle<()>>,
}

impl Mirror {
    /// A builder with all defaults: loopback, a port from the system, state in memory.
    pub fn builder() -> MirrorBuilder {
        MirrorBuilder::default()
    }

    pub(crate) async fn listen(state: State, address: SocketAddr) -> Result<Self, MirrorError> {
        let failed = |source| MirrorError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let merchants = state.merchants();
        let merchant = merchants.all().next().map(|known| known.public.clone());
        let merchant = merchant.ok_or(MirrorError::NotFound { what: "merchant" })?;
        let keep_alive = state.settings.keep_alive;
        let base_url = format!("http://{bound}");
        state.set_base_url(base_url.clone());
        let app_state: App = Arc::new(state);
        let (stop, stopped) = watch::channel(false);
        let router = app(Arc::clone(&app_state));
        let metrics = Arc::clone(&app_state.metrics);
        let server = tokio::spawn(serve::serve(listener, router, keep_alive, metrics, stopped));
        tracing::info!(address = %bound, "mirror is listening");
        Ok(Self { app: app_state, base_url, merchant, stop, server: Some(server) })
    }

    /// `http://address:port`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The default merchant, as it was when the mirror started; [`Mirror::merchants`] has what a change or a
    /// restore made of it.
    #[must_use]
    pub fn merchant(&self) -> &Merchant {
        &self.merchant
    }

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

    /// The platform's public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let platform = self.app.platform();
        PublicKey {
            id: platform.public_key.serial.clone(),
            pem: platform.public_key.key.public_pem().to_owned(),
        }
    }

    /// The platform certificates now served, oldest first. The last one signs.
    #[must_use]
    pub fn platform_certificates(&self) -> Vec<PlatformCertificate> {
        self.app
            .platform()
            .served(self.app.clocks.wire_now())
            .map(|known| PlatformCertificate {
                serial_no: known.serial_no.clone(),
                pem: known.certificate_pem.clone(),
            })
            .collect()
    }

    /// Writes the default merchant's private key and certificate and the platform's public key into a folder,
    /// under the names production gives them.
    ///
    /// # Errors
    ///
    /// When the folder or a file cannot be written.
    pub fn write_files(&self, folder: impl AsRef<Path>) -> Result<Ready, MirrorError> {
        Ready::write(folder.as_ref(), &self.base_url, &self.merchant, &self.public_key())
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

    /// Enforces the documented rate limits from now on, or no longer.
    pub fn enforce_rate_limits(&self, enforced: bool) {
        self.app.rates.enforce(enforced);
    }

    /// What the test clock shows.
    #[must_use]
    pub fn now(&self) -> DateTime<FixedOffset> {
        self.app.clocks.now().date_time()
    }

    /// Moves the test clock forward. When this returns, everything that falls due has happened.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn advance(&self, by: Duration) -> Result<DateTime<FixedOffset>, MirrorError> {
        self.change_clock(Change::Advance(by)).await
    }

    /// Sets the test clock, forward or back. A frozen clock stays frozen.
    ///
    /// # Errors
    ///
    /// When storage fails.
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

    async fn change_clock(&self, change: Change) -> Result<DateTime<FixedOffset>, MirrorError> {
        clock::change(&self.app, &[change]).await.map(Moment::date_time)
    }

    /// Adds a platform certificate, which signs from now on, and returns the serials now served. The older
    /// certificates stay valid. Should storage fail, the keys stay as they are.
    pub async fn rotate_keys(&self) -> Vec<String> {
        keys::rotate_now(&self.app).await.unwrap_or_else(|error| {
            tracing::error!(%error, "keys could not be rotated");
            keys::serials(&self.app)
        })
    }

    /// Sets how far the move to the public key has come.
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

    /// Plans a fault and returns its number.
    ///
    /// # Errors
    ///
    /// When the rule could never strike or cannot be carried out.
    pub fn plan(&self, rule: FaultRule) -> Result<u64, MirrorError> {
        self.app.faults.add(rule)
    }

    /// Takes all planned faults back.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// The planned faults, used up ones included.
    #[must_use]
    pub fn faults(&self) -> Vec<PlannedFault> {
        self.app.faults.all()
    }

    /// Allows another merchant to send coupons of a stock.
    ///
    /// # Errors
    ///
    /// When there is no such stock or merchant, or storage fails.
    pub async fn authorise_sender(&self, stock_id: &str, mchid: &str) -> Result<(), MirrorError> {
        control::senders::authorise(&self.app, stock_id, mchid).await
    }

    /// Pays with a coupon, as a user would: it must be usable now, the total must reach its threshold, and the
    /// merchant must be one of the stock's. Returns the coupon afterwards.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the payment cannot be made, [`MirrorError::NotFound`] when there is no such
    /// coupon; or storage fails.
    pub async fn redeem(&self, coupon_id: &str, payment: Redeem) -> Result<CouponRecord, MirrorError> {
        payment::redeem(&self.app, coupon_id, payment).await
    }

    /// Refunds the order that a coupon was used in, or a part of it. With the whole order refunded the coupon
    /// is `SENDED` again, or `EXPIRED` if its time is over; until then it stays `USED`.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is nothing to refund or less than asked for,
    /// [`MirrorError::NotFound`] when there is no such coupon; or storage fails.
    pub async fn refund(&self, coupon_id: &str, refund: Refund) -> Result<CouponRecord, MirrorError> {
        payment::refund(&self.app, coupon_id, refund).await
    }

    /// A coupon with everything that was paid with it and refunded.
    ///
    /// # Errors
    ///
    /// When there is no such coupon, or storage fails.
    pub async fn coupon(&self, coupon_id: &str) -> Result<CouponRecord, MirrorError> {
        payment::show(&self.app, coupon_id).await
    }

    /// Makes a long history quickly: gives `rows` coupons of a running stock to as many made-up users and
    /// redeems each now, all in one transaction. A million rows take some seconds, during which nothing else is
    /// written. Budgets hold; the limits of users are not looked at, since every user is new.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the stock does not give coupons now or not so many,
    /// [`MirrorError::NotFound`] when there is no such stock; or storage fails.
    pub async fn fill_flow(&self, stock_id: &str, rows: i64) -> Result<(), MirrorError> {
        payment::fill(&self.app, stock_id, rows).await
    }

    /// Marks a user's account as restricted: it can receive no coupon.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn mark_user_abnormal(&self, openid: &str) -> Result<(), MirrorError> {
        let change = UserChange { openid: openid.to_owned(), abnormal: Some(true), ..UserChange::default() };
        control::users::change(&self.app, vec![change]).await
    }

    /// Makes these accounts one natural person.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn same_person(&self, openids: &[&str]) -> Result<(), MirrorError> {
        let person = openids.first().map(|openid| format!("person of {openid}"));
        let change = |openid: &&str| UserChange {
            openid: (*openid).to_owned(),
            person: person.clone(),
            ..UserChange::default()
        };
        control::users::change(&self.app, openids.iter().map(change).collect()).await
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

    /// Audits a data file or a snapshot without a mirror and without changing it.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Snapshot`] when the file is missing, damaged, not a mirror's, or of a newer version.
    pub async fn audit_file(file: impl AsRef<Path>) -> Result<Audit, MirrorError> {
        snapshot::audit_file(file.as_ref()).await
    }

    /// The last requests, newest first: at most `limit`, and only those after the one numbered `after`.
    #[must_use]
    pub fn requests(&self, limit: usize, after: u64) -> Vec<LoggedRequest> {
        self.app.log.list(limit, after)
    }

    /// Recounts everything from the coupons. Should storage fail, that is the finding.
    pub async fn audit(&self) -> Audit {
        control::audit::run(&self.app).await.unwrap_or_else(|error| Audit::failed(&error))
    }

    /// Forgets stocks, coupons, users, faults, the log and the moved clock, and puts back those of the seed. Keys
    /// and merchants stay; balances are what was paid in.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn reset(&self) -> Result<(), MirrorError> {
        control::reset::reset_all(&self.app).await
    }

    /// Every rule the mirror enforces, with its provenance.
    pub fn rules() -> impl Iterator<Item = &'static Rule> {
        rules::all()
    }

    /// Lets open requests finish and stops. When this returns, the data file is closed.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(server) = self.server.take() {
            server.await.ok();
        }
        self.app.ledger.close().await;
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
        }
    }
}

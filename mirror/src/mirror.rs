//! A running mirror.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::app;
use crate::audit::Audit;
use crate::builder::MirrorBuilder;
use crate::control::clock::{self, Change};
use crate::control::stocks::{self, Button, StockRecord};
use crate::control::users::UserChange;
use crate::control::{self, callbacks, keys};
use crate::error::MirrorError;
use crate::fault::{FaultRule, PlannedFault};
use crate::listening;
use crate::merchant::{KnownMerchant, Merchant, MerchantChange, MerchantSeed};
use crate::moment::Moment;
use crate::notify::{self, NotificationDraft, NotificationRecord, SignedNotification};
use crate::payment::{self, CouponRecord, Redeem, Refund};
use crate::platform_host::PLATFORM_HOSTS;
use crate::platform_keys::{KeyRotation, PlatformCertificate, PublicKey, PublicKeyPhase, RotationSchedule};
use crate::ready::Ready;
use crate::request_log::LoggedRequest;
use crate::rules::lifecycle::Action;
use crate::rules::readings::Readings;
use crate::rules::{self, Rule};
use crate::serve::{self, Server, Tunnels};
use crate::snapshot;
use crate::state::{App, State};
use crate::timeline;
use crate::tls::Tls;

/// A running mirror. Dropping it stops it.
#[derive(Debug)]
pub struct Mirror {
    app: App,
    base_url: String,
    address: SocketAddr,
    tls: Arc<Tls>,
    /// The merchant every mirror has.
    merchant: Merchant,
    stop: watch::Sender<bool>,
    server: Option<JoinHandle<()>>,
    /// What happens by itself as the test clock goes.
    background: Option<JoinHandle<()>>,
}

impl Mirror {
    /// WeChat's hosts, which the mirror stands in for when it is reached by TLS or as a proxy.
    pub const HOSTS: [&str; 6] = PLATFORM_HOSTS;

    /// A builder with all defaults: loopback, a port from the system, state in memory.
    pub fn builder() -> MirrorBuilder {
        MirrorBuilder::default()
    }

    pub(crate) async fn listen(state: State, tls: Tls, address: SocketAddr) -> Result<Self, MirrorError> {
        let failed = |source| MirrorError::Listen { address, source };
        let listener = listening::listen(address).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let merchants = state.merchants();
        let merchant = merchants.all().next().map(|known| known.public.clone());
        let merchant = merchant.ok_or(MirrorError::NotFound { what: "merchant" })?;
        let (keep_alive, request_timeout) = (state.settings.keep_alive, state.settings.request_timeout);
        let base_url = format!("http://{bound}");
        state.set_base_url(base_url.clone());
        let app_state: App = Arc::new(state);
        let (stop, stopped) = watch::channel(false);
        let background = Some(tokio::spawn(timeline::run(Arc::clone(&app_state), stopped.clone())));
        let router = app(Arc::clone(&app_state));
        let tls = Arc::new(tls);
        let tunnels = Arc::new(Tunnels::default());
        let server = Server {
            app: Arc::clone(&app_state),
            router,
            address: bound,
            tls: Arc::clone(&tls),
            keep_alive,
            request_timeout,
            stopped,
            tunnels: Arc::downgrade(&tunnels),
        };
        let server = tokio::spawn(serve::serve(listener, Arc::new(server), tunnels));
        tracing::info!(address = %bound, "mirror is listening");
        Ok(Self {
            app: app_state,
            base_url,
            address: bound,
            tls,
            merchant,
            stop,
            server: Some(server),
            background,
        })
    }

    #[cfg(test)]
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// `http://address:port`, without a slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The same port by TLS: `https://localhost:port`, or the address where the mirror does not listen on
    /// loopback. Its certificate is for WeChat's hosts, localhost and addresses of private networks.
    #[must_use]
    pub fn tls_url(&self) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        if ip.is_loopback() || ip.is_unspecified() {
            format!("https://localhost:{port}")
        } else {
            format!("https://{}", self.address)
        }
    }

    /// The same port as a proxy: what `HTTPS_PROXY` takes. It answers for WeChat's hosts and refuses all others.
    #[must_use]
    pub fn proxy_url(&self) -> String {
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        format!("http://{address}")
    }

    /// Certificate (PEM) of the authority that a client by TLS or through the proxy has to trust. It is new with
    /// every mirror in memory, and stays with a data file. It can speak for WeChat's hosts, localhost and private
    /// networks only; still, give it to the program under test, not to a whole system.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        self.tls.authority().certificate_pem()
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

    /// Writes the default merchant's private key and certificate, the platform's public key and the certificate
    /// of the mirror's own authority into a folder, under the names production gives them.
    ///
    /// # Errors
    ///
    /// When the folder or a file cannot be written.
    pub fn write_files(&self, folder: impl AsRef<Path>) -> Result<Ready, MirrorError> {
        Ready::write(folder.as_ref(), self)
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
    /// merchant must be one of the stock's. Returns the coupon afterwards. Where the stock's creator has an address
    /// for notifications, the first delivery has been tried by then.
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

    /// Ends a coupon's time now, as if it had run out. One that has ended already stays as it is.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the coupon is used, [`MirrorError::NotFound`] when there is no such coupon;
    /// or storage fails.
    pub async fn expire(&self, coupon_id: &str) -> Result<CouponRecord, MirrorError> {
        payment::expire(&self.app, coupon_id).await
    }

    /// One request of the log; none when it is not there any more.
    #[must_use]
    pub fn request(&self, id: u64) -> Option<LoggedRequest> {
        self.app.log.find(id).map(Arc::unwrap_or_clone)
    }

    /// All stocks with their rules and budgets, newest first.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn stocks(&self) -> Result<Vec<StockRecord>, MirrorError> {
        Ok(stocks::newest(&self.app, i64::MAX).await?.1)
    }

    /// One stock.
    ///
    /// # Errors
    ///
    /// When there is no such stock, or storage fails.
    pub async fn stock(&self, stock_id: &str) -> Result<StockRecord, MirrorError> {
        stocks::find(&self.app, stock_id).await
    }

    /// Coupons of a stock in the order in which they were given: at most `limit`, and only those after the coupon
    /// `after`; 0 begins with the first.
    ///
    /// # Errors
    ///
    /// When there is no such stock, or storage fails.
    pub async fn stock_coupons(
        &self,
        stock_id: &str,
        limit: u32,
        after: i64,
    ) -> Result<Vec<CouponRecord>, MirrorError> {
        stocks::coupons(&self.app, stock_id, limit.into(), after).await
    }

    /// Starts a stock as its creator, under the rules of the API.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the API would refuse it, [`MirrorError::NotFound`] when there is no such
    /// stock; or storage fails.
    pub async fn start_stock(&self, stock_id: &str) -> Result<StockRecord, MirrorError> {
        stocks::press(&self.app, stock_id, Button::Start).await
    }

    /// Pauses a stock as its creator, under the rules of the API.
    ///
    /// # Errors
    ///
    /// As [`Mirror::start_stock`].
    pub async fn pause_stock(&self, stock_id: &str) -> Result<StockRecord, MirrorError> {
        stocks::press(&self.app, stock_id, Button::Act(Action::Pause)).await
    }

    /// Restarts a paused stock as its creator, under the rules of the API.
    ///
    /// # Errors
    ///
    /// As [`Mirror::start_stock`].
    pub async fn restart_stock(&self, stock_id: &str) -> Result<StockRecord, MirrorError> {
        stocks::press(&self.app, stock_id, Button::Act(Action::Restart)).await
    }

    /// Stops a stock that was never started, as its creator, under the rules of the API.
    ///
    /// # Errors
    ///
    /// As [`Mirror::start_stock`].
    pub async fn stop_stock(&self, stock_id: &str) -> Result<StockRecord, MirrorError> {
        stocks::press(&self.app, stock_id, Button::Act(Action::Stop)).await
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
    /// written. Budgets hold; the limits of users are not looked at, since every user is new. Nobody is notified.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the stock does not give coupons now or not so many,
    /// [`MirrorError::NotFound`] when there is no such stock; or storage fails.
    pub async fn fill_flow(&self, stock_id: &str, rows: i64) -> Result<(), MirrorError> {
        payment::fill(&self.app, stock_id, rows).await
    }

    /// Notifications with their deliveries, newest first: at most `limit` (and 10,000), and only those after the one
    /// numbered `after`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn notifications(
        &self,
        limit: usize,
        after: u64,
    ) -> Result<Vec<NotificationRecord>, MirrorError> {
        callbacks::page(&self.app, limit, after).await
    }

    /// Delivers a notification once more, whatever has become of it, and returns it afterwards. `id` is its number or
    /// its `EV-` id. Its schedule goes on unless the receiver acknowledges.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when there is no such notification; or storage fails.
    pub async fn replay(&self, id: &str) -> Result<NotificationRecord, MirrorError> {
        callbacks::replay_one(&self.app, id).await
    }

    /// Whether coupons given are notified too, from now on, until the mirror stops.
    pub fn set_notify_sends(&self, notified: bool) {
        self.app.notify.set_sends(notified);
    }

    /// Seals a notification for a merchant and signs it by the key the platform would use at this moment, without
    /// sending or keeping it.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when there is no such merchant.
    pub fn seal_notification(
        &self,
        mchid: &str,
        draft: &NotificationDraft,
    ) -> Result<SignedNotification, MirrorError> {
        let merchant = self.known(mchid)?;
        let created = self.app.clocks.now().rfc3339();
        let sealed = notify::seal(draft, &created, &merchant, &self.app.platform(), self.app.clocks.both());
        Ok(SignedNotification::new(&sealed))
    }

    /// Signs a body as it is, as the platform would sign a notification to this merchant at this moment.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when there is no such merchant.
    pub fn sign_notification(
        &self,
        mchid: &str,
        body: impl Into<Vec<u8>>,
    ) -> Result<SignedNotification, MirrorError> {
        let merchant = self.known(mchid)?;
        let (platform, now) = (self.app.platform(), self.app.clocks.both());
        Ok(SignedNotification::new(&notify::sign(body.into(), "", 1, &merchant, &platform, now)))
    }

    fn known(&self, mchid: &str) -> Result<Arc<KnownMerchant>, MirrorError> {
        self.app.merchants().find(mchid).ok_or(MirrorError::NotFound { what: "merchant" })
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

    /// Forgets stocks, coupons, users, notifications, the log and the moved clock, and puts back those of the seed and
    /// the faults of the start. Keys and merchants stay, and what is planned for keys stays as far away as it is;
    /// balances are what was paid in.
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

    /// Lets open requests and deliveries finish and stops. When this returns, the data file is closed.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(server) = self.server.take() {
            server.await.ok();
        }
        if let Some(background) = self.background.take() {
            background.await.ok();
        }
        self.app.ledger.close().await;
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
        }
        if let Some(background) = self.background.take() {
            background.abort();
        }
    }
}

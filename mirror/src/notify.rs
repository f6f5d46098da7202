//! Notifications: what the platform tells a merchant by itself.
//!
//! A row is written in the transaction of what it is about. A background task ([`crate::timeline`]) delivers what is
//! due by the test clock, records each delivery, and plans the next one by the schedule. A row is due until its
//! delivery is recorded, so one that is interrupted happens again.

mod address;
mod claim;
mod deliver;
mod envelope;
mod event;
mod post;
mod record;
mod schedule;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};

pub(crate) use post::words;

use crate::error::MirrorError;
use crate::lock;
use crate::moment::Moment;
use claim::Claims;
use post::Clients;

pub(crate) use claim::Claim;
pub(crate) use deliver::{deliver, replay};
pub use envelope::{NotificationDraft, SignedNotification};
pub(crate) use envelope::{seal, sign};
pub(crate) use event::{Raised, given, redeemed};
pub use record::{DeliveryRecord, NotificationRecord, NotificationState};
pub use schedule::{GENERAL_RETRIES, MINUTE_RETRIES};

/// The name of deliveries in fault rules.
pub(crate) const NOTIFY: &str = "callback.notify";
/// Deliveries under way at once.
pub(crate) const CONCURRENT: usize = 16;

/// Choices about notifications.
#[derive(Debug, Clone)]
pub(crate) struct NotifySettings {
    /// How long after each failed delivery the next one follows.
    pub(crate) schedule: Vec<Duration>,
    /// How long a receiver may take, on the machine's clock.
    pub(crate) timeout: Duration,
    /// Whether giving a coupon is notified too.
    pub(crate) sends: bool,
    /// Certificates in PEM that receivers are trusted by, beside the system's.
    pub(crate) roots: Vec<String>,
}

impl Default for NotifySettings {
    fn default() -> Self {
        Self {
            schedule: GENERAL_RETRIES.to_vec(),
            timeout: Duration::from_secs(5),
            sends: false,
            roots: Vec::new(),
        }
    }
}

/// A replay asked for, and who waits for it.
pub(crate) type Replay = (i64, oneshot::Sender<Result<(), MirrorError>>);

/// What deliveries share.
#[derive(Debug)]
pub(crate) struct Notifier {
    schedule: Vec<Duration>,
    timeout: Duration,
    sends: AtomicBool,
    clients: Clients,
    permits: Semaphore,
    claims: Mutex<Claims>,
    /// Deliveries whose outcome could not be recorded.
    failures: AtomicU64,
    replays: mpsc::UnboundedSender<Replay>,
    asked: Mutex<Option<mpsc::UnboundedReceiver<Replay>>>,
}

impl Notifier {
    pub(crate) fn new(settings: NotifySettings) -> Result<Self, MirrorError> {
        let roots = settings.roots.iter().map(|pem| post::roots(pem)).collect::<Result<Vec<_>, _>>();
        let refuse = |reason| MirrorError::key(format!("a root certificate for notifications: {reason}"));
        let roots = roots.map_err(refuse)?.into_iter().flatten().collect();
        let (replays, asked) = mpsc::unbounded_channel();
        Ok(Self {
            schedule: settings.schedule,
            timeout: settings.timeout,
            sends: AtomicBool::new(settings.sends),
            clients: Clients::trusting(roots),
            permits: Semaphore::new(CONCURRENT),
            claims: Mutex::default(),
            failures: AtomicU64::new(0),
            replays,
            asked: Mutex::new(Some(asked)),
        })
    }

    /// Whether giving a coupon is notified too.
    pub(crate) fn sends(&self) -> bool {
        self.sends.load(Ordering::Relaxed)
    }

    pub(crate) fn set_sends(&self, sends: bool) {
        self.sends.store(sends, Ordering::Relaxed);
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// A delivery could not be recorded.
    pub(crate) fn fail(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// How long a receiver may take.
    pub(crate) fn patience(&self) -> Duration {
        self.timeout
    }

    /// The client for receivers with or without TLS.
    pub(crate) fn client(&self, is_secure: bool) -> Result<&reqwest::Client, String> {
        self.clients.client(is_secure)
    }

    /// The replays asked for; once.
    pub(crate) fn take_replays(&self) -> Option<mpsc::UnboundedReceiver<Replay>> {
        lock::mutex(&self.asked).take()
    }

    /// Delivers a notification once more. When this returns, that has happened.
    pub(crate) async fn ask_replay(&self, id: i64) -> Result<(), MirrorError> {
        let (done, outcome) = oneshot::channel();
        self.replays.send((id, done)).map_err(|_| MirrorError::Stopped)?;
        outcome.await.map_err(|_| MirrorError::Stopped)?
    }

    /// When the next delivery follows one that failed, as the `scheduled`-th of the schedule counted from 0.
    fn next_attempt(&self, scheduled: u32, failed: Moment) -> Option<Moment> {
        let place = usize::try_from(scheduled).ok()?;
        self.schedule.get(place).map(|wait| failed.plus(*wait))
    }
}

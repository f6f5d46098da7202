//! What all parts of a running mirror share.

use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use crate::card::push::Pushes;
use crate::clock::{ClockMode, Clocks};
use crate::crowd::Crowd;
use crate::directory::Directory;
use crate::fault::FaultPlan;
use crate::flow::links::Links;
use crate::ids::RequestIds;
use crate::ledger::Ledger;
use crate::lock;
use crate::metrics::Metrics;
use crate::nonces::Nonces;
use crate::notify::Notifier;
use crate::platform_keys::PlatformKeys;
use crate::rate::RateLimits;
use crate::request_log::RequestLog;
use crate::rules::readings::Readings;
use crate::seed::Seed;
use crate::timeline::Timeline;

/// Choices made when the mirror was built.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How long a new stock cannot be started.
    pub(crate) start_delay: Duration,
    /// What a merchant may give a user in a month, in fen.
    pub(crate) monthly_cap: Option<i64>,
    /// How long an idle connection stays open.
    pub(crate) keep_alive: Duration,
    /// How long a client may take to send a request.
    pub(crate) request_timeout: Duration,
    /// Where `reset` puts the test clock.
    pub(crate) first_clock: ClockMode,
    /// Whether `/_mirror` answers other machines too.
    pub(crate) open_control: bool,
    /// How the mirror reads what is not documented, to begin with.
    pub(crate) readings: Readings,
    /// What ids are made from.
    pub(crate) id_seed: Option<u64>,
    /// What the mirror started with, and what was noted about it.
    pub(crate) seed: Option<Arc<Seed>>,
    pub(crate) seed_notes: Vec<String>,
}

/// The shared state.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) ledger: Ledger,
    pub(crate) clocks: Arc<Clocks>,
    pub(crate) faults: FaultPlan,
    pub(crate) log: Arc<RequestLog>,
    pub(crate) rates: RateLimits,
    pub(crate) links: Links,
    pub(crate) timeline: Arc<Timeline>,
    pub(crate) notify: Notifier,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) crowd: Crowd,
    pub(crate) pushes: Pushes,
    pub(crate) nonces: Nonces,
    pub(crate) request_ids: RequestIds,
    readings: RwLock<Readings>,
    base_url: OnceLock<String>,
    platform: RwLock<Arc<PlatformKeys>>,
    merchants: RwLock<Arc<Directory>>,
    /// Held while keys or merchants are being replaced.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

/// Handle to the shared state.
pub(crate) type App = Arc<State>;

impl State {
    #[expect(clippy::too_many_arguments, reason = "called once, with all the parts there are")]
    pub(crate) fn new(
        settings: Settings,
        notify: Notifier,
        ledger: Ledger,
        clocks: Clocks,
        log: RequestLog,
        rates: RateLimits,
        platform: PlatformKeys,
        merchants: Directory,
    ) -> Self {
        Self {
            metrics: Arc::default(),
            crowd: Crowd::default(),
            pushes: Pushes::default(),
            nonces: Nonces::default(),
            request_ids: RequestIds::new(settings.id_seed),
            readings: RwLock::new(settings.readings),
            settings,
            ledger,
            clocks: Arc::new(clocks),
            faults: FaultPlan::default(),
            log: Arc::new(log),
            rates,
            links: Links::default(),
            timeline: Timeline::new(),
            notify,
            base_url: OnceLock::new(),
            platform: RwLock::new(Arc::new(platform)),
            merchants: RwLock::new(Arc::new(merchants)),
            changing: tokio::sync::Mutex::new(()),
        }
    }

    /// `http://address:port`, once the mirror listens.
    pub(crate) fn base_url(&self) -> &str {
        self.base_url.get().map_or("", String::as_str)
    }

    pub(crate) fn set_base_url(&self, url: String) {
        self.base_url.get_or_init(|| url);
    }

    /// How the mirror reads what is not documented.
    pub(crate) fn readings(&self) -> Readings {
        *lock::read(&self.readings)
    }

    pub(crate) fn set_readings(&self, readings: Readings) {
        *lock::write(&self.readings) = readings;
    }

    pub(crate) fn platform(&self) -> Arc<PlatformKeys> {
        Arc::clone(&lock::read(&self.platform))
    }

    pub(crate) fn replace_platform(&self, keys: PlatformKeys) {
        *lock::write(&self.platform) = Arc::new(keys);
    }

    pub(crate) fn merchants(&self) -> Arc<Directory> {
        Arc::clone(&lock::read(&self.merchants))
    }

    pub(crate) fn replace_merchants(&self, merchants: Directory) {
        *lock::write(&self.merchants) = Arc::new(merchants);
    }
}

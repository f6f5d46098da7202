//! What all parts of a running mirror share.

use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use crate::clock::{ClockMode, Clocks};
use crate::directory::Directory;
use crate::fault::FaultPlan;
use crate::flow::links::Links;
use crate::ledger::Ledger;
use crate::lock;
use crate::platform_keys::PlatformKeys;
use crate::rate::RateLimits;
use crate::request_log::RequestLog;

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
    base_url: OnceLock<String>,
    platform: RwLock<Arc<PlatformKeys>>,
    merchants: RwLock<Arc<Directory>>,
    /// Held while keys, merchants or the clock are being replaced.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

/// Handle to the shared state.
pub(crate) type App = Arc<State>;

impl State {
    pub(crate) fn new(
        settings: Settings,
        ledger: Ledger,
        clocks: Clocks,
        log: RequestLog,
        rates: RateLimits,
        platform: PlatformKeys,
        merchants: Directory,
    ) -> Self {
        Self {
            settings,
            ledger,
            clocks: Arc::new(clocks),
            faults: FaultPlan::default(),
            log: Arc::new(log),
            rates,
            links: Links::default(),
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

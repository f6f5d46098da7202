//! Choices to make before a mirror starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use rusqlite::Connection;

use crate::clock::{ClockMode, Clocks};
use crate::directory::Directory;
use crate::error::MirrorError;
use crate::fault::{self, FaultPlan, FaultRule};
use crate::ledger::{self, Ledger};
use crate::merchant::{DEFAULT_MCHID, KnownMerchant, MerchantSeed};
use crate::mirror::Mirror;
use crate::moment::Moment;
use crate::platform_keys::{PlatformKeys, PublicKeyPhase};
use crate::rate::RateLimits;
use crate::request_log::RequestLog;
use crate::state::{Settings, State};

/// Builds a [`Mirror`]. Every choice has a default that suits a test.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct MirrorBuilder {
    listen: SocketAddr,
    data: Option<PathBuf>,
    clock_at: Option<DateTime<FixedOffset>>,
    wire_follows: bool,
    merchants: Vec<MerchantSeed>,
    request_log: usize,
    phase: PublicKeyPhase,
    start_delay: Duration,
    monthly_cap: Option<i64>,
    keep_alive: Duration,
    rate_limits: bool,
    open_control: bool,
    request_timeout: Duration,
    faults: Vec<FaultRule>,
    fault_files: Vec<PathBuf>,
}

impl Default for MirrorBuilder {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: None,
            clock_at: None,
            wire_follows: false,
            merchants: Vec::new(),
            request_log: 10_000,
            phase: PublicKeyPhase::Off,
            start_delay: Duration::from_secs(60),
            monthly_cap: Some(500_000),
            keep_alive: Duration::from_secs(8),
            rate_limits: false,
            open_control: false,
            request_timeout: Duration::from_secs(60),
            faults: Vec::new(),
            fault_files: Vec::new(),
        }
    }
}

impl MirrorBuilder {
    /// Address to listen on. Default: 127.0.0.1 with a port from the system.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Keeps the state in this file. What the file already holds (merchants, keys, clock, phase) goes before
    /// what the builder says. Default: in memory.
    pub fn data(mut self, file: impl AsRef<Path>) -> Self {
        self.data = Some(file.as_ref().to_owned());
        self
    }

    /// The test clock starts frozen at this time. Default: it runs with the machine's clock.
    pub fn clock_at(mut self, time: DateTime<FixedOffset>) -> Self {
        self.clock_at = Some(time);
        self
    }

    /// Signatures and certificates go by the test clock too. Default: by the machine's clock, so that clients
    /// whose clock cannot be set keep working when the test clock is moved.
    pub fn wire_clock_follows_test_clock(mut self, follows: bool) -> Self {
        self.wire_follows = follows;
        self
    }

    /// A further merchant; one with the default merchant's id takes its place.
    pub fn merchant(mut self, seed: MerchantSeed) -> Self {
        self.merchants.push(seed);
        self
    }

    /// How many requests the log keeps. Default: 10,000.
    pub fn request_log(mut self, entries: usize) -> Self {
        self.request_log = entries;
        self
    }

    /// How far the move to the public key has come. Default: not begun.
    pub fn public_key_mode(mut self, phase: PublicKeyPhase) -> Self {
        self.phase = phase;
        self
    }

    /// How long a new stock cannot be started. Default: 60 seconds.
    pub fn start_delay(mut self, delay: Duration) -> Self {
        self.start_delay = delay;
        self
    }

    /// Face value in fen that a merchant may give one user in a Beijing month. Default: 5000 yuan, the figure
    /// reported from production; `None` lifts the cap.
    pub fn monthly_cap_fen(mut self, cap: Option<i64>) -> Self {
        self.monthly_cap = cap;
        self
    }

    /// How long an idle connection stays open. Default: 8 seconds, as in production.
    pub fn keep_alive_timeout(mut self, timeout: Duration) -> Self {
        self.keep_alive = timeout;
        self
    }

    /// Enforces the documented calls per minute and second of each merchant. Default: off.
    pub fn documented_rate_limits(mut self, enforced: bool) -> Self {
        self.rate_limits = enforced;
        self
    }

    /// Answers `/_mirror` to other machines too. These calls are not authenticated: only for closed networks.
    /// Default: off.
    pub fn open_control(mut self, open: bool) -> Self {
        self.open_control = open;
        self
    }

    /// How long a client may take to send the head of a request, and then its body. A client that is slower is
    /// cut off. Default: 60 seconds; a day is the longest.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout.min(Duration::from_secs(86_400));
        self
    }

    /// Faults in force from the start, and again after a reset. Further calls add to them.
    pub fn faults(mut self, rules: impl IntoIterator<Item = FaultRule>) -> Self {
        self.faults.extend(rules);
        self
    }

    /// Faults from a file, read at the start: TOML with a `[[fault]]` for each rule, or, if the file's name ends in
    /// `.json`, a list of rules. They come after those of [`faults`](Self::faults).
    pub fn faults_file(mut self, file: impl AsRef<Path>) -> Self {
        self.fault_files.push(file.as_ref().to_owned());
        self
    }

    /// Starts the mirror on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, the data file cannot be used, or a merchant seed or a fault rule is not
    /// usable.
    pub async fn start(self) -> Result<Mirror, MirrorError> {
        let faults = self.first_faults()?;
        let first_clock = self.clock_at.map_or(ClockMode::REAL, |time| ClockMode::Frozen { at: time.into() });
        let data = self.data.clone();
        let ledger = tokio::task::spawn_blocking(move || Ledger::open(data.as_deref()))
            .await
            .map_err(|_| MirrorError::Stopped)??;
        let builder = self.clone();
        let stored = ledger.write(move |db| Ok(builder.load(db, first_clock))).await??;
        let settings = Settings {
            start_delay: self.start_delay,
            monthly_cap: self.monthly_cap,
            keep_alive: self.keep_alive,
            first_clock,
            open_control: self.open_control,
            request_timeout: self.request_timeout,
        };
        let mut state = State::new(
            settings,
            ledger,
            Clocks::new(stored.clock, self.wire_follows),
            RequestLog::new(self.request_log),
            RateLimits::new(self.rate_limits),
            stored.platform,
            Directory::new(stored.merchants),
        );
        state.faults = faults;
        Mirror::listen(state, self.listen).await
    }

    fn first_faults(&self) -> Result<FaultPlan, MirrorError> {
        let mut rules = self.faults.clone();
        for file in &self.fault_files {
            rules.extend(fault::read_file(file)?);
        }
        FaultPlan::starting_with(rules)
    }

    /// Takes from the store what it holds, and puts in what it lacks.
    fn load(&self, db: &Connection, first_clock: ClockMode) -> Result<Stored, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        let clock = match ledger::clock::load(db).map_err(storage)? {
            Some(clock) => clock,
            None => {
                ledger::clock::save(db, first_clock).map_err(storage)?;
                first_clock
            }
        };
        let wire_now = Clocks::new(clock, self.wire_follows).wire_now();
        Ok(Stored {
            clock,
            platform: self.load_platform(db, wire_now)?,
            merchants: self.load_merchants(db, wire_now)?,
        })
    }

    fn load_platform(&self, db: &Connection, now: Moment) -> Result<PlatformKeys, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        let certificates = ledger::keys::certificates(db).map_err(storage)?;
        if let Some((phase, void)) = ledger::keys::phase(db).map_err(storage)? {
            return PlatformKeys::restore(certificates, phase, void);
        }
        let platform = PlatformKeys::new(self.phase, now)?;
        for known in &platform.certificates {
            ledger::keys::insert_certificate(db, known).map_err(storage)?;
        }
        ledger::keys::save_phase(db, self.phase, false).map_err(storage)?;
        Ok(platform)
    }

    fn load_merchants(&self, db: &Connection, now: Moment) -> Result<Vec<KnownMerchant>, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        let mut known = ledger::merchants::all(db).map_err(storage)?;
        let mut taken: Vec<_> =
            known.iter().map(|merchant| merchant.public.private_key_pem.clone()).collect();
        for seed in self.seeds()? {
            if known.iter().any(|merchant| merchant.mchid() == seed.mchid) {
                continue;
            }
            let merchant = KnownMerchant::from_seed(&seed, &taken, now)?;
            ledger::merchants::insert(db, &merchant, seed.balance_fen).map_err(storage)?;
            taken.push(merchant.public.private_key_pem.clone());
            known.push(merchant);
        }
        Ok(known)
    }

    /// The default merchant, or what takes its place, and then the others.
    fn seeds(&self) -> Result<Vec<MerchantSeed>, MirrorError> {
        let mut seeds = vec![MerchantSeed::default_merchant()];
        for seed in &self.merchants {
            if seed.mchid == DEFAULT_MCHID {
                seeds[0] = seed.clone();
            } else if seeds.iter().any(|earlier| earlier.mchid == seed.mchid) {
                return Err(MirrorError::Seed {
                    mchid: seed.mchid.clone(),
                    reason: "the id is taken".to_owned(),
                });
            } else {
                seeds.push(seed.clone());
            }
        }
        Ok(seeds)
    }
}

/// What the store holds at the start.
#[derive(Debug)]
struct Stored {
    clock: ClockMode,
    platform: PlatformKeys,
    merchants: Vec<KnownMerchant>,
}

//! Choices to make before a mirror starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use rusqlite::Connection;

use crate::clock::{ClockMode, Clocks, Times};
use crate::control::clock::check_rate;
use crate::directory::Directory;
use crate::error::MirrorError;
use crate::ledger::{self, Ledger};
use crate::merchant::{DEFAULT_MCHID, KnownMerchant, MerchantSeed};
use crate::mirror::Mirror;
use crate::moment::Moment;
use crate::notify::{Notifier, NotifySettings};
use crate::platform_keys::{PlatformKeys, PublicKeyPhase, Rotation, RotationSchedule};
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
    running_from: Option<DateTime<FixedOffset>>,
    frozen: bool,
    clock_rate: u32,
    notify: NotifySettings,
    rotation: Option<RotationSchedule>,
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
            running_from: None,
            frozen: false,
            clock_rate: 1,
            notify: NotifySettings::default(),
            rotation: None,
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

    /// The test clock runs, and shows this time at the start. Default: it runs with the machine's clock.
    pub fn clock_from(mut self, time: DateTime<FixedOffset>) -> Self {
        self.running_from = Some(time);
        self
    }

    /// The test clock starts frozen, at the time it would have shown otherwise. Default: it runs.
    pub fn clock_frozen(mut self, frozen: bool) -> Self {
        self.frozen = frozen;
        self
    }

    /// The test clock runs this many times as fast as the machine's, 1 to 1,000,000; one that is frozen does so
    /// once it is let go. Default: 1.
    pub fn clock_rate(mut self, rate: u32) -> Self {
        self.clock_rate = rate;
        self
    }

    /// When notifications that were not acknowledged are repeated: how long after each failed delivery the next one
    /// follows, on the test clock. Default: [`GENERAL_RETRIES`](crate::GENERAL_RETRIES); the documentation's other
    /// account is [`MINUTE_RETRIES`](crate::MINUTE_RETRIES).
    pub fn callback_schedule(mut self, waits: impl Into<Vec<Duration>>) -> Self {
        self.notify.schedule = waits.into();
        self
    }

    /// How long a receiver of notifications may take, on the machine's clock. Default: 5 seconds, as documented.
    pub fn callback_timeout(mut self, timeout: Duration) -> Self {
        self.notify.timeout = timeout;
        self
    }

    /// Trusts a further root certificate (PEM, one or several) when it delivers notifications to https addresses,
    /// such as that of a receiver on this machine. Default: the system's roots alone.
    pub fn callback_root(mut self, pem: impl Into<String>) -> Self {
        self.notify.roots.push(pem.into());
        self
    }

    /// Notifies of coupons given, too, by a `COUPON.SEND` that production does not have. Default: off.
    pub fn notify_sends(mut self, notified: bool) -> Self {
        self.notify.sends = notified;
        self
    }

    /// Platform certificates follow each other by themselves, by the test clock, each listed for a quarter of that
    /// time before it signs and after the next one does. Default: they stay.
    pub fn rotate_every(self, every: Duration) -> Self {
        self.rotation(RotationSchedule::every(every))
    }

    /// The same with a lead and an overlap of choice.
    pub fn rotation(mut self, schedule: RotationSchedule) -> Self {
        self.rotation = Some(schedule);
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

    /// Starts the mirror on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, the data file cannot be used, or a merchant seed, a rate, a rotation or a root
    /// certificate is not usable.
    pub async fn start(self) -> Result<Mirror, MirrorError> {
        check_rate(self.clock_rate)?;
        let standing = self.clock_at.or(self.running_from.filter(|_| self.frozen));
        let first_clock = match (standing, self.running_from) {
            (Some(time), _) => ClockMode::frozen(time.into()),
            (None, Some(time)) => ClockMode::real().set(time.into()),
            (None, None) => ClockMode::real(),
        };
        let first_clock =
            if self.clock_rate == 1 { first_clock } else { first_clock.at_rate(self.clock_rate) };
        let first_clock = if self.frozen { first_clock.freeze() } else { first_clock };
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
        };
        let state = State::new(
            settings,
            Notifier::new(self.notify)?,
            ledger,
            Clocks::new(stored.clock, self.wire_follows),
            RequestLog::new(self.request_log),
            RateLimits::new(self.rate_limits),
            stored.platform,
            Directory::new(stored.merchants),
        );
        Mirror::listen(state, self.listen).await
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
        let now = Clocks::new(clock, self.wire_follows).both();
        Ok(Stored {
            clock,
            platform: self.load_platform(db, now)?,
            merchants: self.load_merchants(db, now.wire)?,
        })
    }

    fn load_platform(&self, db: &Connection, now: Times) -> Result<PlatformKeys, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        if let Some(kept) = ledger::keys::load(db).map_err(storage)? {
            return kept;
        }
        let mut platform = PlatformKeys::new(self.phase, now)?;
        platform.rotation = self.rotation.map(|schedule| Rotation::begin(schedule, now.test)).transpose()?;
        ledger::keys::save(db, &platform).map_err(storage)?;
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

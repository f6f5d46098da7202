//! Choices to make before a mirror starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use rusqlite::Connection;

use crate::authority::Authority;
use crate::clock::{ClockMode, Clocks, Times};
use crate::control::clock::check_rate;
use crate::directory::Directory;
use crate::error::MirrorError;
use crate::fault::{self, FaultPlan, FaultRule};
use crate::ids::FirstIds;
use crate::ledger::{self, Ledger};
use crate::merchant::{DEFAULT_MCHID, KnownMerchant, MerchantSeed};
use crate::mirror::Mirror;
use crate::moment::Moment;
use crate::notify::{Notifier, NotifySettings};
use crate::platform_keys::{PlatformKeys, PublicKeyPhase, Rotation, RotationSchedule};
use crate::rate::RateLimits;
use crate::request_log::RequestLog;
use crate::rules::readings::Readings;
use crate::seed::{self, Seed, SeedError};
use crate::state::{Settings, State};
use crate::tls::Tls;

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
    handshake: Duration,
    rate_limits: bool,
    open_control: bool,
    request_timeout: Duration,
    faults: Vec<FaultRule>,
    fault_files: Vec<PathBuf>,
    running_from: Option<DateTime<FixedOffset>>,
    frozen: bool,
    clock_rate: u32,
    notify: NotifySettings,
    rotation: Option<RotationSchedule>,
    readings: Readings,
    id_seed: Option<u64>,
    seed: Option<Result<Arc<Seed>, SeedError>>,
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
            handshake: Duration::from_secs(10),
            rate_limits: false,
            open_control: false,
            request_timeout: Duration::from_secs(60),
            faults: Vec::new(),
            fault_files: Vec::new(),
            running_from: None,
            frozen: false,
            clock_rate: 1,
            notify: NotifySettings::default(),
            rotation: None,
            readings: Readings::default(),
            id_seed: None,
            seed: None,
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
    /// what the builder and the seed say. Default: in memory.
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

    /// How long a TLS handshake may take. Default: 10 seconds.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake = timeout;
        self
    }

    /// Enforces the documented calls per minute and second: of each merchant, from each address, and of all
    /// together, in fixed windows of the wire clock. Default: off.
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

    /// How the mirror reads what is not documented. Default: the best readings.
    pub fn readings(mut self, readings: Readings) -> Self {
        self.readings = readings;
        self
    }

    /// Makes ids from this number: the same number and the same calls give the same ids of stocks, coupons,
    /// payments, refunds and answers in each run, and another number gives others. Calls that run side by side
    /// take their ids in the order in which they come. Nonces, keys and links stay random. Default: counting
    /// begins where it always does, and the ids of answers are random.
    pub fn id_seed(mut self, seed: u64) -> Self {
        self.id_seed = Some(seed);
        self
    }

    /// Merchants, users and stocks to start with. What a data file already holds goes before them. The seed's
    /// settings are taken here, so what the builder is told afterwards goes before those.
    pub fn seed(mut self, seed: Seed) -> Self {
        let settings = match seed.settings() {
            Ok(settings) => settings,
            Err(error) => {
                self.seed = Some(Err(error));
                return self;
            }
        };
        self.clock_at = settings.clock_at.or(self.clock_at);
        self.wire_follows = settings.wire_follows.unwrap_or(self.wire_follows);
        self.start_delay = settings.start_delay.unwrap_or(self.start_delay);
        self.monthly_cap = settings.monthly_cap.unwrap_or(self.monthly_cap);
        self.rate_limits = settings.rate_limits.unwrap_or(self.rate_limits);
        self.id_seed = settings.id_seed.or(self.id_seed);
        self.phase = settings.phase.unwrap_or(self.phase);
        self.readings = settings.readings.unwrap_or(self.readings);
        self.seed = Some(Ok(Arc::new(seed)));
        self
    }

    /// The same from a file. Whether it can be read shows when the mirror is started.
    pub fn seed_file(mut self, file: impl AsRef<Path>) -> Self {
        match Seed::read(file) {
            Ok(seed) => self.seed(seed),
            Err(error) => {
                self.seed = Some(Err(error));
                self
            }
        }
    }

    /// Starts the mirror on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound, the data file cannot be used, or a merchant seed, the seed file, a fault
    /// rule, a rate, a rotation or a root certificate is not usable.
    pub async fn start(self) -> Result<Mirror, MirrorError> {
        let faults = self.first_faults()?;
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
        let seed = self.seed.clone().transpose()?;
        let data = self.data.clone();
        let ledger = tokio::task::spawn_blocking(move || Ledger::open(data.as_deref()))
            .await
            .map_err(|_| MirrorError::Stopped)??;
        let builder = self.clone();
        let of_builder = seed.clone();
        let stored = ledger
            .write(move |db| {
                ledger::all_or_nothing(db, |db| builder.load(db, first_clock, of_builder.as_deref()))
            })
            .await;
        let stored = match stored.map_err(MirrorError::from).flatten() {
            Ok(stored) => stored,
            Err(error) => {
                ledger.close().await;
                return Err(error);
            }
        };
        for note in &stored.notes {
            tracing::warn!("{note}");
        }
        let settings = Settings {
            start_delay: self.start_delay,
            monthly_cap: self.monthly_cap,
            keep_alive: self.keep_alive,
            first_clock,
            open_control: self.open_control,
            request_timeout: self.request_timeout,
            readings: self.readings,
            id_seed: stored.id_seed,
            seed,
            seed_notes: stored.notes,
        };
        let mut state = State::new(
            settings,
            Notifier::new(self.notify)?,
            ledger,
            Clocks::new(stored.clock, self.wire_follows),
            RequestLog::new(self.request_log),
            RateLimits::new(self.rate_limits),
            stored.platform,
            stored.merchants,
        );
        state.faults = faults;
        Mirror::listen(state, Tls::new(stored.authority, self.handshake), self.listen).await
    }

    fn first_faults(&self) -> Result<FaultPlan, MirrorError> {
        let mut rules = self.faults.clone();
        for file in &self.fault_files {
            rules.extend(fault::read_file(file)?);
        }
        FaultPlan::starting_with(rules)
    }

    /// Takes from the store what it holds, and puts in what it lacks.
    fn load(
        &self,
        db: &Connection,
        first_clock: ClockMode,
        seed: Option<&Seed>,
    ) -> Result<Stored, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        let clock = match ledger::clock::load(db).map_err(storage)? {
            Some(clock) => clock,
            None => {
                ledger::clock::save(db, first_clock).map_err(storage)?;
                first_clock
            }
        };
        let now = Clocks::new(clock, self.wire_follows).both();
        let mut notes = Vec::new();
        let id_seed = self.load_ids(db, &mut notes)?;
        let platform = self.load_platform(db, now)?;
        let merchants = Directory::new(self.load_merchants(db, now.wire, seed, &mut notes)?);
        if let Some(seed) = seed {
            let world =
                seed::World { merchants: &merchants, start_delay: self.start_delay, now: clock.now() };
            notes.extend(seed::apply(db, seed, world)?);
        }
        Ok(Stored { clock, platform, merchants, authority: load_authority(db)?, id_seed, notes })
    }

    /// What ids are made from: once some have been given out, that does not change.
    fn load_ids(&self, db: &Connection, notes: &mut Vec<String>) -> Result<Option<u64>, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        let held = ledger::first_ids::seed(db).map_err(storage)?;
        match self.id_seed {
            Some(wanted) if held != Some(wanted) => {
                if ledger::first_ids::are_in_use(db).map_err(storage)? {
                    notes.push("id_seed: the data file has ids already and goes on with them".to_owned());
                    return Ok(held);
                }
                ledger::first_ids::save(db, wanted, FirstIds::of(wanted)).map_err(storage)?;
                Ok(Some(wanted))
            }
            _ => Ok(held),
        }
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

    fn load_merchants(
        &self,
        db: &Connection,
        now: Moment,
        seed: Option<&Seed>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<KnownMerchant>, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        let mut known = ledger::merchants::all(db).map_err(storage)?;
        let mut taken: Vec<_> =
            known.iter().map(|merchant| merchant.public.private_key_pem.clone()).collect();
        let mut make = |merchant: &MerchantSeed| {
            if let Some(held) = known.iter().find(|held| held.mchid() == merchant.mchid) {
                return Ok(seed::note_differences(held, merchant));
            }
            let made = KnownMerchant::from_seed(merchant, &taken, now)?;
            ledger::merchants::insert(db, &made, merchant.balance_fen).map_err(storage)?;
            taken.push(made.public.private_key_pem.clone());
            known.push(made);
            Ok::<_, MirrorError>(None)
        };
        let builders = self.seeds(seed)?;
        for merchant in builders.iter().filter(|merchant| merchant.mchid == DEFAULT_MCHID) {
            make(merchant)?;
        }
        for entry in seed.into_iter().flat_map(|seed| seed::merchants(seed, now)) {
            let (merchant, place) = entry?;
            if self.merchants.iter().any(|given| given.mchid == merchant.mchid) {
                return Err(place("the id is taken by a merchant that was added before".to_owned()).into());
            }
            match make(&merchant) {
                Ok(note) => notes.extend(note),
                Err(MirrorError::Seed { reason, .. } | MirrorError::Key { reason }) => {
                    return Err(place(reason).into());
                }
                Err(other) => return Err(other),
            }
        }
        for merchant in builders.iter().filter(|merchant| merchant.mchid != DEFAULT_MCHID) {
            make(merchant)?;
        }
        Ok(known)
    }

    /// The default merchant, or what takes its place, and then the others; without the default one where the
    /// seed has it.
    fn seeds(&self, seed: Option<&Seed>) -> Result<Vec<MerchantSeed>, MirrorError> {
        let mut seeds = vec![MerchantSeed::default_merchant()];
        for given in &self.merchants {
            if given.mchid == DEFAULT_MCHID {
                seeds[0] = given.clone();
            } else if seeds.iter().any(|earlier| earlier.mchid == given.mchid) {
                return Err(MirrorError::Seed {
                    mchid: given.mchid.clone(),
                    reason: "the id is taken".to_owned(),
                });
            } else {
                seeds.push(given.clone());
            }
        }
        if seed.is_some_and(|seed| seed.has_merchant(DEFAULT_MCHID)) {
            seeds.remove(0);
        }
        Ok(seeds)
    }
}

/// What the store holds at the start.
#[derive(Debug)]
struct Stored {
    clock: ClockMode,
    platform: PlatformKeys,
    merchants: Directory,
    authority: Authority,
    id_seed: Option<u64>,
    notes: Vec<String>,
}

fn load_authority(db: &Connection) -> Result<Authority, MirrorError> {
    let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
    if let Some((private_key_pem, certificate_pem)) = ledger::authority::load(db).map_err(storage)? {
        return Authority::restore(&private_key_pem, certificate_pem);
    }
    let authority = Authority::generate()?;
    ledger::authority::save(db, &authority.private_key_pem(), authority.certificate_pem())
        .map_err(storage)?;
    Ok(authority)
}

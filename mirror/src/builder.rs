//! Choices to make before a mirror starts.

mod load;
mod start;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};

use crate::fault::FaultRule;
use crate::merchant::MerchantSeed;
use crate::notify::NotifySettings;
use crate::platform_keys::{PublicKeyPhase, RotationSchedule};
use crate::rules::readings::Readings;
use crate::seed::{Seed, SeedError};

/// Builds a [`Mirror`](crate::Mirror). Every choice has a default that suits a test.
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
        self.notify.sends = settings.notify_sends.unwrap_or(self.notify.sends);
        if let Some(schedule) = settings.callback_schedule {
            self.notify.schedule = schedule;
        }
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
}

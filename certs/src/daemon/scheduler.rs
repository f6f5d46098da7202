//! One scheduler for all merchants: what is due is checked, at a global rate.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use favor_core::key_directory::CheckFailure;
use favor_core::{Clock, HttpTransport, MerchantId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::fleet::Fleet;
use super::sleep::sleep_until;
use super::{Command, DaemonError, Refresh, notify, pace, standby};
use crate::check::{self, Checked};
use crate::config::{Config, MerchantConfig};
use crate::directory::KeyDirectory;
use crate::merchant::{Fingerprint, Merchant, MerchantError};

/// Checks under way at once, whatever the rate is: a platform that hangs must not fill the memory.
const MOST_RUNNING: usize = 32;
/// A tenth of a second's checks may begin at once.
const BURST: Duration = Duration::from_millis(100);
/// Anybody can name an unknown serial, so that asks at most this often, for each merchant; and so does a person.
const BETWEEN_ASKED: Duration = Duration::from_secs(60);

pub(super) struct Parts {
    pub(super) path: PathBuf,
    pub(super) config: Config,
    /// The settings' file as it was when they were read; that may be long ago, where another process wrote.
    pub(super) settings: Fingerprint,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) directory: KeyDirectory,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
}

/// One merchant in the scheduler.
#[derive(Debug)]
struct Slot {
    config: Arc<MerchantConfig>,
    merchant: Result<Arc<Merchant>, CheckFailure>,
    /// Why its key files, as they are now, cannot follow those in use.
    own_keys: Option<CheckFailure>,
    due: Duration,
    running: bool,
    /// Another check follows at once.
    again: bool,
    turn: u64,
    failures: u32,
    last_unknown: Option<Duration>,
    last_refresh: Option<Duration>,
    /// Who waits for the next check to end.
    waiting: Vec<oneshot::Sender<()>>,
}

struct Scheduler {
    path: PathBuf,
    /// Its merchants are those of the slots.
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    fleet: Arc<Fleet>,
    directory: KeyDirectory,
    transport: HttpTransport,
    slots: BTreeMap<MerchantId, Slot>,
    /// Who is due when.
    queue: BTreeSet<(Duration, MerchantId)>,
    running: JoinSet<Ended>,
    /// When the rate allows the next check.
    next_start: Duration,
    /// The settings' file and that of the root certificates, as they were read last.
    settings: Fingerprint,
    roots_file: Fingerprint,
    /// What is wrong with them; those before are in use.
    settings_error: Option<String>,
    /// The root certificates in use.
    roots: Option<Vec<u8>>,
    next_look: Duration,
    told_ready: bool,
}

/// A check that ended, and when the next one is due.
struct Ended {
    id: MerchantId,
    checked: Checked,
    due: Duration,
}

/// Runs until it is told to stop.
pub(super) async fn run(parts: Parts) -> Result<(), DaemonError> {
    let Parts { path, mut config, settings, clock, fleet, directory, mut commands } = parts;
    let merchants = take_out(&mut config);
    let roots_file = roots_file(&config);
    let (transport, roots) = transport(&config)?;
    let mut scheduler = Scheduler {
        path,
        config: Arc::new(config),
        next_start: clock.elapsed(),
        next_look: clock.elapsed(),
        clock,
        fleet,
        directory,
        transport,
        slots: BTreeMap::new(),
        queue: BTreeSet::new(),
        running: JoinSet::new(),
        settings,
        roots_file,
        settings_error: None,
        roots,
        told_ready: false,
    };
    scheduler.take_merchants(merchants, false).await;
    scheduler.look_again_later();
    loop {
        scheduler.tell_when_ready();
        scheduler.start_due();
        notify::alive();
        let until = scheduler.next_turn();
        let clock = scheduler.clock.clone();
        tokio::select! {
            () = sleep_until(&*clock, until) => {}
            Some(ended) = scheduler.running.join_next(), if !scheduler.running.is_empty() => match ended {
                Ok(ended) => scheduler.end(ended),
                Err(error) => tracing::error!(%error, "a check ended in a bug"),
            },
            command = commands.recv() => match command {
                Some(Command::Stop) | None => break,
                Some(Command::Reload) => scheduler.reload().await,
                Some(Command::Unknown(id, answer)) => scheduler.unknown_serial(&id, answer),
                Some(Command::Refresh(id, answer)) => {
                    // Whoever asked may be gone.
                    let _ = answer.send(scheduler.refresh(&id));
                }
            },
        }
        if scheduler.clock.elapsed() >= scheduler.next_look {
            scheduler.look_for_changes().await;
        }
    }
    notify::stopping();
    // Each ends by its own time limits; a release that is being written is finished.
    while let Some(ended) = scheduler.running.join_next().await {
        if let Ok(ended) = ended {
            scheduler.end(ended);
        }
    }
    Ok(())
}

fn roots_file(config: &Config) -> Fingerprint {
    Fingerprint::of(config.ca_file.as_deref())
}

/// The way to the platform, and the root certificates it trusts besides the system's.
fn transport(config: &Config) -> Result<(HttpTransport, Option<Vec<u8>>), DaemonError> {
    let mut builder = HttpTransport::builder();
    if let Some(proxy) = &config.proxy {
        builder = builder.proxy(proxy);
    }
    let mut roots = None;
    if let Some(file) = &config.ca_file {
        let failed = |why: String| DaemonError::Transport(format!("{}: {why}", file.display()));
        let pem = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
        builder = builder.root_certificate(roots.insert(pem).clone());
    }
    let transport = builder.build().map_err(|error| DaemonError::Transport(check::report(&error)))?;
    Ok((transport, roots))
}

impl Scheduler {
    /// When something may have to be done.
    fn next_turn(&self) -> Duration {
        let mut until = self.next_look;
        if self.running.len() < MOST_RUNNING
            && let Some((due, _)) = self.queue.first()
        {
            until = until.min((*due).max(self.next_start));
        }
        notify::watchdog().map_or(until, |limit| until.min(self.clock.elapsed() + limit))
    }

    fn start_due(&mut self) {
        let now = self.clock.elapsed();
        while self.running.len() < MOST_RUNNING && now + BURST >= self.next_start {
            let Some((due, id)) = self.queue.first().filter(|(due, _)| *due <= now).cloned() else { break };
            self.queue.remove(&(due, id.clone()));
            self.next_start =
                self.next_start.max(now) + Duration::from_secs(1) / self.config.checks_per_second;
            self.start(id);
        }
    }

    fn start(&mut self, id: MerchantId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.running = true;
        slot.turn += 1;
        let (turn, failures) = (slot.turn, slot.failures.saturating_add(1));
        let (slot_config, merchant) = (slot.config.clone(), slot.merchant.clone());
        let own_keys = slot.own_keys.clone();
        let (config, directory, clock) = (self.config.clone(), self.directory.clone(), self.clock.clone());
        let (mut status, transport) = (self.fleet.status(&id), self.transport.clone());
        status.own_keys = own_keys;
        let failing_since = status.failing_since;
        self.running.spawn(async move {
            // Keys that could not be read may be right now.
            let merchant = match merchant {
                Ok(merchant) => Ok(merchant),
                Err(_) => load(&config, &slot_config, &transport, &clock).await,
            };
            let mut checked = match merchant {
                Ok(merchant) => check::check(&directory, &merchant, status, clock.as_ref()).await,
                Err(failure) => check::not_possible(&directory, &id, status, failure, clock.as_ref()),
            };
            let after_failure = pace::after_failure(&config, &id, failures);
            let mut pause = match &checked.status.failure {
                None => pace::after_success(&config, &id, turn, checked.pending),
                Some(_) => after_failure,
            };
            // One moment for both: the clock goes on while the status is written.
            let (ended, ended_at) = (clock.elapsed(), clock.now());
            let later = |pause| chrono::TimeDelta::from_std(pause).ok().map(|pause| ended_at + pause);
            checked.status.next_check = later(pause);
            let text = checked.status.clone();
            let written = crate::blocking::run(move || directory.write_status(&text)).await;
            if let Ok(Err(error)) = written {
                let failure = CheckFailure::new("directory", check::report(&error));
                checked.status.failure.get_or_insert(failure);
                checked.status.failing_since = failing_since.or(Some(ended_at));
                // A directory that cannot be written is looked at again soon, not at the next interval.
                pause = after_failure;
                checked.status.next_check = later(pause);
            }
            let due = ended + pause;
            Ended { id, checked, due }
        });
    }

    fn end(&mut self, ended: Ended) {
        let Ended { id, checked, due } = ended;
        self.fleet.count_fetch(checked.result());
        let failed = checked.status.failure.clone();
        let before = self.fleet.status(&id).failure;
        match &failed {
            Some(failure) if before.as_ref() != Some(failure) => {
                let (mchid, code) = (id.as_str(), failure.code.as_str());
                tracing::warn!(
                    mchid,
                    code,
                    "keys could not be checked, those in force stay: {}",
                    failure.message
                );
            }
            None if before.is_some() => tracing::info!(mchid = id.as_str(), "keys can be checked again"),
            _ => {}
        }
        self.fleet.set_status(checked.status);
        if let Some(release) = checked.release {
            if checked.new {
                let generation = release.manifest().generation;
                tracing::info!(mchid = id.as_str(), generation, "new keys in force");
            }
            self.fleet.set_release(&id, &release);
        }
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.running = false;
        slot.failures = if failed.is_some() { slot.failures.saturating_add(1) } else { 0 };
        slot.due = if slot.again { self.clock.elapsed() } else { due };
        self.queue.insert((slot.due, id));
        if !std::mem::take(&mut slot.again) {
            for waiting in slot.waiting.drain(..) {
                let _ = waiting.send(());
            }
        }
        let (merchants, failing) = self.fleet.counts();
        notify::status(&format!("{} merchants ok, {failing} failing", merchants - failing));
    }

    fn unknown_serial(&mut self, id: &MerchantId, answer: oneshot::Sender<()>) {
        let now = self.clock.elapsed();
        // Dropping the answer is one too.
        let Some(slot) = self.slots.get_mut(id) else { return };
        if slot.last_unknown.is_some_and(|at| now < at + BETWEEN_ASKED) {
            return;
        }
        slot.last_unknown = Some(now);
        slot.waiting.push(answer);
        self.check_now(id);
    }

    /// Somebody asked for a check in so many words.
    fn refresh(&mut self, id: &MerchantId) -> Refresh {
        let now = self.clock.elapsed();
        let Some(slot) = self.slots.get_mut(id) else { return Refresh::NoSuchMerchant };
        let free = slot.last_refresh.map(|at| at + BETWEEN_ASKED).filter(|free| now < *free);
        if let Some(free) = free {
            return Refresh::TooSoon(free - now);
        }
        slot.last_refresh = Some(now);
        let (ended, wait) = oneshot::channel();
        slot.waiting.push(ended);
        self.check_now(id);
        Refresh::Begun(wait)
    }

    /// Makes a merchant due; while a check is under way, another one follows it.
    fn check_now(&mut self, id: &MerchantId) {
        let now = self.clock.elapsed();
        let Some(slot) = self.slots.get_mut(id) else { return };
        if slot.running {
            // The one under way may have begun before there was news.
            slot.again = true;
            return;
        }
        self.queue.remove(&(slot.due, id.clone()));
        slot.due = now;
        self.queue.insert((now, id.clone()));
    }

    fn look_again_later(&mut self) {
        self.next_look = self.clock.elapsed() + self.config.reload_every;
    }

    async fn look_for_changes(&mut self) {
        // What is wrong may be made right without a new time of change, as by chmod.
        let settings = self.settings_error.is_some()
            || Fingerprint::of([self.path.as_path()]) != self.settings
            || roots_file(&self.config) != self.roots_file;
        let keys = self.slots.values().any(|slot| match &slot.merchant {
            // Files that are wrong may be made right without a new time of change, as by chmod.
            Ok(merchant) => slot.own_keys.is_some() || Fingerprint::of(slot.config.files()) != merchant.files,
            // Tried again with each check.
            Err(_) => false,
        });
        if settings || keys {
            self.reload().await;
        }
        self.look_again_later();
    }

    /// Reads settings and key files again. What is wrong stays as it was.
    async fn reload(&mut self) {
        // Taken before the files are read: a change meanwhile is noticed the next time.
        self.settings = Fingerprint::of([self.path.as_path()]);
        let read = Config::read(&self.path).map_err(DaemonError::from);
        let read = read.and_then(|config| Ok((roots_file(&config), transport(&config)?, config)));
        let mut elsewhere = false;
        let mut merchants = self.slots.values().map(|slot| slot.config.clone()).collect();
        match read {
            Ok((roots_file, (transport, roots), mut config)) => {
                if config.directory != self.config.directory || config.listen != self.config.listen {
                    tracing::warn!("directory and listen take effect at the next start");
                    config.directory.clone_from(&self.config.directory);
                }
                let route = |config: &Config| (config.base_url.clone(), config.proxy.clone());
                elsewhere = route(&config) != route(&self.config) || roots != self.roots;
                (self.roots, self.roots_file) = (roots, roots_file);
                self.settings_error = None;
                merchants = take_out(&mut config);
                self.transport = transport;
                self.config = Arc::new(config);
                self.fleet.set_config_error(None);
            }
            Err(error) => {
                let error = check::report(&error);
                if self.settings_error.as_ref() != Some(&error) {
                    tracing::error!("the settings are wrong, and those before stay in use: {error}");
                }
                self.settings_error = Some(error.clone());
                self.fleet.set_config_error(Some(error));
            }
        }
        self.take_merchants(merchants, elsewhere).await;
    }

    /// Brings the slots in line with the settings. Merchants whose settings or files are new are read, and due now;
    /// all of them when the way to the platform is another one.
    async fn take_merchants(&mut self, merchants: Vec<Arc<MerchantConfig>>, all: bool) {
        let config = self.config.clone();
        let ids: Vec<_> = merchants.iter().map(|merchant| merchant.mchid.clone()).collect();
        self.slots.retain(|id, _| ids.contains(id));
        self.queue.retain(|(_, id)| ids.contains(id));
        self.fleet.set(&ids, &config.hooks);
        let mut fresh = Vec::new();
        for merchant in &merchants {
            let unchanged = self.slots.get(&merchant.mchid).is_some_and(|slot| {
                let files =
                    slot.merchant.as_ref().is_ok_and(|held| held.files == Fingerprint::of(merchant.files()));
                slot.config == *merchant && files && slot.own_keys.is_none() && !all
            });
            if unchanged {
                continue;
            }
            let loaded = load(&config, merchant, &self.transport, &self.clock).await;
            match self.slots.get_mut(&merchant.mchid) {
                Some(slot) => {
                    slot.config = merchant.clone();
                    let own_keys = match (loaded, &slot.merchant) {
                        (Ok(loaded), _) => {
                            slot.merchant = Ok(loaded);
                            None
                        }
                        // They are read again by each check, which says what is wrong.
                        (Err(failure), Err(before)) => {
                            if failure == *before {
                                continue;
                            }
                            slot.merchant = Err(failure);
                            None
                        }
                        (Err(failure), Ok(_)) if slot.own_keys.as_ref() == Some(&failure) => continue,
                        (Err(failure), Ok(_)) => {
                            let (mchid, why) = (merchant.mchid.as_str(), &failure.message);
                            tracing::error!(
                                mchid,
                                "its own keys are wrong, and those before stay in use: {why}"
                            );
                            Some(failure)
                        }
                    };
                    slot.own_keys = own_keys;
                    self.check_now(&merchant.mchid);
                }
                None => {
                    fresh.push(merchant.mchid.clone());
                    let now = self.clock.elapsed();
                    let slot = Slot {
                        config: merchant.clone(),
                        merchant: loaded,
                        own_keys: None,
                        due: now,
                        running: false,
                        again: false,
                        turn: 0,
                        failures: 0,
                        last_unknown: None,
                        last_refresh: None,
                        waiting: Vec::new(),
                    };
                    self.slots.insert(merchant.mchid.clone(), slot);
                    self.queue.insert((now, merchant.mchid.clone()));
                }
            }
        }
        standby::show(&config, &self.fleet, &fresh).await;
    }

    /// Ready is: every merchant was checked once, or has a key that is valid.
    fn tell_when_ready(&mut self) {
        if self.told_ready {
            return;
        }
        let now = self.clock.now();
        let has_key =
            |id: &MerchantId| self.fleet.release(id).is_some_and(|release| release.has_valid_key(now));
        let checked = |slot: &Slot| slot.turn > u64::from(slot.running);
        if self.slots.iter().all(|(id, slot)| checked(slot) || has_key(id)) {
            notify::ready();
            self.told_ready = true;
        }
    }
}

/// The merchants of the settings, each kept once from then on.
fn take_out(config: &mut Config) -> Vec<Arc<MerchantConfig>> {
    std::mem::take(&mut config.merchants).into_iter().map(Arc::new).collect()
}

async fn load(
    all: &Arc<Config>,
    config: &Arc<MerchantConfig>,
    transport: &HttpTransport,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Merchant>, CheckFailure> {
    let (all, config, transport, clock) = (all.clone(), config.clone(), transport.clone(), clock.clone());
    let load = move || Merchant::load(&all, &config, &transport, &clock);
    let failure = |message: String| CheckFailure::new("own_keys", message);
    match crate::blocking::run(load).await {
        Ok(loaded) => loaded.map(Arc::new).map_err(|error: MerchantError| failure(check::report(&error))),
        Err(error) => Err(failure(error.to_string())),
    }
}

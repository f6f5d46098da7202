//! A mirror, merchants in a settings file, and a daemon on a clock that the test moves.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use favor_certs::{Daemon, DaemonHandle};
use favor_core::{Clock as _, ManualClock, MerchantId, MerchantKeyStatus, Release};
use favor_mirror::{Merchant, MerchantSeed, Mirror};
use tokio::task::JoinHandle;

/// Far beyond what any step takes; reached only when something never happens.
const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) struct World {
    pub(crate) mirror: Mirror,
    pub(crate) merchants: Vec<Merchant>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
}

/// A daemon that runs; stopped by [`Running::stop`].
pub(crate) struct Running {
    pub(crate) handle: DaemonHandle,
    task: JoinHandle<Result<(), favor_certs::DaemonError>>,
}

impl Running {
    /// Why it ended by itself.
    pub(crate) async fn failed(self) -> favor_certs::DaemonError {
        let ended = tokio::time::timeout(DEADLINE, self.task).await.expect("it ends by itself");
        ended.unwrap().expect_err("a failure")
    }

    pub(crate) async fn stop(self) {
        self.handle.stop();
        self.task.await.unwrap().unwrap();
    }
}

impl World {
    /// So many merchants. The daemon's clock and the mirror's stand at the same time, and move together.
    pub(crate) async fn with(count: u32) -> Self {
        let start = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let mut builder = Mirror::builder()
            .clock_at(start.fixed_offset())
            .clock_frozen(true)
            .wire_clock_follows_test_clock(true);
        for number in 0..count {
            builder = builder.merchant(MerchantSeed::new(id(number).as_str()));
        }
        let mirror = builder.start().await.unwrap();
        let known = mirror.merchants();
        let merchants = (0..count)
            .map(|number| known.iter().find(|m| m.mchid == id(number).as_str()).unwrap().clone())
            .collect();
        let clock = Arc::new(ManualClock::new(start));
        let world = Self { mirror, merchants, folder: tempfile::tempdir().unwrap(), clock };
        for merchant in &world.merchants {
            world.write(&format!("{}.key", merchant.mchid), &merchant.private_key_pem);
            world.write(&format!("{}.crt", merchant.mchid), &merchant.certificate_pem);
            world.write(&format!("{}.v3", merchant.mchid), &merchant.api_v3_key);
        }
        let public = world.mirror.public_key();
        world.write("public.pem", &public.pem);
        world.configure("", "", "");
        world
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Writes the settings: these lines before, these in each merchant, these after.
    pub(crate) fn configure(&self, head: &str, merchant: &str, tail: &str) {
        let mut text = format!(
            "directory = \"keys\"\nlisten = \"127.0.0.1:0\"\nbase_url = \"{}\"\nchecks_per_second = 1000000\n{head}\n",
            self.mirror.base_url()
        );
        for number in &self.merchants {
            let id = &number.mchid;
            text.push_str(&format!(
                "[[merchant]]\nmchid = \"{id}\"\nprivate_key_file = \"{id}.key\"\ncertificate_file = \"{id}.crt\"\napi_v3_key_file = \"{id}.v3\"\n{merchant}\n"
            ));
        }
        text.push_str(tail);
        self.write("certs.toml", &text);
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("certs.toml")
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    pub(crate) async fn start(&self) -> Running {
        self.start_with("certs.toml").await
    }

    /// The same with another settings file.
    pub(crate) async fn start_with(&self, settings: &str) -> Running {
        let settings = self.folder.path().join(settings);
        let daemon = Daemon::start(settings, self.clock.clone()).await.unwrap();
        let handle = daemon.handle();
        Running { handle, task: tokio::spawn(daemon.run()) }
    }

    pub(crate) fn release(&self, number: u32) -> Option<Release> {
        Release::read(self.root(), &id(number)).ok()
    }

    pub(crate) fn ids(&self, number: u32) -> Vec<String> {
        let release = self.release(number);
        release.iter().flat_map(|r| &r.manifest().keys).map(|key| key.id.clone()).collect()
    }

    pub(crate) fn status(&self, number: u32) -> Option<MerchantKeyStatus> {
        MerchantKeyStatus::read(self.root(), &id(number)).unwrap()
    }

    /// The code of the last failure.
    pub(crate) fn failure(&self, number: u32) -> Option<String> {
        self.status(number)?.failure.map(|failure| failure.code)
    }

    /// Waits until this merchant was checked at `moment` or later.
    pub(crate) async fn checked(&self, number: u32, moment: DateTime<Utc>) {
        until("a check", || {
            self.status(number).is_some_and(|s| s.last_checked.is_some_and(|at| at >= moment))
        })
        .await;
    }

    /// Moves both clocks on.
    pub(crate) async fn advance(&self, time: Duration) {
        self.mirror.advance(time).await.unwrap();
        self.clock.advance(time);
    }

    /// Moves both clocks on, second by second, until something has come about: for what sleeps by the clock and may
    /// fall asleep late on a slow machine.
    pub(crate) async fn tick_until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let ticked = async {
            while !done() {
                self.advance(Duration::from_secs(1)).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(DEADLINE, ticked).await.unwrap_or_else(|_| panic!("{what} never came"));
    }

    /// Moves both clocks on and waits for the check that is due by then.
    pub(crate) async fn pass(&self, time: Duration) {
        let before = self.clock.now();
        self.advance(time).await;
        until("a check", || {
            (0..self.merchants.len()).all(|number| {
                let status = self.status(u32::try_from(number).unwrap());
                status.is_some_and(|s| s.last_checked.is_some_and(|at| at > before))
            })
        })
        .await;
    }

    /// How often the mirror was asked for certificates.
    pub(crate) fn fetches(&self) -> usize {
        self.mirror
            .requests(10_000, 0)
            .iter()
            .filter(|request| request.path.starts_with("/v3/certificates"))
            .count()
    }
}

pub(crate) fn id(number: u32) -> MerchantId {
    MerchantId::new(format!("{}", 1_900_001_000 + number)).unwrap()
}

/// Waits until something has come about; fails when it never does.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let waited = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waited).await.unwrap_or_else(|_| panic!("{what} never came"));
}

pub(crate) fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

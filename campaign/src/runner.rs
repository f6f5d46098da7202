//! The runner: works on a campaign, chunk by chunk, until nothing is open.

mod breaker;
mod chance;
mod chunk;
mod core;
mod job;
mod meter;
mod performing;
mod pulse;
mod reason;
mod slots;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use favor_core::{Clock, SystemClock};
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use futures_util::{FutureExt as _, future};
use tokio::sync::watch;

pub use self::pulse::{Hold, Pulse};

use self::core::{Core, Event, Settings};
use self::performing::Performer;
use crate::answer::Sender;
use crate::ledger::{Campaign, Claim, Ledger, LedgerError, State, WorkerId};
use crate::name::CampaignName;

const PULSE: Duration = Duration::from_millis(250);

/// Works on one campaign of a ledger: claims chunks, sends their coupons, records what became of them.
///
/// Any number of runners, in any number of processes that share the ledger, work on the same campaign. Killing one at
/// any moment loses nothing and doubles nothing: what it held is claimed by another, or by itself when it runs again, and
/// sent again under the same request numbers.
#[derive(Clone)]
pub struct Runner {
    shared: Arc<Shared>,
}

struct Shared {
    ledger: Arc<dyn Ledger>,
    sender: Arc<dyn Sender>,
    name: CampaignName,
    clock: Arc<dyn Clock>,
    worker: WorkerId,
    lease: Duration,
    in_flight: Option<u32>,
    pilot: Option<u32>,
    pulse: watch::Sender<Pulse>,
}

/// Puts a [`Runner`] together.
#[derive(Debug)]
#[must_use]
pub struct RunnerBuilder {
    ledger: Arc<dyn Ledger>,
    sender: Arc<dyn Sender>,
    name: CampaignName,
    clock: Arc<dyn Clock>,
    worker: Option<WorkerId>,
    lease: Duration,
    in_flight: Option<u32>,
    pilot: Option<u32>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// No coupon is open: the campaign is finished.
    Finished,
    /// Somebody stopped the campaign. It can be started again.
    Stopped,
    /// This run was told to stop; the campaign's state is as it was.
    Interrupted,
}

/// What became of a chunk that was worked on by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChunkReport {
    /// Coupons that were settled and recorded.
    pub settled: u64,
    /// Coupons that are still open: the chunk was given back.
    pub left_open: u64,
    /// Whether another worker took the chunk over.
    pub lost: bool,
}

/// Why a run ended before its time. What was recorded stays; running again goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The ledger could not be worked with.
    #[error("the ledger failed")]
    Ledger(#[source] LedgerError),
    /// There is no such campaign.
    #[error("there is no campaign {0:?} in this ledger; `plan` one first")]
    NoCampaign(String),
    /// Its state does not allow work.
    #[error("the campaign is {0}, so there is nothing to run; it has to be started first")]
    NotStarted(State),
    /// Its manifest cannot be worked by.
    #[error("the campaign cannot be run: {0}")]
    Manifest(String),
}

impl From<LedgerError> for RunError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::NoCampaign(name) => Self::NoCampaign(name),
            error => Self::Ledger(error),
        }
    }
}

impl Runner {
    /// Begins a runner for the campaign of this name.
    pub fn builder(ledger: Arc<dyn Ledger>, sender: Arc<dyn Sender>, name: CampaignName) -> RunnerBuilder {
        RunnerBuilder {
            ledger,
            sender,
            name,
            clock: Arc::new(SystemClock::new()),
            worker: None,
            lease: Duration::from_secs(30),
            in_flight: None,
            pilot: None,
        }
    }

    /// Works until the campaign is finished or stopped, or `stop` completes. While the campaign is paused, it waits.
    ///
    /// However it ends, nothing is under way any more when it returns: requests were waited for and recorded, and chunks
    /// were given back. Dropping the future instead is like a kill: harmless, but its chunks stay held until their
    /// leases lapse. While the ledger is out of reach, nothing is sent, and the run waits for it.
    ///
    /// # Errors
    /// [`RunError`]: no such campaign, one that was not started, or a ledger that cannot be worked with. One that is only
    /// out of reach is an error at the beginning, and when `stop` completes and it does not come back for ten seconds.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Result<Ended, RunError> {
        let asked = self.shared.clock.elapsed();
        let campaign = self.shared.ledger.campaign(&self.shared.name).await?;
        match campaign.standing.state {
            State::Running | State::Paused => {}
            State::Finished => return Ok(Ended::Finished),
            state => return Err(RunError::NotStarted(state)),
        }
        let core = self.core(&campaign, asked)?;
        self.drive(core, &campaign, stop).await.map(|(ended, _)| ended)
    }

    /// Works on one chunk that was [claimed](Ledger::claim) before, and ends it. For programs that hand out the chunks
    /// themselves, such as a workflow engine's: pace, policy, pauses and recording are the same as in [`run`](Self::run).
    /// A chunk that cannot be done to its end, because the campaign is paused or `stop` completes, is given back.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_chunk(
        &self,
        claim: Claim,
        stop: impl Future<Output = ()>,
    ) -> Result<ChunkReport, RunError> {
        let asked = self.shared.clock.elapsed();
        let campaign = self.shared.ledger.campaign(&self.shared.name).await?;
        let core = self.core(&campaign, asked)?.only(claim, asked);
        self.drive(core, &campaign, stop).await.map(|(_, report)| report)
    }

    /// How it is doing, changed a few times a second while it runs.
    pub fn watch(&self) -> watch::Receiver<Pulse> {
        self.shared.pulse.subscribe()
    }

    /// The name it goes by in the ledger.
    pub fn worker(&self) -> &WorkerId {
        &self.shared.worker
    }

    fn core(&self, campaign: &Campaign, asked: Duration) -> Result<Core, RunError> {
        let manifest = &campaign.manifest;
        manifest.policy.check().map_err(|error| RunError::Manifest(error.to_string()))?;
        manifest.pace.check().map_err(|error| RunError::Manifest(error.to_string()))?;
        let settings = Settings {
            lease: self.shared.lease,
            in_flight: self.shared.in_flight.unwrap_or(manifest.pace.in_flight).max(1),
            pilot: self.shared.pilot,
        };
        let now = self.shared.clock.elapsed();
        Ok(Core::new(campaign, settings, &self.shared.worker.0, asked, now))
    }

    /// Carries out what the core decides, and tells it what came of it.
    async fn drive(
        &self,
        mut core: Core,
        campaign: &Campaign,
        stop: impl Future<Output = ()>,
    ) -> Result<(Ended, ChunkReport), RunError> {
        let clock = &self.shared.clock;
        let performer = Performer::new(&self.shared, campaign);
        let mut under_way: FuturesUnordered<BoxFuture<'static, Event>> = FuturesUnordered::new();
        let mut stop = pin!(stop.fuse());
        let mut stopped = false;
        let (mut sleep, mut sleeps_until) = (clock.sleep(Duration::ZERO), Duration::MAX);
        let mut pulse_at = Duration::ZERO;
        loop {
            let now = clock.elapsed();
            while let Some(action) = core.next(now) {
                under_way.push(performer.perform(action));
            }
            if pulse_at <= now {
                self.shared.pulse.send_replace(core.pulse(now));
                pulse_at = now + PULSE;
            }
            if let Some(ended) = core.ended(now) {
                self.shared.pulse.send_replace(Pulse::default());
                return ended.map(|ended| (ended, core.report()));
            }
            let wake_at = core.wake_at(now).min(pulse_at);
            if wake_at != sleeps_until {
                (sleep, sleeps_until) = (clock.sleep(wake_at.saturating_sub(now)), wake_at);
            }
            let happened = future::poll_fn(|context| match under_way.poll_next_unpin(context) {
                std::task::Poll::Ready(Some(event)) => std::task::Poll::Ready(event),
                _ => std::task::Poll::Pending,
            });
            tokio::select! {
                biased;
                () = &mut stop, if !stopped => {
                    stopped = true;
                    core.interrupt();
                }
                event = happened => core.happened(event, clock.elapsed()),
                () = &mut sleep => sleeps_until = Duration::MAX,
            }
        }
    }
}

impl RunnerBuilder {
    /// Takes the time from this clock. Only durations count: what time it is says the ledger.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Goes by this name in the ledger. It must be new for each process; a random one unless set.
    pub fn worker(mut self, worker: WorkerId) -> Self {
        self.worker = Some(worker);
        self
    }

    /// Holds chunks for so long after each sign of life: 30 s unless set, and at least 1 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// Keeps so many requests under way at once; as the manifest says unless set.
    pub fn in_flight(mut self, requests: u32) -> Self {
        self.in_flight = Some(requests.max(1));
        self
    }

    /// Pauses the campaign once so many of its coupons are settled, for somebody to look at them. Nothing happens when
    /// they are already, or when the campaign has no more.
    pub fn pilot(mut self, coupons: u32) -> Self {
        self.pilot = Some(coupons).filter(|coupons| *coupons > 0);
        self
    }

    /// The runner.
    pub fn build(self) -> Runner {
        let shared = Shared {
            ledger: self.ledger,
            sender: self.sender,
            name: self.name,
            clock: self.clock,
            worker: self.worker.unwrap_or_else(random_worker),
            lease: self.lease,
            in_flight: self.in_flight,
            pilot: self.pilot,
            pulse: watch::Sender::new(Pulse::default()),
        };
        Runner { shared: Arc::new(shared) }
    }
}

/// A name that no other process has.
fn random_worker() -> WorkerId {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    // Each state has keys of its own, from the system's random source.
    let number = || RandomState::new().build_hasher().finish();
    WorkerId(format!("{}-{:016x}", std::process::id(), number()))
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("name", &self.shared.name)
            .field("worker", &self.shared.worker)
            .field("lease", &self.shared.lease)
            .finish_non_exhaustive()
    }
}

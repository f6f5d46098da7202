//! From the inbox to the application, at least once, and never again after it said that it is done.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use favor_core::{Clock, SystemClock};
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::inbox::{Delivery, Inbox, InboxError, Receipt, Settled};

/// Between two looks at the inbox when nothing is known to come: arrivals on other machines tell nobody here.
const POLL: Duration = Duration::from_secs(1);
/// Between two tries while the inbox is not available, at first and at most.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_MOST: Duration = Duration::from_secs(5);
/// How often an acknowledgement is tried again after a stop was asked for. Then the notification comes once more.
const TRIES_WHEN_STOPPING: u32 = 5;

/// Hands the notifications of an inbox to a handler.
///
/// Each is handed out until the handler succeeds: once in the ordinary case, again when the handler failed, the
/// process died, or the acknowledgement was lost. After the acknowledgement is stored it is never handed out again.
/// So the handler should do its work under the notification's id, or in one transaction that notes it.
/// Order is not kept. Several dispatchers can share one inbox, on one machine or many.
#[derive(Clone, Debug)]
#[must_use]
pub struct Dispatcher {
    inbox: Arc<dyn Inbox>,
    clock: Arc<dyn Clock>,
    concurrency: usize,
    lease: Duration,
    first_pause: Duration,
    longest_pause: Duration,
    park_after: Option<u32>,
}

/// What was done, over one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Handled and acknowledged.
    pub handled: u64,
    /// Failures that will be tried again.
    pub put_back: u64,
    /// Set aside.
    pub parked: u64,
    /// Settled too late: the lease had ended, or the inbox was gone. Somebody handles them once more.
    pub lost: u64,
}

/// Why a handler did not handle a notification. Any error converts into [`Later`](Self::Later), so `?` works.
///
/// The words are kept in the inbox for people: no secrets, no personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotHandled {
    /// It may work next time.
    Later(String),
    /// It will not work as things are: set it aside.
    Never(String),
}

impl<E: std::error::Error> From<E> for NotHandled {
    fn from(error: E) -> Self {
        let mut words = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            words.push_str(": ");
            words.push_str(&inner.to_string());
            cause = inner.source();
        }
        Self::Later(words)
    }
}

impl Dispatcher {
    /// A dispatcher for `inbox`: 16 at once, leases of 60 s, pauses after failures from 1 s to 10 minutes,
    /// nothing parked unless the handler says so.
    pub fn new(inbox: Arc<dyn Inbox>) -> Self {
        Self {
            inbox,
            clock: Arc::new(SystemClock::new()),
            concurrency: 16,
            lease: Duration::from_secs(60),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(600),
            park_after: None,
        }
    }

    /// How many are handled at once; at least 1.
    pub fn concurrency(mut self, most: usize) -> Self {
        self.concurrency = most.max(1);
        self
    }

    /// How long a notification is held before it is handed to somebody else, when this process freezes or dies.
    /// It is renewed while the handler works, so that slow handlers need no longer one.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_millis(1));
        self
    }

    /// The pause after the first failure, doubled with each further one up to `longest`.
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        (self.first_pause, self.longest_pause) = (first, longest.max(first));
        self
    }

    /// Parks a notification when it failed so often; without this it is tried for ever.
    pub fn park_after(mut self, failures: u32) -> Self {
        self.park_after = Some(failures.max(1));
        self
    }

    /// Takes pauses from this clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Hands notifications to `handler` until `stop` completes; then takes no more, and returns when those under way
    /// are done. While the inbox is not available it waits and tries again.
    ///
    /// A handler that panics has failed, and its notification is put back.
    ///
    /// # Errors
    /// [`InboxError`] when the inbox says that trying again is of no use.
    pub async fn run<F, Fut>(
        &self,
        handler: F,
        stop: impl Future<Output = ()>,
    ) -> Result<Dispatched, InboxError>
    where
        F: Fn(Delivery) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), NotHandled>> + Send + 'static,
    {
        self.work(Arc::new(handler), Some(stop)).await
    }

    /// Hands out everything that is due now, and what becomes due meanwhile, and returns when nothing is.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_until_empty<F, Fut>(&self, handler: F) -> Result<Dispatched, InboxError>
    where
        F: Fn(Delivery) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), NotHandled>> + Send + 'static,
    {
        self.work(Arc::new(handler), None::<std::future::Pending<()>>).await
    }

    async fn work<F, Fut>(
        &self,
        handler: Arc<F>,
        stop: Option<impl Future<Output = ()>>,
    ) -> Result<Dispatched, InboxError>
    where
        F: Fn(Delivery) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), NotHandled>> + Send + 'static,
    {
        let until_empty = stop.is_none();
        let mut stop = std::pin::pin!(async {
            match stop {
                Some(stop) => stop.await,
                None => std::future::pending().await,
            }
        });
        let stopping = watch::Sender::new(false);
        let mut under_way: JoinSet<End> = JoinSet::new();
        let mut done = Dispatched::default();
        let mut failures = 0;
        let failed = loop {
            let room = self.concurrency.saturating_sub(under_way.len());
            let arrival = self.inbox.arrival();
            let mut wait = None;
            if room > 0 {
                match self.inbox.claim(room, self.lease).await {
                    Ok(claimed) => {
                        failures = 0;
                        let nothing = claimed.deliveries.is_empty();
                        for delivery in claimed.deliveries {
                            let task = Task { dispatcher: self.clone(), stopping: stopping.subscribe() };
                            under_way.spawn(task.run(handler.clone(), delivery));
                        }
                        if nothing && until_empty && under_way.is_empty() {
                            break None;
                        }
                        if under_way.len() < self.concurrency {
                            wait = Some(claimed.next_due.map_or(POLL, |due| due.min(POLL)));
                        }
                    }
                    Err(error) if error.is_temporary() => {
                        tracing::warn!(%error, cause = cause(&error), "the inbox is not available, trying again");
                        wait = Some(pause(RETRY_FIRST, RETRY_MOST, failures));
                        failures = failures.saturating_add(1);
                    }
                    Err(error) => break Some(error),
                }
            }
            // Not to be woken for arrivals while there is no room or no inbox.
            let listening = wait.is_some() && failures == 0;
            let awake = async {
                match wait {
                    Some(wait) => self.clock.sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => break None,
                Some(end) = under_way.join_next() => done.count(end),
                () = arrival, if listening => {}
                () = awake => {}
            }
            while let Some(end) = under_way.try_join_next() {
                done.count(end);
            }
        };
        stopping.send_replace(true);
        while let Some(end) = under_way.join_next().await {
            done.count(end);
        }
        failed.map_or(Ok(done), Err)
    }

    /// The pause after the `attempt`-th failure.
    fn pause_after(&self, attempt: u32) -> Duration {
        pause(self.first_pause, self.longest_pause, attempt.saturating_sub(1))
    }
}

impl Dispatched {
    fn count(&mut self, end: Result<End, tokio::task::JoinError>) {
        let counter = match end {
            Ok(End::Handled) => &mut self.handled,
            Ok(End::PutBack) => &mut self.put_back,
            Ok(End::Parked) => &mut self.parked,
            Ok(End::Lost) | Err(_) => &mut self.lost,
        };
        *counter = counter.saturating_add(1);
    }
}

impl fmt::Display for Dispatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { handled, put_back, parked, lost } = self;
        write!(f, "{handled} handled, {put_back} put back, {parked} parked, {lost} settled too late")
    }
}

/// How the handling of one notification ended.
enum End {
    Handled,
    PutBack,
    Parked,
    Lost,
}

/// One notification on its way through the handler.
struct Task {
    dispatcher: Dispatcher,
    stopping: watch::Receiver<bool>,
}

impl Task {
    async fn run<F, Fut>(self, handler: Arc<F>, delivery: Delivery) -> End
    where
        F: Fn(Delivery) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), NotHandled>> + Send + 'static,
    {
        let (id, attempt, receipt) =
            (delivery.notification.id.clone(), delivery.attempt, delivery.receipt.clone());
        let handling = AssertUnwindSafe(async { handler(delivery).await }).catch_unwind();
        let result = match select(std::pin::pin!(handling), std::pin::pin!(self.keep(&receipt))).await {
            Either::Left((result, _)) => result,
            Either::Right((never, _)) => match never {},
        };
        let result =
            result.unwrap_or_else(|_| Err(NotHandled::Later("the handler panicked; see the log".into())));
        let Dispatcher { park_after, .. } = self.dispatcher;
        let verdict = match result {
            Ok(()) => Verdict::Acknowledge,
            Err(NotHandled::Never(reason)) => Verdict::Park(reason),
            Err(NotHandled::Later(reason)) if park_after.is_some_and(|most| attempt >= most) => {
                Verdict::Park(reason)
            }
            Err(NotHandled::Later(reason)) => Verdict::PutBack(self.dispatcher.pause_after(attempt), reason),
        };
        match &verdict {
            Verdict::Acknowledge => tracing::debug!(%id, attempt, "a notification was handled"),
            Verdict::PutBack(pause, reason) => {
                tracing::warn!(%id, attempt, reason, ?pause, "a notification was not handled and is put back");
            }
            Verdict::Park(reason) => tracing::error!(%id, attempt, reason, "a notification is parked"),
        }
        if self.settle(&receipt, &verdict).await == Settled::Void {
            tracing::warn!(%id, attempt, "a notification was settled too late and is handed out once more");
            return End::Lost;
        }
        match verdict {
            Verdict::Acknowledge => End::Handled,
            Verdict::PutBack(..) => End::PutBack,
            Verdict::Park(_) => End::Parked,
        }
    }

    /// Renews the lease for as long as it is polled.
    async fn keep(&self, receipt: &Receipt) -> std::convert::Infallible {
        let Dispatcher { inbox, clock, lease, .. } = &self.dispatcher;
        loop {
            clock.sleep(*lease / 3).await;
            match inbox.renew(receipt, *lease).await {
                // Somebody else has it; the handler cannot be stopped half way.
                Ok(Settled::Void) => std::future::pending().await,
                Ok(Settled::Done) => {}
                Err(error) => tracing::warn!(%error, cause = cause(&error), "a lease could not be renewed"),
            }
        }
    }

    /// Says what became of it, until the inbox has it.
    async fn settle(&self, receipt: &Receipt, verdict: &Verdict) -> Settled {
        let Dispatcher { inbox, clock, .. } = &self.dispatcher;
        let mut failures = 0;
        let mut when_stopping = 0;
        loop {
            let settled = match verdict {
                Verdict::Acknowledge => inbox.acknowledge(receipt).await,
                Verdict::PutBack(after, reason) => inbox.put_back(receipt, *after, reason).await,
                Verdict::Park(reason) => inbox.park(receipt, reason).await,
            };
            let error = match settled {
                Ok(settled) => return settled,
                Err(error) => error,
            };
            when_stopping += u32::from(*self.stopping.borrow());
            if !error.is_temporary() || when_stopping >= TRIES_WHEN_STOPPING {
                tracing::error!(%error, cause = cause(&error), "the inbox could not be told, and hands it out once more");
                return Settled::Void;
            }
            tracing::warn!(%error, cause = cause(&error), "the inbox is not available, trying again");
            clock.sleep(pause(RETRY_FIRST, RETRY_MOST, failures)).await;
            failures = failures.saturating_add(1);
        }
    }
}

enum Verdict {
    Acknowledge,
    PutBack(Duration, String),
    Park(String),
}

/// `first`, doubled `times` times, and at most `most`.
fn pause(first: Duration, most: Duration, times: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(most)
}

fn cause(error: &InboxError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let second = Duration::from_secs(1);
        let pauses: Vec<u64> = [0, 1, 2, 9, 10, 31, 32, u32::MAX]
            .map(|times| pause(second, second * 600, times).as_secs())
            .into();
        assert_eq!(pauses, [1, 2, 4, 512, 600, 600, 600, 600]);
    }
}

//! A worker process: it can be killed, frozen, and told to stop.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use favor_campaign::{Ended, Ledger, RunError, Runner, Sender, WorkerId};
use favor_core::Clock;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep};

#[derive(Debug)]
pub(crate) struct Worker {
    task: JoinHandle<Result<Ended, RunError>>,
    frozen_until: Arc<Mutex<Instant>>,
    stop: Arc<Notify>,
}

/// Does not let its inside see time pass while it is frozen, as SIGSTOP does.
struct Freezable<F> {
    inner: Pin<Box<F>>,
    frozen_until: Arc<Mutex<Instant>>,
    sleep: Pin<Box<Sleep>>,
}

impl<F: Future> Future for Freezable<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let until = *self.frozen_until.lock().unwrap();
        if until > Instant::now() {
            self.sleep.as_mut().reset(until);
            if self.sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        self.inner.as_mut().poll(context)
    }
}

pub(crate) struct Job {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) sender: Arc<dyn Sender>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) name: String,
    pub(crate) lease: Duration,
    pub(crate) pilot: u32,
}

impl Worker {
    pub(crate) fn start(job: Job) -> Self {
        let name = favor_campaign::CampaignName::new("model").unwrap();
        let runner = Runner::builder(job.ledger, job.sender, name)
            .clock(job.clock)
            .worker(WorkerId(job.name))
            .lease(job.lease)
            .pilot(job.pilot)
            .build();
        let stop = Arc::new(Notify::new());
        let frozen_until = Arc::new(Mutex::new(Instant::now()));
        let told = stop.clone();
        let inner = Box::pin(async move { runner.run(told.notified()).await });
        let sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
        let task = tokio::spawn(Freezable { inner, frozen_until: frozen_until.clone(), sleep });
        Self { task, frozen_until, stop }
    }

    pub(crate) fn kill(&self) {
        self.task.abort();
    }

    pub(crate) fn freeze(&self, how_long: Duration) {
        *self.frozen_until.lock().unwrap() = Instant::now() + how_long;
    }

    /// As SIGTERM.
    pub(crate) fn stop(&self) {
        self.stop.notify_one();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.task.is_finished()
    }

    /// How it ended; none when it was killed.
    pub(crate) async fn end(self) -> Option<Result<Ended, RunError>> {
        match self.task.await {
            Ok(ended) => Some(ended),
            Err(error) if error.is_cancelled() => None,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

//! A runner at work in this process.

use favor_campaign::{Ended, Pulse, RunError, Runner};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// A runner at work.
#[derive(Debug)]
pub(crate) struct Work {
    stop: Option<oneshot::Sender<()>>,
    pulse: watch::Receiver<Pulse>,
    running: JoinHandle<Result<Ended, RunError>>,
}

impl Work {
    pub(crate) fn spawn(runner: Runner) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let pulse = runner.watch();
        let running = tokio::spawn(async move {
            // Also when the other end is gone.
            runner.run(async { drop(stopped.await) }).await
        });
        Self { stop: Some(stop), pulse, running }
    }

    /// Has it end what is under way, and begin nothing new.
    pub(crate) fn stop(&mut self) {
        self.stop = None;
    }

    /// How it is doing.
    pub(crate) fn pulse(&self) -> Pulse {
        self.pulse.borrow().clone()
    }

    /// Completes when it has ended.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<Ended> {
        match (&mut self.running).await {
            Ok(ended) => Ok(ended?),
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.running.abort();
    }
}

//! Doing concurrent jobs of one kind together.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::error::StoreError;

/// Jobs that may wait before callers have to.
const QUEUE: usize = 1_024;

type Waiting<J, R> = (J, oneshot::Sender<Result<R, StoreError>>);

/// Collects jobs of one kind that come at the same time and does them together, such as in one statement over arrays:
/// one commit for all. Each caller is answered after that.
///
/// Jobs that come while others are being done form the next batch. When a batch is refused for what is in it, each
/// of its jobs is done alone, so that one bad job harms no other.
pub struct Batcher<J, R>(mpsc::Sender<Waiting<J, R>>);

impl<J, R> Batcher<J, R>
where
    J: Clone + Send + 'static,
    R: Send + 'static,
{
    /// `work` gets up to `most` jobs and gives as many results, in their order. Needs a tokio runtime; ends when it is
    /// dropped, after the jobs it has.
    pub fn new(
        most: usize,
        work: impl Fn(Vec<J>) -> BoxFuture<'static, Result<Vec<R>, StoreError>> + Send + Sync + 'static,
    ) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Waiting<J, R>>(QUEUE);
        let work = Arc::new(work);
        tokio::spawn(async move {
            let mut waiting = Vec::with_capacity(most);
            while receiver.recv_many(&mut waiting, most).await > 0 {
                // A panic in the work must not end what all others wait for.
                let batch = std::mem::take(&mut waiting);
                tokio::spawn(run(Arc::clone(&work), batch)).await.ok();
            }
        });
        Self(sender)
    }

    /// Does a job together with others, and waits for its result. When the caller stops waiting, it is done
    /// nevertheless.
    ///
    /// # Errors
    /// That of the work, or [`StoreError::Panicked`] when it panicked.
    pub async fn run(&self, job: J) -> Result<R, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.0.send((job, reply)).await.map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Panicked))
    }
}

async fn run<J, R, W>(work: Arc<W>, batch: Vec<Waiting<J, R>>)
where
    J: Clone,
    W: Fn(Vec<J>) -> BoxFuture<'static, Result<Vec<R>, StoreError>>,
{
    let (jobs, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let alone = if jobs.len() > 1 { jobs.clone() } else { Vec::new() };
    match work(jobs).await {
        // Fewer results than jobs are the work's fault; who gets none is told that it panicked.
        Ok(results) => replies.into_iter().zip(results).for_each(|(reply, result)| {
            // The caller may have gone away.
            reply.send(Ok(result)).ok();
        }),
        Err(StoreError::Failed(_)) if !alone.is_empty() => {
            for (job, reply) in alone.into_iter().zip(replies) {
                let result = work(vec![job]).await;
                let one = result.and_then(|results| results.into_iter().next().ok_or(StoreError::Panicked));
                reply.send(one).ok();
            }
        }
        Err(error) => replies.into_iter().for_each(|reply| {
            reply.send(Err(error.clone())).ok();
        }),
    }
}

impl<J, R> fmt::Debug for Batcher<J, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batcher").finish_non_exhaustive()
    }
}

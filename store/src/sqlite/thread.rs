//! A thread with a connection, and the jobs that wait for it.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::batch::{Guard, Job, Work};
use super::lock_file::LockFile;
use crate::error::StoreError;

/// Most jobs that share one transaction.
const BATCH: usize = 256;
/// Jobs that may wait before callers have to.
pub(super) const QUEUE: usize = 1_024;
/// How often the writer waits in the hope of more jobs, as long as there are more each time, and for how long. A job
/// that is alone does not wait.
const LINGER: usize = 8;
const PAUSE: Duration = Duration::from_micros(200);

pub(super) enum Message {
    Job(Box<dyn Job>),
    Close,
}

/// What a batch of jobs is run by.
pub(super) type Run = fn(&Connection, Vec<Box<dyn Job>>);

/// The way to a thread. It ends, after the jobs it has, when this is dropped.
pub(super) struct Worker {
    pub(super) jobs: mpsc::Sender<Message>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// `lock` is given back after the connection is closed.
    pub(super) fn start(
        name: &str,
        connection: Connection,
        lock: Option<LockFile>,
        run: Run,
    ) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                serve(&connection, waiting, run);
                drop(connection);
                drop(lock);
            })
            .map_err(StoreError::unavailable)?;
        Ok(Self { jobs, thread })
    }

    /// Hands the thread a closure and waits for its result.
    pub(super) async fn submit<T, F>(
        jobs: &mpsc::Sender<Message>,
        work: F,
        guard: Guard,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Work::new(work, guard, reply));
        jobs.send(Message::Job(job)).await.map_err(|_| StoreError::Closed)?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    pub(super) fn join(self) {
        drop(self.jobs);
        self.thread.join().ok();
    }
}

fn serve(connection: &Connection, mut messages: mpsc::Receiver<Message>, run: Run) {
    let mut waiting = Vec::with_capacity(BATCH);
    while messages.blocking_recv_many(&mut waiting, BATCH) > 0 {
        fill(&mut waiting, &mut messages);
        let mut open = true;
        let mut jobs = Vec::with_capacity(waiting.len());
        for message in waiting.drain(..) {
            match message {
                Message::Job(job) if open => jobs.push(job),
                // Dropping a job tells its caller that the store is closed.
                Message::Job(_) => {}
                Message::Close => open = false,
            }
        }
        run(connection, jobs);
        if !open {
            return;
        }
    }
}

/// Where there are many there are soon more, and one commit for all is cheaper than one for each.
fn fill(waiting: &mut Vec<Message>, messages: &mut mpsc::Receiver<Message>) {
    for _ in 0..LINGER {
        if waiting.len() > 1 {
            thread::sleep(PAUSE)
        } else {
            thread::yield_now()
        }
        let before = waiting.len();
        while waiting.len() < BATCH
            && let Ok(message) = messages.try_recv()
        {
            waiting.push(message);
        }
        if waiting.len() == before || waiting.len() == BATCH {
            return;
        }
    }
}

//! Work that waits for the disk or for arithmetic, off the runtime's own threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Few, and always the same: a thread that has handled keys keeps memory of its own, and the runtime would start one
/// for each check of a burst. More than one, since a release waits for the disk several times.
const THREADS: usize = 4;

type Job = Box<dyn FnOnce() + Send>;

static JOBS: LazyLock<Sender<Job>> = LazyLock::new(start);

/// The work was not done to its end.
#[derive(Debug, thiserror::Error)]
#[error("the work ended in a bug, or the system gives no thread for it")]
pub(crate) struct NotDone;

/// Runs `work` on one of the threads when its turn has come.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, NotDone> {
    let (answer, done) = oneshot::channel();
    let job = move || {
        // Whoever asked may be gone.
        let _ = answer.send(work());
    };
    JOBS.send(Box::new(job)).map_err(|_| NotDone)?;
    done.await.map_err(|_| NotDone)
}

fn start() -> Sender<Job> {
    let (sender, receiver) = channel();
    let jobs = Arc::new(Mutex::new(receiver));
    for _ in 0..THREADS {
        let jobs = Arc::clone(&jobs);
        let started =
            std::thread::Builder::new().name("favor-certs-files".to_owned()).spawn(move || work(&jobs));
        if let Err(error) = started {
            tracing::error!(%error, "the system gives no thread for files");
        }
    }
    sender
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // The message is on stderr already; the thread goes on with the next one.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bug_in_one_piece_of_work_does_not_keep_the_others() {
        for _ in 0..2 * THREADS {
            let panics = || -> u8 { panic!("on purpose") };
            assert!(run(panics).await.is_err());
        }
        let all = futures(20).await;
        assert_eq!(all, (0..20).collect::<Vec<_>>());
    }

    async fn futures(count: usize) -> Vec<usize> {
        let tasks: Vec<_> = (0..count).map(|number| tokio::spawn(run(move || number))).collect();
        let mut all = Vec::new();
        for task in tasks {
            all.push(task.await.unwrap().unwrap());
        }
        all
    }
}

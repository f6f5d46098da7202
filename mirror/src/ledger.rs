//! The store: one SQLite database, one thread that writes, group commit.
//!
//! Work is sent to the writer as closures. It takes up to [`BATCH`] of them into one transaction, each in a
//! savepoint of its own, and answers only after `COMMIT`. What a caller was told is therefore on disk, and all
//! changes happen in one order.
//!
//! A file has a second thread with a connection that only reads. An in-memory database has one connection, so
//! there the writer does the reading too.

pub(crate) mod authority;
mod batch;
pub(crate) mod callbacks;
pub(crate) mod card;
pub(crate) mod clock;
pub(crate) mod coupons;
pub(crate) mod deliveries;
pub(crate) mod first_ids;
pub(crate) mod images;
mod in_use;
pub(crate) mod keys;
pub(crate) mod merchants;
pub(crate) mod notifications;
pub(crate) mod prefunds;
pub(crate) mod redemptions;
pub(crate) mod refunds;
pub(crate) mod requests;
pub(crate) mod schema;
pub(crate) mod stock_views;
pub(crate) mod stocks;
pub(crate) mod users;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use crate::error::MirrorError;
use crate::lock;
use crate::metrics::WriterCounts;
use batch::{Job, Work};
use in_use::InUse;

/// Most jobs that share one transaction.
const BATCH: usize = 256;
/// Jobs that may wait before callers have to.
const QUEUE: usize = 1_024;

/// Why work on the store came to nothing. In all cases nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LedgerError {
    #[error("{0}")]
    Failed(String),
    #[error("a job panicked")]
    Panicked,
    #[error("the store is closed")]
    Closed,
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<LedgerError> for MirrorError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Closed => Self::Stopped,
            other => Self::Storage(Box::new(other)),
        }
    }
}

/// A message to a thread.
enum Message {
    Job(Box<dyn Job>),
    /// Work that needs the connection outside a transaction.
    Alone(Alone),
    Close,
}

type Alone = Box<dyn FnOnce(&mut Connection) + Send>;

/// Handle to the store.
#[derive(Debug)]
pub(crate) struct Ledger {
    writer: mpsc::Sender<Message>,
    reader: Option<mpsc::Sender<Message>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// The file, unless all is in memory.
    file: Option<PathBuf>,
    pub(crate) counts: Arc<WriterCounts>,
}

impl Ledger {
    /// Opens a file, or a database in memory, and creates the tables where there are none.
    pub(crate) fn open(file: Option<&Path>) -> Result<Self, MirrorError> {
        let storage = |error: rusqlite::Error| MirrorError::Storage(Box::new(error));
        let claim = file.map(InUse::claim).transpose()?;
        let connection = match file {
            Some(file) => {
                in_use::make_private(file)?;
                Connection::open(file)
            }
            None => Connection::open_in_memory(),
        }
        .map_err(storage)?;
        schema::prepare(&connection, file.is_some())?;
        let mut threads = Vec::new();
        let counts = Arc::new(WriterCounts::default());
        let of_writer = Some(Arc::clone(&counts));
        let writer =
            start("favor-mirror-writer", (connection, claim), batch::commit, of_writer, &mut threads)?;
        let reader = match file {
            Some(file) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(file, flags).map_err(storage)?;
                Some(start("favor-mirror-reader", (connection, None), batch::read, None, &mut threads)?)
            }
            None => None,
        };
        Ok(Self { writer, reader, threads: Mutex::new(threads), file: file.map(Path::to_owned), counts })
    }

    /// Runs work that changes something. When this returns `Ok`, the change is committed.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        Self::submit(&self.writer, work).await
    }

    /// Runs work that only looks. It sees everything that has been answered so far.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        Self::submit(self.reader.as_ref().unwrap_or(&self.writer), work).await
    }

    /// Runs work on the writer's connection between two transactions, with all earlier changes committed.
    pub(crate) async fn alone<T, F>(&self, work: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work: Alone = Box::new(move |connection| {
            let done = catch_unwind(AssertUnwindSafe(|| work(connection)));
            reply.send(done.map_err(|_| LedgerError::Panicked)).ok();
        });
        self.writer.send(Message::Alone(work)).await.map_err(|_| LedgerError::Closed)?;
        answer.await.unwrap_or(Err(LedgerError::Closed))
    }

    /// The file that keeps everything; none when all is in memory.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    async fn submit<T, F>(thread: &mpsc::Sender<Message>, work: F) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Work::new(work, reply));
        thread.send(Message::Job(job)).await.map_err(|_| LedgerError::Closed)?;
        answer.await.unwrap_or(Err(LedgerError::Closed))
    }

    /// Ends the threads after the work they already have, and waits for them.
    pub(crate) async fn close(&self) {
        for thread in [Some(&self.writer), self.reader.as_ref()].into_iter().flatten() {
            // An error means that the thread has ended already.
            thread.send(Message::Close).await.ok();
        }
        let threads = std::mem::take(&mut *lock::mutex(&self.threads));
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                thread.join().ok();
            }
        });
        joined.await.ok();
    }
}

/// Undoes everything when the work itself says that it failed.
pub(crate) fn all_or_nothing<T, E>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> rusqlite::Result<Result<T, E>> {
    connection.execute_batch("SAVEPOINT whole")?;
    let result = work(connection);
    if result.is_err() {
        connection.execute_batch("ROLLBACK TO whole")?;
    }
    connection.execute_batch("RELEASE whole")?;
    Ok(result)
}

fn start(
    name: &str,
    (connection, claim): (Connection, Option<InUse>),
    run: fn(&Connection, Vec<Box<dyn Job>>),
    counts: Option<Arc<WriterCounts>>,
    threads: &mut Vec<JoinHandle<()>>,
) -> Result<mpsc::Sender<Message>, MirrorError> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let thread = thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            serve(connection, receiver, run, counts.as_deref());
            // Only now that the connection is closed.
            drop(claim);
        })
        .map_err(|error| MirrorError::Storage(Box::new(error)))?;
    threads.push(thread);
    Ok(sender)
}

fn serve(
    mut connection: Connection,
    mut messages: mpsc::Receiver<Message>,
    run: fn(&Connection, Vec<Box<dyn Job>>),
    counts: Option<&WriterCounts>,
) {
    let run = |connection: &Connection, jobs: Vec<Box<dyn Job>>| {
        if let Some(counts) = counts {
            counts.count(jobs.len());
        }
        run(connection, jobs);
    };
    let mut waiting = Vec::with_capacity(BATCH);
    let mut open = true;
    while open && messages.blocking_recv_many(&mut waiting, BATCH) > 0 {
        // Whoever shares this core may have more to add: one commit for all is cheaper than one for each.
        thread::yield_now();
        while waiting.len() < BATCH
            && let Ok(message) = messages.try_recv()
        {
            waiting.push(message);
        }
        let mut jobs = Vec::with_capacity(waiting.len());
        for message in waiting.drain(..) {
            match message {
                // Dropping a job tells its caller that the store is closed.
                Message::Job(_) | Message::Alone(_) if !open => {}
                Message::Job(job) => jobs.push(job),
                Message::Alone(work) => {
                    run(&connection, std::mem::take(&mut jobs));
                    work(&mut connection);
                }
                Message::Close => open = false,
            }
        }
        run(&connection, jobs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ledger() -> Ledger {
        let ledger = Ledger::open(None).unwrap();
        ledger.write(|db| db.execute_batch("CREATE TABLE t (n INTEGER NOT NULL) STRICT")).await.unwrap();
        ledger
    }

    async fn rows(ledger: &Ledger) -> i64 {
        ledger.read(|db| db.query_row("SELECT count(*) FROM t", [], |row| row.get(0))).await.unwrap()
    }

    #[tokio::test]
    async fn a_failed_job_leaves_nothing_and_harms_no_other() {
        let ledger = ledger().await;
        let bad = ledger.write(|db| {
            db.execute("INSERT INTO t VALUES (1)", [])?;
            db.execute("INSERT INTO t VALUES ('text')", [])
        });
        let good = ledger.write(|db| db.execute("INSERT INTO t VALUES (2)", []));
        let (bad, good) = tokio::join!(bad, good);
        assert!(matches!(bad, Err(LedgerError::Failed(_))));
        assert_eq!(good, Ok(1));
        assert_eq!(rows(&ledger).await, 1);
    }

    #[tokio::test]
    async fn a_panic_does_not_end_the_writer() {
        let ledger = ledger().await;
        let panicked = ledger.write(|db| -> rusqlite::Result<()> {
            db.execute("INSERT INTO t VALUES (1)", [])?;
            panic!("in a job");
        });
        assert_eq!(panicked.await, Err(LedgerError::Panicked));
        assert_eq!(rows(&ledger).await, 0);
        ledger.write(|db| db.execute("INSERT INTO t VALUES (2)", [])).await.unwrap();
        assert_eq!(rows(&ledger).await, 1);
    }

    #[tokio::test]
    async fn a_full_disk_fails_the_whole_batch_and_the_writer_goes_on() {
        let ledger = ledger().await;
        let pages = ledger
            .write(|db| db.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0)))
            .await
            .unwrap();
        ledger.write(move |db| db.execute_batch(&format!("PRAGMA max_page_count = {pages}"))).await.unwrap();
        let fill = ledger.write(|db| {
            db.execute("CREATE TABLE big (b BLOB)", [])?;
            db.execute("INSERT INTO big VALUES (zeroblob(1000000))", [])
        });
        assert!(matches!(fill.await, Err(LedgerError::Failed(_))));
        ledger.write(|db| db.execute_batch("PRAGMA max_page_count = 1000000")).await.unwrap();
        ledger.write(|db| db.execute("INSERT INTO t VALUES (2)", [])).await.unwrap();
        assert_eq!(rows(&ledger).await, 1);
    }

    #[tokio::test]
    async fn a_failed_commit_answers_every_job_with_an_error() {
        let ledger = ledger().await;
        ledger
            .write(|db| {
                db.execute_batch(
                    "PRAGMA foreign_keys = ON;
                     CREATE TABLE child (n INTEGER REFERENCES parent(n) DEFERRABLE INITIALLY DEFERRED);
                     CREATE TABLE parent (n INTEGER PRIMARY KEY);",
                )
            })
            .await
            .unwrap();
        // The writer is busy until both jobs wait, so they share a transaction.
        let (begun, has_begun) = oneshot::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let busy = ledger.write(move |_| {
            begun.send(()).ok();
            released.recv().ok();
            Ok(())
        });
        // The violation shows only at COMMIT, after both jobs have run.
        let pair = async {
            has_begun.await.unwrap();
            let orphan = ledger.write(|db| db.execute("INSERT INTO child VALUES (7)", []));
            let neighbour = ledger.write(|db| db.execute("INSERT INTO t VALUES (1)", []));
            let release = async {
                while ledger.writer.capacity() > QUEUE - 2 {
                    tokio::task::yield_now().await;
                }
                release.send(()).ok();
            };
            tokio::join!(orphan, neighbour, release)
        };
        let (busy, (orphan, neighbour, ())) = tokio::join!(busy, pair);
        assert_eq!(busy, Ok(()));
        assert!(matches!(orphan, Err(LedgerError::Failed(_))));
        assert!(matches!(neighbour, Err(LedgerError::Failed(_))));
        assert_eq!(rows(&ledger).await, 0);
    }

    #[tokio::test]
    async fn after_close_callers_are_told() {
        let ledger = ledger().await;
        ledger.close().await;
        assert_eq!(ledger.write(|_| Ok(())).await, Err(LedgerError::Closed));
    }
}

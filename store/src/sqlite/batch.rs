//! One transaction for many jobs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::error::StoreError;

/// Work whose result type is hidden.
pub(super) trait Job: Send {
    /// Whether it is alone in what its failure undoes.
    fn guard(&self) -> Guard;
    /// Does the work and keeps its result.
    fn run(&mut self, connection: &Connection) -> Result<(), StoreError>;
    /// Hands the result to the caller; `fate` is what became of the work.
    fn finish(self: Box<Self>, fate: Result<(), StoreError>);
}

/// What is undone when a job fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// The job alone: it gets a savepoint.
    Savepoint,
    /// Everything in its transaction.
    Transaction,
}

/// A closure, its result, and who waits for it.
pub(super) struct Work<F, T> {
    work: Option<F>,
    result: Option<T>,
    guard: Guard,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Work<F, T> {
    pub(super) fn new(work: F, guard: Guard, reply: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { work: Some(work), result: None, guard, reply }
    }
}

impl<F, T> Job for Work<F, T>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
{
    fn guard(&self) -> Guard {
        self.guard
    }

    fn run(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let work = self.work.take().ok_or(StoreError::Panicked)?;
        let result =
            catch_unwind(AssertUnwindSafe(|| work(connection))).map_err(|_| StoreError::Panicked)??;
        self.result = Some(result);
        Ok(())
    }

    fn finish(self: Box<Self>, fate: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        let answer = fate.and_then(|()| result.ok_or(StoreError::Panicked));
        // The caller may have gone away; the work is done all the same.
        reply.send(answer).ok();
    }
}

/// Runs jobs in one transaction and answers them once it is committed.
pub(super) fn commit(connection: &Connection, mut jobs: Vec<Box<dyn Job>>) {
    if jobs.is_empty() {
        return;
    }
    let outcome = transaction(connection, &mut jobs);
    if let Err(error) = &outcome {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(jobs = jobs.len(), %error, cause, "a transaction failed");
        // What cannot be rolled back now is rolled back before the next one begins.
        roll_back(connection).ok();
    }
    match outcome {
        Ok(fates) => jobs.into_iter().zip(fates).for_each(|(job, fate)| job.finish(fate)),
        Err(error) => jobs.into_iter().for_each(|job| job.finish(Err(error.clone()))),
    }
}

/// The fate of each job, or why none of them counts.
fn transaction(
    connection: &Connection,
    jobs: &mut [Box<dyn Job>],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let run = |sql| connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(drop);
    roll_back(connection)?;
    run("BEGIN IMMEDIATE")?;
    let mut fates = Vec::with_capacity(jobs.len());
    for job in jobs {
        if job.guard() == Guard::Transaction {
            job.run(connection)?;
            fates.push(Ok(()));
            continue;
        }
        run("SAVEPOINT job")?;
        let fate = job.run(connection);
        if connection.is_autocommit() {
            // A full disk or an I/O error makes SQLite itself undo everything.
            let undone =
                || StoreError::Unusable("work on the store ended the transaction it was part of".to_owned());
            return Err(fate.err().unwrap_or_else(undone));
        }
        if fate.is_err() {
            run("ROLLBACK TO job")?;
        }
        run("RELEASE job")?;
        fates.push(fate);
    }
    run("COMMIT")?;
    Ok(fates)
}

fn roll_back(connection: &Connection) -> rusqlite::Result<()> {
    if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") }
}

/// Runs jobs that change nothing.
pub(super) fn read(connection: &Connection, jobs: Vec<Box<dyn Job>>) {
    for mut job in jobs {
        let fate = job.run(connection);
        job.finish(fate);
    }
}

//! An inbox in one SQLite file, for one process.

mod rows;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use favor_core::{Clock, SystemClock, Timestamp, time};
use favor_store::StoreError;
use favor_store::sqlite::rusqlite::{self, Connection};
use favor_store::sqlite::{Database, Schema};
use futures_util::future::BoxFuture;

use super::arrivals::Arrivals;
use super::columns::{self, Columns};
use super::{
    Claimed, Counts, Delivery, Entry, Inbox, InboxError, InboxId, Receipt, Record, Settled, State, Stored,
};
use rows::{ClaimedRow, ListedRow, Millis, Verdict};

const SCHEMA: Schema = Schema {
    what: "an inbox of notifications",
    // "FvIn"
    application_id: 0x4676_496E,
    steps: &[include_str!("sqlite/schema.sql")],
};
/// How many a purge forgets at a time, so that it does not hold up what arrives.
const PURGE: i64 = 1_000;

/// An inbox in one SQLite file. One process works with it, with as many tasks as it likes; others may look.
///
/// What many tasks store, claim and settle at the same time is committed together, and a call returns after the
/// commit reached the disk. Beside the file there are `FILE-wal`, `FILE-shm` and `FILE-lock`.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use favor_callback::{Inbox as _, SqliteInbox};
///
/// let inbox = SqliteInbox::open("/var/lib/shop/notifications.sqlite").await?;
/// println!("{} to be handled", inbox.counts().await?.waiting);
/// inbox.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteInbox {
    database: Database,
    clock: Arc<dyn Clock>,
    arrivals: Arc<Arrivals>,
}

impl SqliteInbox {
    /// Opens an inbox for work by the machine's clock, and creates it (readable by its owner alone) where there is
    /// none. What a process that has died was working on is due again at once.
    ///
    /// # Errors
    /// [`InboxError::Unavailable`] while another process works with it or it cannot be opened,
    /// [`InboxError::Unusable`] when the file is no inbox, damaged, or was written by a newer version.
    pub async fn open(file: impl AsRef<Path>) -> Result<Self, InboxError> {
        Self::open_with_clock(file, Arc::new(SystemClock::new())).await
    }

    /// [`open`](Self::open) by another clock. Only its [`now`](Clock::now) is used.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with_clock(file: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, InboxError> {
        let file = file.as_ref().to_owned();
        let inbox = Self::new(blocking(move || Database::open(&file, &SCHEMA)).await?, clock);
        let released = inbox.write(rows::release).await?;
        if released > 0 {
            tracing::info!(released, "notifications that a process had not finished are due again");
        }
        Ok(inbox)
    }

    /// Opens an inbox to look at it by [`counts`](Inbox::counts) and [`list`](Inbox::list), also while another
    /// process works with it. Whatever changes something fails with [`InboxError::Unusable`].
    ///
    /// # Errors
    /// [`InboxError::Unavailable`] when it is not there or cannot be opened, [`InboxError::Unusable`] when the file
    /// is no inbox, damaged, or of another version.
    pub async fn open_read_only(file: impl AsRef<Path>) -> Result<Self, InboxError> {
        let file = file.as_ref().to_owned();
        let database = blocking(move || Database::open_read_only(&file, &SCHEMA)).await?;
        Ok(Self::new(database, Arc::new(SystemClock::new())))
    }

    /// Finishes what is under way, closes the file and gives its lock back. Without it that happens soon after the
    /// inbox is dropped.
    pub async fn close(&self) {
        self.database.close().await;
    }

    fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, arrivals: Arc::default() }
    }

    /// Runs work that changes something, at the moment it is done.
    async fn write<T, F>(&self, work: F) -> Result<T, InboxError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Millis) -> rusqlite::Result<T> + Send + 'static,
    {
        let clock = Arc::clone(&self.clock);
        Ok(self.database.write(move |connection| work(connection, clock.now().timestamp_millis())).await?)
    }

    /// As [`write`](Self::write), cheaper, for what is done for every notification and reads nothing that was kept:
    /// only the store itself can make it fail.
    async fn write_often<T, F>(&self, work: F) -> Result<T, InboxError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Millis) -> rusqlite::Result<T> + Send + 'static,
    {
        let clock = Arc::clone(&self.clock);
        let work = move |connection: &Connection| work(connection, clock.now().timestamp_millis());
        Ok(self.database.write_unguarded(work).await?)
    }

    /// As [`write_often`](Self::write_often), for work after which something may be due. Announced by the work itself, since its
    /// caller may be gone by then; a claim that follows is behind it in the same queue.
    async fn write_due<T, F>(&self, work: F) -> Result<T, InboxError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Millis) -> rusqlite::Result<T> + Send + 'static,
    {
        let arrivals = Arc::clone(&self.arrivals);
        self.write_often(move |connection, now| {
            let done = work(connection, now);
            arrivals.announce();
            done
        })
        .await
    }

    async fn read<T, F>(&self, work: F) -> Result<T, InboxError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Millis) -> rusqlite::Result<T> + Send + 'static,
    {
        let clock = Arc::clone(&self.clock);
        Ok(self.database.read(move |connection| work(connection, clock.now().timestamp_millis())).await?)
    }

    async fn settle(
        &self,
        receipt: &Receipt,
        verdict: impl FnOnce(Millis) -> Verdict + Send + 'static,
    ) -> Result<Settled, InboxError> {
        let receipt = receipt.clone();
        self.write_often(move |connection, now| rows::settle(connection, &receipt, verdict(now))).await
    }

    async fn claim(&self, most: usize, lease: Duration) -> Result<Claimed, InboxError> {
        let wanted = limit(most);
        loop {
            let before = self.arrivals.count();
            let (claimed, next_due) = self
                .write(move |connection, now| {
                    let claimed = rows::claim(connection, wanted, now, later(now, lease))?;
                    let next_due = if claimed.is_empty() { rows::next_due(connection)? } else { None };
                    let wait = next_due.map(|due| u64::try_from(due.saturating_sub(now)).unwrap_or(0));
                    Ok((claimed, wait.map(Duration::from_millis)))
                })
                .await?;
            let count = claimed.len();
            if count < most {
                self.arrivals.exhausted(before);
            }
            let mut deliveries = Vec::with_capacity(count);
            for row in claimed {
                deliveries.extend(self.deliver(row).await?);
            }
            // Where all that was due is damaged there may be more behind it.
            if !deliveries.is_empty() || count == 0 {
                return Ok(Claimed { deliveries, next_due });
            }
        }
    }

    /// A notification that cannot be read back is parked: it must not hold up those behind it.
    async fn deliver(&self, row: ClaimedRow) -> Result<Option<Delivery>, InboxError> {
        let ClaimedRow { receipt, attempt, received_at, columns } = row;
        let notification = columns.into_record(receipt.id).and_then(|record| {
            let damaged = |cause| InboxError::Damaged { id: receipt.id, cause: Box::new(cause) };
            record.into_notification().map_err(damaged)
        });
        match notification {
            Ok(notification) => {
                let received_at = moment(receipt.id, received_at)?;
                Ok(Some(Delivery::new(receipt, attempt, received_at, notification)))
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::error!(id = %receipt.id, cause, "a stored notification cannot be read back and is parked");
                let reason = columns::reason(&format!("it cannot be read back: {cause}"));
                self.settle(&receipt, move |_| Verdict::Parked { reason }).await?;
                Ok(None)
            }
        }
    }
}

impl Inbox for SqliteInbox {
    fn store(&self, record: Record) -> BoxFuture<'_, Result<Stored, InboxError>> {
        let new = Columns::from(record);
        Box::pin(self.write_due(move |connection, now| rows::store(connection, &new, now)))
    }

    fn claim(&self, most: usize, lease: Duration) -> BoxFuture<'_, Result<Claimed, InboxError>> {
        Box::pin(self.claim(most, lease))
    }

    fn renew<'a>(
        &'a self,
        receipt: &'a Receipt,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Settled, InboxError>> {
        Box::pin(self.settle(receipt, move |now| Verdict::Renewed { until: later(now, lease) }))
    }

    fn acknowledge<'a>(&'a self, receipt: &'a Receipt) -> BoxFuture<'a, Result<Settled, InboxError>> {
        Box::pin(self.settle(receipt, |now| Verdict::Handled { at: now }))
    }

    fn put_back<'a>(
        &'a self,
        receipt: &'a Receipt,
        after: Duration,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, InboxError>> {
        let (receipt, reason) = (receipt.clone(), columns::reason(reason));
        Box::pin(self.write_due(move |connection, now| {
            rows::settle(connection, &receipt, Verdict::PutBack { due: later(now, after), reason })
        }))
    }

    fn park<'a>(
        &'a self,
        receipt: &'a Receipt,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, InboxError>> {
        let reason = columns::reason(reason);
        Box::pin(self.settle(receipt, |_| Verdict::Parked { reason }))
    }

    fn unpark(&self, which: Option<InboxId>) -> BoxFuture<'_, Result<u64, InboxError>> {
        Box::pin(self.write_due(move |connection, now| rows::unpark(connection, which, now)))
    }

    fn arrival(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.arrivals.next())
    }

    fn counts(&self) -> BoxFuture<'_, Result<Counts, InboxError>> {
        Box::pin(self.read(rows::counts))
    }

    fn list(&self, after: Option<InboxId>, most: usize) -> BoxFuture<'_, Result<Vec<Entry>, InboxError>> {
        Box::pin(async move {
            let most = limit(most);
            let rows = self.read(move |connection, now| rows::list(connection, after, most, now)).await?;
            rows.into_iter().map(entry).collect()
        })
    }

    fn purge(&self, handled_before: Timestamp) -> BoxFuture<'_, Result<u64, InboxError>> {
        Box::pin(async move {
            let before = handled_before.timestamp_millis();
            let mut purged = 0;
            loop {
                let some = self.write(move |connection, _| rows::purge(connection, before, PURGE)).await?;
                purged += u64::try_from(some).unwrap_or(u64::MAX);
                if limit(some) < PURGE {
                    return Ok(purged);
                }
            }
        })
    }
}

fn entry(row: ListedRow) -> Result<Entry, InboxError> {
    let id = row.id;
    let state: State = columns::state(id, &row.state)?;
    Ok(Entry {
        id,
        state,
        attempts: row.attempts,
        times_received: row.times_received,
        received_at: moment(id, row.received_at)?,
        handled_at: row.handled_at.map(|at| moment(id, at)).transpose()?,
        reason: row.reason,
        record: row.columns.into_record(id)?,
    })
}

fn moment(id: InboxId, millis: Millis) -> Result<Timestamp, InboxError> {
    let moment: Option<DateTime<Utc>> = DateTime::from_timestamp_millis(millis);
    let cause = "one of its times is out of range";
    moment.map(|moment| time::beijing(&moment)).ok_or(InboxError::Damaged { id, cause: cause.into() })
}

/// This long after `now`; times are kept to the millisecond, and nothing is due too early.
fn later(now: Millis, by: Duration) -> Millis {
    let millis = TimeDelta::from_std(by).map_or(Millis::MAX, |by| by.num_milliseconds());
    let rest = i64::from(!by.subsec_nanos().is_multiple_of(1_000_000));
    now.saturating_add(millis).saturating_add(rest)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, InboxError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(error) => Err(InboxError::Unavailable(Box::new(error))),
    }
}

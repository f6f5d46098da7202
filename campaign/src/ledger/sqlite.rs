//! A ledger in one SQLite file, for one machine.

mod campaigns;
mod chunks;
mod columns;
mod limits;
mod moment;
mod orders;
mod outcomes;
mod people;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use favor_core::{Clock, OpenId, SystemClock};
use favor_store::StoreError;
use favor_store::sqlite::rusqlite::{self, Connection};
use favor_store::sqlite::{Database, Schema};
use futures_util::future::BoxFuture;

use super::{
    Books, Campaign, CampaignId, Claimed, Finish, HistoryEntry, Lease, Ledger, LedgerError, LimitKey, Order,
    Recipient, Recorded, Reopen, Reservation, Result, Row, Settlement, Standing, WorkerId,
};
use crate::manifest::Manifest;
use crate::name::CampaignName;
use moment::{Moment, Time};

const SCHEMA: Schema = Schema {
    what: "a ledger of campaigns",
    // "FvLg"
    application_id: 0x4676_4C67,
    steps: &[include_str!("sqlite/schema.sql")],
};

/// A ledger in one SQLite file. One process works on its campaigns, with as many tasks as it likes; others look, or give
/// orders beside it.
///
/// What many tasks record at the same time is committed together, and a call returns after the commit reached the disk.
/// Beside the file there are `FILE-wal`, `FILE-shm` and `FILE-lock`; all of them can be read by their owner alone.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use favor_campaign::{Books as _, SqliteLedger};
///
/// let ledger = SqliteLedger::open_read_only("/var/lib/shop/campaigns.sqlite").await?;
/// for campaign in ledger.campaigns().await? {
///     println!("{}: {}", campaign.manifest.name, campaign.standing.state);
/// }
/// ledger.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SqliteLedger {
    database: Database,
    time: Arc<Time>,
}

impl SqliteLedger {
    /// Opens a ledger for a runner, by the machine's clock, and creates it where there is none. What a process that has
    /// died was working on is free again at once.
    ///
    /// # Errors
    /// [`LedgerError::Unusable`] while another process has it open so, and when the file is no ledger, damaged, or was
    /// written by a newer version; [`LedgerError::Unavailable`] when it cannot be opened.
    pub async fn open(file: impl AsRef<Path>) -> Result<Self> {
        Self::open_with_clock(file, Arc::new(SystemClock::new())).await
    }

    /// [`open`](Self::open) by another clock. It is never slept on.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with_clock(file: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self> {
        let file = file.as_ref().to_owned();
        let ledger = Self::new(blocking(move || Database::open(&file, &SCHEMA)).await?, clock);
        let released =
            ledger.write(|sql, now| Ok(chunks::release(sql)? + limits::catch_up(sql, now)?)).await?;
        if released > 0 {
            tracing::info!(released, "what a process was working on when it ended is free again");
        }
        Ok(ledger)
    }

    /// Opens a ledger to plan in it, give orders and repair, by the machine's clock, also while a runner has it open, and
    /// creates it where there is none.
    ///
    /// # Errors
    /// [`LedgerError::Unusable`] when the file is no ledger, damaged, of a newer version, or of an older one while
    /// a runner has it open; [`LedgerError::Unavailable`] when it cannot be opened.
    pub async fn open_beside(file: impl AsRef<Path>) -> Result<Self> {
        Self::open_beside_with_clock(file, Arc::new(SystemClock::new())).await
    }

    /// [`open_beside`](Self::open_beside) by another clock. It is never slept on.
    ///
    /// # Errors
    /// As [`open_beside`](Self::open_beside).
    pub async fn open_beside_with_clock(file: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self> {
        let file = file.as_ref().to_owned();
        Ok(Self::new(blocking(move || Database::open_beside(&file, &SCHEMA)).await?, clock))
    }

    /// Opens a ledger to look at it, also while a runner has it open. Whatever changes something fails with
    /// [`LedgerError::Unusable`].
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`] when it is not there or cannot be opened, [`LedgerError::Unusable`] when the file
    /// is no ledger, damaged, or of another version.
    pub async fn open_read_only(file: impl AsRef<Path>) -> Result<Self> {
        let file = file.as_ref().to_owned();
        let database = blocking(move || Database::open_read_only(&file, &SCHEMA)).await?;
        Ok(Self::new(database, Arc::new(SystemClock::new())))
    }

    /// Finishes what is under way, closes the file and gives its lock back. Without it that happens soon after the
    /// ledger is dropped.
    pub async fn close(&self) {
        self.database.close().await;
    }

    fn new(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, time: Arc::new(Time::new(clock)) }
    }

    /// Runs work that changes something, at the moment it is done. When it fails, it changed nothing.
    async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Moment) -> Done<T> + Send + 'static,
    {
        let (work, halted) = self.job(work);
        halted.result(self.database.write(work).await)
    }

    /// Runs work that only looks.
    async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, Moment) -> Done<T> + Send + 'static,
    {
        let (work, halted) = self.job(work);
        halted.result(self.database.read(work).await)
    }

    /// Work for the store, and where it leaves why it halted: the store itself carries only the engine's errors.
    fn job<T>(
        &self,
        work: impl FnOnce(&Connection, Moment) -> Done<T> + Send + 'static,
    ) -> (impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static, Halted) {
        let (time, halted) = (Arc::clone(&self.time), Halted::default());
        let note = halted.clone();
        let job = move |sql: &Connection| {
            work(sql, time.now()).map_err(|halt| match halt {
                Halt::Engine(error) => error,
                Halt::Ledger(error) => {
                    note.put(error);
                    rusqlite::Error::InvalidQuery
                }
            })
        };
        (job, halted)
    }

    /// Runs work on one part of a campaign after the other, each in a transaction of its own, so that nobody has to wait
    /// for all of it; adds up what it returns.
    async fn write_parts<F>(&self, campaign: CampaignId, part: F) -> Result<u64>
    where
        F: Fn(&Connection, Moment, people::Part) -> Done<u64> + Send + Sync + 'static,
    {
        let part = Arc::new(part);
        let (mut after, mut sum) = (None, 0_u64);
        loop {
            let part = Arc::clone(&part);
            let work = move |sql: &Connection, now| {
                let Some(next) = people::part_after(sql, campaign, after)? else { return Ok(None) };
                Ok(Some((part(sql, now, next)?, next.chunk)))
            };
            let Some((count, last)) = self.write(work).await? else { return Ok(sum) };
            sum = sum.saturating_add(count);
            after = Some(last);
        }
    }
}

impl Ledger for SqliteLedger {
    fn campaign<'a>(&'a self, name: &'a CampaignName) -> BoxFuture<'a, Result<Campaign>> {
        let name = name.clone();
        Box::pin(self.read(move |sql, now| campaigns::by_name(sql, &name, now)))
    }

    fn claim<'a>(
        &'a self,
        campaign: CampaignId,
        worker: &'a WorkerId,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Claimed>> {
        let worker = worker.clone();
        Box::pin(self.write(move |sql, now| chunks::claim(sql, campaign, &worker, lease, now)))
    }

    fn record<'a>(
        &'a self,
        lease: &'a Lease,
        settled: &'a [Settlement],
        extend: Duration,
    ) -> BoxFuture<'a, Result<Recorded>> {
        let (lease, settled) = (lease.clone(), settled.to_vec());
        Box::pin(self.write(move |sql, now| outcomes::record(sql, &lease, &settled, extend, now)))
    }

    fn finish<'a>(&'a self, lease: &'a Lease, how: Finish) -> BoxFuture<'a, Result<Recorded>> {
        let lease = lease.clone();
        Box::pin(self.write(move |sql, now| chunks::finish(sql, &lease, how, now)))
    }

    fn set_rate<'a>(&'a self, limit: &'a LimitKey, per_second: u32) -> BoxFuture<'a, Result<()>> {
        let limit = limit.clone();
        Box::pin(self.write(move |sql, _| Ok(limits::set_rate(sql, &limit, per_second)?)))
    }

    fn reserve<'a>(&'a self, limit: &'a LimitKey, most: u32) -> BoxFuture<'a, Result<Reservation>> {
        let limit = limit.clone();
        Box::pin(async move {
            let (reserved, at) =
                self.write(move |sql, now| Ok((limits::reserve(sql, &limit, most, now)?, now))).await?;
            // The commit took its time; the calls are due by the moment at which they were reserved.
            let passed = self.time.since(at);
            Ok(Reservation { first_in: reserved.first_in.saturating_sub(passed), ..reserved })
        })
    }

    fn slow_down<'a>(&'a self, limit: &'a LimitKey) -> BoxFuture<'a, Result<()>> {
        let limit = limit.clone();
        Box::pin(self.write(move |sql, now| limits::slow_down(sql, &limit, now)))
    }

    fn standing(&self, campaign: CampaignId) -> BoxFuture<'_, Result<Standing>> {
        Box::pin(self.read(move |sql, now| campaigns::standing(sql, campaign, now)))
    }

    fn order(&self, campaign: CampaignId, order: Order) -> BoxFuture<'_, Result<Standing>> {
        Box::pin(self.write(move |sql, now| orders::carry_out(sql, campaign, &order, now)))
    }
}

impl Books for SqliteLedger {
    fn begin<'a>(&'a self, manifest: &'a Manifest) -> BoxFuture<'a, Result<(CampaignId, u64)>> {
        let manifest = manifest.clone();
        Box::pin(self.write(move |sql, now| campaigns::begin(sql, &manifest, now)))
    }

    fn add_people<'a>(&'a self, campaign: CampaignId, people: &'a [Recipient]) -> BoxFuture<'a, Result<()>> {
        let people = people.to_vec();
        Box::pin(self.write(move |sql, _| people::add(sql, campaign, &people)))
    }

    fn seal(&self, campaign: CampaignId, people: u64, chunk: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            // Counted before the change, since it takes its time: nobody takes people out of a sealed campaign.
            let counted = self.read(move |sql, _| people::count(sql, campaign)).await?;
            self.write(move |sql, now| people::seal(sql, campaign, people, counted, chunk, now)).await
        })
    }

    fn discard(&self, campaign: CampaignId) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.write(move |sql, _| campaigns::begin_discard(sql, campaign)).await?;
            while self.write(move |sql, _| campaigns::go_on_discarding(sql, campaign)).await? {}
            Ok(())
        })
    }

    fn campaigns(&self) -> BoxFuture<'_, Result<Vec<Campaign>>> {
        Box::pin(self.read(campaigns::all))
    }

    fn rows(&self, campaign: CampaignId, after: Option<u64>, most: usize) -> BoxFuture<'_, Result<Vec<Row>>> {
        Box::pin(self.read(move |sql, _| people::rows(sql, campaign, after, most)))
    }

    fn find<'a>(&'a self, campaign: CampaignId, openid: &'a OpenId) -> BoxFuture<'a, Result<Option<Row>>> {
        let openid = openid.clone();
        Box::pin(self.read(move |sql, _| people::find(sql, campaign, &openid)))
    }

    fn reopen<'a>(&'a self, campaign: CampaignId, which: &'a Reopen) -> BoxFuture<'a, Result<u64>> {
        let which = which.clone();
        Box::pin(async move {
            let begun = which.clone();
            let is_any =
                self.write(move |sql, now| outcomes::begin_reopen(sql, campaign, &begun, now)).await?;
            if !is_any {
                return Ok(0);
            }
            self.write_parts(campaign, move |sql, now, part| {
                outcomes::reopen(sql, campaign, &which, part, now)
            })
            .await
        })
    }

    fn history(&self, campaign: CampaignId) -> BoxFuture<'_, Result<Vec<HistoryEntry>>> {
        Box::pin(self.read(move |sql, _| campaigns::history(sql, campaign)))
    }

    fn purge(&self, campaign: CampaignId) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            self.write(move |sql, now| people::begin_purge(sql, campaign, now)).await?;
            self.write_parts(campaign, move |sql, _, part| people::purge(sql, campaign, part)).await
        })
    }
}

/// What work on the file returns.
type Done<T> = std::result::Result<T, Halt>;

/// Why work on the file halted. What it had changed is undone.
#[derive(Debug)]
enum Halt {
    Engine(rusqlite::Error),
    Ledger(LedgerError),
}

impl From<rusqlite::Error> for Halt {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<LedgerError> for Halt {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// Where work leaves why it halted.
#[derive(Clone, Debug, Default)]
struct Halted(Arc<Mutex<Option<LedgerError>>>);

impl Halted {
    fn put(&self, error: LedgerError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn result<T>(self, result: Result<T, StoreError>) -> Result<T> {
        result.map_err(|error| {
            let halted = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            halted.unwrap_or_else(|| columns::store_error(error))
        })
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(columns::store_error),
        Err(error) => Err(LedgerError::Unavailable(Box::new(error))),
    }
}

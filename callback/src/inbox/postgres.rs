//! An inbox in a PostgreSQL database, for many processes.

mod settling;
mod storing;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use favor_core::{Timestamp, time};
use favor_store::postgres::tokio_postgres::{self, Row};
use favor_store::postgres::{Address, Batcher, Client, Database, Listener, Schema};
use futures_util::future::BoxFuture;

use super::arrivals::Arrivals;
use super::columns::{self, Columns};
use super::{
    Claimed, Counts, Delivery, Entry, Inbox, InboxError, InboxId, Receipt, Record, Settled, SignedRequest,
    State, Stored,
};
use settling::Settlement;

const SCHEMA: Schema = Schema {
    what: "an inbox of notifications",
    name: "inbox",
    steps: &[include_str!("postgres/schema.sql")],
};
/// Most calls that share one statement.
const BATCH: usize = 256;
/// How many a purge forgets at a time, so that it does not hold up others.
const PURGE: i64 = 1_000;
/// What is due and yet not to be had is under way in somebody else's transaction: no use to ask at once.
const SOON: Duration = Duration::from_millis(10);
/// Longest lease or delay: about 31 years.
const LONGEST: Duration = Duration::from_secs(1_000_000_000);

/// An inbox in a PostgreSQL database that many processes on many machines share: each may store, each may claim, and
/// nothing is claimed by two.
///
/// All times are the database's, so the machines' clocks do not matter. What many tasks store or settle at the same
/// time shares a statement and a commit. An arrival on another machine is told by `NOTIFY`. Its tables are
/// `favor_inbox`, `favor_inbox_contents` and `favor_schema`.
///
/// ```
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use favor_callback::{Inbox as _, PostgresAddress, PostgresInbox};
///
/// let address = PostgresAddress::new("postgres://shop@db.example/shop?sslmode=require")?
///     .password(&std::fs::read_to_string("/etc/shop/database-password")?);
/// let inbox = PostgresInbox::connect(&address).await?;
/// println!("{} to be handled", inbox.counts().await?.waiting);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PostgresInbox {
    database: Database,
    storing: Batcher<Arc<Columns>, Stored>,
    settling: Batcher<Settlement, Settled>,
    arrivals: Arc<Arrivals>,
    _listener: Listener,
}

impl PostgresInbox {
    /// Connects, and creates the tables where there are none. Must be called in the tokio runtime that it is used in.
    ///
    /// # Errors
    /// [`InboxError::Unavailable`] when the server cannot be reached, [`InboxError::Unusable`] when it does not let us
    /// in, or its tables are of a newer version.
    pub async fn connect(address: &Address) -> Result<Self, InboxError> {
        let database = Database::connect(address, &SCHEMA).await?;
        let arrivals = Arc::new(Arrivals::default());
        let heard = Arc::clone(&arrivals);
        let listener = database.listen(storing::CHANNEL, move || heard.announce())?;
        let (stores, heard) = (database.clone(), Arc::clone(&arrivals));
        let storing = Batcher::new(BATCH, move |new| {
            let (database, arrivals) = (stores.clone(), Arc::clone(&heard));
            Box::pin(async move {
                let stored = storing::store(&database, new).await;
                // Also after an error: it may be there.
                arrivals.announce();
                stored
            })
        });
        let settles = database.clone();
        let settling = Batcher::new(BATCH, move |settlements| {
            let database = settles.clone();
            Box::pin(async move { settling::settle(&database, settlements).await })
        });
        Ok(Self { database, storing, settling, arrivals, _listener: listener })
    }

    /// Closes the connections; later calls fail.
    pub fn close(&self) {
        self.database.close();
    }

    async fn settle(
        &self,
        receipt: &Receipt,
        state: State,
        due_in: Option<Duration>,
        reason: Option<&str>,
    ) -> Result<Settled, InboxError> {
        let (due_in, reason) = (due_in.map(micros), reason.map(columns::reason));
        Ok(self.settling.run(Settlement { receipt: receipt.clone(), state, due_in, reason }).await?)
    }

    async fn claim(&self, most: usize, lease: Duration) -> Result<Claimed, InboxError> {
        if most == 0 {
            return Ok(Claimed::default());
        }
        loop {
            let before = self.arrivals.count();
            let rows = self.rows(CLAIM, [limit(most), micros(lease)]).await?;
            let count = rows.len();
            if count < most {
                self.arrivals.exhausted(before);
            }
            let mut deliveries = Vec::with_capacity(count);
            for row in rows {
                deliveries.extend(self.deliver(&row).await?);
            }
            if !deliveries.is_empty() {
                return Ok(Claimed { deliveries, next_due: None });
            }
            // Where all that was due is damaged there may be more behind it.
            if count == 0 {
                return Ok(Claimed { deliveries, next_due: self.next_due().await? });
            }
        }
    }

    async fn next_due(&self) -> Result<Option<Duration>, InboxError> {
        let rows = self.rows(NEXT_DUE, []).await?;
        let micros: Option<i64> = rows.first().and_then(|row| row.get(0));
        Ok(micros.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0)).max(SOON)))
    }

    /// A notification that cannot be read back is parked: it must not hold up those behind it.
    async fn deliver(&self, row: &Row) -> Result<Option<Delivery>, InboxError> {
        let id = InboxId(row.get(0));
        let receipt = Receipt { id, fence: row.get(1) };
        let record = content(row, 4).into_record(id);
        let notification = record.and_then(|record| {
            record.into_notification().map_err(|cause| InboxError::Damaged { id, cause: Box::new(cause) })
        });
        match notification {
            Ok(notification) => {
                let attempt = u32::try_from(row.get::<_, i64>(2)).unwrap_or(u32::MAX);
                Ok(Some(Delivery::new(receipt, attempt, moment(row.get(3)), notification)))
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::error!(%id, cause, "a stored notification cannot be read back and is parked");
                let reason = format!("it cannot be read back: {cause}");
                self.settle(&receipt, State::Parked, None, Some(&reason)).await?;
                Ok(None)
            }
        }
    }

    /// The rows of a statement whose parameters are numbers.
    async fn rows<const N: usize>(
        &self,
        sql: &'static str,
        numbers: [i64; N],
    ) -> Result<Vec<Row>, InboxError> {
        Ok(self.database.run(move |client| rows(client, sql, numbers.to_vec())).await?)
    }
}

fn rows<'c>(
    client: &'c mut Client,
    sql: &'static str,
    numbers: Vec<i64>,
) -> BoxFuture<'c, Result<Vec<Row>, tokio_postgres::Error>> {
    Box::pin(async move {
        let statement = client.prepare_cached(sql).await?;
        let numbers: Vec<_> =
            numbers.iter().map(|number| number as &(dyn tokio_postgres::types::ToSql + Sync)).collect();
        client.query(&statement, &numbers).await
    })
}

/// A subquery is asked once: the index on `due` can be used with its answer, and all that is claimed has one lease.
const CLAIM: &str = "
    WITH next AS (
        SELECT id, due FROM favor_inbox
        WHERE due <= (SELECT clock_timestamp()) ORDER BY due, id LIMIT $1 FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE favor_inbox n SET state = 'claimed', due = (SELECT clock_timestamp()) + $2::bigint * interval '1 microsecond',
            fence = n.fence + 1, attempts = n.attempts + 1
        FROM next WHERE n.id = next.id
        RETURNING n.id, n.fence, n.attempts, n.received_at, n.merchant_id, n.notification_id, n.coupon_id,
            n.transaction_id, next.due AS was_due
    )
    SELECT id, fence, attempts, received_at, merchant_id, notification_id, coupon_id, transaction_id, create_time,
        event_type, summary, signed_by, resource, request_timestamp, request_nonce, request_serial,
        request_signature, request_body
    FROM taken JOIN favor_inbox_contents USING (id) ORDER BY was_due, id";

const NEXT_DUE: &str = "
    SELECT (extract(epoch FROM min(due) - clock_timestamp()) * 1000000)::bigint FROM favor_inbox WHERE due IS NOT NULL";

/// A lease that has ended leaves a notification that nobody works on. Each number comes from an index no larger than
/// what it counts.
const COUNTS: &str = "
    SELECT
        (SELECT count(*) FROM favor_inbox WHERE due IS NOT NULL),
        (SELECT count(*) FROM favor_inbox WHERE due > (SELECT clock_timestamp()) AND state = 'claimed'),
        (SELECT count(*) FROM favor_inbox WHERE handled_at IS NOT NULL),
        (SELECT count(*) FROM favor_inbox WHERE state = 'parked'),
        (SELECT coalesce(sum(times_received - 1), 0)::bigint FROM favor_inbox WHERE times_received > 1)";

const LIST: &str = "
    SELECT id, CASE WHEN state = 'claimed' AND due <= clock_timestamp() THEN 'waiting' ELSE state END, attempts,
        times_received, received_at, handled_at, reason, merchant_id, notification_id, coupon_id, transaction_id,
        create_time, event_type, summary, signed_by, resource, request_timestamp, request_nonce, request_serial,
        request_signature, request_body
    FROM favor_inbox JOIN favor_inbox_contents USING (id) WHERE id > $1 ORDER BY id LIMIT $2";

/// With a number that no id has, all of them.
const UNPARK: &str = "
    WITH let_out AS (
        UPDATE favor_inbox SET state = 'waiting', due = (SELECT clock_timestamp())
        WHERE state = 'parked' AND ($1::bigint = -1 OR id = $1::bigint) RETURNING id
    )
    SELECT (SELECT count(*) FROM let_out), pg_notify('favor_inbox', '')";

const PURGE_SOME: &str = "
    WITH old AS (
        SELECT id FROM favor_inbox WHERE handled_at < to_timestamp(0) + $1::bigint * interval '1 microsecond'
            AND id < (SELECT max(id) FROM favor_inbox)
        ORDER BY handled_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ), gone AS (DELETE FROM favor_inbox WHERE id IN (SELECT id FROM old) RETURNING id)
    SELECT count(*) FROM gone";

impl Inbox for PostgresInbox {
    fn store(&self, record: Record) -> BoxFuture<'_, Result<Stored, InboxError>> {
        Box::pin(async move {
            let mut new = Columns::from(record);
            if let Some(summary) = &mut new.summary {
                *summary = summary.replace('\0', "\u{FFFD}");
            }
            if new.has_nul() {
                let text = "a notification holds the character U+0000, which PostgreSQL cannot keep";
                return Err(InboxError::Unusable(text.to_owned()));
            }
            Ok(self.storing.run(Arc::new(new)).await?)
        })
    }

    fn claim(&self, most: usize, lease: Duration) -> BoxFuture<'_, Result<Claimed, InboxError>> {
        Box::pin(self.claim(most, lease))
    }

    fn renew<'a>(
        &'a self,
        receipt: &'a Receipt,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Settled, InboxError>> {
        Box::pin(self.settle(receipt, State::Claimed, Some(lease), None))
    }

    fn acknowledge<'a>(&'a self, receipt: &'a Receipt) -> BoxFuture<'a, Result<Settled, InboxError>> {
        Box::pin(self.settle(receipt, State::Handled, None, None))
    }

    fn put_back<'a>(
        &'a self,
        receipt: &'a Receipt,
        after: Duration,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, InboxError>> {
        Box::pin(async move {
            let settled = self.settle(receipt, State::Waiting, Some(after), Some(reason)).await;
            self.arrivals.announce();
            settled
        })
    }

    fn park<'a>(
        &'a self,
        receipt: &'a Receipt,
        reason: &'a str,
    ) -> BoxFuture<'a, Result<Settled, InboxError>> {
        Box::pin(self.settle(receipt, State::Parked, None, Some(reason)))
    }

    fn unpark(&self, which: Option<InboxId>) -> BoxFuture<'_, Result<u64, InboxError>> {
        Box::pin(async move {
            // No id is below 1.
            let which = which.map_or(-1, |id| id.0.max(0));
            let rows = self.rows(UNPARK, [which]).await?;
            self.arrivals.announce();
            Ok(number(&rows, 0))
        })
    }

    fn arrival(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.arrivals.next())
    }

    fn counts(&self) -> BoxFuture<'_, Result<Counts, InboxError>> {
        Box::pin(async move {
            let rows = self.rows(COUNTS, []).await?;
            let claimed = number(&rows, 1);
            Ok(Counts {
                waiting: number(&rows, 0).saturating_sub(claimed),
                claimed,
                handled: number(&rows, 2),
                parked: number(&rows, 3),
                duplicates: number(&rows, 4),
            })
        })
    }

    fn list(&self, after: Option<InboxId>, most: usize) -> BoxFuture<'_, Result<Vec<Entry>, InboxError>> {
        Box::pin(async move {
            let rows = self.rows(LIST, [after.map_or(-1, |id| id.0), limit(most)]).await?;
            rows.iter().map(entry).collect()
        })
    }

    fn purge(&self, handled_before: Timestamp) -> BoxFuture<'_, Result<u64, InboxError>> {
        Box::pin(async move {
            let before = handled_before.timestamp_micros();
            let mut purged = 0;
            loop {
                let some = number(&self.rows(PURGE_SOME, [before, PURGE]).await?, 0);
                purged += some;
                if i64::try_from(some).unwrap_or(PURGE) < PURGE {
                    return Ok(purged);
                }
            }
        })
    }
}

fn entry(row: &Row) -> Result<Entry, InboxError> {
    let id = InboxId(row.get(0));
    Ok(Entry {
        id,
        state: columns::state(id, row.get(1))?,
        attempts: u32::try_from(row.get::<_, i64>(2)).unwrap_or(u32::MAX),
        times_received: u64::try_from(row.get::<_, i64>(3)).unwrap_or(0),
        received_at: moment(row.get(4)),
        handled_at: row.get::<_, Option<DateTime<Utc>>>(5).map(moment),
        reason: row.get(6),
        record: content(row, 7).into_record(id)?,
    })
}

/// The columns from `merchant_id` on.
fn content(row: &Row, first: usize) -> Columns {
    Columns {
        merchant_id: row.get(first),
        notification_id: row.get(first + 1),
        coupon_id: row.get(first + 2),
        transaction_id: row.get(first + 3),
        create_time: row.get(first + 4),
        event_type: row.get(first + 5),
        summary: row.get(first + 6),
        signed_by: row.get(first + 7),
        resource: row.get(first + 8),
        request: SignedRequest {
            timestamp: row.get(first + 9),
            nonce: row.get(first + 10),
            serial: row.get(first + 11),
            signature: row.get(first + 12),
            body: row.get::<_, Vec<u8>>(first + 13).into(),
        },
    }
}

fn moment(moment: DateTime<Utc>) -> Timestamp {
    time::beijing(&moment)
}

/// A count in the only row.
fn number(rows: &[Row], column: usize) -> u64 {
    rows.first().and_then(|row| u64::try_from(row.get::<_, i64>(column)).ok()).unwrap_or(0)
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.min(LONGEST).as_micros()).unwrap_or(i64::MAX)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

//! Storing many notifications in one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use favor_store::StoreError;
use favor_store::postgres::tokio_postgres;
use favor_store::postgres::{Client, Database, Transaction};
use futures_util::future::BoxFuture;

use super::super::columns::Columns;
use super::super::{InboxId, Stored};

/// The channel on which arrivals are told.
pub(super) const CHANNEL: &str = "favor_inbox";

/// How often a batch is done again because what it repeated was forgotten meanwhile.
const ROUNDS: usize = 5;

const INSERT: &str = "
    WITH new AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
            $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[])
        WITH ORDINALITY AS new (merchant_id, notification_id, coupon_id, transaction_id, create_time, event_type,
            summary, signed_by, resource, request_timestamp, request_nonce, request_serial, request_signature,
            request_body, place)
    ), stored AS (
        INSERT INTO favor_inbox (merchant_id, notification_id, coupon_id, transaction_id, state, due, received_at)
        SELECT merchant_id, notification_id, coupon_id, transaction_id, 'waiting', clock_timestamp(),
            clock_timestamp()
        FROM new ORDER BY place
        ON CONFLICT DO NOTHING
        RETURNING id, merchant_id, notification_id
    ), contents AS (
        INSERT INTO favor_inbox_contents
        SELECT id, create_time, event_type, summary, signed_by, resource, request_timestamp, request_nonce,
            request_serial, request_signature, request_body
        FROM stored JOIN new USING (merchant_id, notification_id)
    )
    SELECT id, merchant_id, notification_id FROM stored";

const COUNT_SAME_ID: &str = "
    UPDATE favor_inbox n SET times_received = n.times_received + repeated.times
    FROM unnest($1::text[], $2::text[], $3::bigint[]) AS repeated (merchant_id, notification_id, times)
    WHERE n.merchant_id = repeated.merchant_id AND n.notification_id = repeated.notification_id
    RETURNING n.id, n.merchant_id, n.notification_id";

const COUNT_SAME_USE: &str = "
    UPDATE favor_inbox SET times_received = times_received + $4
    WHERE merchant_id = $1 AND coupon_id = $2 AND transaction_id = $3
    RETURNING id";

/// Merchant and notification id.
type Key = (String, String);

/// What a batch is to store: each notification once, and how often it came.
struct Batch<'a> {
    /// By key, so that batches that run side by side wait for each other in one order.
    new: Vec<&'a Columns>,
    times: HashMap<(&'a str, &'a str), i64>,
}

fn key(columns: &Columns) -> (&str, &str) {
    (&columns.merchant_id, &columns.notification_id)
}

/// Stores notifications and tells for each what became of it.
pub(super) async fn store(database: &Database, new: Vec<Arc<Columns>>) -> Result<Vec<Stored>, StoreError> {
    let new: Arc<[Arc<Columns>]> = new.into();
    for _ in 0..ROUNDS {
        let stored = database.run(|client| attempt_boxed(client, Arc::clone(&new))).await?;
        if let Some(stored) = stored {
            return Ok(stored);
        }
    }
    Err(StoreError::unavailable(std::io::Error::other(
        "what is repeated is being forgotten at the same time",
    )))
}

fn attempt_boxed(
    client: &mut Client,
    new: Arc<[Arc<Columns>]>,
) -> BoxFuture<'_, Result<Option<Vec<Stored>>, tokio_postgres::Error>> {
    Box::pin(async move { attempt(client, &new).await })
}

/// One transaction; none when something that was there at first was gone when it was looked for.
async fn attempt(
    client: &mut Client,
    new: &[Arc<Columns>],
) -> Result<Option<Vec<Stored>>, tokio_postgres::Error> {
    let mut times = HashMap::new();
    for columns in new {
        *times.entry(key(columns)).or_insert(0) += 1;
    }
    let mut distinct: HashMap<(&str, &str), &Columns> = HashMap::new();
    for columns in new {
        distinct.entry(key(columns)).or_insert(columns);
    }
    let mut first: Vec<&Columns> = distinct.into_values().collect();
    first.sort_unstable_by_key(|columns| key(columns));
    let batch = Batch { new: first, times };

    let transaction = client.transaction().await?;
    let inserted = insert(&transaction, &batch).await?;
    let Some(known) = count_repeats(&transaction, &batch, &inserted).await? else { return Ok(None) };
    if !inserted.is_empty() {
        transaction.execute("SELECT pg_notify($1, '')", &[&CHANNEL]).await?;
    }
    transaction.commit().await?;

    let mut fresh = inserted;
    let stored = new.iter().map(|columns| {
        let key = (columns.merchant_id.clone(), columns.notification_id.clone());
        // Only the first of several is new.
        match fresh.remove(&key) {
            Some(id) => Some(Stored::New(id)),
            None => known.get(&key).copied(),
        }
    });
    Ok(stored.collect())
}

async fn insert(
    transaction: &Transaction<'_>,
    batch: &Batch<'_>,
) -> Result<HashMap<Key, InboxId>, tokio_postgres::Error> {
    fn each<'a, T>(batch: &'a Batch<'a>, part: impl Fn(&'a Columns) -> T) -> Vec<T> {
        batch.new.iter().map(|columns| part(columns)).collect()
    }
    let statement = transaction.prepare_cached(INSERT).await?;
    let rows = transaction
        .query(
            &statement,
            &[
                &each(batch, |new| new.merchant_id.as_str()),
                &each(batch, |new| new.notification_id.as_str()),
                &each(batch, |new| new.coupon_id.as_deref()),
                &each(batch, |new| new.transaction_id.as_deref()),
                &each(batch, |new| new.create_time.as_str()),
                &each(batch, |new| new.event_type.as_str()),
                &each(batch, |new| new.summary.as_deref()),
                &each(batch, |new| new.signed_by.as_str()),
                &each(batch, |new| new.resource.as_str()),
                &each(batch, |new| new.request.timestamp.as_str()),
                &each(batch, |new| new.request.nonce.as_str()),
                &each(batch, |new| new.request.serial.as_str()),
                &each(batch, |new| new.request.signature.as_str()),
                &each(batch, |new| &new.request.body[..]),
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(((row.try_get(1)?, row.try_get(2)?), InboxId(row.try_get(0)?)))).collect()
}

/// Counts what came again: what was there before, and what came more than once in this batch. Gives what each is a
/// repeat of.
async fn count_repeats(
    transaction: &Transaction<'_>,
    batch: &Batch<'_>,
    inserted: &HashMap<Key, InboxId>,
) -> Result<Option<HashMap<Key, Stored>>, tokio_postgres::Error> {
    let owned = |columns: &Columns| (columns.merchant_id.clone(), columns.notification_id.clone());
    let repeated: Vec<(&Columns, i64)> = batch
        .new
        .iter()
        .map(|columns| {
            let is_new = inserted.contains_key(&owned(columns));
            (*columns, batch.times.get(&key(columns)).copied().unwrap_or(1) - i64::from(is_new))
        })
        .filter(|(_, times)| *times > 0)
        .collect();
    let mut known = HashMap::new();
    if repeated.is_empty() {
        return Ok(Some(known));
    }
    let merchants: Vec<_> = repeated.iter().map(|(columns, _)| columns.merchant_id.as_str()).collect();
    let ids: Vec<_> = repeated.iter().map(|(columns, _)| columns.notification_id.as_str()).collect();
    let times: Vec<_> = repeated.iter().map(|(_, times)| *times).collect();
    for row in transaction.query(COUNT_SAME_ID, &[&merchants, &ids, &times]).await? {
        known.insert((row.try_get(1)?, row.try_get(2)?), Stored::SameId(InboxId(row.try_get(0)?)));
    }
    for (columns, times) in repeated {
        let key = owned(columns);
        if known.contains_key(&key) {
            continue;
        }
        let same_use: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
            &[&columns.merchant_id, &columns.coupon_id, &columns.transaction_id, &times];
        // Gone when it was purged between the two statements.
        let Some(row) = transaction.query_opt(COUNT_SAME_USE, same_use).await? else { return Ok(None) };
        known.insert(key, Stored::SameUse(InboxId(row.try_get(0)?)));
    }
    Ok(Some(known))
}

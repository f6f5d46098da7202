//! Settling many receipts in one statement.

use std::collections::HashSet;
use std::sync::Arc;

use favor_store::StoreError;
use favor_store::postgres::{Client, Database};
use futures_util::future::BoxFuture;

use super::super::{Receipt, Settled, State};

/// What is to become of a claimed notification.
#[derive(Clone, Debug)]
pub(super) struct Settlement {
    pub(super) receipt: Receipt,
    pub(super) state: State,
    /// When it is due, or its lease ends: this many microseconds from now.
    pub(super) due_in: Option<i64>,
    pub(super) reason: Option<String>,
}

const SETTLE: &str = "
    UPDATE favor_inbox n SET state = s.state, due = clock_timestamp() + s.due_in * interval '1 microsecond',
        handled_at = CASE WHEN s.state = 'handled' THEN clock_timestamp() END, reason = coalesce(s.reason, n.reason)
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[]) AS s (id, fence, state, due_in, reason)
    WHERE n.id = s.id AND n.fence = s.fence AND n.state = 'claimed'
    RETURNING n.id";

/// Settles what still may be, in the order given.
pub(super) async fn settle(
    database: &Database,
    settlements: Vec<Settlement>,
) -> Result<Vec<Settled>, StoreError> {
    let mut settled = vec![Settled::Void; settlements.len()];
    let mut rest: Vec<(usize, Settlement)> = settlements.into_iter().enumerate().collect();
    while !rest.is_empty() {
        // One statement changes a row once: a second word on the same notification is for the next round.
        let mut seen = HashSet::new();
        let (round, later): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|(_, settlement)| seen.insert(settlement.receipt.id));
        let done =
            one_round(database, round.iter().map(|(_, settlement)| settlement.clone()).collect()).await?;
        for (place, settlement) in round {
            if done.contains(&settlement.receipt.id.0) {
                settled[place] = Settled::Done;
            }
        }
        rest = later;
    }
    Ok(settled)
}

async fn one_round(database: &Database, mut round: Vec<Settlement>) -> Result<HashSet<i64>, StoreError> {
    round.sort_unstable_by_key(|settlement| settlement.receipt.id);
    let round: Arc<[Settlement]> = round.into();
    database.run(move |client| run(client, Arc::clone(&round))).await
}

fn run(
    client: &mut Client,
    round: Arc<[Settlement]>,
) -> BoxFuture<'_, Result<HashSet<i64>, favor_store::postgres::tokio_postgres::Error>> {
    Box::pin(async move {
        let ids: Vec<_> = round.iter().map(|settlement| settlement.receipt.id.0).collect();
        let fences: Vec<_> = round.iter().map(|settlement| settlement.receipt.fence).collect();
        let states: Vec<_> = round.iter().map(|settlement| settlement.state.as_str()).collect();
        let due_in: Vec<_> = round.iter().map(|settlement| settlement.due_in).collect();
        let reasons: Vec<_> = round.iter().map(|settlement| settlement.reason.as_deref()).collect();
        let statement = client.prepare_cached(SETTLE).await?;
        let rows = client.query(&statement, &[&ids, &fences, &states, &due_in, &reasons]).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    })
}

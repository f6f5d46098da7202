//! Who works on what.

use std::time::Duration;

use favor_store::postgres::{Client, Transaction};

use super::super::{
    CampaignId, Claim, Claimed, Finish, Lease, OpenSlot, OutcomeState, Recorded, Result, Row, State, Task,
    WorkerId,
};
use super::{Answered, Work, orders, outcomes, values};

/// What is due and yet not to be had is under way in somebody else's transaction: no use to ask at once.
const SOON: Duration = Duration::from_millis(10);

/// The first that is due: people whose worker died come before those nobody has begun with. A subquery is asked once.
/// Whoever claims waits for nobody.
const CLAIM: &str = "
    WITH next AS (
        SELECT chunk FROM favor_chunks
        WHERE campaign = $1 AND is_open AND due <= (SELECT clock_timestamp())
            AND (SELECT state = 'running' FROM favor_campaigns WHERE id = $1)
        ORDER BY chunk LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE favor_chunks c SET owner = $2, fence = c.fence + 1,
        due = clock_timestamp() + $3::bigint * interval '1 microsecond'
    FROM next WHERE c.campaign = $1 AND c.chunk = next.chunk
    RETURNING c.chunk, c.fence, c.first_place, c.last_place";

const CAMPAIGN: &str = "
    SELECT state, coalesce(state = 'paused' AND paused_until <= clock_timestamp(), false), coupons_each,
        (extract(epoch FROM paused_until - clock_timestamp()) * 1000000)::bigint
    FROM favor_campaigns WHERE id = $1";

/// In how long the next is due; none when there is none.
const NEXT: &str = "
    SELECT CASE WHEN min(due) <= clock_timestamp() THEN 0
        ELSE (extract(epoch FROM min(due) - clock_timestamp()) * 1000000)::bigint END
    FROM favor_chunks WHERE campaign = $1 AND is_open";

/// A chunk is closed when none of its coupons is open. Opening coupons again counts its fence up, so that what is
/// counted here cannot be older than that.
const FINISH: &str = "
    UPDATE favor_chunks c SET owner = NULL, due = clock_timestamp() + $4::bigint * interval '1 microsecond', is_open = (
        SELECT count(*) FROM favor_outcomes o
        WHERE o.campaign = $1 AND o.place BETWEEN c.first_place AND c.last_place AND o.state <> 'open'
    ) < (c.last_place - c.first_place + 1) * (SELECT coupons_each FROM favor_campaigns WHERE id = $1)
    WHERE c.campaign = $1 AND c.chunk = $2 AND c.fence = $3";

pub(super) fn claim(
    client: &mut Client,
    (campaign, worker, lease): (CampaignId, WorkerId, i64),
) -> Work<'_, Result<Claimed>> {
    Box::pin(async move {
        let transaction = client.transaction().await?;
        let statement = transaction.prepare_cached(CAMPAIGN).await?;
        let Some(row) = transaction.query_opt(&statement, &[&campaign.0]).await? else {
            return Ok(Err(values::no_campaign(campaign)));
        };
        let is_over = row.get(1);
        if is_over && let Err(error) = orders::hold(&transaction, campaign).await? {
            return Ok(Err(error));
        }
        match values::state(row.get(0)) {
            Ok(State::Running) => {}
            Ok(State::Paused) if is_over => {}
            Ok(State::Paused) => {
                let until = row.get::<_, Option<i64>>(3).map(values::span);
                return Ok(Ok(Claimed::Later { next: until }));
            }
            Ok(State::Finished) => return Ok(Ok(Claimed::AllDone)),
            Ok(_) => return Ok(Ok(Claimed::Later { next: None })),
            Err(error) => return Ok(Err(error)),
        }
        let coupons_each = values::small(row.get(2));
        let statement = transaction.prepare_cached(CLAIM).await?;
        let Some(row) = transaction.query_opt(&statement, &[&campaign.0, &worker.0, &lease]).await? else {
            let statement = transaction.prepare_cached(NEXT).await?;
            let next: Option<i64> = transaction.query_one(&statement, &[&campaign.0]).await?.get(0);
            transaction.commit().await?;
            let later = |next| Claimed::Later { next: Some(values::span(next).max(SOON)) };
            return Ok(Ok(next.map_or(Claimed::AllDone, later)));
        };
        let lease = Lease { campaign, chunk: values::small(row.get(0)), fence: row.get(1) };
        let span = (row.get(2), row.get(3));
        let tasks = tasks(&transaction, campaign, span, coupons_each).await?;
        // Also when it cannot be read: it must not hold up those behind it.
        transaction.commit().await?;
        Ok(tasks.map(|tasks| Claimed::Chunk(Claim { lease, tasks })))
    })
}

/// The people of a chunk with open coupons. With the chunk's lock held, this sees all that earlier holders recorded.
async fn tasks(
    transaction: &Transaction<'_>,
    campaign: CampaignId,
    (first, last): (i64, i64),
    coupons_each: u32,
) -> Answered<Result<Vec<Task>>> {
    let rows = match outcomes::range(transaction, campaign, first, last, coupons_each).await? {
        Ok(rows) => rows,
        Err(error) => return Ok(Err(error)),
    };
    let open_slots = |row: &Row| -> Vec<OpenSlot> {
        let open = row.outcomes.iter().filter(|outcome| outcome.state == OutcomeState::Open);
        open.map(|outcome| OpenSlot {
            slot: outcome.slot,
            attempts: outcome.attempts,
            first_tried_at: outcome.first_tried_at,
        })
        .collect()
    };
    let tasks = rows.into_iter().filter_map(|row| {
        let (place, open) = (row.place, open_slots(&row));
        let missing = || values::damaged(format!("the openid at place {place}"), "it is missing");
        (!open.is_empty()).then(|| Ok(Task { place, openid: row.openid.ok_or_else(missing)?, open }))
    });
    Ok(tasks.collect())
}

pub(super) fn finish(client: &mut Client, (lease, how): (Lease, Finish)) -> Work<'_, Recorded> {
    Box::pin(async move {
        let after = match how {
            Finish::Done => 0,
            Finish::GiveBack { after } => values::micros(after),
        };
        let chunk = values::signed_small(lease.chunk);
        let statement = client.prepare_cached(FINISH).await?;
        let changed = client.execute(&statement, &[&lease.campaign.0, &chunk, &lease.fence, &after]).await?;
        Ok(if changed == 0 { Recorded::Lost } else { Recorded::Done })
    })
}

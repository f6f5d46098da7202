//! Writing down what became of coupons.

use std::collections::HashSet;
use std::sync::Arc;

use favor_core::Timestamp;
use favor_store::postgres::Client;

use super::super::{Fate, Lease, LedgerError, Recorded, Result, Settlement};
use super::{Work, values};

/// One statement, so that nobody waits for a worker that froze in the middle. Nothing is written unless the lease
/// held, and who holds the lease is decided while its row is locked.
///
/// What a row was before comes from the row itself (`was_state`, `was_code`), not from what this statement could see
/// when it began: the same record may be under way twice, when a connection broke and the worker tries again. All
/// tallies are locked in one order, after the chunk, so no two records wait for each other.
const RECORD: &str = "
    WITH held AS MATERIALIZED (
        UPDATE favor_chunks SET
            due = CASE WHEN owner IS NULL THEN due ELSE clock_timestamp() + $4::bigint * interval '1 microsecond' END
        WHERE campaign = $1 AND chunk = $2 AND fence = $3
        RETURNING first_place, last_place, (SELECT coupons_each FROM favor_campaigns WHERE id = $1) AS each
    ), given AS (
        SELECT s.*, s.place NOT BETWEEN first_place AND last_place OR s.slot >= each AS is_foreign FROM held, unnest($5::bigint[], $6::integer[], $7::text[], $8::text[], $9::text[], $10::text[],
            $11::integer[], $12::text[], $13::timestamptz[], $14::timestamptz[])
            AS s (place, slot, state, coupon_id, code, message, attempts, request_id, first_tried_at, settled_at)
    ), new AS (
        SELECT * FROM given WHERE NOT EXISTS (SELECT FROM given WHERE is_foreign)
    ), differing AS (
        SELECT n.place, n.slot, o.coupon_id AS kept, n.coupon_id AS other FROM new n JOIN favor_outcomes o
            ON o.campaign = $1 AND o.place = n.place AND o.slot = n.slot AND o.coupon_id <> n.coupon_id
    ), written AS (
        INSERT INTO favor_outcomes AS o (campaign, place, slot, state, coupon_id, code, message, attempts, request_id,
            first_tried_at, settled_at)
        SELECT $1, place, slot, state, coupon_id, code, message, attempts, request_id, first_tried_at, settled_at
        FROM new ORDER BY place, slot
        ON CONFLICT (campaign, place, slot) DO UPDATE SET state = excluded.state, coupon_id = excluded.coupon_id,
            code = excluded.code, message = excluded.message, attempts = excluded.attempts,
            request_id = excluded.request_id, first_tried_at = least(o.first_tried_at, excluded.first_tried_at),
            settled_at = excluded.settled_at, was_state = o.state, was_code = o.code
            WHERE o.state <> 'sent'
        RETURNING state, CASE WHEN state = 'sent' THEN '' ELSE coalesce(code, '') END AS code,
            was_state, coalesce(was_code, '') AS was_code
    ), changed AS (
        SELECT state, code, 1 AS by FROM written
        UNION ALL
        SELECT was_state, was_code, -1 FROM written WHERE was_state <> 'open'
    ), tallied AS (
        INSERT INTO favor_tallies AS t (campaign, state, code, count)
        SELECT $1, state, code, sum(by) FROM changed GROUP BY state, code HAVING sum(by) <> 0 ORDER BY state, code
        ON CONFLICT (campaign, state, code) DO UPDATE SET count = t.count + excluded.count
    ), noted AS (
        INSERT INTO favor_history (campaign, what, detail)
        SELECT $1, 'mismatch', format('place %s, slot %s: down as sent with coupon %s, now the answer was coupon %s',
            place, slot, kept, other)
        FROM differing ORDER BY place, slot
    )
    SELECT EXISTS (SELECT FROM held), EXISTS (SELECT FROM given WHERE is_foreign)";

/// Settlements as the statement takes them: an array for each column.
#[derive(Debug, Default)]
pub(super) struct Columns {
    places: Vec<i64>,
    slots: Vec<i32>,
    states: Vec<&'static str>,
    coupon_ids: Vec<Option<String>>,
    codes: Vec<Option<String>>,
    messages: Vec<Option<String>>,
    attempts: Vec<i32>,
    request_ids: Vec<Option<String>>,
    first_tried_at: Vec<Timestamp>,
    settled_at: Vec<Timestamp>,
}

impl Columns {
    fn push(&mut self, settlement: &Settlement) {
        let text = |text: &Option<String>| text.as_deref().map(values::text);
        self.places.push(values::signed(settlement.place));
        self.slots.push(values::signed_small(settlement.slot));
        self.states.push(settlement.fate.state().as_str());
        self.coupon_ids.push(match &settlement.fate {
            Fate::Sent { coupon_id } => Some(values::text(coupon_id.as_str())),
            Fate::Refused | Fate::Parked | Fate::Unknown => None,
        });
        self.codes.push(text(&settlement.code));
        self.messages.push(text(&settlement.message));
        self.attempts.push(values::signed_small(settlement.attempts));
        self.request_ids.push(text(&settlement.request_id));
        self.first_tried_at.push(settlement.first_tried_at);
        self.settled_at.push(settlement.settled_at);
    }
}

/// Each coupon once in a round, in the order given; at least one round.
pub(super) fn rounds(settled: &[Settlement]) -> Vec<Arc<Columns>> {
    let mut rest: Vec<&Settlement> = settled.iter().collect();
    let mut rounds = Vec::with_capacity(1);
    loop {
        let mut seen = HashSet::with_capacity(rest.len());
        let (round, later): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|settlement| seen.insert((settlement.place, settlement.slot)));
        let mut columns = Columns::default();
        round.into_iter().for_each(|settlement| columns.push(settlement));
        rounds.push(Arc::new(columns));
        if later.is_empty() {
            return rounds;
        }
        rest = later;
    }
}

pub(super) fn record(
    client: &mut Client,
    (lease, columns, extend): (Lease, Arc<Columns>, i64),
) -> Work<'_, Result<Recorded>> {
    Box::pin(async move {
        let statement = client.prepare_cached(RECORD).await?;
        let row = client
            .query_one(
                &statement,
                &[
                    &lease.campaign.0,
                    &values::signed_small(lease.chunk),
                    &lease.fence,
                    &extend,
                    &columns.places,
                    &columns.slots,
                    &columns.states,
                    &columns.coupon_ids,
                    &columns.codes,
                    &columns.messages,
                    &columns.attempts,
                    &columns.request_ids,
                    &columns.first_tried_at,
                    &columns.settled_at,
                ],
            )
            .await?;
        if row.get(1) {
            let text = format!("a coupon that was to be recorded is not of chunk {}", lease.chunk);
            return Ok(Err(LedgerError::Unusable(text)));
        }
        Ok(Ok(if row.get(0) { Recorded::Done } else { Recorded::Lost }))
    })
}

//! Opening again, forgetting and removing, a part at a time, so that nobody waits long.

use favor_store::postgres::Client;

use super::super::{CampaignId, Reopen, Result, State};
use super::{Work, orders, values};

/// Chunks whose coupons are opened again together.
const CHUNKS: i32 = 10;
/// People that are forgotten or removed together.
const PEOPLE: i64 = 50_000;

/// In the order in which they are, before anything else, as a record does: nobody waits for each other.
const LOCK_CHUNKS: &str = "
    SELECT min(first_place), max(last_place) FROM (
        SELECT first_place, last_place FROM favor_chunks WHERE campaign = $1 AND chunk BETWEEN $2 AND $3
        ORDER BY chunk FOR NO KEY UPDATE) AS locked";

/// The fence counts up: whoever works on such a chunk has not heard of these coupons, and must not close it.
const REOPEN: &str = "
    WITH opened AS (
        UPDATE favor_outcomes SET state = 'open', was_state = state, was_code = code
        WHERE campaign = $1 AND place BETWEEN $2 AND $3 AND state = ANY($4) AND state NOT IN ('sent', 'open')
            AND (cardinality($5::text[]) = 0 OR coalesce(code, '') = ANY($5))
        RETURNING place, slot, was_state, was_code, message, attempts, request_id, settled_at
    ), remembered AS (
        INSERT INTO favor_former_outcomes
            (campaign, place, slot, state, code, message, attempts, request_id, settled_at)
        SELECT $1, place, slot, was_state, was_code, message, attempts, request_id, settled_at FROM opened
    ), tallied AS (
        INSERT INTO favor_tallies AS t (campaign, state, code, count)
        SELECT $1, was_state, coalesce(was_code, ''), -count(*) FROM opened GROUP BY 2, 3 ORDER BY 2, 3
        ON CONFLICT (campaign, state, code) DO UPDATE SET count = t.count + excluded.count
    ), chunks AS (
        UPDATE favor_chunks c SET is_open = true, owner = NULL, due = clock_timestamp(), fence = c.fence + 1
        WHERE c.campaign = $1 AND c.chunk BETWEEN $6 AND $7
            AND EXISTS (SELECT FROM opened WHERE opened.place BETWEEN c.first_place AND c.last_place)
    )
    SELECT count(*) FROM opened";

const WANTED: &str = "
    SELECT concat_ws(' ', count, state, code) FROM favor_tallies
    WHERE campaign = $1 AND count > 0 AND state = ANY($2) AND state NOT IN ('sent', 'open')
        AND (cardinality($3::text[]) = 0 OR code = ANY($3))
    ORDER BY state, code";

const FORGET: &str = "
    UPDATE favor_people SET openid = NULL WHERE campaign = $1 AND place BETWEEN $2 AND $3 AND openid IS NOT NULL";

const MARK_PURGED: &str = "UPDATE favor_campaigns SET purged = true WHERE id = $1";

const REMOVE_PEOPLE: &str = "DELETE FROM favor_people WHERE campaign = $1 AND place >= $2";
const REMOVE_CHUNKS: &str = "DELETE FROM favor_chunks WHERE campaign = $1";
const FEWER: &str = "UPDATE favor_campaigns SET state = 'importing', people = $2 WHERE id = $1";
const REMOVE_HISTORY: &str = "DELETE FROM favor_history WHERE campaign = $1";
const REMOVE: &str = "DELETE FROM favor_campaigns WHERE id = $1";

/// What a part brought, and where the next one begins.
pub(super) struct Reopened {
    pub(super) coupons: u64,
    pub(super) next: Option<i32>,
}

/// See [`Reopened`].
pub(super) struct Purged {
    pub(super) people: u64,
    pub(super) next: Option<i64>,
}

/// Looks whether there is anything to open, and if so writes down that it is opened.
pub(super) fn begin_reopen(
    client: &mut Client,
    (campaign, which): (CampaignId, Reopen),
) -> Work<'_, Result<bool>> {
    Box::pin(async move {
        let transaction = client.transaction().await?;
        let held = match orders::hold(&transaction, campaign).await? {
            Ok(held) if held.was_purged => {
                return Ok(Err(held.not_now("opened again, since its openids were purged")));
            }
            Ok(held) if held.state == State::Importing => return Ok(Err(held.not_now("opened again"))),
            Ok(held) => held,
            Err(error) => return Ok(Err(error)),
        };
        let rows = transaction.query(WANTED, &[&campaign.0, &words(&which), &which.codes]).await?;
        if rows.is_empty() {
            return Ok(Ok(false));
        }
        let parts: Vec<String> =
            rows.iter().map(|row| row.get::<_, String>(0).trim_end().to_owned()).collect();
        orders::note(&transaction, campaign, "reopened", Some(&parts.join(", "))).await?;
        if held.state == State::Finished {
            orders::change(&transaction, &held, State::Stopped).await?;
        }
        transaction.commit().await?;
        Ok(Ok(true))
    })
}

fn words(which: &Reopen) -> Vec<&'static str> {
    which.states.iter().map(|state| state.as_str()).collect()
}

pub(super) fn reopen_some(
    client: &mut Client,
    (campaign, which, first): (CampaignId, Reopen, i32),
) -> Work<'_, Result<Reopened>> {
    Box::pin(async move {
        let transaction = client.transaction().await?;
        let held = match orders::hold(&transaction, campaign).await? {
            Ok(held) => held,
            Err(error) => return Ok(Err(error)),
        };
        let last = first.saturating_add(CHUNKS - 1);
        let places = transaction.query_one(LOCK_CHUNKS, &[&campaign.0, &first, &last]).await?;
        let (Some(first_place), Some(last_place)) =
            (places.get::<_, Option<i64>>(0), places.get::<_, Option<i64>>(1))
        else {
            return Ok(Ok(Reopened { coupons: 0, next: None }));
        };
        let row = transaction
            .query_one(
                REOPEN,
                &[&campaign.0, &first_place, &last_place, &words(&which), &which.codes, &first, &last],
            )
            .await?;
        let coupons = values::unsigned(row.get(0));
        // Somebody saw all settled, and finished it since this began.
        if coupons > 0 && held.state == State::Finished {
            orders::change(&transaction, &held, State::Stopped).await?;
        }
        transaction.commit().await?;
        Ok(Ok(Reopened { coupons, next: last.checked_add(1) }))
    })
}

pub(super) fn purge_some(
    client: &mut Client,
    (campaign, first): (CampaignId, i64),
) -> Work<'_, Result<Purged>> {
    Box::pin(async move {
        let transaction = client.transaction().await?;
        let held = match orders::hold(&transaction, campaign).await? {
            Ok(held) if matches!(held.state, State::Stopped | State::Finished) => held,
            Ok(held) => return Ok(Err(held.not_now("purged"))),
            Err(error) => return Ok(Err(error)),
        };
        if !held.was_purged {
            transaction.execute(MARK_PURGED, &[&campaign.0]).await?;
            orders::note(&transaction, campaign, "purged", None).await?;
        }
        let after = first.saturating_add(PEOPLE);
        let people = transaction.execute(FORGET, &[&campaign.0, &first, &(after - 1)]).await?;
        transaction.commit().await?;
        Ok(Ok(Purged { people, next: (values::unsigned(after) < held.people).then_some(after) }))
    })
}

/// Takes the last people out; says whether the campaign is gone. In between it is one whose import has not ended.
pub(super) fn discard_some(client: &mut Client, campaign: CampaignId) -> Work<'_, Result<bool>> {
    Box::pin(async move {
        let transaction = client.transaction().await?;
        let held = match orders::hold(&transaction, campaign).await? {
            Ok(held) if !held.was_started && matches!(held.state, State::Importing | State::Planned) => held,
            Ok(held) => return Ok(Err(held.not_now("discarded"))),
            Err(error) => return Ok(Err(error)),
        };
        let left = values::signed(held.people).saturating_sub(PEOPLE).max(0);
        transaction.execute(REMOVE_PEOPLE, &[&campaign.0, &left]).await?;
        transaction.execute(REMOVE_CHUNKS, &[&campaign.0]).await?;
        if left == 0 {
            transaction.execute(REMOVE_HISTORY, &[&campaign.0]).await?;
            transaction.execute(REMOVE, &[&campaign.0]).await?;
        } else {
            transaction.execute(FEWER, &[&campaign.0, &left]).await?;
        }
        transaction.commit().await?;
        Ok(Ok(left == 0))
    })
}

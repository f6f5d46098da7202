//! People and what became of their coupons.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use favor_core::{CouponId, OpenId};
use favor_store::postgres::{Client, tokio_postgres};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StringDeserializer};

use super::super::{CampaignId, OutcomeState, Result, Row, RowOutcome};
use super::{Answered, Work, values};

/// Places have no gaps, so a page is a range of them.
const ROWS: &str = "
    SELECT p.place, p.line, p.openid, o.slot, o.state, o.coupon_id, o.code, o.message, o.attempts, o.request_id,
        o.first_tried_at, o.settled_at
    FROM favor_people p LEFT JOIN favor_outcomes o
        ON o.campaign = $1 AND o.place = p.place AND o.place BETWEEN $2 AND $3
    WHERE p.campaign = $1 AND p.place BETWEEN $2 AND $3
    ORDER BY p.place, o.slot";

const COUPONS_EACH: &str = "SELECT coupons_each FROM favor_campaigns WHERE id = $1";

/// People lie in the order of their openids: halving finds one among ten million in 24 steps, without an index that
/// would have to be kept.
const FIND: &str = "
    WITH RECURSIVE halves (low, high, openid) AS (
        SELECT 0::bigint, people - 1, NULL::text COLLATE \"C\" FROM favor_campaigns WHERE id = $1
        UNION ALL
        SELECT CASE WHEN p.openid < $2 COLLATE \"C\" THEN (low + high) / 2 + 1 ELSE low END,
            CASE WHEN p.openid < $2 COLLATE \"C\" THEN high ELSE (low + high) / 2 END, NULL
        FROM halves JOIN favor_people p ON p.campaign = $1 AND p.place = (low + high) / 2
        WHERE low < high
    )
    SELECT p.place FROM halves h JOIN favor_people p ON p.campaign = $1 AND p.place = h.low
    WHERE h.low = h.high AND p.openid = $2 COLLATE \"C\"";

pub(super) fn rows(
    client: &mut Client,
    (campaign, after, most): (CampaignId, Option<u64>, usize),
) -> Work<'_, Result<Vec<Row>>> {
    Box::pin(async move {
        let first = after.map_or(0, |place| values::signed(place).saturating_add(1));
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        read(client, campaign, first, first.saturating_add(most).saturating_sub(1)).await
    })
}

pub(super) fn find(
    client: &mut Client,
    (campaign, openid): (CampaignId, OpenId),
) -> Work<'_, Result<Option<Row>>> {
    Box::pin(async move {
        let statement = client.prepare_cached(FIND).await?;
        let found = client.query_opt(&statement, &[&campaign.0, &openid.as_str()]).await?;
        let (first, last) = found.map_or((0, -1), |row| (row.get(0), row.get(0)));
        Ok(read(client, campaign, first, last).await?.map(|rows| rows.into_iter().next()))
    })
}

async fn read(
    client: &mut Client,
    campaign: CampaignId,
    first: i64,
    last: i64,
) -> Answered<Result<Vec<Row>>> {
    let statement = client.prepare_cached(COUPONS_EACH).await?;
    let Some(row) = client.query_opt(&statement, &[&campaign.0]).await? else {
        return Ok(Err(values::no_campaign(campaign)));
    };
    let coupons_each = values::small(row.get(0));
    let statement = client.prepare_cached(ROWS).await?;
    let rows = client.query(&statement, &[&campaign.0, &first, &last]).await?;
    let people = rows.chunk_by(|one, other| one.get::<_, i64>(0) == other.get::<_, i64>(0));
    Ok(people.map(|person| row_of(person, coupons_each)).collect())
}

/// What the rows of one person come to; each holds one of the person's coupons, if any.
fn row_of(person: &[tokio_postgres::Row], coupons_each: u32) -> Result<Row> {
    let first = &person[0];
    let place = values::unsigned(first.get(0));
    let damaged = |what: &str, cause: Box<dyn std::error::Error + Send + Sync>| {
        values::damaged(format!("{what} at place {place}"), cause)
    };
    let openid: Option<String> = first.get(2);
    let openid = openid.map(OpenId::new).transpose().map_err(|error| damaged("the openid", error.into()))?;
    let mut kept = HashMap::new();
    for row in person {
        let Some(slot) = row.get::<_, Option<i32>>(3).map(values::small) else { continue };
        let word: String = row.get(4);
        let Some(state) = OutcomeState::from_word(&word) else {
            return Err(damaged("the outcome", format!("there is no state {word:?}").into()));
        };
        let coupon_id = row.get::<_, Option<String>>(5).map(coupon_id).transpose();
        let outcome = RowOutcome {
            slot,
            state,
            coupon_id: coupon_id.map_err(|error| damaged("the coupon's id", error.into()))?,
            code: row.get(6),
            message: row.get(7),
            attempts: values::small(row.get(8)),
            request_id: row.get(9),
            first_tried_at: Some(values::moment(row.get::<_, DateTime<Utc>>(10))),
            settled_at: Some(values::moment(row.get::<_, DateTime<Utc>>(11))),
        };
        kept.insert(slot, outcome);
    }
    let untried = |slot| RowOutcome {
        slot,
        state: OutcomeState::Open,
        coupon_id: None,
        code: None,
        message: None,
        attempts: 0,
        request_id: None,
        first_tried_at: None,
        settled_at: None,
    };
    let outcomes =
        (0..coupons_each).map(|slot| kept.remove(&slot).unwrap_or_else(|| untried(slot))).collect();
    Ok(Row { place, line: values::unsigned(first.get(1)), openid, outcomes })
}

/// As the platform gave it, whatever its form.
fn coupon_id(text: String) -> std::result::Result<CouponId, ValueError> {
    let text: StringDeserializer<ValueError> = text.into_deserializer();
    CouponId::deserialize(text)
}

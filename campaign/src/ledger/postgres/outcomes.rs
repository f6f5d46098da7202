//! People and what became of their coupons.

use chrono::{DateTime, Utc};
use favor_core::{CouponId, OpenId};
use favor_store::postgres::{Client, Transaction, tokio_postgres};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::{Error as ValueError, StringDeserializer};

use super::super::{CampaignId, OutcomeState, Result, Row, RowOutcome};
use super::{Answered, Work, values};

/// Places have no gaps, so a page is a range of them. The two are not joined here: what the server believes about the size
/// of a table that grows fast decides how it joins.
const PEOPLE: &str = "
    SELECT place, line, openid FROM favor_people WHERE campaign = $1 AND place BETWEEN $2 AND $3 ORDER BY place";

const OUTCOMES: &str = "
    SELECT place, slot, state, coupon_id, code, message, attempts, request_id, first_tried_at, settled_at
    FROM favor_outcomes WHERE campaign = $1 AND place BETWEEN $2 AND $3 ORDER BY place, slot";

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
    let transaction = client.transaction().await?;
    let statement = transaction.prepare_cached(COUPONS_EACH).await?;
    let Some(row) = transaction.query_opt(&statement, &[&campaign.0]).await? else {
        return Ok(Err(values::no_campaign(campaign)));
    };
    let rows = range(&transaction, campaign, first, last, values::small(row.get(0))).await;
    transaction.commit().await?;
    rows
}

/// The people from one place to another, and what became of their coupons.
pub(super) async fn range(
    transaction: &Transaction<'_>,
    campaign: CampaignId,
    first: i64,
    last: i64,
    coupons_each: u32,
) -> Answered<Result<Vec<Row>>> {
    let statement = transaction.prepare_cached(PEOPLE).await?;
    let people = transaction.query(&statement, &[&campaign.0, &first, &last]).await?;
    let statement = transaction.prepare_cached(OUTCOMES).await?;
    let outcomes = transaction.query(&statement, &[&campaign.0, &first, &last]).await?;
    let mut outcomes = outcomes.iter().peekable();
    let rows = people.iter().map(|person| {
        let mut row = row(person, coupons_each)?;
        // A row of a person who is not there is nobody's business here.
        while let Some(next) = outcomes.next_if(|next| values::unsigned(next.get(0)) <= row.place) {
            let outcome = outcome(next)?;
            let is_of_person = values::unsigned(next.get(0)) == row.place;
            if let Some(slot) = row.outcomes.iter_mut().find(|slot| is_of_person && slot.slot == outcome.slot)
            {
                *slot = outcome;
            }
        }
        Ok(row)
    });
    Ok(rows.collect())
}

/// A person, and coupons that were never recorded.
fn row(person: &tokio_postgres::Row, coupons_each: u32) -> Result<Row> {
    let place = values::unsigned(person.get(0));
    let damaged = |error| values::damaged(format!("the openid at place {place}"), error);
    let openid: Option<String> = person.get(2);
    let openid = openid.map(OpenId::new).transpose().map_err(damaged)?;
    let untouched = |slot| RowOutcome {
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
    let outcomes = (0..coupons_each).map(untouched).collect();
    Ok(Row { place, line: values::unsigned(person.get(1)), openid, outcomes })
}

fn outcome(row: &tokio_postgres::Row) -> Result<RowOutcome> {
    let place: i64 = row.get(0);
    let word: &str = row.get(2);
    let state = OutcomeState::from_word(word).ok_or_else(|| {
        values::damaged(format!("the outcome at place {place}"), format!("{word:?} is no state"))
    })?;
    let coupon_id = row.get::<_, Option<String>>(3).map(coupon_id).transpose();
    Ok(RowOutcome {
        slot: values::small(row.get(1)),
        state,
        coupon_id: coupon_id
            .map_err(|error| values::damaged(format!("the coupon at place {place}"), error))?,
        code: row.get(4),
        message: row.get(5),
        attempts: values::small(row.get(6)),
        request_id: row.get(7),
        first_tried_at: Some(values::moment(row.get::<_, DateTime<Utc>>(8))),
        settled_at: Some(values::moment(row.get::<_, DateTime<Utc>>(9))),
    })
}

/// As the platform gave it, whatever its form.
fn coupon_id(text: String) -> std::result::Result<CouponId, ValueError> {
    let text: StringDeserializer<ValueError> = text.into_deserializer();
    CouponId::deserialize(text)
}

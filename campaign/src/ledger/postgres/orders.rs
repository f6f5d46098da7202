//! How a campaign stands, and what changes that.

use chrono::{DateTime, Utc};
use favor_core::Timestamp;
use favor_store::postgres::tokio_postgres::{self, Row};
use favor_store::postgres::{Client, Transaction};

use super::super::{
    Campaign, CampaignId, HistoryEntry, LedgerError, Order, OutcomeState, Result, Standing, State, Tally,
};
use super::{Answered, Work, values};
use crate::manifest::Manifest;
use crate::name::CampaignName;

/// A campaign whose pause has passed is running.
macro_rules! select_standing {
    ($which:literal) => {
        concat!(
            "WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now)
            SELECT c.id, CASE WHEN c.state = 'paused' AND c.paused_until <= now THEN 'running' ELSE c.state END,
                c.reason, c.by_operator, c.paused_until, c.people, c.coupons_each, c.started_at, c.finished_at,
                (SELECT count(DISTINCT owner) FROM favor_chunks
                    WHERE campaign = c.id AND is_open AND due > (SELECT now FROM clock)),
                t.states, t.codes, t.counts, now, c.manifest
            FROM clock, favor_campaigns c CROSS JOIN LATERAL (
                SELECT array_agg(state) AS states, array_agg(code) AS codes, array_agg(count) AS counts
                FROM favor_tallies WHERE campaign = c.id AND count > 0) t ",
            $which
        )
    };
}

const BY_ID: &str = select_standing!("WHERE c.id = $1");
const BY_NAME: &str = select_standing!("WHERE c.name = $1");
const ALL: &str = select_standing!("ORDER BY c.id");

const HISTORY: &str = "SELECT at, what, detail FROM favor_history WHERE campaign = $1 ORDER BY id";

/// Not `FOR UPDATE`: nobody who only refers to the campaign is to wait.
const LOCK: &str = "
    SELECT state, by_operator, reason, paused_until, coalesce(paused_until <= clock_timestamp(), false), purged, people,
        coupons_each, started_at IS NOT NULL
    FROM favor_campaigns WHERE id = $1 FOR NO KEY UPDATE";

const CHANGE: &str = "
    UPDATE favor_campaigns SET state = $2, reason = $3, by_operator = $4, paused_until = $5,
        started_at = CASE WHEN $2 = 'running' THEN coalesce(started_at, clock_timestamp()) ELSE started_at END,
        finished_at = CASE WHEN $2 = 'finished' THEN clock_timestamp() END
    WHERE id = $1";

const NOTE: &str = "
    INSERT INTO favor_history (campaign, what, detail, at) VALUES ($1, $2, $3, coalesce($4, clock_timestamp()))";

/// Whoever settled the last coupons may have died before it said so.
const CLOSE: &str = "UPDATE favor_chunks SET is_open = false, owner = NULL WHERE campaign = $1 AND is_open";

const SETTLED: &str = "SELECT coalesce(sum(count), 0)::bigint FROM favor_tallies WHERE campaign = $1";

/// A campaign that nobody else changes until the transaction ends.
pub(super) struct Held {
    id: CampaignId,
    pub(super) state: State,
    by_operator: bool,
    reason: Option<String>,
    paused_until: Option<DateTime<Utc>>,
    pub(super) was_purged: bool,
    pub(super) people: u64,
    coupons_each: u64,
    pub(super) was_started: bool,
}

impl Held {
    pub(super) fn not_now(&self, wanted: &'static str) -> LedgerError {
        LedgerError::NotNow { state: self.state, wanted }
    }
}

/// Locks a campaign. A pause that is over is ended in the ledger too.
pub(super) async fn hold(transaction: &Transaction<'_>, campaign: CampaignId) -> Answered<Result<Held>> {
    let statement = transaction.prepare_cached(LOCK).await?;
    let Some(row) = transaction.query_opt(&statement, &[&campaign.0]).await? else {
        return Ok(Err(values::no_campaign(campaign)));
    };
    let mut held = Held {
        id: campaign,
        state: match values::state(row.get(0)) {
            Ok(state) => state,
            Err(error) => return Ok(Err(error)),
        },
        by_operator: row.get(1),
        reason: row.get(2),
        paused_until: row.get(3),
        was_purged: row.get(5),
        people: values::unsigned(row.get(6)),
        coupons_each: u64::from(values::small(row.get(7))),
        was_started: row.get(8),
    };
    if held.state == State::Paused && row.get(4) {
        change(transaction, &held, State::Running).await?;
        let statement = transaction.prepare_cached(NOTE).await?;
        let detail = Some("its time had come");
        transaction.execute(&statement, &[&campaign.0, &"resumed", &detail, &held.paused_until]).await?;
        held.state = State::Running;
    }
    Ok(Ok(held))
}

/// Writes something to the history.
pub(super) async fn note(
    transaction: &Transaction<'_>,
    campaign: CampaignId,
    what: &str,
    detail: Option<&str>,
) -> Answered<()> {
    let statement = transaction.prepare_cached(NOTE).await?;
    transaction.execute(&statement, &[&campaign.0, &what, &detail, &None::<DateTime<Utc>>]).await?;
    Ok(())
}

/// What a campaign is changed to.
struct Change {
    to: State,
    reason: Option<String>,
    by_operator: bool,
    until: Option<Timestamp>,
}

impl From<State> for Change {
    fn from(to: State) -> Self {
        Self { to, reason: None, by_operator: false, until: None }
    }
}

pub(super) fn order(
    client: &mut Client,
    (campaign, order): (CampaignId, Order),
) -> Work<'_, Result<Standing>> {
    Box::pin(async move {
        let transaction = client.transaction().await?;
        let held = match hold(&transaction, campaign).await? {
            Ok(held) => held,
            Err(error) => return Ok(Err(error)),
        };
        match decide(&transaction, &held, order).await? {
            Ok(None) => {}
            Ok(Some((change, what))) => apply(&transaction, &held, change, what).await?,
            Err(error) => return Ok(Err(error)),
        }
        let statement = transaction.prepare_cached(BY_ID).await?;
        let row = transaction.query_one(&statement, &[&campaign.0]).await?;
        transaction.commit().await?;
        Ok(read_standing(&row))
    })
}

/// What an order changes, and the word for it; none when it is so already.
async fn decide(
    transaction: &Transaction<'_>,
    held: &Held,
    order: Order,
) -> Answered<Result<Option<(Change, &'static str)>>> {
    let refused = |wanted| Ok(Err(held.not_now(wanted)));
    let decided = match (order, held.state) {
        (Order::Start, State::Running) => None,
        (Order::Start, State::Planned | State::Stopped) if held.was_purged => {
            return refused("started, since its openids were purged");
        }
        (Order::Start, State::Planned | State::Stopped) => Some((State::Running.into(), "started")),
        (Order::Start, _) => return refused("started"),
        (Order::Pause { by_operator: false, .. }, State::Paused) if held.by_operator => None,
        (Order::Pause { reason, until, by_operator }, State::Running | State::Paused) => {
            let change =
                Change { to: State::Paused, reason: Some(values::text(&reason)), by_operator, until };
            // Many workers meet the same obstacle at the same time.
            let is_known = held.state == State::Paused
                && (by_operator, &change.reason) == (held.by_operator, &held.reason)
                && change.until.map(|until| until.timestamp_micros())
                    == held.paused_until.map(|until| until.timestamp_micros());
            (!is_known).then_some((change, "paused"))
        }
        (Order::Pause { .. }, _) => return refused("paused"),
        (Order::Resume, State::Paused) => Some((State::Running.into(), "resumed")),
        (Order::Resume, _) => return refused("resumed"),
        (Order::Stop, State::Running | State::Paused) => Some((State::Stopped.into(), "stopped")),
        (Order::Stop, _) => return refused("stopped"),
        (Order::Finish, State::Running) => {
            if !is_settled(transaction, held).await? {
                return refused("finished while coupons are open");
            }
            transaction.execute(CLOSE, &[&held.id.0]).await?;
            Some((State::Finished.into(), "finished"))
        }
        (Order::Finish, _) => return refused("finished"),
    };
    Ok(Ok(decided))
}

/// Whether no coupon is open.
async fn is_settled(transaction: &Transaction<'_>, held: &Held) -> Answered<bool> {
    let statement = transaction.prepare_cached(SETTLED).await?;
    let settled: i64 = transaction.query_one(&statement, &[&held.id.0]).await?.get(0);
    Ok(values::unsigned(settled) >= held.people.saturating_mul(held.coupons_each))
}

async fn apply(transaction: &Transaction<'_>, held: &Held, change: Change, what: &str) -> Answered<()> {
    let statement = transaction.prepare_cached(CHANGE).await?;
    let state = change.to.as_str();
    transaction
        .execute(&statement, &[&held.id.0, &state, &change.reason, &change.by_operator, &change.until])
        .await?;
    note(transaction, held.id, what, change.reason.as_deref()).await
}

/// Changes the state of a campaign that is held, for work that has its own word in the history.
pub(super) async fn change(transaction: &Transaction<'_>, held: &Held, to: State) -> Answered<()> {
    let statement = transaction.prepare_cached(CHANGE).await?;
    let none = (None::<String>, None::<DateTime<Utc>>);
    transaction.execute(&statement, &[&held.id.0, &to.as_str(), &none.0, &false, &none.1]).await?;
    Ok(())
}

pub(super) fn standing(client: &mut Client, campaign: CampaignId) -> Work<'_, Result<Standing>> {
    Box::pin(async move {
        let statement = client.prepare_cached(BY_ID).await?;
        let row = client.query_opt(&statement, &[&campaign.0]).await?;
        Ok(row.map_or_else(|| Err(values::no_campaign(campaign)), |row| read_standing(&row)))
    })
}

pub(super) fn by_name(client: &mut Client, name: CampaignName) -> Work<'_, Result<Campaign>> {
    Box::pin(async move {
        let statement = client.prepare_cached(BY_NAME).await?;
        let row = client.query_opt(&statement, &[&name.as_str()]).await?;
        Ok(row.map_or_else(
            || Err(LedgerError::NoCampaign(name.as_str().to_owned())),
            |row| read_campaign(&row),
        ))
    })
}

pub(super) fn all(client: &mut Client, (): ()) -> Work<'_, Result<Vec<Campaign>>> {
    Box::pin(async move {
        let statement = client.prepare_cached(ALL).await?;
        let rows = client.query(&statement, &[]).await?;
        Ok(rows.iter().map(read_campaign).collect())
    })
}

pub(super) fn history(client: &mut Client, campaign: CampaignId) -> Work<'_, Result<Vec<HistoryEntry>>> {
    Box::pin(async move {
        let statement = client.prepare_cached(HISTORY).await?;
        let rows = client.query(&statement, &[&campaign.0]).await?;
        let entry =
            |row: &Row| HistoryEntry { at: values::moment(row.get(0)), what: row.get(1), detail: row.get(2) };
        // A campaign's history begins with it.
        Ok(if rows.is_empty() {
            Err(values::no_campaign(campaign))
        } else {
            Ok(rows.iter().map(entry).collect())
        })
    })
}

/// The manifest of a text that the database keeps.
pub(super) fn read_manifest(text: &str) -> Result<Manifest> {
    serde_json::from_str(text).map_err(|error| values::damaged("a campaign's manifest", error))
}

fn read_campaign(row: &Row) -> Result<Campaign> {
    Ok(Campaign::new(CampaignId(row.get(0)), read_manifest(row.get(14))?, read_standing(row)?))
}

fn read_standing(row: &tokio_postgres::Row) -> Result<Standing> {
    let moment = |column: usize| row.get::<_, Option<DateTime<Utc>>>(column).map(values::moment);
    let people = values::unsigned(row.get(5));
    let coupons = people.saturating_mul(u64::from(values::small(row.get(6))));
    let mut standing =
        Standing::new(values::state(row.get(1))?, people, coupons, values::moment(row.get(13)));
    if standing.state == State::Paused {
        standing.reason = row.get(2);
        standing.paused_by_operator = row.get(3);
        standing.paused_until = moment(4);
    }
    standing.started_at = moment(7);
    standing.finished_at = moment(8);
    standing.workers = values::unsigned(row.get(9));
    let words: Option<Vec<String>> = row.get(10);
    let codes: Option<Vec<String>> = row.get(11);
    let counts: Option<Vec<i64>> = row.get(12);
    let tallies =
        words.into_iter().flatten().zip(codes.into_iter().flatten()).zip(counts.into_iter().flatten());
    for ((word, code), count) in tallies {
        let state = OutcomeState::from_word(&word)
            .ok_or_else(|| values::damaged("a tally's state", format!("{word:?} is none")))?;
        standing.tallies.push(Tally { state, code, count: values::unsigned(count) });
    }
    standing.tallies.sort_unstable_by(|one, other| (one.state, &one.code).cmp(&(other.state, &other.code)));
    Ok(standing)
}

//! Bringing a campaign's people in.

use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::Arc;

use favor_core::OpenId;
use favor_store::postgres::{Client, Transaction};
use futures_util::SinkExt as _;

use super::super::{CampaignId, LedgerError, Recipient, Result, State};
use super::{Answered, Work, orders, values};
use crate::manifest::Manifest;

/// Most people that are brought in by one transaction.
pub(super) const COPIED: usize = 20_000;

/// Whoever begins a campaign of this name at the same time waits here.
const BEGIN: &str = "
    INSERT INTO favor_campaigns (name, manifest, coupons_each, state) VALUES ($1, $2, $3, 'importing')
    ON CONFLICT (name) DO NOTHING RETURNING id";

const BEGUN: &str = "SELECT id, manifest, state, people FROM favor_campaigns WHERE name = $1";

const OPENID_AT: &str = "SELECT openid FROM favor_people WHERE campaign = $1 AND place = $2";

const COPY: &str = "COPY favor_people (campaign, place, line, openid) FROM STDIN";

const COUNT_IN: &str = "UPDATE favor_campaigns SET people = $2 WHERE id = $1";

const COUNT: &str = "SELECT count(*), coalesce(max(place) + 1, 0) FROM favor_people WHERE campaign = $1";

const DIVIDE: &str = "
    INSERT INTO favor_chunks (campaign, chunk, first_place, last_place)
    SELECT $1, n, n * $3::bigint, least((n + 1) * $3::bigint, $2::bigint) - 1
    FROM generate_series(0, ($2::bigint - 1) / $3::bigint) AS n";

/// What is planned for a table of this size is planned for it from the start.
const LOOK: &str = "ANALYZE favor_people, favor_chunks";

pub(super) fn begin(client: &mut Client, manifest: Manifest) -> Work<'_, Result<(CampaignId, u64)>> {
    Box::pin(async move {
        let text = match serde_json::to_string(&manifest) {
            Ok(text) => text,
            Err(error) => return Ok(Err(values::damaged("the manifest", error))),
        };
        let name = manifest.name.as_str();
        let each = values::signed_small(manifest.coupons_per_person);
        let transaction = client.transaction().await?;
        let statement = transaction.prepare_cached(BEGIN).await?;
        if let Some(row) = transaction.query_opt(&statement, &[&name, &text, &each]).await? {
            let campaign = CampaignId(row.get(0));
            orders::note(&transaction, campaign, "planned", None).await?;
            transaction.commit().await?;
            return Ok(Ok((campaign, 0)));
        }
        let statement = transaction.prepare_cached(BEGUN).await?;
        let row = transaction.query_opt(&statement, &[&name]).await?;
        transaction.commit().await?;
        // It was discarded since.
        let Some(row) = row else { return Ok(Err(LedgerError::NoCampaign(name.to_owned()))) };
        let found = orders::read_manifest(row.get(1)).and_then(|kept| {
            if (Manifest { planned_at: manifest.planned_at, ..kept }) != manifest {
                return Err(LedgerError::NameTaken(name.to_owned()));
            }
            match values::state(row.get(2))? {
                State::Importing => Ok((CampaignId(row.get(0)), values::unsigned(row.get(3)))),
                state => Err(LedgerError::NotNow { state, wanted: "imported again" }),
            }
        });
        Ok(found)
    })
}

pub(super) fn add(
    client: &mut Client,
    (campaign, people): (CampaignId, Arc<[Recipient]>),
) -> Work<'_, Result<()>> {
    Box::pin(async move {
        let transaction = client.transaction().await?;
        let held = match orders::hold(&transaction, campaign).await? {
            Ok(held) if held.state == State::Importing => held,
            Ok(held) => return Ok(Err(held.not_now("added to"))),
            Err(error) => return Ok(Err(error)),
        };
        let new: Vec<_> = people.iter().filter(|person| person.place >= held.people).collect();
        let Some(newest) = new.last() else { return Ok(Ok(())) };
        let next = newest.place + 1;
        let before = if held.people > 0 {
            let statement = transaction.prepare_cached(OPENID_AT).await?;
            let place = values::signed(held.people - 1);
            transaction.query_opt(&statement, &[&campaign.0, &place]).await?.and_then(|row| row.get(0))
        } else {
            None::<String>
        };
        if let Err(error) = check(held.people, before.as_deref(), &new) {
            return Ok(Err(error));
        }
        copy(&transaction, campaign, &new).await?;
        let statement = transaction.prepare_cached(COUNT_IN).await?;
        transaction.execute(&statement, &[&campaign.0, &values::signed(next)]).await?;
        transaction.commit().await?;
        Ok(Ok(()))
    })
}

/// No gaps, and in the order of the openids: a person is found by that.
fn check(next: u64, before: Option<&str>, new: &[&Recipient]) -> Result<()> {
    let (mut next, mut before) = (next, before);
    for person in new {
        if person.place != next {
            return Err(LedgerError::Incomplete { expected: person.place, found: next });
        }
        let openid = person.openid.as_str();
        if OpenId::new(openid).is_err() || before.is_some_and(|before| before >= openid) {
            let text = format!(
                "the person at place {next} (line {}) is not one of a list in the order of its openids, each once",
                person.line
            );
            return Err(LedgerError::Unusable(text));
        }
        (next, before) = (next + 1, Some(openid));
    }
    Ok(())
}

async fn copy(transaction: &Transaction<'_>, campaign: CampaignId, people: &[&Recipient]) -> Answered<()> {
    let mut text = String::with_capacity(people.len() * 64);
    for person in people {
        write!(text, "{}\t{}\t{}\t", campaign.0, person.place, person.line).ok();
        // The only character of an openid that means something to COPY.
        text.push_str(&person.openid.as_str().replace('\\', "\\\\"));
        text.push('\n');
    }
    let sink = transaction.copy_in(COPY).await?;
    let mut sink = std::pin::pin!(sink);
    sink.send(Cursor::new(text)).await?;
    sink.finish().await?;
    Ok(())
}

pub(super) fn seal(
    client: &mut Client,
    (campaign, people, chunk): (CampaignId, u64, u32),
) -> Work<'_, Result<()>> {
    Box::pin(async move {
        let transaction = client.transaction().await?;
        let held = match orders::hold(&transaction, campaign).await? {
            Ok(held) => held,
            Err(error) => return Ok(Err(error)),
        };
        // Sealed already, perhaps by the call of which no answer came.
        if held.state == State::Planned && held.people == people {
            return Ok(Ok(()));
        }
        if held.state != State::Importing {
            return Ok(Err(held.not_now("sealed")));
        }
        let row = transaction.query_one(COUNT, &[&campaign.0]).await?;
        let (found, end) = (values::unsigned(row.get(0)), values::unsigned(row.get(1)));
        if (found, end) != (people, people) {
            return Ok(Err(LedgerError::Incomplete { expected: people, found }));
        }
        let size = i64::from(chunk.max(1));
        let chunks = transaction.execute(DIVIDE, &[&campaign.0, &values::signed(people), &size]).await?;
        orders::change(&transaction, &held, State::Planned).await?;
        let detail = format!("{people} people in {chunks} chunks");
        orders::note(&transaction, campaign, "sealed", Some(&detail)).await?;
        transaction.batch_execute(LOOK).await?;
        transaction.commit().await?;
        Ok(Ok(()))
    })
}

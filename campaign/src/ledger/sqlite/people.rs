//! Who is on the list.

use favor_core::OpenId;
use favor_store::sqlite::rusqlite::{self, Connection, OptionalExtension as _, params};

use super::super::{CampaignId, LedgerError, OutcomeState, Recipient, Row, RowOutcome, State};
use super::Done;
use super::campaigns::{self, Record};
use super::chunks::Span;
use super::columns;
use super::moment::Moment;

pub(super) fn add(sql: &Connection, campaign: CampaignId, people: &[Recipient]) -> Done<()> {
    let record = Record::load(sql, campaign)?;
    if record.state != State::Importing {
        return Err(record.not_now("added to").into());
    }
    let mut last = match record.people.checked_sub(1) {
        Some(place) => openid_at(sql, campaign, place)?,
        None => None,
    };
    let mut insert =
        sql.prepare_cached("INSERT INTO people (campaign, place, line, openid) VALUES (?1, ?2, ?3, ?4)")?;
    let mut next = record.people;
    for person in people {
        if person.place < next {
            continue;
        }
        if person.place > next {
            return Err(LedgerError::Incomplete { expected: person.place, found: next }.into());
        }
        let openid = person.openid.as_str();
        if OpenId::new(openid).is_err() || last.as_deref().is_some_and(|last| last >= openid) {
            let text = format!(
                "the person at place {next} (line {}) is not one of a list in the order of its openids, each once",
                person.line
            );
            return Err(LedgerError::Unusable(text).into());
        }
        insert.execute(params![campaign.0, columns::sql(next), columns::sql(person.line), openid])?;
        last = Some(openid.to_owned());
        next += 1;
    }
    sql.prepare_cached("UPDATE campaigns SET people = ?2 WHERE id = ?1")?
        .execute([campaign.0, columns::sql(next)])?;
    Ok(())
}

fn openid_at(sql: &Connection, campaign: CampaignId, place: u64) -> Done<Option<String>> {
    let mut find = sql.prepare_cached("SELECT openid FROM people WHERE campaign = ?1 AND place = ?2")?;
    Ok(find.query_row([campaign.0, columns::sql(place)], |row| row.get(0)).optional()?.flatten())
}

pub(super) fn count(sql: &Connection, campaign: CampaignId) -> Done<u64> {
    let mut count = sql.prepare_cached("SELECT count(*) FROM people WHERE campaign = ?1")?;
    Ok(count.query_row([campaign.0], |row| columns::count(row, 0))?)
}

pub(super) fn seal(
    sql: &Connection,
    campaign: CampaignId,
    people: u64,
    counted: u64,
    chunk: u32,
    now: Moment,
) -> Done<()> {
    let mut record = Record::load(sql, campaign)?;
    match record.state {
        State::Importing => {}
        // Done before, and the answer was lost.
        State::Planned if record.people == people => return Ok(()),
        _ => return Err(record.not_now("sealed").into()),
    }
    for found in [record.people, counted] {
        if found != people {
            return Err(LedgerError::Incomplete { expected: people, found }.into());
        }
    }
    let mut insert = sql.prepare_cached(
        "INSERT INTO chunks (campaign, chunk, first_place, last_place) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let size = u64::from(chunk.max(1));
    let (mut number, mut first) = (0_u32, 0);
    while first < people {
        let last = first.saturating_add(size - 1).min(people - 1);
        insert.execute(params![campaign.0, number, columns::sql(first), columns::sql(last)])?;
        first = last + 1;
        let too_many = || LedgerError::Unusable(format!("chunks of {chunk} people are too small"));
        number = number.checked_add(1).ok_or_else(too_many)?;
    }
    record.state = State::Planned;
    record.save(sql)?;
    let detail = format!("{people} people in {number} chunks");
    campaigns::note(sql, campaign, now.millis(), "sealed", Some(&detail))?;
    Ok(())
}

/// A chunk's people, for work on all of a campaign.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) chunk: i64,
    pub(super) first: u64,
    pub(super) last: u64,
}

/// The part after a chunk.
pub(super) fn part_after(sql: &Connection, campaign: CampaignId, after: Option<i64>) -> Done<Option<Part>> {
    let mut find = sql.prepare_cached(
        "SELECT chunk, first_place, last_place FROM chunks WHERE campaign = ?1 AND chunk > ?2 ORDER BY chunk LIMIT 1",
    )?;
    let part = find
        .query_row([campaign.0, after.unwrap_or(-1)], |row| {
            let Span { first, last } = Span::read(row, 1)?;
            Ok(Part { chunk: row.get(0)?, first, last })
        })
        .optional()?;
    Ok(part)
}

pub(super) fn begin_purge(sql: &Connection, campaign: CampaignId, now: Moment) -> Done<()> {
    let record = super::orders::awake(sql, campaign, now)?;
    if !matches!(record.state, State::Stopped | State::Finished) {
        return Err(record.not_now("purged").into());
    }
    if !record.purged {
        sql.execute("UPDATE campaigns SET purged = 1 WHERE id = ?1", [campaign.0])?;
        campaigns::note(sql, campaign, now.millis(), "purged", None)?;
    }
    Ok(())
}

pub(super) fn purge(sql: &Connection, campaign: CampaignId, part: Part) -> Done<u64> {
    // What is no longer used is overwritten, so that it cannot be found in the file either.
    sql.pragma_update(None, "secure_delete", true)?;
    let mut forget = sql.prepare_cached(
        "UPDATE people SET openid = NULL WHERE campaign = ?1 AND place BETWEEN ?2 AND ?3 AND openid IS NOT NULL",
    )?;
    let forgotten = forget.execute([campaign.0, columns::sql(part.first), columns::sql(part.last)]);
    sql.pragma_update(None, "secure_delete", false)?;
    Ok(u64::try_from(forgotten?).unwrap_or(u64::MAX))
}

pub(super) fn rows(
    sql: &Connection,
    campaign: CampaignId,
    after: Option<u64>,
    most: usize,
) -> Done<Vec<Row>> {
    let record = Record::load(sql, campaign)?;
    let first = after.map_or(Some(0), |after| after.checked_add(1));
    let (Some(first), true) = (first, most > 0) else { return Ok(Vec::new()) };
    let last = first.saturating_add(u64::try_from(most).unwrap_or(u64::MAX) - 1);
    let span = [campaign.0, columns::sql(first), columns::sql(last)];
    let mut find = sql.prepare_cached(
        "SELECT place, line, openid FROM people WHERE campaign = ?1 AND place BETWEEN ?2 AND ?3 ORDER BY place",
    )?;
    let mut people = find.query(span)?;
    let mut found: Vec<Row> = Vec::new();
    while let Some(row) = people.next()? {
        let place = columns::count(row, 0)?;
        let openid = row.get_ref(2)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        let openid = openid.map(|openid| columns::openid(Some(openid), campaign, place)).transpose()?;
        let outcomes = (0..record.coupons_each).map(untouched).collect();
        found.push(Row { place, line: columns::count(row, 1)?, openid, outcomes });
    }
    let mut find = sql.prepare_cached(
        "SELECT place, slot, state, coupon_id, code, message, attempts, request_id, first_tried_at, settled_at
         FROM outcomes WHERE campaign = ?1 AND place BETWEEN ?2 AND ?3 ORDER BY place, slot",
    )?;
    let mut outcomes = find.query(span)?;
    let mut at = 0;
    while let Some(row) = outcomes.next()? {
        let place = columns::count(row, 0)?;
        while found.get(at).is_some_and(|person| person.place < place) {
            at += 1;
        }
        let Some(person) = found.get_mut(at).filter(|person| person.place == place) else { continue };
        let outcome = outcome(row)?;
        if let Some(there) = person.outcomes.iter_mut().find(|there| there.slot == outcome.slot) {
            *there = outcome;
        }
    }
    Ok(found)
}

fn untouched(slot: u32) -> RowOutcome {
    RowOutcome {
        slot,
        state: OutcomeState::Open,
        coupon_id: None,
        code: None,
        message: None,
        attempts: 0,
        request_id: None,
        first_tried_at: None,
        settled_at: None,
    }
}

fn outcome(row: &rusqlite::Row<'_>) -> Done<RowOutcome> {
    let text = |column: usize| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
    Ok(RowOutcome {
        slot: row.get(1)?,
        state: columns::outcome_state(text(2)?.unwrap_or_default())?,
        coupon_id: text(3)?.map(columns::coupon_id).transpose()?,
        code: row.get(4)?,
        message: row.get(5)?,
        attempts: row.get(6)?,
        request_id: row.get(7)?,
        first_tried_at: Some(columns::moment(row.get(8)?)?),
        settled_at: Some(columns::moment(row.get(9)?)?),
    })
}

/// People lie in the order of their openids, so that one is found without an index over all of them.
pub(super) fn find(sql: &Connection, campaign: CampaignId, openid: &OpenId) -> Done<Option<Row>> {
    let (mut from, mut to) = (0, Record::load(sql, campaign)?.people);
    while from < to {
        let middle = from + (to - from) / 2;
        // A person without an openid was forgotten, and so were all.
        let Some(there) = openid_at(sql, campaign, middle)? else { return Ok(None) };
        match there.as_str().cmp(openid.as_str()) {
            std::cmp::Ordering::Less => from = middle + 1,
            std::cmp::Ordering::Greater => to = middle,
            std::cmp::Ordering::Equal => {
                return Ok(rows(sql, campaign, middle.checked_sub(1), 1)?.pop());
            }
        }
    }
    Ok(None)
}

//! Who works on what.

use std::time::Duration;

use favor_store::sqlite::rusqlite::{self, Connection, OptionalExtension as _, params};

use super::super::{
    CampaignId, Claim, Claimed, Finish, Lease, OpenSlot, OutcomeState, Recorded, Result, State, Task,
    WorkerId,
};
use super::moment::Moment;
use super::{Done, Halt, columns, orders};

/// The places of a chunk's people, both included.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Span {
    pub(super) fn read(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Self> {
        Ok(Self { first: columns::count(row, column)?, last: columns::count(row, column + 1)? })
    }

    pub(super) fn people(self) -> u64 {
        (self.last + 1).saturating_sub(self.first)
    }
}

/// Frees what is held: whoever held it is gone.
pub(super) fn release(sql: &Connection) -> rusqlite::Result<usize> {
    sql.execute("UPDATE chunks SET owner = NULL, due = 0 WHERE is_open = 1 AND owner IS NOT NULL", [])
}

/// The first chunk that is due: people whose worker died come before those nobody has begun with. Why it cannot be read is said besides: it is held then too.
pub(super) fn claim(
    sql: &Connection,
    campaign: CampaignId,
    worker: &WorkerId,
    lease: Duration,
    now: Moment,
) -> Done<Result<Claimed>> {
    let record = orders::awake(sql, campaign, now)?;
    match record.state {
        State::Running => {}
        State::Finished => return Ok(Ok(Claimed::AllDone)),
        _ => return Ok(Ok(Claimed::Later { next: record.paused_until.map(|until| now.until(until)) })),
    }
    let mut first = sql.prepare_cached(
        "SELECT chunk, first_place, last_place, fence FROM chunks
         WHERE campaign = ?1 AND is_open = 1 AND due <= ?2 ORDER BY chunk LIMIT 1",
    )?;
    let found = first
        .query_row([campaign.0, now.millis()], |row| {
            let fence: i64 = row.get(3)?;
            Ok((Lease { campaign, chunk: columns::number(row, 0)?, fence: fence + 1 }, Span::read(row, 1)?))
        })
        .optional()?;
    let Some((held, span)) = found else { return nothing_due(sql, campaign, now).map(Ok) };
    sql.prepare_cached(
        "UPDATE chunks SET owner = ?3, fence = ?4, due = ?5 WHERE campaign = ?1 AND chunk = ?2",
    )?
    .execute(params![campaign.0, held.chunk, worker.0, held.fence, now.later(lease)])?;
    match open_tasks(sql, campaign, span, record.coupons_each) {
        Ok(tasks) => Ok(Ok(Claimed::Chunk(Claim { lease: held, tasks }))),
        // It is held all the same: what cannot be read must not hold up what is behind it.
        Err(Halt::Ledger(error)) => Ok(Err(error)),
        Err(error) => Err(error),
    }
}

fn nothing_due(sql: &Connection, campaign: CampaignId, now: Moment) -> Done<Claimed> {
    let mut next = sql.prepare_cached("SELECT min(due) FROM chunks WHERE campaign = ?1 AND is_open = 1")?;
    let due: Option<i64> = next.query_row([campaign.0], |row| row.get(0))?;
    Ok(due.map_or(Claimed::AllDone, |due| Claimed::Later { next: Some(now.until(due)) }))
}

/// The people of a chunk with open coupons.
fn open_tasks(sql: &Connection, campaign: CampaignId, span: Span, coupons_each: u32) -> Done<Vec<Task>> {
    let mut find = sql.prepare_cached(
        "SELECT p.place, p.openid, o.slot, o.state, o.attempts, o.first_tried_at
         FROM people p LEFT JOIN outcomes o ON o.campaign = p.campaign AND o.place = p.place
         WHERE p.campaign = ?1 AND p.place BETWEEN ?2 AND ?3 ORDER BY p.place, o.slot",
    )?;
    let mut rows = find.query([campaign.0, columns::sql(span.first), columns::sql(span.last)])?;
    let mut tasks: Vec<Task> = Vec::new();
    while let Some(row) = rows.next()? {
        let place = columns::count(row, 0)?;
        if tasks.last().is_none_or(|task| task.place != place) {
            let openid = columns::openid(
                row.get_ref(1)?.as_str_or_null().map_err(rusqlite::Error::from)?,
                campaign,
                place,
            )?;
            let open = |slot| OpenSlot { slot, attempts: 0, first_tried_at: None };
            tasks.push(Task { place, openid, open: (0..coupons_each).map(open).collect() });
        }
        let (Some(task), Some(slot)) = (tasks.last_mut(), row.get::<_, Option<u32>>(2)?) else { continue };
        match columns::outcome_state(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?)? {
            OutcomeState::Open => {
                if let Some(open) = task.open.iter_mut().find(|open| open.slot == slot) {
                    open.attempts = row.get(4)?;
                    open.first_tried_at = Some(columns::moment(row.get(5)?)?);
                }
            }
            _ => task.open.retain(|open| open.slot != slot),
        }
    }
    tasks.retain(|task| !task.open.is_empty());
    Ok(tasks)
}

pub(super) fn finish(sql: &Connection, lease: &Lease, how: Finish, now: Moment) -> Done<Recorded> {
    let mut find = sql.prepare_cached(
        "SELECT first_place, last_place, coupons_each FROM chunks JOIN campaigns ON id = campaign
         WHERE campaign = ?1 AND chunk = ?2 AND fence = ?3",
    )?;
    let held = find
        .query_row(params![lease.campaign.0, lease.chunk, lease.fence], |row| {
            Ok((Span::read(row, 0)?, columns::count(row, 2)?))
        })
        .optional()?;
    let Some((span, coupons_each)) = held else { return Ok(Recorded::Lost) };
    let is_open = settled(sql, lease.campaign, span)? < span.people().saturating_mul(coupons_each);
    let due = match how {
        _ if !is_open => 0,
        Finish::Done => now.millis(),
        Finish::GiveBack { after } => now.later(after),
    };
    sql.prepare_cached(
        "UPDATE chunks SET is_open = ?3, owner = NULL, due = ?4 WHERE campaign = ?1 AND chunk = ?2",
    )?
    .execute(params![lease.campaign.0, lease.chunk, is_open, due])?;
    Ok(Recorded::Done)
}

fn settled(sql: &Connection, campaign: CampaignId, span: Span) -> Done<u64> {
    let mut find = sql.prepare_cached(
        "SELECT count(*) FROM outcomes WHERE campaign = ?1 AND place BETWEEN ?2 AND ?3 AND state <> 'open'",
    )?;
    let span = [campaign.0, columns::sql(span.first), columns::sql(span.last)];
    Ok(find.query_row(span, |row| columns::count(row, 0))?)
}

//! What became of coupons.

use std::collections::BTreeMap;
use std::time::Duration;

use favor_store::sqlite::rusqlite::{self, Connection, OptionalExtension as _, params};

use super::super::{CampaignId, Fate, Lease, LedgerError, OutcomeState, Recorded, Reopen, Settlement, State};
use super::campaigns::{self, Record};
use super::chunks::Span;
use super::columns;
use super::moment::Moment;
use super::people::Part;
use super::{Done, orders};

/// Changes of tallies, by state and code.
type Changes = BTreeMap<(OutcomeState, String), i64>;

pub(super) fn record(
    sql: &Connection,
    lease: &Lease,
    settled: &[Settlement],
    extend: Duration,
    now: Moment,
) -> Done<Recorded> {
    let mut held = sql.prepare_cached(
        "SELECT first_place, last_place, coupons_each, owner IS NOT NULL FROM chunks JOIN campaigns ON id = campaign
         WHERE campaign = ?1 AND chunk = ?2 AND fence = ?3",
    )?;
    let chunk = held
        .query_row(params![lease.campaign.0, lease.chunk, lease.fence], |row| {
            Ok((Span::read(row, 0)?, row.get::<_, u32>(2)?, row.get::<_, bool>(3)?))
        })
        .optional()?;
    let Some((span, coupons_each, is_held)) = chunk else { return Ok(Recorded::Lost) };
    if is_held {
        sql.prepare_cached("UPDATE chunks SET due = ?3 WHERE campaign = ?1 AND chunk = ?2")?
            .execute(params![lease.campaign.0, lease.chunk, now.later(extend)])?;
    }
    let mut changes = Changes::new();
    for one in settled {
        if !(span.first..=span.last).contains(&one.place) || one.slot >= coupons_each {
            let text = format!("place {}, slot {} is not of chunk {}", one.place, one.slot, lease.chunk);
            return Err(LedgerError::Unusable(text).into());
        }
        settle(sql, lease.campaign, one, now, &mut changes)?;
    }
    if !changes.is_empty() {
        count(sql, lease.campaign, &changes)?;
        note_the_end(sql, lease.campaign, now)?;
    }
    Ok(Recorded::Done)
}

fn settle(
    sql: &Connection,
    campaign: CampaignId,
    one: &Settlement,
    now: Moment,
    changes: &mut Changes,
) -> Done<()> {
    let coupon_id = match &one.fate {
        Fate::Sent { coupon_id } => Some(coupon_id.as_str()),
        _ => None,
    };
    let state = one.fate.state();
    let (place, first) = (columns::sql(one.place), one.first_tried_at.timestamp_millis());
    let code = one.code.as_deref().filter(|_| state != OutcomeState::Sent);
    let columns = params![
        campaign.0,
        place,
        one.slot,
        state.as_str(),
        coupon_id,
        one.code,
        one.message,
        one.attempts,
        one.request_id,
        first,
        one.settled_at.timestamp_millis()
    ];
    let inserted = sql
        .prepare_cached(
            "INSERT INTO outcomes (campaign, place, slot, state, coupon_id, code, message, attempts, request_id,
                first_tried_at, settled_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
        )?
        .execute(columns)?;
    if inserted == 0 {
        let former = former(sql, campaign, one)?;
        if former.state == OutcomeState::Sent {
            let (Some(there), Some(new)) = (&former.coupon_id, coupon_id) else { return Ok(()) };
            if there != new {
                let detail =
                    format!("place {}, slot {}: down as coupon {there}, and now {new}", one.place, one.slot);
                campaigns::note(sql, campaign, now.millis(), "mismatch", Some(&detail))?;
            }
            return Ok(());
        }
        sql.prepare_cached(
            "UPDATE outcomes SET state = ?4, coupon_id = ?5, code = ?6, message = ?7, attempts = ?8, request_id = ?9,
                first_tried_at = min(first_tried_at, ?10), settled_at = ?11
             WHERE campaign = ?1 AND place = ?2 AND slot = ?3",
        )?
        .execute(columns)?;
        if former.state != OutcomeState::Open {
            *changes.entry((former.state, former.code.unwrap_or_default())).or_default() -= 1;
        }
    }
    *changes.entry((state, code.unwrap_or_default().to_owned())).or_default() += 1;
    Ok(())
}

struct Former {
    state: OutcomeState,
    coupon_id: Option<String>,
    code: Option<String>,
}

fn former(sql: &Connection, campaign: CampaignId, one: &Settlement) -> Done<Former> {
    let mut find = sql.prepare_cached(
        "SELECT state, coupon_id, code FROM outcomes WHERE campaign = ?1 AND place = ?2 AND slot = ?3",
    )?;
    let (state, coupon_id, code): (String, _, _) = find
        .query_row(params![campaign.0, columns::sql(one.place), one.slot], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    Ok(Former { state: columns::outcome_state(&state)?, coupon_id, code })
}

fn count(sql: &Connection, campaign: CampaignId, changes: &Changes) -> rusqlite::Result<()> {
    let mut add = sql.prepare_cached(
        "INSERT INTO tallies (campaign, state, code, count) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for ((state, code), change) in changes {
        add.execute(params![campaign.0, state.as_str(), code, change])?;
    }
    Ok(())
}

/// Keeps when the last coupon was settled.
fn note_the_end(sql: &Connection, id: CampaignId, now: Moment) -> Done<()> {
    let mut record = Record::load(sql, id)?;
    if orders::settled(sql, id)? >= record.coupons() {
        record.finished_at = Some(now.millis());
        record.save(sql)?;
    }
    Ok(())
}

/// Looks whether there is anything to open, and if so writes down that it is opened.
pub(super) fn begin_reopen(sql: &Connection, id: CampaignId, which: &Reopen, now: Moment) -> Done<bool> {
    let mut record = orders::awake(sql, id, now)?;
    if record.purged {
        return Err(record.not_now("opened again, since its openids were purged").into());
    }
    if record.state == State::Importing {
        return Err(record.not_now("opened again").into());
    }
    let tallies = campaigns::tallies(sql, id)?;
    let wanted: Vec<_> = tallies.iter().filter(|tally| is_wanted(which, tally.state, &tally.code)).collect();
    if wanted.is_empty() {
        return Ok(false);
    }
    let parts = wanted.iter().map(|tally| format!("{} {} {}", tally.count, tally.state, tally.code));
    let detail: Vec<String> = parts.map(|part| part.trim_end().to_owned()).collect();
    campaigns::note(sql, id, now.millis(), "reopened", Some(&detail.join(", ")))?;
    record.finished_at = None;
    record.save(sql)?;
    Ok(true)
}

fn is_wanted(which: &Reopen, state: OutcomeState, code: &str) -> bool {
    !matches!(state, OutcomeState::Sent | OutcomeState::Open)
        && which.states.contains(&state)
        && (which.codes.is_empty() || which.codes.iter().any(|wanted| wanted == code))
}

/// Opens what is wanted of one part of a campaign, and says how many.
pub(super) fn reopen(sql: &Connection, id: CampaignId, which: &Reopen, part: Part, now: Moment) -> Done<u64> {
    let mut find = sql.prepare_cached(
        "SELECT place, slot, state, code FROM outcomes
         WHERE campaign = ?1 AND place BETWEEN ?2 AND ?3 AND state NOT IN ('open', 'sent')",
    )?;
    let mut rows = find.query([id.0, columns::sql(part.span.first), columns::sql(part.span.last)])?;
    let mut keep = sql.prepare_cached(
        "INSERT INTO former_outcomes (campaign, place, slot, state, code, message, attempts, request_id, settled_at,
            reopened_at)
         SELECT campaign, place, slot, state, code, message, attempts, request_id, settled_at, ?4 FROM outcomes
         WHERE campaign = ?1 AND place = ?2 AND slot = ?3",
    )?;
    let mut open = sql.prepare_cached(
        "UPDATE outcomes SET state = 'open' WHERE campaign = ?1 AND place = ?2 AND slot = ?3",
    )?;
    let (mut changes, mut opened) = (Changes::new(), 0);
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (place, slot): (i64, i64) = (row.get(0)?, row.get(1)?);
        let state = columns::outcome_state(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)?;
        let code: String = row.get::<_, Option<String>>(3)?.unwrap_or_default();
        if is_wanted(which, state, &code) {
            *changes.entry((state, code)).or_default() -= 1;
            found.push((place, slot));
        }
    }
    for (place, slot) in found {
        keep.execute(params![id.0, place, slot, now.millis()])?;
        open.execute(params![id.0, place, slot])?;
        opened += 1;
    }
    if opened > 0 {
        sql.prepare_cached(
            "UPDATE chunks SET is_open = 1 WHERE campaign = ?1 AND chunk = ?2 AND is_open = 0",
        )?
        .execute(params![id.0, part.chunk])?;
        count(sql, id, &changes)?;
        let mut record = Record::load(sql, id)?;
        // So that it can be started again. Here, since somebody may see all settled and finish it until now.
        if record.state == State::Finished {
            (record.state, record.finished_at) = (State::Stopped, None);
            record.save(sql)?;
        }
    }
    Ok(opened)
}

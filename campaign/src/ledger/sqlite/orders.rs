//! Orders, and which state allows which.

use favor_store::sqlite::rusqlite::Connection;

use super::super::{CampaignId, Order, OutcomeState, Standing, State};
use super::Done;
use super::campaigns::{self, Record};
use super::moment::Moment;

/// The campaign as it stands; a pause that is over is ended in the ledger too.
pub(super) fn awake(sql: &Connection, id: CampaignId, now: Moment) -> Done<Record> {
    let mut record = Record::load(sql, id)?;
    let over = record.paused_until;
    if record.wake(now) {
        record.save(sql)?;
        let at = over.unwrap_or_else(|| now.millis());
        campaigns::note(sql, id, at, "resumed", Some("its time had come"))?;
    }
    Ok(record)
}

pub(super) fn carry_out(sql: &Connection, id: CampaignId, order: &Order, now: Moment) -> Done<Standing> {
    let mut record = awake(sql, id, now)?;
    let what = match (order, record.state) {
        (Order::Start, State::Running) => None,
        (Order::Start, State::Planned | State::Stopped) if record.purged => {
            return Err(record.not_now("started, since its openids were purged").into());
        }
        (Order::Start, State::Planned | State::Stopped) => {
            record.state = State::Running;
            record.started_at.get_or_insert(now.millis());
            Some(("started", None))
        }
        (Order::Start, _) => return Err(record.not_now("started").into()),

        (Order::Pause { by_operator: false, .. }, State::Paused) if record.by_operator => None,
        (Order::Pause { reason, until, by_operator }, State::Running | State::Paused) => {
            record.state = State::Paused;
            record.reason = Some(reason.clone());
            record.by_operator = *by_operator;
            record.paused_until = until.map(|until| until.timestamp_millis());
            Some(("paused", Some(reason.clone())))
        }
        (Order::Pause { .. }, _) => return Err(record.not_now("paused").into()),

        (Order::Resume, State::Paused) => {
            record.state = State::Running;
            record.forget_pause();
            Some(("resumed", None))
        }
        (Order::Resume, _) => return Err(record.not_now("resumed").into()),

        (Order::Stop, State::Running | State::Paused) => {
            record.state = State::Stopped;
            record.forget_pause();
            Some(("stopped", None))
        }
        (Order::Stop, _) => return Err(record.not_now("stopped").into()),

        (Order::Finish, State::Running) => {
            let settled = settled(sql, id)?;
            if settled < record.coupons() {
                return Err(record.not_now("finished while coupons are open").into());
            }
            record.state = State::Finished;
            record.finished_at.get_or_insert(now.millis());
            // Whoever settled the last coupons may have died before it said so.
            sql.execute(
                "UPDATE chunks SET is_open = 0, owner = NULL, due = 0 WHERE campaign = ?1 AND is_open = 1",
                [id.0],
            )?;
            Some(("finished", None))
        }
        (Order::Finish, _) => return Err(record.not_now("finished").into()),
    };
    if let Some((what, detail)) = what {
        record.save(sql)?;
        campaigns::note(sql, id, now.millis(), what, detail.as_deref())?;
    }
    record.standing(sql, now)
}

/// How many of its coupons are settled.
pub(super) fn settled(sql: &Connection, id: CampaignId) -> Done<u64> {
    let tallies = campaigns::tallies(sql, id)?;
    let settled = tallies.iter().filter(|tally| tally.state != OutcomeState::Open);
    Ok(settled.fold(0, |sum, tally| sum.saturating_add(tally.count)))
}

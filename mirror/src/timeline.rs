//! What happens by itself as the test clock goes: notifications, key changes, the release of money.
//!
//! A background task does what is due and sleeps until the next instant. Moving the clock forward stops at each due
//! instant on the way, shows that time, and goes on once all that was due has happened. So everything happens in the
//! order in which it is due, and at the time at which it is due.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::card::{due, push};
use crate::clock::ClockMode;
use crate::control::keys;
use crate::error::MirrorError;
use crate::ledger::card::events;
use crate::ledger::{LedgerError, clock, notifications, prefunds};
use crate::moment::Moment;
use crate::notify::{CONCURRENT, Claim, deliver, replay};
use crate::state::App;

/// Most instants one move of the clock passes.
const MOST_INSTANTS: usize = 100_000;
/// Longest sleep, since the machine's clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(60 * 60);
/// How long the background task waits after a store that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long deliveries under way may take once the mirror shuts down.
const GRACE: Duration = Duration::from_secs(6);

/// Where the background task and those who move the clock meet.
#[derive(Debug)]
pub(crate) struct Timeline {
    /// Held while the clock is moved or everything starts over. Taken before [`crate::state::State::changing`].
    pub(crate) moving: tokio::sync::Mutex<()>,
    changes: watch::Sender<u64>,
    ended: AtomicBool,
}

impl Timeline {
    pub(crate) fn new() -> Arc<Self> {
        let moving = tokio::sync::Mutex::new(());
        Arc::new(Self { moving, changes: watch::Sender::new(0), ended: AtomicBool::new(false) })
    }

    /// Something may be due now, or due earlier than thought.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// Moves the clock to where `mode` has it, over everything that is due on the way. Interrupted, it stays at the
/// instant it has come to. The caller holds [`Timeline::moving`].
pub(crate) async fn travel(app: &App, mode: ClockMode) -> Result<Moment, MirrorError> {
    travel_within(app, mode, MOST_INSTANTS).await
}

async fn travel_within(app: &App, mode: ClockMode, most_instants: usize) -> Result<Moment, MirrorError> {
    let target = mode.now();
    let _walk = Walk(app);
    let failures = app.notify.failures();
    let mut instants = 0;
    loop {
        let next = app.ledger.read(|db| next_instant(db, None)).await?;
        let Some(due) = next.filter(|due| *due <= target) else { break };
        instants += 1;
        if instants > most_instants {
            return Err(MirrorError::Refused {
                reason: format!(
                    "there are more than {most_instants} instants at which something is due; the clock stays at \
                     {} and can be moved on from there",
                    app.clocks.now().rfc3339()
                ),
            });
        }
        let instant = due.max(app.clocks.now()).min(target);
        app.clocks.stop_at(instant);
        happen(app, mode.set(instant), instant).await?;
        settled(app, instant, failures).await?;
    }
    app.clocks.stop_at(target);
    happen(app, mode, target).await?;
    app.clocks.set_mode(mode);
    app.timeline.changed();
    Ok(target)
}

/// Ends a move wherever it has come to.
struct Walk<'a>(&'a App);

impl Drop for Walk<'_> {
    fn drop(&mut self) {
        self.0.clocks.end_move();
        self.0.timeline.changed();
    }
}

/// What the mirror itself does at an instant.
async fn happen(app: &App, mode: ClockMode, now: Moment) -> Result<(), MirrorError> {
    keys::catch_up(app).await?;
    app.ledger
        .write(move |db| {
            clock::save(db, mode)?;
            due::happen(db, now)?;
            prefunds::release_ended(db, now)
        })
        .await?;
    app.timeline.changed();
    Ok(())
}

/// Waits until the background task has tried every notification due by now.
async fn settled(app: &App, now: Moment, failures: u64) -> Result<(), MirrorError> {
    let mut changes = app.timeline.changes.subscribe();
    loop {
        changes.borrow_and_update();
        let waits = move |db: &Connection| {
            Ok(notifications::any_due(db, now)? || !events::due(db, now, 1)?.is_empty())
        };
        if !app.ledger.read(waits).await? {
            return Ok(());
        }
        if app.timeline.ended.load(Ordering::Acquire) {
            return Err(MirrorError::Stopped);
        }
        if app.notify.failures() != failures {
            return Err(MirrorError::Storage("a delivery could not be recorded".into()));
        }
        changes.changed().await.map_err(|_| MirrorError::Stopped)?;
    }
}

/// When the store's next event is due; after `after`, if that is given.
fn next_instant(db: &Connection, after: Option<Moment>) -> rusqlite::Result<Option<Moment>> {
    let notification = notifications::next_due(db, after)?;
    let release = prefunds::next_release(db, after)?;
    let card = events::next_due(db, after)?;
    Ok([notification, release, card].into_iter().flatten().min())
}

/// Does what is due, until told to stop.
pub(crate) async fn run(app: App, mut stopped: watch::Receiver<bool>) {
    let _ended = Ended(Arc::clone(&app.timeline));
    let Some(mut replays) = app.notify.take_replays() else { return };
    let mut changes = app.timeline.changes.subscribe();
    let mut deliveries = JoinSet::new();
    loop {
        changes.borrow_and_update();
        let wait = match tick(&app, &mut deliveries).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(%error, "what is due cannot be done");
                Some(AFTER_FAILURE)
            }
        };
        tokio::select! {
            _ = changes.changed() => {}
            () = sleep(wait) => {}
            Some(_) = deliveries.join_next() => {}
            Some((id, done)) = replays.recv() => {
                let app = Arc::clone(&app);
                deliveries.spawn(async move {
                    // Who asked may have gone away; it is delivered all the same.
                    done.send(replay(&app, id).await).ok();
                });
            }
            _ = stopped.wait_for(|stop| *stop) => break,
        }
    }
    let drained = async { while deliveries.join_next().await.is_some() {} };
    if timeout(GRACE, drained).await.is_err() {
        tracing::warn!(deliveries = deliveries.len(), "deliveries were still under way; they are repeated");
    }
}

/// Tells those who wait for the background task that it is gone.
struct Ended(Arc<Timeline>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
        self.0.changed();
    }
}

/// Begins what is due and says how long to sleep then; `None` is until something changes.
async fn tick(app: &App, deliveries: &mut JoinSet<()>) -> Result<Option<Duration>, MirrorError> {
    let now = app.clocks.now();
    keys::catch_up(app).await?;
    let free = CONCURRENT.saturating_sub(app.notify.held());
    let read = move |db: &Connection| -> rusqlite::Result<_> {
        // Those under way are still due, so as many more are looked at.
        let due = if free > 0 { notifications::due(db, now, 2 * CONCURRENT)? } else { Vec::new() };
        let pushes = events::due(db, now, 2 * CONCURRENT)?;
        let own_work = events::own_work_due(db, now)?;
        Ok((due, next_instant(db, Some(now))?, prefunds::next_release(db, None)?, pushes, own_work))
    };
    let (due, next, release, pushes, own_work) = app.ledger.read(read).await?;
    if release.is_some_and(|release| release <= now) {
        release_ended(app, now).await?;
    }
    let claims = due.into_iter().filter_map(|id| Claim::take(app, id)).take(free);
    claims.for_each(|claim| drop(deliveries.spawn(deliver(Arc::clone(app), claim))));
    if own_work {
        app.ledger.write(move |db| due::happen(db, now)).await?;
        app.timeline.changed();
    }
    let claims = pushes.into_iter().filter_map(|id| push::Claim::take(app, id));
    claims.for_each(|claim| drop(deliveries.spawn(push::deliver(Arc::clone(app), claim))));
    let rotation = app.platform().rotation.map(|rotation| rotation.due()).filter(|due| *due > now);
    let next = [next, rotation].into_iter().flatten().min();
    Ok(next.and_then(|next| app.clocks.mode().wait_until(next)).map(|wait| wait.min(LONGEST_SLEEP)))
}

async fn release_ended(app: &App, now: Moment) -> Result<(), LedgerError> {
    app.ledger.write(move |db| prefunds::release_ended(db, now)).await
}

async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mirror;

    const NOON: Moment = Moment::from_millis_const(1_790_000_000_000);

    /// Five notifications, a second apart, to where nobody is.
    async fn five() -> Mirror {
        let mirror =
            Mirror::builder().clock_at(NOON.date_time()).callback_schedule([]).start().await.unwrap();
        let rows = |db: &Connection| {
            db.execute_batch(
                "INSERT INTO stocks (id, creator, name, comment, description, status, no_cash, single_item,
                    begins, ends, max_coupons, max_amount, max_amount_by_day, max_coupons_per_user,
                    natural_person_limit, prevent_api_abuse, coupon_amount, transaction_minimum, combine_use,
                    goods_tag, trade_type, second_day_available, created, request)
                 SELECT 1, mchid, '', '', '', 'running', 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 1, 1, 0, '[]', '[]', 0, 0,
                    '{}' FROM merchants;
                 INSERT INTO coupons VALUES (1, 1, 'o', '', '', '', 1, 1, 'USED', 0, 0, 0);",
            )?;
            for n in 1..=5 {
                db.execute(
                    "INSERT INTO notifications (id, notification_id, event_type, summary, mchid, stock_id,
                        coupon_id, notify_url, created, resource, state, next_attempt)
                     SELECT ?1, ?1, '', '', creator, 1, 1, 'http://127.0.0.1:1/', 0, '{}', 'pending', ?2
                     FROM stocks",
                    [n, NOON.millis() + n * 1_000],
                )?;
            }
            Ok(())
        };
        mirror.app().ledger.write(rows).await.unwrap();
        mirror
    }

    #[tokio::test]
    async fn a_jump_with_too_many_instants_stays_where_it_has_come_to() {
        let mirror = five().await;
        let app = mirror.app();
        let target = ClockMode::frozen(NOON.plus_millis(10_000));
        let refused = travel_within(app, target, 3).await.unwrap_err();
        assert!(refused.to_string().contains("more than 3 instants"), "{refused}");
        assert_eq!(app.clocks.mode(), ClockMode::frozen(NOON.plus_millis(3_000)));
        let kept = app.ledger.read(clock::load).await.unwrap();
        assert_eq!(kept, Some(app.clocks.mode()));
        let left = |db: &Connection| notifications::due(db, NOON.plus_days(1), 9);
        assert_eq!(app.ledger.read(left).await.unwrap(), [4, 5]);
        assert_eq!(travel_within(app, target, 3).await.unwrap(), target.now());
        assert_eq!(app.ledger.read(left).await.unwrap(), Vec::<i64>::new());
    }

    #[tokio::test]
    async fn who_waits_for_a_background_task_that_is_gone_is_told() {
        let mirror = five().await;
        drop(Ended(Arc::clone(&mirror.app().timeline)));
        let _nobody_delivers = Claim::take(mirror.app(), 1).unwrap();
        let travelled = travel(mirror.app(), ClockMode::frozen(NOON.plus_millis(10_000))).await;
        assert!(matches!(travelled, Err(MirrorError::Stopped)), "{travelled:?}");
    }
}

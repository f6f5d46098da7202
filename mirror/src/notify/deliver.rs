//! One attempt to deliver a notification, or a replay.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::claim::Claim;
use super::envelope::{self, NotificationDraft};
use crate::error::MirrorError;
use crate::fault::{self, FaultKind, FaultPlace, FaultRule, Subject};
use crate::ledger::LedgerError;
use crate::ledger::deliveries::{self, NewDelivery};
use crate::ledger::notifications::{self, StoredNotification, Verdict};
use crate::moment::Moment;
use crate::outgoing::{self, Outgoing};
use crate::state::App;

const NOT_FOUND: MirrorError = MirrorError::NotFound { what: "notification" };
/// How long after a store that failed the next try waits, so that it is not hammered.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Delivers a notification that is due, and records that.
pub(crate) async fn deliver(app: App, claim: Claim) {
    if let Err(error) = attempt(&app, &claim).await {
        tracing::error!(%error, notification = claim.id, "a delivery could not be recorded");
        app.notify.failures.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        app.timeline.changed();
        tokio::time::sleep(AFTER_FAILURE).await;
    }
}

async fn attempt(app: &App, claim: &Claim) -> Result<(), LedgerError> {
    let id = claim.id;
    let now = app.clocks.now();
    let Some(due) = app.ledger.read(move |db| notifications::due_now(db, id, now)).await? else {
        return Ok(());
    };
    let rule = if due.held { None } else { strike(app, &due) };
    if let Some(FaultKind::Hold { seconds }) = rule.as_ref().map(|rule| &rule.kind) {
        let until = now.plus(Duration::from_secs(*seconds));
        let (app_, epoch) = (Arc::clone(app), claim.epoch());
        let hold = move |db: &rusqlite::Connection| match app_.notify.is_current(epoch) {
            true => notifications::hold(db, id, until),
            false => Ok(()),
        };
        return app.ledger.write(hold).await;
    }
    let (time, outcomes) = perform(app, &due, rule, false).await;
    let next = app.notify.next_attempt(due.scheduled, time);
    record(app, claim.epoch(), &due, time, outcomes, Some(next)).await
}

/// Delivers a notification once more, whatever has become of it.
pub(crate) async fn replay(app: &App, id: i64) -> Result<(), MirrorError> {
    let epoch = app.notify.epoch();
    let found = app.ledger.read(move |db| notifications::find(db, id)).await?.ok_or(NOT_FOUND)?;
    // One that is replayed is not put off.
    let rule = strike(app, &found).filter(|rule| !matches!(rule.kind, FaultKind::Hold { .. }));
    let (time, outcomes) = perform(app, &found, rule, true).await;
    record(app, epoch, &found, time, outcomes, None).await?;
    app.timeline.changed();
    Ok(())
}

fn strike(app: &App, notification: &StoredNotification) -> Option<FaultRule> {
    let subject = Subject { operation: super::NOTIFY, openid: Some(&notification.openid) };
    app.faults.strike(FaultPlace::AfterCommit, subject)
}

/// Sends one copy, or as many as a fault wants, at once.
async fn perform(
    app: &App,
    notification: &StoredNotification,
    rule: Option<FaultRule>,
    replay: bool,
) -> (Moment, Vec<NewDelivery>) {
    let mut faults = Vec::new();
    if notification.held && !replay {
        faults.push("hold".to_owned());
    }
    if let Some(rule) = &rule {
        faults.push(rule.kind.name().to_owned());
        tokio::time::sleep(rule.delay).await;
    }
    let copies = match rule.as_ref().map(|rule| &rule.kind) {
        Some(FaultKind::Duplicate { copies }) => *copies,
        _ => 1,
    };
    let time = app.clocks.now();
    let mut deliveries = JoinSet::new();
    for _ in 0..copies {
        let delivery = one(Arc::clone(app), notification.clone(), rule.clone(), faults.clone(), replay);
        deliveries.spawn(delivery);
    }
    (time, deliveries.join_all().await)
}

async fn one(
    app: App,
    notification: StoredNotification,
    rule: Option<FaultRule>,
    faults: Vec<String>,
    replay: bool,
) -> NewDelivery {
    // The semaphore is never closed.
    let _permit = app.notify.permits.acquire().await;
    let mut delivery = NewDelivery {
        attempt: notification.attempts + 1,
        serial: String::new(),
        faults,
        status: None,
        error: None,
        answer: String::new(),
        latency: Duration::ZERO,
        replay,
    };
    let Some(mut outgoing) = dress(&app, &notification, delivery.attempt) else {
        delivery.error = Some("there is no such merchant".to_owned());
        return delivery;
    };
    delivery.serial = outgoing.header(&outgoing::SERIAL).unwrap_or_default().to_owned();
    if let Some(rule) = &rule {
        fault::alter_outgoing(rule, &mut outgoing);
    }
    let began = Instant::now();
    let reply = app.notify.clients.post(&notification.notify_url, outgoing, app.notify.timeout).await;
    delivery.latency = began.elapsed();
    match reply {
        Ok(reply) => {
            let taken = matches!(reply.status, 200 | 204);
            app.metrics.count_callback(if taken { "delivered" } else { "refused" });
            delivery.status = Some(reply.status);
            delivery.answer = reply.answer;
            delivery.error = (!taken).then(|| refused(reply.status));
        }
        Err(error) => {
            app.metrics.count_callback("failed");
            delivery.error = Some(error);
        }
    }
    tracing::debug!(
        notification = notification.id,
        attempt = delivery.attempt,
        status = delivery.status,
        error = delivery.error,
        "delivery"
    );
    delivery
}

fn refused(status: u16) -> String {
    if (300..400).contains(&status) {
        "redirects are not followed".to_owned()
    } else {
        "only 200 and 204 acknowledge".to_owned()
    }
}

fn dress(app: &App, notification: &StoredNotification, attempt: u32) -> Option<Outgoing> {
    let merchant = app.merchants().find(&notification.mchid)?;
    let draft = NotificationDraft {
        id: notification.notification_id.clone(),
        event_type: notification.event_type.clone(),
        summary: notification.summary.clone(),
        resource: notification.resource.clone(),
        attempt,
    };
    let created = notification.created.rfc3339();
    Some(envelope::seal(&draft, &created, &merchant, &app.platform(), app.clocks.both()))
}

/// Keeps deliveries and what follows from them. `next` is when the schedule goes on; a replay leaves that alone.
async fn record(
    app: &App,
    epoch: u64,
    notification: &StoredNotification,
    time: Moment,
    outcomes: Vec<NewDelivery>,
    next: Option<Option<Moment>>,
) -> Result<(), LedgerError> {
    let acknowledged = outcomes.iter().any(|delivery| delivery.error.is_none());
    let verdict = match next {
        _ if acknowledged => Verdict::Delivered,
        Some(Some(next)) => Verdict::Again(next),
        Some(None) => Verdict::GivenUp,
        None => Verdict::Unchanged,
    };
    let is_scheduled = next.is_some();
    let (app_, id) = (Arc::clone(app), notification.id);
    let url = notification.notify_url.clone();
    app.ledger
        .write(move |db| {
            if !app_.notify.is_current(epoch) {
                return Ok(());
            }
            for delivery in &outcomes {
                deliveries::insert(db, id, time, delivery)?;
            }
            notifications::settle(db, id, &url, is_scheduled, verdict)
        })
        .await
}

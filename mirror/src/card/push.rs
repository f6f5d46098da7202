//! Delivery of events to the account's address, three attempts in all.

mod message;
mod post;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::error::MirrorError;
use crate::fault::{FaultKind, FaultPlace, FaultRule, Subject};
use crate::ledger::LedgerError;
use crate::ledger::card::accounts::{self, Account};
use crate::ledger::card::events::{self, Outcome, StoredEvent};
use crate::lock;
use crate::state::App;
pub(crate) use post::check_address;
use post::{Refused, post};

/// The name of a delivery in fault rules.
pub(crate) const PUSH: &str = "card.event";
/// Attempts in all.
const ATTEMPTS: i64 = 3;
/// Between one attempt and the next, on the test clock.
const PAUSE: Duration = Duration::from_secs(5);

/// Events under way.
#[derive(Debug, Default)]
pub(crate) struct Pushes(Mutex<HashSet<i64>>);

/// The right to deliver an event. Dropped, it tells those who wait.
pub(crate) struct Claim {
    app: App,
    id: i64,
}

impl Claim {
    /// `None` when somebody else delivers it.
    pub(crate) fn take(app: &App, id: i64) -> Option<Self> {
        lock::mutex(&app.pushes.0).insert(id).then(|| Self { app: Arc::clone(app), id })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock::mutex(&self.app.pushes.0).remove(&self.id);
        self.app.timeline.changed();
    }
}

/// Delivers an event that is due, and records that.
pub(crate) async fn deliver(app: App, claim: Claim) {
    if let Err(error) = attempt(&app, claim.id).await {
        tracing::error!(%error, event = claim.id, "a delivery could not be recorded");
        app.notify.fail();
        app.timeline.changed();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn attempt(app: &App, id: i64) -> Result<(), LedgerError> {
    let now = app.clocks.now();
    let found = app.ledger.read(move |db| {
        let Some(due) = events::due_now(db, id, now)? else { return Ok(None) };
        let account = accounts::find(db, &due.appid)?;
        Ok(Some((due, account)))
    });
    let Some((due, account)) = found.await? else { return Ok(()) };
    let rule = if due.held { None } else { strike(app, &due) };
    if let Some(FaultKind::Hold { seconds }) = rule.as_ref().map(|rule| &rule.kind) {
        let (until, created) = (now.plus(Duration::from_secs(*seconds)), due.created);
        let hold = move |db: &rusqlite::Connection| match events::due_now(db, id, now)? {
            Some(held) if held.created == created => events::hold(db, id, until),
            _ => Ok(()),
        };
        return app.ledger.write(hold).await;
    }
    let mut faults = if due.held { vec!["hold"] } else { Vec::new() };
    faults.extend(rule.as_ref().map(|rule| rule.kind.name()));
    let faults = faults.join(",");
    let outcome = match perform(app, &due, &account, rule).await {
        Ok(status) => Outcome::delivered(status, faults),
        Err((status, error)) => {
            let again = due.attempts + 1 < ATTEMPTS;
            Outcome {
                state: if again { "pending" } else { "given_up" },
                next_attempt: again.then(|| now.plus(PAUSE)),
                status,
                error: Some(error),
                faults,
                counts: true,
            }
        }
    };
    let created = due.created;
    app.ledger
        .write(move |db| {
            // A reset in between may have given the number to another one.
            match events::due_now(db, id, now)? {
                Some(held) if held.created == created => events::settle(db, id, &outcome),
                _ => Ok(()),
            }
        })
        .await
}

/// Delivers an event once more, whatever has become of it. Its schedule stays, unless it is acknowledged.
pub(crate) async fn replay(app: App, id: i64) -> Result<(), MirrorError> {
    let found = app.ledger.read(move |db| {
        let Some(event) = events::find(db, id)? else { return Ok(None) };
        let account = accounts::find(db, &event.appid)?;
        Ok(Some((event, account)))
    });
    let (event, account) = found.await?.ok_or(MirrorError::NotFound { what: "event" })?;
    // One that is replayed is not put off.
    let rule = strike(&app, &event).filter(|rule| !matches!(rule.kind, FaultKind::Hold { .. }));
    let faults = rule.as_ref().map_or("", |rule| rule.kind.name()).to_owned();
    let told = perform(&app, &event, &account, rule).await;
    let created = event.created;
    let record = move |db: &rusqlite::Connection| {
        let Some(held) = events::find(db, id)?.filter(|held| held.created == created) else { return Ok(()) };
        let outcome = match told {
            Ok(status) => Outcome::delivered(status, faults),
            Err((status, error)) => Outcome {
                state: held.state_name(),
                next_attempt: held.next_attempt,
                status,
                error: Some(error),
                faults,
                // It does not use up an attempt that is still to come.
                counts: held.next_attempt.is_none(),
            },
        };
        events::settle(db, id, &outcome)
    };
    app.ledger.write(record).await?;
    app.timeline.changed();
    Ok(())
}

fn strike(app: &App, event: &StoredEvent) -> Option<FaultRule> {
    let subject = Subject {
        operation: PUSH,
        openid: Some(&event.openid).filter(|id| !id.is_empty()).map(String::as_str),
    };
    app.faults.strike(FaultPlace::AfterCommit, subject)
}

/// Sends one copy, or as many as a fault wants, at once. One that is acknowledged is enough.
async fn perform(
    app: &App,
    event: &StoredEvent,
    account: &Account,
    rule: Option<FaultRule>,
) -> Result<i64, Refused> {
    if let Some(rule) = &rule {
        tokio::time::sleep(rule.delay).await;
    }
    let now = app.clocks.now();
    let copies = match rule.as_ref().map(|rule| &rule.kind) {
        Some(FaultKind::Duplicate { copies }) => *copies,
        _ => 1,
    };
    let mut deliveries = JoinSet::new();
    for _ in 0..copies {
        let (app, event, account) = (Arc::clone(app), event.clone(), account.clone());
        let kind = rule.as_ref().map(|rule| rule.kind.clone());
        deliveries.spawn(async move { post(&app, &event, &account, kind.as_ref(), now).await });
    }
    let mut told = deliveries.join_all().await;
    let best = told.iter().position(Result::is_ok).unwrap_or(0);
    told.swap_remove(best)
}

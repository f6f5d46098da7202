//! What arrives, told as it arrives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use favor_callback::{Arrival, InboxId, Notification, Rejection};
use favor_core::{Clock, time};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::shown;
use crate::output::Output;

/// Prints what arrives, counts it, and knows when it was enough.
#[derive(Debug)]
pub(crate) struct Reporter {
    output: Output,
    clock: Arc<dyn Clock>,
    once: Option<u64>,
    new: AtomicU64,
    duplicates: AtomicU64,
    refused: AtomicU64,
    stdout_gone: AtomicBool,
    enough: Notify,
}

impl Reporter {
    pub(crate) fn new(output: &Output, clock: Arc<dyn Clock>, once: Option<u64>) -> Self {
        Self {
            output: output.clone(),
            clock,
            once,
            new: AtomicU64::new(0),
            duplicates: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            stdout_gone: AtomicBool::new(false),
            enough: Notify::new(),
        }
    }

    /// Completes when as many new ones came as were asked for, or nobody reads stdout any more.
    pub(crate) async fn enough(&self) {
        self.enough.notified().await;
    }

    /// Whether nobody reads stdout any more.
    pub(crate) fn stdout_is_gone(&self) -> bool {
        self.stdout_gone.load(Ordering::Relaxed)
    }

    /// What came, in words.
    pub(crate) fn summary(&self) -> String {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (new, duplicates, refused) = (of(&self.new), of(&self.duplicates), of(&self.refused));
        format!("{new} new, {duplicates} duplicates, {refused} refused")
    }

    pub(crate) fn arrival(&self, arrival: &Arrival<'_>) {
        match arrival {
            Arrival::New(notification, id) => self.came("new", notification, Some(*id)),
            Arrival::Duplicate(notification, stored) => {
                self.came("duplicate", notification, Some(stored.id()))
            }
            Arrival::NotStored(notification, error) => {
                let reason = error.map_or_else(|| "the inbox took too long".to_owned(), |error| chain(error));
                self.output.complain("error", &format!("{} was not stored: {reason}", notification.id));
                let mut line = self.line("not_stored", notification);
                line["reason"] = json!(reason);
                self.print(&line, None);
            }
            Arrival::Rejected(rejection) => self.rejected(rejection),
            _ => {}
        }
    }

    /// A notification that is good and kept nowhere.
    pub(crate) fn seen(&self, notification: &Notification) {
        self.came("new", notification, None);
    }

    pub(crate) fn rejected(&self, rejection: &Rejection) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let word = if rejection.is_probe() { "probe" } else { "rejected" };
        let (reason, status) = (chain(rejection), rejection.reply().status().as_u16());
        self.output.talk(format!("{word}: {reason} (answered {status})"));
        let received_at = time::to_wire(&self.clock.now());
        self.print(
            &json!({ "verdict": word, "reason": reason, "status": status, "received_at": received_at }),
            None,
        );
    }

    fn came(&self, word: &'static str, notification: &Notification, id: Option<InboxId>) {
        let mut line = self.line(word, notification);
        line["inbox_id"] = json!(id.map(|id| id.0));
        let clock = time::beijing(&self.clock.now()).format("%H:%M:%S").to_string();
        let event = notification.event_type.as_str();
        let words = shown::words(notification);
        self.print(&line, Some(format!("{clock}  {word:<9}  {event:<11}  {}  {words}", notification.id)));
        if word != "new" {
            self.duplicates.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let new = self.new.fetch_add(1, Ordering::Relaxed) + 1;
        if self.once.is_some_and(|once| new >= once) {
            self.enough.notify_one();
        }
    }

    fn line(&self, word: &str, notification: &Notification) -> Value {
        let mut line = shown::of(notification);
        line["verdict"] = json!(word);
        line["duplicate"] = json!(word == "duplicate");
        line["received_at"] = json!(time::to_wire(&self.clock.now()));
        line
    }

    /// One line of stdout, as JSON or, where there are any, as words.
    fn print(&self, json: &Value, words: Option<String>) {
        let printed = match (self.output.is_json(), words) {
            (true, _) => self.output.json(json),
            (false, Some(words)) => self.output.line(&words),
            (false, None) => Ok(()),
        };
        if printed.is_err() && !self.stdout_gone.swap(true, Ordering::Relaxed) {
            self.enough.notify_one();
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        cause = inner.source();
    }
    words
}

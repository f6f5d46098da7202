//! What keeps a runner from sending, said when it begins and when it ends.

use favor_campaign::{Hold, Pulse};
use favor_core::time;
use serde_json::{Value, json};

use crate::stock::local;

/// What kept a runner from sending when it was last looked at.
#[derive(Debug, Default)]
pub(crate) struct Holds(Option<Hold>);

/// A change of that; none now where it goes on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change(Option<Hold>);

impl Holds {
    /// What changed since the last look. A pause and an end are told by the campaign's state, not here.
    pub(crate) fn change(&mut self, pulse: &Pulse) -> Option<Change> {
        let now = pulse.held_by.clone().filter(|hold| !matches!(hold, Hold::Paused | Hold::Ending));
        if now == self.0 {
            return None;
        }
        self.0.clone_from(&now);
        Some(Change(now))
    }

    /// The word for it, for programs.
    pub(crate) fn word(&self) -> Option<&'static str> {
        self.0.as_ref().map(word)
    }

    /// It in words, for people.
    pub(crate) fn words(&self) -> Option<String> {
        self.0.as_ref().map(words)
    }
}

impl Change {
    /// The fields of a line that tells of it.
    pub(crate) fn line(&self) -> Value {
        let until = match &self.0 {
            Some(Hold::Window { until }) => Some(time::to_wire(until)),
            _ => None,
        };
        json!({ "event": "held", "held_by": self.0.as_ref().map(word), "until": until })
    }

    /// It in words.
    pub(crate) fn words(&self) -> String {
        self.0.as_ref().map_or_else(|| "it goes on".to_owned(), words)
    }
}

fn word(hold: &Hold) -> &'static str {
    match hold {
        Hold::Ending => "ending",
        Hold::Paused => "paused",
        Hold::Window { .. } => "window",
        Hold::Ledger => "ledger",
        Hold::Platform => "platform",
        _ => "other",
    }
}

fn words(hold: &Hold) -> String {
    match hold {
        Hold::Ending => "it ends".to_owned(),
        Hold::Paused => "it is paused".to_owned(),
        Hold::Window { until } => format!("it waits for its time of the day, until {}", local(until)),
        Hold::Ledger => "the ledger does not answer or has no room: nothing is sent until it does".to_owned(),
        Hold::Platform => "nothing comes through to the platform: single sends try it".to_owned(),
        other => format!("it is held up: {other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_is_told_once_and_its_end_too() {
        let pulse = |held_by| {
            let mut pulse = Pulse::default();
            pulse.held_by = held_by;
            pulse
        };
        let mut holds = Holds::default();
        assert_eq!(holds.change(&pulse(None)), None);
        let change = holds.change(&pulse(Some(Hold::Ledger))).unwrap();
        assert_eq!(change.line()["held_by"], "ledger");
        assert_eq!(holds.change(&pulse(Some(Hold::Ledger))), None);
        assert_eq!(holds.word(), Some("ledger"));
        // The state says so.
        let change = holds.change(&pulse(Some(Hold::Paused))).unwrap();
        assert_eq!(
            (change.words(), change.line()["held_by"].clone()),
            ("it goes on".to_owned(), Value::Null)
        );
    }
}

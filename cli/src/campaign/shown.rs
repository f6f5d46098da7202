//! A campaign as it is printed.

use std::time::Duration;

use favor_campaign::{Manifest, OutcomeState, Standing, State};
use favor_core::{Fen, Timestamp, time};
use serde_json::{Value, json};

use crate::stock::local;

/// What one coupon is worth, where that is known.
pub(crate) fn face_value(manifest: &Manifest) -> Option<Fen> {
    manifest.open_value.map(|open| open.coupon_value).or(manifest.face_value)
}

/// What so many coupons are worth, where that is known.
pub(crate) fn worth(manifest: &Manifest, coupons: u64) -> Option<Fen> {
    face_value(manifest)?.checked_mul(coupons).ok()
}

/// One campaign and how it stands, for programs.
pub(crate) fn campaign(manifest: &Manifest, standing: &Standing) -> Value {
    let time = |moment: Option<&Timestamp>| moment.map(time::to_wire);
    let mut shown = counts(manifest, standing);
    shown["name"] = json!(manifest.name.as_str());
    shown["merchant_id"] = json!(manifest.merchant_id.as_str());
    shown["stock_id"] = json!(manifest.stock_id.as_str());
    shown["appid"] = json!(manifest.appid.as_str());
    shown["people"] = json!(standing.people);
    shown["coupons_per_person"] = json!(manifest.coupons_per_person);
    shown["list"] = json!(manifest.list.file);
    shown["planned_at"] = json!(time(Some(&manifest.planned_at)));
    shown["started_at"] = json!(time(standing.started_at.as_ref()));
    shown["finished_at"] = json!(time(standing.finished_at.as_ref()));
    shown
}

/// How a campaign stands, for programs.
pub(crate) fn counts(manifest: &Manifest, standing: &Standing) -> Value {
    let count = |state| standing.count(state);
    let by_code: Vec<Value> = standing
        .tallies
        .iter()
        .filter(|tally| tally.state != OutcomeState::Sent)
        .map(|tally| json!({ "state": tally.state.as_str(), "code": tally.code, "count": tally.count }))
        .collect();
    let sent = count(OutcomeState::Sent);
    json!({
        "state": standing.state.as_str(),
        "reason": standing.reason,
        "paused_by_operator": standing.paused_by_operator,
        "paused_until": standing.paused_until.as_ref().map(time::to_wire),
        "coupons": standing.coupons,
        "open": count(OutcomeState::Open),
        "sent": sent,
        "refused": count(OutcomeState::Refused),
        "parked": count(OutcomeState::Parked),
        "unknown": count(OutcomeState::Unknown),
        "by_code": by_code,
        "given_fen": worth(manifest, sent),
        "workers": standing.workers,
    })
}

/// One campaign and how it stands, for people.
pub(crate) fn facts(manifest: &Manifest, standing: &Standing) -> Vec<(&'static str, String)> {
    let sent = standing.count(OutcomeState::Sent);
    let mut facts = vec![
        ("campaign", manifest.name.to_string()),
        ("state", state(standing)),
        ("stock", manifest.stock_id.to_string()),
        ("people", standing.people.to_string()),
        ("coupons", standing.coupons.to_string()),
        ("sent", with_worth(sent, worth(manifest, sent))),
        ("refused", with_codes(standing, OutcomeState::Refused)),
        ("parked", with_codes(standing, OutcomeState::Parked)),
        ("unknown", with_codes(standing, OutcomeState::Unknown)),
        ("open", standing.count(OutcomeState::Open).to_string()),
    ];
    if standing.workers > 0 {
        facts.push(("workers", standing.workers.to_string()));
    }
    for (name, moment) in [("started", &standing.started_at), ("finished", &standing.finished_at)] {
        if let Some(moment) = moment {
            facts.push((name, local(moment)));
        }
    }
    facts
}

fn with_worth(count: u64, worth: Option<Fen>) -> String {
    match worth {
        Some(worth) if count > 0 => format!("{count} ({worth})"),
        _ => count.to_string(),
    }
}

/// How many coupons are in a state, and by which codes: `3 (RULE_LIMIT 2, USER_NOT_EXISTS 1)`.
pub(crate) fn with_codes(standing: &Standing, state: OutcomeState) -> String {
    let mut codes: Vec<_> = standing.tallies.iter().filter(|tally| tally.state == state).collect();
    codes.retain(|tally| tally.count > 0);
    codes.sort_by_key(|tally| std::cmp::Reverse(tally.count));
    let codes: Vec<_> = codes.iter().map(|tally| format!("{} {}", tally.code, tally.count)).collect();
    let count = standing.count(state);
    if codes.is_empty() { count.to_string() } else { format!("{count} ({})", codes.join(", ")) }
}

/// The state, and why: `paused until 2026-12-01 00:00:00: the daily budget is used up`.
pub(crate) fn state(standing: &Standing) -> String {
    let mut words = standing.state.to_string();
    if standing.state == State::Paused {
        if let Some(until) = &standing.paused_until {
            words.push_str(&format!(" until {}", local(until)));
        }
        if let Some(reason) = &standing.reason {
            words.push_str(&format!(": {reason}"));
        }
    }
    words
}

/// A length of time for people: `42 s`, `7 min`, `2 h 47 min`, `3 d 4 h`.
pub(crate) fn length(length: Duration) -> String {
    let seconds = length.as_secs();
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds) {
        (0, 0, _, 0..=119) => format!("{seconds} s"),
        (0, 0, minutes, _) => format!("{minutes} min"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time() {
        for (seconds, words) in [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (3_599, "59 min"),
            (10_020, "2 h 47 min"),
            (273_600, "3 d 4 h"),
        ] {
            assert_eq!(length(Duration::from_secs(seconds)), words);
        }
    }
}

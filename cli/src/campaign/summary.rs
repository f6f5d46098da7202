//! How the work on a campaign ended: what is said, and the exit code.

use favor_campaign::{Campaign, OutcomeState, Standing};
use serde_json::json;

use super::live::Live;
use super::next::Command;
use super::shown;
use crate::args::{Global, LedgerPlace};
use crate::exit::Exit;
use crate::output::Output;

/// Why the work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Every coupon is settled.
    Finished,
    /// Somebody ordered so.
    Stopped,
    /// A signal came.
    Interrupted,
    /// It paused, and was not to wait.
    Paused,
}

impl End {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Paused => "paused",
        }
    }

    /// The exit code that goes with it.
    pub(crate) fn exit(self, standing: &Standing) -> Exit {
        match self {
            Self::Finished if standing.count(OutcomeState::Unknown) > 0 => Exit::Unknown,
            Self::Finished if standing.count(OutcomeState::Parked) > 0 => Exit::Refused,
            Self::Finished => Exit::Done,
            Self::Stopped => Exit::NotSent,
            Self::Interrupted => Exit::Interrupted,
            Self::Paused => Exit::Refused,
        }
    }
}

/// Shows how it stands at the end, and says which command comes next.
pub(crate) fn tell(
    end: End,
    campaign: &Campaign,
    standing: &Standing,
    live: &mut Live,
    output: &Output,
) -> anyhow::Result<Exit> {
    live.clear();
    if live.is_lines() {
        let mut more = Vec::new();
        let whole = shown::campaign(&campaign.manifest, standing);
        for name in ["stock_id", "people", "started_at", "finished_at"] {
            more.push((name, whole[name].clone()));
        }
        more.push(("how", json!(end.as_str())));
        live.event("ended", standing, &more);
    } else {
        output.facts(shown::facts(&campaign.manifest, standing))?;
    }
    Ok(end.exit(standing))
}

/// Says which command comes next.
pub(crate) fn say_next(
    end: End,
    campaign: &Campaign,
    standing: &Standing,
    place: &LedgerPlace,
    global: &Global,
    output: &Output,
) {
    let name = &campaign.manifest.name;
    let command = |verb| Command::new(verb, name, place, global);
    if end != End::Finished {
        let open = standing.count(OutcomeState::Open);
        output.talk(format!("{open} coupons are open; {} goes on with them", command("start")));
        return;
    }
    output
        .talk(format!("what became of everybody: {}", command("report").with(&format!("--out {name}.csv"))));
    for (state, why) in [
        (OutcomeState::Unknown, "it is not known whether these people have their coupon"),
        (OutcomeState::Parked, "set aside for a decision"),
    ] {
        let count = standing.count(state);
        if count > 0 {
            let again = command("retry").with(&format!("--state {state}"));
            output.talk(format!("{count} {state}: {why}; {again} sends them again with the same numbers"));
        }
    }
}

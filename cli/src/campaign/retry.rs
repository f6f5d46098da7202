//! `favor campaign retry`: settled coupons opened again.

use anyhow::Context as _;
use favor_campaign::{OutcomeState, Reopen};
use serde_json::json;

use super::find::find;
use super::next::Command;
use super::place::Place;
use crate::args::{Global, Retried, RetryCampaign};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) async fn run(args: &RetryCampaign, global: &Global, output: &Output) -> anyhow::Result<Exit> {
    let opened = Place::of(&args.place, global)?.open_beside().await?;
    let books = opened.books();
    let campaign = find(&*books, &args.name).await?;
    let states = if args.state.is_empty() {
        vec![OutcomeState::Refused, OutcomeState::Parked, OutcomeState::Unknown]
    } else {
        args.state.iter().copied().map(OutcomeState::from).collect()
    };
    let which = Reopen { states, codes: args.code.clone() };
    let reopened = books.reopen(campaign.id, &which).await;
    let reopened = reopened.with_context(|| format!("campaign {}", args.name))?;
    let standing = books.standing(campaign.id).await?;
    opened.close().await;
    if output.is_json() {
        let state = standing.state.as_str();
        output.json(&json!({ "name": args.name.as_str(), "reopened": reopened, "state": state }))?;
    } else {
        output.line(&format!("{reopened} coupons opened again"))?;
    }
    if reopened == 0 {
        output.talk("none has such a state and code; favor campaign report shows which there are");
    } else {
        let start = Command::new("start", &args.name, &args.place, global);
        output.talk(format!("{start} sends them, with the numbers they had, unless a worker is running"));
    }
    Ok(Exit::Done)
}

impl From<Retried> for OutcomeState {
    fn from(retried: Retried) -> Self {
        match retried {
            Retried::Refused => Self::Refused,
            Retried::Parked => Self::Parked,
            Retried::Unknown => Self::Unknown,
        }
    }
}

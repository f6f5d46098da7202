//! A few coupons first, and a question.

use std::io::IsTerminal as _;

use favor_campaign::{OutcomeState, Standing, State};
use tokio::sync::oneshot;

use super::shown;
use crate::args::StartCampaign;
use crate::confirm::said_yes;

/// How many where a person can be asked.
const COUPONS: u32 = 20;

/// Whether there is one, and whether somebody is asked after it.
#[derive(Debug)]
pub(crate) struct Pilot {
    coupons: Option<u32>,
    asks: bool,
    asked: Option<oneshot::Receiver<anyhow::Result<bool>>>,
}

impl Pilot {
    pub(crate) fn of(args: &StartCampaign, yes: bool) -> Self {
        let asks = std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !yes;
        let coupons = match args.pilot {
            Some(coupons) => Some(coupons),
            None => (asks && !args.no_pilot).then_some(COUPONS),
        };
        Self { coupons, asks: asks && coupons.is_some(), asked: None }
    }

    /// How many coupons.
    pub(crate) fn coupons(&self) -> Option<u32> {
        self.coupons
    }

    /// Whether the campaign waits after its pilot, and nobody was asked yet though somebody can be.
    pub(crate) fn is_due(&self, standing: &Standing) -> bool {
        let waits = standing.reason.as_deref().is_some_and(|reason| reason.starts_with("pilot"));
        self.asks && standing.state == State::Paused && waits && !standing.paused_by_operator
    }

    /// Whether the terminal belongs to the question now.
    pub(crate) fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    /// Asks whether it goes on.
    pub(crate) fn ask(&mut self, standing: &Standing) {
        let with_codes = |state| shown::with_codes(standing, state);
        let question = format!(
            "the pilot: {} sent, {} refused, {} parked, {} unknown. Go on with the other {}",
            standing.count(OutcomeState::Sent),
            with_codes(OutcomeState::Refused),
            with_codes(OutcomeState::Parked),
            with_codes(OutcomeState::Unknown),
            standing.count(OutcomeState::Open),
        );
        let (answer, asked) = oneshot::channel();
        // A thread that the process does not wait for: nobody may ever answer.
        std::thread::spawn(move || answer.send(said_yes(&question)));
        self.asks = false;
        self.asked = Some(asked);
    }

    /// The answer; never completes where nobody was asked.
    pub(crate) async fn answer(&mut self) -> anyhow::Result<bool> {
        let Some(asked) = &mut self.asked else { return std::future::pending().await };
        let answer = asked.await;
        self.asked = None;
        answer.unwrap_or(Ok(false))
    }
}

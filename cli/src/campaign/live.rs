//! A campaign shown while it runs: a bar on a terminal, JSON lines where there is none.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use favor_campaign::{Manifest, OutcomeState, Pulse, Standing, State};
use favor_core::time;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::budget::Budget;
use super::holds::Holds;
use super::shown;
use super::speed::{self, Speed};
use crate::args;
use crate::output::Output;

/// Shows how a campaign stands.
#[derive(Debug)]
pub(crate) struct Live {
    output: Output,
    manifest: Manifest,
    every: Duration,
    lines: bool,
    bar: ProgressBar,
    speed: Speed,
    budget: Option<Budget>,
    holds: Holds,
    said: Option<(Instant, State, Option<String>)>,
}

impl Live {
    pub(crate) fn new(
        output: &Output,
        manifest: &Manifest,
        args: &args::Live,
        budget: Option<Budget>,
    ) -> Self {
        Self {
            output: output.clone(),
            manifest: manifest.clone(),
            every: args.every,
            lines: is_lines(output),
            bar: bar(output, manifest),
            speed: Speed::default(),
            budget,
            holds: Holds::default(),
            said: None,
        }
    }

    /// How often to look: a bar wants to move.
    pub(crate) fn interval(&self) -> Duration {
        if self.lines {
            self.every.clamp(Duration::from_millis(50), Duration::from_secs(1))
        } else {
            Duration::from_millis(250)
        }
    }

    /// Whether JSON lines are printed in place of tables.
    pub(crate) fn is_lines(&self) -> bool {
        self.lines
    }

    /// Shows how it stands now, where it is time for that.
    pub(crate) fn show(&mut self, standing: &Standing) {
        let now = Instant::now();
        let open = standing.count(OutcomeState::Open);
        self.speed.note(now, standing.coupons.saturating_sub(open));
        if self.lines {
            let news = match &self.said {
                None => true,
                Some((at, state, reason)) => {
                    now.duration_since(*at) >= self.every
                        || (*state, reason) != (standing.state, &standing.reason)
                }
            };
            if news {
                self.said = Some((now, standing.state, standing.reason.clone()));
                let line = self.line("progress", standing);
                self.print(&line);
            }
            return;
        }
        let message = self.words(standing);
        self.bar.set_message(message);
        self.bar.set_length(standing.coupons);
        self.bar.set_position(standing.coupons.saturating_sub(open));
    }

    /// Tells of what keeps the runner from sending, when that changes. It needs no ledger.
    pub(crate) fn note(&mut self, pulse: &Pulse) {
        let Some(change) = self.holds.change(pulse) else { return };
        self.talk(change.words());
        if self.lines {
            let mut line = change.line();
            line["name"] = json!(self.manifest.name.as_str());
            self.print(&line);
        }
    }

    /// A line of an event, where lines are printed. It does no harm when nobody reads them any more.
    pub(crate) fn event(&mut self, event: &str, standing: &Standing, more: &[(&str, Value)]) {
        if !self.lines {
            return;
        }
        let mut line = self.line(event, standing);
        for (name, value) in more {
            line[*name] = value.clone();
        }
        self.print(&line);
    }

    /// Words for people, above the bar.
    pub(crate) fn talk(&self, line: impl AsRef<str>) {
        self.bar.suspend(|| self.output.talk(line));
    }

    /// Removes the bar, until something is shown again.
    pub(crate) fn clear(&mut self) {
        self.bar.finish_and_clear();
        self.bar = bar(&self.output, &self.manifest);
    }

    fn print(&self, line: &Value) {
        // A campaign does not end because nobody reads its progress.
        let _ = self.output.json(line);
    }

    fn line(&mut self, event: &str, standing: &Standing) -> Value {
        let mut line = shown::counts(&self.manifest, standing);
        let left = self.budget_left(standing);
        line["event"] = json!(event);
        line["name"] = json!(self.manifest.name.as_str());
        line["at"] = json!(time::to_wire(&standing.now));
        line["per_second"] = json!(self.speed.tenths().map(speed::number));
        let eta = self.speed.left(standing.count(OutcomeState::Open));
        line["eta_seconds"] = json!(eta.map(|eta| eta.as_secs()));
        line["held_by"] = json!(self.holds.word());
        line["stock_coupons_left"] = json!(left);
        line["stock_budget_left_fen"] = json!(left.and_then(|left| shown::worth(&self.manifest, left)));
        line
    }

    fn budget_left(&mut self, standing: &Standing) -> Option<u64> {
        self.budget.as_mut()?.left(standing.count(OutcomeState::Sent))
    }

    fn words(&mut self, standing: &Standing) -> String {
        let open = standing.count(OutcomeState::Open);
        let mut words = match (self.speed.tenths(), self.holds.words()) {
            (_, Some(held)) if standing.state == State::Running => held,
            (Some(tenths), None) if standing.state == State::Running => speed::in_words(tenths),
            _ => shown::state(standing),
        };
        if let Some(left) = self.speed.left(open).filter(|_| standing.state == State::Running) {
            words.push_str(&format!("  {} left", shown::length(left)));
        }
        words.push_str(&format!("\n  sent {}", standing.count(OutcomeState::Sent)));
        for state in [OutcomeState::Refused, OutcomeState::Parked, OutcomeState::Unknown] {
            if standing.count(state) > 0 {
                words.push_str(&format!("  {state} {}", shown::with_codes(standing, state)));
            }
        }
        if let Some(left) = self.budget_left(standing) {
            match shown::worth(&self.manifest, left) {
                Some(worth) => words.push_str(&format!("  budget {worth} left")),
                None => words.push_str(&format!("  budget {left} coupons left")),
            }
        }
        words
    }
}

/// A bar; invisible where nobody watches, and until something is shown.
fn bar(output: &Output, manifest: &Manifest) -> ProgressBar {
    let target =
        if output.shows_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target).with_prefix(manifest.name.to_string());
    match ProgressStyle::with_template("{prefix} [{bar:30}] {human_pos}/{human_len}  {msg}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}

/// Whether a command that goes on for long prints JSON lines: where it was told to, and off a terminal.
pub(crate) fn is_lines(output: &Output) -> bool {
    output.is_json() || !std::io::stdout().is_terminal()
}

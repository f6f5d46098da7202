//! What a monitoring plugin says: one state, one line, and figures.

use crate::exit::Monitored;
use crate::output::Output;

/// How many complaints the line names before it only counts them.
const NAMED: usize = 5;

/// A figure, the worst of all merchants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: i64,
    pub(crate) warning: i64,
    pub(crate) critical: i64,
    /// Whether a smaller value is worse, as of days that are left.
    pub(crate) falls: bool,
}

/// What was found so far.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    complaints: Vec<(Monitored, String)>,
    figures: Vec<Figure>,
    /// What is said when there is nothing to complain of.
    pub(crate) fine: String,
}

impl Verdict {
    pub(crate) fn complain(&mut self, state: Monitored, words: impl Into<String>) {
        self.complaints.push((state, words.into()));
    }

    pub(crate) fn figure(&mut self, figure: Figure) {
        match self.figures.iter_mut().find(|held| held.name == figure.name) {
            Some(held) if (figure.value < held.value) == figure.falls => *held = figure,
            Some(_) => {}
            None => self.figures.push(figure),
        }
    }

    /// The worst of all. What is critical hides what is not known.
    pub(crate) fn state(&self) -> Monitored {
        let rank = |state: &Monitored| match state {
            Monitored::Ok => 0,
            Monitored::Warning => 1,
            Monitored::Unknown => 2,
            Monitored::Critical => 3,
        };
        self.complaints.iter().map(|(state, _)| *state).max_by_key(rank).unwrap_or(Monitored::Ok)
    }

    /// Prints the line, or the same as JSON.
    pub(crate) fn print(&self, output: &Output) -> anyhow::Result<()> {
        if output.is_json() {
            let figures: serde_json::Map<_, _> =
                self.figures.iter().map(|figure| (figure.name.to_owned(), figure.value.into())).collect();
            let complaints: Vec<_> = self
                .complaints
                .iter()
                .map(|(state, words)| serde_json::json!({ "state": name(*state), "words": words }))
                .collect();
            return output.json(&serde_json::json!({
                "state": name(self.state()),
                "complaints": complaints,
                "figures": figures,
            }));
        }
        output.line(&self.line())
    }

    fn line(&self) -> String {
        let state = self.state();
        let mut worst: Vec<_> = self.complaints.iter().collect();
        worst.sort_by_key(|(complaint, _)| std::cmp::Reverse(*complaint == state));
        let mut words: Vec<_> = worst.iter().take(NAMED).map(|(_, words)| words.as_str()).collect();
        let more = self.complaints.len().saturating_sub(NAMED);
        let more = format!("and {more} more");
        if self.complaints.len() > NAMED {
            words.push(&more);
        }
        let words = if words.is_empty() { self.fine.clone() } else { words.join("; ") };
        // A bar would begin the figures, and a line feed what is not shown.
        let words = words.replace(['|', '\n', '\r'], " ");
        let figures: Vec<_> = self.figures.iter().map(perfdata).collect();
        let figures = if figures.is_empty() { String::new() } else { format!(" | {}", figures.join(" ")) };
        format!("FAVOR CERTS {} - {words}{figures}", name(state))
    }
}

fn name(state: Monitored) -> &'static str {
    match state {
        Monitored::Ok => "OK",
        Monitored::Warning => "WARNING",
        Monitored::Critical => "CRITICAL",
        Monitored::Unknown => "UNKNOWN",
    }
}

/// `name=value;warning;critical`, with the colon that says on which side of it the bad values are.
fn perfdata(figure: &Figure) -> String {
    let Figure { name, unit, value, warning, critical, falls } = figure;
    let side = if *falls { ":" } else { "" };
    format!("{name}={value}{unit};{warning}{side};{critical}{side}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_the_worst_first_and_counts_the_rest() {
        let mut verdict = Verdict { fine: "all fine".to_owned(), ..Verdict::default() };
        assert_eq!(verdict.line(), "FAVOR CERTS OK - all fine");
        for merchant in 0..6 {
            verdict.complain(Monitored::Warning, format!("{merchant} is old"));
        }
        verdict.complain(Monitored::Critical, "one | is\ngone");
        for value in [5, 3, 9] {
            verdict.figure(Figure { name: "days", unit: "", value, warning: 30, critical: 7, falls: true });
            verdict.figure(Figure { name: "age", unit: "s", value, warning: 30, critical: 70, falls: false });
        }
        assert_eq!(
            verdict.line(),
            "FAVOR CERTS CRITICAL - one   is gone; 0 is old; 1 is old; 2 is old; 3 is old; and 2 more | days=3;30:;7: age=9s;30;70"
        );
        let mut other = Verdict::default();
        other.complain(Monitored::Unknown, "x");
        other.complain(Monitored::Warning, "y");
        assert_eq!(other.line(), "FAVOR CERTS UNKNOWN - x; y");
        verdict.complain(Monitored::Unknown, "x");
        assert_eq!(verdict.state(), Monitored::Critical);
    }
}

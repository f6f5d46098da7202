//! Asking before money moves on a production host.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::bail;

use crate::settings::{Settings, is_production};

/// Asks for a yes where `settings` point at production. Without a terminal only `--yes` will do.
pub(crate) fn confirm(settings: &Settings, yes: bool, what: &str) -> anyhow::Result<()> {
    if yes || !settings.is_production() {
        return Ok(());
    }
    let question = format!("{what} on {} as merchant {}", settings.host(), settings.merchant_id());
    ask(&question, "nothing was sent")
}

/// Asks for a yes where `host` is production. Without a terminal only `--yes` will do.
pub(crate) fn confirm_on(host: &str, yes: bool, question: &str) -> anyhow::Result<()> {
    if yes || !is_production(host) { Ok(()) } else { ask(question, "nothing was sent") }
}

/// Asks for a yes to what cannot be undone, wherever it happens. Without a terminal only `--yes` will do.
pub(crate) fn confirm_forever(yes: bool, what: &str) -> anyhow::Result<()> {
    if yes { Ok(()) } else { ask(what, "nothing was changed") }
}

fn ask(question: &str, else_said: &str) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() {
        bail!("{question} needs --yes when there is no terminal to ask on");
    }
    if said_yes(question)? {
        return Ok(());
    }
    bail!("stopped: {else_said}")
}

/// Asks on the terminal. Anything but a yes is a no.
pub(crate) fn said_yes(question: &str) -> anyhow::Result<bool> {
    write!(std::io::stderr(), "{question}? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

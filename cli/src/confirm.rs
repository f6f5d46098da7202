//! Asking before money moves on a production host.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::bail;

use crate::settings::Settings;

/// Asks for a yes where `settings` point at production. Without a terminal only `--yes` will do.
pub(crate) fn confirm(settings: &Settings, yes: bool, what: &str) -> anyhow::Result<()> {
    if yes || !settings.is_production() {
        return Ok(());
    }
    let question = format!("{what} on {} as merchant {}", settings.host(), settings.merchant_id());
    if !std::io::stdin().is_terminal() {
        bail!("{question} needs --yes when there is no terminal to ask on");
    }
    write!(std::io::stderr(), "{question}? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    bail!("stopped: nothing was sent")
}

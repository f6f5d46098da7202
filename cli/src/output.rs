//! stdout is data, stderr is talk.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, OnceLock};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::args::{Color, Format};
use crate::env;

/// Where and how to print.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    format: Format,
    quiet: bool,
    color: bool,
    next: Arc<OnceLock<String>>,
}

/// stdout was closed by its reader, as `head` does. That is success.
#[derive(Debug, thiserror::Error)]
#[error("stdout was closed")]
pub(crate) struct BrokenPipe;

impl Output {
    pub(crate) fn new(format: Format, color: Color, quiet: bool) -> Self {
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => env::read("NO_COLOR").is_none() && std::io::stderr().is_terminal(),
        };
        Self { format, quiet, color, next: Arc::default() }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether a progress bar may be drawn: only for a person at a terminal.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// A line for people, on stderr.
    pub(crate) fn talk(&self, line: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr(), "{}", line.as_ref());
        }
    }

    /// An error, on stderr, also when quiet.
    pub(crate) fn complain(&self, label: &str, text: &str) {
        let (on, off) = if self.color { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        let _ = writeln!(std::io::stderr(), "{on}{label}:{off} {text}");
    }

    /// Keeps the command that goes on with what is begun now, to be named should it end early.
    pub(crate) fn goes_on_with(&self, command: &str) {
        let _ = self.next.set(command.to_owned());
    }

    /// Names that command, where there is one; also when quiet.
    pub(crate) fn name_next(&self) {
        if let Some(command) = self.next.get() {
            self.complain("hint", &format!("{command} goes on where this ended; nobody gets a coupon twice"));
        }
    }

    /// One JSON value on a line of stdout.
    pub(crate) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(&serde_json::to_string(value)?)
    }

    /// JSON as it came from the platform, on a line of stdout.
    pub(crate) fn raw_json(&self, bytes: &[u8]) -> anyhow::Result<()> {
        self.line(std::str::from_utf8(bytes)?.trim_end())
    }

    /// Names and values, as a table on stdout.
    pub(crate) fn facts<'a>(&self, facts: impl IntoIterator<Item = (&'a str, String)>) -> anyhow::Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        for (name, value) in facts {
            table.add_row([name.to_owned(), value]);
        }
        self.line(&table.trim_fmt())
    }

    /// Rows under a heading, as a table on stdout; `none` where there are none.
    pub(crate) fn rows<const N: usize>(
        &self,
        heading: [&str; N],
        rows: Vec<[String; N]>,
        none: &str,
    ) -> anyhow::Result<()> {
        if rows.is_empty() {
            return self.line(none);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(heading).add_rows(rows);
        self.line(&table.trim_fmt())
    }

    /// A line on stdout.
    pub(crate) fn line(&self, line: &str) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout().lock();
        match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(BrokenPipe.into()),
            result => Ok(result?),
        }
    }
}

//! The command that comes next, as it can be typed.

use std::fmt;

use favor_campaign::CampaignName;

use crate::args::{Global, LedgerPlace};

/// A command on one campaign, with the options that lead to its ledger.
#[derive(Clone, Debug)]
pub(crate) struct Command(String);

impl Command {
    pub(crate) fn new(verb: &str, name: &CampaignName, place: &LedgerPlace, global: &Global) -> Self {
        let mut line = format!("favor campaign {verb} {name}");
        let config = global.config.as_deref().map(|file| file.to_string_lossy());
        for (flag, value) in [
            ("--ledger", place.ledger.as_deref()),
            ("--config", config.as_deref()),
            ("--profile", global.profile.as_deref()),
        ] {
            if let Some(value) = value {
                line.push_str(&format!(" {flag} {}", quoted(value)));
            }
        }
        Self(line)
    }

    /// The same with more arguments.
    pub(crate) fn with(&self, more: &str) -> Self {
        Self(format!("{} {more}", self.0))
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As a shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%=+,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_for_a_shell() {
        for (text, word) in [
            ("a.sqlite", "a.sqlite"),
            ("postgres://shop@db:5432/favor", "postgres://shop@db:5432/favor"),
            ("my file", "'my file'"),
            ("it's $HOME", r"'it'\''s $HOME'"),
            ("", "''"),
            ("春.sqlite", "'春.sqlite'"),
        ] {
            assert_eq!(quoted(text), word);
        }
    }
}

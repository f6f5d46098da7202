//! The seed file: what a mirror holds when it starts. TOML; every error names its place.

mod apply;
mod cards;
mod entry;
mod given;
mod hours;
mod when;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use serde::Deserialize;
use toml::Spanned;

use crate::platform_keys::PublicKeyPhase;
use crate::rules::readings::Readings;
pub(crate) use apply::{World, apply, merchants, note_differences};
use cards::{CardAccountEntry, CardEntry};
pub(crate) use entry::{MerchantEntry, StockEntry, UserEntry};
use when::{Life, When};

/// What is wrong with a seed file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeedError {
    /// The file.
    pub file: String,
    /// Line, from 1; 0 when the file as a whole is meant.
    pub line: usize,
    /// Column in characters, from 1; 0 when the file as a whole is meant.
    pub column: usize,
    /// What is wrong, in words.
    pub reason: String,
}

impl fmt::Display for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, reason } = self;
        if *line == 0 { write!(f, "{file}: {reason}") } else { write!(f, "{file}:{line}:{column}: {reason}") }
    }
}

impl std::error::Error for SeedError {}

/// Merchants, users, stocks, coupons, cards and settings to start a mirror with, read from TOML.
///
/// Stocks and cards are made and coupons given by the same rules as those of the API: a seed cannot hold what no client
/// could have made. What it pays with is not notified.
#[derive(Clone)]
pub struct Seed {
    file: File,
    source: Source,
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seed")
            .field("file", &self.source.name)
            .field("merchants", &self.file.merchants.len())
            .field("users", &self.file.users.len())
            .field("stocks", &self.file.stocks.len())
            .field("cards", &self.file.cards.len())
            .finish_non_exhaustive()
    }
}

/// The text, for places in it.
#[derive(Clone)]
pub(crate) struct Source {
    name: String,
    text: String,
    /// Files that the seed names are looked for here.
    folder: PathBuf,
}

impl Source {
    /// An error at an offset in bytes.
    fn error(&self, at: usize, reason: impl Into<String>) -> SeedError {
        let before: String = self.text.char_indices().take_while(|(i, _)| *i < at).map(|(_, c)| c).collect();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        SeedError { file: self.name.clone(), line, column, reason: reason.into() }
    }

    fn at<T>(&self, place: &Spanned<T>, reason: impl Into<String>) -> SeedError {
        self.error(place.span().start, reason)
    }
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    settings: SettingsEntry,
    readings: Option<Readings>,
    #[serde(default)]
    merchants: Vec<Spanned<MerchantEntry>>,
    #[serde(default)]
    users: Vec<Spanned<UserEntry>>,
    #[serde(default)]
    stocks: Vec<Spanned<StockEntry>>,
    #[serde(default)]
    card_accounts: Vec<Spanned<CardAccountEntry>>,
    #[serde(default)]
    cards: Vec<Spanned<CardEntry>>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsEntry {
    clock_at: Option<Spanned<When>>,
    wire_clock_follows_test_clock: Option<bool>,
    start_delay: Option<Life>,
    monthly_cap_fen: Option<Spanned<i64>>,
    rate_limits: Option<bool>,
    id_seed: Option<u64>,
    public_key: Option<PublicKeyPhase>,
    notify_sends: Option<bool>,
    callback_schedule: Option<Vec<Life>>,
}

/// Settings that a seed gives; none where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeedSettings {
    pub(crate) clock_at: Option<DateTime<FixedOffset>>,
    pub(crate) wire_follows: Option<bool>,
    pub(crate) start_delay: Option<Duration>,
    /// `Some(None)` lifts the cap.
    pub(crate) monthly_cap: Option<Option<i64>>,
    pub(crate) rate_limits: Option<bool>,
    pub(crate) id_seed: Option<u64>,
    pub(crate) phase: Option<PublicKeyPhase>,
    pub(crate) readings: Option<Readings>,
    pub(crate) notify_sends: Option<bool>,
    pub(crate) callback_schedule: Option<Vec<Duration>>,
}

impl Seed {
    /// A seed that shows everything a seed can hold, with comments. Loads as it is.
    pub const EXAMPLE: &'static str = include_str!("../seeds/example.toml");

    /// Reads a seed from a file. Files that it names are looked for beside it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or its form is wrong.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, SeedError> {
        let file = file.as_ref();
        let name = file.display().to_string();
        let bytes = std::fs::read(file).map_err(|error| SeedError {
            file: name.clone(),
            line: 0,
            column: 0,
            reason: format!("cannot be read: {error}"),
        })?;
        let folder = file.parent().map(Path::to_owned).unwrap_or_default();
        let source = |text| Source { name, text, folder };
        match String::from_utf8(bytes) {
            Ok(text) => Self::from_source(source(text)),
            Err(error) => {
                let sound = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(&error.as_bytes()[..sound]).into_owned();
                Err(source(text).error(sound, "what follows is not UTF-8"))
            }
        }
    }

    /// Reads a seed from a text. Files that it names are looked for in the working directory.
    ///
    /// # Errors
    ///
    /// When its form is wrong.
    pub fn parse(text: &str) -> Result<Self, SeedError> {
        Self::from_source(Source { name: "seed".to_owned(), text: text.to_owned(), folder: PathBuf::new() })
    }

    fn from_source(source: Source) -> Result<Self, SeedError> {
        let file: File = toml::from_str(&source.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            source.error(at, error.message().replace('\n', ", "))
        })?;
        let seed = Self { file, source };
        seed.settings()?;
        entry::check(&seed.file, &seed.source)?;
        cards::check(&seed.file, &seed.source)?;
        Ok(seed)
    }

    pub(crate) fn has_merchant(&self, mchid: &str) -> bool {
        self.file.merchants.iter().any(|entry| entry.get_ref().mchid.get_ref() == mchid)
    }

    pub(crate) fn settings(&self) -> Result<SeedSettings, SeedError> {
        let given = &self.file.settings;
        let clock_at = match &given.clock_at {
            None => None,
            Some(when) => Some(when.get_ref().absolute().ok_or_else(|| {
                self.source.at(when, "clock_at is a time such as 2026-08-10T12:00:00+08:00")
            })?),
        };
        let monthly_cap = match &given.monthly_cap_fen {
            Some(cap) if *cap.get_ref() < 0 => {
                return Err(self.source.at(cap, "monthly_cap_fen is negative; 0 lifts the cap"));
            }
            Some(cap) => Some(Some(*cap.get_ref()).filter(|cap| *cap > 0)),
            None => None,
        };
        Ok(SeedSettings {
            clock_at,
            wire_follows: given.wire_clock_follows_test_clock,
            start_delay: given.start_delay.map(Life::duration),
            monthly_cap,
            rate_limits: given.rate_limits,
            id_seed: given.id_seed,
            phase: given.public_key,
            readings: self.file.readings,
            notify_sends: given.notify_sends,
            callback_schedule: given
                .callback_schedule
                .as_ref()
                .map(|waits| waits.iter().map(|wait| wait.duration()).collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Seed::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn errors_of_form_name_line_and_column() {
        for (text, expected) in [
            ("[[merchants]]\nmchid = 1\n", "seed:2:9: invalid type: integer"),
            ("[[merchants]]\nmchid = \"1\"\nballance_fen = 1\n", "seed:3:1: unknown field `ballance_fen`"),
            ("[settings]\nstart_delay = \"soon\"\n", "seed:2:15: "),
            ("x", "seed:1:2: "),
            ("[readings]\nended_status = \"gone\"\n", "seed:2:16: unknown variant `gone`"),
            ("[settings]\nmonthly_cap_fen = -1\n", "seed:2:19: monthly_cap_fen is negative"),
            ("[settings]\nclock_at = \"+1d\"\n", "seed:2:12: clock_at is a time"),
            ("[[users]]\nappid = \"wx1\"\n", "missing field `openid`"),
        ] {
            let error = refused(text);
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn errors_of_meaning_do_too() {
        for (text, expected) in [
            (
                "[[merchants]]\nmchid = \"1\"\n\n[[merchants]]\nmchid = \"1\"\n",
                "seed:5:9: merchant 1 is there twice",
            ),
            ("[[merchants]]\nmchid = \"1a\"\n", "seed:2:9: a merchant id has 1 to 20 digits"),
            ("[[merchants]]\nmchid = \"1\"\nbalance_fen = -5\n", "seed:3:15: the balance is negative"),
            ("[[merchants]]\nmchid = \"1\"\napi_v3_key = \"short\"\n", "seed:3:14: an APIv3 key has 32"),
            (
                "[[merchants]]\nmchid = \"1\"\nappids = [\"\"]\n",
                "seed:3:10: an appid has 1 to 128 characters",
            ),
            ("[[users]]\nopenid = \"茶\"\nappid = \"wx1\"\n", "seed:2:10: an openid has 1 to 128 letters"),
            (
                "[[users]]\nopenid = \"o\"\nappid = \"a\"\n[[users]]\nopenid = \"o\"\nappid = \"a\"\n",
                "seed:5:10: user o is there twice",
            ),
        ] {
            let error = refused(text);
            assert!(error.starts_with(expected), "{text:?}: {error}");
        }
    }

    #[test]
    fn columns_count_characters() {
        let error = refused("[[merchants]]\nmchid = \"1\"\nbrand = \"茶茶\" x\n");
        assert!(error.starts_with("seed:3:14: "), "{error}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = "0123456789abcdef0123456789abcdef";
        let seed = Seed::parse(&format!("[[merchants]]\nmchid = \"1\"\napi_v3_key = \"{key}\"\n")).unwrap();
        assert!(!format!("{seed:?}").contains(key));
    }
}

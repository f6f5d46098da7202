//! Checking requests before they are sent: the platform counts bytes of UTF-8 (spec, reading conventions).

use chrono::{DateTime, Utc};
use favor_core::{Checks, InvalidRequest, OpenId, Timestamp};

use crate::id::{CardId, Code};

/// The last second that the platform can hold: 2038-01-19 03:14:07 UTC.
pub(crate) const LAST_SECOND: i64 = 2_147_483_647;
/// A url, as most fields take it.
pub(crate) const URL: usize = 128;
/// A long text.
pub(crate) const TEXT: usize = 3072;

/// What can be checked.
pub(crate) trait Checked {
    fn check(&self, limits: &mut Limits);
}

/// Nothing to check.
impl Checked for () {
    fn check(&self, _: &mut Limits) {}
}

/// Collects what breaks a limit, each with its path.
pub(crate) struct Limits {
    checks: Checks,
    path: Vec<String>,
    now: DateTime<Utc>,
}

impl Limits {
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        Self { checks: Checks::new(), path: Vec::new(), now }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn at(&self, field: &str) -> String {
        let mut path = self.path.join(".");
        if !path.is_empty() {
            path.push('.');
        }
        path + field
    }

    /// Checks a part under its name.
    pub(crate) fn within(&mut self, field: impl Into<String>, part: &impl Checked) {
        self.path.push(field.into());
        part.check(self);
        self.path.pop();
    }

    /// Checks each part of a list.
    pub(crate) fn each(&mut self, field: &str, parts: &[impl Checked]) {
        for (at, part) in parts.iter().enumerate() {
            self.within(format!("{field}[{at}]"), part);
        }
    }

    pub(crate) fn require(&mut self, holds: bool, field: &str, rule: impl Into<String>) {
        if !holds {
            self.checks.require(false, &self.at(field), rule);
        }
    }

    /// A text that must be there, of at most `most` bytes.
    pub(crate) fn text(&mut self, field: &str, text: &str, most: usize) {
        self.require(!text.trim().is_empty(), field, "must not be empty");
        self.bytes(field, text, most);
    }

    /// A text that may be empty, of at most `most` bytes.
    pub(crate) fn bytes(&mut self, field: &str, text: &str, most: usize) {
        let length = text.len();
        if length > most {
            let characters = text.chars().count();
            let of = if characters == length {
                String::new()
            } else {
                format!(" in {characters} characters; a Han character takes 3, an emoji 4")
            };
            self.require(
                false,
                field,
                format!("must have at most {most} bytes of UTF-8, but has {length}{of}"),
            );
        }
    }

    pub(crate) fn optional(&mut self, field: &str, text: Option<&String>, most: usize) {
        if let Some(text) = text {
            self.bytes(field, text, most);
        }
    }

    pub(crate) fn range(&mut self, field: &str, value: i64, from: i64, to: i64) {
        let at = self.at(field);
        self.checks.range(&at, value, from..=to);
    }

    pub(crate) fn list<T>(&mut self, field: &str, list: &[T], least: usize, most: usize) {
        let at = self.at(field);
        self.checks.list(&at, list, least..=most);
    }

    /// A moment that the platform's 32 bits hold.
    pub(crate) fn moment(&mut self, field: &str, moment: &Timestamp) {
        let seconds = moment.timestamp();
        self.require(
            (0..=LAST_SECOND).contains(&seconds),
            field,
            "must lie between 1970 and 2038-01-19 03:14:07 UTC, which is what the platform can hold",
        );
    }

    pub(crate) fn optional_moment(&mut self, field: &str, moment: Option<&Timestamp>) {
        if let Some(moment) = moment {
            self.moment(field, moment);
        }
    }

    /// A code in a call: 20 bytes, though a changed one may have more.
    pub(crate) fn code(&mut self, code: &Code) {
        self.bytes("code", code.as_str(), 20);
    }

    pub(crate) fn card_id(&mut self, card_id: &CardId) {
        self.card_id_at("card_id", card_id);
    }

    /// A card id that may have come from a file, unlooked at.
    pub(crate) fn card_id_at(&mut self, field: &str, card_id: &CardId) {
        self.text(field, card_id.as_str(), 32);
    }

    pub(crate) fn openid(&mut self, openid: &OpenId) {
        self.text("openid", openid.as_str(), 32);
    }

    pub(crate) fn web(&mut self, field: &str, url: Option<&String>) {
        if let Some(url) = url {
            self.bytes(field, url, URL);
            let web = url.starts_with("http://") || url.starts_with("https://");
            self.require(web, field, "must begin with http:// or https://");
        }
    }

    pub(crate) fn finish(self) -> Result<(), InvalidRequest> {
        self.checks.finish()
    }
}

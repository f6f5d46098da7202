//! Something noticed about a plan.

use std::fmt;

use serde::Serialize;

/// Something noticed about a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is, as a word that does not change, such as `stock.paused`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was noticed.
    pub text: String,
    /// What to do.
    pub hint: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// It may go wrong, or may not be meant.
    Warning,
    /// It cannot go well.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Finding {
    pub(super) fn note(code: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, severity: Severity::Note, text: text.into(), hint: hint.into() }
    }

    pub(super) fn warning(code: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::note(code, text, hint) }
    }

    pub(super) fn error(code: &'static str, text: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { severity: Severity::Error, ..Self::note(code, text, hint) }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.severity, self.text, self.code)
    }
}

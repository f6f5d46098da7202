//! What was found, in the order in which it was looked at.

use crate::doctor::code::{Code, Severity};
use crate::exit::Exit;

/// One thing that was looked at.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    /// What was found, in words. Holds no secret.
    pub(crate) words: String,
    /// What to do about it; none where all is right.
    pub(crate) mend: Option<String>,
}

/// All findings, and what could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    /// What was not looked at, and why.
    pub(crate) skipped: Vec<(&'static str, String)>,
}

impl Report {
    pub(crate) fn good(&mut self, code: Code, words: impl Into<String>) {
        debug_assert_eq!(code.severity(), Severity::Ok);
        self.findings.push(Finding { code, words: words.into(), mend: None });
    }

    pub(crate) fn bad(&mut self, code: Code, words: impl Into<String>, mend: impl Into<String>) {
        debug_assert_ne!(code.severity(), Severity::Ok);
        self.findings.push(Finding { code, words: words.into(), mend: Some(mend.into()) });
    }

    pub(crate) fn skip(&mut self, what: &'static str, why: impl Into<String>) {
        self.skipped.push((what, why.into()));
    }

    pub(crate) fn has(&self, codes: &[Code]) -> bool {
        self.findings.iter().any(|finding| codes.contains(&finding.code))
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.code.severity() == severity).count()
    }

    /// The first problem: what is mended first, since what comes after may follow from it. A wrong clock, which only
    /// shows once the platform has answered, goes before what was judged by that clock.
    pub(crate) fn cause(&self) -> Option<&Finding> {
        let first = self.findings.iter().find(|finding| finding.code.severity() == Severity::Problem)?;
        let by_clock = matches!(first.code, Code::CertificateExpired | Code::CertificateNotYetValid);
        let clock = self.findings.iter().find(|finding| finding.code == Code::ClockWrong);
        Some(clock.filter(|_| by_clock).unwrap_or(first))
    }

    pub(crate) fn exit(&self) -> Exit {
        self.cause().map_or(Exit::Done, |cause| cause.code.exit())
    }
}

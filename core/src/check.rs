//! Checking a request before it is sent.

use std::fmt;
use std::ops::RangeInclusive;

/// One field that breaks a documented rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The field's name on the wire, with the objects around it: `stock_use_rule.max_coupons`.
    pub field: String,
    /// The rule, in words.
    pub rule: String,
}

/// A request that breaks documented rules. It was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRequest {
    violations: Vec<Violation>,
}

impl InvalidRequest {
    /// A request with one violation.
    pub fn of(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { violations: vec![Violation { field: field.into(), rule: rule.into() }] }
    }

    /// Every violation found, in the order of the fields.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

impl fmt::Display for InvalidRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, violation) in self.violations.iter().enumerate() {
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{} {}", violation.field, violation.rule)?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidRequest {}

/// Collects the violations of a request, so that all are reported at once.
///
/// ```
/// use favor_core::Checks;
/// let mut checks = Checks::new();
/// checks.range("limit", 11, 1..=10);
/// assert_eq!(checks.finish().unwrap_err().to_string(), "limit must be 1 to 10, but is 11");
/// ```
#[derive(Debug, Default)]
pub struct Checks {
    violations: Vec<Violation>,
}

impl Checks {
    /// No violations yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reports `rule` for `field` unless `holds`.
    pub fn require(&mut self, holds: bool, field: &str, rule: impl Into<String>) {
        if !holds {
            self.violations.push(Violation { field: field.to_owned(), rule: rule.into() });
        }
    }

    /// A number within `range`.
    pub fn range<T: PartialOrd + fmt::Display + Copy>(
        &mut self,
        field: &str,
        value: T,
        range: RangeInclusive<T>,
    ) {
        let rule = || format!("must be {} to {}, but is {value}", range.start(), range.end());
        if !range.contains(&value) {
            self.require(false, field, rule());
        }
    }

    /// A text of a number of characters within `range`, none of them beyond the basic plane (spec §2.3).
    pub fn text(&mut self, field: &str, text: &str, range: RangeInclusive<usize>) {
        let length = text.chars().count();
        if !range.contains(&length) {
            let rule = format!("must have {} to {} characters, but has {length}", range.start(), range.end());
            self.require(false, field, rule);
        }
        if text.chars().any(|c| c.len_utf8() > 3) {
            self.require(false, field, "must not hold emoji or other characters beyond U+FFFF");
        }
    }

    /// A list of a number of entries within `range`.
    pub fn list<T>(&mut self, field: &str, list: &[T], range: RangeInclusive<usize>) {
        if !range.contains(&list.len()) {
            let rule =
                format!("must have {} to {} entries, but has {}", range.start(), range.end(), list.len());
            self.require(false, field, rule);
        }
    }

    /// The verdict.
    ///
    /// # Errors
    /// [`InvalidRequest`] when there was any violation.
    pub fn finish(self) -> Result<(), InvalidRequest> {
        if self.violations.is_empty() { Ok(()) } else { Err(InvalidRequest { violations: self.violations }) }
    }
}

//! Everything the server may refuse, and why it believes that production would.
//!
//! A rule is a constant; the functions beside it are pure: they look at a view of the state and say yes or
//! which rule was broken.

pub(crate) mod authentication;
pub(crate) mod callback;
pub(crate) mod card;
pub(crate) mod create;
pub(crate) mod edge;
pub(crate) mod extra_fields;
pub(crate) mod flow;
pub(crate) mod image;
pub(crate) mod lifecycle;
pub(crate) mod modify;
pub(crate) mod parameter;
pub(crate) mod platform;
pub(crate) mod query;
pub(crate) mod readings;
pub(crate) mod send;
pub(crate) mod start;

use serde::Serialize;
use serde_json::Value;

/// How sure it is that production has a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Provenance {
    /// Stated in the official documentation or in an official SDK.
    Documented,
    /// Reported by people who met it in production.
    Seen,
    /// The best reading of what is not documented.
    Assumed,
}

/// One thing the server refuses.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Rule {
    /// Stable name, e.g. `send.per_user_limit`.
    pub id: &'static str,
    /// How sure it is that production has it.
    pub provenance: Provenance,
    /// Section of the protocol reference this was built from.
    pub section: &'static str,
    /// HTTP status of the refusal.
    pub status: u16,
    /// `code` of the refusal.
    pub code: &'static str,
    /// `message` of the refusal; some rules name the field as well.
    pub message: &'static str,
    /// Number at the end of the `Request-ID`.
    pub number: u32,
    /// The rule in words.
    pub explanation: &'static str,
}

impl Rule {
    /// The rule in words, with how sure it is.
    pub(crate) fn note(&self) -> String {
        let Self { explanation, section, .. } = self;
        match self.provenance {
            Provenance::Documented => format!("{explanation} (documented, section {section})"),
            Provenance::Seen => {
                format!("{explanation} (seen in production, not documented, section {section})")
            }
            Provenance::Assumed => {
                format!("{explanation} (assumed: the documentation leaves this open, section {section})")
            }
        }
    }
}

/// Ends the `Request-ID` where the real number is not known.
pub(crate) const NUMBER_UNKNOWN: u32 = 268_435_456;

/// A refused request: the rule, and what it has to say about this request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) rule: &'static Rule,
    /// Replaces the rule's message.
    pub(crate) message: Option<String>,
    pub(crate) detail: Option<Box<Value>>,
}

impl Refusal {
    pub(crate) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or(self.rule.message)
    }

    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.message = Some(message);
        self
    }

    pub(crate) fn with_detail(mut self, detail: Value) -> Self {
        self.detail = Some(Box::new(detail));
        self
    }
}

impl From<&'static Rule> for Refusal {
    fn from(rule: &'static Rule) -> Self {
        Self { rule, message: None, detail: None }
    }
}

/// Refuses unless the condition holds.
pub(crate) fn ensure(holds: bool, rule: &'static Rule) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(rule.into()) }
}

/// Declares rules and collects them in `RULES`.
macro_rules! rules {
    ($($name:ident = $id:literal, $provenance:ident, $section:literal, $status:literal $code:literal
       $message:literal, $number:expr, $explanation:literal;)*) => {
        $(pub(crate) static $name: $crate::rules::Rule = $crate::rules::Rule {
            id: $id,
            provenance: $crate::rules::Provenance::$provenance,
            section: $section,
            status: $status,
            code: $code,
            message: $message,
            number: $number,
            explanation: $explanation,
        };)*
        pub(crate) static RULES: &[&$crate::rules::Rule] = &[$(&$name),*];
    };
}
pub(crate) use rules;

/// Every rule, in the order in which requests meet them.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    [
        authentication::RULES,
        edge::RULES,
        parameter::RULES,
        extra_fields::RULES,
        platform::RULES,
        create::RULES,
        start::RULES,
        lifecycle::RULES,
        modify::RULES,
        query::RULES,
        flow::RULES,
        callback::RULES,
        image::RULES,
        send::RULES,
        card::RULES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_rule_has_its_own_id_and_a_status_that_fits_its_code() {
        let mut seen = HashSet::new();
        for rule in all() {
            assert!(seen.insert(rule.id), "{} twice", rule.id);
            let status = match rule.code {
                "PARAM_ERROR" | "INVALID_REQUEST" | "MCH_NOT_EXISTS" | "APPID_MCHID_NOT_MATCH" => 400,
                // Of merchant coupons; only where a reading asks for it.
                "DUPREQUEST" => 400,
                "SIGN_ERROR" => 401,
                "REQUEST_BLOCKED" | "NOT_ENOUGH" | "USER_ACCOUNT_ABNORMAL" | "RULE_LIMIT" => 403,
                // Refused at the edge, without a JSON body.
                "" => 403,
                // The card API says everything with 200.
                number if number.parse::<i32>().is_ok() => 200,
                "RESOURCE_NOT_EXISTS" | "NOT_FOUND" => 404,
                "FREQUENCY_LIMIT_EXCEED" => 429,
                "SYSTEM_ERROR" => 500,
                other => panic!("{other} is no code of this API"),
            };
            // A slow client meets the HTTP server, before there is anything to say about its call.
            let status = if rule.id == "edge.body_time" { 408 } else { status };
            assert_eq!(rule.status, status, "{}", rule.id);
            assert!(!rule.explanation.is_empty() && !rule.section.is_empty());
        }
        assert!(seen.len() > 40);
    }
}

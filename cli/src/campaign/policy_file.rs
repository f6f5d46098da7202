//! The policy of a campaign, from a file of the operator.

use std::path::Path;

use anyhow::Context as _;
use favor_campaign::{Class, Policy, Rule};
use serde::Deserialize;

/// What such a file may hold. Unlike the policy itself it knows no other fields: a condition that is misspelt would make
/// a rule fit every answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Looked at before those that are built in.
    #[serde(default, rename = "rule")]
    rules: Vec<FileRule>,
    tries: Option<u32>,
    pause_when_parked: Option<u64>,
    pause_when_refused: Option<u32>,
    wait_for_next_day: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRule {
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    class: Class,
}

/// The built-in policy with what the file changes.
pub(crate) fn read(file: &Path) -> anyhow::Result<Policy> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&text).with_context(|| file.display().to_string())
}

fn parse(text: &str) -> anyhow::Result<Policy> {
    let file: File = toml::from_str(text)?;
    let rules = file.rules.into_iter().map(|rule| Rule {
        status: rule.status,
        code: rule.code,
        message: rule.message,
        class: rule.class,
    });
    let mut policy = Policy::default().preceded_by(rules);
    if let Some(tries) = file.tries {
        policy.tries = tries;
    }
    if let Some(parked) = file.pause_when_parked {
        policy.pause_when_parked = parked;
    }
    if let Some(refused) = file.pause_when_refused {
        policy.pause_when_refused = refused;
    }
    if let Some(wait) = file.wait_for_next_day {
        policy.wait_for_next_day = wait;
    }
    policy.check()?;
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_the_file_come_first_and_the_rest_stays() {
        let policy = parse(
            "tries = 3\nwait_for_next_day = false\n[[rule]]\ncode = \"RULE_LIMIT\"\nclass = \"refuse\"\n\
             [[rule]]\nstatus = 418\nclass = \"park\"\n",
        )
        .unwrap();
        let built_in = Policy::default();
        assert_eq!(policy.rules.len(), built_in.rules.len() + 2);
        assert_eq!((policy.rules[0].class, policy.rules[1].status), (Class::Refuse, Some(418)));
        assert_eq!((policy.tries, policy.wait_for_next_day), (3, false));
        assert_eq!(policy.pause_when_parked, built_in.pause_when_parked);
        assert_eq!(parse("").unwrap(), built_in);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in [
            "tries = 0",
            "trys = 5",
            "[[rule]]\ncode = \"X\"",
            "[[rule]]\ncode = \"X\"\nclass = \"nothing\"",
            "[[rule]]\ncod = \"X\"\nclass = \"park\"",
            "[[rule]]\nclass = \"park\"",
            "[[rules]]\ncode = \"X\"\nclass = \"park\"",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

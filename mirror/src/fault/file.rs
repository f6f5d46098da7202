//! Fault rules from a file: TOML with a `[[fault]]` for each rule, or a JSON list of rules.

use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use toml::Spanned;

use super::FaultRule;
use super::wire::Tried;
use crate::error::MirrorError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    fault: Vec<Spanned<Tried>>,
}

/// What is wrong with a text, and in which of its lines.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    line: usize,
    reason: String,
}

/// Reads all rules of a file; one that is not usable spoils all. JSON by a name that ends in `.json`, else TOML.
pub(crate) fn read(file: &Path) -> Result<Vec<FaultRule>, MirrorError> {
    let text = std::fs::read_to_string(file)
        .map_err(|source| MirrorError::Unreadable { path: file.to_owned(), source })?;
    let is_json = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    let rules = if is_json { from_json(&text) } else { from_toml(&text) };
    rules.map_err(|wrong| MirrorError::FaultFile {
        path: file.to_owned(),
        line: wrong.line,
        reason: wrong.reason,
    })
}

fn from_toml(text: &str) -> Result<Vec<FaultRule>, Wrong> {
    let at = |offset: usize, reason: String| Wrong { line: line_of(text, offset), reason };
    let tables: Tables = toml::from_str(text)
        .map_err(|error| at(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
    let rule = |tried: Spanned<Tried>| {
        let start = tried.span().start;
        tried.into_inner().0.map_err(|reason| at(start, reason))
    };
    tables.fault.into_iter().map(rule).collect()
}

fn from_json(text: &str) -> Result<Vec<FaultRule>, Wrong> {
    // An editor's byte order mark says nothing.
    let text = text.trim_start_matches('\u{feff}');
    let wrong = |line: usize, error: &serde_json::Error| Wrong {
        line: line + error.line().saturating_sub(1),
        reason: words(error),
    };
    // Taken apart first, since a rule that is wrong as a whole has to be found again.
    let rules: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| wrong(1, &error))?;
    let rule = |raw: &RawValue| {
        let line = line_of(text, raw.get().as_ptr().addr() - text.as_ptr().addr());
        let Tried(rule) = serde_json::from_str(raw.get()).map_err(|error| wrong(line, &error))?;
        rule.map_err(|reason| Wrong { line, reason })
    };
    rules.into_iter().map(rule).collect()
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The error without the position in it, which is given apart.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{FaultKind, FaultPlace};

    #[test]
    fn both_forms_hold_the_same_rules() {
        let toml = "# what goes wrong\n[[fault]]\nkind = \"cut\"\noperation = \"coupon.send\"\nplace = \"after_commit\"\n\
                    count = 2\n\n[[fault]]\nkind = \"probe\"\nprobability = 0.01\n";
        let json = r#"[
            {"kind": "cut", "operation": "coupon.send", "place": "after_commit", "count": 2},
            {"kind": "probe", "probability": 0.01}
        ]"#;
        let expected = vec![
            FaultRule::new(FaultKind::Cut).operation("coupon.send").place(FaultPlace::AfterCommit).times(2),
            FaultRule::new(FaultKind::Probe).probability_ppm(10_000),
        ];
        assert_eq!(from_toml(toml).unwrap(), expected);
        assert_eq!(from_json(json).unwrap(), expected);
        assert_eq!(from_toml("").unwrap(), []);
        assert_eq!(from_json("\u{feff}[]").unwrap(), []);
    }

    #[test]
    fn errors_name_line_and_reason() {
        let toml = |text: &str| from_toml(text).unwrap_err();
        let json = |text: &str| from_json(text).unwrap_err();
        for (wrong, line, reason) in [
            (toml("[[fault]]\nkind = \"cut\"\n\n[[fault]]\nkind = \"cutt\"\n"), 4, "cutt"),
            (toml("[[fault]]\nkind = \"cut\"\nplaec = \"after_commit\"\n"), 3, "plaec"),
            (toml("[[fault]]\nkind = \"cut\"\nplace = \"later\"\n"), 3, "later"),
            (toml("\n[[fault]]\nkind = \"probe\"\nplace = \"before_verify\"\n"), 2, "after_commit"),
            (toml("[[fault]]\nkind = \"cut\"\nprobability = 1.5\n"), 1, "1.5"),
            (toml("\n\n[[faults]]\nkind = \"cut\"\n"), 3, "faults"),
            (toml("[[fault]]\nkind = \"cut\nplace = 1\n"), 2, "string"),
            (toml("[[fault]]\ncount = 1\n"), 1, "kind"),
            (json("[\n {\"kind\": \"cut\"},\n {\"kind\": \"cutt\"}\n]"), 3, "cutt"),
            (json("[\n {\n  \"kind\": \"cut\",\n  \"plaec\": 1}\n]"), 4, "plaec"),
            (json("[\n\n {\"kind\": \"probe\", \"place\": \"before_verify\"}\n]"), 3, "after_commit"),
            (json("[\n {\"kind\": \"cut\"},\n]"), 3, "trailing comma"),
            (json("{\"kind\": \"cut\"}"), 1, "sequence"),
            (json(""), 1, "EOF"),
        ] {
            assert_eq!(wrong.line, line, "{wrong:?}");
            assert!(wrong.reason.contains(reason), "{wrong:?} has no {reason}");
        }
    }

    proptest::proptest! {
        #[test]
        fn hostile_files_never_panic(text in "\\PC*", json in "[\\[\\]{}\":,a-z0-9\n ]*") {
            from_toml(&text).ok();
            from_json(&text).ok();
            from_toml(&json).ok();
            from_json(&json).ok();
        }
    }
}

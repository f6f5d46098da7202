//! Help and usage errors.

use std::path::Path;

use crate::run::{favor, run};

/// The commands, and what is below each that has some. The help may list more below them.
const COMMANDS: &[(&str, &str)] = &[
    ("", "demo mirror doctor stock coupon image callback campaign card verify decrypt certs sign"),
    ("mirror", "audit snapshot restore reset advance redeem refund"),
    ("stock", "create start pause restart stop get list merchants items goods use-flow refund-flow"),
    ("coupon", "send get list"),
    ("image", "upload"),
    ("callback", "set get listen trigger replay list unpark"),
    (
        "campaign",
        "plan start worker watch pause resume stop list history retry report audit reconcile purge discard",
    ),
    ("card", "create get list update delete stock code qrcode user-cards member whitelist landing-page"),
    ("card", "media pay-gift gift coins sub-merchant stats sign listen"),
    ("card code", "get consume decrypt update disable mark deposit check count"),
    ("card member", "activate info update form"),
    ("card media", "upload"),
    ("card pay-gift", "add list get delete"),
    ("card gift", "page order"),
    ("card gift page", "add get update list maintain"),
    ("card gift order", "get list refund"),
    ("card coins", "balance orders order"),
    ("card sub-merchant", "add update get list categories"),
    ("card sign", "card-ext choose page"),
    ("certs", "list download watch refresh check status"),
];

/// Every exit code, as the help words it.
const EXIT_CODES: [&str; 8] = [
    "0   done",
    "1   refused by the API",
    "2   usage or configuration",
    "3   signature or decryption failed",
    "4   outcome unknown: repeat with the same out_request_no",
    "5   not sent",
    "70  a bug in favor",
    "130  ended early by a signal",
];

/// The lines of a part of a help text, up to the next empty one.
fn part<'a>(help: &'a str, title: &str) -> impl Iterator<Item = &'a str> {
    help.lines().skip_while(move |line| *line != title).skip(1).take_while(|line| !line.is_empty())
}

/// The commands that a help text lists, with what it says of each.
fn listed(help: &str) -> Vec<(String, String)> {
    part(help, "Commands:")
        .filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')))
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .map(|(name, what)| (name.to_owned(), what.trim().to_owned()))
        .filter(|(name, _)| name != "help")
        .collect()
}

/// The command and all below it, as a user finds them: each listed with a word on it, each with a help of its own.
fn walk(folder: &Path, command: &[String], found: &mut Vec<String>) {
    let help = run(favor(folder).args(command).arg("--help"));
    let name = command.join(" ");
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{name}");
    let usage = format!("Usage: favor {name}");
    assert!(help.stdout.contains(usage.trim_end()), "{name}: {}", help.stdout);
    for (below, what) in listed(&help.stdout) {
        assert!(!what.is_empty(), "{name} does not say what {below} is for: {}", help.stdout);
        let below = [command, &[below]].concat();
        found.push(below.join(" "));
        walk(folder, &below, found);
    }
}

#[test]
fn help_names_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    walk(folder.path(), &[], &mut found);
    for (above, names) in COMMANDS {
        for name in names.split(' ') {
            let command = format!("{above} {name}").trim_start().to_owned();
            assert!(found.contains(&command), "{command} is missing in {found:?}");
        }
    }
    let first: Vec<_> = found.iter().filter(|command| !command.contains(' ')).map(String::as_str).collect();
    assert_eq!(first.join(" "), COMMANDS[0].1, "name new commands here");
}

#[test]
fn help_names_every_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(favor(folder.path()).arg("--help")).stdout;
    assert_eq!(part(&help, "Exit codes:").map(str::trim_start).collect::<Vec<_>>(), EXIT_CODES);
    assert!(help.contains("Not affiliated with Tencent."), "{help}");
}

#[test]
fn usage_errors_exit_with_2_and_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, word) in [
        (vec![], "Usage"),
        (vec!["stock", "fly"], "unrecognized subcommand"),
        (vec!["demo", "--people", "0"], "0 is not in 1..=1000000"),
        (vec!["stock", "get", "a/b"], "1 to 20 letters"),
        (vec!["coupon", "send", "1", ".."], "visible ASCII"),
        (
            vec![
                "stock",
                "create",
                "--name",
                "x",
                "--face-value",
                "500",
                "--threshold",
                "30yuan",
                "--coupons",
                "5",
            ],
            "say the unit",
        ),
        (vec!["stock", "create", "--name", "x", "--end", "soon"], "use a date such as"),
        (vec!["coupon", "send", "1", "o", "--slot", "1", "--out-request-no", "n"], "cannot be used with"),
    ] {
        let ran = run(favor(folder.path()).args(&arguments));
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(word) || ran.stdout.contains(word), "{arguments:?}: {ran:?}");
    }
}

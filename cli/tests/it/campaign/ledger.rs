//! Ledger files that cannot be worked with, or not now.

use rusqlite::Connection;

use super::shop::Shop;

#[test]
fn a_second_start_on_a_file_is_told_who_has_it() {
    let shop = Shop::open();
    let stock = shop.plan("first", 120, &["--rate", "40"]);
    shop.plan("second", 5, &["--rate", "100000"]);
    shop.hold_up(0);
    let running = shop.spawn(&["campaign", "start", "first", "--every", "100ms"]);
    running.wait(1, |line| line["event"] == "started");
    for command in [["start", "first"], ["start", "second"]] {
        let refused = shop.run(&["campaign", command[0], command[1]]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("favor-campaigns.sqlite"), "{refused:?}");
        assert_eq!(refused.stdout, "");
    }
    // What needs no runner goes on beside it: looking, planning, and a report of what there is.
    assert!(shop.ok(&["campaign", "list"]).stdout.contains("running"));
    shop.plan("third", 5, &["--rate", "100000"]);
    shop.ok(&["campaign", "report", "first"]);
    shop.no_faults();
    let (status, _, talk) = running.end();
    assert_eq!(status.code(), Some(0), "{talk}");
    shop.everybody_has_one(&stock, 120);
}

#[test]
fn what_is_no_ledger_or_one_of_another_version_is_refused() {
    let shop = Shop::planned("spring", 5);
    let ledger = shop.mirror.folder.path().join("favor-campaigns.sqlite");
    Connection::open(&ledger).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for command in ["start", "watch", "pause"] {
        let ran = shop.run(&["campaign", command, "spring"]);
        assert!(ran.code == Some(2) && ran.stderr.contains("version"), "{command}: {ran:?}");
    }
    shop.file("text.sqlite", "this is a text, and has been one for a long time\n".repeat(100).as_str());
    let other = Connection::open(shop.mirror.folder.path().join("other.sqlite")).unwrap();
    other.execute_batch("CREATE TABLE shop (x)").unwrap();
    drop(other);
    for file in ["text.sqlite", "other.sqlite"] {
        for command in ["start", "watch", "stop"] {
            let ran = shop.run(&["campaign", command, "spring", "--ledger", file]);
            assert!(ran.code == Some(2) && ran.stderr.contains(file), "{command} {file}: {ran:?}");
        }
    }
    for command in ["start", "watch", "stop", "retry", "report", "audit", "purge", "discard", "history"] {
        let mut arguments = vec!["campaign", command, "spring", "--ledger", "none.sqlite"];
        if command == "retry" {
            arguments.extend(["--code", "X"]);
        }
        let ran = shop.run(&arguments);
        assert!(
            ran.code == Some(2) && ran.stderr.contains("there is no ledger none.sqlite"),
            "{command}: {ran:?}"
        );
    }
    assert!(!shop.mirror.folder.path().join("none.sqlite").exists());
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_a_ledger_and_a_report() {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = Shop::planned("spring", 5);
    shop.ok(&["campaign", "report", "spring", "--out", "report.csv"]);
    for file in ["favor-campaigns.sqlite", "report.csv"] {
        let mode = std::fs::metadata(shop.mirror.folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

/// A disk that is full from some moment on: the ledger's files may not grow. Needs `prlimit`, of util-linux.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_sending_and_room_lets_it_go_on() {
    use std::process::Command;

    use crate::lines::Process;

    let shop = Shop::open();
    let stock = shop.plan("full", 240, &["--rate", "40"]);
    shop.hold_up(0);
    let limit = |process: &Process, bytes: &str| {
        let limit = format!("--fsize={bytes}:unlimited");
        let set = Command::new("prlimit").args(["--pid", &process.id().to_string(), &limit]).status();
        assert!(set.expect("prlimit, of util-linux").success());
    };
    // A write beyond the limit is an error then, and not the end of the process.
    let plain = shop.command(&["campaign", "start", "full", "--every", "100ms"]);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(plain.get_program()).args(plain.get_args());
    command.current_dir(plain.get_current_dir().unwrap());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let running = Process::spawn(command);
    running.wait(1, |line| line["sent"].as_u64().unwrap() > 0);
    limit(&running, "4096");
    running.wait(1, |line| line["event"] == "held" && line["held_by"] == "ledger");
    // What was under way may have been given, and nothing more.
    let given = shop.given(&stock).len();
    for _ in 0..20 {
        assert!(shop.given(&stock).len() <= given + 50, "it goes on sending");
    }
    limit(&running, "unlimited");
    shop.no_faults();
    running.wait(1, |line| line["event"] == "held" && line["held_by"].is_null());
    let (status, lines, talk) = running.end();
    assert_eq!((status.code(), &lines.last().unwrap()["sent"]), (Some(0), &240.into()), "{talk}");
    assert!(talk.contains("the ledger does not answer or has no room"), "{talk}");
    shop.everybody_has_one(&stock, 240);
}

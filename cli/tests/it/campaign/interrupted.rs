//! Ends before the end: killed, told to stop, paused from elsewhere.

use favor_store::testing::TestCluster;

use super::shop::Shop;
use crate::lines::Process;

const PEOPLE: usize = 240;

/// A campaign that takes some seconds, and cannot end before the faults are taken back, however slow the test is.
fn slow(shop: &Shop, name: &str) -> String {
    let stock = shop.plan(name, PEOPLE, &["--rate", "80"]);
    shop.hold_up(PEOPLE - 1);
    stock
}

fn started(shop: &Shop, name: &str) -> Process {
    let running = shop.spawn(&["campaign", "start", name, "--every", "100ms", "--lease", "3s"]);
    running.wait(1, |line| line["event"] == "progress" && line["sent"].as_u64().unwrap() > 0);
    running
}

#[test]
fn killed_it_goes_on_where_it_stood() {
    let cluster = TestCluster::start();
    for shop in [Shop::open(), Shop::on(&cluster, "killed")] {
        let stock = slow(&shop, "killed");
        for _ in 0..2 {
            let running = started(&shop, "killed");
            running.kill();
            let stands = shop.stands("killed");
            assert_eq!(stands["state"], "running", "{stands}");
        }
        shop.no_faults();
        let (ran, end) = shop.start("killed");
        assert_eq!((ran.code, &end["sent"]), (Some(0), &PEOPLE.into()), "{ran:?}");
        shop.everybody_has_one(&stock, PEOPLE);
    }
}

#[test]
fn a_polite_kill_waits_for_what_is_under_way_and_names_the_command_that_goes_on() {
    let shop = Shop::open();
    let stock = slow(&shop, "polite");
    let (status, lines, talk) = started(&shop, "polite").stop();
    assert_eq!(status.code(), Some(130), "{talk}");
    let end = lines.last().unwrap();
    assert_eq!([&end["event"], &end["how"], &end["state"]], ["ended", "interrupted", "running"]);
    let (sent, open) = (end["sent"].as_u64().unwrap(), end["open"].as_u64().unwrap());
    assert!(open > 0 && sent + open == 240, "{end}");
    // What was under way is written down: the platform has given no more than the ledger says.
    assert_eq!(u64::try_from(shop.given(&stock).len()).unwrap(), sent);
    assert_eq!(end["workers"], 0, "its work was given back: {end}");
    assert!(talk.contains("favor campaign start polite goes on"), "{talk}");
    shop.no_faults();
    let (ran, end) = shop.start("polite");
    assert_eq!((ran.code, &end["sent"]), (Some(0), &PEOPLE.into()), "{ran:?}");
    shop.everybody_has_one(&stock, PEOPLE);
}

#[test]
fn a_second_signal_ends_at_once() {
    let shop = Shop::open();
    let stock = shop.plan("hang", 6, &["--rate", "100000"]);
    shop.fault(r#"{"kind":"hang","operation":"coupon.send","count":1}"#);
    let running = shop.spawn(&["campaign", "start", "hang", "--every", "100ms"]);
    running.wait(1, |line| line["sent"] == 5);
    running.signal("INT");
    while !running.talk().contains("ctrl-c again ends at once") {
        std::thread::yield_now();
    }
    running.signal("INT");
    let (status, lines, talk) = running.end();
    assert_eq!(status.code(), Some(130), "{talk}");
    assert_eq!(lines.last().unwrap()["how"], "interrupted");
    assert!(talk.contains("sent again with the same numbers"), "{talk}");
    assert_eq!(shop.start("hang").1["sent"], 6);
    shop.everybody_has_one(&stock, 6);
}

#[test]
fn another_process_pauses_resumes_and_stops() {
    let cluster = TestCluster::start();
    for shop in [Shop::open(), Shop::on(&cluster, "paused")] {
        let stock = slow(&shop, "paused");
        let running = started(&shop, "paused");
        let paused =
            shop.ok(&["campaign", "pause", "paused", "--reason", "lunch", "--output", "json"]).json();
        assert_eq!([&paused["state"], &paused["reason"]], ["paused", "lunch"]);
        running.wait(1, |line| line["state"] == "paused" && line["reason"] == "lunch");
        // Once nothing is under way, both sides know the same, and nothing more is sent.
        let still =
            shop.until("paused", |stands| stands["sent"].as_u64().unwrap() == given_now(&shop, &stock));
        for _ in 0..5 {
            assert_eq!(
                (&shop.stands("paused")["sent"], given_now(&shop, &stock)),
                (&still["sent"], still["sent"].as_u64().unwrap())
            );
        }
        shop.ok(&["campaign", "resume", "paused"]);
        let sent = still["sent"].as_u64().unwrap();
        // Whatever was left of the list, the one that is held up is open still.
        running.wait(1, |line| line["state"] == "running" && line["sent"].as_u64().unwrap() >= sent);
        let stopped = shop.ok(&["campaign", "stop", "paused"]);
        assert!(stopped.stderr.contains("favor campaign start paused"), "{stopped:?}");
        let (status, lines, talk) = running.end();
        assert_eq!((status.code(), &lines.last().unwrap()["how"]), (Some(5), &"stopped".into()), "{talk}");
        assert!(talk.contains("favor campaign start paused goes on"), "{talk}");
        shop.no_faults();
        let (ran, end) = shop.start("paused");
        assert_eq!((ran.code, &end["sent"]), (Some(0), &PEOPLE.into()), "{ran:?}");
        shop.everybody_has_one(&stock, PEOPLE);
        let history = shop.ok(&["campaign", "history", "paused"]).stdout;
        assert!(
            ["paused", "resumed", "stopped", "lunch"].iter().all(|word| history.contains(word)),
            "{history}"
        );
    }
}

fn given_now(shop: &Shop, stock: &str) -> u64 {
    shop.given(stock).len().try_into().unwrap()
}

#[test]
fn watched_from_elsewhere() {
    let shop = Shop::open();
    slow(&shop, "seen");
    let running = started(&shop, "seen");
    let watching = shop.spawn(&["campaign", "watch", "seen", "--every", "100ms"]);
    let lines = watching.wait(2, |line| line["event"] == "progress" && line["sent"].as_u64().unwrap() > 0);
    for field in [
        "at",
        "name",
        "state",
        "coupons",
        "open",
        "refused",
        "parked",
        "unknown",
        "by_code",
        "per_second",
        "eta_seconds",
        "stock_budget_left_fen",
        "workers",
    ] {
        assert!(lines[0].get(field).is_some(), "{field} in {}", lines[0]);
    }
    // What is left of the stock, in fen.
    watching.wait(1, |line| line["stock_budget_left_fen"].as_u64().is_some_and(|left| left < 240 * 500));
    shop.no_faults();
    assert_eq!(running.end().0.code(), Some(0));
    let (status, lines, _) = watching.end();
    assert_eq!((status.code(), &lines.last().unwrap()["how"]), (Some(0), &"finished".into()));
}

#[test]
fn a_pilot_waits_for_a_look() {
    let shop = Shop::open();
    let stock = shop.plan("pilot", 60, &["--rate", "100000"]);
    let running = shop.spawn(&["campaign", "start", "pilot", "--pilot", "10", "--every", "100ms"]);
    let paused = running.wait(1, |line| line["state"] == "paused").remove(0);
    assert!(paused["reason"].as_str().unwrap().starts_with("pilot"), "{paused}");
    let sent = shop.until("pilot", |stands| stands["sent"].as_u64().unwrap() >= 10);
    assert!(sent["sent"].as_u64().unwrap() < 60, "{sent}");
    shop.ok(&["campaign", "resume", "pilot"]);
    let (status, lines, talk) = running.end();
    assert_eq!((status.code(), &lines.last().unwrap()["sent"]), (Some(0), &60.into()), "{talk}");
    shop.everybody_has_one(&stock, 60);
}

/// On a terminal, which `script` of util-linux makes: a pilot of twenty, a question, and an answer.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_a_person_is_asked_after_twenty() {
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};

    let shop = Shop::open();
    let stock = shop.plan("asked", 50, &["--rate", "100000"]);
    // The second time the pilot is over, and nothing is asked.
    for (answer, code, sent) in [("n", 1, 20..50), ("y", 0, 50..51)] {
        let favor = shop.command(&[]);
        let mut script = Command::new("script");
        let line = format!("'{}' campaign start asked --color never", favor.get_program().to_str().unwrap());
        script.args(["-qec", &line, "/dev/null"]).current_dir(favor.get_current_dir().unwrap());
        for (name, value) in favor.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        let mut child =
            script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script, of util-linux");
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut shown, mut part) = (String::new(), [0; 4096]);
        let mut is_asked = false;
        loop {
            let read = stdout.read(&mut part).unwrap();
            if read == 0 {
                break;
            }
            shown.push_str(&String::from_utf8_lossy(&part[..read]));
            if !is_asked && shown.contains("[y/N]") {
                writeln!(stdin, "{answer}").unwrap();
                is_asked = true;
            }
        }
        assert_eq!(child.wait().unwrap().code(), Some(code), "{shown}");
        let stands = shop.stands("asked");
        let now = stands["sent"].as_u64().unwrap();
        assert!(sent.contains(&now), "{answer}: {stands}");
        assert!(!shown.contains("oPerson"), "{shown}");
        if answer == "n" {
            assert!(is_asked && stands["state"] == "paused", "{shown}");
            assert!(
                shown.contains("20 sent") && shown.contains("favor campaign start asked goes on"),
                "{shown}"
            );
        }
    }
    shop.everybody_has_one(&stock, 50);
}

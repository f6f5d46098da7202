//! What the platform will not do, before and in the middle.

use super::shop::Shop;

/// Starts, and expects the campaign to pause by itself; the last line and what was said.
fn pauses(shop: &Shop, name: &str, more: &[&str]) -> (serde_json::Value, String) {
    let ran = shop.run(&[&["campaign", "start", name, "--end-when-paused"], more].concat());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let end: serde_json::Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&end["how"], &end["state"]), (&"paused".into(), &"paused".into()), "{ran:?}");
    assert!(ran.stderr.contains(&format!("favor campaign start {name} goes on")), "{ran:?}");
    (end, ran.stderr)
}

#[test]
fn an_appid_that_is_not_the_merchants_is_found_before_anything_is_written() {
    let shop = Shop::open();
    let stock = shop.stock(10, &[]);
    shop.list("spring.csv", 10);
    let plan = ["campaign", "plan", "spring.csv", "--stock", &stock, "--appid", "wx00000000000000ff"];
    let ran = shop.run(&plan);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("appid.not-bound"), "{ran:?}");
    assert!(shop.run(&["campaign", "list"]).stderr.contains("there is no ledger"), "nothing was written");
    // Planned all the same it pauses at the first answer, and nobody is lost.
    shop.ok(&[&plan[..], &["--anyway"]].concat());
    let (end, _) = pauses(&shop, "spring", &["--anyway"]);
    assert_eq!([&end["sent"], &end["open"]], [0, 10]);
    assert!(end["reason"].as_str().unwrap().contains("APPID_MCHID_NOT_MATCH"), "{end}");
}

#[test]
fn a_stock_that_gives_nothing_out_is_found_and_waited_for() {
    let shop = Shop::open();
    let stock = shop.stock(20, &[]);
    shop.list("spring.csv", 20);
    shop.ok(&["stock", "pause", &stock]);
    let plan = ["campaign", "plan", "spring.csv", "--stock", &stock, "--rate", "100000"];
    let refused = shop.run(&plan);
    assert!(refused.code == Some(1) && refused.stderr.contains("stock.paused"), "{refused:?}");
    shop.ok(&[&plan[..], &["--anyway"]].concat());
    let refused = shop.run(&["campaign", "start", "spring"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("stock.paused"), "{refused:?}");
    assert_eq!(shop.stands("spring")["state"], "planned", "nothing was begun");
    let (end, _) = pauses(&shop, "spring", &["--anyway"]);
    assert_eq!([&end["sent"], &end["open"]], [0, 20], "{end}");
    assert_eq!(end["paused_by_operator"], false);
    shop.ok(&["stock", "restart", &stock]);
    assert_eq!(shop.start("spring").1["sent"], 20);
    shop.everybody_has_one(&stock, 20);
}

#[test]
fn a_stock_that_is_paused_or_ends_midway_pauses_the_campaign() {
    let shop = Shop::open();
    let stock = shop.plan("midway", 240, &["--rate", "80"]);
    // It cannot end before it is told that the stock gives nothing out.
    shop.hold_up(0);
    let running = shop.spawn(&["campaign", "start", "midway", "--every", "100ms"]);
    running.wait(1, |line| line["sent"].as_u64().unwrap() > 0);
    shop.ok(&["stock", "pause", &stock]);
    shop.no_faults();
    let paused = running.wait(1, |line| line["state"] == "paused").remove(0);
    assert!(paused["reason"].as_str().unwrap().contains("REQUEST_BLOCKED"), "{paused}");
    // The process waits for the resumption; the stock's comes first.
    shop.ok(&["stock", "restart", &stock]);
    let sent = shop.stands("midway")["sent"].as_u64().unwrap();
    shop.hold_up(0);
    shop.ok(&["campaign", "resume", "midway"]);
    running.wait(1, |line| line["sent"].as_u64().unwrap() > sent);
    shop.no_faults();
    shop.mirror.control("POST", "clock", r#"{"advance_seconds":3000000}"#);
    shop.until("midway", |stands| stands["state"] == "paused" && stands["paused_until"].is_null());
    let (status, lines, talk) = running.stop();
    assert_eq!(status.code(), Some(130), "{talk}");
    let end = lines.last().unwrap();
    assert!(end["open"].as_u64().unwrap() > 0 && end["state"] == "paused", "{end}");
    assert_eq!(u64::try_from(shop.given(&stock).len()).unwrap(), end["sent"].as_u64().unwrap());
}

#[test]
fn a_budget_that_runs_out_midway_pauses_the_campaign() {
    let shop = Shop::open();
    let stock = shop.stock(30, &[]);
    shop.list("spring.csv", 40);
    let plan = ["campaign", "plan", "spring.csv", "--stock", &stock, "--rate", "100000"];
    let refused = shop.run(&plan);
    assert!(refused.code == Some(1) && refused.stderr.contains("count.too-few"), "{refused:?}");
    shop.ok(&[&plan[..], &["--anyway"]].concat());
    let (end, _) = pauses(&shop, "spring", &["--anyway"]);
    assert_eq!([&end["sent"], &end["open"], &end["refused"]], [30, 10, 0], "{end}");
    assert!(end["reason"].as_str().unwrap().contains("NOT_ENOUGH"), "{end}");
    assert_eq!(shop.given(&stock).len(), 30);
}

#[test]
fn the_end_of_a_days_budget_waits_for_the_next_day_or_pauses_as_told() {
    for (told, waits) in [("wait", true), ("pause", false)] {
        let shop = Shop::open();
        // Twenty coupons a day.
        let stock = shop.stock(30, &["--by-day", "100yuan"]);
        // Whatever the hour is: the day ends when it is told to.
        shop.mirror.control("POST", "clock", r#"{"freeze":true}"#);
        shop.list("spring.csv", 30);
        shop.ok(&[
            "campaign",
            "plan",
            "spring.csv",
            "--stock",
            &stock,
            "--rate",
            "100000",
            "--daily-budget",
            told,
        ]);
        if waits {
            let running =
                shop.spawn(&["campaign", "start", "spring", "--every", "100ms", "--end-when-paused"]);
            let line = running.wait(1, |line| line["state"] == "paused" && line["sent"] == 20).remove(0);
            let until = line["paused_until"].as_str().unwrap();
            assert!(until.contains("T00:00:00") && until.ends_with("+08:00"), "{line}");
            let (status, lines, talk) = running.stop();
            assert_eq!(status.code(), Some(130), "it waits, also when told to end at pauses: {talk}");
            assert_eq!(lines.last().unwrap()["open"], 10);
        } else {
            let (end, _) = pauses(&shop, "spring", &[]);
            assert_eq!((&end["sent"], &end["paused_until"]), (&20.into(), &serde_json::Value::Null), "{end}");
        }
        shop.mirror.control("POST", "clock", r#"{"advance_seconds":86400}"#);
        let (ran, end) = shop.start("spring");
        assert_eq!((ran.code, &end["sent"]), (Some(0), &30.into()), "{ran:?}");
        shop.everybody_has_one(&stock, 30);
    }
}

#[test]
fn outside_its_times_of_the_day_it_waits() {
    let shop = Shop::open();
    let stock = shop.stock(10, &[]);
    shop.list("spring.csv", 10);
    // An hour that begins at least an hour from now.
    let now = shop.mirror.control("POST", "clock", r#"{"freeze":true}"#)["now"].as_str().unwrap().to_owned();
    let hour: u32 = now[11..13].parse().unwrap();
    let window = format!("{:02}:00-{:02}:00", (hour + 2) % 24, (hour + 3) % 24);
    shop.ok(&["campaign", "plan", "spring.csv", "--stock", &stock, "--window", &window]);
    let running = shop.spawn(&["campaign", "start", "spring", "--every", "100ms"]);
    let held = running.wait(1, |line| line["event"] == "held" && line["held_by"] == "window").remove(0);
    assert!(held["until"].as_str().unwrap().contains(&format!("T{:02}:00:00", (hour + 2) % 24)), "{held}");
    let (status, lines, talk) = running.stop();
    assert_eq!((status.code(), &lines.last().unwrap()["sent"]), (Some(130), &0.into()), "{talk}");
    assert!(talk.contains("waits for its time of the day"), "{talk}");
}

#[test]
fn a_platform_that_cannot_be_reached_is_waited_for() {
    let mut shop = Shop::open();
    let stock = shop.plan("gone", 40, &["--rate", "100000"]);
    shop.fault(r#"{"kind":"reset","operation":"coupon.send","count":0}"#);
    let running = shop.spawn(&["campaign", "start", "gone", "--every", "100ms"]);
    running.wait(1, |line| line["event"] == "held" && line["held_by"] == "platform");
    shop.no_faults();
    let (status, lines, talk) = running.end();
    assert_eq!((status.code(), &lines.last().unwrap()["sent"]), (Some(0), &40.into()), "{talk}");
    shop.everybody_has_one(&stock, 40);
    // A command whose mirror is gone says so, and the campaign is as it was.
    shop.plan("later", 5, &[]);
    shop.mirror.child.kill().unwrap();
    shop.mirror.child.wait().unwrap();
    let ran = shop.run(&["campaign", "start", "later"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("stock.unreadable"), "{ran:?}");
    assert_eq!(shop.stands("later")["state"], "planned");
}

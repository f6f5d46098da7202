//! A campaign from its plan to its end.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::shop::{Shop, openid};

#[test]
fn a_campaign_is_planned_started_reported_audited_and_forgotten() {
    let shop = Shop::open();
    let stock = shop.stock(120, &[]);
    // Every person once more, in another order, and two more lines of nothing.
    let twice: String =
        (0..120).chain((0..120).rev()).map(|person| format!("{}\n", openid(person))).collect();
    shop.file("spring.csv", &format!("openid\n{twice}\n\n"));
    let plan = ["campaign", "plan", "spring.csv", "--stock", &stock, "--rate", "100000", "--output", "json"];
    let planned = shop.ok(&plan).json();
    assert_eq!(
        [&planned["name"], &planned["planned"], &planned["coupons"], &planned["value_fen"]],
        [&json!("spring"), &json!(true), &json!(120), &json!(60_000)]
    );
    assert_eq!((&planned["list"]["rows"], &planned["list"]["duplicates"]), (&240.into(), &120.into()));
    assert_eq!(planned["problems"][0]["line"], 122, "{planned}");
    assert_eq!(shop.given(&stock).len(), 0, "planning sends nothing");
    assert_eq!(shop.stands("spring")["state"], "planned");

    let (ran, end) = shop.start("spring");
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!([&end["event"], &end["how"], &end["state"]], ["ended", "finished", "finished"]);
    assert_eq!([&end["sent"], &end["open"], &end["refused"]], [120, 0, 0]);
    assert_eq!((&end["given_fen"], &end["people"]), (&60_000.into(), &120.into()));
    assert!(ran.stderr.contains("favor campaign start spring goes on after any end"), "{ran:?}");
    assert!(ran.stderr.contains("favor campaign report spring --out spring.csv"), "{ran:?}");
    let first: Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!((&first["event"], &first["name"]), (&"started".into(), &"spring".into()));
    shop.everybody_has_one(&stock, 120);

    // A start of what is finished sends nothing, and ends as it ended.
    let (again, end) = shop.start("spring");
    assert_eq!((again.code, &end["how"]), (Some(0), &"finished".into()));
    shop.everybody_has_one(&stock, 120);

    let report = shop.ok(&["campaign", "report", "spring", "--out", "report.csv", "--output", "json"]).json();
    assert_eq!(
        (&report["states"]["sent"], &report["given_yuan"]),
        (&120.into(), &"600.00".into()),
        "{report}"
    );
    let lines: Vec<String> = shop.read("report.csv").lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 121);
    let coupons: BTreeSet<&str> =
        lines[1..].iter().filter_map(|line| line.split(',').find(|field| is_coupon(field))).collect();
    assert_eq!(coupons.len(), 120, "{}", lines[1]);
    assert!((0..120).all(|person| lines.iter().any(|line| line.contains(&openid(person)))));
    let taken = shop.run(&["campaign", "report", "spring", "--out", "report.csv"]);
    assert!(taken.code == Some(2) && taken.stderr.contains("--replace"), "{taken:?}");
    shop.ok(&["campaign", "report", "spring", "--out", "report.csv", "--replace", "--hash-openids"]);
    assert!(!shop.read("report.csv").contains("oPerson"));

    let audit = shop.ok(&["campaign", "audit", "spring", "--output", "json"]).json();
    assert_eq!(
        (&audit["people"], &audit["matching"], &audit["difference_count"]),
        (&120.into(), &120.into(), &0.into()),
        "{audit}"
    );

    let history = shop.ok(&["campaign", "history", "spring", "--output", "json"]).stdout;
    for what in ["planned", "sealed", "started", "finished"] {
        assert_eq!(
            history.lines().filter(|line| line.contains(&format!("\"{what}\""))).count(),
            1,
            "{history}"
        );
    }
    assert!(shop.ok(&["campaign", "list"]).stdout.contains("spring"));

    let unsaid = shop.run(&["campaign", "purge", "spring"]);
    assert!(unsaid.code == Some(2) && unsaid.stderr.contains("needs --yes"), "{unsaid:?}");
    let purged = shop.ok(&["campaign", "purge", "spring", "--yes", "--output", "json"]).json();
    assert_eq!(purged["forgotten"], 120);
    shop.ok(&["campaign", "report", "spring", "--out", "nobody.csv"]);
    assert!(!shop.read("nobody.csv").contains("oPerson"));
    assert_eq!(shop.stands("spring")["sent"], 120, "the counts stay");
}

fn is_coupon(field: &str) -> bool {
    field.len() >= 10 && field.bytes().all(|byte| byte.is_ascii_digit())
}

#[test]
fn a_person_reads_how_it_ends_and_quiet_is_quiet() {
    let shop = Shop::planned("autumn", 6);
    let ran = shop.ok(&["campaign", "start", "autumn", "--quiet"]);
    assert_eq!(ran.stderr, "");
    let shown = shop.ok(&["campaign", "watch", "autumn", "--once"]).stdout;
    assert!(shown.contains("finished") && shown.contains("6 (30.00 yuan)"), "{shown}");
    let report = shop.ok(&["campaign", "report", "autumn"]).stdout;
    assert!(report.contains("30.00 yuan"), "{report}");
}

#[test]
fn several_coupons_for_each_person() {
    let shop = Shop::open();
    let stock = shop.stock(60, &["--per-user", "3"]);
    shop.list("three.csv", 20);
    shop.ok(&[
        "campaign",
        "plan",
        "three.csv",
        "--stock",
        &stock,
        "--coupons-per-person",
        "3",
        "--rate",
        "100000",
    ]);
    let (ran, end) = shop.start("three");
    assert_eq!((ran.code, &end["sent"]), (Some(0), &60.into()), "{ran:?}");
    let given = shop.given(&stock);
    assert!(given.len() == 20 && given.values().all(|count| *count == 3), "{given:?}");
}

#[test]
fn what_was_refused_is_sent_again_with_the_same_numbers_when_told() {
    let shop = Shop::open();
    let stock = shop.plan("retry", 30, &["--rate", "100000"]);
    for person in [3, 4] {
        shop.fault(&format!(
            r#"{{"kind":"status","operation":"coupon.send","openid":"{}","status":403,"code":"USER_ACCOUNT_ABNORMAL","message":"用户非法","count":0}}"#,
            openid(person)
        ));
    }
    shop.fault(&format!(
        r#"{{"kind":"status","operation":"coupon.send","openid":"{}","status":400,"code":"NEVER_SEEN","message":"x","count":0}}"#,
        openid(5)
    ));
    let (ran, end) = shop.start("retry");
    // Somebody has to look at what is parked.
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!([&end["sent"], &end["refused"], &end["parked"]], [27, 2, 1], "{end}");
    let by_code = end["by_code"].as_array().unwrap();
    assert!(
        by_code.contains(&json!({ "state": "refused", "code": "USER_ACCOUNT_ABNORMAL", "count": 2 })),
        "{end}"
    );
    assert!(by_code.contains(&json!({ "state": "parked", "code": "NEVER_SEEN", "count": 1 })), "{end}");
    assert!(ran.stderr.contains("favor campaign retry retry --state parked"), "{ran:?}");

    shop.no_faults();
    let none = shop.ok(&["campaign", "retry", "retry", "--code", "RULE_LIMIT", "--output", "json"]).json();
    assert_eq!(none["reopened"], 0);
    let parked = shop.ok(&["campaign", "retry", "retry", "--state", "parked", "--output", "json"]).json();
    assert_eq!(parked["reopened"], 1);
    let (ran, end) = shop.start("retry");
    assert_eq!((ran.code, &end["sent"], &end["refused"]), (Some(0), &28.into(), &2.into()), "{ran:?}");
    let again =
        shop.ok(&["campaign", "retry", "retry", "--code", "USER_ACCOUNT_ABNORMAL", "--output", "json"]);
    assert_eq!(again.json()["reopened"], 2);
    assert_eq!(shop.start("retry").1["sent"], 30);
    shop.everybody_has_one(&stock, 30);
    let bare = shop.run(&["campaign", "retry", "retry"]);
    assert_eq!(bare.code, Some(2), "all of them only when told: {bare:?}");
}

#[test]
fn an_outcome_that_stays_unknown_is_an_exit_code_of_its_own() {
    let shop = Shop::open();
    shop.file("policy.toml", "tries = 2\n");
    let stock = shop.plan("doubt", 8, &["--rate", "100000", "--policy", "policy.toml"]);
    // The coupon is given, and every answer about it is lost.
    shop.fault(&format!(
        r#"{{"kind":"cut","operation":"coupon.send","openid":"{}","place":"after_commit","count":0}}"#,
        openid(2)
    ));
    let (ran, end) = shop.start("doubt");
    assert_eq!((ran.code, &end["unknown"], &end["sent"]), (Some(4), &1.into(), &7.into()), "{ran:?}");
    assert!(ran.stderr.contains("--state unknown"), "{ran:?}");
    shop.no_faults();
    shop.ok(&["campaign", "retry", "doubt", "--state", "unknown"]);
    let (ran, end) = shop.start("doubt");
    assert_eq!((ran.code, &end["sent"]), (Some(0), &8.into()), "{ran:?}");
    shop.everybody_has_one(&stock, 8);
}

#[test]
fn what_was_never_started_can_be_discarded() {
    let shop = Shop::planned("gone", 5);
    shop.ok(&["campaign", "discard", "gone"]);
    let none = shop.run(&["campaign", "start", "gone"]);
    assert!(none.code == Some(2) && none.stderr.contains("there is no campaign gone"), "{none:?}");
    shop.plan("kept", 5, &["--rate", "100000"]);
    shop.start("kept");
    let refused = shop.run(&["campaign", "discard", "kept"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let other = shop.run(&["campaign", "watch", "kapt", "--once"]);
    assert!(other.stderr.contains("it has: kept"), "{other:?}");
}

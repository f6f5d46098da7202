//! Figures by day.

use serde_json::json;

use super::desk::{CARD, Desk, refusal};

const DAYS: [&str; 4] = ["--from", "2026-08-01", "--to", "2026-08-03"];

#[test]
fn figures_are_a_table_and_a_chart() {
    let desk = Desk::start();
    let path = "/datacube/getcardbizuininfo";
    let day = |date: &str, count: i64| {
        json!({
            "ref_date": date, "view_cnt": 900, "view_user": 800, "receive_cnt": count, "receive_user": 7,
            "verify_cnt": 3, "verify_user": 2, "given_cnt": 1, "given_user": 1, "expire_cnt": 0, "expire_user": 0,
        })
    };
    let list = json!({"list": [day("2026-08-01", 400), day("2026-08-03", 100)]});
    desk.answer(path, &list.to_string());
    let table = desk.table(&[&["stats"][..], &DAYS].concat());
    assert!(table.contains("400 (7)") && table.contains("900 (800)"), "{table}");
    let chart: Vec<&str> = table.lines().skip_while(|line| *line != "claims").skip(1).collect();
    let bars = [
        format!("2026-08-01  {} 400", "█".repeat(40)),
        "2026-08-02   0".to_owned(),
        format!("2026-08-03  {} 100", "█".repeat(10)),
    ];
    assert_eq!(chart, bars, "{table}");
    assert_eq!(
        desk.body(path),
        json!({"begin_date": "2026-08-01", "end_date": "2026-08-03", "cond_source": 1})
    );
    let plain = desk.table(&[&["stats", "--chart", "none", "--source", "console"][..], &DAYS].concat());
    assert!(!plain.contains('█') && desk.seen(path)[1].json()["cond_source"] == 0, "{plain}");
    assert_eq!(desk.json(&[&["stats"][..], &DAYS].concat())["list"][1]["receive_cnt"], 100);
    desk.answer(path, r#"{"list":[]}"#);
    assert_eq!(desk.table(&[&["stats"][..], &DAYS].concat()), "no figures in these days\n");
}

#[test]
fn each_kind_of_figures_has_its_call() {
    let desk = Desk::start();
    let common = json!({"ref_date": "2026-08-01", "view_cnt": 10, "receive_cnt": 20, "verify_cnt": 30});
    let row = |more: serde_json::Value| {
        let mut row = common.clone();
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"list": [row]}).to_string()
    };
    desk.answer("/datacube/getcardcardinfo", &row(json!({"card_id": CARD, "card_type": 1})));
    desk.answer("/datacube/getcardmembercardinfo", &row(json!({"active_user": 4, "total_user": 77})));
    desk.answer(
        "/datacube/getcardmembercarddetail",
        &row(json!({"cardid": CARD, "new_user": 5, "total_user": 66})),
    );
    for (arguments, words) in [
        (&["stats", "cards", "--card", CARD][..], CARD),
        (&["stats", "members"], "77"),
        (&["stats", "member-card", "--card", CARD], "66"),
    ] {
        let table = desk.table(&[arguments, &DAYS, &["--chart", "redemptions"]].concat());
        assert!(table.contains(words) && table.contains("2026-08-01  ██"), "{arguments:?}: {table}");
    }
    assert_eq!(desk.body("/datacube/getcardcardinfo")["card_id"], CARD);
    assert_eq!(
        desk.body("/datacube/getcardmembercarddetail"),
        json!({"begin_date": "2026-08-01", "end_date": "2026-08-03", "card_id": CARD})
    );
}

#[test]
fn the_help_counts_days_as_the_platform_does() {
    let help = Desk::start().table(&["stats", "--help"]);
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Both ends count, and at most 62 days in all"), "{help}");
}

#[test]
fn days_out_of_range_are_not_asked_for() {
    let desk = Desk::start();
    for (arguments, words) in [
        (&["stats", "--from", "2026-05-01", "--to", "2026-08-01"][..], "62 days"),
        (&["stats", "--from", "2026-08-02", "--to", "2026-08-01"], "begin_date"),
        (&["stats", "--to", "2199-01-01"], "before today"),
        (&["stats", "--from", "yesterday"], "--from"),
        (&["stats", "member-card"], "--card CARD_ID"),
        (&["stats", "members", "--card", CARD], "--card goes with"),
    ] {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments:?}: {ran:?}");
    }
    desk.direct("/datacube/getcardbizuininfo", |seen| refusal(61503, seen));
    let ran = desk.run(&["stats"]);
    assert!(ran.code == Some(1) && ran.stderr.contains("not ready"), "{ran:?}");
}

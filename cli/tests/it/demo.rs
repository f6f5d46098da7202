//! `favor demo`.

use crate::run::{favor, run};

#[test]
fn everybody_gets_exactly_one_coupon() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(favor(folder.path()).args(["demo", "--people", "300", "--output", "json"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let summary = ran.json();
    for field in ["people", "sent", "distinct_coupons", "queried_back", "mirror_distributed"] {
        assert_eq!(summary[field], 300, "{field}");
    }
    for field in ["refused", "unknown", "not_sent"] {
        assert_eq!(summary[field], 0, "{field}");
    }
    assert_eq!((&summary["redeemed"], &summary["refunded"]), (&150.into(), &15.into()));
    assert_eq!(summary["use_flow"], serde_json::json!({"rows": 150, "discount": 75_000}));
    assert_eq!(summary["refund_flow"], serde_json::json!({"rows": 15, "discount": 7_500}));
    // 300 sends, 300 queries, create, start, get, the callback's address, and two links; before that the plan looks at
    // the stock and at three people. An answer that a slow machine does not wait for comes again.
    assert!(summary["verified_responses"].as_u64().unwrap() >= 610, "{summary}");
    let matched = &summary["reconcile"];
    assert_eq!((&matched["clean"], &matched["balanced"]), (&true.into(), &true.into()), "{matched}");
    assert_eq!(matched["sent"], serde_json::json!({ "count": 300, "yuan": "1500.00" }));
    let count = |field: &str| matched[field]["count"].as_u64().unwrap();
    assert_eq!(count("used") + count("refunded") + count("expired") + count("unused"), 300, "{matched}");
    assert_eq!((count("use_lines"), count("refund_lines"), &matched["callbacks"]), (150, 15, &150.into()));
    assert!(summary["stock_id"].is_string() && summary["seconds"].is_number());
    assert_eq!(ran.stdout.lines().count(), 1, "one object on stdout");

    let told = &summary["notifications"];
    for field in ["raised", "new", "handled", "coupons"] {
        assert_eq!(told[field], 150, "{field} in {told}");
    }
    // Each 20th comes twice, each 50th has a probe before it, each 33rd is late. A machine so slow that the mirror
    // gives up waiting for an answer sees more.
    let count = |field: &str| told[field].as_u64().unwrap();
    assert!(count("duplicates") >= 7 && count("probes") >= 2 && count("held_back") >= 4, "{told}");
    let parts = ["new", "duplicates", "probes", "turned_away"].map(count);
    assert_eq!(count("came"), parts.iter().sum::<u64>(), "{told}");
}

#[test]
fn a_person_reads_a_summary_and_quiet_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(favor(folder.path()).args(["demo", "--people", "7", "--quiet"]));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains("7 coupons of 5.00 yuan, 35.00 yuan in all"), "{}", ran.stdout);
    assert!(ran.stdout.contains("4 of 4 redeemed"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("Everybody got exactly one coupon, and all counts agree to the fen."),
        "{}",
        ran.stdout
    );
}

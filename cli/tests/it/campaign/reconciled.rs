//! Sends, notifications and flow files matched by the command.

use serde_json::json;

use super::shop::Shop;
use crate::listener::Listener;

#[test]
fn sends_notifications_and_flows_are_matched_to_the_fen() {
    let shop = Shop::open();
    let listener = Listener::start(&shop.mirror, &[]);
    let stock = shop.plan("spring", 20, &["--rate", "100000"]);
    assert_eq!(shop.start("spring").1["sent"], 20);
    let coupons = shop.coupons(&stock);
    for coupon in &coupons[..8] {
        shop.mirror.control("POST", &format!("coupons/{coupon}/redeem"), "{}");
    }
    for coupon in &coupons[..3] {
        shop.mirror.control("POST", &format!("coupons/{coupon}/refund"), "{}");
    }
    listener.verdicts(8, "new");

    // Before the stock's end there are no flow files, and what only time will tell is no difference.
    let early = shop.ok(&["campaign", "reconcile", "spring", "--output", "json"]);
    assert!(early.stderr.contains("there is no use flow"), "{early:?}");
    let early = early.json();
    assert_eq!(
        (&early["clean"], &early["totals"]["pending"]["flow-pending"]),
        (&json!(true), &json!(8)),
        "{early}"
    );

    // Both flows, downloaded.
    shop.mirror.control("POST", "clock", r#"{"advance_seconds":2764800}"#);
    let whole =
        shop.ok(&["campaign", "reconcile", "spring", "--out", "matched.csv", "--output", "json"]).json();
    let totals = &whole["totals"];
    assert_eq!((&whole["clean"], &whole["balanced"]), (&json!(true), &json!(true)), "{whole}");
    assert_eq!(totals["sent"], json!({ "count": 20, "yuan": "100.00" }), "{whole}");
    assert_eq!(totals["use_lines"], json!({ "count": 8, "yuan": "40.00" }), "{whole}");
    assert_eq!(totals["refund_lines"], json!({ "count": 3, "yuan": "15.00" }), "{whole}");
    assert_eq!((&totals["used"]["count"], &totals["refunded"]["count"]), (&json!(5), &json!(3)), "{whole}");
    assert_eq!(totals["net"]["yuan"], "25.00", "{whole}");
    assert_eq!(shop.read("matched.csv").lines().count(), 21);

    // The same by files. One that is cut: a difference is an exit code and a line with words, and the payment that is
    // missing is named.
    shop.ok(&["stock", "use-flow", &stock, "--to", "use.csv"]);
    shop.ok(&["stock", "refund-flow", &stock, "--to", "refund.csv"]);
    let files = ["campaign", "reconcile", "spring", "--use-flow", "use.csv", "--refund-flow", "refund.csv"];
    let table = shop.ok(&files).stdout;
    assert!(table.contains("Everything is accounted for, to the fen."), "{table}");
    let other = shop.mirror.folder.path().join("use.csv");
    let text = std::fs::read_to_string(&other).unwrap();
    let last_used = &coupons[7];
    let cut: String = text.split_inclusive('\n').filter(|line| !line.contains(last_used)).collect();
    std::fs::write(&other, cut).unwrap();
    let differs = shop.run(&[&files[..], &["--differences", "differences.csv"]].concat());
    assert_eq!(differs.code, Some(1), "{differs:?}");
    assert!(differs.stdout.contains("incomplete-file") && differs.stdout.contains(last_used), "{differs:?}");
    assert!(shop.read("differences.csv").contains("incomplete-file"));
    let taken = shop.run(&[&files[..], &["--differences", "differences.csv"]].concat());
    assert!(taken.code == Some(2) && taken.stderr.contains("--replace"), "{taken:?}");
    let missing = shop.run(&["campaign", "reconcile", "spring", "--use-flow", "none.csv"]);
    assert!(missing.code == Some(2) && missing.stderr.contains("none.csv"), "{missing:?}");
    listener.kill();
}

#[test]
fn an_audit_tells_what_the_ledger_does_not_know() {
    let shop = Shop::open();
    let stock = shop.plan("spring", 12, &["--rate", "100000"]);
    shop.start("spring");
    let clean = shop.ok(&["campaign", "audit", "spring", "--sample", "5", "--output", "json"]).json();
    assert_eq!((&clean["people"], &clean["difference_count"]), (&json!(5), &json!(0)), "{clean}");
    // A ledger that forgot one send, and has another coupon for another.
    let ledger =
        rusqlite::Connection::open(shop.mirror.folder.path().join("favor-campaigns.sqlite")).unwrap();
    ledger.execute("DELETE FROM outcomes WHERE place = 3", []).unwrap();
    ledger.execute("UPDATE outcomes SET coupon_id = '1' || coupon_id WHERE place = 4", []).unwrap();
    drop(ledger);
    let found = shop.run(&["campaign", "audit", "spring", "--output", "json"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    let found = found.json();
    let kinds: Vec<_> =
        found["differences"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"there-not-sent") && kinds.contains(&"other-coupon"), "{found}");
    let table = shop.run(&["campaign", "audit", "spring"]).stdout;
    assert!(table.contains("there-not-sent"), "{table}");
    assert_eq!(shop.given(&stock).len(), 12, "an audit changes nothing");
}

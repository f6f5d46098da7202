//! `favor stock` and `favor coupon` against a mirror.

use serde_json::json;

use crate::run::{MirrorProcess, Ran};

const CREATE: [&str; 12] = [
    "stock",
    "create",
    "--name",
    "Tea 5 off 30",
    "--face-value",
    "5yuan",
    "--threshold",
    "3000fen",
    "--coupons",
    "10",
    "--begin",
    "now",
];

pub fn running_stock(mirror: &MirrorProcess) -> String {
    let created = mirror.run(&[&CREATE[..], &["--output", "json"]].concat());
    assert_eq!(created.code, Some(0), "{created:?}");
    let stock_id = created.json()["stock_id"].as_str().unwrap().to_owned();
    mirror.control("POST", "clock", r#"{"advance_seconds":61}"#);
    let started = mirror.run(&["stock", "start", &stock_id]);
    assert_eq!(started.code, Some(0), "{started:?}");
    stock_id
}

fn assert_refused(ran: &Ran, code: &str) {
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.stdout, "", "nothing on stdout");
    assert!(ran.stderr.contains(code) && ran.stderr.contains("hint:"), "{ran:?}");
}

#[test]
fn a_stock_lives() {
    let mirror = MirrorProcess::start(&[]);
    let stock_id = running_stock(&mirror);
    let shown = mirror.run(&["stock", "get", &stock_id]);
    for words in [
        "Tea 5 off 30",
        "running (running)",
        "5.00 yuan off from 30.00 yuan",
        "0 of 10",
        "50.00 yuan",
        "no-cash",
    ] {
        assert!(shown.stdout.contains(words), "{words} is missing in {}", shown.stdout);
    }
    let wire = mirror.run(&["stock", "get", &stock_id, "--output", "json"]).json();
    assert_eq!(wire["stock_use_rule"]["max_amount"], 5000, "JSON as the platform sends it");
    assert_refused(&mirror.run(&["stock", "get", "99999999"]), "RESOURCE_NOT_EXISTS");
}

#[test]
fn the_same_command_twice_is_one_coupon() {
    let mirror = MirrorProcess::start(&[]);
    let stock_id = running_stock(&mirror);
    let send = ["coupon", "send", stock_id.as_str(), "oTea0001", "--output", "json"];
    let first = mirror.run(&send);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.stderr.contains("out_request_no 1900000109-"), "said before sending: {first:?}");
    assert!(!first.stderr.contains("oTea0001"), "no openid on stderr: {first:?}");
    let coupon_id = first.json()["coupon_id"].as_str().unwrap().to_owned();
    assert_eq!(mirror.run(&send).json()["coupon_id"], json!(coupon_id));
    assert_refused(&mirror.run(&[&send[..], &["--slot", "1"]].concat()), "REQUEST_BLOCKED");

    let shown = mirror.run(&["coupon", "get", "oTea0001", &coupon_id]);
    assert!(shown.stdout.contains("usable (SENDED)"), "{shown:?}");
    assert_refused(&mirror.run(&["coupon", "get", "oTea0001", "18189999999999"]), "RESOURCE_NOT_EXISTS");
}

#[test]
fn a_lost_answer_exits_with_4_and_the_same_command_settles_it() {
    let mirror = MirrorProcess::start(&[]);
    let stock_id = running_stock(&mirror);
    mirror.control(
        "POST",
        "faults",
        r#"[{"operation":"coupon.send","kind":"cut","place":"after_commit","count":3}]"#,
    );
    let send = ["coupon", "send", stock_id.as_str(), "oTea0001"];
    let lost = mirror.run(&send);
    assert_eq!(lost.code, Some(4), "{lost:?}");
    assert!(lost.stderr.contains("the same out_request_no"), "{lost:?}");
    assert_eq!(mirror.run(&send).code, Some(0));
    let stock = mirror.run(&["stock", "get", &stock_id, "--output", "json"]).json();
    assert_eq!(stock["distributed_coupons"], 1);
}

#[test]
fn an_answer_that_cannot_be_trusted_exits_with_3_for_a_read() {
    let mirror = MirrorProcess::start(&[]);
    let stock_id = running_stock(&mirror);
    mirror.control("POST", "faults", r#"[{"operation":"stock.get","kind":"corrupt_signature","count":3}]"#);
    let ran = mirror.run(&["stock", "get", &stock_id]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("the signature does not hold"), "{ran:?}");
}

#[test]
fn a_request_may_come_from_a_file_and_a_broken_one_names_its_fields() {
    let mirror = MirrorProcess::start(&[]);
    let mut request = json!({"stock_name": "Tea", "belong_merchant": mirror.field("mchid"),
        "available_begin_time": "2020-01-01T00:00:00+08:00", "available_end_time": "2020-02-01T00:00:00+08:00",
        "stock_use_rule": {"max_coupons": 4, "max_amount": 2000, "max_coupons_per_user": 1,
            "natural_person_limit": false, "prevent_api_abuse": true},
        "coupon_use_rule": {"fixed_normal_coupon": {"coupon_amount": 500, "transaction_minimum": 3000},
            "available_merchants": [mirror.field("mchid")]},
        "no_cash": true, "stock_type": "NORMAL", "out_request_no": "file_1"});
    let file = mirror.folder.path().join("request.json");
    let create = ["stock", "create", "--from", "request.json"];

    std::fs::write(&file, request.to_string()).unwrap();
    let broken = mirror.run(&create);
    assert_eq!(broken.code, Some(2), "{broken:?}");
    for field in ["available_begin_time", "stock_use_rule.max_coupons"] {
        assert!(broken.stderr.contains(field), "{field}: {broken:?}");
    }

    std::fs::write(&file, "{\"stock_name\": \"Tea\"").unwrap();
    let cut = mirror.run(&create);
    assert_eq!(cut.code, Some(2), "{cut:?}");
    assert!(cut.stderr.contains("request.json is not a create request"), "{cut:?}");
    assert_eq!(mirror.run(&["stock", "create", "--from", "missing.json"]).code, Some(2));

    // A window that begins where that of a stock made now ends: 30 days ahead.
    let stock_id = running_stock(&mirror);
    let stock = mirror.run(&["stock", "get", &stock_id, "--output", "json"]).json();
    let begin = chrono::DateTime::parse_from_rfc3339(stock["available_end_time"].as_str().unwrap()).unwrap();
    request["available_begin_time"] = json!(begin.to_rfc3339());
    request["available_end_time"] = json!((begin + chrono::TimeDelta::days(1)).to_rfc3339());
    request["stock_use_rule"]["max_coupons"] = json!(5);
    request["stock_use_rule"]["max_amount"] = json!(2500);
    std::fs::write(&file, request.to_string()).unwrap();
    let created = mirror.run(&create);
    assert_eq!(created.code, Some(0), "{created:?}");
    assert!(created.stderr.contains("out_request_no file_1"), "{created:?}");
}

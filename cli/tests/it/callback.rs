//! `favor callback set|get|trigger`.

use serde_json::Value;

use crate::run::{MirrorProcess, Ran, run};
use crate::target::{Target, header};

fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

/// The JSON lines of stdout.
fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_address_is_set_and_shown() {
    let mirror = MirrorProcess::start(&[]);
    let none = mirror.run(&["callback", "get"]);
    assert_eq!(none.code, Some(1), "{none:?}");
    assert!(none.stderr.contains("favor callback set https://"), "{none:?}");

    let set = ok(mirror.run(&["callback", "set", "https://shop.example.com/coupons"]));
    assert!(set.stdout.contains("https://shop.example.com/coupons"), "{set:?}");
    let get = ok(mirror.run(&["callback", "get"]));
    assert!(get.stdout.contains("https://shop.example.com/coupons"), "{get:?}");
    assert!(get.stdout.contains(mirror.field("mchid")), "{get:?}");

    let set = ["callback", "set", "http://127.0.0.1:9/x", "--switch", "on", "--output", "json"];
    let set = ok(mirror.run(&set)).json();
    assert!(set["update_time"].is_string(), "{set}");
    let get = ok(mirror.run(&["callback", "get", "--output", "json"])).json();
    assert_eq!(get["notify_url"], "http://127.0.0.1:9/x");

    for (url, words) in [
        ("http://shop.example.com/x", "must be https"),
        ("https://shop.example.com/x?a=1", "no query"),
        ("shop", "needs a scheme"),
    ] {
        let ran = mirror.run(&["callback", "set", url]);
        assert_eq!(ran.code, Some(2), "{url}: {ran:?}");
        assert!(ran.stderr.contains(words), "{url}: {ran:?}");
    }
    let get = ok(mirror.run(&["callback", "get"]));
    assert!(get.stdout.contains("http://127.0.0.1:9/x"), "{get:?}");
}

#[test]
fn a_trigger_makes_the_mirror_send_a_notification() {
    let mirror = MirrorProcess::start(&[]);
    let target = Target::start();
    let nowhere = mirror.run(&["callback", "trigger"]);
    assert_eq!(nowhere.code, Some(2), "{nowhere:?}");
    assert!(nowhere.stderr.contains("favor callback set"), "{nowhere:?}");
    let audit = ok(mirror.run(&["mirror", "audit", "--output", "json"])).json();
    assert_eq!(audit["stocks"], Value::Array(Vec::new()), "nothing was made");

    ok(mirror.run(&["callback", "set", &target.url()]));
    let table = ok(mirror.run(&["callback", "trigger"]));
    for word in ["EV-", "COUPON.USE", "delivered", "200"] {
        assert!(table.stdout.contains(word), "{word}: {table:?}");
    }
    assert_eq!(target.requests().len(), 1);
    let told = lines(&ok(mirror.run(&["callback", "trigger", "--times", "3", "--output", "json"])));
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().all(|one| one["state"] == "delivered"), "{told:?}");
    let requests = target.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|one| header(one, "wechatpay-signature").is_some()));
}

#[test]
fn a_coupon_of_the_users_own_is_redeemed() {
    let seed = "[settings]\nid_seed = 7\n[[users]]\nopenid = \"oTea\"\nappid = \"wx00000000000000aa\"\n\
                [[stocks]]\nname = \"Tea\"\ncoupon_amount_fen = 500\nthreshold_fen = 3000\ncoupons = 10\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("seed.toml"), seed).unwrap();
    let mirror = MirrorProcess::start(&["--seed", folder.path().join("seed.toml").to_str().unwrap()]);
    let target = Target::start();
    ok(mirror.run(&["callback", "set", &target.url()]));
    let audit = ok(mirror.run(&["mirror", "audit", "--output", "json"])).json();
    let stock = audit["stocks"][0]["stock_id"].as_str().unwrap().to_owned();
    let sent = ok(mirror.run(&["coupon", "send", &stock, "oTea", "--output", "json"])).json();
    let coupon = sent["coupon_id"].as_str().unwrap();
    let told = ok(mirror.run(&["callback", "trigger", "--coupon", coupon, "--output", "json"])).json();
    assert_eq!((&told["coupon_id"], &told["stock_id"]), (&coupon.into(), &stock.into()));
    let again = mirror.run(&["callback", "trigger", "--coupon", coupon]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("the coupon is USED"), "{again:?}");
}

#[test]
fn duplicates_and_probes_are_the_mirrors_faults_and_leave_none_behind() {
    let mirror = MirrorProcess::start(&[]);
    let target = Target::start();
    ok(mirror.run(&["callback", "set", &target.url()]));
    let twice = ok(mirror.run(&["callback", "trigger", "--duplicate", "--output", "json"])).json();
    assert_eq!(twice["deliveries"].as_array().unwrap().len(), 2, "{twice}");
    let five = ok(mirror.run(&["callback", "trigger", "--duplicate=5", "--output", "json"])).json();
    assert_eq!(five["deliveries"].as_array().unwrap().len(), 5, "{five}");
    assert_eq!(target.requests().len(), 7);

    // The target takes whatever comes, so that the probe is acknowledged.
    let probed = ok(mirror.run(&["callback", "trigger", "--probe", "--output", "json"])).json();
    assert_eq!(probed["deliveries"][0]["faults"][0], "probe", "{probed}");
    let probe = target.requests().pop().unwrap();
    assert!(header(&probe, "wechatpay-signature").unwrap().starts_with("WECHATPAY/SIGNTEST/"));
    // One that looks refuses it, and the true one follows.
    target.answer(401);
    let refused = ok(mirror.run(&["callback", "trigger", "--probe"]));
    assert!(refused.stdout.contains("pending") && refused.stdout.contains("401"), "{refused:?}");
    assert_eq!(mirror.control("GET", "faults", "")["faults"], Value::Array(Vec::new()));
    let both = mirror.run(&["callback", "trigger", "--probe", "--duplicate"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn coupons_sent_are_told_where_the_mirror_is_asked_to() {
    let mirror = MirrorProcess::start(&[]);
    let target = Target::start();
    ok(mirror.run(&["callback", "set", &target.url()]));
    let off = mirror.run(&["callback", "trigger", "--event", "send"]);
    assert_eq!(off.code, Some(2), "{off:?}");
    assert!(off.stderr.contains("{\"notify_sends\":true}"), "{off:?}");
    mirror.control("POST", "callbacks", r#"{"notify_sends":true}"#);
    let sent = ok(mirror.run(&["callback", "trigger", "--event", "send", "--output", "json"])).json();
    assert_eq!((&sent["event_type"], &sent["state"]), (&"COUPON.SEND".into(), &"delivered".into()), "{sent}");
    assert_eq!(target.requests().len(), 1);
}

#[test]
fn nothing_is_triggered_where_money_moves() {
    let mirror = MirrorProcess::start(&[]);
    for url in ["https://api.mch.weixin.qq.com", "https://api2.wechatpay.cn", "https://wechatpay.invalid"] {
        let ran = run(mirror.favor().args(["callback", "trigger", "--yes", "--base-url", url]));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("is no mirror"), "{ran:?}");
    }
    let ran = run(mirror.favor().args(["callback", "trigger"]).env_remove("FAVOR_BASE_URL"));
    assert!(ran.code == Some(2) && ran.stderr.contains("is no mirror"), "{ran:?}");
}

//! `favor callback listen`: received, verified, stored, printed, stopped and started again.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::listener::{Listener, inbox, request};
use crate::run::{MirrorProcess, Ran, favor, run};
use crate::target::{Target, split};

fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

fn trigger(mirror: &MirrorProcess, arguments: &[&str]) -> Vec<Value> {
    let ran = ok(mirror.run(&[&["callback", "trigger", "--output", "json"], arguments].concat()));
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_notification_is_verified_stored_printed_and_acknowledged() {
    let mirror = MirrorProcess::start(&[]);
    let mut listener = Listener::start(&mirror, &["--once", "1"]);
    assert_eq!(listener.ready["merchants"], json!([mirror.field("mchid")]));
    assert_eq!(listener.ready["inbox"], "favor-inbox.sqlite");
    let told = trigger(&mirror, &[]).remove(0);
    assert_eq!(told["state"], "delivered", "{told}");
    assert_eq!(listener.end().code(), Some(0));
    let new = listener.verdicts(1, "new").remove(0);
    for (ours, mirrors) in [
        ("id", "notification_id"),
        ("event_type", "event_type"),
        ("coupon_id", "coupon_id"),
        ("stock_id", "stock_id"),
        ("transaction_id", "transaction_id"),
        ("mchid", "mchid"),
    ] {
        assert_eq!(new[ours], told[mirrors], "{ours}: {new} {told}");
    }
    assert_eq!(
        (&new["amount"], &new["duplicate"], &new["inbox_id"]),
        (&500.into(), &false.into(), &1.into())
    );
    assert!(new["received_at"].is_string() && new["create_time"].is_string(), "{new}");

    let listed = inbox(&mirror, mirror.folder.path());
    assert_eq!((listed.len(), &listed[0]["state"]), (1, &"waiting".into()), "{listed:?}");
    assert_eq!(listed[0]["resource"]["coupon_id"], told["coupon_id"]);
    let table = ok(mirror.run(&["callback", "list"]));
    for word in [told["notification_id"].as_str().unwrap(), "waiting", "COUPON.USE"] {
        assert!(table.stdout.contains(word), "{word}: {table:?}");
    }
    assert!(table.stderr.contains("1 waiting, 0 claimed, 0 handled, 0 parked; 0 duplicates"), "{table:?}");
    // What is kept can still be proved and opened.
    std::fs::write(mirror.folder.path().join("kept.json"), listed[0].to_string()).unwrap();
    ok(mirror.run(&["verify", "kept.json", "--ignore-window"]));
    let opened = ok(mirror.run(&["decrypt", "kept.json", "--output", "json"])).json();
    assert_eq!(opened["content"], listed[0]["resource"]);
}

#[test]
fn people_get_a_line_for_each_and_a_summary() {
    let mirror = MirrorProcess::start(&[]);
    // A port of the system's, named by the address that was set.
    let mut command = mirror.favor();
    command.args(["callback", "listen", "--set-address", "--once", "1", "--no-inbox", "--path", "/coupons"]);
    let listener = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn();
    let listener = listener.unwrap();
    let started = std::time::Instant::now();
    while mirror.run(&["callback", "get"]).code != Some(0) {
        assert!(started.elapsed() < crate::target::PATIENCE, "no address was set");
    }
    let told = trigger(&mirror, &[]).remove(0);
    let left = listener.wait_with_output().unwrap();
    let (stdout, stderr) = (String::from_utf8(left.stdout).unwrap(), String::from_utf8(left.stderr).unwrap());
    assert_eq!(left.status.code(), Some(0), "{stderr}");
    let coupon = format!("coupon {} of stock", told["coupon_id"].as_str().unwrap());
    for word in ["new", "COUPON.USE", told["notification_id"].as_str().unwrap(), &coupon] {
        assert!(stdout.contains(word), "{word}: {stdout}");
    }
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    assert!(stderr.contains("/coupons for merchant") && stderr.contains("kept nowhere"), "{stderr}");
    assert!(stderr.contains("stopped; 1 new, 0 duplicates, 0 refused"), "{stderr}");
    assert!(!mirror.folder.path().join("favor-inbox.sqlite").exists());
}

#[cfg(unix)]
#[test]
fn repeats_probes_and_forgeries_are_told_apart() {
    let mirror = MirrorProcess::start(&[]);
    let listener = Listener::start(&mirror, &[]);
    let twice = trigger(&mirror, &["--duplicate=3"]).remove(0);
    let new = listener.verdicts(1, "new");
    let repeats = listener.verdicts(2, "duplicate");
    assert!(repeats.iter().all(|one| one["id"] == new[0]["id"] && one["duplicate"] == true), "{repeats:?}");
    assert_eq!(new[0]["id"], twice["notification_id"]);

    let probed = trigger(&mirror, &["--probe"]).remove(0);
    assert_eq!(probed["state"], "delivered", "the true one followed: {probed}");
    let probe = listener.verdicts(1, "probe").remove(0);
    assert_eq!(probe["status"], 401, "{probe}");
    assert_eq!(listener.verdicts(2, "new")[1]["id"], probed["notification_id"]);

    assert_eq!(request(listener.url(), "POST", "", b"{}"), 401);
    assert_eq!(request(listener.url(), "GET", "", b""), 405);
    let rejected = listener.verdicts(2, "rejected");
    assert!(
        rejected[0]["reason"].as_str().unwrap().contains("Wechatpay-Timestamp is missing"),
        "{rejected:?}"
    );
    let (status, lines) = listener.stop();
    assert_eq!(status.code(), Some(0));
    assert_eq!(lines.iter().filter(|line| line["verdict"] == "new").count(), 2);
    let counts: Vec<_> =
        inbox(&mirror, mirror.folder.path()).iter().map(|one| one["times_received"].clone()).collect();
    assert_eq!(counts, [json!(3), json!(1)]);
}

#[cfg(unix)]
#[test]
fn only_the_named_path_takes_notifications() {
    let mirror = MirrorProcess::start(&[]);
    let listener = Listener::start(&mirror, &["--path", "/wechatpay/coupons"]);
    assert!(listener.url().ends_with("/wechatpay/coupons"), "{}", listener.url());
    let address = listener.url().trim_end_matches("/wechatpay/coupons");
    for path in ["/", "/wechatpay", "/wechatpay/coupons/", "/%77echatpay/coupons"] {
        assert_eq!(request(&format!("{address}{path}"), "POST", "", b"{}"), 404, "{path}");
    }
    trigger(&mirror, &[]);
    listener.verdicts(1, "new");
    assert_eq!(listener.stop().0.code(), Some(0));
}

/// Killed in the middle, again and again: what the mirror counts as delivered is in the inbox, each once.
#[cfg(unix)]
#[test]
fn killed_and_started_again_it_loses_nothing() {
    const TOLD: usize = 24;
    let mirror = MirrorProcess::start(&[]);
    let first = Listener::start(&mirror, &[]);
    let address = first.ready["address"].as_str().unwrap().to_owned();
    let mut triggering = mirror.favor();
    triggering.args(["callback", "trigger", "--times", &TOLD.to_string(), "--quiet"]);
    let mut triggering = triggering.stdout(std::process::Stdio::null()).spawn().unwrap();
    first.verdicts(4, "new");
    first.kill();
    let second = Listener::start(&mirror, &["--listen", &address]);
    second.wait(2, |line| line["verdict"] == "new" || line["verdict"] == "duplicate");
    second.kill();
    let third = Listener::start(&mirror, &["--listen", &address]);
    assert!(triggering.wait().unwrap().success());
    let delivered = || {
        // The platform's schedule, on its own clock.
        ok(mirror.run(&["mirror", "advance", "30s"]));
        let log = mirror.control("GET", "callbacks?limit=1000", "");
        let all = log["callbacks"].as_array().unwrap().clone();
        assert_eq!(all.len(), TOLD);
        all.iter().all(|one| one["state"] == "delivered").then_some(all)
    };
    let told = (0..12).find_map(|_| delivered()).expect("everything is delivered within its repeats");
    assert_eq!(third.stop().0.code(), Some(0));
    let of = |list: &[Value], field: &str| -> BTreeSet<String> {
        list.iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
    };
    let kept = inbox(&mirror, mirror.folder.path());
    assert_eq!(kept.len(), TOLD, "each is there once");
    assert_eq!(of(&kept, "id"), of(&told, "notification_id"));
    assert_eq!(of(&kept, "coupon_id"), of(&told, "coupon_id"));
}

#[cfg(unix)]
#[test]
fn several_merchants_share_one_address() {
    let mirror = MirrorProcess::start(&[]);
    let folder = mirror.folder.path();
    let other =
        mirror.control("POST", "merchants", r#"{"mchid":"1900000110","appids":["wx00000000000000bb"]}"#);
    let text = |field: &str| other[field].as_str().unwrap_or_else(|| panic!("{field} is missing"));
    for (file, content) in [
        ("other_key.pem", text("private_key_pem")),
        ("other_api_v3_key.txt", text("api_v3_key")),
        ("api_v3_key.txt", mirror.field("api_v3_key")),
    ] {
        std::fs::write(folder.join(file), content).unwrap();
    }
    let profile = |name: &str, mchid: &str, serial: &str, key: &str, api_v3_key: &str, appid: &str| {
        format!(
            "[profile.{name}]\nbase_url = {:?}\nmchid = {mchid:?}\nserial_no = {serial:?}\n\
             private_key_file = {key:?}\napi_v3_key_file = {api_v3_key:?}\nappid = {appid:?}\n",
            mirror.field("base_url")
        )
    };
    let profiles = [
        profile(
            "a",
            mirror.field("mchid"),
            mirror.field("serial_no"),
            mirror.field("private_key_file"),
            "api_v3_key.txt",
            mirror.field("appid"),
        ),
        profile(
            "b",
            "1900000110",
            text("serial_no"),
            "other_key.pem",
            "other_api_v3_key.txt",
            "wx00000000000000bb",
        ),
    ];
    std::fs::write(folder.join("favor.toml"), profiles.concat()).unwrap();

    let mut command = favor(folder);
    command.args([
        "--profile",
        "a",
        "callback",
        "listen",
        "--also-profile",
        "b",
        "--set-address",
        "--output",
        "json",
    ]);
    let listener = Listener::spawn(command);
    assert_eq!(listener.ready["merchants"], json!([mirror.field("mchid"), "1900000110"]));
    for name in ["a", "b"] {
        ok(run(favor(folder).args(["--profile", name, "callback", "trigger"])));
    }
    let new = listener.verdicts(2, "new");
    assert_eq!(new[0]["mchid"], mirror.field("mchid"));
    assert_eq!(new[1]["mchid"], "1900000110");
    assert_eq!(listener.stop().0.code(), Some(0));

    let listen = |arguments: &[&str]| {
        let mut command = favor(folder);
        command.args(["--profile", "a", "callback", "listen"]).args(arguments);
        command
    };
    let mixed = run(listen(&["--also-profile", "b"]).env("FAVOR_API_V3_KEY", mirror.field("api_v3_key")));
    assert!(mixed.code == Some(2) && mixed.stderr.contains("FAVOR_API_V3_KEY goes before"), "{mixed:?}");
    for (arguments, words) in
        [(["--also-profile", "a"], "is there already"), (["--also-profile", "c"], "no profile \"c\"")]
    {
        let ran = run(&mut listen(&arguments));
        assert!(ran.code == Some(2) && ran.stderr.contains(words), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn stdout_that_is_closed_ends_it_well() {
    let mirror = MirrorProcess::start(&[]);
    let mut command = mirror.favor();
    command.args(["callback", "listen", "--set-address", "--quiet"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let started = std::time::Instant::now();
    while mirror.run(&["callback", "get"]).code != Some(0) {
        assert!(started.elapsed() < crate::target::PATIENCE, "no address was set");
    }
    trigger(&mirror, &[]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(inbox(&mirror, mirror.folder.path()).len(), 1, "it was stored before it was printed");
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_received() {
    let mirror = MirrorProcess::start(&[]);
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let running = Listener::start(&mirror, &[]);
    let listen = |arguments: &[&str]| mirror.run(&[&["callback", "listen"], arguments].concat());
    for (arguments, words) in [
        (vec![], "another process works with"),
        (vec!["--inbox", "./favor-inbox.sqlite"], "stop it first"),
        (vec!["--inbox", "postgres://shop:sesame@db/favor"], "put the password into PGPASSWORD"),
        (vec!["--set-address", "http://shop.example.com/x"], "must be https"),
        (vec!["--path", "coupons"], "a path begins with /"),
        (vec!["--path", "/coupons?a=1"], "a path begins with /"),
        (vec!["--no-inbox", "--forward", "http://127.0.0.1:9/"], "cannot be used with"),
        (vec!["--no-inbox", "--inbox", "x"], "cannot be used with"),
        (vec!["--forward", "shop:9"], "begins with http://"),
        (vec!["--forward", "http://shop:sesame@127.0.0.1:9/"], "name and password have no place"),
        (vec!["--forward-as", "signed"], "--forward <URL>"),
        (vec!["--once", "0"], "0 is not in 1.."),
    ] {
        let ran = listen(&arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.contains("sesame"), "{ran:?}");
    }
    drop(running);
    let ran = listen(&["--listen", &taken]);
    assert!(ran.code == Some(2) && ran.stderr.contains(&format!("cannot listen on {taken}")), "{ran:?}");
    std::fs::write(mirror.folder.path().join("text.txt"), "these are no notifications".repeat(200)).unwrap();
    let ran = listen(&["--inbox", "text.txt"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("text.txt"), "{ran:?}");
    let none = run(mirror.favor().args(["callback", "listen"]).env_remove("FAVOR_API_V3_KEY"));
    assert!(none.code == Some(2) && none.stderr.contains("FAVOR_API_V3_KEY"), "{none:?}");
    let list = mirror.run(&["callback", "list", "--inbox", "none.sqlite"]);
    assert!(list.code == Some(2) && list.stderr.contains("there is no inbox none.sqlite"), "{list:?}");
}

#[cfg(unix)]
#[test]
fn a_target_that_is_down_gets_everything_once_it_is_up() {
    let mirror = MirrorProcess::start(&[]);
    let target = Target::start();
    target.hang_up();
    let listener = Listener::start(&mirror, &["--forward", &target.url()]);
    let told = trigger(&mirror, &["--times", "3"]);
    assert!(told.iter().all(|one| one["state"] == "delivered"), "the platform need not wait: {told:?}");
    let put_back = listener.verdicts(3, "put_back");
    assert!(put_back[0]["reason"].as_str().unwrap().contains("connection broke"), "{put_back:?}");
    target.answer(503);
    listener.wait(1, |line| line["verdict"] == "put_back" && line["status"] == 503);
    target.answer(204);
    let forwarded = listener.verdicts(3, "forwarded");
    assert!(forwarded.iter().all(|one| one["attempt"].as_u64() > Some(1)), "{forwarded:?}");
    assert_eq!(listener.stop().0.code(), Some(0));
    let kept = inbox(&mirror, mirror.folder.path());
    assert!(kept.iter().all(|one| one["state"] == "handled" && one["handled_at"].is_string()), "{kept:?}");
    let bodies: BTreeSet<String> =
        target.requests().iter().map(|one| of_body(one)["id"].to_string()).collect();
    assert_eq!(bodies, told.iter().map(|one| one["notification_id"].to_string()).collect());
}

fn of_body(request: &[u8]) -> Value {
    serde_json::from_slice(&split(request).1).unwrap()
}

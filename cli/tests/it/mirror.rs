//! `favor mirror`.

use std::process::{Command, Stdio};

use crate::run::{MirrorProcess, favor, run};

#[test]
fn the_ready_line_holds_what_a_client_needs() {
    let mirror = MirrorProcess::start(&[]);
    for field in [
        "base_url",
        "mchid",
        "serial_no",
        "private_key_file",
        "certificate_file",
        "api_v3_key",
        "appid",
        "app_secret",
        "public_key_id",
        "public_key_file",
    ] {
        assert!(!mirror.field(field).is_empty(), "{field}");
    }
    assert!(std::fs::read_to_string(mirror.key_file()).unwrap().contains("PRIVATE KEY"));
    assert_eq!(mirror.control("GET", "healthz", "")["ok"], true);
}

#[cfg(unix)]
#[test]
fn sigterm_stops_it_cleanly_and_removes_its_temporary_keys() {
    let mut mirror = MirrorProcess::start(&[]);
    let stopped = Command::new("kill").arg(mirror.child.id().to_string()).status().unwrap();
    assert!(stopped.success());
    assert_eq!(mirror.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_it_keeps_in_a_file_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("mirror.sqlite");
    let data = data.to_str().unwrap();
    let mut mirror = MirrorProcess::start(&["--data", data]);
    let create = [
        "stock",
        "create",
        "--name",
        "Tea",
        "--face-value",
        "5yuan",
        "--threshold",
        "30yuan",
        "--coupons",
        "5",
        "--output",
        "json",
    ];
    let created = mirror.run(&create).json();
    let stock_id = created["stock_id"].as_str().unwrap().to_owned();
    mirror.child.kill().unwrap();
    mirror.child.wait().unwrap();

    let mirror = MirrorProcess::start(&["--data", data]);
    let stock = mirror.run(&["stock", "get", &stock_id, "--output", "json"]).json();
    assert_eq!(stock["stock_name"], "Tea");
}

#[test]
fn its_clock_can_be_chosen() {
    let mirror = MirrorProcess::start(&["--clock", "2031-05-06T07:08:09+08:00", "--frozen"]);
    let clock = mirror.control("GET", "clock", "");
    assert_eq!((&clock["now"], &clock["frozen"]), (&"2031-05-06T07:08:09+08:00".into(), &true.into()));

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("mirror.sqlite");
    let data = data.to_str().unwrap();
    let mirror = MirrorProcess::start(&["--data", data, "--clock", "2031-05-06", "--clock-rate", "60"]);
    let clock = mirror.control("GET", "clock", "");
    assert_eq!((&clock["rate"], &clock["frozen"]), (&60.into(), &false.into()));
    assert!(clock["now"].as_str().unwrap().starts_with("2031-05-06T0"), "{clock}");
    drop(mirror);
    // What is not asked for stays as the file has it; what is goes before it.
    let mirror = MirrorProcess::start(&["--data", data, "--frozen"]);
    let clock = mirror.control("GET", "clock", "");
    assert_eq!((&clock["rate"], &clock["frozen"]), (&60.into(), &true.into()));
    assert!(clock["now"].as_str().unwrap().starts_with("2031-05-0"), "{clock}");
    drop(mirror);
    let mirror = MirrorProcess::start(&["--data", data, "--clock", "2032-01-01T00:00:00+08:00"]);
    assert_eq!(mirror.control("GET", "clock", "")["now"], "2032-01-01T00:00:00+08:00");

    for bad in [["--clock", "tomorrow"], ["--clock-rate", "0"], ["--clock-rate", "1000001"]] {
        assert_eq!(run(favor(folder.path()).arg("mirror").args(bad)).code, Some(2), "{bad:?}");
    }
}

#[test]
fn what_it_cannot_do_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = run(favor(folder.path()).args(["mirror", "--listen", &address]).stdout(Stdio::piped()));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains(&address), "{ran:?}");

    std::fs::write(folder.path().join("not.sqlite"), "this is not a database, it is a text of some length")
        .unwrap();
    let ran = run(favor(folder.path()).args(["mirror", "--data", "not.sqlite"]));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("not.sqlite"), "{ran:?}");

    let ran = run(favor(folder.path()).args(["mirror", "--data", "no/such/folder/m.sqlite"]));
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

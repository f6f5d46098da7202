//! `favor mirror`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
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

/// A person is told where the console is, and what stands there is one.
#[test]
fn the_console_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = favor(folder.path())
        .args(["mirror", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    // The line after it ends the search should it be missing.
    let found = lines.find(|line| line.starts_with("# console: ") || line.starts_with("# what it saw"));
    let line = found.unwrap();
    let address = line.strip_prefix("# console: http://").expect("there is no line for the console");
    let mut stream = TcpStream::connect(address.strip_suffix("/_mirror/").unwrap()).unwrap();
    let request =
        "GET /_mirror/ HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("<!doctype html>"), "{answer}");
}

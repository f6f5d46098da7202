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
        "ca_file",
        "proxy_url",
    ] {
        assert!(!mirror.field(field).is_empty(), "{field}");
    }
    assert!(std::fs::read_to_string(mirror.key_file()).unwrap().contains("PRIVATE KEY"));
    assert_eq!(mirror.control("GET", "healthz", "")["ok"], true);
}

#[test]
fn what_it_prints_can_be_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = favor(folder.path())
        .args(["mirror", "--keys", "keys"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut printed = Vec::new();
    for line in lines {
        printed.push(line);
        if printed.last().unwrap().starts_with("# By TLS") {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        printed.iter().all(|line| line.is_empty() || line.starts_with('#') || line.starts_with("export "))
    );
    let value = |name: &str| -> String {
        let marked = format!("{name}=");
        let mut words =
            printed.iter().filter(|line| line.starts_with("export ")).flat_map(|line| line.split(' '));
        words.find_map(|word| word.strip_prefix(&marked)).unwrap_or_else(|| panic!("no {name}")).to_owned()
    };
    assert_eq!(value("HTTPS_PROXY"), value("FAVOR_BASE_URL"));
    assert!(value("NO_PROXY").contains("127.0.0.1"));
    for name in ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
        let file = value(name).replace("$NODE_EXTRA_CA_CERTS", &value("NODE_EXTRA_CA_CERTS"));
        let authority = std::fs::read_to_string(file).unwrap();
        assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"), "{name}");
    }
    let hosts = printed.iter().find(|line| line.starts_with("# 127.0.0.1 ")).unwrap();
    assert!(hosts.split(' ').any(|host| host == "download-service.wechatpay.cn"), "{hosts}");
}

#[test]
fn the_command_reaches_it_under_the_production_name() {
    let mirror = MirrorProcess::start(&[]);
    let create =
        ["--yes", "stock", "create", "--name", "Tea", "--face-value", "5yuan", "--threshold", "30yuan"];
    let mut command = mirror.favor();
    command
        .env_remove("FAVOR_BASE_URL")
        .env("FAVOR_PROXY", mirror.field("proxy_url"))
        .env("FAVOR_CA_FILE", mirror.field("ca_file"));
    let ran = run(command.args(create).args(["--coupons", "5", "--output", "json"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.json()["stock_id"].is_string());
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
    assert!(ran.stderr.contains("not.sqlite: storage failed: the file holds something else"), "{ran:?}");

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

/// A container's host, say, calls by another name.
#[test]
fn control_calls_are_for_this_machine_unless_opened() {
    let status = |arguments: &[&str]| {
        let mirror = MirrorProcess::start(arguments);
        let address = mirror.field("base_url").strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let request = "GET /_mirror/healthz HTTP/1.1\r\nHost: mirror.internal\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status(&[]), "403");
    assert_eq!(status(&["--open-control"]), "200");
}

#[test]
fn two_do_not_share_a_data_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("mirror.sqlite");
    let data = data.to_str().unwrap();
    let mut first = MirrorProcess::start(&["--data", data]);
    let ran = run(favor(folder.path()).args(["mirror", "--data", data]));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("another mirror works with"), "{ran:?}");
    // The claim ends with the process, also when it is killed.
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    assert_eq!(MirrorProcess::start(&["--data", data]).control("GET", "healthz", "")["ok"], true);
}

//! What `favor certs check` says of a daemon that has a bad day.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::run::{MirrorProcess, Ran, favor, run};
use crate::watch::{Watch, settings};

/// Checks until this exit code and these words; fails when they never come.
fn check_until(folder: &Path, code: i32, words: &str) -> Ran {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let ran = run(favor(folder).args(["certs", "check", "--directory", "keys"]));
        if ran.code == Some(code) && ran.stdout.contains(words) {
            return ran;
        }
        assert!(Instant::now() < deadline, "{words}: {ran:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Asks the daemon for a check, and returns its answer.
fn refresh(address: &str, mchid: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "POST /v1/refresh?mchid={mchid} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn check_tells_of_key_files_that_turn_bad_and_of_a_platform_that_is_away() {
    let mut mirror = MirrorProcess::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certs.toml");
    std::fs::write(&file, format!("reload_every = \"1s\"\n{}", settings(&mirror, "keys"))).unwrap();
    let mut command = favor(folder.path());
    command.args(["certs", "watch", "--config"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut watch = Watch(command.spawn().unwrap());
    let mut lines = BufReader::new(watch.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| Some(line.split_once("keys on http://")?.1.to_owned())).unwrap();
    // Read on, or a full pipe would stop it.
    let _rest = std::thread::spawn(move || lines.count());
    check_until(folder.path(), 0, "in force");

    let key = mirror.folder.path().join("api_v3_key");
    let good = std::fs::read(&key).unwrap();
    std::fs::write(&key, "sesame").unwrap();
    let bad = check_until(folder.path(), 1, "(own_keys)");
    assert!(bad.stdout.contains("32") && !bad.stdout.contains("sesame"), "{bad:?}");
    std::fs::write(&key, good).unwrap();
    check_until(folder.path(), 0, "in force");

    mirror.child.kill().unwrap();
    mirror.child.wait().unwrap();
    let mchid = mirror.ready["mchid"].as_str().unwrap();
    let answer = refresh(&address, mchid);
    assert!(answer.starts_with("HTTP/1.1 20"), "{answer}");
    check_until(folder.path(), 1, "(unreachable)");
}

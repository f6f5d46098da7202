//! `favor certs watch`, as a process beside a mirror's.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use favor_core::{MerchantId, Release};

use crate::run::{MirrorProcess, favor, run};

pub(crate) struct Watch(pub(crate) Child);

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn settings(mirror: &MirrorProcess, directory: &str) -> String {
    let field = |name: &str| mirror.ready[name].as_str().unwrap();
    let key = mirror.folder.path().join("api_v3_key");
    std::fs::write(&key, field("api_v3_key")).unwrap();
    format!(
        "directory = \"{directory}\"\nlisten = \"127.0.0.1:0\"\nbase_url = \"{}\"\n[[merchant]]\nmchid = \"{}\"\n\
         certificate_file = \"{}\"\nprivate_key_file = \"{}\"\napi_v3_key_file = \"{}\"\n",
        field("base_url"),
        field("mchid"),
        field("certificate_file"),
        field("private_key_file"),
        key.display(),
    )
}

/// Waits for a release; fails when none ever comes.
fn wait_for_release(root: &Path, merchant: &MerchantId) -> Release {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        match Release::read(root, merchant) {
            Ok(release) => return release,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn tell(child: &Child, signal: &str) {
    let told = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status().unwrap();
    assert!(told.success());
}

#[test]
fn the_daemon_fills_its_directory_and_ends_when_told() {
    let mirror = MirrorProcess::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("certs.toml");
    std::fs::write(&file, settings(&mirror, "keys")).unwrap();
    let mut command = favor(folder.path());
    command.args(["certs", "watch", "--config"]).arg(&file).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut watch = Watch(command.spawn().unwrap());
    let mut lines = BufReader::new(watch.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| Some(line.split_once("keys on ")?.1.to_owned())).unwrap();
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    // Read on, or a full pipe would stop it.
    let rest = std::thread::spawn(move || lines.collect::<Vec<_>>());

    let merchant = MerchantId::new(mirror.ready["mchid"].as_str().unwrap()).unwrap();
    let root = folder.path().join("keys");
    let release = wait_for_release(&root, &merchant);
    assert_eq!(release.keys().certificates().count(), 1);

    tell(&watch.0, "HUP");
    tell(&watch.0, "TERM");
    assert_eq!(watch.0.wait().unwrap().code(), Some(0));
    let said = rest.join().unwrap().join("\n");
    assert!(said.contains("new keys in force") && said.contains("stopped"), "{said}");
    assert!(!said.contains(mirror.ready["api_v3_key"].as_str().unwrap()));
    let status = run(favor(folder.path()).args(["certs", "status", "--directory"]).arg(&root));
    assert_eq!(status.code, Some(0), "{status:?}");
}

#[test]
fn without_settings_or_with_wrong_ones_it_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let none = run(favor(folder.path()).args(["certs", "watch"]));
    assert_eq!(none.code, Some(2));
    assert!(none.stderr.contains("--config certs.toml"), "{none:?}");
    std::fs::write(folder.path().join("certs.toml"), "directory = 1").unwrap();
    let wrong = run(favor(folder.path()).args(["certs", "watch", "--config", "certs.toml"]));
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("line 1"), "{wrong:?}");
}

#[test]
fn a_directory_that_cannot_be_written_ends_it_with_the_reason() {
    let mirror = MirrorProcess::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    std::fs::write(folder.path().join("certs.toml"), settings(&mirror, "file/keys")).unwrap();
    let ended = run(favor(folder.path()).args(["certs", "watch", "--config", "certs.toml"]));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for words in ["file/keys", "cannot be written", "see that there is room and that this user may write"] {
        assert!(ended.stderr.contains(words), "{words}: {ended:?}");
    }
}

/// A daemon that runs, and where it listens.
fn start(folder: &Path) -> (Watch, String) {
    let mut command = favor(folder);
    command.args(["certs", "watch", "--config", "certs.toml"]).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut watch = Watch(command.spawn().unwrap());
    let mut lines = BufReader::new(watch.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut address = String::new();
    for line in lines.by_ref() {
        if let Some((_, found)) = line.split_once("keys on http://") {
            found.clone_into(&mut address);
        }
        if line.contains("new keys in force") {
            break;
        }
    }
    // Read on, or a full pipe would stop it.
    std::thread::spawn(move || lines.count());
    (watch, address)
}

#[test]
fn refresh_has_a_running_daemon_check_now() {
    let mut mirror = MirrorProcess::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("certs.toml"), settings(&mirror, "keys")).unwrap();
    let (watch, address) = start(folder.path());
    let mchid = mirror.field("mchid").to_owned();
    let rotated = mirror.control("POST", "keys/rotate", "{}");
    let new = rotated["serials"].as_array().unwrap().last().unwrap().as_str().unwrap().to_owned();
    let refresh = |arguments: &[&str]| run(favor(folder.path()).args(["certs", "refresh"]).args(arguments));
    let merchant = ["--merchant", mchid.as_str()];

    let done = refresh(&["--daemon", &address, merchant[0], merchant[1], "--output", "json"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let told = &done.json()["merchants"][0];
    assert_eq!((told["mchid"].as_str(), told["result"].as_str()), (Some(mchid.as_str()), Some("checked")));
    assert!(told["status"]["last_success"].is_string(), "{told}");
    let release =
        Release::read(folder.path().join("keys"), &MerchantId::new(mchid.as_str()).unwrap()).unwrap();
    assert!(release.manifest().keys.iter().any(|key| key.id == new), "in force when it ended");

    let soon = refresh(&["--daemon", &address, merchant[0], merchant[1]]);
    assert_eq!(soon.code, Some(1), "{soon:?}");
    assert!(soon.stdout.contains("not checked: checked on request less than a minute ago"), "{soon:?}");
    let stranger = refresh(&["--daemon", &address, "--merchant", "1900009999"]);
    assert_eq!(stranger.code, Some(1), "{stranger:?}");
    assert!(stranger.stdout.contains("no such merchant in the settings"), "{stranger:?}");
    let other = refresh(&["--daemon", mirror.field("base_url"), merchant[0], merchant[1]]);
    assert_eq!(other.code, Some(2), "{other:?}");
    assert!(other.stderr.contains("what answers is no key daemon (HTTP 401)"), "{other:?}");
    for wrong in [&["--daemon", "ftp://x", merchant[0], merchant[1]][..], &["--daemon", &address]] {
        assert_eq!(refresh(wrong).code, Some(2));
    }
    drop(watch);
    let gone = refresh(&["--daemon", &address, merchant[0], merchant[1]]);
    assert_eq!(gone.code, Some(5), "{gone:?}");
    assert!(
        gone.stderr.contains("no key daemon answers at") && gone.stderr.contains("favor certs watch"),
        "{gone:?}"
    );

    // Over a socket, and with a platform that is away.
    let text = settings(&mirror, "keys").replace("127.0.0.1:0", "unix:socket");
    std::fs::write(folder.path().join("certs.toml"), text).unwrap();
    let mut command = favor(folder.path());
    command.args(["certs", "watch", "--config", "certs.toml"]).stdout(Stdio::null()).stderr(Stdio::null());
    let _watch = Watch(command.spawn().unwrap());
    mirror.child.kill().unwrap();
    mirror.child.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    let failing = loop {
        let asked = refresh(&["--daemon", "unix:socket", merchant[0], merchant[1]]);
        if asked.code != Some(5) {
            break asked;
        }
        assert!(Instant::now() < deadline, "{asked:?}");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(failing.code, Some(1), "{failing:?}");
    assert!(failing.stdout.contains("(unreachable)"), "{failing:?}");
}

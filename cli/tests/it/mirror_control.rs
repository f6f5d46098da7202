//! `favor mirror --seed`, and what is said to a mirror that runs.

use std::process::Command;

use crate::run::{MirrorProcess, Ran, favor, run};

const CREATE: [&str; 12] = [
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

/// A seed whose first stock runs; its id does not depend on the run.
const SEED: &str = r#"
[settings]
id_seed = 7
[[users]]
openid = "oTea"
appid = "wx00000000000000aa"
[[stocks]]
name = "Tea"
coupon_amount_fen = 500
threshold_fen = 3000
coupons = 10
per_user = 2
"#;

fn seeded(extra: &[&str]) -> (tempfile::TempDir, MirrorProcess) {
    let folder = tempfile::tempdir().unwrap();
    let seed = folder.path().join("seed.toml");
    std::fs::write(&seed, SEED).unwrap();
    let mut arguments = vec!["--seed", seed.to_str().unwrap()];
    arguments.extend(extra);
    let mirror = MirrorProcess::start(&arguments);
    (folder, mirror)
}

fn stock_id(mirror: &MirrorProcess) -> String {
    let audit = mirror.run(&["mirror", "audit", "--output", "json"]).json();
    audit["stocks"][0]["stock_id"].as_str().unwrap().to_owned()
}

fn send(mirror: &MirrorProcess, stock: &str) -> String {
    let sent = mirror.run(&["coupon", "send", stock, "oTea", "--output", "json"]);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    sent.json()["coupon_id"].as_str().unwrap().to_owned()
}

fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

#[test]
fn a_seeded_mirror_is_driven_from_the_command_line() {
    let (folder, mirror) = seeded(&[]);
    let stock = stock_id(&mirror);
    let coupon = send(&mirror, &stock);
    let paid =
        ok(mirror.run(&["mirror", "redeem", &coupon, "--amount", "38.50yuan", "--output", "json"])).json();
    assert_eq!((&paid["status"], &paid["redemptions"][0]["total_amount"]), (&"USED".into(), &3_850.into()));
    let again = mirror.run(&["mirror", "redeem", &coupon]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("the mirror says: refused: the coupon is USED"), "{again:?}");
    let back = ok(mirror.run(&["mirror", "refund", &coupon]));
    assert!(back.stdout.contains("SENDED"), "{back:?}");

    let file = folder.path().join("kept.sqlite");
    let file = file.to_str().unwrap();
    let kept = ok(mirror.run(&["mirror", "snapshot", file, "--output", "json"])).json();
    assert_eq!(kept["file"], file);
    assert_eq!(mirror.run(&["mirror", "snapshot", file]).code, Some(1));
    ok(mirror.run(&["mirror", "snapshot", file, "--overwrite"]));
    let audited = ok(run(favor(folder.path()).args(["mirror", "audit", "--data", file])));
    assert!(audited.stdout.contains("everything adds up; 1 stock"), "{audited:?}");

    ok(mirror.run(&["mirror", "advance", "40d"]));
    let late = mirror.run(&["coupon", "send", &stock, "oTea", "--slot", "1"]);
    assert_eq!(late.code, Some(1), "{late:?}");
    ok(mirror.run(&["mirror", "restore", file]));
    ok(mirror.run(&["coupon", "send", &stock, "oTea", "--slot", "1"]));
    ok(mirror.run(&["mirror", "reset"]));
    // The seed is back, with the same ids.
    assert_eq!(stock_id(&mirror), stock);
    assert_eq!(send(&mirror, &stock), coupon);
    let (_other_folder, other) = seeded(&[]);
    assert_eq!(stock_id(&other), stock);
    let (_third_folder, third) = seeded(&["--id-seed", "8"]);
    assert_ne!(stock_id(&third), stock);
}

#[test]
fn a_broken_ledger_makes_the_audit_fail() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.sqlite");
    let mut mirror = MirrorProcess::start(&["--data", data.to_str().unwrap()]);
    ok(mirror.run(&CREATE));
    assert_eq!(ok(mirror.run(&["mirror", "audit", "--output", "json"])).json()["ok"], true);
    // Killed, so that the newest state is in the write-ahead log only.
    mirror.child.kill().unwrap();
    mirror.child.wait().unwrap();
    let audit = |arguments: &[&str]| {
        let file = data.to_str().unwrap();
        run(favor(folder.path()).args(["mirror", "audit", "--data", file]).args(arguments))
    };
    ok(audit(&[]));
    damage(&data);
    let found = audit(&["--output", "json"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    assert_eq!(found.json()["findings"][0]["check"], "stock.distributed");
    let found = audit(&[]);
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(found.stdout.contains("says 3 coupons were given, there are 0"), "{found:?}");
    // A mirror that runs on it says the same.
    let mirror = MirrorProcess::start(&["--data", data.to_str().unwrap()]);
    assert_eq!(mirror.run(&["mirror", "audit"]).code, Some(1));
}

fn damage(file: &std::path::Path) {
    let db = rusqlite::Connection::open(file).unwrap();
    db.execute_batch("UPDATE stocks SET distributed = 3").unwrap();
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = |arguments: &[&str]| run(favor(folder.path()).arg("mirror").args(arguments));
    let nobody = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", free.local_addr().unwrap())
    };
    let gone = at(&["reset", "--url", &nobody]);
    assert_eq!(gone.code, Some(5), "{gone:?}");
    assert!(gone.stderr.contains(&format!("no mirror answers at {nobody}")), "{gone:?}");
    assert!(gone.stderr.contains("favor mirror starts one"), "{gone:?}");
    for (arguments, words) in [
        (vec!["reset"], "give its address with --url, or set FAVOR_BASE_URL"),
        (vec!["reset", "--url", "mirror"], "it begins with http://"),
        (vec!["advance", "soon", "--url", &nobody], "write 90s, 5m, 12h or 30d"),
        (vec!["audit", "--data", "none.sqlite"], "there is no such file"),
        (vec!["audit", "--data", "x", "--url", &nobody], "cannot be used with"),
        (vec!["--data", "x", "audit"], "cannot be used with"),
        (vec!["--seed", "none.toml"], "none.toml: cannot be read"),
    ] {
        let ran = at(&arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments:?}: {ran:?}");
    }
    std::fs::write(folder.path().join("bad.toml"), "\n[[merchants]]\nmchid = \"1\"\nbalance_fen = -1\n")
        .unwrap();
    let ran = at(&["--seed", "bad.toml"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("bad.toml:4:15: the balance is negative"), "{ran:?}");
}

/// What answers there is another server.
#[test]
fn a_stranger_is_not_taken_for_a_mirror() {
    use std::io::{Read as _, Write as _};
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stranger = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut request = [0; 4_096];
        let _ = socket.read(&mut request).unwrap();
        socket
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
            .unwrap();
    });
    let ran = run(favor(folder.path()).args(["mirror", "audit", "--url", &url]));
    stranger.join().unwrap();
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains(&format!("what answers at {url} is no mirror (HTTP 404)")), "{ran:?}");
}

#[test]
fn the_printed_seed_can_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let printed = ok(run(favor(folder.path()).args(["mirror", "--print-seed"])));
    let seed = folder.path().join("seed.toml");
    std::fs::write(&seed, &printed.stdout).unwrap();
    let mirror = MirrorProcess::start(&["--seed", seed.to_str().unwrap()]);
    let audit = ok(mirror.run(&["mirror", "audit", "--output", "json"])).json();
    assert_eq!(audit["stocks"].as_array().unwrap().len(), 6);
}

#[cfg(unix)]
#[test]
fn a_data_file_of_another_version_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.sqlite");
    let mut mirror = MirrorProcess::start(&["--data", data.to_str().unwrap()]);
    assert!(Command::new("kill").arg(mirror.child.id().to_string()).status().unwrap().success());
    mirror.child.wait().unwrap();
    rusqlite::Connection::open(&data).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    for arguments in
        [vec!["mirror", "--data", "data.sqlite"], vec!["mirror", "audit", "--data", "data.sqlite"]]
    {
        let ran = run(favor(folder.path()).args(&arguments));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("data.sqlite") && ran.stderr.contains("schema version 99"), "{ran:?}");
    }
}

/// A restore that was answered is on disk, whatever happens to the process the moment after.
#[test]
fn a_restored_state_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, kept) = (at("data.sqlite"), at("kept.sqlite"));
    let mut mirror = MirrorProcess::start(&["--data", &data]);
    ok(mirror.run(&CREATE));
    ok(mirror.run(&["mirror", "snapshot", &kept]));
    ok(mirror.run(&["mirror", "reset"]));
    ok(mirror.run(&["mirror", "restore", &kept]));
    mirror.child.kill().unwrap();
    mirror.child.wait().unwrap();
    let mirror = MirrorProcess::start(&["--data", &data]);
    let audit = ok(mirror.run(&["mirror", "audit", "--output", "json"])).json();
    assert_eq!(audit["stocks"].as_array().unwrap().len(), 1);
}

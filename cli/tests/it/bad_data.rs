//! Files that `favor mirror` cannot use: it says so and stops, or, once it runs, goes on without them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::{MirrorProcess, Ran, favor, run};
use crate::stock_and_coupon::running_stock;

/// The same command, ended with code 124 should it run where it has to refuse.
fn limited(command: &Command) -> Command {
    let mut limited = Command::new("timeout");
    limited.arg("120").arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    limited
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let ran = run(limited(&favor(folder)).arg("mirror").args(arguments));
    assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
    assert_eq!(ran.stdout, "", "{arguments:?}");
    ran.stderr
}

#[test]
fn a_data_file_of_another_version_or_of_somebody_else_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("m.sqlite");
    let mirror = MirrorProcess::start(&["--data", data.to_str().unwrap()]);
    drop(mirror);
    let db = rusqlite::Connection::open(&data).unwrap();
    db.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(db);
    let words = refused(folder.path(), &["--data", "m.sqlite"]);
    assert!(words.contains("m.sqlite") && words.contains("version 99"), "{words}");

    let theirs = folder.path().join("theirs.sqlite");
    let db = rusqlite::Connection::open(&theirs).unwrap();
    db.execute_batch("CREATE TABLE orders (id INTEGER); INSERT INTO orders VALUES (7)").unwrap();
    let words = refused(folder.path(), &["--data", "theirs.sqlite"]);
    assert!(words.contains("something else"), "{words}");
    let orders: i64 = db.query_row("SELECT sum(id) FROM orders", [], |row| row.get(0)).unwrap();
    assert_eq!(orders, 7);
}

#[test]
fn a_folder_as_data_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let words = refused(folder.path(), &["--data", "data"]);
    assert!(words.contains("data"), "{words}");
    assert_eq!(std::fs::read_dir(folder.path().join("data")).unwrap().count(), 0);
}

/// A command as a user who may not do everything: as it is, or, for root, as nobody.
fn unprivileged(folder: &Path) -> Command {
    let plain = favor(folder);
    let is_root = run(Command::new("id").arg("-u")).stdout.trim() == "0";
    if !is_root {
        return plain;
    }
    // A copy in a place that nobody can reach.
    let program = folder.join("favor");
    std::fs::copy(plain.get_program(), &program).unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command.current_dir(folder);
    command
}

#[test]
fn a_data_file_without_permission_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("m.sqlite");
    drop(MirrorProcess::start(&["--data", data.to_str().unwrap()]));
    for mode in [0o000, 0o444] {
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(mode)).unwrap();
        let ran: Ran = run(limited(&unprivileged(folder.path())).args(["mirror", "--data", "m.sqlite"]));
        assert_eq!(ran.code, Some(2), "{mode:o}: {ran:?}");
        assert!(ran.stderr.contains("m.sqlite"), "{mode:o}: {ran:?}");
    }
}

#[test]
fn a_fault_file_is_in_force_or_its_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faults.toml");
    let words = refused(folder.path(), &["--faults", "faults.toml"]);
    assert!(words.contains("faults.toml"), "{words}");
    std::fs::write(&file, "[[fault]]\nkind = \"cut\"\nplaec = \"after_commit\"\n").unwrap();
    let words = refused(folder.path(), &["--faults", "faults.toml"]);
    assert!(words.contains("faults.toml, line 3") && words.contains("plaec"), "{words}");

    let good = "[[fault]]\nkind = \"cut\"\noperation = \"stock.get\"\ncount = 0\n";
    std::fs::write(&file, good).unwrap();
    let mirror = MirrorProcess::start(&["--faults", file.to_str().unwrap()]);
    let ran = mirror.run(&["stock", "get", "15300001"]);
    assert_eq!(ran.code, Some(4), "outcome unknown: {ran:?}");
    assert!(mirror.control("GET", "faults", "")["faults"][0]["struck"].as_u64().unwrap() > 0);
}

/// The largest size of a file that the process may write from now on, in bytes.
fn limit(mirror: &MirrorProcess, bytes: &str) {
    let set = Command::new("prlimit")
        .args(["--pid", &mirror.child.id().to_string(), &format!("--fsize={bytes}:unlimited")])
        .status()
        .expect("prlimit, of util-linux");
    assert!(set.success());
}

#[test]
fn a_full_disk_is_a_system_error_and_the_mirror_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("m.sqlite");
    // A write beyond the limit is an error then, and not the end of the process.
    let mirror = MirrorProcess::start_ignoring("XFSZ", &["--data", data.to_str().unwrap()]);
    let stock_id = running_stock(&mirror);
    let send = |number: &str| {
        let arguments = ["coupon", "send", &stock_id, &format!("o-{number}"), "--out-request-no", number];
        mirror.run(&arguments)
    };
    assert_eq!(send("n1").code, Some(0));

    let mut log = data.clone().into_os_string();
    log.push("-wal");
    limit(&mirror, &std::fs::metadata(&log).unwrap().len().to_string());
    let ran = send("n2");
    assert_eq!(ran.code, Some(4), "outcome unknown: {ran:?}");
    assert!(ran.stderr.contains("SYSTEM_ERROR"), "{ran:?}");
    // Reading goes on, and nothing is half done.
    assert_eq!(mirror.run(&["stock", "get", &stock_id]).code, Some(0));
    let audit = mirror.control("GET", "audit", "");
    assert_eq!(
        (audit["ok"].as_bool(), audit["stocks"][0]["coupons"].as_i64()),
        (Some(true), Some(1)),
        "{audit}"
    );

    limit(&mirror, "unlimited");
    assert_eq!(send("n2").code, Some(0));
    assert_eq!(send("n2").code, Some(0));
    let audit = mirror.control("GET", "audit", "");
    assert_eq!(
        (audit["ok"].as_bool(), audit["stocks"][0]["coupons"].as_i64()),
        (Some(true), Some(2)),
        "{audit}"
    );
}

//! `favor mirror --data` killed in the middle of a restore or a snapshot: what the file holds afterwards is the state
//! before it or the one after it, whole.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::random::Random;
use crate::run::MirrorProcess;

/// Kills wanted before the mirror has answered, and how often that is tried.
const INTERRUPTED: usize = 6;
const ROUNDS: usize = 40;
/// Pages of the log that are spilled before the restore is over.
const ROWS: u64 = 20_000;

const SEED: &str = r#"
[[stocks]]
name = "Tea"
coupon_amount_fen = 500
threshold_fen = 3000
coupons = 100000
"#;

/// Everything that a data file holds. Opening it brings the log into the file and removes it.
fn content(data: &Path) -> u64 {
    let db = Connection::open(data).unwrap();
    let state: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).unwrap();
    assert_eq!(state, "ok");
    let mut tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut hasher = DefaultHasher::new();
    for table in tables {
        table.hash(&mut hasher);
        let mut rows = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Null => 0.hash(&mut hasher),
                    ValueRef::Integer(number) => number.hash(&mut hasher),
                    ValueRef::Real(number) => number.to_bits().hash(&mut hasher),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.hash(&mut hasher),
                }
            }
        }
    }
    hasher.finish()
}

fn end(mut mirror: MirrorProcess) {
    mirror.child.kill().unwrap();
    mirror.child.wait().unwrap();
}

fn start(data: &Path) -> MirrorProcess {
    MirrorProcess::start(&["--data", data.to_str().unwrap()])
}

fn file_of(body: &Path) -> String {
    serde_json::json!({ "file": body }).to_string()
}

/// A data file and two snapshots, each with what the data file holds once it is restored.
fn prepared(folder: &Path) -> (PathBuf, [(PathBuf, u64); 2]) {
    let (data, seed) = (folder.join("mirror.sqlite"), folder.join("seed.toml"));
    std::fs::write(&seed, SEED).unwrap();
    let mirror = MirrorProcess::start(&["--data", data.to_str().unwrap(), "--seed", seed.to_str().unwrap()]);
    let stocks = mirror.control("GET", "stocks", "");
    let fill = format!("stocks/{}/fill", stocks["stocks"][0]["stock_id"].as_str().unwrap());
    let snapshots = ["one", "two"].map(|name| {
        mirror.control("POST", &fill, &format!("{{\"rows\":{ROWS}}}"));
        let file = folder.join(name);
        mirror.control("POST", "snapshot", &file_of(&file));
        file
    });
    end(mirror);
    let restored = snapshots.map(|file| {
        let mirror = start(&data);
        mirror.control("POST", "restore", &file_of(&file));
        end(mirror);
        let content = content(&data);
        (file, content)
    });
    assert_ne!(restored[0].1, restored[1].1);
    (data, restored)
}

/// Makes a control call; true once the mirror has said that it is done.
fn ask(address: &str, call: &str, body: &str) -> bool {
    let mut socket = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /_mirror/{call} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all((head + body).as_bytes()).unwrap();
    let mut answer = Vec::new();
    // It is cut off when the mirror is killed.
    let _ = socket.read_to_end(&mut answer);
    answer.starts_with(b"HTTP/1.1 200")
}

/// Makes a control call and kills the mirror once this much of it is written; true if it had answered.
fn interrupted(
    data: &Path,
    call: &'static str,
    body: String,
    written: impl Fn() -> u64,
    enough: u64,
) -> bool {
    let mut mirror = start(data);
    let address = mirror.field("base_url").trim_start_matches("http://").to_owned();
    let over = Arc::new(AtomicBool::new(false));
    let asking = {
        let over = Arc::clone(&over);
        thread::spawn(move || {
            let answered = ask(&address, call, &body);
            over.store(true, Ordering::SeqCst);
            answered
        })
    };
    while !over.load(Ordering::SeqCst) && written() < enough {
        thread::yield_now();
    }
    mirror.child.kill().unwrap();
    mirror.child.wait().unwrap();
    asking.join().unwrap()
}

fn length(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

#[test]
fn a_kill_in_the_middle_of_a_restore_leaves_one_state_whole() {
    let mut random = Random(crate::kill::seed());
    let folder = tempfile::tempdir().unwrap();
    let (data, states) = prepared(folder.path());
    let mut held = states[1].1;
    let (mut cut, mut undone, mut rounds) = (0, 0, 0);
    while cut < INTERRUPTED && rounds < ROUNDS {
        rounds += 1;
        let (file, wanted) = states.iter().find(|(_, content)| *content != held).unwrap();
        let log = {
            let mut name = data.clone().into_os_string();
            name.push("-wal");
            PathBuf::from(name)
        };
        let enough = 1 + random.below(length(file));
        let answered = interrupted(&data, "restore", file_of(file), || length(&log), enough);
        let found = content(&data);
        if answered {
            assert_eq!(found, *wanted, "a restore that was answered is there");
        } else {
            assert!([held, *wanted].contains(&found), "neither the old state nor the new one");
            cut += 1;
            undone += usize::from(found == held);
        }
        held = found;
        let mirror = start(&data);
        assert_eq!(mirror.control("GET", "audit", "")["ok"], true);
        end(mirror);
    }
    println!("{rounds} kills, {cut} before the answer, {undone} of them with the old state kept");
    assert!(undone > 0, "no kill came in the middle");
}

/// A snapshot is written under another name first.
#[test]
fn a_kill_while_a_snapshot_is_written_leaves_the_earlier_one() {
    let mut random = Random(crate::kill::seed());
    let folder = tempfile::tempdir().unwrap();
    let (data, [(earlier, _), (later, _)]) = prepared(folder.path());
    let (before, after) = (content(&earlier), content(&later));
    let own = folder.path().join("snapshots");
    std::fs::create_dir(&own).unwrap();
    let target = own.join("snapshot.sqlite");
    let under_way = || -> u64 {
        let files = std::fs::read_dir(&own).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|file| *file != target).map(|file| length(&file)).sum()
    };
    let (mut cut, mut undone, mut rounds) = (0, 0, 0);
    while cut < INTERRUPTED && rounds < ROUNDS {
        rounds += 1;
        for entry in std::fs::read_dir(&own).unwrap() {
            std::fs::remove_file(entry.unwrap().path()).unwrap();
        }
        std::fs::copy(&earlier, &target).unwrap();
        let body = serde_json::json!({ "file": target, "overwrite": true }).to_string();
        let enough = 1 + random.below(length(&later));
        let answered = interrupted(&data, "snapshot", body, under_way, enough);
        let found = content(&target);
        if answered {
            assert_eq!(found, after, "a snapshot that was answered is there");
        } else {
            assert!([before, after].contains(&found), "neither the earlier snapshot nor the new one");
            cut += 1;
            undone += usize::from(found == before);
        }
    }
    println!("{rounds} kills, {cut} before the answer, {undone} of them with the earlier snapshot kept");
    assert!(undone > 0, "no kill came in the middle");
}

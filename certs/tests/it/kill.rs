//! A process that is killed at any step of a release leaves a directory that reads as a whole, valid set.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use favor_certs::{KeyDirectory, Modes, NewKeys};
use favor_core::key_directory::Trust;
use favor_core::{Lookup, Release, Serial};

use crate::keys::{MCHID, certificate, day, merchant, public_key};

const KILLS: u32 = 200;
const JOB: &str = "FAVOR_CERTS_TEST_JOB";

/// Not a test by itself: the process that is killed. Its job is the directory, the step to stop at, and the round.
#[test]
#[ignore = "started by the test below"]
fn a_process_that_publishes() {
    let job = std::env::var_os(JOB).expect("started by the test below").into_string().unwrap();
    let mut parts = job.split('|');
    let mut part = || parts.next().unwrap();
    let (root, stop, round) = (part(), part().parse::<u32>().unwrap(), part().parse::<u32>().unwrap());
    let steps = AtomicU32::new(0);
    let directory = KeyDirectory::open(root, Modes::default()).unwrap().with_step_hook(move |name| {
        if steps.fetch_add(1, Ordering::Relaxed) == stop {
            // Waits to be killed: the other side sends nothing.
            println!("\nat {name}");
            std::io::stdout().flush().unwrap();
            let _ = std::io::stdin().read_line(&mut String::new());
        }
    });
    let (id, pem) = public_key(round);
    let new = NewKeys::new().certificate(certificate("0A01", -1, 100), Trust::Download).public_key(id, pem);
    directory.publish(&merchant(), new, day(0)).unwrap();
    println!("\nat end");
}

/// Starts a process that publishes, kills it at a step, and tells which; "end" when it came to its end.
fn publish_and_kill(root: &str, stop: u32, round: u32) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "kill::a_process_that_publishes"])
        .env(JOB, format!("{root}|{stop}|{round}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let at = lines.map(Result::unwrap).find_map(|line| line.strip_prefix("at ").map(str::to_owned));
    let at = at.expect("the process ended before its step");
    child.kill().unwrap();
    child.wait().unwrap();
    at
}

#[test]
fn killed_200_times_at_every_step_the_directory_always_reads_whole() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().to_str().unwrap();
    let (mut steps, mut stop, mut last) = (Vec::new(), 0, 0);
    // The first release, without which there is nothing to read.
    assert_eq!(publish_and_kill(path, u32::MAX, 0), "end");
    for round in 1..=KILLS {
        let at = publish_and_kill(path, stop, round);
        let release =
            Release::read(root.path(), &merchant()).unwrap_or_else(|error| panic!("at {at}: {error}"));
        let generation = release.manifest().generation;
        assert!(generation >= last, "at {at}: {generation} after {last}");
        last = generation;
        let known = release.keys().find(&Serial::new("0A01"), day(0));
        assert!(matches!(known, Lookup::Found(_)), "at {at}");
        assert!(release.keys().public_key_id().is_some(), "at {at}");
        stop = if at == "end" { 0 } else { stop + 1 };
        if !steps.contains(&at) {
            steps.push(at);
        }
    }
    let all = [
        "clean",
        "folder",
        "key",
        "bundle",
        "manifest",
        "sync folder",
        "name",
        "sync releases",
        "link",
        "swap",
        "sync home",
        "prune",
        "end",
    ];
    assert_eq!(steps, all, "every step was hit");

    // One that is not killed clears everything away.
    assert_eq!(publish_and_kill(path, u32::MAX, KILLS + 1), "end");
    let home = root.path().join(MCHID);
    let names = |folder: &std::path::Path| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&home), [".rel", "current"]);
    assert_eq!(names(&home.join(".rel")).len(), 5);
}

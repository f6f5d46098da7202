//! A process that is killed while it stores, and one whose disk is full. The process is this test program itself,
//! started with one test to run.

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::sync::Arc;
use std::time::Duration;

use favor_callback::{Inbox, SqliteInbox, Stored};
use favor_store::testing::{file_of_child, run_again};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::records::numbered;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
#[ignore = "run by `a_process_that_is_killed_loses_nothing`"]
fn stores_until_it_is_killed() {
    runtime().block_on(async {
        let inbox = Arc::new(SqliteInbox::open(file_of_child()).await.unwrap());
        let known = usize::try_from(inbox.counts().await.unwrap().waiting).unwrap();
        let tasks = (0..8).map(|task| {
            let inbox = Arc::clone(&inbox);
            tokio::spawn(async move {
                for number in 0.. {
                    let id = known * 100 + number * 8 + task;
                    inbox.store(numbered(id)).await.unwrap();
                    println!("\nanswered {id} done");
                }
            })
        });
        futures_util::future::join_all(tasks).await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inbox.sqlite");
    let mut answered = HashSet::new();
    for round in 1..=5 {
        let mut child = run_again("inbox::killed::stores_until_it_is_killed", &file);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut count = 0;
        // What it said before its end is read to the end.
        for line in lines.map_while(Result::ok) {
            let Some(said) = line.strip_prefix("answered ") else { continue };
            // A line can be cut by the end of the process.
            let Some(id) = said.strip_suffix(" done") else { continue };
            answered.insert(format!("EV-{id}"));
            count += 1;
            if count == 50 * round {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(count >= 50 * round, "it ended by itself after {count}");

        let inbox = SqliteInbox::open(&file).await.unwrap();
        let listed = inbox.list(None, 1_000_000).await.unwrap();
        let mut there = HashSet::new();
        for entry in listed {
            assert!(there.insert(entry.record.id.as_str().to_owned()), "nothing is there twice");
        }
        for id in &answered {
            assert!(there.contains(id), "{id} was answered and is gone");
        }
        inbox.close().await;
    }
}

#[test]
#[ignore = "run by `a_full_disk_is_temporary`"]
fn meets_a_full_disk() {
    runtime().block_on(async {
        let inbox = SqliteInbox::open(file_of_child()).await.unwrap();
        let limit = |bytes| setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
        inbox.store(numbered(0)).await.unwrap();
        limit(Some(600_000));
        let mut stored = 1;
        let error = loop {
            match inbox.store(numbered(stored)).await {
                Ok(_) => stored += 1,
                Err(error) => break error,
            }
            assert!(stored < 10_000, "no write was refused");
        };
        assert!(error.is_temporary(), "{error:?}");
        assert!(inbox.store(numbered(stored)).await.unwrap_err().is_temporary(), "and again");
        // What is there can be read meanwhile.
        assert_eq!(inbox.list(None, 100_000).await.unwrap().len(), stored);
        limit(None);
        assert!(!inbox.store(numbered(stored)).await.unwrap().is_duplicate());
        let claimed = inbox.claim(10, Duration::from_secs(60)).await.unwrap().deliveries;
        inbox.acknowledge(&claimed[0].receipt).await.unwrap();
        inbox.close().await;
        println!("\nstored {}", stored + 1);
    });
}

#[tokio::test]
async fn a_full_disk_is_temporary() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inbox.sqlite");
    let child = run_again("inbox::killed::meets_a_full_disk", &file);
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let stored: usize = said.lines().find_map(|line| line.strip_prefix("stored ")).unwrap().parse().unwrap();
    let inbox = SqliteInbox::open(&file).await.unwrap();
    assert_eq!(inbox.list(None, 100_000).await.unwrap().len(), stored);
    assert_eq!(inbox.counts().await.unwrap().handled, 1);
    assert!(matches!(inbox.store(numbered(0)).await.unwrap(), Stored::SameId(_)));
}

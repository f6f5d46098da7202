//! A server that dies, tables that are made, and a database that cannot be used.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use favor_campaign::{Books, Claimed, Ledger, LedgerError, PostgresAddress, PostgresLedger, Recorded};
use favor_store::testing::TestCluster;
use futures_util::future::{join_all, try_join_all};

use super::place::{
    PATIENCE, admin, all_sent, claim, connect, database, named, number, running, sent, worker,
};

/// An error and what caused it, as one text.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_loses_nothing_and_work_goes_on() {
    const PEOPLE: u64 = 40_000;
    const WORKERS: u32 = 8;
    let mut cluster = tokio::task::spawn_blocking(TestCluster::start).await.unwrap();
    let address = cluster.database("ledger");
    let ledger = connect(&address).await;
    let campaign = running(&ledger, "dies", PEOPLE, 100).await;
    let (answered, failed) = (Arc::new(Mutex::new(HashSet::new())), Arc::new(AtomicU64::new(0)));
    let stop = Arc::new(AtomicBool::new(false));
    let workers = (0..WORKERS).map(|number| {
        let (ledger, answered) = (Arc::clone(&ledger), Arc::clone(&answered));
        let (failed, stop) = (Arc::clone(&failed), Arc::clone(&stop));
        tokio::spawn(async move {
            let insist = async |error: LedgerError| {
                assert!(error.is_temporary(), "{error:?}");
                failed.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
            };
            while !stop.load(Ordering::Relaxed) {
                let held = match ledger.claim(campaign, &worker(number), PATIENCE).await {
                    Ok(Claimed::Chunk(held)) => held,
                    Ok(_) => return,
                    Err(error) => {
                        insist(error).await;
                        continue;
                    }
                };
                for task in held.tasks.chunks(5) {
                    let settled = all_sent(task);
                    loop {
                        match ledger.record(&held.lease, &settled, PATIENCE).await {
                            Ok(Recorded::Done) => break,
                            Ok(Recorded::Lost) => panic!("nobody else may have the chunk"),
                            Err(error) => insist(error).await,
                        }
                    }
                    answered.lock().unwrap().extend(task.iter().map(|task| task.place));
                    // However fast the disk is, the list lasts.
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        })
    });
    let workers: Vec<_> = workers.collect();
    let count = || answered.lock().unwrap().len();
    let wait_for = async |wanted: &dyn Fn() -> bool| {
        tokio::time::timeout(PATIENCE, async {
            while !wanted() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    };
    for _ in 0..3 {
        let goal = count() + 500;
        wait_for(&|| count() >= goal).await;
        let stopped = tokio::task::spawn_blocking(move || {
            cluster.stop_immediate();
            cluster
        });
        cluster = stopped.await.unwrap();
        // Gone for as long as it takes that all have noticed.
        let goal = failed.load(Ordering::Relaxed) + u64::from(WORKERS) * 2;
        wait_for(&|| failed.load(Ordering::Relaxed) >= goal).await;
        let started = tokio::task::spawn_blocking(move || {
            cluster.start_again();
            cluster
        });
        cluster = started.await.unwrap();
    }
    let goal = count() + 500;
    wait_for(&|| count() >= goal).await;
    stop.store(true, Ordering::Relaxed);
    try_join_all(workers).await.unwrap();
    let admin = admin(&address).await;
    let rows = admin.query("SELECT place FROM favor_outcomes WHERE state = 'sent'", &[]).await.unwrap();
    let there: HashSet<u64> = rows.iter().map(|row| row.get::<_, i64>(0).try_into().unwrap()).collect();
    assert!(answered.lock().unwrap().is_subset(&there), "something was answered and is gone");
    assert_eq!(named(&ledger, "dies").await.standing.tallies[0].count, there.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_make_the_tables_once() {
    let address = database().await;
    let ledgers = join_all((0..8).map(|_| connect(&address))).await;
    let campaign = running(&ledgers[3], "first", 3, 2).await;
    for ledger in &ledgers {
        assert_eq!(named(ledger, "first").await.id, campaign);
    }
    let admin = admin(&address).await;
    assert_eq!(number(&admin, "SELECT count(*) FROM favor_schema").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_begin_one_campaign() {
    let address = database().await;
    let ledgers = join_all((0..4).map(|_| connect(&address))).await;
    let manifest = super::place::manifest("one");
    let begun = try_join_all(ledgers.iter().map(|ledger| ledger.begin(&manifest))).await.unwrap();
    assert!(begun.iter().all(|one| *one == begun[0]), "{begun:?}");
    assert_eq!(ledgers[0].history(begun[0].0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_used_is_told() {
    let text = database().await;
    let ledger = connect(&text).await;
    let address = |text: &str| PostgresAddress::new(text).unwrap();
    let absent = text.replace("dbname=ledger", "dbname=absent");
    let error = PostgresLedger::connect(&address(&absent)).await.unwrap_err();
    assert!(!error.is_temporary() && chain(&error).contains("does not exist"), "{}", chain(&error));
    let nowhere = "host=/nonexistent user=favor password=s3cret dbname=x";
    let error = PostgresLedger::connect(&address(nowhere)).await.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
    assert!(!format!("{error:?} {}", chain(&error)).contains("s3cret"));
    let admin = admin(&text).await;
    admin.execute("UPDATE favor_schema SET version = 9", &[]).await.unwrap();
    let error = PostgresLedger::connect(&address(&text)).await.unwrap_err();
    assert!(
        error.to_string().contains("a ledger of campaigns of a newer favor (its version is 9"),
        "{error}"
    );
    assert!(matches!(error, LedgerError::Unusable(_)));
    assert!(!format!("{ledger:?}").contains("user"), "{ledger:?}");
    ledger.close();
    assert!(ledger.campaigns().await.unwrap_err().to_string().contains("closed"));
}

#[tokio::test]
async fn texts_that_the_database_cannot_keep_harm_nothing() {
    let address = database().await;
    let ledger = connect(&address).await;
    let campaign = running(&ledger, "texts", 2, 2).await;
    let held = claim(&*ledger, campaign, 1, PATIENCE).await;
    let mut odd = sent(0, 0);
    odd.request_id = Some("a\0b".to_owned());
    let mut refused = sent(1, 0);
    refused.fate = favor_campaign::Fate::Refused;
    refused.code = Some("NO\0".to_owned());
    refused.message = Some("\0\t\\\n".to_owned());
    ledger.record(&held.lease, &[odd, refused], PATIENCE).await.unwrap();
    let rows = ledger.rows(campaign, None, 2).await.unwrap();
    assert_eq!(rows[0].outcomes[0].request_id.as_deref(), Some("a\u{FFFD}b"));
    assert_eq!(rows[1].outcomes[0].message.as_deref(), Some("\u{FFFD}\t\\\n"));
}

#[tokio::test]
async fn openids_of_all_characters_come_back() {
    let address = database().await;
    let ledger = connect(&address).await;
    let (campaign, _) = ledger.begin(&super::place::manifest("odd")).await.unwrap();
    let mut openids: Vec<String> =
        (0x21..=0x7e_u8).map(|byte| format!("{0}o{0}", char::from(byte))).collect();
    openids.sort_unstable();
    let people: Vec<_> = (0_u64..)
        .zip(&openids)
        .map(|(place, openid)| favor_campaign::Recipient { place, line: 1, openid: openid.parse().unwrap() })
        .collect();
    ledger.add_people(campaign, &people).await.unwrap();
    for person in &people {
        let row = ledger.find(campaign, &person.openid).await.unwrap().unwrap();
        assert_eq!((row.place, row.openid.as_ref()), (person.place, Some(&person.openid)));
    }
}

//! A process that is killed while it records, and one whose disk is full. The process is this test program itself,
//! started with one test to run.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::sync::Arc;

use favor_campaign::{
    Books, CampaignId, Claimed, Finish, Ledger, Order, OutcomeState, SqliteLedger, WorkerId,
};
use favor_store::sqlite::rusqlite::Connection;
use favor_store::testing::{file_of_child, run_again};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::contract::{LEASE, all_sent, named, people, refused, running, sent, tallies, worker};

/// Coupons that are recorded together.
const TOGETHER: u64 = 25;
const PEOPLE: u64 = 400_000;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn work(ledger: &SqliteLedger, campaign: CampaignId, worker: WorkerId) {
    while let Claimed::Chunk(claim) = ledger.claim(campaign, &worker, LEASE).await.unwrap() {
        let open = all_sent(&claim);
        for some in open.chunk_by(|one, other| one.place / TOGETHER == other.place / TOGETHER) {
            let first = some[0].place;
            ledger.record(&claim.lease, some, LEASE).await.unwrap();
            // Past the capture of test output.
            let mut told = std::io::stdout();
            writeln!(told, "\nrecorded {} done", first / TOGETHER).unwrap();
        }
        ledger.finish(&claim.lease, Finish::Done).await.unwrap();
    }
}

#[test]
#[ignore = "run by `a_process_that_is_killed_leaves_nothing_half`"]
fn records_until_it_is_killed() {
    runtime().block_on(async {
        let ledger = Arc::new(SqliteLedger::open(file_of_child()).await.unwrap());
        let campaign = named(&*ledger, "killed").await.id;
        let tasks = (0..4).map(|number| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { work(&ledger, campaign, worker(number)).await })
        });
        futures_util::future::join_all(tasks).await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_leaves_nothing_half() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("campaigns.sqlite");
    let ledger = SqliteLedger::open(&file).await.unwrap();
    let campaign = running(&ledger, "killed", PEOPLE, 1_000, 1).await;
    ledger.close().await;
    let mut recorded = BTreeMap::new();
    for round in 1..=6 {
        let mut child = run_again("ledger::killed::records_until_it_is_killed", &file);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut count = 0;
        // What it said before its end is read to the end.
        for line in lines.map_while(Result::ok) {
            let Some(said) = line.strip_prefix("recorded ") else { continue };
            // A line can be cut by the end of the process.
            let Some(batch) = said.strip_suffix(" done") else { continue };
            *recorded.entry(batch.parse::<u64>().unwrap()).or_insert(0) += 1;
            count += 1;
            if count == 20 * round {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(count >= 20 * round, "it ended by itself after {count}");

        // By nothing of the ledger's code.
        let sql = Connection::open(&file).unwrap();
        let mut batches = sql.prepare("SELECT place / ?1, count(*) FROM outcomes GROUP BY 1").unwrap();
        let there: BTreeMap<u64, u64> = batches
            .query_map([i64::try_from(TOGETHER).unwrap()], |row| {
                Ok((row.get::<_, i64>(0)?.try_into().unwrap(), row.get::<_, i64>(1)?.try_into().unwrap()))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for (batch, coupons) in &there {
            assert_eq!(*coupons, TOGETHER, "half of batch {batch} is there");
        }
        for (batch, times) in &recorded {
            assert!(there.contains_key(batch), "batch {batch} was recorded and is gone");
            assert_eq!(*times, 1, "batch {batch} was handed out again");
        }
        drop(batches);
        drop(sql);
        let ledger = SqliteLedger::open(&file).await.unwrap();
        let standing = ledger.standing(campaign).await.unwrap();
        let coupons = u64::try_from(there.len()).unwrap() * TOGETHER;
        assert_eq!(standing.count(OutcomeState::Sent), coupons, "the tallies agree with the rows");
        assert_eq!(standing.workers, 0);
        ledger.close().await;
    }
}

/// Lets no file grow beyond so many bytes.
fn limit(bytes: Option<u64>) {
    setrlimit(Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
}

#[test]
#[ignore = "run by `a_full_disk_is_temporary`"]
fn meets_a_full_disk() {
    runtime().block_on(async {
        let ledger = SqliteLedger::open(file_of_child()).await.unwrap();
        let campaign = named(&ledger, "full").await.id;
        let Claimed::Chunk(claim) = ledger.claim(campaign, &worker(1), LEASE).await.unwrap() else {
            panic!("a chunk is open");
        };
        let size = |ending: &str| {
            let mut name = file_of_child().into_os_string();
            name.push(ending);
            std::fs::metadata(name).map_or(0, |file| file.len())
        };
        limit(Some(size("").max(size("-wal")) + 300_000));
        let mut batches = claim.tasks.chunks(10);
        let mut recorded = 0_u64;
        let failed: Vec<_> = loop {
            let tasks = batches.next().expect("a write is refused before all is recorded");
            let some: Vec<_> = tasks.iter().map(|task| refused(task.place, 0, &"长".repeat(300))).collect();
            match ledger.record(&claim.lease, &some, LEASE).await {
                Ok(_) => recorded += 10,
                Err(error) => {
                    assert!(error.is_temporary(), "{error:?}");
                    break some;
                }
            }
        };
        assert!(ledger.record(&claim.lease, &failed, LEASE).await.unwrap_err().is_temporary(), "and again");
        // Nothing half, and what is there can be read.
        let standing = ledger.standing(campaign).await.unwrap();
        assert_eq!(standing.count(OutcomeState::Refused), recorded);
        let rows = ledger.rows(campaign, None, 100_000).await.unwrap();
        let settled = rows.iter().filter(|row| row.outcomes[0].state == OutcomeState::Refused).count();
        assert_eq!(u64::try_from(settled).unwrap(), recorded);
        // With space again the same call is done.
        limit(None);
        ledger.record(&claim.lease, &failed, LEASE).await.unwrap();
        ledger.record(&claim.lease, &[sent(failed[0].place, 0)], LEASE).await.unwrap();
        assert_eq!(tallies(&ledger, campaign).await[0].count, 1);
        ledger.close().await;
        println!("\nrecorded {}", recorded + 10);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_temporary() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("campaigns.sqlite");
    let ledger = SqliteLedger::open(&file).await.unwrap();
    let campaign = running(&ledger, "full", 20_000, 20_000, 1).await;
    ledger.close().await;
    let child = run_again("ledger::killed::meets_a_full_disk", &file);
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    let recorded: u64 =
        said.lines().find_map(|line| line.strip_prefix("recorded ")).unwrap().parse().unwrap();
    let ledger = SqliteLedger::open(&file).await.unwrap();
    let standing = ledger.standing(campaign).await.unwrap();
    assert_eq!(standing.count(OutcomeState::Refused) + standing.count(OutcomeState::Sent), recorded);
    // Planning meets it too, and goes on where it stopped.
    let child = run_again("ledger::killed::plans_on_a_full_disk", &file);
    ledger.close().await;
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
#[ignore = "run by `a_full_disk_is_temporary`"]
fn plans_on_a_full_disk() {
    runtime().block_on(async {
        let ledger = SqliteLedger::open_beside(file_of_child()).await.unwrap();
        let (campaign, there) = ledger.begin(&super::contract::manifest("planned")).await.unwrap();
        assert_eq!(there, 0);
        limit(Some(std::fs::metadata(file_of_child()).unwrap().len() + 200_000));
        let mut added = 0;
        let error = loop {
            match ledger.add_people(campaign, &people(added..added + 1_000)).await {
                Ok(()) => added += 1_000,
                Err(error) => break error,
            }
            assert!(added < 1_000_000, "no write was refused");
        };
        assert!(error.is_temporary(), "{error:?}");
        limit(None);
        assert_eq!(ledger.begin(&super::contract::manifest("planned")).await.unwrap(), (campaign, added));
        ledger.add_people(campaign, &people(added..added + 1_000)).await.unwrap();
        ledger.seal(campaign, added + 1_000, 100).await.unwrap();
        ledger.order(campaign, Order::Start).await.unwrap();
        ledger.close().await;
    });
}

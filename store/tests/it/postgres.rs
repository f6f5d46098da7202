//! A shared database: its tables, its connections, and what is done together.

use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use favor_store::StoreError;
use favor_store::postgres::tokio_postgres::Error;
use favor_store::postgres::{Address, Batcher, Client, Database, Schema};
use favor_store::testing::TestCluster;
use futures_util::future::{BoxFuture, join_all};

const V1: Schema =
    Schema { what: "a list of numbers", name: "numbers", steps: &["CREATE TABLE numbers (n bigint UNIQUE)"] };
const V2: Schema = Schema { steps: &[V1.steps[0], "ALTER TABLE numbers ADD word text DEFAULT 'none'"], ..V1 };
/// How long something may take that takes a moment.
const PATIENCE: Duration = Duration::from_secs(120);

/// One server for the tests of this process that leave it running.
static CLUSTER: LazyLock<TestCluster> = LazyLock::new(TestCluster::start);

fn address() -> Address {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("numbers_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    Address::new(&CLUSTER.database(&name)).unwrap()
}

async fn database() -> Database {
    Database::connect(&address(), &V1).await.unwrap()
}

fn add(client: &mut Client, numbers: Vec<i64>) -> BoxFuture<'_, Result<u64, Error>> {
    Box::pin(async move {
        client.execute("INSERT INTO numbers (n) SELECT unnest($1::bigint[])", &[&numbers]).await
    })
}

async fn sum(database: &Database) -> i64 {
    let sql = "SELECT coalesce(sum(n), 0)::bigint FROM numbers";
    database
        .run(|client| Box::pin(async move { client.query_one(sql, &[]).await?.try_get(0) }))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_made_once_however_many_come_at_the_same_time() {
    let address = address();
    let connected = join_all((0..8).map(|_| Database::connect(&address, &V1))).await;
    let first = connected.into_iter().map(Result::unwrap).next().unwrap();
    assert_eq!(first.run(|client| add(client, vec![1, 2])).await.unwrap(), 2);
    // The next version finds what was there, and the one before refuses what it does not know.
    let second = Database::connect(&address, &V2).await.unwrap();
    assert_eq!(sum(&second).await, 3);
    let error = Database::connect(&address, &V1).await.unwrap_err();
    assert!(error.to_string().contains("its version is 2, this program knows up to 1"), "{error}");
    assert!(!error.is_temporary());
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_old_version() {
    const BROKEN: Schema = Schema { steps: &[V1.steps[0], "CREATE TABLE more (n int); SELECT 1 / 0"], ..V1 };
    let address = address();
    Database::connect(&address, &V1).await.unwrap();
    let error = Database::connect(&address, &BROKEN).await.unwrap_err();
    assert!(matches!(error, StoreError::Failed(_)), "{error:?}");
    assert_eq!(sum(&Database::connect(&address, &V1).await.unwrap()).await, 0);
    Database::connect(&address, &V2).await.unwrap();
}

#[tokio::test]
async fn refusals_say_what_the_server_said_but_not_what_was_in_the_row() {
    let database = database().await;
    database.run(|client| add(client, vec![4_711])).await.unwrap();
    let error = database.run(|client| add(client, vec![4_711])).await.unwrap_err();
    assert!(matches!(error, StoreError::Failed(_)));
    let text = format!("{error:?} {}", std::error::Error::source(&error).unwrap());
    assert!(text.contains("duplicate key") && text.contains("23505"), "{text}");
    assert!(!text.contains("4711"), "{text}");
}

#[tokio::test]
async fn jobs_are_done_together_and_a_bad_one_harms_no_other() {
    let database = database().await;
    let (batches, of_batches) = (Arc::new(AtomicUsize::new(0)), database.clone());
    let counted = Arc::clone(&batches);
    let batcher = Arc::new(Batcher::new(64, move |jobs: Vec<i64>| {
        counted.fetch_add(1, Ordering::Relaxed);
        let database = of_batches.clone();
        Box::pin(async move {
            assert!(!jobs.contains(&-1), "a job that panics");
            let added = jobs.clone();
            database.run(move |client| add(client, added.clone())).await?;
            Ok(jobs.iter().map(|job| job * 2).collect())
        })
    }));
    let results = join_all((1..=200).map(|number| batcher.run(number))).await;
    for (number, result) in (1..=200).zip(results) {
        assert_eq!(result.unwrap(), number * 2, "each gets its own result");
    }
    assert!(batches.load(Ordering::Relaxed) <= 10, "{batches:?}");
    let results = join_all([201, 7, 202].map(|number| batcher.run(number))).await;
    assert!(matches!(results[1], Err(StoreError::Failed(_))), "{results:?}");
    assert!(results[0].is_ok() && results[2].is_ok(), "{results:?}");
    assert!(matches!(batcher.run(-1).await, Err(StoreError::Panicked)));
    assert_eq!(batcher.run(203).await.unwrap(), 406);
    assert_eq!(sum(&database).await, (1..=203).sum::<i64>());
}

#[tokio::test(flavor = "multi_thread")]
async fn work_and_notices_go_on_when_the_server_is_back() {
    let mut cluster = tokio::task::spawn_blocking(TestCluster::start).await.unwrap();
    let address = Address::new(&cluster.database("numbers")).unwrap();
    let database = Database::connect(&address, &V1).await.unwrap();
    let heard = tokio::sync::watch::Sender::new(0u32);
    let telling = heard.clone();
    let _listener = database.listen("numbers", move || telling.send_modify(|count| *count += 1)).unwrap();
    let more_than = async |count: u32| {
        let mut heard = heard.subscribe();
        *tokio::time::timeout(PATIENCE, heard.wait_for(|now| *now > count)).await.unwrap().unwrap()
    };
    let notify =
        || database.run(|client| Box::pin(async move { client.batch_execute("NOTIFY numbers").await }));
    let begun = more_than(0).await;
    notify().await.unwrap();
    more_than(begun).await;
    database.run(|client| add(client, vec![1])).await.unwrap();

    cluster.stop_immediate();
    let error = database.run(|client| add(client, vec![2])).await.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
    let before = *heard.borrow();
    cluster.start_again();
    database.run(|client| add(client, vec![4])).await.unwrap();
    assert_eq!(sum(&database).await, 5);
    // It listens again, and says that it may have missed something.
    let again = more_than(before).await;
    notify().await.unwrap();
    more_than(again).await;
}

#[tokio::test]
async fn after_close_callers_are_told() {
    let database = database().await;
    database.close();
    let error = database.run(|client| add(client, vec![1])).await.unwrap_err();
    assert!(matches!(error, StoreError::Closed), "{error:?}");
}

#[test]
fn a_server_for_tests_leaves_nothing_behind() {
    let cluster = TestCluster::start();
    let address = cluster.database("numbers");
    let folder = address.strip_prefix("host=").unwrap().split(' ').next().unwrap().to_owned();
    let status = std::fs::read_to_string(format!("{folder}/data/postmaster.pid")).unwrap();
    let process = format!("/proc/{}", status.lines().next().unwrap());
    assert!(Path::new(&process).exists());
    drop(cluster);
    assert!(!Path::new(&process).exists() && !Path::new(&folder).exists());
}

//! The inbox in a PostgreSQL database.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use favor_callback::{Inbox, InboxError, PostgresAddress, PostgresInbox, Settled};
use favor_core::{Timestamp, time};
use favor_store::postgres::tokio_postgres::{self, NoTls};
use favor_store::testing::TestCluster;
use futures_util::future::BoxFuture;
use proptest::prelude::*;

use super::conformance::{LEASE, Place, conformance};
use super::model;
use super::records::{numbered, unknown};
use crate::world::chain;

/// One server for all tests of this process.
static CLUSTER: LazyLock<TestCluster> = LazyLock::new(TestCluster::start);

/// How long something may take that takes a moment.
const PATIENCE: Duration = Duration::from_secs(120);

/// A database of its own.
fn database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    CLUSTER.database(&format!("inbox_{}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

pub(super) struct Shared {
    address: String,
    inbox: Arc<PostgresInbox>,
    admin: tokio_postgres::Client,
}

impl Shared {
    pub(super) async fn new() -> Self {
        let address = tokio::task::spawn_blocking(database).await.unwrap();
        let inbox = Arc::new(connect(&address).await);
        let (admin, connection) = tokio_postgres::connect(&address, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self { address, inbox, admin }
    }
}

async fn connect(address: &str) -> PostgresInbox {
    PostgresInbox::connect(&PostgresAddress::new(address).unwrap().connections(4)).await.unwrap()
}

impl Place for Shared {
    fn inbox(&self) -> Arc<dyn Inbox> {
        self.inbox.clone()
    }

    /// Nobody can move the server's clock, but everything can be made older.
    fn pass(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let micros = i64::try_from(time.as_micros()).unwrap();
            let older = "UPDATE favor_inbox SET due = due - $1::bigint * interval '1 microsecond',
                received_at = received_at - $1::bigint * interval '1 microsecond',
                handled_at = handled_at - $1::bigint * interval '1 microsecond'";
            self.admin.execute(older, &[&micros]).await.unwrap();
        })
    }

    fn now(&self) -> BoxFuture<'_, Timestamp> {
        Box::pin(async move {
            let now: DateTime<Utc> =
                self.admin.query_one("SELECT clock_timestamp()", &[]).await.unwrap().get(0);
            time::beijing(&now)
        })
    }
}

conformance! { Shared::new() }

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_work_goes_as_in_the_model(steps in model::steps(40)) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            model::run(&Shared::new().await, steps).await;
        });
    }
}

#[tokio::test]
async fn an_arrival_elsewhere_wakes() {
    let place = Shared::new().await;
    let here = connect(&place.address).await;
    // It wakes once when it has begun to listen.
    tokio::time::timeout(PATIENCE, here.arrival()).await.unwrap();
    assert!(here.claim(1, LEASE).await.unwrap().deliveries.is_empty());
    place.inbox.store(numbered(1)).await.unwrap();
    tokio::time::timeout(PATIENCE, here.arrival()).await.unwrap();
    assert_eq!(here.claim(1, LEASE).await.unwrap().deliveries.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_share_it() {
    const ALL: usize = 200;
    let place = Shared::new().await;
    // The tables are made once, whoever comes first.
    let address = tokio::task::spawn_blocking(database).await.unwrap();
    let inboxes = futures_util::future::join_all((0..6).map(|_| connect(&address))).await;
    let inboxes: Vec<_> = inboxes.into_iter().map(Arc::new).collect();
    // Every one of them receives everything.
    let stores = inboxes.iter().map(|inbox| {
        let inbox = Arc::clone(inbox);
        tokio::spawn(async move {
            let stores = (0..ALL).map(|number| inbox.store(numbered(number)));
            let stored = futures_util::future::try_join_all(stores).await.unwrap();
            stored.iter().filter(|stored| !stored.is_duplicate()).count()
        })
    });
    let new: usize = futures_util::future::join_all(stores).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(new, ALL);
    let counts = inboxes[0].counts().await.unwrap();
    assert_eq!((counts.waiting, counts.duplicates), (200, 5 * 200));

    let workers = inboxes.iter().map(|inbox| {
        let inbox = Arc::clone(inbox);
        tokio::spawn(async move {
            let mut handled = Vec::new();
            while usize::try_from(inbox.counts().await.unwrap().handled).unwrap() < ALL {
                for delivery in inbox.claim(9, LEASE).await.unwrap().deliveries {
                    assert_eq!(inbox.acknowledge(&delivery.receipt).await.unwrap(), Settled::Done);
                    handled.push(delivery.receipt.id);
                }
            }
            handled
        })
    });
    let handled: Vec<_> =
        futures_util::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(handled.len(), ALL);
    assert_eq!(handled.into_iter().collect::<HashSet<_>>().len(), ALL);
    drop(place);
}

#[tokio::test]
async fn a_notification_that_cannot_be_kept_harms_no_other() {
    let place = Shared::new().await;
    let mut bad = unknown("EV-bad");
    bad.resource = "{\"text\":\"a\0b\"}".to_owned();
    let (bad, good) = tokio::join!(place.inbox.store(bad), place.inbox.store(unknown("EV-good")));
    let error = bad.unwrap_err();
    assert!(matches!(error, InboxError::Unusable(_)) && error.to_string().contains("U+0000"), "{error}");
    assert!(!good.unwrap().is_duplicate());
    // A second key that is too long for an index is refused by the server, in a batch with others.
    let mut long = numbered(1);
    let text =
        (0..20_000u32).map(|n| char::from_u32(0x4E00 + n * 7919 % 20_000).unwrap()).collect::<String>();
    long.redemption = Some(serde_json::from_value(serde_json::json!([text, "T"])).unwrap());
    let (long, good) = tokio::join!(place.inbox.store(long), place.inbox.store(numbered(2)));
    assert!(!long.unwrap_err().is_temporary());
    assert!(!good.unwrap().is_duplicate());
    assert_eq!(place.inbox.counts().await.unwrap().waiting, 2);
}

#[tokio::test]
async fn what_is_handled_makes_no_claim_slower() {
    let place = Shared::new().await;
    let many = "INSERT INTO favor_inbox (merchant_id, notification_id, state, received_at, handled_at, due)
        SELECT '', n, CASE WHEN n % 1000 = 0 THEN 'waiting' ELSE 'handled' END, now(),
            CASE WHEN n % 1000 > 0 THEN now() END, CASE WHEN n % 1000 = 0 THEN now() END
        FROM generate_series(1, 30000) AS n; ANALYZE favor_inbox";
    place.admin.batch_execute(many).await.unwrap();
    let claim = "EXPLAIN SELECT id, due FROM favor_inbox
        WHERE due <= (SELECT clock_timestamp()) ORDER BY due, id LIMIT 10 FOR UPDATE SKIP LOCKED";
    let plan = place.admin.query(claim, &[]).await.unwrap();
    let plan = plan.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n");
    assert!(
        plan.contains("Index Scan using favor_inbox_by_due") && plan.contains("Index Cond: (due <="),
        "{plan}"
    );
    assert!(!plan.contains("Sort"), "{plan}");
}

#[tokio::test]
async fn what_cannot_be_used_is_told() {
    let place = Shared::new().await;
    let address = |text: &str| PostgresAddress::new(text).unwrap();
    let absent = place.address.replace("dbname=inbox", "dbname=absent");
    let error = PostgresInbox::connect(&address(&absent)).await.unwrap_err();
    assert!(!error.is_temporary() && chain(&error).contains("does not exist"), "{}", chain(&error));
    let nowhere = "host=/nonexistent user=favor password=s3cret dbname=x";
    let error = PostgresInbox::connect(&address(nowhere)).await.unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
    assert!(!format!("{error:?} {}", chain(&error)).contains("s3cret"));
    place.admin.execute("UPDATE favor_schema SET version = 9", &[]).await.unwrap();
    let error = PostgresInbox::connect(&address(&place.address)).await.unwrap_err();
    assert!(
        error.to_string().contains("an inbox of notifications of a newer favor (its version is 9"),
        "{error}"
    );
    assert!(!format!("{:?}", place.inbox).contains("user"), "{:?}", place.inbox);
    place.inbox.close();
    assert!(place.inbox.store(numbered(1)).await.unwrap_err().to_string().contains("closed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_loses_nothing_and_work_goes_on() {
    let cluster = tokio::task::spawn_blocking(TestCluster::start).await.unwrap();
    let address = cluster.database("inbox");
    let inbox = Arc::new(connect(&address).await);
    let (answered, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU32::new(0)));
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let (inbox, answered, stop) = (inbox.clone(), answered.clone(), stop.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) > 0 {
                        break;
                    }
                    let id = task * 1_000_000 + number;
                    // As the platform does, the same again until it is taken.
                    match inbox.store(numbered(id)).await {
                        Ok(_) => answered.lock().unwrap().push(id),
                        Err(error) => assert!(error.is_temporary(), "{error:?}"),
                    }
                }
            })
        })
        .collect();
    let count = || answered.lock().unwrap().len();
    let wait_for = async |wanted: usize| {
        tokio::time::timeout(PATIENCE, async {
            while count() < wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap();
    };
    let mut cluster = cluster;
    for _ in 0..3 {
        wait_for(count() + 200).await;
        cluster = tokio::task::spawn_blocking(move || {
            cluster.stop_immediate();
            cluster.start_again();
            cluster
        })
        .await
        .unwrap();
    }
    wait_for(count() + 200).await;
    stop.store(1, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let mut there = HashSet::new();
    let mut after = None;
    loop {
        let page = inbox.list(after, 1_000).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for entry in page {
            assert!(there.insert(entry.record.id.as_str().to_owned()), "nothing is there twice");
        }
    }
    for id in answered.lock().unwrap().iter() {
        assert!(there.contains(&format!("EV-{id}")), "{id} was answered and is gone");
    }
}

//! A database for a test, and what goes into it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use favor_campaign::{
    Books, Campaign, CampaignId, CampaignName, Claim, Claimed, Fate, Lease, Ledger, ListFacts, Manifest,
    Order, PostgresAddress, PostgresLedger, Recipient, Settlement, Task, WorkerId,
};
use favor_core::{AppId, CouponId, MerchantId, OpenId, StockId, Timestamp, time};
use favor_store::postgres::tokio_postgres::{self, NoTls};
use favor_store::testing::TestCluster;

/// One server for all tests of this process.
static CLUSTER: LazyLock<TestCluster> = LazyLock::new(TestCluster::start);

pub(super) const LEASE: Duration = Duration::from_secs(60);
/// How long something may take that takes a moment.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// An empty database of its own.
pub(super) async fn database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("ledger_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    tokio::task::spawn_blocking(move || CLUSTER.database(&name)).await.unwrap()
}

pub(super) async fn connect(address: &str) -> Arc<PostgresLedger> {
    connect_with(address, 4).await
}

pub(super) async fn connect_with(address: &str, connections: usize) -> Arc<PostgresLedger> {
    let address = PostgresAddress::new(address).unwrap().connections(connections);
    Arc::new(PostgresLedger::connect(&address).await.unwrap())
}

/// A connection that knows nothing of ledgers.
pub(super) async fn admin(address: &str) -> tokio_postgres::Client {
    let (admin, connection) = tokio_postgres::connect(address, NoTls).await.unwrap();
    tokio::spawn(connection);
    admin
}

/// A number that a statement answers.
pub(super) async fn number(admin: &tokio_postgres::Client, sql: &str) -> i64 {
    admin.query_one(sql, &[]).await.unwrap().get(0)
}

pub(super) fn at(second: i64) -> Timestamp {
    time::from_wire("2026-05-20T09:00:00+08:00").unwrap() + chrono::TimeDelta::seconds(second)
}

pub(super) fn manifest(name: &str) -> Manifest {
    Manifest::new(
        name.parse().unwrap(),
        MerchantId::new("1900000001").unwrap(),
        StockId::new("16474341").unwrap(),
        MerchantId::new("1900000001").unwrap(),
        AppId::new("wx0123456789abcdef").unwrap(),
        ListFacts::default(),
        at(0),
    )
}

pub(super) fn openid(place: u64) -> OpenId {
    OpenId::new(format!("o{place:010}")).unwrap()
}

/// A campaign of so many people that is running.
pub(super) async fn running(ledger: &PostgresLedger, name: &str, people: u64, chunk: u32) -> CampaignId {
    running_at(ledger, name, people, chunk, 400).await
}

/// One at a rate of its own.
pub(super) async fn running_at(
    ledger: &PostgresLedger,
    name: &str,
    people: u64,
    chunk: u32,
    per_second: u32,
) -> CampaignId {
    let mut manifest = manifest(name);
    manifest.pace.per_second = per_second;
    let (campaign, there) = ledger.begin(&manifest).await.unwrap();
    assert_eq!(there, 0);
    let list: Vec<_> =
        (0..people).map(|place| Recipient { place, line: place + 1, openid: openid(place) }).collect();
    ledger.add_people(campaign, &list).await.unwrap();
    ledger.seal(campaign, people, chunk).await.unwrap();
    ledger.order(campaign, Order::Start).await.unwrap();
    campaign
}

pub(super) async fn named(ledger: &PostgresLedger, name: &str) -> Campaign {
    ledger.campaign(&CampaignName::new(name).unwrap()).await.unwrap()
}

pub(super) fn worker(number: u32) -> WorkerId {
    WorkerId(format!("worker-{number}"))
}

/// A chunk that must be there.
pub(super) async fn claim(ledger: &dyn Ledger, campaign: CampaignId, number: u32, lease: Duration) -> Claim {
    match ledger.claim(campaign, &worker(number), lease).await.unwrap() {
        Claimed::Chunk(claim) => claim,
        other => panic!("no chunk: {other:?}"),
    }
}

pub(super) fn sent(place: u64, slot: u32) -> Settlement {
    let coupon_id = CouponId::new(format!("C{place}-{slot}")).unwrap();
    settled(place, slot, Fate::Sent { coupon_id }, None)
}

pub(super) fn settled(place: u64, slot: u32, fate: Fate, code: Option<&str>) -> Settlement {
    Settlement {
        place,
        slot,
        fate,
        attempts: 1,
        code: code.map(str::to_owned),
        message: code.map(|code| format!("because of {code}")),
        request_id: Some(format!("req-{place}-{slot}")),
        first_tried_at: at(1),
        settled_at: at(2),
    }
}

/// All of what is to be done as sent.
pub(super) fn all_sent(tasks: &[Task]) -> Vec<Settlement> {
    tasks.iter().flat_map(|task| task.open.iter().map(|open| sent(task.place, open.slot))).collect()
}

/// Makes a lease end now: nobody can move the server's clock.
pub(super) async fn lapse(admin: &tokio_postgres::Client, lease: &Lease) {
    let sql = "UPDATE favor_chunks SET due = clock_timestamp() WHERE campaign = $1 AND chunk = $2";
    let chunk = i32::try_from(lease.chunk).unwrap();
    assert_eq!(admin.execute(sql, &[&lease.campaign.0, &chunk]).await.unwrap(), 1);
}

/// Waits until something holds.
pub(super) async fn until(holds: impl AsyncFn() -> bool) {
    tokio::time::timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}

//! A thousand calls at the moment the token goes stale: one refresh, counted by the mirror; no call fails, and each is
//! carried out once.

use std::sync::Arc;

use favor_card::*;
use favor_store::testing::TestCluster;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::desk::{Desk, base, builder};

const CALLS: usize = 1_000;

/// Both ends of the connections are in this process.
fn allow_many_sockets() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

/// Raises a card's stock by one so many times at once: a call that is done anew each time it is sent.
async fn rush(clients: &[Client], card_id: &CardId, calls: usize) {
    let start = Arc::new(Barrier::new(calls));
    let mut tasks = JoinSet::new();
    for at in 0..calls {
        let (cards, card_id) = (Cards::new(&clients[at % clients.len()]), card_id.clone());
        let start = start.clone();
        tasks.spawn(async move {
            start.wait().await;
            cards.increase_stock(&card_id, 1).await.map(drop)
        });
    }
    let failed: Vec<Error> = tasks.join_all().await.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{} of {calls} failed, the first with {:?}", failed.len(), failed[0]);
}

async fn issued(desk: &Desk, kind: &str) -> Value {
    desk.look("accounts").await["accounts"][0]["tokens"][kind].clone()
}

async fn stale(desk: &Desk) {
    desk.act("tokens/stale", json!({})).await;
}

/// Clients that share a store, in two storms: after the token went stale, and while it does.
async fn weather(desk: &Desk, clients: &[Client], kind: &str) {
    allow_many_sockets();
    let operation = if kind == "stable" { "card.stable_token" } else { "card.token" };
    let mut card = Groupon::new(base(), "两壶茶");
    card.base_info.sku = Sku::new(1);
    let card_id = Cards::new(&clients[0]).create(&card.into()).await.unwrap().card_id.clone();
    rush(clients, &card_id, clients.len()).await;
    assert_eq!((desk.asked(operation), issued(desk, kind).await), (1, json!(1)), "one for all of them");

    stale(desk).await;
    rush(clients, &card_id, CALLS).await;
    assert_eq!((desk.asked(operation), issued(desk, kind).await), (2, json!(2)), "one refresh");
    let refused = desk.log().iter().filter(|request| request.code.as_deref() == Some("40001")).count();
    assert!((1..=CALLS).contains(&refused), "{refused} calls were refused for their token");

    tokio::join!(rush(clients, &card_id, CALLS), stale(desk));
    // Who has not heard of it by now does so here.
    rush(clients, &card_id, clients.len()).await;
    assert_eq!((desk.asked(operation), issued(desk, kind).await), (3, json!(3)), "and one more");

    let answer = Cards::new(&clients[0]).get(&card_id).await.unwrap();
    let total = answer.card.base_info().unwrap().sku.total_quantity.unwrap();
    let done = 1 + 2 * CALLS + 2 * clients.len();
    assert_eq!(total, i64::try_from(done).unwrap(), "each call once");
    let asked = desk.log().iter().filter(|request| request.operation == Some("card.modify_stock")).count();
    let failed = desk.log().iter().filter(|request| request.code.as_deref() == Some("40001")).count();
    assert_eq!(asked, done - 1 + failed, "what was refused was sent once more, and nothing else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_client_refreshes_the_stable_token_once() {
    let desk = Desk::new().await;
    let clients = [builder(&desk.mirror).build().unwrap()];
    weather(&desk, &clients, "stable").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clients_that_share_memory_refresh_the_basic_token_once() {
    let desk = Desk::new().await;
    let store = MemoryTokens::new();
    let client = || builder(&desk.mirror).token_kind(TokenKind::Basic).tokens(store.clone()).build().unwrap();
    weather(&desk, &[client(), client()], "plain").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clients_that_share_a_file_refresh_once() {
    let desk = Desk::new().await;
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteTokens::open(folder.path().join("tokens.sqlite")).await.unwrap());
    let client = || builder(&desk.mirror).tokens(store.clone()).build().unwrap();
    weather(&desk, &[client(), client(), client()], "stable").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fleet_that_shares_a_database_refreshes_the_basic_token_once() {
    let desk = Desk::new().await;
    let (cluster, address) = tokio::task::spawn_blocking(|| {
        let cluster = TestCluster::start();
        let address = cluster.database("tokens");
        (cluster, PostgresAddress::new(&address).unwrap().connections(2))
    })
    .await
    .unwrap();
    let mut fleet = Vec::new();
    for _ in 0..4 {
        let store = PostgresTokens::connect(&address).await.unwrap();
        let client = builder(&desk.mirror).token_kind(TokenKind::Basic).tokens(store);
        fleet.push(client.build().unwrap());
    }
    weather(&desk, &fleet, "plain").await;
    drop(fleet);
    tokio::task::spawn_blocking(move || drop(cluster)).await.unwrap();
}

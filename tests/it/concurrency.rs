//! Exactly the right number of coupons, whoever comes at once. Counted by SQL on the mirror's file, apart from its
//! code, and by the ids that callers got.

use std::collections::HashSet;

use favor::prelude::*;
use favor_mirror::Mirror;
use tokio::task::JoinSet;

use crate::harness::{World, openid, quick, refusal};

const CALLERS: usize = 64;

async fn kept_world(folder: &tempfile::TempDir) -> World {
    World::with(Mirror::builder().data(folder.path().join("mirror.sqlite")), |client| client.retry(quick(1)))
        .await
}

fn count_coupons(folder: &tempfile::TempDir, stock_id: &StockId) -> i64 {
    let file = rusqlite::Connection::open(folder.path().join("mirror.sqlite")).unwrap();
    file.query_row("SELECT count(*) FROM coupons WHERE stock_id = ?1", [stock_id.as_str()], |row| row.get(0))
        .unwrap()
}

/// Sends from 64 tasks at once and returns what each got.
async fn rush(
    world: &World,
    stock_id: &StockId,
    caller: impl Fn(usize) -> (OpenId, String),
) -> Vec<Result<CouponId, Error>> {
    let start = std::sync::Arc::new(tokio::sync::Barrier::new(CALLERS));
    let mut tasks = JoinSet::new();
    for at in 0..CALLERS {
        let (person, number) = caller(at);
        let (coupons, request, start) =
            (world.coupons.clone(), world.send_request(stock_id, &number), start.clone());
        tasks.spawn(async move {
            start.wait().await;
            coupons.send(&person, &request).await.map(|sent| sent.coupon_id.clone())
        });
    }
    tasks.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_last_coupon_goes_to_exactly_one_of_64() {
    let folder = tempfile::tempdir().unwrap();
    let world = kept_world(&folder).await;
    let stock_id = world.running(&world.stock_request(5, 1, "last")).await;
    for at in 0..4 {
        let request = world.send_request(&stock_id, &format!("early-{at}"));
        world.coupons.send(&openid(&format!("oEarly{at}")), &request).await.unwrap();
    }

    let results = rush(&world, &stock_id, |at| (openid(&format!("oLate{at}")), format!("late-{at}"))).await;

    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(refusal(error), (403, "NOT_ENOUGH".into(), Outcome::Refused));
    }
    assert_eq!(count_coupons(&folder, &stock_id), 5);
    assert_eq!(world.stocks.get(&stock_id).await.unwrap().distributed_coupons, 5);
    let audit = world.mirror.audit().await;
    assert!(audit.ok, "{:?}", audit.findings);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_number_64_times_is_one_coupon() {
    let folder = tempfile::tempdir().unwrap();
    let world = kept_world(&folder).await;
    let stock_id = world.running(&world.stock_request(10, 1, "one")).await;

    let results = rush(&world, &stock_id, |_| (openid("oOne"), "the-number".into())).await;

    let ids: HashSet<CouponId> = results.into_iter().map(Result::unwrap).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(count_coupons(&folder, &stock_id), 1);
    assert_eq!(world.stocks.get(&stock_id).await.unwrap().distributed_coupons, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_user_64_times_gets_no_more_than_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let world = kept_world(&folder).await;
    let stock_id = world.running(&world.stock_request(100, 3, "limit")).await;

    let results = rush(&world, &stock_id, |at| (openid("oGreedy"), format!("n-{at}"))).await;

    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(refusal(error), (403, "REQUEST_BLOCKED".into(), Outcome::Refused));
    }
    assert_eq!(count_coupons(&folder, &stock_id), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_daily_budget_holds_and_comes_back_the_next_day() {
    let folder = tempfile::tempdir().unwrap();
    let world = kept_world(&folder).await;
    let mut request = world.stock_request(100, 1, "daily");
    request.stock_use_rule = request.stock_use_rule.max_amount_by_day(Fen::new(3500).unwrap());
    let stock_id = world.running(&request).await;

    let results = rush(&world, &stock_id, |at| (openid(&format!("oDay{at}")), format!("d-{at}"))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 7);
    assert_eq!(count_coupons(&folder, &stock_id), 7);

    world.mirror.advance(std::time::Duration::from_secs(86_400)).await.unwrap();
    let request = world.send_request(&stock_id, "next-day");
    world.coupons.send(&openid("oNextDay"), &request).await.unwrap();
    assert_eq!(count_coupons(&folder, &stock_id), 8);
}

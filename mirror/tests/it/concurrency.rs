//! Many senders at once: no coupon too many, none twice.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;

use crate::harness::{World, builder, stock_body, with};

/// Gives coupons at the same time, one for each user and number, and returns the answers.
async fn give_all(world: &Arc<World>, stock_id: &str, sends: Vec<(String, String)>) -> Vec<(u16, String)> {
    let mut tasks = tokio::task::JoinSet::new();
    for (openid, number) in sends {
        let (world, stock_id) = (Arc::clone(world), stock_id.to_owned());
        tasks.spawn(async move {
            let reply = world.give(&stock_id, &openid, &number).await;
            let body = reply.json();
            let told = body["coupon_id"].as_str().or(body["message"].as_str()).unwrap().to_owned();
            (reply.status, told)
        });
    }
    tasks.join_all().await
}

async fn last_coupon(world: World) {
    let world = Arc::new(world);
    let id = world.running_stock(&stock_body("n1", 5, 1)).await;
    for n in 0..4 {
        world.give(&id, &format!("oEarly{n}"), &format!("e{n}")).await.ok();
    }
    let sends = (0..64).map(|n| (format!("o{n}"), format!("s{n}"))).collect();
    let answers = give_all(&world, &id, sends).await;
    let given = answers.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!(given, 1);
    let refused = answers.iter().filter(|(_, told)| told == "批次预算不足").count();
    assert_eq!(refused, 63);
    let audit = world.mirror.audit().await;
    world.assert_sound(&audit);
    assert_eq!((audit.stocks[0].coupons, audit.stocks[0].distributed_coupons), (5, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_senders_at_the_last_coupon() {
    last_coupon(World::new().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_senders_at_the_last_coupon_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    last_coupon(World::with(builder().data(folder.path().join("data.sqlite"))).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_senders_with_one_number_get_one_coupon() {
    let world = Arc::new(World::new().await);
    let id = world.running_stock(&stock_body("n1", 100, 60)).await;
    let sends = (0..64).map(|_| ("oOne".to_owned(), "same".to_owned())).collect();
    let answers = give_all(&world, &id, sends).await;
    let coupons: HashSet<_> = answers.into_iter().collect();
    assert_eq!(coupons.len(), 1);
    assert_eq!(coupons.iter().next().unwrap().0, 200);
    assert_eq!(world.mirror.audit().await.stocks[0].coupons, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_senders_at_one_users_limit_and_one_days_budget() {
    let world = Arc::new(World::new().await);
    let id = world.running_stock(&stock_body("n1", 100, 3)).await;
    let sends = (0..64).map(|n| ("oOne".to_owned(), format!("s{n}"))).collect();
    let answers = give_all(&world, &id, sends).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 3);

    let begin = json!(world.mirror.now().to_rfc3339());
    let body = with(stock_body("n2", 100, 1), "/available_begin_time", begin);
    let body = with(body, "/stock_use_rule/max_amount_by_day", json!(3_500));
    let daily = world.running_stock(&body).await;
    let sends = (0..64).map(|n| (format!("o{n}"), format!("d{n}"))).collect();
    let answers = give_all(&world, &daily, sends).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 7);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_creators_with_one_number_make_one_stock() {
    let world = Arc::new(World::new().await);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let world = Arc::clone(&world);
        tasks.spawn(async move { world.created_stock(&stock_body("n1", 10, 1)).await });
    }
    let ids: HashSet<_> = tasks.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.mirror.audit().await.stocks.len(), 1);
}

//! The documented rate limits.

use std::sync::Arc;
use std::time::Duration;

use favor_mirror::MerchantSeed;
use serde_json::{Value, json};

use crate::harness::{FAVOR, World, builder, stock_body};

async fn create(world: &World, n: usize) -> crate::harness::Reply {
    world.call("POST", &format!("{FAVOR}/coupon-stocks"), &stock_body(&format!("n{n}"), 10, 1)).await
}

#[tokio::test]
async fn a_minute_has_sixty_creations() {
    let world = World::with(builder().documented_rate_limits(true)).await;
    for n in 0..60 {
        create(&world, n).await.ok();
    }
    let over = create(&world, 60).await;
    over.refused(429, "FREQUENCY_LIMIT_EXCEED", "接口限频");
    assert_eq!((over.number(), over.header("retry-after")), (268_461_336, None));
    assert!(over.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    let logged = &world.mirror.requests(1, 0)[0];
    assert!(logged.notes.iter().any(|note| note.contains("60 calls in 60 seconds by one merchant")));
    // Other endpoints, other merchants and the next minute are free.
    world.get("/v3/certificates").await.ok();
    let merchant = world.mirror.add_merchant(MerchantSeed::new("42")).await.unwrap();
    let body = stock_body("m", 10, 1);
    let stranger = world.call_as(&(&merchant).into(), "POST", &format!("{FAVOR}/coupon-stocks"), &body).await;
    assert_eq!(stranger.status, 403);
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    create(&world, 60).await;
    assert_eq!(world.mirror.requests(1, 0)[0].status, Some(400), "its window lies in the past by now");
}

#[tokio::test]
async fn an_address_has_its_own_limit() {
    let world = World::with(builder().documented_rate_limits(true)).await;
    let other = world.mirror.add_merchant(MerchantSeed::new("42")).await.unwrap();
    let set = async |mchid: &str| {
        let body = json!({"mchid": mchid, "notify_url": "http://127.0.0.1:9/n"});
        world.call_as(&world.credentials_of(mchid), "POST", &format!("{FAVOR}/callbacks"), &body).await
    };
    for _ in 0..5 {
        set("1900000109").await.ok();
    }
    set(&other.mchid).await.refused(429, "FREQUENCY_LIMIT_EXCEED", "接口限频");
}

#[tokio::test]
async fn limits_come_and_go_while_it_runs() {
    let world = World::new().await;
    let rates = async |enforced: bool| {
        world.control("POST", "/_mirror/rates", &json!({ "enforced": enforced })).await.ok()
    };
    for n in 0..61 {
        create(&world, n).await.ok();
    }
    assert_eq!(rates(true).await["enforced"], true);
    for n in 0..60 {
        create(&world, n).await.ok();
    }
    assert_eq!(create(&world, 0).await.status, 429);
    rates(false).await;
    create(&world, 0).await.ok();
    let shown = world.control("GET", "/_mirror/rates", &Value::Null).await.ok();
    let limit = json!({"operation": "stock.create", "by": "merchant", "calls": 60, "seconds": 60});
    assert!(shown["limits"].as_array().unwrap().contains(&limit), "{shown}");
    world.mirror.enforce_rate_limits(true);
    assert_eq!(world.control("GET", "/_mirror/rates", &Value::Null).await.ok()["enforced"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_count_is_exact_when_many_call_at_once() {
    let world = Arc::new(World::with(builder().documented_rate_limits(true)).await);
    let calls: Vec<_> = (0..100)
        .map(|n| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { create(&world, n).await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap());
    }
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(429)), (60, 40));
}

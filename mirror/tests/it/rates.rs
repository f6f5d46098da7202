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

/// The columns of the table in section 3.0; where the documentation has two figures, the lower one.
const DOCUMENTED: [(&str, &str, u32, u32); 27] = [
    ("certificates.list", "merchant", 1_000, 1),
    ("stock.create", "merchant", 60, 60),
    ("stock.create", "total", 1_000, 60),
    ("stock.start", "merchant", 1_000, 60),
    ("stock.start", "address", 60, 60),
    ("stock.pause", "merchant", 1_000, 60),
    ("stock.pause", "address", 60, 60),
    ("stock.restart", "merchant", 1_000, 60),
    ("stock.list", "merchant", 1_000, 1),
    ("stock.get", "merchant", 500, 1),
    ("stock.get", "address", 500, 1),
    ("stock.merchants", "merchant", 1_000, 60),
    ("stock.items", "merchant", 600, 60),
    ("stock.modify_merchants", "merchant", 1_000, 60),
    ("stock.modify_budget", "merchant", 1_000, 60),
    ("stock.modify_daily_budget", "merchant", 1_000, 60),
    ("coupon.send", "merchant", 500, 1),
    ("coupon.get", "merchant", 500, 1),
    ("coupon.list", "merchant", 500, 1),
    ("coupon.list", "address", 500, 1),
    ("callback.get", "merchant", 2_000, 1),
    ("callback.set", "merchant", 1_000, 60),
    ("callback.set", "address", 5, 60),
    ("stock.use_flow", "address", 5, 60),
    ("stock.refund_flow", "address", 5, 60),
    ("stock.use_flow", "merchant", 1_000, 60),
    ("stock.refund_flow", "merchant", 1_000, 60),
];

#[tokio::test]
async fn the_limits_are_those_of_the_table() {
    let world = World::new().await;
    let shown = world.control("GET", "/_mirror/rates", &Value::Null).await.ok();
    let row = |(operation, by, calls, seconds): (&str, &str, u32, u32)| -> Value {
        json!({"operation": operation, "by": by, "calls": calls, "seconds": seconds})
    };
    let wanted: Vec<Value> = DOCUMENTED.into_iter().map(row).collect();
    let found = shown["limits"].as_array().unwrap();
    for limit in &wanted {
        assert!(found.contains(limit), "{limit} is missing");
    }
    assert_eq!(found.len(), wanted.len(), "{found:?}");
}

/// Links to flow files: five a minute from one address, whoever asks, and of each kind.
#[tokio::test]
async fn five_links_a_minute_from_one_address() {
    let world = World::with(builder().documented_rate_limits(true)).await;
    let other = world.mirror.add_merchant(MerchantSeed::new("42")).await.unwrap();
    let link = async |mchid: &str, kind: &str| {
        let target = format!("{FAVOR}/stocks/15300001/{kind}");
        world.call_as(&world.credentials_of(mchid), "GET", &target, &Value::Null).await
    };
    for kind in ["use-flow", "refund-flow"] {
        for mchid in ["1900000109", "42", "1900000109", "42", "1900000109"] {
            link(mchid, kind).await.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");
        }
        link(&other.mchid, kind).await.refused(429, "FREQUENCY_LIMIT_EXCEED", "接口限频");
        let logged = &world.mirror.requests(1, 0)[0];
        assert!(
            logged.notes.iter().any(|note| note == "the limit is 5 calls in 60 seconds from one address")
        );
        assert_eq!(logged.rule.map(|rule| (rule.id, rule.section)), Some(("edge.rate", "2.17")));
    }
    // Files of a day have no documented limit.
    for _ in 0..7 {
        let target = format!("{FAVOR}/stocks/15300001/use-flow-by-day?bill_date=2026-08-09");
        assert_eq!(world.get(&target).await.status, 404);
    }
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    link("42", "use-flow").await.refused(404, "RESOURCE_NOT_EXISTS", "批次不存在");
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

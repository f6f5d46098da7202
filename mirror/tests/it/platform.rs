//! What the platform does by itself in production and a control call asks for here: a review, a coupon taken back.

use std::time::Duration;

use favor_mirror::{MirrorError, Redeem, Refund};
use serde_json::{Value, json};

use crate::harness::{FAVOR, USER, World, stock_body};

async fn review(world: &World, id: &str, under_review: bool) -> crate::harness::Reply {
    let body = json!({ "under_review": under_review });
    world.control("POST", &format!("/_mirror/stocks/{id}/review"), &body).await
}

/// The row `audit` of the table in section 4.1, as a client meets it.
#[tokio::test]
async fn a_stock_under_review_can_only_be_looked_at() {
    let world = World::new().await;
    let id = world.created_stock(&stock_body("n1", 10, 1)).await;
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(review(&world, &id, true).await.ok()["status"], "audit");
    }
    assert_eq!(world.stock(&id).await["status"], "audit");
    let list = format!("{FAVOR}/stocks?offset=0&limit=10&stock_creator_mchid=1900000109&status=audit");
    assert_eq!(world.get(&list).await.ok()["data"][0]["stock_id"], id);
    for action in ["start", "pause", "restart", "stop"] {
        world.act(&id, action).await.refused(400, "INVALID_REQUEST", "活动已结束或未激活");
    }
    world.give(&id, USER, "s1").await.refused(400, "INVALID_REQUEST", "活动已结束或未激活");
    let flow = world.get(&format!("{FAVOR}/stocks/{id}/use-flow")).await;
    flow.refused(404, "RESOURCE_NOT_EXISTS", "账单文件不存在");
    world.assert_sound(&world.mirror.audit().await);

    let stock = world.mirror.review_stock(&id, false).await.unwrap();
    assert_eq!(stock.status, "unactivated");
    world.start(&id).await.ok();
    let late = world.mirror.review_stock(&id, true).await;
    assert!(matches!(late, Err(MirrorError::Refused { reason }) if reason.contains("is running")));
    assert_eq!(review(&world, &id, true).await.status, 409);
    assert_eq!(review(&world, "1", true).await.status, 404);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn a_coupon_taken_back_is_worth_nothing_and_keeps_its_place() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("n1", 5, 2)).await;
    let fresh = world.coupon(&id, USER, "s1").await;
    let used = world.coupon(&id, USER, "s2").await;
    world.mirror.redeem(&used, Redeem::default()).await.unwrap();
    for coupon in [&fresh, &used] {
        for _ in 0..2 {
            let taken =
                world.control("POST", &format!("/_mirror/coupons/{coupon}/recover"), &Value::Null).await;
            assert_eq!(taken.ok()["status"], "RECOVER");
        }
        let appid = &world.mirror.merchant().appid;
        let read = world.get(&format!("{FAVOR}/users/{USER}/coupons/{coupon}?appid={appid}")).await.ok();
        assert_eq!(read["status"], "RECOVER");
        let paid = world.mirror.redeem(coupon, Redeem::default()).await;
        assert!(matches!(paid, Err(MirrorError::Refused { reason }) if reason.contains("RECOVER")));
        let back = world.mirror.refund(coupon, Refund::default()).await;
        assert!(matches!(back, Err(MirrorError::Refused { reason }) if reason.contains("taken back")));
        let ended = world.mirror.expire(coupon).await;
        assert!(matches!(ended, Err(MirrorError::Refused { .. })));
    }
    assert_eq!(world.mirror.coupon(&used).await.unwrap().redemptions.len(), 1, "what was paid stays paid");
    let stock = world.mirror.stock(&id).await.unwrap();
    assert_eq!((stock.distributed, stock.used, stock.expired, stock.recovered), (2, 0, 0, 2));
    // The limit of the user still counts it, and a list leaves it out.
    world.give(&id, USER, "s3").await.refused(403, "REQUEST_BLOCKED", "用户被限领拦截");
    let list =
        format!("{FAVOR}/users/{USER}/coupons?appid=wx00000000000000aa&creator_mchid=1900000109&status=USED");
    assert_eq!(world.get(&list).await.ok()["total_count"], 0);
    world.assert_sound(&world.mirror.audit().await);
    assert!(matches!(world.mirror.recover("1").await, Err(MirrorError::NotFound { .. })));
    // After the end as well.
    world.clock("2026-09-10T00:00:00+08:00").await;
    assert_eq!(world.mirror.coupon(&fresh).await.unwrap().status, "RECOVER");
    world.assert_sound(&world.mirror.audit().await);
}

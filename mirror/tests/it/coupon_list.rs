//! A user's coupons.

use std::time::Duration;

use favor_mirror::{MerchantSeed, Redeem};
use serde_json::{Value, json};

use crate::harness::{FAVOR, Reply, START, USER, World, builder, stock_body, with};

const APPID: &str = "wx00000000000000aa";
const CREATOR: &str = "creator_mchid=1900000109";

async fn list(world: &World, query: &str) -> Reply {
    world.get(&format!("{FAVOR}/users/{USER}/coupons?appid={APPID}&{query}")).await
}

fn ids(list: &Value) -> Vec<i64> {
    let data = list["data"].as_array().map_or(&[][..], Vec::as_slice);
    let number = |coupon: &Value| coupon["coupon_id"].as_str().unwrap().parse::<i64>().unwrap();
    data.iter().map(|coupon| number(coupon) - 18_180_000_000_000).collect()
}

/// Coupons 1 to 3 of one stock, the second used; 4 of another that lives only an hour.
async fn world() -> World {
    let sender = MerchantSeed { appids: vec![APPID.into(), "wx1".into()], ..MerchantSeed::new("1900000110") };
    let world = World::with(builder().merchant(sender).merchant(MerchantSeed::new("1900000120"))).await;
    let stock = world.running_stock(&stock_body("n1", 100, 60)).await;
    for n in 1..=3 {
        world.coupon(&stock, USER, &format!("s{n}")).await;
        world.mirror.advance(Duration::from_secs(1)).await.unwrap();
    }
    world.mirror.redeem("18180000000002", Redeem::default()).await.unwrap();
    world.clock(START).await;
    let hour = json!({"available_time_after_receive": 60});
    let body = with(stock_body("n2", 10, 5), "/coupon_use_rule/coupon_available_time", hour);
    let short = world.running_stock(&body).await;
    world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    world.coupon(&short, USER, "s4").await;
    world
}

#[tokio::test]
async fn the_creator_sees_usable_and_used_ones_newest_first() {
    let world = world().await;
    let all = list(&world, CREATOR).await.ok();
    assert_eq!(ids(&all), [4, 3, 2, 1]);
    assert_eq!((all["total_count"].as_i64(), all["limit"].as_i64()), (Some(4), Some(20)));
    assert_eq!(all["offset"], 0);
    let single = world.get(&format!("{FAVOR}/users/{USER}/coupons/18180000000002?appid={APPID}")).await.ok();
    assert_eq!(all["data"][2], single);
    assert_eq!(single["consume_information"]["consume_mchid"], "1900000109");
    let usable = list(&world, &format!("{CREATOR}&status=SENDED")).await.ok();
    assert_eq!(ids(&usable), [4, 3, 1]);
    // USED means usable and used.
    assert_eq!(ids(&list(&world, &format!("{CREATOR}&status=USED")).await.ok()), [4, 3, 2, 1]);
    assert_eq!(ids(&list(&world, &format!("{CREATOR}&stock_id=15300001")).await.ok()), [3, 2, 1]);
    for none in ["stock_id=15399999", "stock_id=x", "business_type=MULTIUSE"] {
        let none = list(&world, &format!("{CREATOR}&{none}")).await.ok();
        assert_eq!((none["total_count"].as_i64(), none.get("data")), (Some(0), None));
    }
    // Expired ones are not listed; a used one does not expire.
    world.mirror.advance(Duration::from_secs(3_601)).await.unwrap();
    assert_eq!(ids(&list(&world, CREATOR).await.ok()), [3, 2, 1]);
    world.clock("2026-09-10T00:00:00+08:00").await;
    assert_eq!(ids(&list(&world, CREATOR).await.ok()), [2]);
}

#[tokio::test]
async fn pages() {
    let world = world().await;
    assert_eq!(ids(&list(&world, &format!("{CREATOR}&offset=1&limit=3")).await.ok()), [1]);
    let past = list(&world, &format!("{CREATOR}&offset=2&limit=3")).await;
    past.refused(400, "MCH_NOT_EXISTS", "商户号不合法");
    let large = list(&world, &format!("{CREATOR}&limit=21")).await;
    large.refused(400, "PARAM_ERROR", "页大小超过阈值");
    for bad in ["limit=0", "offset=x", "status=EXPIRED", "business_type=OTHER"] {
        let reply = list(&world, &format!("{CREATOR}&{bad}")).await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("PARAM_ERROR")), "{bad}");
    }
}

#[tokio::test]
async fn what_can_be_spent_at_a_merchant() {
    let world = world().await;
    let at = "available_mchid=1900000109";
    assert_eq!(ids(&list(&world, at).await.ok()), [4, 3, 1]);
    // These have no effect, not even when they are wrong.
    let ignored = list(&world, &format!("{at}&stock_id=15300002&status=X&offset=7&limit=1")).await.ok();
    assert_eq!((ids(&ignored), ignored["offset"].as_i64()), (vec![4, 3, 1], Some(0)));
    assert!(ignored["limit"].as_i64() >= ignored["total_count"].as_i64());
    // The creator goes before the available merchant.
    assert_eq!(ids(&list(&world, &format!("{at}&{CREATOR}")).await.ok()), [4, 3, 2, 1]);
    // More than a page comes at once.
    world.clock("2026-08-10T12:10:00+08:00").await;
    for n in 10..35 {
        world.coupon("15300001", USER, &format!("s{n}")).await;
    }
    let many = list(&world, at).await.ok();
    assert_eq!((ids(&many).len(), many["limit"].as_i64()), (28, Some(28)));
    assert!(ids(&list(&world, "available_mchid=1900000120").await.ok()).is_empty());
}

#[tokio::test]
async fn coupons_of_certain_hours_are_spendable_only_then() {
    let world = World::new().await;
    let evening = json!({"fix_available_time": {"begin_time": 64_800, "end_time": 72_000}});
    let body = with(stock_body("n1", 10, 1), "/coupon_use_rule/coupon_available_time", evening);
    let stock = world.running_stock(&body).await;
    world.coupon(&stock, USER, "s1").await;
    assert!(ids(&list(&world, "available_mchid=1900000109").await.ok()).is_empty());
    assert_eq!(ids(&list(&world, CREATOR).await.ok()), [1]);
    world.clock("2026-08-10T19:00:00+08:00").await;
    assert_eq!(ids(&list(&world, "available_mchid=1900000109").await.ok()), [1]);
}

#[tokio::test]
async fn who_sees_what() {
    let world = world().await;
    let sender = world.credentials_of("1900000110");
    world.mirror.authorise_sender("15300001", "1900000110").await.unwrap();
    let body = world.send_body("15300001", "other");
    world.call_as(&sender, "POST", &format!("{FAVOR}/users/{USER}/coupons"), &body).await.ok();
    let as_sender = |query: &str| {
        let target = format!("{FAVOR}/users/{USER}/coupons?appid={APPID}&{query}");
        let (world, sender) = (&world, &sender);
        async move { world.call_as(sender, "GET", &target, &Value::Null).await.ok() }
    };
    // A sender sees only what it sent, the creator all of its stocks.
    assert_eq!(ids(&as_sender(CREATOR).await), [5]);
    assert_eq!(ids(&as_sender("sender_mchid=1900000110").await), [5]);
    assert!(ids(&as_sender("sender_mchid=1900000109").await).is_empty());
    assert_eq!(ids(&list(&world, CREATOR).await.ok()).len(), 5);
    assert_eq!(ids(&list(&world, "sender_mchid=1900000110").await.ok()), [5]);
    assert_eq!(ids(&list(&world, "sender_mchid=1900000109").await.ok()).len(), 4);

    let stranger = world.credentials_of("1900000120");
    let target = format!("{FAVOR}/users/{USER}/coupons?appid={APPID}&{CREATOR}");
    let unbound = world.call_as(&stranger, "GET", &target, &Value::Null).await;
    unbound.refused(400, "APPID_MCHID_NOT_MATCH", "商户号与appid不匹配");
    let foreign = format!("{FAVOR}/users/{USER}/coupons?appid=wx1&sender_mchid=1900000110");
    let foreign = world.call_as(&sender, "GET", &foreign, &Value::Null).await;
    foreign.refused(400, "INVALID_REQUEST", "openid与appID不匹配");
    list(&world, "").await.refused(400, "PARAM_ERROR", "商户号必填");
    let target = format!("{FAVOR}/users/{USER}/coupons?{CREATOR}");
    world.get(&target).await.refused(400, "PARAM_ERROR", "appid必填");
    let nobody = world.get(&format!("{FAVOR}/users/oNobody/coupons?appid={APPID}&{CREATOR}")).await.ok();
    assert_eq!(nobody, json!({"total_count": 0, "limit": 20, "offset": 0}));
}

#[tokio::test]
async fn an_available_merchant_asks_for_itself() {
    let shop = MerchantSeed {
        appids: vec![APPID.into()],
        brand: Some("b".into()),
        ..MerchantSeed::new("1900000110")
    };
    let creator = MerchantSeed {
        appids: vec![APPID.into()],
        brand: Some("b".into()),
        ..MerchantSeed::new("1900000109")
    };
    let world = World::with(builder().merchant(creator).merchant(shop)).await;
    let merchants = json!(["1900000109", "1900000110"]);
    let stock = world
        .running_stock(&with(stock_body("n1", 10, 1), "/coupon_use_rule/available_merchants", merchants))
        .await;
    world.coupon(&stock, USER, "s1").await;
    let shop = world.credentials_of("1900000110");
    let ask = |query: &str| {
        let target = format!("{FAVOR}/users/{USER}/coupons?appid={APPID}&{query}");
        let (world, shop) = (&world, &shop);
        async move { ids(&world.call_as(shop, "GET", &target, &Value::Null).await.ok()) }
    };
    assert_eq!(ask("available_mchid=1900000110").await, [1]);
    assert!(ask("available_mchid=1900000109").await.is_empty());
    assert!(ask(CREATOR).await.is_empty());
}

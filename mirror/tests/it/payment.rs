//! Paying with coupons and refunding.

use std::time::Duration;

use favor_mirror::{GoodsDetail, MerchantSeed, MirrorError, Redeem, Refund};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::{FAVOR, START, USER, World, builder, stock_body, with};

async fn read(world: &World, coupon_id: &str) -> Value {
    let appid = &world.mirror.merchant().appid;
    world.get(&format!("{FAVOR}/users/{USER}/coupons/{coupon_id}?appid={appid}")).await.ok()
}

#[tokio::test]
async fn a_coupon_is_used_and_comes_back() {
    let world = World::new().await;
    let stock = world.running_stock(&stock_body("n1", 10, 2)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    let target = format!("/_mirror/coupons/{coupon}/redeem");
    let paid = world.control("POST", &target, &json!({"total_amount": 3_850})).await.ok();
    assert_eq!((paid["status"].as_str(), paid["openid"].as_str()), (Some("USED"), Some(USER)));
    assert_eq!((paid["stock_id"].as_str(), paid["coupon_id"].as_str()), (Some(&*stock), Some(&*coupon)));
    let consumed = json!({
        "consume_time": "2026-08-10T12:01:01+08:00", "consume_mchid": "1900000109",
        "transaction_id": "4200000000202608100000000001"
    });
    assert_eq!(paid["consume_information"], consumed);
    let used = read(&world, &coupon).await;
    assert_eq!((used["status"].as_str(), &used["consume_information"]), (Some("USED"), &consumed));
    let again = world.control("POST", &target, &Value::Null).await;
    again.refused(409, "REFUSED", "refused: the coupon is USED");

    let target = format!("/_mirror/coupons/{coupon}/refund");
    let back = world.control("POST", &target, &Value::Null).await.ok();
    assert_eq!((back["status"].as_str(), back.get("consume_information")), (Some("SENDED"), None));
    assert_eq!(
        back["redemptions"][0]["refunds"],
        json!([{
            "refund_id": "50300000000000000000000000001", "refund_time": "2026-08-10T12:01:01+08:00",
            "amount": 3_850, "discount_amount": 500
        }])
    );
    let free = read(&world, &coupon).await;
    assert_eq!((free["status"].as_str(), free.get("consume_information")), (Some("SENDED"), None));
    assert_eq!(world.control("POST", &target, &Value::Null).await.status, 409);
    assert_eq!(world.control("POST", "/_mirror/coupons/7/redeem", &Value::Null).await.status, 404);
    assert_eq!(world.control("POST", "/_mirror/coupons/x/refund", &Value::Null).await.status, 404);
    let slip = world.control("POST", &target, &json!({"amout": 1})).await;
    assert_eq!((slip.status, slip.json()["code"].as_str()), (400, Some("BAD_REQUEST")));
}

#[tokio::test]
async fn five_rounds_on_one_coupon() {
    let world = World::new().await;
    let stock = world.running_stock(&stock_body("n1", 10, 2)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    let mut transactions = std::collections::HashSet::new();
    for round in 1..=5 {
        let paid = world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
        assert_eq!(paid.redemptions.len(), round);
        transactions.insert(paid.consume_information.unwrap().transaction_id);
        world.mirror.advance(Duration::from_secs(1)).await.unwrap();
        assert_eq!(world.mirror.refund(&coupon, Refund::default()).await.unwrap().status, "SENDED");
    }
    assert_eq!(transactions.len(), 5);
    let audit = world.mirror.audit().await;
    world.assert_sound(&audit);
    let figures = &audit.stocks[0];
    assert_eq!((figures.used, figures.redemptions, figures.refunds), (0, 5, 5));
    assert_eq!((figures.redeemed_amount, figures.refunded_amount), (2_500, 2_500));
    assert_eq!(world.mirror.coupon(&coupon).await.unwrap().redemptions.len(), 5);
}

#[tokio::test]
async fn partial_refunds_add_up() {
    let world = World::new().await;
    let stock = world.running_stock(&stock_body("n1", 10, 2)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    for amount in [1_000, 1_000] {
        let partly = world.mirror.refund(&coupon, Refund { amount: Some(amount) }).await.unwrap();
        assert_eq!(partly.status, "USED");
    }
    let too_much = world.mirror.refund(&coupon, Refund { amount: Some(1_001) }).await;
    assert!(matches!(too_much, Err(MirrorError::Refused { .. })));
    world.assert_sound(&world.mirror.audit().await);
    let whole = world.mirror.refund(&coupon, Refund { amount: Some(1_000) }).await.unwrap();
    assert_eq!(whole.status, "SENDED");
    let parts: Vec<_> = whole.redemptions[0].refunds.iter().map(|refund| refund.discount_amount).collect();
    assert_eq!(parts, [166, 167, 167]);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn payments_are_checked() {
    let world = World::with(builder().merchant(MerchantSeed::new("1900000110"))).await;
    let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    let pay = |payment: Redeem| {
        let (world, coupon) = (&world, &coupon);
        async move { world.mirror.redeem(coupon, payment).await.map_err(|error| error.to_string()) }
    };
    let low = pay(Redeem { total_amount: Some(2_999), ..Redeem::default() }).await;
    assert!(low.unwrap_err().contains("threshold"));
    let elsewhere = pay(Redeem { consume_mchid: Some("1900000110".into()), ..Redeem::default() }).await;
    assert!(elsewhere.unwrap_err().contains("available merchants"));
    let named = Redeem { transaction_id: Some("T-1".into()), ..Redeem::default() };
    pay(named.clone()).await.unwrap();
    let other = world.coupon(&stock, USER, "s2").await;
    let taken = world.mirror.redeem(&other, named).await.unwrap_err().to_string();
    assert!(taken.contains("T-1 is taken"));
    // A made-up number gives way to one that was given.
    let taken = Redeem { transaction_id: Some("4200000000202608100000000003".into()), ..Redeem::default() };
    world.mirror.redeem(&other, taken).await.unwrap();
    let third = world.coupon(&stock, USER, "s3").await;
    let paid = world.mirror.redeem(&third, Redeem::default()).await.unwrap();
    assert_eq!(paid.consume_information.unwrap().transaction_id, "4200000000202608100000000004");

    let late = world.coupon(&stock, USER, "s4").await;
    world.clock("2026-09-09T23:59:59.001+08:00").await;
    let expired = world.mirror.redeem(&late, Redeem::default()).await.unwrap_err().to_string();
    assert!(expired.contains("EXPIRED"), "{expired}");
    // A used coupon that comes back after its end is over.
    assert_eq!(world.mirror.refund(&third, Refund::default()).await.unwrap().status, "EXPIRED");
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn a_coupon_can_be_for_certain_hours_or_for_tomorrow() {
    let world = World::new().await;
    let time_rule = "/coupon_use_rule/coupon_available_time";
    let tomorrow = with(stock_body("n1", 10, 1), time_rule, json!({"second_day_available": true}));
    let tomorrow = world.running_stock(&tomorrow).await;
    let tomorrow = world.coupon(&tomorrow, USER, "s1").await;
    // Mondays, 18:00 to 20:00; the tenth of August 2026 is a Monday.
    let fixed = json!({"fix_available_time":
        {"available_week_day": [1], "begin_time": 64_800, "end_time": 72_000}});
    world.clock("2026-08-10T12:00:00+08:00").await;
    let evening = world.running_stock(&with(stock_body("n2", 10, 1), time_rule, fixed)).await;
    let evening = world.coupon(&evening, USER, "s2").await;
    let pay = |coupon| world.mirror.redeem(coupon, Redeem::default());
    assert!(pay(&tomorrow).await.is_err());
    assert!(pay(&evening).await.is_err());
    world.clock("2026-08-10T18:00:00+08:00").await;
    assert_eq!(pay(&evening).await.unwrap().status, "USED");
    world.clock("2026-08-11T00:00:00+08:00").await;
    assert_eq!(pay(&tomorrow).await.unwrap().status, "USED");
}

#[tokio::test]
async fn single_item_coupons_say_what_was_bought() {
    let world = World::new().await;
    let body = with(stock_body("n1", 10, 5), "/coupon_use_rule/available_items", json!(["tea", "milk"]));
    let stock = world.running_stock(&body).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    let milk = GoodsDetail { goods_id: "milk".into(), quantity: 2, price: 1_600, discount_amount: 500 };
    let payment = Redeem { goods_detail: Some(vec![milk]), ..Redeem::default() };
    world.mirror.redeem(&coupon, payment).await.unwrap();
    let used = read(&world, &coupon).await;
    assert_eq!(
        used["consume_information"]["goods_detail"],
        json!([{"goods_id": "milk", "quantity": 2, "price": 1_600, "discount_amount": 500}])
    );
    let other = world.coupon(&stock, USER, "s2").await;
    let default = world.mirror.redeem(&other, Redeem::default()).await.unwrap();
    assert_eq!(default.consume_information.unwrap().goods_detail[0].goods_id, "tea");
}

/// Pausing does not touch coupons that were given.
#[tokio::test]
async fn coupons_of_a_paused_stock_stay_usable() {
    let world = World::new().await;
    let stock = world.running_stock(&stock_body("n1", 10, 1)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    world.act(&stock, "pause").await.ok();
    assert_eq!(world.mirror.redeem(&coupon, Redeem::default()).await.unwrap().status, "USED");
}

#[tokio::test]
async fn money_of_a_prefunded_stock_is_conserved() {
    let seed = MerchantSeed { balance_fen: 6_000, ..MerchantSeed::new("1900000109") };
    let world = World::with(builder().merchant(seed)).await;
    let stock = world.running_stock(&with(stock_body("n1", 10, 5), "/no_cash", json!(false))).await;
    let balance = || async {
        let list = world.control("GET", "/_mirror/merchants", &Value::Null).await.ok();
        list["merchants"][0]["balance_fen"].as_i64().unwrap()
    };
    let first = world.coupon(&stock, USER, "s1").await;
    let second = world.coupon(&stock, USER, "s2").await;
    for coupon in [&first, &second] {
        world.mirror.redeem(coupon, Redeem::default()).await.unwrap();
    }
    world.mirror.refund(&first, Refund { amount: Some(1_500) }).await.unwrap();
    world.assert_sound(&world.mirror.audit().await);
    assert_eq!(balance().await, 1_000);
    world.clock("2026-09-10T00:00:00+08:00").await;
    // 1000 fen were spent, 250 of them came back.
    assert_eq!(balance().await, 5_250);
    world.assert_sound(&world.mirror.audit().await);
    // After the end a refund goes to the balance at once.
    world.mirror.refund(&second, Refund::default()).await.unwrap();
    assert_eq!(balance().await, 5_750);
    world.assert_sound(&world.mirror.audit().await);
    // With the clock set back, a payment takes it from there again.
    world.clock("2026-08-11T00:00:00+08:00").await;
    world.mirror.redeem(&second, Redeem::default()).await.unwrap();
    assert_eq!(balance().await, 5_250);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_payments_at_once_wins() {
    let world = std::sync::Arc::new(World::new().await);
    let stock = world.running_stock(&stock_body("n1", 10, 1)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (world, coupon) = (std::sync::Arc::clone(&world), coupon.clone());
        tasks.spawn(async move { world.mirror.redeem(&coupon, Redeem::default()).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|won| *won).count(), 1);
    world.assert_sound(&world.mirror.audit().await);
}

/// What a shop, a user and time may do, in any order.
#[derive(Debug, Clone)]
enum Deed {
    Give,
    Redeem { coupon: usize, total: i64 },
    Refund { coupon: usize, amount: Option<i64> },
    Wait { hours: u64 },
    Pause,
    Restart,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => Just(Deed::Give),
        6 => (0..6usize, 2_900..6_000i64).prop_map(|(coupon, total)| Deed::Redeem { coupon, total }),
        6 => (0..6usize, prop::option::of(1..4_000i64)).prop_map(|(coupon, amount)| Deed::Refund { coupon, amount }),
        1 => (1..200u64).prop_map(|hours| Deed::Wait { hours }),
        1 => Just(Deed::Pause),
        1 => Just(Deed::Restart),
    ]
}

async fn live(deeds: Vec<Deed>) {
    let world = World::new().await;
    let stock = world.running_stock(&with(stock_body("n1", 5, 5), "/no_cash", json!(false))).await;
    for (n, deed) in deeds.into_iter().enumerate() {
        let id = |coupon: usize| format!("1818000000000{coupon}");
        match deed {
            Deed::Give => drop(world.give(&stock, USER, &format!("s{n}")).await),
            Deed::Redeem { coupon, total } => {
                let payment = Redeem { total_amount: Some(total), ..Redeem::default() };
                world.mirror.redeem(&id(coupon), payment).await.ok();
            }
            Deed::Refund { coupon, amount } => {
                world.mirror.refund(&id(coupon), Refund { amount }).await.ok();
            }
            Deed::Wait { hours } => {
                world.mirror.advance(Duration::from_secs(hours * 3_600)).await.unwrap();
            }
            Deed::Pause => drop(world.act(&stock, "pause").await),
            Deed::Restart => drop(world.act(&stock, "restart").await),
        }
        world.assert_sound(&world.mirror.audit().await);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_done_the_books_balance(deeds in prop::collection::vec(deed(), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(deeds));
    }
}

#[tokio::test]
async fn long_histories_are_made_quickly() {
    let seed = MerchantSeed { balance_fen: 10_000_000, ..MerchantSeed::new("1900000109") };
    let world = World::with(builder().merchant(seed)).await;
    let stock = world.running_stock(&with(stock_body("n1", 20_000, 1), "/no_cash", json!(false))).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    world.mirror.fill_flow(&stock, 9_999).await.unwrap();
    let target = format!("/_mirror/stocks/{stock}/fill");
    let filled = world.control("POST", &target, &json!({"rows": 10_000})).await.ok();
    assert_eq!(filled, json!({"stock_id": stock, "rows": 10_000}));
    assert_eq!(world.control("POST", &target, &json!({"rows": 1})).await.status, 409);
    let audit = world.mirror.audit().await;
    world.assert_sound(&audit);
    assert_eq!((audit.stocks[0].used, audit.stocks[0].distinct_users), (20_000, 20_000));
    assert!(world.mirror.fill_flow("15399999", 1).await.is_err());
    world.clock(START).await;
    let unstarted = world.created_stock(&stock_body("n2", 10, 1)).await;
    assert!(world.mirror.fill_flow(&unstarted, 1).await.is_err());
}

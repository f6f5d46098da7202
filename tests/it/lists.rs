//! Lists: pages, streams, filters.

use std::time::Duration;

use favor::coupon::ListCoupons;
use favor::prelude::*;
use favor::stock::{ListStocks, ModifyBudget, ModifyDailyBudget, ModifyItems, ModifyMerchants};
use futures_util::TryStreamExt as _;

use crate::harness::{World, openid, refusal};

#[tokio::test]
async fn stocks_come_page_by_page_and_as_a_stream() {
    let world = World::new().await;
    let mut made = Vec::new();
    for at in 0..23 {
        made.push(
            world
                .stocks
                .create(&world.stock_request(10, 1, &format!("s{at}")))
                .await
                .unwrap()
                .stock_id
                .clone(),
        );
    }
    let page = world.stocks.list(&ListStocks::all(), 0).await.unwrap();
    assert_eq!((page.data.len(), page.total_count, page.next()), (10, 23, Some(1)));
    let last = world.stocks.list(&ListStocks::all(), 2).await.unwrap();
    assert_eq!((last.data.len(), last.next()), (3, None));
    let mut all: Vec<StockId> = world
        .stocks
        .list_all(&ListStocks::all().limit(7))
        .map_ok(|stock| stock.stock_id)
        .try_collect()
        .await
        .unwrap();
    all.sort();
    made.sort();
    assert_eq!(all, made, "each stock once");

    world.mirror.advance(Duration::from_secs(61)).await.unwrap();
    world.stocks.start(&made[0]).await.unwrap();
    let running = ListStocks::all().status(StockStatus::Running);
    assert_eq!(world.stocks.list(&running, 0).await.unwrap().total_count, 1);
    let paused = ListStocks::all().status(StockStatus::Paused);
    assert!(world.stocks.list(&paused, 0).await.unwrap().data.is_empty(), "no match is an empty page");
    let now = world.mirror.now();
    let recent = ListStocks::all().created(now - chrono::TimeDelta::hours(1), now);
    assert_eq!(world.stocks.list(&recent, 0).await.unwrap().total_count, 23);

    for wrong in [
        ListStocks::all().limit(11),
        ListStocks::all().limit(0),
        recent.created(now, now - chrono::TimeDelta::hours(1)),
    ] {
        let error = world.stocks.list(&wrong, 0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
}

#[tokio::test]
async fn merchants_and_items_are_listed_and_changed() {
    let world = World::new().await;
    let mut request = world.stock_request(10, 1, "goods");
    let items: Vec<String> = (0..30).map(|at| format!("item-{at:03}")).collect();
    request.coupon_use_rule = request.coupon_use_rule.available_items(items.clone());
    let stock_id = world.running(&request).await;
    let merchants: Vec<MerchantId> = world.stocks.merchants_all(&stock_id).try_collect().await.unwrap();
    assert_eq!(merchants, [world.client.merchant_id().clone()]);
    let mut listed: Vec<String> = world.stocks.items_all(&stock_id).try_collect().await.unwrap();
    listed.sort();
    assert_eq!(listed, items);

    let change = ModifyItems::new(["new-1", "new-2"], ["item-000"]);
    assert!(world.stocks.modify_items(&stock_id, &change).await.unwrap().effect_time.is_some());
    let after: Vec<String> = world.stocks.items_all(&stock_id).try_collect().await.unwrap();
    assert_eq!(after.len(), 31);
    assert!(after.contains(&"new-2".to_owned()) && !after.contains(&"item-000".to_owned()));
    let error = world
        .stocks
        .modify_items(&stock_id, &ModifyItems::new(Vec::<String>::new(), after))
        .await
        .unwrap_err();
    assert_eq!(refusal(&error), (400, "INVALID_REQUEST".into(), Outcome::Refused), "one must remain");
    let error = world.stocks.modify_items(&stock_id, &ModifyItems::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
}

#[tokio::test]
async fn the_unproven_changes_work_where_the_other_side_has_them() {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(10, 1, "budget")).await;
    let fen = |fen| Fen::new(fen).unwrap();
    let raise = ModifyBudget::new(fen(5_000), fen(10_000));
    assert_eq!(world.stocks.modify_budget(&stock_id, &raise).await.unwrap().max_amount, fen(10_000));
    let stale = ModifyBudget::new(fen(5_000), fen(20_000));
    let error = world.stocks.modify_budget(&stock_id, &stale).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Refused, "the budget is no longer what the request says");
    let rule = world.stocks.get(&stock_id).await.unwrap().stock_use_rule.clone().unwrap();
    assert_eq!(rule.max_coupons, Some(20));
    let daily = world.stocks.modify_daily_budget(&stock_id, &ModifyDailyBudget::new(fen(500))).await.unwrap();
    assert_eq!(daily.max_amount_by_day, fen(500));
    let nothing = ModifyMerchants::default();
    assert_eq!(
        world.stocks.modify_merchants(&stock_id, &nothing).await.unwrap_err().kind(),
        ErrorKind::InvalidRequest
    );
}

#[tokio::test]
async fn a_users_coupons_are_listed_by_one_filter() {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(100, 50, "list")).await;
    let person = openid("oList");
    for at in 0..25 {
        world.coupons.send(&person, &world.send_request(&stock_id, &format!("n{at}"))).await.unwrap();
    }
    let creator = world.client.merchant_id().clone();
    let by_creator = ListCoupons::created_by(world.appid.clone(), creator.clone());
    let request = by_creator.clone().stock(stock_id.clone()).limit(10).into();
    let page = world.coupons.list(&person, &request, 0).await.unwrap();
    assert_eq!((page.data.len(), page.total_count), (10, 25));
    let all: Vec<Coupon> = world.coupons.list_all(&person, &request).try_collect().await.unwrap();
    assert_eq!(all.len(), 25);
    let available = ListCoupons::available_at(world.appid.clone(), creator);
    let all: Vec<Coupon> = world.coupons.list_all(&person, &available).try_collect().await.unwrap();
    assert_eq!(all.len(), 25, "usable there");
    let stranger = world.coupons.list(&openid("oNobody"), &request, 0).await.unwrap();
    assert!(stranger.data.is_empty());
    let expired = by_creator.clone().status(CouponStatus::Expired).into();
    assert_eq!(world.coupons.list(&person, &expired, 0).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
    let large = by_creator.limit(21).into();
    assert_eq!(world.coupons.list(&person, &large, 0).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
}

//! Cards, codes and coins are recounted.

use favor_mirror::{ClaimCard, Mirror};
use serde_json::json;

use super::{ANNA, BELA, Cards, base, coupon, member_card};
use crate::harness::{World, builder, damage, with};

#[tokio::test]
async fn a_busy_account_adds_up_and_damage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let cards = Cards::around(World::with(builder().data(&file)).await).await;
    let desk = cards.world.mirror.cards();

    let id = cards.card(&with(coupon(base()), "/card/groupon/base_info/get_limit", json!(9))).await;
    let kept = desk.claim(ClaimCard::card(ANNA, &id)).await.unwrap();
    let given = desk.claim(ClaimCard::card(ANNA, &id)).await.unwrap();
    desk.gift(&given.code).await.unwrap();
    desk.accept(&given.code, BELA).await.unwrap();
    desk.redeem(&kept.code).await.unwrap();
    desk.remove(&kept.code).await.unwrap();
    cards.ok("/card/modifystock", &json!({"card_id": id, "increase_stock_value": 7})).await;
    cards.ok("/card/modifystock", &json!({"card_id": id, "reduce_stock_value": 3})).await;

    let mut pooled = coupon(base());
    pooled["card"]["groupon"]["base_info"]["use_custom_code"] = json!(true);
    pooled["card"]["groupon"]["base_info"]["get_custom_code_mode"] = json!("GET_CUSTOM_CODE_MODE_DEPOSIT");
    pooled["card"]["groupon"]["base_info"]["sku"]["quantity"] = json!(0);
    let pool = cards.card(&pooled).await;
    cards.ok("/card/code/deposit", &json!({"card_id": pool, "code": ["A-1", "A-2"]})).await;
    cards.ok("/card/modifystock", &json!({"card_id": pool, "increase_stock_value": 2})).await;
    let own = desk.claim(ClaimCard::card(ANNA, &pool)).await.unwrap();
    let held =
        favor_mirror::CardAct { card_id: Some(pool.clone()), ..favor_mirror::CardAct::from(&own.code) };
    desk.gift(held.clone()).await.unwrap();
    desk.accept(held, BELA).await.unwrap();
    let member = cards.card(&member_card()).await;
    desk.claim(ClaimCard::card(BELA, &member)).await.unwrap();
    let order = cards.ok("/card/pay/recharge", &json!({"coin_count": 9})).await["order_id"].clone();
    desk.pay_coins(order.as_str().unwrap(), None).await.unwrap();

    cards.world.assert_sound(&cards.world.mirror.audit().await);
    cards.world.mirror.shutdown().await;

    assert!(Mirror::audit_file(&file).await.unwrap().ok);
    damage(&file, &format!("UPDATE cards SET quantity = quantity - 1 WHERE card_id = '{id}'"));
    damage(&file, "UPDATE card_coins SET paid = 10");
    damage(&file, &format!("UPDATE card_codes SET state = 'DEPOSITED' WHERE code = '{}'", own.code));
    let audit = Mirror::audit_file(&file).await.unwrap();
    let mut found: Vec<_> =
        audit.findings.iter().map(|finding| (finding.check, finding.subject.as_str())).collect();
    found.sort_unstable();
    let appid = "wx00000000000000aa";
    let mut wanted = [
        ("card.stock", id.as_str()),
        ("card.stock", pool.as_str()),
        ("code.holder", own.code.as_str()),
        ("coins.balance", appid),
    ];
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{:?}", audit.findings);
}

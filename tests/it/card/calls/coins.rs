//! Card coins, and cards sent as messages.

use favor_card::*;
use serde_json::json;

use crate::card::desk::{ANNA, BELA, Desk, coupon, person};

/// Coins that are granted, bought, and spent on stock.
pub async fn life(desk: &Desk) {
    let coins = Coins::new(&desk.client);
    let card_id = desk.card(coupon()).await;
    let granted = coins.activate().await.unwrap().reward.unwrap();
    assert!(granted > 0);
    let held = coins.balance().await.unwrap();
    assert_eq!((held.free_coin, held.pay_coin, held.total_coin), (Some(granted), Some(0), Some(granted)));
    let recharge = coins.recharge(150).await.unwrap();
    assert!(QrImage::of(recharge.qrcode_url.as_deref().unwrap()).is_ok());
    desk.act("coins/pay", json!({"order_id": recharge.order_id, "openid": ANNA})).await;
    assert_eq!(coins.balance().await.unwrap().pay_coin, Some(150));

    let price = coins.price(&card_id, granted + 100).await.unwrap();
    assert_eq!(price.price.as_deref(), Some((granted + 100).to_string().as_str()));
    coins.confirm(&card_id, &price.order_id, granted + 100).await.unwrap();
    let again = coins.confirm(&card_id, &price.order_id, granted + 100).await.unwrap_err();
    assert_eq!(again.outcome(), Outcome::Refused, "a price is for once");
    assert_eq!(coins.balance().await.unwrap().total_coin, Some(50));
    let card = Cards::new(&desk.client).get(&card_id).await.unwrap();
    assert_eq!(card.card.base_info().unwrap().sku.quantity, granted + 105);

    let order = coins.order(&recharge.order_id).await.unwrap();
    assert_eq!(order.order_info.order_type, Some(CoinOrderType::WeChatPay));
    assert_eq!(
        (order.order_info.status.clone(), order.order_info.pay_coin_count),
        (Some(CoinOrderStatus::Succeeded), Some(150))
    );
    let list = ListCoinOrders::new(0, 10)
        .order_type(CoinOrderType::WeChatPay)
        .sort_info(CoinOrderSort::newest_first());
    assert_eq!(coins.orders(&list).await.unwrap().order_list.len(), 1);
}

/// A card to one user, to a tag, to some users, and shown to one before.
pub async fn messages(desk: &Desk) {
    let messages = Messages::new(&desk.client);
    let card_id = desk.card(coupon()).await;
    desk.claim(&card_id).await;
    messages.send(&person(ANNA), &card_id).await.unwrap();
    let signed = desk.client.sign_cards(&[CardExt::new(card_id.clone())]).await.unwrap().remove(0);
    let card = CardMessage::new(card_id.clone()).signed(&signed);
    let sent = messages.send_to_users(&[person(ANNA), person(BELA)], &card).await.unwrap();
    let taken = desk.act("claim", json!({"openid": BELA, "msg_id": sent.msg_id.unwrap()})).await;
    assert_eq!(taken["card_id"], json!(card_id));
    let card = CardMessage::new(card_id);
    assert!(messages.send_to_tag(2, &card).await.unwrap().msg_id.is_some());
    assert!(messages.send_to_all(&card).await.unwrap().msg_id.is_some());
    messages.preview(&PreviewTo::OpenId(person(ANNA)), &card).await.unwrap();
    messages.preview(&PreviewTo::WeChatId(Personal::new("anna")), &card).await.unwrap();
}

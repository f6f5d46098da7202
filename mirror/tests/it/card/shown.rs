//! What displays show, as methods.

use favor_mirror::{CodeFilter, MirrorError};
use serde_json::{Value, json};

use super::{ANNA, BELA, Cards, base, coupon, member_card};

#[tokio::test]
async fn cards_and_codes_are_shown_by_methods() {
    let cards = Cards::new().await;
    let desk = cards.world.mirror.cards();
    let tea = cards.card(&coupon(base())).await;
    let member = cards.card(&member_card()).await;
    let first = cards.claim(&tea, ANNA).await;
    let second = cards.claim(&tea, BELA).await;
    let third = cards.claim(&member, ANNA).await;
    cards.act("redeem", &json!({ "code": first })).await.ok();
    let info = json!({"card": {"card_id": tea, "outer_str": "poster-7"}});
    let made = json!({"action_name": "QR_CARD", "expire_seconds": 60, "action_info": info});
    let ticket = cards.ok("/card/qrcode/create", &made).await["ticket"].clone();
    let by_http = async |target: &str| {
        cards.world.control("GET", &format!("/_mirror/card/{target}"), &Value::Null).await.ok()
    };

    let list = desk.cards(None, 10).await.unwrap();
    assert_eq!(list.total, 2);
    assert_eq!(list.cards.iter().map(|card| &card.card_id).collect::<Vec<_>>(), [&member, &tea]);
    assert_eq!((list.cards[1].quantity, list.cards[1].claimed, list.cards[1].redeemed), (3, 2, 1));
    assert_eq!(by_http("cards").await, serde_json::to_value(&list).unwrap());
    let newest = desk.cards(Some(&list.cards[0].appid), 1).await.unwrap();
    assert_eq!((newest.total, &newest.cards[..]), (2, &list.cards[..1]));
    assert_eq!(desk.cards(Some("wx0"), 10).await.unwrap().total, 0);

    let card = desk.card(&tea).await.unwrap();
    assert_eq!(card.card, list.cards[1]);
    assert_eq!(card.card.codes, "server");
    assert_eq!(card.body["deal_detail"], "2 pots of tea");
    assert_eq!(card.code_counts, [("CONSUMED".to_owned(), 1), ("NORMAL".to_owned(), 1)].into());
    let code = &card.qrcodes[0];
    assert_eq!((json!(code.ticket), code.outer_str.as_str(), code.over), (ticket, "poster-7", false));
    assert_eq!(by_http(&format!("cards/{tea}")).await, serde_json::to_value(&card).unwrap());
    let missing = desk.card("p1").await;
    assert!(matches!(missing, Err(MirrorError::NotFound { what: "card" })), "{missing:?}");

    let all = desk.held_codes(CodeFilter::default(), 10).await.unwrap();
    assert_eq!(all.iter().map(|code| &code.code).collect::<Vec<_>>(), [&third, &second, &first]);
    assert_eq!(all[2].user_card_status, "CONSUMED");
    assert_eq!(by_http("codes").await["codes"], serde_json::to_value(&all).unwrap());
    let of = CodeFilter { card_id: Some(tea), openid: Some(ANNA.to_owned()), before: None };
    assert_eq!(desk.held_codes(of, 10).await.unwrap(), all[2..]);
    let before = CodeFilter { before: Some(all[0].id), ..CodeFilter::default() };
    assert_eq!(desk.held_codes(before, 1).await.unwrap(), all[1..2]);
    let nowhere = CodeFilter { card_id: Some("p1".to_owned()), ..CodeFilter::default() };
    assert!(matches!(desk.held_codes(nowhere, 10).await, Err(MirrorError::NotFound { .. })));
}

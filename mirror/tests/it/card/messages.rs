//! Cards sent as messages, and what a page hands to the phone.

use std::time::Duration;

use favor_mirror::ClaimCard;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::{ANNA, BELA, Cards, base, coupon};
use crate::harness::{fetch, with};

const CUSTOM: &str = "/cgi-bin/message/custom/send";
const TAG: &str = "/cgi-bin/message/mass/sendall";
const USERS: &str = "/cgi-bin/message/mass/send";
const PREVIEW: &str = "/cgi-bin/message/mass/preview";

/// A signed `cardExt`, as text.
async fn ext(cards: &Cards, card_id: &str, nonce: &str, code: Option<&str>) -> String {
    let target = format!("/cgi-bin/ticket/getticket?access_token={}&type=wx_card", cards.token);
    let ticket = fetch(cards.world.request("GET", &target, "")).await.unwrap().ok();
    let mut values = vec![ticket["ticket"].as_str().unwrap(), card_id, "1700000000", nonce];
    values.extend(code);
    values.sort_unstable();
    let digest = Sha1::digest(values.concat());
    let signature: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut ext = json!({"timestamp": "1700000000", "nonce_str": nonce, "signature": signature});
    if let Some(code) = code {
        ext["code"] = code.into();
    }
    ext.to_string()
}

fn message(card_id: &str) -> Value {
    json!({"msgtype": "wxcard", "wxcard": {"card_id": card_id}})
}

#[tokio::test]
async fn a_page_is_good_for_each_user_once() {
    let cards = Cards::new().await;
    let desk = cards.world.mirror.cards();
    let id = cards.card(&coupon(base())).await;
    let (one, two) = (ext(&cards, &id, "one", None).await, ext(&cards, &id, "two", None).await);
    desk.claim(ClaimCard::page(ANNA, &id, &one)).await.unwrap();
    let again = desk.claim(ClaimCard::page(ANNA, &id, &one)).await.unwrap_err().to_string();
    assert!(again.contains("errcode 40080") && again.contains("fresh"), "{again}");
    // What is not signed does not make it another one.
    let scene = with(serde_json::from_str(&one).unwrap(), "/outer_str", json!("other")).to_string();
    desk.claim(ClaimCard::page(ANNA, &id, scene)).await.unwrap_err();
    // The page is somebody else's too, and a fresh one is anybody's.
    desk.claim(ClaimCard::page(BELA, &id, &one)).await.unwrap();
    desk.claim(ClaimCard::page(ANNA, &id, &two)).await.unwrap();
    // A claim that comes to nothing uses nothing up.
    let full = ext(&cards, &id, "three", None).await;
    let refused = desk.claim(ClaimCard::page(ANNA, &id, &full)).await.unwrap_err().to_string();
    assert!(refused.contains("45033"), "{refused}");
    let more = json!({"card_id": id, "base_info": {"get_limit": 9}});
    cards.ok("/card/update", &json!({"card_id": id, "groupon": more})).await;
    cards.act(&format!("cards/{id}/review"), &Value::Null).await;
    desk.claim(ClaimCard::page(ANNA, &id, &full)).await.unwrap();
}

#[tokio::test]
async fn users_claim_from_messages() {
    let cards = Cards::new().await;
    let desk = cards.world.mirror.cards();
    let id = cards.card(&coupon(base())).await;
    let signed = ext(&cards, &id, "mass", None).await;
    let mass = with(with(message(&id), "/touser", json!([ANNA, BELA])), "/wxcard/card_ext", json!(signed));
    let sent = cards.ok(USERS, &mass).await;
    let msg_id = sent["msg_id"].as_i64().unwrap();
    assert_eq!(sent["msg_data_id"], msg_id);
    // Its ticket may run out before it is opened.
    cards.world.mirror.advance(Duration::from_secs(3 * 60 * 60)).await.unwrap();
    for openid in [ANNA, BELA] {
        assert_eq!(desk.claim(ClaimCard::message(openid, msg_id)).await.unwrap().card_id, id);
    }
    desk.claim(ClaimCard::message(ANNA, msg_id)).await.unwrap_err();
    let stranger = desk.claim(ClaimCard::message("oSomebodyElse", msg_id)).await.unwrap_err().to_string();
    assert!(stranger.contains("40003"), "{stranger}");
    desk.claim(ClaimCard::message(ANNA, 99)).await.unwrap_err();
    // By HTTP too.
    assert_eq!(cards.act("claim", &json!({"openid": ANNA, "msg_id": msg_id})).await.status, 409);

    let cards = Cards::around(cards.world).await;
    let tag = with(message(&id), "/filter", json!({"is_to_all": false, "tag_id": 2}));
    let tagged = cards.ok(TAG, &tag).await["msg_id"].as_i64().unwrap();
    desk.claim(ClaimCard::message("oSomebodyElse", tagged)).await.unwrap();
    cards.ok(TAG, &with(message(&id), "/filter", json!({"is_to_all": true}))).await;
    cards.ok(PREVIEW, &with(message(&id), "/towxname", json!("anna"))).await;
    let kept = desk.messages(10).await.unwrap();
    let calls: Vec<_> = kept.iter().map(|message| message.call.as_str()).collect();
    assert_eq!(calls, ["card.message_preview", "card.message_tag", "card.message_tag", "card.message_users"]);
    assert_eq!((kept[0].wechat_id.as_deref(), kept[1].to_all, kept[2].tag_id), (Some("anna"), true, Some(2)));
    assert_eq!(
        (&kept[3].openids[..], kept[3].card_ext.as_deref()),
        (&[ANNA.to_owned(), BELA.to_owned()][..], Some(&*signed))
    );
    let by_http = cards.world.control("GET", "/_mirror/card/messages?limit=1", &Value::Null).await.ok();
    assert_eq!(by_http["messages"], serde_json::to_value(&kept[..1]).unwrap());
    cards.world.assert_sound(&cards.world.mirror.audit().await);
}

#[tokio::test]
async fn an_account_answers_users_for_two_days() {
    let cards = Cards::new().await;
    let desk = cards.world.mirror.cards();
    let id = cards.card(&coupon(base())).await;
    let send = with(message(&id), "/touser", json!(ANNA));
    assert_eq!(cards.errcode(CUSTOM, &send).await, 45015, "she has done nothing yet");
    let code = cards.claim(&id, ANNA).await;
    let told = cards.ok(CUSTOM, &send).await;
    assert!(told.get("msg_id").is_none());
    cards.world.mirror.advance(Duration::from_secs(48 * 60 * 60 + 1)).await.unwrap();
    let cards = Cards::around(cards.world).await;
    assert_eq!(cards.errcode(CUSTOM, &send).await, 45015);
    // What the merchant does is not hers.
    cards.ok("/card/code/consume", &json!({ "code": code })).await;
    assert_eq!(cards.errcode(CUSTOM, &send).await, 45015);
    desk.enter_session(&code).await.unwrap();
    cards.ok(CUSTOM, &send).await;
    assert_eq!(desk.messages(10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn messages_are_checked() {
    let cards = Cards::new().await;
    let id = cards.card(&coupon(base())).await;
    let users = with(message(&id), "/touser", json!([ANNA, BELA]));
    let foreign = with(users.clone(), "/wxcard/card_id", json!("pNone"));
    let waiting = cards.ok("/card/create", &coupon(base())).await["card_id"].clone();
    let other = ext(&cards, "pOther", "n", None).await;
    for (path, body, errcode) in [
        (USERS, with(users.clone(), "/msgtype", json!("text")), 40008),
        (USERS, foreign, 40073),
        (USERS, with(users.clone(), "/touser", json!([ANNA])), 40031),
        (USERS, with(users.clone(), "/touser", json!([ANNA, "茶"])), 40031),
        (USERS, with(users.clone(), "/wxcard/card_ext", json!(other)), 40080),
        (USERS, with(users.clone(), "/wxcard/card_ext", json!("{")), 40080),
        (USERS, with(users.clone(), "/wxcard/card_id", waiting.clone()), 40078),
        (USERS, json!({"msgtype": "wxcard", "touser": [ANNA, BELA]}), 41011),
        (TAG, message(&id), 41011),
        (TAG, with(message(&id), "/filter", json!({"is_to_all": false})), 41011),
        (PREVIEW, message(&id), 41009),
        (CUSTOM, message(&id), 41009),
    ] {
        assert_eq!(cards.errcode(path, &body).await, errcode, "{path} {body}");
    }
    let preview = with(with(message(&id), "/wxcard/card_id", waiting), "/touser", json!(ANNA));
    assert!(cards.ok(PREVIEW, &preview).await["msg_id"].is_i64(), "a preview is for cards in review too");
    cards.ok("/card/delete", &json!({ "card_id": id })).await;
    assert_eq!(cards.errcode(USERS, &users).await, 40073);
}

#[tokio::test]
async fn a_card_with_own_codes_needs_one_in_its_message() {
    let cards = Cards::new().await;
    let id = cards.card(&with(coupon(base()), "/card/groupon/base_info/use_custom_code", json!(true))).await;
    cards.act("claim", &json!({"openid": ANNA, "card_id": id, "code": "A-1"})).await.ok();
    assert_eq!(cards.errcode(CUSTOM, &with(message(&id), "/touser", json!(ANNA))).await, 45030);
    let preview = with(message(&id), "/touser", json!(BELA));
    assert_eq!(cards.errcode(PREVIEW, &preview).await, 40080);
    let bare = ext(&cards, &id, "n", None).await;
    assert_eq!(cards.errcode(PREVIEW, &with(preview.clone(), "/wxcard/card_ext", json!(bare))).await, 40080);
    let named = ext(&cards, &id, "n", Some("B-2")).await;
    let sent = cards.ok(PREVIEW, &with(preview, "/wxcard/card_ext", json!(named))).await;
    let claim = ClaimCard::message(BELA, sent["msg_id"].as_i64().unwrap());
    assert_eq!(cards.world.mirror.cards().claim(claim).await.unwrap().code, "B-2");
}

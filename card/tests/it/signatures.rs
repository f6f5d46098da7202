//! The vectors of the reference (V1–V7), and what pages are given.

use chrono::DateTime;
use favor_card::{
    AppId, AppSecret, CardExt, CardId, CardTicket, CardType, ChooseCard, Code, Fen, JsapiTicket, OpenId,
    PageConfig, Timestamp, sign_values, verify_cell_link,
};
use favor_core::ManualClock;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::server::{APP_ID, OPENID, SECRET, Server, card_id, code, openid};

const TICKET: &str = "kQx7TESTapiTicket0001";
const NONCE: &str = "Nn9aZ";

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap().fixed_offset()
}

fn ticket() -> CardTicket {
    CardTicket::new(TICKET).unwrap()
}

#[test]
fn v1_the_vendors_own() {
    let ticket = CardTicket::new("ojZ8YtyVyr30HheH3CM73y7h4jJE").unwrap();
    let card = CardExt::new(CardId::new("pjZ8Yt1XGILfi-FUsewpnnolGgZk").unwrap()).code(code("1434008071"));
    let signed = card.sign(&ticket, at(1_404_896_688), "123").unwrap();
    assert_eq!(signed.signature(), "f137ab68b7f8112d20ee528ab6074564e2796250");
}

#[test]
fn v2_and_v3_with_and_without_code_and_openid() {
    let full = CardExt::new(card_id(1)).code(code("880012345678")).openid(openid());
    let signed = full.sign(&ticket(), at(1_700_000_000), NONCE).unwrap();
    assert_eq!(signed.signature(), "e554d420c6273de4165d53334ae6bab6a85250cc");
    let bare = CardExt::new(card_id(1)).sign(&ticket(), at(1_700_000_000), NONCE).unwrap();
    assert_eq!(bare.signature(), "aab23642b842294a4deee690235e9d07003e048a");
}

#[test]
fn the_page_gets_a_text_in_a_list_and_what_is_not_signed_changes_nothing() {
    let plain = CardExt::new(card_id(1)).sign(&ticket(), at(1_700_000_000), NONCE).unwrap();
    let more = CardExt::new(card_id(1))
        .outer_str("poster-7 \"券\"")
        .outer_id(7)
        .fixed_begintimestamp(at(1_699_000_000))
        .sign(&ticket(), at(1_700_000_000), NONCE)
        .unwrap();
    assert_eq!(plain.signature(), more.signature());
    let entry = more.entry();
    assert_eq!(entry["cardId"], card_id(1).as_str());
    let ext: Value = serde_json::from_str(entry["cardExt"].as_str().unwrap()).unwrap();
    assert_eq!(
        ext,
        json!({"timestamp":"1700000000","nonce_str":NONCE,"fixed_begintimestamp":1_699_000_000,
            "outer_str":"poster-7 \"券\"","outer_id":7,"signature":"aab23642b842294a4deee690235e9d07003e048a"})
    );
    let packet = CardExt::new(card_id(1)).balance(Fen::new(500).unwrap());
    let signed = packet.sign(&ticket(), at(1_700_000_000), NONCE).unwrap();
    assert_eq!(signed.signature(), sign_values(&[TICKET, "1700000000", card_id(1).as_str(), NONCE, "500"]));
}

#[test]
fn v4_and_v5_choosing() {
    let app_id = AppId::new(APP_ID).unwrap();
    let narrow = ChooseCard::new().shop_id("402521653").card_type(CardType::Groupon).card_id(card_id(1));
    let signed = narrow.sign(&ticket(), &app_id, at(1_700_000_000), NONCE).unwrap();
    assert_eq!(signed.card_sign, "106f4179835b67dbe22416d66de91b3c498222eb");
    assert_eq!(
        serde_json::to_value(&signed).unwrap(),
        json!({"shopId":"402521653","cardType":"GROUPON","cardId":card_id(1).as_str(),"timestamp":1_700_000_000,
            "nonceStr":NONCE,"signType":"SHA1","cardSign":"106f4179835b67dbe22416d66de91b3c498222eb"})
    );
    let wide = ChooseCard::new().sign(&ticket(), &app_id, at(1_700_000_000), NONCE).unwrap();
    assert_eq!(wide.card_sign, "6a25eee9ad14640daf185fc3fd52501640c545bb");
}

#[test]
fn v6_a_page() {
    let ticket = JsapiTicket::new(
        "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg",
    )
    .unwrap();
    let app_id = AppId::new(APP_ID).unwrap();
    for url in ["http://mp.weixin.qq.com?params=value", "http://mp.weixin.qq.com?params=value#here#there"] {
        let page = PageConfig::sign(&ticket, &app_id, url, at(1_414_587_457), "Wm3WZYTPz0wzccnW").unwrap();
        assert_eq!(page.signature, "0f9de62fce790f9a083d5c99e95740ceb90c27ed");
        let json = serde_json::to_value(&page).unwrap();
        assert_eq!((&json["appId"], &json["timestamp"]), (&json!(APP_ID), &json!(1_414_587_457)));
        assert_eq!(json["jsApiList"], json!(["addCard", "chooseCard", "openCard"]));
    }
}

#[test]
fn v7_a_cell_link() {
    let secret = AppSecret::new(SECRET).unwrap();
    let signature = "dde473891454da89de4c6f7e6719f134ed02298b";
    assert!(verify_cell_link(&secret, &code("880012345678"), &card_id(1), signature));
    assert!(!verify_cell_link(&secret, &code("880012345679"), &card_id(1), signature));
    assert!(!verify_cell_link(&secret, &code("880012345678"), &card_id(1), ""));
}

#[test]
fn what_breaks_a_limit_is_not_signed() {
    let card = CardExt::new(card_id(1));
    for nonce in ["", "has space", "券", &"a".repeat(33), "a-b"] {
        let error = card.sign(&ticket(), at(1_700_000_000), nonce).unwrap_err();
        assert!(error.to_string().contains("nonce_str must be 1 to 32 letters and digits"), "{error}");
    }
    let error = card.sign(&ticket(), at(2_147_483_648), NONCE).unwrap_err();
    assert!(error.to_string().contains("2038-01-19"), "{error}");
    let long = card.clone().code(Code::new("1".repeat(21)).unwrap());
    let error = long.sign(&ticket(), at(1_700_000_000), NONCE).unwrap_err();
    assert!(error.to_string().contains("at most 20 bytes"), "{error}");
    assert!(CardTicket::new("").is_err());
    let page = JsapiTicket::new("t").unwrap();
    let app_id = AppId::new(APP_ID).unwrap();
    let error = PageConfig::sign(&page, &app_id, "ftp://x", at(1), NONCE).unwrap_err();
    assert!(error.to_string().contains("http"), "{error}");
}

#[tokio::test]
async fn a_client_signs_many_with_the_ticket_of_now_and_a_nonce_for_each() {
    let server = Server::start().await;
    server.direct("/cgi-bin/ticket/getticket", |seen| {
        let ticket = if seen.query.ends_with("wx_card") { TICKET } else { "page-ticket" };
        (200, json!({"errcode":0,"errmsg":"ok","ticket":ticket,"expires_in":7200}).to_string())
    });
    let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_700_000_000, 0).unwrap()));
    let client = server.builder().clock(clock).build().unwrap();
    let cards = [CardExt::new(card_id(1)), CardExt::new(card_id(2)).openid(OpenId::new(OPENID).unwrap())];
    let signed = client.sign_cards(&cards).await.unwrap();
    let ext: Vec<Value> = signed.iter().map(|card| serde_json::from_str(&card.card_ext()).unwrap()).collect();
    assert_ne!(ext[0]["nonce_str"], ext[1]["nonce_str"]);
    for (ext, card) in ext.iter().zip(&cards) {
        let nonce = ext["nonce_str"].as_str().unwrap();
        let openid = card.openid.as_ref().map_or("", OpenId::as_str);
        let expected = sign_values(&[TICKET, "1700000000", card.card_id.as_str(), openid, nonce]);
        assert_eq!(ext["signature"], expected);
    }
    let choice = client.sign_choice(&ChooseCard::new()).await.unwrap();
    assert_eq!(choice.card_sign, sign_values(&[TICKET, APP_ID, "1700000000", &choice.nonce_str]));
    let page = client.sign_page("https://shop.example/cards?a=1#b").await.unwrap();
    assert_eq!((page.timestamp, page.signature.len()), (1_700_000_000, 40));
    assert_eq!(server.count("/cgi-bin/ticket/getticket"), 2, "one of each");
}

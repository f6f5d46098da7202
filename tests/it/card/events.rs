//! What the mirror pushes, read by the client's receiver behind axum.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{FromRef, State};
use favor_card::event::{
    Answer, ConsumeSource, EncodingAesKey, Event, Message, Pushed, Receiver, Token, UrlCheck,
};
use favor_card::*;
use serde_json::{Value, json};

use super::desk::{ANNA, BELA, Desk, PICTURE, PNG, base, code_of, coupon, member_card};

const TOKEN: &str = "merchantToken01";
/// Its last character has bits to spare, as those of most keys.
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// A shop's server.
#[derive(Clone)]
struct Shop {
    receiver: Receiver,
    heard: Arc<Mutex<Vec<Message>>>,
    /// So many messages it cannot store.
    fails: Arc<AtomicUsize>,
    /// Whether it thanks those whom an event is about.
    thanks: Arc<AtomicBool>,
}

impl FromRef<Shop> for Receiver {
    fn from_ref(shop: &Shop) -> Self {
        shop.receiver.clone()
    }
}

async fn check(UrlCheck(answer): UrlCheck) -> Answer {
    answer
}

async fn hear(State(shop): State<Shop>, Pushed(received): Pushed) -> Answer {
    shop.heard.lock().unwrap().push((*received).clone());
    let fails = shop.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |fails| fails.checked_sub(1));
    if fails.is_ok() {
        return Answer::try_later();
    }
    let thanks = format!(
        "<xml><ToUserName>{}</ToUserName><FromUserName>{}</FromUserName><CreateTime>{}</CreateTime>\
         <MsgType>text</MsgType><Content><![CDATA[谢谢]]></Content></xml>",
        received.from_user_name.as_str(),
        received.to_user_name,
        received.create_time.timestamp()
    );
    let is_sealed = received.is_encrypted();
    let success = received.done();
    match shop.thanks.load(Ordering::SeqCst) {
        true if is_sealed => Answer::xml(shop.receiver.seal(&thanks).unwrap()),
        true => Answer::xml(thanks),
        false => success,
    }
}

impl Shop {
    /// A server whose address the account has.
    async fn open(desk: &Desk, mode: &str) -> Self {
        let receiver = Receiver::new(Token::new(TOKEN).unwrap(), desk.client.app_id().clone());
        let receiver = receiver.clock(desk.clock.clone());
        let receiver =
            if mode == "plain" { receiver } else { receiver.key(EncodingAesKey::new(KEY).unwrap()) };
        let shop = Self { receiver, heard: Arc::default(), fails: Arc::default(), thanks: Arc::default() };
        let router = axum::Router::new()
            .route("/wechat", axum::routing::get(check).post(hear))
            .with_state(shop.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/wechat", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let account = json!({"url": url, "token": TOKEN, "encoding_aes_key": KEY, "mode": mode});
        assert_eq!(desk.act("accounts", account).await["url"], url, "it answered the echostr");
        shop
    }

    /// What came by now. Moving the clock waits until everything due was tried.
    async fn hear(&self, desk: &Desk) -> Vec<Message> {
        desk.advance(Duration::from_secs(1)).await;
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

/// What became of all events.
async fn states(desk: &Desk) -> BTreeSet<String> {
    let events = desk.look("events?limit=1000").await;
    let all = events["events"].as_array().unwrap().clone();
    all.iter().map(|event| event["state"].as_str().unwrap().to_owned()).collect()
}

/// What of a coupon is told: approval, refusal, claim, gift, redemption, payment, deletion, low stock.
async fn coupons(desk: &Desk) {
    let mut card = coupon();
    card.base_info = base().get_limit(200);
    card.base_info.sku = Sku::new(201);
    let card_id = desk.card(card).await;
    let refused = Cards::new(&desk.client).create(&coupon().into()).await.unwrap();
    desk.act(&format!("cards/{}/review", refused.card_id), json!({"refused": "标志不清"})).await;

    let code = desk.act("claim", json!({"card_id": card_id, "openid": ANNA, "outer_str": "poster-7"})).await;
    let code = code_of(&code);
    desk.act("gift", json!({"code": code, "openid": BELA})).await;
    let new = code_of(&desk.act("accept", json!({"code": code, "openid": BELA})).await);
    Codes::new(&desk.client).consume(&CodeRef::new(new)).await.unwrap();
    Cards::new(&desk.client).set_pay_cell(&card_id, true).await.unwrap();
    let code = desk.claim(&card_id).await;
    desk.act("pay", json!({"code": code, "fee": 8_500, "original_fee": 10_000, "location_id": 300_001}))
        .await;
    desk.act("remove", json!({ "code": code })).await;
    // 201 in all: two claims and a new code for the friend are made.
    for _ in 0..99 {
        desk.claim(&card_id).await;
    }
}

/// What of a member card is told: form, views, chat, points; and the review of a sub-merchant.
async fn members(desk: &Desk) {
    let card_id = desk.card(member_card()).await;
    let code = desk.claim(&card_id).await;
    for what in ["submit-form", "view", "enter-session"] {
        desk.act(what, json!({ "code": code })).await;
    }
    let update = UpdateMember::new(code, card_id).add_bonus(3);
    MemberCards::new(&desk.client).update(&update).await.unwrap();

    let paper = Picture::new("paper.png", PNG).unwrap();
    let paper = Media::new(&desk.client).upload_media(&paper).await.unwrap().media_id.clone();
    let info = SubMerchantSubmission::new("茶角", PICTURE, paper.clone(), desk.in_days(100), 1, 101);
    let info = info.agreement_media_id(paper);
    let id = SubMerchants::new(&desk.client).create(&info).await.unwrap().info.merchant_id;
    desk.act(&format!("sub-merchants/{id}/review"), json!({"refused": "执照过期"})).await;
}

/// What of a gift card is told: bought, sent, taken.
async fn gifts(desk: &Desk) {
    let (card_id, page_id) = super::calls::gifts::page(desk).await;
    let buy = json!({"page_id": page_id, "openid": ANNA, "card_ids": [card_id]});
    let order = desk.act("gift-cards/buy", buy).await["order_id"].clone();
    desk.act("gift-cards/send", json!({ "order_id": order })).await;
    desk.act("gift-cards/accept", json!({"order_id": order, "openid": BELA})).await;
}

/// What must stand in the events of each kind.
fn assert_told(name: &str, event: &Event) {
    match event {
        Event::CardNotPassed(event) => assert_eq!(event.refuse_reason.as_deref(), Some("标志不清")),
        Event::CardClaimed(event) => {
            assert!(event.code.is_some());
            assert_eq!(event.is_give_by_friend, event.old_code.is_some());
            assert_eq!(
                event.is_give_by_friend,
                event.friend.as_ref().is_some_and(|friend| friend.as_str() == ANNA)
            );
        }
        Event::CardGifting(event) => assert_eq!(event.friend.as_ref().unwrap().as_str(), BELA),
        Event::CardConsumed(event) => {
            assert_eq!(
                (&event.consume_source, event.outer_str.as_deref()),
                (&Some(ConsumeSource::Api), Some("poster-7"))
            );
        }
        Event::CardPaid(event) => {
            assert_eq!((event.fee.unwrap().get(), event.original_fee.unwrap().get()), (8_500, 10_000));
            assert_eq!(event.location_id, Some(300_001));
        }
        Event::MemberCardUpdated(event) => {
            assert_eq!((event.modify_bonus, event.modify_balance), (Some(3), Some(0)))
        }
        Event::StockLow(event) => assert!(event.detail.as_ref().unwrap().contains("100"), "{event:?}"),
        Event::SubMerchantReviewed(event) => {
            assert_eq!((event.is_pass, event.reason.as_deref()), (false, Some("执照过期")));
        }
        Event::Unknown => panic!("{name} is not read"),
        _ => {}
    }
}

async fn every_event_in(mode: &str) {
    let desk = Desk::new().await;
    let shop = Shop::open(&desk, mode).await;
    coupons(&desk).await;
    members(&desk).await;
    gifts(&desk).await;
    Coins::new(&desk.client).activate().await.unwrap();
    let heard = shop.hear(&desk).await;
    assert_eq!(states(&desk).await, BTreeSet::from(["delivered".to_owned()]));

    let mut kinds = BTreeMap::new();
    for message in &heard {
        assert_eq!(message.is_encrypted(), mode != "plain", "{message:?}");
        assert!(message.to_user_name.starts_with("gh_"), "{message:?}");
        assert_told(&message.name, &message.event);
        *kinds.entry(message.name.as_str()).or_insert(0) += 1;
    }
    let wanted: BTreeSet<&str> = Event::KNOWN.iter().copied().collect();
    assert_eq!(kinds.keys().copied().collect::<BTreeSet<_>>(), wanted);
    assert_eq!((kinds["user_get_card"], kinds["card_sku_remind"], kinds["card_pass_check"]), (104, 1, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_read_in_plain() {
    every_event_in("plain").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_read_in_compatible_mode() {
    every_event_in("compatible").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_read_in_secure_mode() {
    every_event_in("secure").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_in_return_are_taken() {
    for mode in ["plain", "secure"] {
        let desk = Desk::new().await;
        let shop = Shop::open(&desk, mode).await;
        shop.thanks.store(true, Ordering::SeqCst);
        desk.card(coupon()).await;
        assert_eq!(shop.hear(&desk).await.len(), 1);
        assert_eq!(states(&desk).await, BTreeSet::from(["delivered".to_owned()]), "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_stored_comes_again_and_what_was_does_not() {
    let desk = Desk::new().await;
    let shop = Shop::open(&desk, "secure").await;
    shop.fails.store(2, Ordering::SeqCst);
    let card_id = desk.card(coupon()).await;
    let mut heard = Vec::new();
    for _ in 0..30 {
        heard.extend(shop.hear(&desk).await);
    }
    assert_eq!(heard.len(), 3, "stored at the third attempt, five seconds apart");
    assert!(heard.iter().all(|message| message.key() == heard[0].key()));
    let Event::CardPassed(event) = &heard[2].event else { panic!("{:?}", heard[2]) };
    assert_eq!(event.card_id, card_id);
    let told = desk.look("events").await;
    assert_eq!(
        (&told["events"][0]["state"], &told["events"][0]["attempts"]),
        (&json!("delivered"), &json!(3))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_for_this_receiver_is_refused() {
    let desk = Desk::new().await;
    let shop = Shop::open(&desk, "secure").await;
    // The account changes its key in the console, and the shop knows nothing of it.
    let key = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
    desk.act("accounts", json!({ "encoding_aes_key": key })).await;
    desk.card(coupon()).await;
    for _ in 0..30 {
        assert!(shop.hear(&desk).await.is_empty(), "it cannot be opened");
    }
    let told: Value = desk.look("events").await;
    let event = &told["events"][0];
    assert_eq!((&event["state"], &event["attempts"]), (&json!("given_up"), &json!(3)));
    assert_eq!(event["status"].as_u64().unwrap() / 100, 4, "{event}");
}

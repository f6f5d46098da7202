//! Pushed events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aes::Aes256;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::{ANNA, BELA, Cards, base, coupon, member_card};
use crate::harness::World;

const TOKEN: &str = "merchantToken01";
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

#[derive(Debug, Clone)]
pub(super) struct Pushed {
    pub(super) query: String,
    pub(super) body: String,
}

impl Pushed {
    fn value(&self, name: &str) -> &str {
        self.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).unwrap().1
    }

    pub(super) fn element(&self, name: &str) -> &str {
        element(&self.body, name)
    }
}

/// The text of an element, in CDATA or bare.
fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{name}: {xml}"));
    let (text, _) = rest.split_once(&format!("</{name}>")).unwrap();
    text.strip_prefix("<![CDATA[").map_or(text, |text| text.trim_end_matches("]]>"))
}

fn sha1(mut values: Vec<&str>) -> String {
    values.sort_unstable();
    Sha1::digest(values.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Debug, Clone, Default)]
pub(super) struct Receiver {
    url: String,
    arrived: Arc<Mutex<Vec<Pushed>>>,
    /// What is answered to events, one after the other, and then `success`.
    answers: Arc<Mutex<Vec<&'static str>>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/events", listener.local_addr().unwrap());
        let receiver = Self { url, ..Self::default() };
        let app = axum::Router::new().route("/events", get(echo).post(arrive)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    async fn listen_for(&self, cards: &Cards, mode: &str) -> Value {
        let account = json!({"url": self.url, "token": TOKEN, "mode": mode, "encoding_aes_key": AES_KEY});
        cards.act("accounts", &account).await.ok()
    }

    /// What is answered to the next events, one after the other.
    pub(super) fn script(&self, answers: impl IntoIterator<Item = &'static str>) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub(super) fn take(&self) -> Vec<Pushed> {
        std::mem::take(&mut self.arrived.lock().unwrap())
    }
}

async fn echo(RawQuery(query): RawQuery) -> String {
    let pushed = Pushed { query: query.unwrap_or_default(), body: String::new() };
    let signature = sha1(vec![TOKEN, pushed.value("timestamp"), pushed.value("nonce")]);
    if signature == pushed.value("signature") { pushed.value("echostr").to_owned() } else { String::new() }
}

async fn arrive(State(receiver): State<Receiver>, RawQuery(query): RawQuery, body: String) -> &'static str {
    receiver.arrived.lock().unwrap().push(Pushed { query: query.unwrap_or_default(), body });
    let mut answers = receiver.answers.lock().unwrap();
    if answers.is_empty() { "success" } else { answers.remove(0) }
}

/// A world that waits for its receiver however busy the machine is.
pub(super) async fn told(mode: &str) -> (Cards, Receiver) {
    let builder = crate::harness::builder().callback_timeout(Duration::from_secs(60));
    let cards = Cards::around(World::with(builder).await).await;
    let receiver = Receiver::start().await;
    receiver.listen_for(&cards, mode).await;
    (cards, receiver)
}

/// Waits until everything due was tried: moving the clock does.
pub(super) async fn settle(cards: &Cards) {
    cards.world.mirror.advance(Duration::from_secs(1)).await.unwrap();
}

#[tokio::test]
async fn the_life_of_a_card_is_told_in_plain_xml() {
    let (cards, receiver) = told("plain").await;
    let id = cards.card(&coupon(base())).await;
    settle(&cards).await;
    let code = cards.claim(&id, ANNA).await;
    settle(&cards).await;
    cards.act("gift", &json!({"code": code, "openid": BELA})).await.ok();
    settle(&cards).await;
    let new = cards.act("accept", &json!({"code": code, "openid": BELA})).await.ok();
    let new = new["code"].as_str().unwrap();
    settle(&cards).await;
    cards.ok("/card/code/consume", &json!({ "code": new })).await;
    settle(&cards).await;
    let pushed = receiver.take();
    let events: Vec<_> = pushed.iter().map(|pushed| pushed.element("Event")).collect();
    let wanted =
        ["card_pass_check", "user_get_card", "user_gifting_card", "user_get_card", "user_consume_card"];
    assert_eq!(events, wanted);
    for event in &pushed {
        let signature = sha1(vec![TOKEN, event.value("timestamp"), event.value("nonce")]);
        assert_eq!(signature, event.value("signature"));
        assert_eq!((event.element("MsgType"), event.element("CardId")), ("event", id.as_str()));
        assert!(event.element("ToUserName").starts_with("gh_"));
        // Reviews are about no user, and have a sender all the same.
        assert!(event.element("FromUserName").starts_with('o'), "{event:?}");
    }
    assert_eq!(pushed[1].element("IsGiveByFriend"), "0");
    let taken = &pushed[3];
    let seen = ["IsGiveByFriend", "FriendUserName", "OldUserCardCode", "UserCardCode", "FromUserName"]
        .map(|name| taken.element(name));
    assert_eq!(seen, ["1", ANNA, code.as_str(), new, BELA]);
    assert_eq!(pushed[4].element("ConsumeSource"), "FROM_API");
}

/// Whether a receiver would take it: its signatures are right, and it is whole.
pub(super) fn is_genuine(pushed: &Pushed) -> bool {
    let value = |name: &str| {
        let pairs = pushed.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next().unwrap_or_default()
    };
    let (timestamp, nonce) = (value("timestamp"), value("nonce"));
    let sealed = pushed.body.contains("<Encrypt>");
    let sealed_right =
        || sha1(vec![TOKEN, timestamp, nonce, pushed.element("Encrypt")]) == value("msg_signature");
    sha1(vec![TOKEN, timestamp, nonce]) == value("signature")
        && (!sealed || sealed_right())
        && pushed.body.ends_with("</xml>")
}

/// Opens a message as its receiver would.
fn open(pushed: &Pushed) -> (String, String) {
    let sealed = pushed.element("Encrypt");
    let signature = sha1(vec![TOKEN, pushed.value("timestamp"), pushed.value("nonce"), sealed]);
    assert_eq!(signature, pushed.value("msg_signature"));
    let hex = "69b71d79f8218a39259a7a29aabb2dbafc31cb3d35db7e39ebbf3d0010831051";
    let mut key = [0; 32];
    for (byte, place) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&hex[place..place + 2], 16).unwrap();
    }
    let mut iv = [0; 16];
    iv.copy_from_slice(&key[..16]);
    let mut text = STANDARD.decode(sealed).unwrap();
    assert_eq!(text.len() % 32, 0);
    let cipher = cbc::Decryptor::<Aes256>::new(&key.into(), &iv.into());
    let plain = cipher.decrypt_padded::<NoPadding>(&mut text).unwrap();
    let padding = usize::from(*plain.last().unwrap());
    assert!((1..=32).contains(&padding));
    let plain = &plain[..plain.len() - padding];
    let length = u32::from_be_bytes(plain[16..20].try_into().unwrap());
    let (xml, appid) = plain[20..].split_at(usize::try_from(length).unwrap());
    (String::from_utf8(xml.to_vec()).unwrap(), String::from_utf8(appid.to_vec()).unwrap())
}

#[tokio::test]
async fn secure_and_compatible_messages_are_sealed_for_the_account() {
    for mode in ["secure", "compatible"] {
        let (cards, receiver) = told(mode).await;
        let id = cards.card(&coupon(base())).await;
        settle(&cards).await;
        let pushed = receiver.take();
        let (xml, appid) = open(&pushed[0]);
        assert_eq!(appid, cards.world.mirror.merchant().appid);
        assert_eq!((element(&xml, "Event"), element(&xml, "CardId")), ("card_pass_check", id.as_str()));
        assert_eq!(pushed[0].value("encrypt_type"), "aes");
        assert_eq!(pushed[0].body.contains("card_pass_check"), mode == "compatible");
    }
}

#[tokio::test]
async fn an_event_that_is_not_acknowledged_comes_three_times() {
    let (cards, receiver) = told("plain").await;
    receiver.answers.lock().unwrap().extend(["no", "no", "no", "no"]);
    cards.card(&coupon(base())).await;
    cards.world.mirror.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(receiver.take().len(), 3);
    let events = cards.world.control("GET", "/_mirror/card/events", &Value::Null).await.ok();
    let event = &events["events"][0];
    assert_eq!((&event["state"], &event["attempts"]), (&json!("given_up"), &json!(3)));
}

#[tokio::test]
async fn an_address_is_kept_only_if_it_answers_the_echostr() {
    let cards = Cards::new().await;
    let receiver = Receiver::start().await;
    let wrong = json!({"url": receiver.url, "token": "otherToken"});
    assert_eq!(cards.act("accounts", &wrong).await.status, 409);
    for bad in [
        json!({"url": "http://shop.example/", "token": TOKEN}),
        json!({"url": receiver.url, "token": "no"}),
        json!({"url": receiver.url, "token": TOKEN, "mode": "secure", "encoding_aes_key": "short"}),
        json!({"review": "perhaps"}),
        json!({"colour": "red"}),
    ] {
        assert_eq!(cards.act("accounts", &bad).await.status, 400, "{bad}");
    }
    let told = cards.world.control("GET", "/_mirror/card/accounts", &Value::Null).await.ok();
    assert_eq!(told["accounts"][0]["url"], Value::Null);
    assert_eq!(receiver.listen_for(&cards, "plain").await["url"], receiver.url);
}

#[tokio::test]
async fn points_views_and_deletions_are_told() {
    let (cards, receiver) = told("plain").await;
    let mut body = member_card();
    body["card"]["member_card"]["base_info"]["need_push_on_view"] = json!(true);
    let id = cards.card(&body).await;
    settle(&cards).await;
    receiver.take();
    let code = cards.claim(&id, ANNA).await;
    settle(&cards).await;
    for what in ["view", "enter-session", "submit-form"] {
        cards.act(what, &json!({ "code": code })).await.ok();
        settle(&cards).await;
    }
    let update = json!({"code": code, "card_id": id, "add_bonus": 3});
    cards.ok("/card/membercard/updateuser", &update).await;
    settle(&cards).await;
    cards.act("remove", &json!({ "code": code })).await.ok();
    settle(&cards).await;
    let pushed = receiver.take();
    let events: Vec<_> = pushed.iter().map(|pushed| pushed.element("Event")).collect();
    assert_eq!(
        events,
        [
            "user_get_card",
            "user_view_card",
            "user_enter_session_from_card",
            "submit_membercard_user_info",
            "update_member_card",
            "user_del_card"
        ]
    );
    assert_eq!(pushed[4].element("ModifyBonus"), "3");
}

#[tokio::test]
async fn low_stock_is_told_at_a_hundred() {
    let (cards, receiver) = told("plain").await;
    let mut body = coupon(base());
    body["card"]["groupon"]["base_info"]["sku"]["quantity"] = json!(201);
    body["card"]["groupon"]["base_info"]["get_limit"] = json!(200);
    let id = cards.card(&body).await;
    for _ in 0..100 {
        cards.claim(&id, ANNA).await;
    }
    settle(&cards).await;
    let low =
        || receiver.take().into_iter().filter(|pushed| pushed.element("Event") == "card_sku_remind").count();
    assert_eq!(low(), 0);
    cards.claim(&id, ANNA).await;
    settle(&cards).await;
    assert_eq!(low(), 1);
}

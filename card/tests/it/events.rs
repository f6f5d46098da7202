//! Pushed messages: signature, both modes, every event, and what must not be taken.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use favor_card::AppId;
use favor_card::event::{
    ConsumeSource, CryptError, EncodingAesKey, Event, Message, Receiver, Rejection, SealError, Token,
};
use favor_card::sign_values;
use favor_core::ManualClock;

use crate::server::{APP_ID, OPENID, card_id, chain, code};

const TOKEN: &str = "merchantToken01";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const NONCE: &str = "1320562132";
const NOW: i64 = 1_700_000_000;
const PASSED: &str = "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><FromUserName><![CDATA[oTESTopenid00000000000000001]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[card_pass_check]]></Event><CardId><![CDATA[pTESTcard0000000000000000001]]></CardId></xml>";
const V9: &str = "Q3stYC6hdFzMh9T8HCvyDHtjeImVXrSOvlstxeNvL5relTfoE0fNhl3Llt4vpT0GVvY0dQfKb+wtQrbr/o3/sqixdcU8ffg5Eig1flRBgT1Uv3nLzw2UuUhCpZ25T0xu4RQ7Qy9zF8slQRdOPVAzZt41L1ZhVJ+vlRTf4B4SXlxE3dUFlSXwXU3IwTwivW84sdpi7N5Wo4cpmojjwsOCsPIZkds6AbBF32+9UO53vMh1bSSdyv6WsCUuc4/p0s9q50DaedombSfdO9pHBvQft/V5kgIxUeWVmvbUY4SYLI/ONA+vZL1mDboTZmFypp4VZx8LvBNkRrR4FPCDu5C/QMA6mQBKHxUZazhKFG9spV3IjPmQaIC9+g3N8EbpbmN9TvT19qYfRJ6r2yBW8csrMZWUM45blu2/Kaxiz3s2Ht2M2BlaNUHmt8LVwiyO9oCBlElJ/uCgsFGBptZgyXevLA==";
const V9_SIGNATURE: &str = "0891d836b50c987207e35df1e7f98ffafd58587e";

fn receiver() -> Receiver {
    let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(NOW, 0).unwrap()));
    Receiver::new(Token::new(TOKEN).unwrap(), AppId::new(APP_ID).unwrap()).clock(clock)
}

fn sealed() -> Receiver {
    receiver().key(key())
}

fn key() -> EncodingAesKey {
    EncodingAesKey::new(KEY).unwrap()
}

/// The query of a plain message.
fn query() -> String {
    let signature = sign_values(&[TOKEN, &NOW.to_string(), NONCE]);
    format!("signature={signature}&timestamp={NOW}&nonce={NONCE}&openid={OPENID}")
}

/// The query of an encrypted one.
fn query_of(encrypted: &str) -> String {
    let signature = sign_values(&[TOKEN, &NOW.to_string(), NONCE, encrypted]);
    format!("{}&encrypt_type=aes&msg_signature={signature}", query())
}

fn envelope(encrypted: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    )
}

fn event(kind: &str, elements: &str) -> String {
    PASSED.replace("card_pass_check", kind).replace("</xml>", &format!("{elements}</xml>"))
}

#[test]
fn v8_the_address_is_checked() {
    let query = format!(
        "signature=3f63ed522022c0fcd53178a32d070e19e3c906b2&timestamp={NOW}&nonce={NONCE}&echostr=5432%2B1"
    );
    let answer = receiver().verify_url(&query).unwrap();
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &b"5432+1"[..]));
    let forged = query.replace("3f63", "3f64");
    assert_eq!(receiver().verify_url(&forged).unwrap_err(), Rejection::Signature);
    let missing = query.replace("echostr", "other");
    assert_eq!(receiver().verify_url(&missing).unwrap_err(), Rejection::Query { name: "echostr" });
}

#[test]
fn v9_an_encrypted_message_opens_and_seals_the_same() {
    assert_eq!(key().seal(*b"0123456789abcdef", PASSED, APP_ID).unwrap(), V9);
    assert_eq!(key().open(V9).unwrap(), (PASSED.to_owned(), APP_ID.to_owned()));
    let query = query_of(V9);
    assert!(query.ends_with(V9_SIGNATURE));
    let message = sealed().read(&query, envelope(V9).as_bytes()).unwrap();
    let Event::CardPassed(passed) = &message.event else { panic!("{:?}", message.event) };
    assert_eq!(passed.card_id, card_id(1));
    assert!(message.is_encrypted());
    assert_eq!(message.from_user_name.as_str(), OPENID);
    assert_eq!(message.create_time.timestamp(), NOW);
}

#[test]
fn a_sealed_answer_is_what_the_platform_opens() {
    let receiver = sealed();
    let xml = receiver.seal_with(PASSED, *b"0123456789abcdef", NOW, NONCE).unwrap();
    assert!(
        xml.contains(V9) && xml.contains(V9_SIGNATURE) && xml.contains("<TimeStamp>1700000000</TimeStamp>")
    );
    let encrypted = |xml: &str| xml.split("CDATA[").nth(1).unwrap().split(']').next().unwrap().to_owned();
    let fresh = encrypted(&receiver.seal("<xml/>").unwrap());
    assert_ne!(fresh, encrypted(&receiver.seal("<xml/>").unwrap()), "random each time");
    assert_eq!(key().open(&fresh).unwrap(), ("<xml/>".to_owned(), APP_ID.to_owned()));
    assert_eq!(self::receiver().seal("<xml/>").unwrap_err(), SealError::NoKey);
}

#[test]
fn the_references_examples_are_read() {
    let claimed = r#"<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><FromUserName><![CDATA[oTESTopenid00000000000000002]]></FromUserName><CreateTime>1700000100</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[user_get_card]]></Event><CardId><![CDATA[pTESTcard0000000000000000001]]></CardId><IsGiveByFriend>1</IsGiveByFriend><UserCardCode><![CDATA[880012349999]]></UserCardCode><FriendUserName><![CDATA[oTESTopenid00000000000000001]]></FriendUserName><OuterId>0</OuterId><OldUserCardCode><![CDATA[880012345678]]></OldUserCardCode><OuterStr><![CDATA[poster-7]]></OuterStr><IsRestoreMemberCard>0</IsRestoreMemberCard><IsRecommendByFriend>0</IsRecommendByFriend><UnionId><![CDATA[oUNIONINVENTED]]></UnionId></xml>"#;
    let message = receiver().read(&query(), claimed.as_bytes()).unwrap();
    let Event::CardClaimed(event) = &message.event else { panic!("{:?}", message.event) };
    assert!(event.is_give_by_friend && !event.is_restore_member_card && !message.is_encrypted());
    assert_eq!(event.friend.as_ref().unwrap().as_str(), OPENID);
    assert_eq!(
        (event.code.clone(), event.old_code.clone()),
        (Some(code("880012349999")), Some(code("880012345678")))
    );
    assert_eq!((event.outer_id, event.outer_str.as_deref()), (Some(0), Some("poster-7")));

    let consumed = "<xml>\n <ToUserName> <![CDATA[gh_0123456789ab]]> </ToUserName>\n <FromUserName> <![CDATA[oTESTopenid00000000000000001]]> </FromUserName>\n <CreateTime>1700000200</CreateTime>\n <MsgType> <![CDATA[event]]> </MsgType>\n <Event> <![CDATA[user_consume_card]]> </Event>\n <CardId> <![CDATA[pTESTcard0000000000000000001]]> </CardId>\n <UserCardCode> <![CDATA[880012345678]]> </UserCardCode>\n <ConsumeSource> <![CDATA[FROM_API]]> </ConsumeSource>\n <LocationName> <![CDATA[]]> </LocationName>\n <StaffOpenId> <![CDATA[]]> </StaffOpenId>\n <VerifyCode> <![CDATA[]]> </VerifyCode>\n <RemarkAmount> <![CDATA[]]> </RemarkAmount>\n <OuterStr> <![CDATA[poster-7]]> </OuterStr>\n</xml>\n";
    let message = receiver().read(&query(), consumed.as_bytes()).unwrap();
    let Event::CardConsumed(event) = &message.event else { panic!("{:?}", message.event) };
    assert_eq!(event.consume_source, Some(ConsumeSource::Api));
    assert_eq!(
        (event.location_name.clone(), event.staff.clone(), event.card_id.clone()),
        (None, None, card_id(1))
    );

    let paid = "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><FromUserName><![CDATA[oTESTopenid00000000000000001]]></FromUserName><CreateTime>1700000300</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[User_pay_from_pay_cell]]></Event><CardId><![CDATA[pTESTcard0000000000000000001]]></CardId><UserCardCode><![CDATA[880012345678]]></UserCardCode><TransId><![CDATA[1000INVENTED]]></TransId><LocationId>300001</LocationId><Fee><![CDATA[8500]]></Fee><OriginalFee><![CDATA[10000]]></OriginalFee></xml>";
    let message = receiver().read(&query(), paid.as_bytes()).unwrap();
    let Event::CardPaid(event) = &message.event else { panic!("{:?}", message.event) };
    assert_eq!((event.fee.unwrap().get(), event.original_fee.unwrap().get()), (8_500, 10_000));
    assert_eq!((event.location_id, message.name.as_str()), (Some(300_001), "User_pay_from_pay_cell"));
}

#[test]
fn all_seventeen_events_are_known() {
    let order = "<OrderId>Z2</OrderId><PageId>p</PageId><IsChatRoom>true</IsChatRoom><IsReturnBack>false</IsReturnBack>";
    let sub_merchant = "<MerchantId>12</MerchantId><IsPass>0</IsPass><Reason>no</Reason>";
    assert_eq!(Event::KNOWN.len(), 17);
    for kind in Event::KNOWN {
        let body = event(kind, &format!("{order}{sub_merchant}"));
        let message = receiver().read(&query(), body.as_bytes()).unwrap();
        assert_ne!(message.event, Event::Unknown, "{kind}");
        let upper = receiver().read(
            &query(),
            event(&kind.to_uppercase(), order).replace("</xml>", &format!("{sub_merchant}</xml>")).as_bytes(),
        );
        assert_eq!(upper.unwrap().event, message.event, "{kind}");
    }
    let sent = receiver().read(&query(), event("giftcard_send_to_friend", order).as_bytes()).unwrap();
    let Event::GiftCardSent(sent) = &sent.event else { panic!() };
    assert!(sent.is_chat_room && !sent.is_return_back);
}

#[test]
fn what_is_not_known_is_kept_and_never_fatal() {
    for body in [
        event("event_of_tomorrow", "<New>1</New>"),
        PASSED.replace("event]]", "text]]").replace("</xml>", "<Content>hello</Content><New>1</New></xml>"),
        PASSED.replace("<CardId><![CDATA[pTESTcard0000000000000000001]]></CardId>", "<New>1</New>"),
        event("card_merchant_check_result", "<MerchantId>twelve</MerchantId><New>1</New>"),
    ] {
        let message = receiver().read(&query(), body.as_bytes()).unwrap();
        assert_eq!((&message.event, message.field("New")), (&Event::Unknown, Some("1")), "{body}");
    }
    let odd = event("user_pay_from_pay_cell", "<Fee>free</Fee>");
    let message = receiver().read(&query(), odd.as_bytes()).unwrap();
    let Event::CardPaid(paid) = &message.event else { panic!() };
    assert_eq!((paid.fee, message.field("Fee")), (None, Some("free")));
}

/// Seals any bytes: valid Base64 of ciphertext, made with another message's layout.
fn read_sealed(receiver: &Receiver, encrypted: &str) -> Result<Message, Rejection> {
    receiver.read(&query_of(encrypted), envelope(encrypted).as_bytes())
}

#[test]
fn what_is_not_the_platforms_is_refused() {
    let (plain, safe) = (receiver(), sealed());
    let (q, body) = (query(), PASSED.as_bytes());
    let refused = |result: Result<Message, Rejection>, status: u16| {
        let rejection = result.unwrap_err();
        assert_eq!(rejection.answer().status().as_u16(), status, "{rejection}");
        assert!(rejection.answer().body().is_empty(), "never `success`");
        let text = format!("{rejection:?} {}", chain(&rejection));
        for secret in [TOKEN, KEY, OPENID] {
            assert!(!text.contains(secret), "{text}");
        }
        rejection
    };
    assert_eq!(refused(plain.read(&q.replace("signature=", "signature=0"), body), 403), Rejection::Signature);
    assert_eq!(refused(plain.read(&q.replace(NONCE, "1"), body), 403), Rejection::Signature);
    assert_eq!(refused(plain.read(&format!("{q}&nonce=1"), body), 400), Rejection::Query { name: "nonce" });
    assert_eq!(refused(plain.read("", body), 400), Rejection::Query { name: "signature" });
    // Whoever names a signature that nobody can check has not signed.
    let unsigned = format!("timestamp={NOW}&nonce={NONCE}&msg_signature={V9_SIGNATURE}");
    let both = PASSED.replace("</xml>", &format!("<Encrypt>{V9}</Encrypt></xml>"));
    for body in [PASSED, both.as_str()] {
        let rejection = refused(plain.read(&unsigned, body.as_bytes()), 400);
        assert_eq!(rejection, Rejection::Query { name: "signature" });
    }
    assert!(plain.read(&q, both.as_bytes()).is_ok(), "compatible mode without a key");
    assert!(safe.read(&query_of(V9), both.as_bytes()).unwrap().is_encrypted(), "and with one");
    assert_eq!(refused(safe.read(&q, body), 403), Rejection::NotEncrypted);
    assert!(safe.clone().take_plain().read(&q, body).is_ok());
    assert_eq!(refused(plain.read(&query_of(V9), envelope(V9).as_bytes()), 500), Rejection::NoKey);
    let small = receiver().largest_body(10);
    assert_eq!(refused(small.read(&q, body), 413), Rejection::TooLarge { limit: 10 });
    let bomb = b"<!DOCTYPE lolz [<!ENTITY lol \"lol\">]><xml>&lol;</xml>";
    assert!(matches!(refused(plain.read(&q, bomb), 400), Rejection::Xml(_)));
    for field in ["ToUserName", "FromUserName", "CreateTime", "MsgType"] {
        let missing = PASSED.replace(field, "Other");
        assert_eq!(refused(plain.read(&q, missing.as_bytes()), 400), Rejection::Incomplete { field });
    }
    // Encrypted: another signature, another account, other bytes.
    let forged = query_of(V9).replace(V9_SIGNATURE, &"0".repeat(40));
    assert_eq!(refused(safe.read(&forged, envelope(V9).as_bytes()), 403), Rejection::Signature);
    let foreign = key().seal([1; 16], PASSED, "wxfedcba0987654321").unwrap();
    assert_eq!(
        refused(read_sealed(&safe, &foreign), 403),
        Rejection::AnotherAccount { expected: APP_ID.to_owned() }
    );
    let inner = key().seal([1; 16], "<html/>", APP_ID).unwrap();
    assert!(matches!(refused(read_sealed(&safe, &inner), 400), Rejection::Xml(_)));
    assert_eq!(refused(read_sealed(&safe, "not base64!"), 400), Rejection::Sealed(CryptError::Base64));
    assert_eq!(refused(read_sealed(&safe, "AAAA"), 400), Rejection::Sealed(CryptError::Length(3)));
    assert_eq!(
        refused(safe.read(&query_of(""), envelope("").as_bytes()), 400),
        Rejection::Sealed(CryptError::Length(0))
    );
    assert_eq!(
        refused(safe.read(&query_of(V9), PASSED.as_bytes()), 400),
        Rejection::Incomplete { field: "Encrypt" }
    );
}

#[test]
fn wrong_padding_is_told_and_with_two_keys_the_right_one_opens() {
    let other = EncodingAesKey::new(&"A".repeat(43)).unwrap();
    // Under this key the last byte of the last block decides; change the ciphertext until it is out of range.
    let mut wrong = 0;
    for flip in 0..=255_u8 {
        let mut bytes = decode(V9);
        let at = bytes.len() - 17;
        bytes[at] ^= flip;
        match key().open(&encode(&bytes)) {
            Err(CryptError::Padding) => wrong += 1,
            Ok(_) | Err(CryptError::Text | CryptError::Layout) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(wrong, 256 - 32, "only 1 to 32 are paddings");
    let both = receiver().key(other.clone()).key(key());
    assert!(read_sealed(&both, V9).is_ok());
    let rejection = read_sealed(&receiver().key(other), V9).unwrap_err();
    assert!(matches!(rejection, Rejection::Sealed(_)), "{rejection}");
    assert!(chain(&rejection).contains("EncodingAESKey"), "{}", chain(&rejection));
}

fn decode(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes().filter(|letter| *letter != b'=') {
        let value = LETTERS.iter().position(|known| *known == letter).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

fn encode(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32| char::from(LETTERS[usize::try_from(bits & 63).unwrap()]);
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let all = three.iter().chain([&0, &0]).take(3).fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
        for at in 0..4 {
            text.push(if at <= three.len() { letter(all >> (18 - 6 * at)) } else { '=' });
        }
    }
    text
}

#[test]
fn an_old_signature_is_refused_and_the_window_can_be_set() {
    let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(NOW, 0).unwrap()));
    let receiver = receiver().clock(clock.clone());
    clock.advance(Duration::from_secs(600));
    assert!(receiver.read(&query(), PASSED.as_bytes()).is_ok());
    clock.advance(Duration::from_secs(1));
    let rejection = receiver.read(&query(), PASSED.as_bytes()).unwrap_err();
    assert_eq!(rejection, Rejection::OutsideWindow { seconds: 601 });
    assert!(receiver.window(None).read(&query(), PASSED.as_bytes()).is_ok());
}

#[test]
fn a_repeat_is_told_apart_from_what_is_being_worked_on() {
    let receiver = sealed();
    let receive = || receiver.receive(&query_of(V9), envelope(V9).as_bytes());
    let first = receive().unwrap();
    assert_eq!(receive().unwrap_err(), Rejection::InProgress);
    assert_eq!(Rejection::InProgress.answer().status(), 503);
    drop(first);
    let alone = receive().unwrap().into_message();
    assert!(matches!(alone.event, Event::CardPassed(_)), "{alone:?}");
    let second = receive().expect("what was not done may come again");
    let key = second.key();
    assert_eq!(second.done().body(), "success");
    let repeat = receive().unwrap_err();
    assert_eq!((&repeat, &repeat.answer().body()[..]), (&Rejection::Repeated, &b"success"[..]));
    // The same message under another nonce, as the platform repeats it, or sealed anew, is the same.
    let again = self::key().seal([9; 16], PASSED, APP_ID).unwrap();
    let message = read_sealed(&receiver, &again).unwrap();
    assert_eq!(message.key(), key);
    assert_eq!(
        receiver.receive(&query_of(&again), envelope(&again).as_bytes()).unwrap_err(),
        Rejection::Repeated
    );
    let other = read_sealed(
        &receiver,
        &self::key().seal([9; 16], &PASSED.replace("card0", "card1"), APP_ID).unwrap(),
    );
    assert_ne!(other.unwrap().key(), key);
}

/// Without a key the plain form is read; the sealed one beside it is another with each delivery.
#[test]
fn a_repeat_in_compatible_mode_is_told_apart_without_a_key() {
    let sealed = |random| self::key().seal([random; 16], PASSED, APP_ID).unwrap();
    let both = |sealed: &str| PASSED.replace("</xml>", &format!("<Encrypt>{sealed}</Encrypt></xml>"));
    let (first, again) = (sealed(1), sealed(2));
    assert_ne!(first, again);
    let plain = receiver();
    let message = plain.receive(&query_of(&first), both(&first).as_bytes()).unwrap();
    assert_eq!(message.key(), read_sealed(&self::sealed(), &first).unwrap().key(), "and as with a key");
    let _ = message.done();
    let repeat = plain.receive(&query_of(&again), both(&again).as_bytes()).unwrap_err();
    assert_eq!(repeat, Rejection::Repeated);
}

#[test]
fn what_is_done_is_remembered_for_as_long_as_a_copy_of_it_is_taken() {
    let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(NOW, 0).unwrap()));
    let day = Duration::from_secs(86_400);
    let receiver = receiver().clock(clock.clone()).window(Some(day));
    let receive = || receiver.receive(&query(), PASSED.as_bytes());
    let _ = receive().unwrap().done();
    clock.advance(day);
    assert_eq!(receive().unwrap_err(), Rejection::Repeated);
    clock.advance(Duration::from_secs(1));
    assert_eq!(receive().unwrap_err(), Rejection::OutsideWindow { seconds: 86_401 });
}

#[cfg(feature = "axum")]
mod extractor {
    use axum::Router;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::get;
    use favor_card::event::{Answer, Pushed, UrlCheck};
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(app: &Router, method: &str, query: &str, body: &str) -> (StatusCode, String) {
        let request = Request::builder().method(method).uri(format!("/wechat?{query}"));
        let response = app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_server_checks_the_address_and_takes_messages_once() {
        async fn receive(Pushed(received): Pushed) -> Answer {
            if received.name == "card_sku_remind" { Answer::try_later() } else { received.done() }
        }
        async fn check(UrlCheck(answer): UrlCheck) -> Answer {
            answer
        }
        let app =
            Router::new().route("/wechat", get(check).post(receive)).with_state(sealed().largest_body(4_000));
        let (status, body) = ask(&app, "GET", &format!("{}&echostr=42", query()), "").await;
        assert_eq!((status.as_u16(), body.as_str()), (200, "42"));
        let (q, e) = (query_of(V9), envelope(V9));
        for _ in 0..2 {
            let (status, body) = ask(&app, "POST", &q, &e).await;
            assert_eq!((status.as_u16(), body.as_str()), (200, "success"));
        }
        let low = key().seal([3; 16], &event("card_sku_remind", ""), APP_ID).unwrap();
        for _ in 0..2 {
            let (status, body) = ask(&app, "POST", &query_of(&low), &envelope(&low)).await;
            assert_eq!((status.as_u16(), body.as_str()), (503, ""), "not done, so it may come again");
        }
        let (status, body) = ask(&app, "POST", &query(), PASSED).await;
        assert_eq!((status.as_u16(), body.as_str()), (403, ""));
        assert_eq!(ask(&app, "POST", &q, &"x".repeat(5_000)).await.0, 413);
        assert_eq!(ask(&app, "GET", "signature=1", "").await.0, 400);
    }
}

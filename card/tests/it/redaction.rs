//! No printed form of any public type holds a secret or a person's data.

use std::fmt::Debug;

use favor_card::event::{EncodingAesKey, Receiver, Token};
use favor_card::*;
use serde_json::json;

use crate::server::{OPENID, SECRET, Server, card_id, chain, code, openid, token};

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const PHONE: &str = "13800000000";

fn secrets() -> Vec<String> {
    [SECRET, OPENID, KEY, PHONE, "merchantToken01", "the-ticket", "oUNIONINVENTED"]
        .iter()
        .map(|text| (*text).to_owned())
        .chain([token(1)])
        .collect()
}

#[track_caller]
fn clean(value: &dyn Debug) {
    let text = format!("{value:?}\n{value:#?}");
    for secret in secrets() {
        assert!(!text.contains(&secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn debug_shows_neither_secrets_nor_persons() {
    let server = Server::start().await;
    let client = server.client();
    server.answer(
        "/cgi-bin/ticket/getticket",
        r#"{"errcode":0,"errmsg":"ok","ticket":"the-ticket","expires_in":7200}"#,
    );
    clean(&AppSecret::new(SECRET).unwrap());
    clean(&server.builder());
    clean(&client);
    clean(&client.access_token().await.unwrap());
    clean(&client.card_ticket().await.unwrap());
    clean(&client.jsapi_ticket().await.unwrap());
    let signed = client.sign_cards(&[CardExt::new(card_id(1)).openid(openid())]).await.unwrap();
    clean(&signed);
    assert!(!format!("{signed:?}").contains(signed[0].signature()));
    clean(&CheckIn::passenger(code("1"), PHONE, "economy", PHONE).qrcode_data(PHONE));
    clean(&CardMessage::new(card_id(1)).signed(&signed[0]));
    let push_token = Token::new("merchantToken01").unwrap();
    clean(&push_token);
    let receiver = Receiver::new(push_token, AppId::new("wx1234567890abcdef").unwrap())
        .key(EncodingAesKey::new(KEY).unwrap())
        .take_plain()
        .window(None);
    clean(&receiver);
    let signature = sign_values(&["merchantToken01", "1", "2"]);
    let body = format!(
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>{OPENID}</FromUserName><CreateTime>1</CreateTime><MsgType>event</MsgType><Event>user_get_card</Event><CardId>p1</CardId><FriendUserName>{OPENID}</FriendUserName><UnionId>oUNIONINVENTED</UnionId><Phone>{PHONE}</Phone></xml>"
    );
    let query = format!("signature={signature}&timestamp=1&nonce=2");
    clean(&receiver.read(&query, body.as_bytes()).unwrap());
    clean(&receiver.receive(&query, body.as_bytes()).unwrap());

    server.answer(
        "/card/membercard/userinfo/get",
        json!({"openid":OPENID,"nickname":PHONE,"user_info":{"common_field_list":[{"name":"x","value":PHONE}]},"phone":PHONE})
            .to_string(),
    );
    let member = MemberCards::new(&client).get(&card_id(1), &code("1")).await.unwrap();
    assert_eq!(
        member.user_info.as_ref().unwrap().common_field_list[0].value.as_ref().unwrap().as_str(),
        PHONE
    );
    clean(&member);
    clean(&TestWhitelist::new().openid(vec![openid()]).username(vec![PHONE.into()]));
    clean(&PreviewTo::WeChatId(PHONE.into()));
    clean(&PreviewTo::OpenId(openid()));

    server.answer(
        "/card/user/getcardlist",
        json!({"errcode":40003,"errmsg":format!("{OPENID} {}", token(1))}).to_string(),
    );
    let error = Codes::new(&client).list_of_user(&openid(), None).await.unwrap_err();
    clean(&error);
    clean(&chain(&error));
    server.answer("/card/user/getcardlist", json!({"card_list":[{"code":{"a":OPENID}}]}).to_string());
    let error = Codes::new(&client).list_of_user(&openid(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    clean(&error);
    clean(&chain(&error));
}

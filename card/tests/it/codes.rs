//! The calls on codes, end to end.

use favor_card::{CodeRef, CodeStatus, Codes, CodesOrCount, DisableCode, GetCode, MarkCode, UpdateCode};
use serde_json::json;

use crate::server::{OK, Server, card_id, code, openid};

#[tokio::test]
async fn a_code_is_asked_for_and_redeemed() {
    let server = Server::start().await;
    let codes = Codes::new(&server.client());
    server.answer(
        "/card/code/get",
        r#"{"errcode":0,"errmsg":"ok","card":{"card_id":"pTESTcard0000000000000000001","begin_time":1700000000,
        "end_time":"1702591999"},"openid":"oTESTopenid00000000000000001","can_consume":false,
        "user_card_status":"GIFTING","new_of_tomorrow":[1]}"#,
    );
    let state = codes.get(&GetCode::new(code("880012345678"), false).card_id(card_id(1))).await.unwrap();
    let sent = server.last();
    assert_eq!(sent.method, "POST");
    assert_eq!(sent.content_type, "application/json; charset=utf-8");
    assert_eq!(
        sent.json(),
        json!({"code":"880012345678","card_id":"pTESTcard0000000000000000001","check_consume":false})
    );
    assert_eq!(state.user_card_status, Some(CodeStatus::Gifting));
    assert!(!state.can_consume);
    assert_eq!(state.card.end_time.unwrap().timestamp(), 1_702_591_999);
    assert_eq!(state.extra.get("new_of_tomorrow"), Some(&json!([1])));

    server.answer(
        "/card/code/consume",
        r#"{"errcode":0,"errmsg":"ok","card":{"card_id":"pTESTcard0000000000000000001"},"openid":"oTESTopenid00000000000000001"}"#,
    );
    let consumed = codes.consume(&CodeRef::new(code("880012345678"))).await.unwrap();
    assert_eq!(server.last().json(), json!({"code":"880012345678"}), "what is not there is not sent");
    assert_eq!((consumed.card.card_id.clone(), consumed.openid.clone()), (card_id(1), openid()));
}

#[tokio::test]
async fn deposited_codes_come_back_as_lists_or_as_counts() {
    let server = Server::start().await;
    let codes = Codes::new(&server.client());
    let both = [code("AB-000123"), code("AB-000124")];
    server.answer(
        "/card/code/deposit",
        r#"{"errcode":0,"errmsg":"ok","succ_code":["AB-000123","AB-000124"],"duplicate_code":[],"fail_code":[]}"#,
    );
    let lists = codes.deposit(&card_id(3), &both).await.unwrap();
    assert_eq!(lists.succ_code.as_ref().unwrap().codes(), both);
    assert_eq!(lists.fail_code, Some(CodesOrCount::Codes(vec![])));
    server.answer("/card/code/deposit", r#"{"errcode":0,"succ_code":2,"duplicate_code":"1"}"#);
    let counts = codes.deposit(&card_id(3), &both).await.unwrap();
    assert_eq!(
        (counts.succ_code.as_ref().unwrap().count(), counts.succ_code.as_ref().unwrap().codes().len()),
        (2, 0)
    );
    assert_eq!(
        (counts.duplicate_code.clone(), counts.fail_code.clone()),
        (Some(CodesOrCount::Count(1)), None)
    );
}

#[tokio::test]
async fn the_calls_that_change_a_code_say_what_is_asked() {
    let server = Server::start().await;
    let codes = Codes::new(&server.client());
    for path in ["update", "unavailable", "mark"] {
        server.answer(&format!("/card/code/{path}"), OK);
    }
    let update = UpdateCode::new(code("AB-000123"), code("AB-900123")).card_id(card_id(3));
    codes.update(&update).await.unwrap();
    assert_eq!(
        server.last().json(),
        json!({"card_id":"pTESTcard0000000000000000003","code":"AB-000123","new_code":"AB-900123"})
    );
    codes.disable(&DisableCode::new(code("880012345678")).reason("refund")).await.unwrap();
    assert_eq!(server.last().json(), json!({"code":"880012345678","reason":"refund"}));
    codes.mark(&MarkCode::new(code("880012345678"), card_id(1), openid(), true)).await.unwrap();
    assert_eq!(server.last().json()["is_mark"], true);
}

//! Codes: the platform's, the merchant's own, and those of a pool.

use favor_card::*;
use serde_json::json;

use crate::card::desk::{ANNA, BELA, Desk, base, code_of, coupon, person};

fn code(text: &str) -> Code {
    Code::new(text).unwrap()
}

/// A code from a user's hands to the till.
pub async fn life(desk: &Desk) {
    let codes = Codes::new(&desk.client);
    let card_id = desk.card(coupon()).await;
    let taken = desk.act("claim", json!({"card_id": card_id, "openid": ANNA})).await;
    let code = code_of(&taken);
    let decrypted = codes.decrypt(taken["encrypt_code"].as_str().unwrap()).await.unwrap();
    assert_eq!(decrypted.code, code);
    let state = codes.get(&GetCode::new(code.clone(), true)).await.unwrap();
    assert_eq!((state.openid.as_str(), state.can_consume), (ANNA, true));
    assert_eq!(state.user_card_status, Some(CodeStatus::Normal));
    assert_eq!(state.card.begin_time, Some(desk.in_days(0)));
    let held = codes.list_of_user(&person(ANNA), Some(&card_id)).await.unwrap();
    assert_eq!((held.card_list.len(), &held.card_list[0].code), (1, &code));

    let other = person(BELA);
    codes.mark(&MarkCode::new(code.clone(), card_id.clone(), other.clone(), true)).await.unwrap();
    let marked = codes.consume(&CodeRef::new(code.clone())).await.unwrap_err();
    assert_eq!(marked.code(), Some(ErrCode::from(40_146)));
    codes.mark(&MarkCode::new(code.clone(), card_id.clone(), other, false)).await.unwrap();

    let consumed = codes.consume(&CodeRef::new(code.clone())).await.unwrap();
    assert_eq!((consumed.openid.as_str(), &consumed.card.card_id), (ANNA, &card_id));
    let again = codes.consume(&CodeRef::new(code.clone())).await.unwrap_err();
    assert_eq!((again.code(), again.outcome()), (Some(ErrCode::from(40_099)), Outcome::Refused));
    let state = codes.get(&GetCode::new(code, false)).await.unwrap();
    assert_eq!((state.can_consume, state.user_card_status.clone()), (false, Some(CodeStatus::Consumed)));
}

/// Codes of a merchant's own, and a pool of them.
pub async fn of_the_merchant(desk: &Desk) {
    let codes = Codes::new(&desk.client);
    let own = desk.card(Groupon::new(base().use_custom_code(true), "两壶茶")).await;
    desk.act("claim", json!({"card_id": own, "openid": ANNA, "code": "AB-000123"})).await;
    let change = UpdateCode::new(code("AB-000123"), code("AB-900123")).card_id(own.clone());
    codes.update(&change).await.unwrap();
    let gone = codes.get(&GetCode::new(code("AB-000123"), false).card_id(own.clone())).await.unwrap_err();
    assert_eq!(gone.code(), Some(ErrCode::from(40_056)));
    codes.disable(&DisableCode::new(code("AB-900123")).card_id(own.clone()).reason("退款")).await.unwrap();
    let state = codes.get(&GetCode::new(code("AB-900123"), false).card_id(own)).await.unwrap();
    assert_eq!(state.user_card_status, Some(CodeStatus::Unavailable));

    let mut base = base().use_custom_code(true).get_custom_code_mode(CustomCodeMode::Deposit);
    base.sku = Sku::new(0);
    let pool = desk.card(Groupon::new(base, "两壶茶")).await;
    let kept = codes.deposit(&pool, &[code("A-1"), code("A-2")]).await.unwrap();
    assert_eq!(kept.succ_code, Some(CodesOrCount::Codes(vec![code("A-1"), code("A-2")])));
    let again = codes.deposit(&pool, &[code("A-2"), code("A-3")]).await.unwrap();
    assert_eq!(again.duplicate_code.as_ref().map(CodesOrCount::codes), Some(&[code("A-2")][..]));
    assert_eq!(codes.deposit_count(&pool).await.unwrap().count, 3);
    let checked = codes.check(&pool, &[code("A-1"), code("A-9")]).await.unwrap();
    assert_eq!(
        (&checked.exist_code[..], &checked.not_exist_code[..]),
        (&[code("A-1")][..], &[code("A-9")][..])
    );
}

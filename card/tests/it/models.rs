//! What is read in more than one form, and what is worked out of an answer.

use chrono::DateTime;
use favor_card::*;
use futures_util::TryStreamExt as _;
use serde_json::{Value, json};

use crate::server::{Server, card_id, code};

#[tokio::test]
async fn all_cards_come_page_by_page() {
    let server = Server::start().await;
    server.direct("/card/batchget", |seen| {
        let body = seen.json();
        assert_eq!(
            (body["count"].as_i64(), &body["status_list"]),
            (Some(50), &json!(["CARD_STATUS_VERIFY_OK"]))
        );
        let offset = body["offset"].as_u64().unwrap();
        let ids: Vec<String> = (offset..(offset + 50).min(120))
            .map(|at| card_id(u32::try_from(at).unwrap()).as_str().to_owned())
            .collect();
        (200, json!({"errcode":0,"errmsg":"ok","card_id_list":ids,"total_num":120}).to_string())
    });
    let cards = Cards::new(&server.client());
    let all: Vec<CardId> = cards.list_all(Some(vec![CardStatus::Verified])).try_collect().await.unwrap();
    assert_eq!(all, (0..120).map(card_id).collect::<Vec<_>>());
    assert_eq!(server.count("/card/batchget"), 3);
    // A total that is wrong does not make it ask for ever.
    server.answer("/card/batchget", r#"{"errcode":0,"card_id_list":[],"total_num":7}"#);
    assert!(cards.list_all(None).try_collect::<Vec<_>>().await.unwrap().is_empty());
    assert_eq!(server.count("/card/batchget"), 4);
    server.answer("/card/batchget", r#"{"errcode":48001,"errmsg":"api unauthorized"}"#);
    assert_eq!(
        cards.list_all(None).try_collect::<Vec<_>>().await.unwrap_err().code(),
        Some(ErrCode::Unauthorized)
    );
}

#[tokio::test]
async fn orders_of_coins_are_asked_for_in_their_order() {
    let server = Server::start().await;
    server.answer("/card/pay/getorderlist", r#"{"errcode":0,"total_num":0,"order_list":[]}"#);
    let coins = Coins::new(&server.client());
    for (sort, expected) in
        [(CoinOrderSort::oldest_first(), "SORT_ASC"), (CoinOrderSort::newest_first(), "SORT_DESC")]
    {
        coins.orders(&ListCoinOrders::new(0, 10).sort_info(sort)).await.unwrap();
        let body = server.seen().last().unwrap().json();
        assert_eq!(body["sort_info"], json!({"sort_key": "SORT_BY_TIME", "sort_type": expected}));
    }
}

#[test]
fn the_parameters_of_an_activation_page_are_decoded_once_each() {
    let url = "https://mp.weixin.qq.com/bizmall/activatemembercard?action=preshow&encrypt_card_id=INVENTED%2B&outer_str=x&biz=MjM5INVENTED%3D%3D#wechat_redirect";
    let answer: ActivationUrl = serde_json::from_value(json!({"url": url})).unwrap();
    let found = answer.parameters().unwrap();
    assert_eq!((found.encrypt_card_id.as_str(), found.outer_str.as_str()), ("INVENTED+", "x"));
    assert_eq!(found.biz, "MjM5INVENTED==");
    for bad in ["", "https://mp.weixin.qq.com/", "https://x/?biz=1", "https://x/#?encrypt_card_id=1&biz=2"] {
        let answer: ActivationUrl = serde_json::from_value(json!({"url": bad})).unwrap();
        assert_eq!(answer.parameters(), None, "{bad}");
    }
}

#[test]
fn what_is_spelled_in_several_ways_is_one() {
    let info = |date_info: Value| serde_json::from_value::<DateInfo>(date_info).unwrap();
    let range = json!({"type":"DATE_TYPE_FIX_TIME_RANGE","begin_timestamp":1_893_456_000,"end_timestamp":1_896_134_399});
    for kind in [json!(1), json!("1"), json!("DATE_TYPE_FIX_TIME_RANGE")] {
        let mut given = range.clone();
        given["type"] = kind;
        given["begin_timestamp"] = json!("1893456000");
        assert_eq!(serde_json::to_value(info(given)).unwrap(), range);
    }
    let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap().fixed_offset();
    let made = DateInfo::between(at(1_893_456_000), at(1_896_134_399));
    assert_eq!(serde_json::to_value(&made).unwrap(), range);
    assert_eq!(info(json!({"type": 2, "fixed_term": "30", "fixed_begin_term": 0})), DateInfo::days(30, 0));

    for (wire, today, raw) in [
        ("CARD_STATUS_VERIFY_FALL", CardStatus::VerifyFailed, CardStatus::VerifyFailedEarly),
        ("CARD_STATUS_USER_DELETE", CardStatus::Deleted, CardStatus::DeletedByUser),
        ("CARD_STATUS_USER_DISPATCH", CardStatus::Dispatched, CardStatus::DispatchedByUser),
    ] {
        let status = CardStatus::from(wire);
        assert_eq!((status.as_str(), status.today(), &status), (wire, today, &raw));
    }
    assert!(CardStatus::Verified.is_claimable() && CardStatus::DispatchedByUser.is_claimable());
    assert!(!CardStatus::NotVerified.is_claimable());
    assert_eq!(Color::from("Color0101"), Color::Color101);
    assert_eq!((Color::Color101.rgb(), Color::from("#10AD61").rgb()), ("#cf3e36", "#10AD61"));
    assert_eq!(CardType::MemberCard.key(), "member_card");
}

#[test]
fn figures_are_read_though_they_have_fractions_or_come_as_texts() {
    let day: MemberCardDay = serde_json::from_value(json!({
        "ref_date":"2024-03-01","cardid":"p1","view_cnt":"3","payOriginalFee":12.5,"fee":"7","of_tomorrow":true
    }))
    .unwrap();
    assert_eq!((day.view_cnt, day.active_cnt), (3, 0));
    assert_eq!(
        (day.pay_original_fee.unwrap().to_string(), day.fee.unwrap().to_string()),
        ("12.5".into(), "7".into())
    );
    assert_eq!(day.extra.get("of_tomorrow"), Some(&json!(true)));
    let kinds: Vec<_> = (0..6)
        .map(|kind| {
            let row = json!({"ref_date":"2024-03-01","card_id":"p1","card_type":kind});
            serde_json::from_value::<CardDay>(row).unwrap().kind()
        })
        .collect();
    let known =
        [CardType::Discount, CardType::Cash, CardType::Gift, CardType::GeneralCoupon, CardType::Groupon]
            .map(Some);
    assert_eq!(kinds, [&known[..], &[None]].concat());
    let member: Member =
        serde_json::from_value(json!({"openid":"o1","balance":1250.0,"bonus":"7","has_active":1})).unwrap();
    assert_eq!(
        (member.balance, member.bonus, member.has_active),
        (Some(Fen::new(1_250).unwrap()), Some(7), Some(true))
    );
    assert!(serde_json::from_value::<Member>(json!({"openid":"o1","balance":12.5})).is_err(), "no half fen");
}

#[test]
fn a_change_with_its_new_value_may_be_repeated() {
    let update = || UpdateMember::new(code("1"), card_id(2));
    assert!(update().bonus(103).add_bonus(3).is_repeatable());
    assert!(update().bonus(103).is_repeatable());
    assert!(!update().add_bonus(3).is_repeatable());
    assert!(!update().bonus(103).add_bonus(3).add_balance(-5).is_repeatable());
}

#[test]
fn a_qr_code_says_where_its_picture_is() {
    let read = |value: Value| serde_json::from_value::<QrCode>(value).unwrap();
    let full =
        read(json!({"ticket":"t+=","url":" http://weixin.qq.com/q/x ","show_qrcode_url":" https://x/y "}));
    assert_eq!(
        (full.content(), full.picture_url().as_str()),
        (Some("http://weixin.qq.com/q/x"), "https://x/y")
    );
    let bare = read(json!({"ticket":"t+="}));
    let expected = "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=t%2B%3D";
    assert_eq!((bare.content(), bare.picture_url().as_str()), (None, expected));
}

#[tokio::test]
async fn a_fault_in_a_card_is_found_at_its_place() {
    let server = Server::start().await;
    let cards = Cards::new(&server.client());
    let bodies: Vec<Value> = serde_json::from_str(include_str!("../fixtures/cards.json")).unwrap();
    for (path, value, word) in [
        ("/card/groupon/base_info/sku/quantity", json!("many"), "at card.groupon.base_info.sku.quantity"),
        (
            "/card/groupon/base_info/location_id_list/1",
            json!({}),
            "at card.groupon.base_info.location_id_list[1]",
        ),
        ("/card/groupon", Value::Null, "at card: "),
        ("/card/card_type", json!("CASH"), "at card: "),
        ("/card/card_type", json!(7), "at card.card_type: "),
    ] {
        let mut body = bodies[0].clone();
        *body.pointer_mut(path).unwrap() = value;
        server.answer("/card/get", body.to_string());
        let error = cards.get(&card_id(1)).await.unwrap_err();
        let text = crate::server::chain(&error);
        assert!(error.kind() == ErrorKind::Decode && text.contains(word), "{path}: {text}");
        assert!(!text.contains("many"), "no values");
    }
}

//! General cards, red packets, and tickets of meetings, films and flights.

use serde_json::{Value, json};

use super::{ANNA, Cards, base};
use crate::harness::with;

fn of_type(kind: &str, fields: &Value) -> Value {
    let mut whole = json!({ "base_info": base() });
    whole.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let mut card = json!({ "card_type": kind });
    card[kind.to_lowercase()] = whole;
    json!({ "card": card })
}

#[tokio::test]
async fn a_gift_card_is_activated_spent_and_put_to_rest() {
    let cards = Cards::new().await;
    let fields = json!({"sub_card_type": "GIFT_CARD", "supply_bonus": false, "supply_balance": true,
        "init_balance": 10000});
    let body = of_type("GENERAL_CARD", &fields);
    let id =
        cards.card(&with(body, "/card/general_card/base_info/giftcard_info", json!({"price": 10000}))).await;
    let code = cards.claim(&id, ANNA).await;
    let update = json!({"code": code, "card_id": id, "balance": 6500, "can_give_friend": false});
    assert_eq!(cards.errcode("/card/generalcard/updateuser", &update).await, 40127, "not active yet");
    let activate = json!({"code": code, "card_id": id, "card_number": "G0000000001"});
    cards.ok("/card/generalcard/activate", &activate).await;
    let told = cards.ok("/card/generalcard/updateuser", &update).await;
    assert_eq!((&told["result_balance"], &told["openid"]), (&json!(6500), &json!(ANNA)));
    let delta = json!({"code": code, "card_id": id, "add_balance": 100});
    assert_eq!(cards.ok("/card/generalcard/updateuser", &delta).await["result_balance"], 6500);
    let who = json!({"code": code, "card_id": id});
    cards.ok("/card/generalcard/unactivate", &who).await;
    assert_eq!(cards.errcode("/card/generalcard/unactivate", &who).await, 40127);
    assert_eq!(cards.errcode("/card/generalcard/activate", &json!({ "code": code })).await, 41011);
}

#[tokio::test]
async fn tickets_take_what_is_printed_on_them() {
    let cards = Cards::new().await;
    let made = async |kind: &str, fields: Value| {
        let id = cards.card(&of_type(kind, &fields)).await;
        cards.claim(&id, ANNA).await
    };
    let meeting = made("MEETING_TICKET", json!({"meeting_detail": "Hall 2"})).await;
    let film = made("MOVIE_TICKET", json!({"detail": "120 min"})).await;
    let flight = made("BOARDING_PASS", json!({"from": "Chengdu", "to": "Guangzhou", "flight": "TN1"})).await;
    let packet = made("LUCKY_MONEY", json!({})).await;
    let seat = json!({"code": meeting, "zone": "C", "entrance": "north-east", "seat_number": "row 2"});
    cards.ok("/card/meetingticket/updateuser", &seat).await;
    let early = with(with(seat, "/begin_time", json!(2)), "/end_time", json!(1));
    assert_eq!(cards.errcode("/card/meetingticket/updateuser", &early).await, 40079);
    let show = json!({"code": film, "ticket_class": "3D", "show_time": 1_893_456_000, "duration": 120,
        "screening_room": "Hall 5", "seat_number": ["row 5 seat 14"]});
    cards.ok("/card/movieticket/updateuser", &show).await;
    cards.ok("/card/movieticket/updateuser", &with(show.clone(), "/seat_number", json!("row 5"))).await;
    for (key, errcode) in
        [("ticket_class", 41014), ("show_time", 41015), ("screening_room", 41016), ("seat_number", 41017)]
    {
        let mut less = show.clone();
        less.as_object_mut().unwrap().remove(key);
        assert_eq!(cards.errcode("/card/movieticket/updateuser", &less).await, errcode, "{key}");
    }
    let check_in = json!({"code": flight, "passenger_name": "Li Lei", "class": "Eco",
        "etkt_bnr": "78412345678901", "seat": "32A"});
    cards.ok("/card/boardingpass/checkin", &check_in).await;
    let long = with(check_in.clone(), "/passenger_name", json!("李".repeat(16)));
    assert_eq!(cards.errcode("/card/boardingpass/checkin", &long).await, 45021);
    cards.ok("/card/boardingpass/checkin", &json!({"code": flight, "is_cancel": true})).await;
    assert_eq!(cards.errcode("/card/boardingpass/checkin", &json!({ "code": flight })).await, 41011);
    cards.ok("/card/luckymoney/updateuserbalance", &json!({"code": packet, "balance": 500})).await;
    assert_eq!(cards.status(&packet).await["balance"], 500);
    assert_eq!(
        cards.errcode("/card/meetingticket/updateuser", &with(check_in, "/code", json!(film))).await,
        40071
    );
}

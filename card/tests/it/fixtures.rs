//! Every call with the bodies of the reference: what is typed goes out as it is there, and what comes back survives.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use chrono::DateTime;
use favor_card::*;
use favor_core::ManualClock;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::server::Server;

const CALLS: &str = include_str!("../fixtures/calls.json");
const CARDS: &str = include_str!("../fixtures/cards.json");

/// 2026-09-21, when the fixtures' days are over and their validity has not begun.
async fn client(server: &Server) -> Client {
    let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap()));
    server.builder().clock(clock).build().unwrap()
}

fn read<T: DeserializeOwned + Debug>(value: &Value) -> T {
    whole(serde_json::from_value(value.clone()).unwrap())
}

/// What has a field that nobody knows, which a misspelled name would make of it, is not whole.
fn whole<T: Debug>(value: T) -> T {
    let shown = format!("{value:?}");
    assert!(!shown.contains("extra: {\""), "a field is not known: {shown}");
    value
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A request that is typed: read from the fixture, so that what is written must be the same.
async fn run(client: &Client, call: &str, body: &Value) -> Result<Value, Error> {
    fn shown<T: Serialize + Debug>(reply: Reply<T>) -> Value {
        serde_json::to_value(whole(reply.into_value())).unwrap()
    }
    let b = |name: &str| &body[name];
    let number = |name: &str| body[name].as_i64().unwrap();
    let count = |name: &str| body[name].as_u64().unwrap();
    let flag = |name: &str| body[name].as_bool().unwrap();
    let (cards, distribution, codes) = (Cards::new(client), Distribution::new(client), Codes::new(client));
    let (members, gifts, general) =
        (MemberCards::new(client), PayGifts::new(client), GeneralCards::new(client));
    let (tickets, pages, orders) =
        (SpecialTickets::new(client), GiftPages::new(client), GiftOrders::new(client));
    let (invoices, merchants, stores) =
        (Invoices::new(client), SubMerchants::new(client), StoreCards::new(client));
    let (coins, statistics, messages) = (Coins::new(client), Statistics::new(client), Messages::new(client));
    let message = || {
        let mut card = CardMessage::new(read(&body["wxcard"]["card_id"]));
        card.card_ext = body["wxcard"]["card_ext"].as_str().map(Personal::from);
        card
    };
    Ok(match call {
        "E1" => shown(cards.create(&read(b("card"))).await?),
        "E2" => shown(cards.get(&read(b("card_id"))).await?),
        "E3" => shown(cards.list(&read(body)).await?),
        "E4" => {
            let mut changes = body.as_object().unwrap().clone();
            let card_id: CardId = read(&changes.remove("card_id").unwrap());
            shown(cards.update(&card_id, &read(&Value::Object(changes))).await?)
        }
        "E5" if body.get("reduce_stock_value").is_some() => {
            shown(cards.reduce_stock(&read(b("card_id")), count("reduce_stock_value")).await?)
        }
        "E5" => shown(cards.increase_stock(&read(b("card_id")), count("increase_stock_value")).await?),
        "E6" => shown(cards.delete(&read(b("card_id"))).await?),
        "E7" => shown(cards.set_pay_cell(&read(b("card_id")), flag("is_open")).await?),
        "E8" => shown(cards.set_self_consume_cell(&read(body)).await?),
        "E9" => shown(cards.colors().await?),
        "E10" => shown(distribution.create_qr_code(&read(body)).await?),
        "E11" => shown(distribution.create_landing_page(&read(body)).await?),
        "E12" => shown(distribution.article_html(&read(b("card_id"))).await?),
        "E13" => shown(distribution.set_test_whitelist(&read(body)).await?),
        "E14" => shown(codes.deposit(&read(b("card_id")), &read::<Vec<Code>>(b("code"))).await?),
        "E15" => shown(codes.deposit_count(&read(b("card_id"))).await?),
        "E16" => shown(codes.check(&read(b("card_id")), &read::<Vec<Code>>(b("code"))).await?),
        "E17" => shown(codes.get(&read(body)).await?),
        "E18" => shown(codes.consume(&read(body)).await?),
        "E19" => shown(codes.decrypt(&text(b("encrypt_code"))).await?),
        "E20" => shown(codes.update(&read(body)).await?),
        "E21" => shown(codes.disable(&read(body)).await?),
        "E22" => shown(codes.mark(&read(body)).await?),
        "E23" => shown(codes.list_of_user(&read(b("openid")), None).await?),
        "E24" => shown(members.activate(&read(body)).await?),
        "E25" => shown(members.activation_url(&read(b("card_id")), b("outer_str").as_str()).await?),
        "E26" => shown(members.set_form(&read(body)).await?),
        "E27" => shown(members.submitted_form(&text(b("activate_ticket"))).await?),
        "E28" => shown(members.get(&read(b("card_id")), &read(b("code"))).await?),
        "E29" => shown(members.update(&read(body)).await?),
        "E30" => shown(gifts.add(&read(b("rule_info"))).await?),
        "E31" => shown(gifts.delete(number("rule_id")).await?),
        "E32" => shown(gifts.get(number("rule_id")).await?),
        "E33" => shown(gifts.list(&read(body)).await?),
        "E34" => shown(general.activate(&read(body)).await?),
        "E35" => shown(general.deactivate(&read(b("card_id")), &read(b("code"))).await?),
        "E36" => shown(general.update(&read(body)).await?),
        "E37" => shown(tickets.update_meeting_ticket(&read(body)).await?),
        "E38" => shown(tickets.update_movie_ticket(&read(body)).await?),
        "E39" => shown(tickets.check_in(&read(body)).await?),
        "E40" => shown(tickets.update_red_packet(&read(b("code")), None, read(b("balance"))).await?),
        "E41" => shown(pages.add(&read(b("page"))).await?),
        "E42" => shown(pages.get(&text(b("page_id"))).await?),
        "E43" => shown(pages.update(&read(b("page"))).await?),
        "E44" => shown(pages.list().await?),
        "E45" if body.get("all").is_some() => shown(pages.maintain_all(flag("maintain")).await?),
        "E45" => shown(pages.maintain(&text(b("page_id")), flag("maintain")).await?),
        "E46" => shown(pages.whitelist_merchant(&read(b("sub_mch_id"))).await?),
        "E47" => shown(pages.bind_merchant(&read(b("sub_mch_id")), &read(b("wxa_appid"))).await?),
        "E48" => shown(pages.set_mini_program(&read(b("wxa_appid")), &text(b("page_id"))).await?),
        "E49" => shown(orders.get(&text(b("order_id"))).await?),
        "E50" => shown(orders.list(&read(body)).await?),
        "E51" => shown(orders.refund(&text(b("order_id"))).await?),
        "E52 set_pay_mch" => shown(invoices.set_pay_merchant(&read(b("paymch_info"))).await?),
        "E52 get_pay_mch" => shown(invoices.pay_merchant().await?),
        "E52 set_auth_field" => shown(invoices.set_auth_fields(&read(b("auth_field"))).await?),
        "E52 get_auth_field" => shown(invoices.auth_fields().await?),
        "E52 set_contact" => shown(invoices.set_contact(&read(b("contact"))).await?),
        "E52 get_contact" => shown(invoices.contact().await?),
        "E53" => shown(invoices.auth_data(&text(b("order_id")), &text(b("s_pappid"))).await?),
        "E54" => shown(merchants.create(&read(b("info"))).await?),
        "E55" => shown(merchants.update(&read(b("info"))).await?),
        "E56" => shown(merchants.get(number("merchant_id")).await?),
        "E57" => shown(merchants.list(&read(body)).await?),
        "E58" => shown(merchants.categories().await?),
        "E59" => shown(stores.get(text(b("poi_id")).parse().unwrap()).await?),
        "E60" => shown(stores.set(text(b("poi_id")).parse().unwrap(), &read(b("card_id"))).await?),
        "E61" => shown(coins.activate().await?),
        "E62" => shown(coins.price(&read(b("card_id")), number("quantity")).await?),
        "E63" => shown(coins.balance().await?),
        "E64" => shown(coins.confirm(&read(b("card_id")), &text(b("order_id")), number("quantity")).await?),
        "E65" => shown(coins.recharge(number("coin_count")).await?),
        "E66" => shown(coins.order(&text(b("order_id"))).await?),
        "E67" => shown(coins.orders(&read(body)).await?),
        "E68" => shown(statistics.account(&read(body)).await?),
        "E69" => shown(statistics.cards(&read(body)).await?),
        "E70" => shown(statistics.member_cards(&read(body)).await?),
        "E71" => shown(statistics.member_card(&read(body)).await?),
        "M1" => shown(messages.send(&read(b("touser")), &read(&body["wxcard"]["card_id"])).await?),
        "M2" => match body["filter"]["tag_id"].as_i64() {
            Some(tag) => shown(messages.send_to_tag(tag, &message()).await?),
            None => shown(messages.send_to_all(&message()).await?),
        },
        "M3" => shown(messages.send_to_users(&read::<Vec<OpenId>>(b("touser")), &message()).await?),
        "M4" => {
            let to = match b("towxname").as_str() {
                Some(name) => PreviewTo::WeChatId(name.into()),
                None => PreviewTo::OpenId(read(b("touser"))),
            };
            shown(messages.preview(&to, &message()).await?)
        }
        other => panic!("no call {other}"),
    })
}

#[tokio::test]
async fn every_call_says_what_the_reference_says_and_reads_its_answer_whole() {
    let server = Server::start().await;
    let client = client(&server).await;
    let fixtures: Vec<Value> = serde_json::from_str(CALLS).unwrap();
    let mut called = BTreeSet::new();
    for fixture in &fixtures {
        let call = fixture["call"].as_str().unwrap();
        let number = call.split(' ').next().unwrap();
        called.insert(number);
        let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.number == number).unwrap();
        server.answer(endpoint.path, fixture["response"].to_string());
        let result = run(&client, call, &fixture["request"]).await;

        let sent = server.last();
        assert_eq!(
            (sent.path.as_str(), sent.method.as_str()),
            (endpoint.path, endpoint.method.as_str()),
            "{call}"
        );
        let is_post = sent.method == "POST";
        assert_eq!(is_post, !fixture["request"].is_null(), "{call}");
        if is_post {
            assert_eq!(sent.json(), fixture["request"], "{call}");
            assert!(!sent.body.windows(2).any(|two| two == b"\\u"), "raw UTF-8");
        } else {
            assert!(sent.body.is_empty());
        }
        if let Some((_, action)) = call.split_once(' ') {
            assert!(sent.query.ends_with(&format!("&action={action}")), "{}", sent.query);
        }
        let mut expected = fixture["response"].clone();
        let errcode = expected.as_object_mut().unwrap().remove("errcode").unwrap_or(json!(0));
        expected.as_object_mut().unwrap().remove("errmsg");
        match result {
            Ok(read) => assert_eq!(read, expected, "{call}"),
            Err(error) => {
                let number = error
                    .code()
                    .unwrap_or_else(|| panic!("{call}: {}", crate::server::chain(&error)))
                    .number();
                assert_eq!(json!(number), errcode, "{call}: {}", crate::server::chain(&error));
            }
        }
    }
    let all = ENDPOINTS.iter().map(|endpoint| endpoint.number).filter(|number| !number.starts_with('P'));
    assert_eq!(called, all.collect(), "every call but those for tokens, tickets and pictures");
}

#[tokio::test]
async fn the_twelve_types_of_cards_are_created_read_and_named() {
    let server = Server::start().await;
    server.answer("/card/create", r#"{"errcode":0,"errmsg":"ok","card_id":"pTESTcard0000000000000000001"}"#);
    let cards = Cards::new(&client(&server).await);
    let bodies: Vec<Value> = serde_json::from_str(CARDS).unwrap();
    let mut types = BTreeSet::new();
    for body in &bodies {
        let card: Card = read(&body["card"]);
        assert!(!matches!(card, Card::Unknown { .. }));
        assert_eq!(card.card_type().as_str(), body["card"]["card_type"]);
        assert!(card.base_info().is_some());
        types.insert(card.card_type().as_str().to_owned());
        cards.create(&card).await.unwrap_or_else(|error| panic!("{}", crate::server::chain(&error)));
        assert_eq!(server.last().json(), *body);
        // As the platform may show it: in any case, with state, and with fields of tomorrow.
        let mut shown = body["card"].clone();
        let key = card.card_type().key();
        shown["card_type"] = json!(key);
        shown[&key]["base_info"]["status"] = json!("CARD_STATUS_VERIFY_FALL");
        shown[&key]["of_tomorrow"] = json!({"a": 1});
        let card: Card = serde_json::from_value(shown.clone()).unwrap();
        assert_eq!(card.base_info().unwrap().status, Some(CardStatus::VerifyFailedEarly));
        shown["card_type"] = json!(card.card_type().as_str());
        assert_eq!(serde_json::to_value(&card).unwrap(), shown);
    }
    let known: BTreeSet<_> = CardType::KNOWN.iter().map(|known| known.as_str().to_owned()).collect();
    assert_eq!((types.len(), &types), (12, &known));
    let unknown: Card = read(&json!({"card_type":"OF_TOMORROW","of_tomorrow":{"a":1}}));
    assert_eq!(
        serde_json::to_value(&unknown).unwrap(),
        json!({"card_type":"OF_TOMORROW","of_tomorrow":{"a":1}})
    );
    assert_eq!(cards.create(&unknown).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
}

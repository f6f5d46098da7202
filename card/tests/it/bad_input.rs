//! What must not be sent is named with its field, and an answer that is none is a clear error.

use std::sync::Arc;

use chrono::DateTime;
use favor_card::*;
use favor_core::ManualClock;
use serde_json::{Value, json};

use crate::server::{Server, card_id, chain, code, openid};

const CARDS: &str = include_str!("../fixtures/cards.json");

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap().fixed_offset()
}

async fn client(server: &Server) -> Client {
    let clock = Arc::new(ManualClock::new(DateTime::from_timestamp(1_790_000_000, 0).unwrap()));
    server.builder().clock(clock).build().unwrap()
}

/// A card of the fixtures by its type.
fn fixture(card_type: &str) -> Value {
    let all: Vec<Value> = serde_json::from_str(CARDS).unwrap();
    all.into_iter().find(|body| body["card"]["card_type"] == card_type).unwrap()["card"].clone()
}

/// What is wrong with a card after a change of one value.
async fn faults(card_type: &str, path: &str, value: Value) -> Vec<String> {
    let mut body = fixture(card_type);
    let pointer = format!("/{}/{}", card_type.to_lowercase(), path);
    if let Some(place) = body.pointer_mut(&pointer) {
        *place = value;
    } else {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
    }
    let card: Card = serde_json::from_value(body).unwrap();
    let server = Server::start().await;
    let cards = Cards::new(&client(&server).await);
    match cards.check(&card) {
        Ok(()) => Vec::new(),
        Err(error) => {
            assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Outcome::NotSent));
            assert_eq!(cards.create(&card).await.unwrap_err().kind(), ErrorKind::InvalidRequest);
            assert!(server.seen().is_empty(), "nothing is sent, not even for a token");
            let violations = error.invalid_request().unwrap().violations().iter();
            violations.map(|violation| format!("{} {}", violation.field, violation.rule)).collect()
        }
    }
}

#[tokio::test]
async fn texts_are_measured_in_bytes() {
    for good in ["a".repeat(27), "券".repeat(9), format!("{}abc", "🎟".repeat(6))] {
        assert_eq!(faults("GROUPON", "base_info/title", json!(good)).await, Vec::<String>::new());
    }
    for (bad, bytes, characters) in
        [("a".repeat(28), 28, 28), ("券".repeat(10), 30, 10), ("🎟".repeat(7), 28, 7)]
    {
        let found = faults("GROUPON", "base_info/title", json!(bad)).await;
        let start =
            format!("card.groupon.base_info.title must have at most 27 bytes of UTF-8, but has {bytes}");
        assert!(found.len() == 1 && found[0].starts_with(&start), "{found:?}");
        assert_eq!(
            found[0].contains(&format!("in {characters} characters")),
            bytes != characters,
            "{found:?}"
        );
    }
    for (path, most) in [
        ("base_info/brand_name", 36),
        ("base_info/notice", 48),
        ("base_info/description", 3_072),
        ("base_info/service_phone", 24),
        ("base_info/source", 36),
        ("base_info/center_title", 18),
        ("base_info/center_sub_title", 24),
        ("base_info/custom_url_name", 15),
        ("base_info/custom_url_sub_title", 18),
        ("base_info/promotion_url_name", 15),
        ("base_info/promotion_url_sub_title", 18),
        ("base_info/logo_url", 128),
        ("base_info/custom_url", 128),
        ("base_info/sub_title", 54),
        ("advanced_info/use_condition/accept_category", 512),
        ("advanced_info/abstract/abstract", 24),
        ("advanced_info/text_image_list/0/text", 512),
        ("deal_detail", 3_072),
    ] {
        assert!(faults("GROUPON", path, json!("x".repeat(most))).await.is_empty(), "{path}");
        let found = faults("GROUPON", path, json!("x".repeat(most + 1))).await;
        let rule = format!("must have at most {most} bytes of UTF-8, but has {}", most + 1);
        assert!(found.len() == 1 && found[0].contains(&rule), "{path}: {found:?}");
    }
    assert!(faults("GROUPON", "base_info/title", json!(" ")).await[0].contains("must not be empty"));
}

#[tokio::test]
async fn quantities_times_and_rules_between_fields_are_checked() {
    for (card_type, path, value, word) in [
        ("GROUPON", "base_info/sku/quantity", json!(0), "1 to 100000000, but is 0"),
        ("GROUPON", "base_info/sku/quantity", json!(100_000_001), "but is 100000001"),
        ("GROUPON", "base_info/sku/quantity", json!(-1), "but is -1"),
        (
            "GROUPON",
            "base_info/get_custom_code_mode",
            json!("GET_CUSTOM_CODE_MODE_DEPOSIT"),
            "must be 0 for deposited",
        ),
        ("GROUPON", "base_info/date_info/end_timestamp", json!(2_147_483_648_i64), "2038-01-19"),
        ("GROUPON", "base_info/date_info/begin_timestamp", json!(1_896_134_400), "must not be after"),
        ("GROUPON", "base_info/date_info", json!({"type":"DATE_TYPE_FIX_TIME_RANGE"}), "is needed"),
        (
            "GROUPON",
            "base_info/date_info",
            json!({"type":1,"begin_timestamp":1_600_000_000,"end_timestamp":1_700_000_000}),
            "must lie in the future",
        ),
        ("GROUPON", "base_info/date_info", json!({"type":"DATE_TYPE_FIX_TERM"}), "fixed_term must be 0"),
        ("GROUPON", "base_info/date_info", json!({"type":"DATE_TYPE_PERMANENT","fixed_term":3}), "permanent"),
        ("GROUPON", "base_info/date_info", json!({"type":"DATE_TYPE_FIX_TERM_RANGE"}), "documented types"),
        ("GROUPON", "base_info/use_all_locations", json!(true), "must be left out when use_all_locations"),
        ("GROUPON", "base_info/id", json!("pTESTcard"), "is given by the platform"),
        ("GROUPON", "advanced_info/abstract/icon_url_list", json!(["a", "b"]), "1 to 1 entries, but has 2"),
        ("GROUPON", "advanced_info/time_limit/0/begin_hour", json!(24), "0 to 23, but is 24"),
        ("CASH", "reduce_cost", json!(0), "must be more than 0"),
        ("CASH", "least_cost", json!(1500), "must be 0 or more than reduce_cost"),
        ("CASH", "least_cost", json!(20_000), "must equal least_cost of advanced_info"),
        ("DISCOUNT", "discount", json!(100), "1 to 99, but is 100"),
        ("DISCOUNT", "discount", json!(0), "1 to 99, but is 0"),
        ("MEMBER_CARD", "activate_url", json!("https://shop.example/"), "must be left out when wx_activate"),
        ("MEMBER_CARD", "wx_activate", json!(false), "goes only with wx_activate"),
        ("MEMBER_CARD", "wx_activate_after_submit_url", json!("gopher://x"), "must begin with http"),
        ("MEMBER_CARD", "prerogative", json!(""), "must not be empty"),
        (
            "MEMBER_CARD",
            "custom_field1",
            json!({"name":"Level","name_type":"FIELD_NAME_TYPE_LEVEL"}),
            "not both",
        ),
        ("MEMBER_CARD", "custom_field1", json!({}), "is needed, or name_type"),
        ("GENERAL_CARD", "sub_card_type", json!("VOUCHER"), "only gift cards have a balance"),
        ("GENERAL_CARD", "base_info/giftcard_info", Value::Null, "is needed: it says what"),
        ("GENERAL_CARD", "base_info/use_custom_code", json!(true), "must be deposited"),
        ("BOARDING_PASS", "from", json!("券".repeat(19)), "at most 54 bytes"),
        ("BOARDING_PASS", "landing_time", json!("4102444800"), "2038-01-19"),
    ] {
        let found = faults(card_type, path, value.clone()).await;
        assert!(found.iter().any(|fault| fault.contains(word)), "{card_type} {path} {value}: {found:?}");
    }
    let mut four = fixture("MEMBER_CARD");
    for field in ["custom_field2", "custom_field3"] {
        four["member_card"][field] = json!({"name": "x"});
    }
    let server = Server::start().await;
    let cards = Cards::new(&client(&server).await);
    let card: Card = serde_json::from_value(four).unwrap();
    assert!(chain(&cards.check(&card).unwrap_err()).contains("at most three fields"));
}

#[tokio::test]
async fn requests_that_break_a_limit_name_it() {
    let server = Server::start().await;
    let client = client(&server).await;
    let (codes, distribution) = (Codes::new(&client), Distribution::new(&client));
    let (members, orders) = (MemberCards::new(&client), GiftOrders::new(&client));
    let (statistics, cards) = (Statistics::new(&client), Cards::new(&client));
    let mut found = Vec::new();
    let mut expect = |result: Result<(), Error>, word: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent);
        let text = chain(&error);
        assert!(text.contains(word), "{text}");
        found.push(text);
    };
    let six: Vec<QrCard> = (0..6).map(|number| QrCard::new(card_id(number))).collect();
    let create = CreateQrCode::several(six);
    expect(distribution.create_qr_code(&create).await.map(drop), "must have 1 to 5 entries, but has 6");
    let create = CreateQrCode::several(vec![]);
    expect(distribution.create_qr_code(&create).await.map(drop), "but has 0");
    for seconds in [59, 1_801] {
        let create = CreateQrCode::one(QrCard::new(card_id(1))).expire_seconds(seconds);
        expect(distribution.create_qr_code(&create).await.map(drop), "60 to 1800");
    }
    let long = CreateQrCode::one(QrCard::new(card_id(1)).outer_str("券".repeat(43)));
    expect(
        distribution.create_qr_code(&long).await.map(drop),
        "action_info.card.outer_str must have at most 128",
    );
    let muddled = CreateQrCode::new(QrAction::Several, QrActionInfo::new().card(QrCard::new(card_id(1))));
    expect(distribution.create_qr_code(&muddled).await.map(drop), "multiple_card for QR_MULTIPLE_CARD");
    let nobody = TestWhitelist::new();
    expect(distribution.set_test_whitelist(&nobody).await.map(drop), "1 to 10, but is 0");
    let crowd = TestWhitelist::new().openid(vec![openid(); 6]).username(vec!["x".into(); 5]);
    expect(distribution.set_test_whitelist(&crowd).await.map(drop), "but is 11");

    let many: Vec<Code> = (0..101).map(|number| code(&number.to_string())).collect();
    expect(codes.deposit(&card_id(1), &many).await.map(drop), "1 to 100 entries, but has 101");
    expect(codes.deposit(&card_id(1), &[]).await.map(drop), "but has 0");
    expect(codes.check(&card_id(1), &[code("1"), code("1")]).await.map(drop), "the same code twice");
    expect(
        codes.consume(&CodeRef::new(code(&"1".repeat(21)))).await.map(drop),
        "code must have at most 20 bytes",
    );
    expect(codes.decrypt("XX%2B").await.map(drop), "url-decoded");
    expect(codes.decrypt("").await.map(drop), "must not be empty");
    expect(codes.update(&UpdateCode::new(code("1"), code("1"))).await.map(drop), "must differ");

    let update = UpdateMember::new(code("1"), card_id(1)).record_bonus("券".repeat(15));
    expect(
        members.update(&update).await.map(drop),
        "record_bonus must have at most 42 bytes of UTF-8, but has 45",
    );
    let activate = ActivateMember::new("x".repeat(21), code("1"));
    expect(members.activate(&activate).await.map(drop), "membership_number must have at most 20");
    let form =
        SetMemberForm::new(card_id(1)).required_form(Form::new().custom_field_list(vec!["x".to_owned(); 6]));
    expect(members.set_form(&form).await.map(drop), "required_form.custom_field_list must have 0 to 5");

    let list = ListGiftOrders::new(at(1_700_000_000), at(1_702_678_401), SortType::Ascending, 0, 100);
    expect(orders.list(&list).await.map(drop), "at most 31 days");
    let list = ListGiftOrders::new(at(1_700_000_000), at(1_700_000_001), SortType::Ascending, 0, 101);
    expect(orders.list(&list).await.map(drop), "1 to 100, but is 101");

    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    // 1,790,000,000 is 2026-09-21 in Beijing.
    let days = Days::new(day("2026-09-20"), day("2026-09-21"), CardSource::Api);
    expect(statistics.account(&days).await.map(drop), "must be before today, which is 2026-09-21 in Beijing");
    let days = Days::new(day("2026-01-01"), day("2026-03-04"), CardSource::Api);
    expect(statistics.account(&days).await.map(drop), "at most 62 days in all");
    let days = Days::new(day("2026-01-02"), day("2026-01-01"), CardSource::Api);
    expect(statistics.account(&days).await.map(drop), "must not be after end_date");

    expect(cards.list(&ListCards::new(0, 51)).await.map(drop), "1 to 50, but is 51");
    expect(cards.increase_stock(&card_id(1), 0).await.map(drop), "increase_stock_value must be 1");
    let mut base = BaseInfoChanges::new();
    base.extra.set("brand_name", "Another");
    let changes = GrouponChanges::new().base_info(base).into();
    expect(
        cards.update(&card_id(1), &changes).await.map(drop),
        "groupon.base_info.brand_name cannot be changed",
    );
    let changes = MemberCardChanges::new().supply_bonus(false).into();
    expect(cards.update(&card_id(1), &changes).await.map(drop), "only from no to yes");

    let changes = MemberCardChanges::new().bonus_app_brand_pass("x".repeat(129)).into();
    expect(cards.update(&card_id(1), &changes).await.map(drop), "bonus_app_brand_pass must have at most 128");
    let changes = MemberCardChanges::new().discount(100).into();
    expect(cards.update(&card_id(1), &changes).await.map(drop), "discount must be 0");
    let date_info = DateInfo::between(at(1_790_000_000), at(1_890_000_000)).fixed_term(5);
    let changes = GrouponChanges::new().base_info(BaseInfoChanges::new().date_info(date_info)).into();
    expect(cards.update(&card_id(1), &changes).await.map(drop), "without fixed_term");

    // Ids that came from a file, unlooked at.
    let long: CardId = serde_json::from_value(json!("p".repeat(33))).unwrap();
    let page = CreateLandingPage::new(
        "http://mmbiz.qpic.cn/0",
        "Spring",
        true,
        Scene::H5,
        vec![LandingPageCard::new(long.clone(), "http://mmbiz.qpic.cn/1")],
    );
    let distribution = Distribution::new(&client);
    expect(
        distribution.create_landing_page(&page).await.map(drop),
        "card_list[0].card_id must have at most 32",
    );
    let cell = UrlCell::new(at(1_890_000_000), "More").card_id_list(vec![card_id(1), long]);
    let changes = MemberCardChanges::new().modify_msg_operation(MsgOperation::new().url_cell(cell)).into();
    expect(cards.update(&card_id(1), &changes).await.map(drop), "card_id_list[1] must have at most 32");
    let long: Code = serde_json::from_value(json!("1".repeat(65))).unwrap();
    expect(codes.update(&UpdateCode::new(code("1"), long)).await.map(drop), "new_code must have at most 64");
    let name = RichField::new(RichFieldType::Radio, "x".repeat(22), vec!["S".to_owned()]);
    let form = SetMemberForm::new(card_id(1)).required_form(Form::new().rich_field_list(vec![name]));
    expect(members.set_form(&form).await.map(drop), "rich_field_list[0].name must have at most 21");

    assert!(server.seen().is_empty(), "nothing was sent");
    assert!(found.iter().all(|text| text.contains("breaks documented rules")));
}

#[tokio::test]
async fn statistics_of_62_days_are_sent() {
    let server = Server::start().await;
    server.answer("/datacube/getcardbizuininfo", r#"{"list":[]}"#);
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    let days = Days::new(day("2026-01-01"), day("2026-03-03"), CardSource::Api);
    Statistics::new(&client(&server).await).account(&days).await.unwrap();
}

#[test]
fn what_a_page_signs_is_checked() {
    let ticket = CardTicket::new("ticket").unwrap();
    let refused = |card: CardExt| {
        let error = card.sign(&ticket, at(1_790_000_000), "abc").unwrap_err();
        error.violations().iter().map(|violation| violation.field.clone()).collect::<Vec<_>>()
    };
    let begin = CardExt::new(card_id(1)).fixed_begintimestamp(at(2_147_483_648));
    assert_eq!(refused(begin), ["fixed_begintimestamp"]);
    let long: favor_core::OpenId = serde_json::from_value(json!("o".repeat(33))).unwrap();
    assert_eq!(refused(CardExt::new(card_id(1)).openid(long)), ["openid"]);
}

#[test]
fn ids_that_cannot_be_are_refused() {
    for bad in ["", "a b", &"p".repeat(33), "券"] {
        assert!(CardId::new(bad).is_err(), "{bad:?}");
    }
    for bad in ["", "a b", "a\n", &"1".repeat(65)] {
        assert!(Code::new(bad).is_err(), "{bad:?}");
    }
    assert!(Code::new("券-1").is_ok());
}

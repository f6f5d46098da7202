//! Accounts and cards from a seed.

use favor_mirror::{CardReviewPolicy, ClaimCard, Mirror, MirrorError, PushMode, Seed};
use serde_json::json;

use super::{ANNA, Cards};
use crate::harness::{World, builder};

const TEA: &str = r#"
[[card_accounts]]
appid = "wx00000000000000aa"
review = "manual"
review_seconds = 5
bonus = false

[[cards]]
type = "GROUPON"
title = "Tea for two"
quantity = 5
base_info = { get_limit = 1, brand_name = "茶馆" }
details = { deal_detail = "2 pots" }

[[cards]]
type = "CASH"
title = "Ten off"
quantity = 6
status = "review"
details = { least_cost = 5000, reduce_cost = 1000 }

[[cards]]
type = "GIFT"
title = "No"
quantity = 7
status = "refused"

[[cards]]
type = "GIFT"
title = "Gone"
quantity = 8
status = "deleted"
"#;

async fn seeded(text: &str) -> Cards {
    Cards::around(World::with(builder().seed(Seed::parse(text).unwrap())).await).await
}

#[tokio::test]
async fn accounts_and_cards_come_from_a_seed() {
    let cards = seeded(TEA).await;
    let desk = cards.world.mirror.cards();
    let account = desk.accounts().await.unwrap().remove(0);
    assert_eq!((account.review, account.review_seconds, account.bonus), (CardReviewPolicy::Manual, 5, false));
    assert_eq!(account.mode, PushMode::Plain);
    let listed = cards.ok("/card/batchget", &json!({"offset": 0, "count": 10})).await;
    let ids: Vec<_> =
        listed["card_id_list"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let mut seen = Vec::new();
    for id in &ids {
        let card = cards.ok("/card/get", &json!({ "card_id": id })).await["card"].clone();
        let key = card["card_type"].as_str().unwrap().to_lowercase();
        let base = &card[&key]["base_info"];
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        seen.push((text(&base["title"]), text(&base["status"]), base["sku"]["quantity"].as_i64().unwrap()));
    }
    let card = |title: &str, status: &str, stock| (title.to_owned(), format!("CARD_STATUS_{status}"), stock);
    assert_eq!(
        seen,
        [
            card("Tea for two", "VERIFY_OK", 5),
            card("Ten off", "NOT_VERIFY", 6),
            card("No", "VERIFY_FAIL", 7),
            card("Gone", "DELETE", 8),
        ]
    );
    desk.claim(ClaimCard::card(ANNA, ids[0])).await.unwrap();
    desk.claim(ClaimCard::card(ANNA, ids[0])).await.unwrap_err();
    desk.review(ids[1], None).await.unwrap();
    cards.world.assert_sound(&cards.world.mirror.audit().await);
    // A reset brings them back as they were.
    cards.world.control("POST", "/_mirror/reset", &json!({})).await.ok();
    let cards = Cards::around(cards.world).await;
    let listed = cards.ok("/card/batchget", &json!({"offset": 0, "count": 10})).await;
    assert_eq!(listed["total_num"], 4);
    assert_eq!(desk.accounts().await.unwrap()[0].review, CardReviewPolicy::Manual);
}

#[tokio::test]
async fn a_data_file_goes_before_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let start =
        async |text: &str| builder().data(&file).seed(Seed::parse(text).unwrap()).start().await.unwrap();
    let mirror = start(TEA).await;
    assert_eq!(mirror.seed_notes(), [""; 0]);
    mirror.shutdown().await;
    let mirror = start(TEA).await;
    assert_eq!(mirror.seed_notes(), [""; 0], "the same seed again");
    mirror.shutdown().await;
    let mirror = start(&TEA.replace("quantity = 5", "quantity = 9").replace("bonus = false", "")).await;
    assert_eq!(
        mirror.seed_notes(),
        [
            "card account wx00000000000000aa: the data file goes before the seed",
            "card Tea for two: the data file goes before the seed"
        ]
    );
    mirror.shutdown().await;
}

#[tokio::test]
async fn mistakes_name_their_place() {
    let card = |rest: &str| format!("[[cards]]\ntype = \"GIFT\"\ntitle = \"Tea\"\n{rest}");
    for (text, expected) in [
        ("[[card_accounts]]\nappid = \"wx9\"\n".to_owned(), "seed:2:9: appid wx9 is bound to no merchant"),
        (
            "[[card_accounts]]\nappid = \"wx00000000000000aa\"\nreview = \"maybe\"\n".to_owned(),
            "seed:3:10: unknown variant `maybe`",
        ),
        (
            "[[card_accounts]]\nappid = \"wx00000000000000aa\"\nmode = \"secure\"\n".to_owned(),
            "seed:1:1: its mode needs an encoding_aes_key of 43 characters",
        ),
        ("[[card_accounts]]\nappid = \"a\"\n".repeat(2), "seed:4:9: card account a is there twice"),
        (card("quantity = 0\n"), "seed:4:12: the card cannot be made: errcode 40122"),
        (card("quantity = 1\nappid = \"wx9\"\n"), "seed:5:9: appid wx9 is bound to no merchant"),
        (card("quantity = 1\nstatus = \"new\"\n"), "seed:5:10: unknown variant `new`"),
        (card("quantity = 1\ncolour = \"red\"\n"), "seed:5:1: unknown field `colour`"),
        (card("quantity = 1\n").replace("GIFT", "TEA"), "seed:2:8: the card cannot be made: errcode 40071"),
        (
            card("quantity = 1\nbase_info = { color = \"red\" }\n"),
            "seed:1:1: the card cannot be made: errcode 40076",
        ),
        (card("quantity = 1\n").repeat(2), "seed:7:9: there are two cards Tea"),
    ] {
        let error = match Seed::parse(&text) {
            Err(error) => error.to_string(),
            Ok(seed) => match Mirror::builder().seed(seed).start().await {
                Err(error @ MirrorError::SeedFile(_)) => error.to_string(),
                other => panic!("{text}: {other:?}"),
            },
        };
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

//! Seed files, and ids made from a number.

use favor_mirror::{Mirror, MirrorError, Redeem, Refund, Seed};
use serde_json::{Value, json};

use crate::harness::{FAVOR, USER, World, builder, coupons_of, stock_body};

fn refused(text: &str) -> impl Future<Output = String> + use<> {
    let seed = Seed::parse(text);
    async move {
        match seed {
            Err(error) => error.to_string(),
            Ok(seed) => match builder().seed(seed).start().await {
                Err(error @ MirrorError::SeedFile(_)) => error.to_string(),
                other => panic!("{other:?}"),
            },
        }
    }
}

async fn seeded(text: &str) -> World {
    World::with(builder().seed(Seed::parse(text).unwrap())).await
}

const TEA: &str = r#"
[[merchants]]
mchid = "1900000110"
appids = ["wx00000000000000ba"]

[[users]]
openid = "oTea0000000000000000000000001"
appid = "wx00000000000000aa"

[[users]]
openid = "oRisky"
appid = "wx00000000000000aa"
risky = true
person = "Lin"

[[stocks]]
name = "Tea"
coupon_amount_fen = 500
threshold_fen = 3000
coupons = 10
prevent_api_abuse = true
senders = ["1900000110"]
"#;

async fn stocks(world: &World) -> Vec<Value> {
    let target = format!("{FAVOR}/stocks?offset=0&limit=10&stock_creator_mchid=1900000109");
    world.get(&target).await.ok()["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_example_loads_and_adds_up() {
    let world = seeded(Seed::EXAMPLE).await;
    assert!(world.mirror.seed_notes().is_empty());
    let stocks = stocks(&world).await;
    let mut found: Vec<_> = stocks
        .iter()
        .map(|stock| (stock["stock_name"].as_str().unwrap(), stock["status"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("Cake 10 off 50", "running"),
            ("Fresh", "unactivated"),
            ("Over", "stoped"),
            ("Paused", "paused"),
            ("Reviewed", "audit"),
            ("Tea 5 off 30", "running"),
        ]
    );
    world.assert_sound(&world.mirror.audit().await);
    let merchants = world.control("GET", "/_mirror/merchants", &Value::Null).await.ok();
    let of = |mchid: &str| {
        let all = merchants["merchants"].as_array().unwrap();
        all.iter().find(|merchant| merchant["mchid"] == mchid).unwrap().clone()
    };
    // The prefunded stock's budget is locked.
    assert_eq!(of("1900000109")["balance_fen"], 100_000_000 - 500_000);
    assert_eq!(of("1900000111")["certificate_expires"], "2026-08-20T12:00:00+08:00");
    assert_eq!(of("1900000112")["event_permission"], false);
    let users = world.control("GET", "/_mirror/users?limit=2", &Value::Null).await.ok();
    assert_eq!(users["users"].as_array().unwrap().len(), 2);
    assert_eq!((&users["users"][0]["person"], &users["users"][0]["coupons"]), (&json!("Lin"), &json!(2)));
    let last = users["users"][1]["openid"].as_str().unwrap();
    let rest = world.control("GET", &format!("/_mirror/users?after={last}"), &Value::Null).await.ok();
    assert_eq!(rest["users"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn what_is_seeded_works() {
    let world = seeded(TEA).await;
    let id = stocks(&world).await[0]["stock_id"].as_str().unwrap().to_owned();
    world.give(&id, USER, "s1").await.ok();
    world.give(&id, "oRisky", "s2").await.refused(403, "USER_ACCOUNT_ABNORMAL", "用户非法");
    let sender = world.credentials_of("1900000110");
    let body = json!({
        "stock_id": id, "out_request_no": "x1", "appid": "wx00000000000000ba",
        "stock_creator_mchid": "1900000109"
    });
    world.call_as(&sender, "POST", &coupons_of("oOther"), &body).await.ok();
    // A reset comes back to the seed.
    world.mirror.reset().await.unwrap();
    assert_eq!(stocks(&world).await[0]["distributed_coupons"], 0);
    world.give(&id, "oRisky", "s2").await.refused(403, "USER_ACCOUNT_ABNORMAL", "用户非法");
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn mistakes_name_their_place() {
    let stock = |lines: &str| {
        format!(
            "[[stocks]]\nname = \"Tea\"\ncoupon_amount_fen = 500\nthreshold_fen = 3000\ncoupons = 10\n{lines}\n"
        )
    };
    for (text, expected) in [
        ("[[users]]\nopenid = \"o\"\nappid = \"wxNo\"\n".to_owned(), "seed:3:9: appid wxNo is bound to no"),
        (stock("senders = [\"42\"]"), "seed:6:12: sender 42 is no merchant"),
        (stock("creator = \"42\""), "seed:6:11: creator 42 is no merchant"),
        (stock("created = \"+1h\""), "seed:6:11: a stock cannot have been created in the future"),
        (stock("created = \"-5s\""), "seed:6:11: the stock cannot be started: a stock can be started about"),
        (stock("end = \"+100d\""), "seed:1:1: the stock cannot be created: the window"),
        (stock("daily_budget_fen = 99999"), "seed:1:1: the stock cannot be created: max_amount_by_day"),
        (
            stock("merchants = [\"77\"]"),
            "seed:1:1: the stock cannot be created: every available merchant exists",
        ),
        (stock("state = \"gone\""), "seed:6:9: unknown variant `gone`"),
        (stock("out_request_no = \"a/b\""), "seed:6:18: the stock cannot be created"),
        (stock("no_cash = false").replace("coupons = 10", "coupons = 4"), "seed:5:11: the stock cannot be"),
        (
            stock("no_cash = false\ncreator = \"5\"") + "[[merchants]]\nmchid = \"5\"\n",
            "seed:1:1: the stock cannot be started: the creator's balance covers",
        ),
        ("[[merchants]]\nmchid = \"5\"\nprivate_key_pem = \"x\"\n".to_owned(), "seed:3:19: "),
        (
            "[[merchants]]\nmchid = \"5\"\nprivate_key_file = \"no.pem\"\n".to_owned(),
            "seed:3:20: no.pem cannot",
        ),
        (
            "[[merchants]]\nmchid = \"5\"\nservice_provider = \"6\"\n".to_owned(),
            "seed:3:20: service provider 6",
        ),
    ] {
        let error = refused(&text).await;
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    let error = Mirror::builder().seed_file("no/such/seed.toml").start().await.unwrap_err();
    assert!(error.to_string().starts_with("no/such/seed.toml: cannot be read"), "{error}");
}

#[tokio::test]
async fn a_file_names_itself_and_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seed.toml");
    let world = World::new().await;
    std::fs::write(folder.path().join("key.pem"), world.credentials().private_key_pem).unwrap();
    std::fs::write(&file, "[[merchants]]\nmchid = \"7\"\nprivate_key_file = \"key.pem\"\n").unwrap();
    let seeded = World::with(builder().seed_file(&file)).await;
    assert_eq!(seeded.credentials_of("7").private_key_pem, world.credentials().private_key_pem);
    std::fs::write(&file, b"[[merchants]]\nbrand = \"\xE8\x8C\xB6\xFF\"").unwrap();
    let error = builder().seed_file(&file).start().await.unwrap_err().to_string();
    assert_eq!(error, format!("{}:2:11: what follows is not UTF-8", file.display()));
    std::fs::write(&file, "\n\n[[merchants]]\nmchid = 7\n").unwrap();
    let error = builder().seed_file(&file).start().await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}:4:9: invalid type", file.display())), "{error}");
}

/// A seed that fails leaves nothing in the data file, and one that is put in twice changes nothing.
#[tokio::test]
async fn a_data_file_goes_before_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.sqlite");
    let start = |text: &str| builder().data(&data).seed(Seed::parse(text).unwrap()).start();
    let broken =
        format!("{TEA}\n[[stocks]]\nname = \"B\"\ncoupon_amount_fen = 1\nthreshold_fen = 9\ncoupons = 9\n");
    assert!(matches!(start(&broken).await, Err(MirrorError::SeedFile(_))));
    let audit = Mirror::audit_file(&data).await.unwrap();
    assert!(audit.ok && audit.stocks.is_empty());

    let mirror = start(TEA).await.unwrap();
    assert!(mirror.seed_notes().is_empty());
    mirror.shutdown().await;
    let again = World::around(start(TEA).await.unwrap());
    assert!(again.mirror.seed_notes().is_empty(), "{:?}", again.mirror.seed_notes());
    assert_eq!(stocks(&again).await.len(), 1);
    again.mirror.shutdown().await;
    let other = TEA.replace("risky = true", "abnormal = true").replace("coupons = 10", "coupons = 11");
    let other = other.replace("[\"wx00000000000000ba\"]", "[\"wx00000000000000ba\", \"wx2\"]");
    let other = World::around(start(&other).await.unwrap());
    let notes = other.mirror.seed_notes().join("\n");
    for part in ["merchant 1900000110", "appids", "user oRisky", "stock 15300001 (seed_1)"] {
        assert!(notes.contains(part), "{part} is not in {notes}");
    }
    assert_eq!(stocks(&other).await[0]["stock_use_rule"]["max_coupons"], 10);
    world_is_sound(&other).await;
}

async fn world_is_sound(world: &World) {
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn settings_come_from_the_seed_and_later_choices_go_before_them() {
    let text = "[settings]\nclock_at = \"2027-01-01T00:00:00+08:00\"\nstart_delay = \"0s\"\nrate_limits = true\n\
                [readings]\nempty_stock_list = \"empty\"\n";
    let world =
        World::with(Mirror::builder().seed(Seed::parse(text).unwrap()).wire_clock_follows_test_clock(true))
            .await;
    assert_eq!(world.mirror.now(), crate::harness::time("2027-01-01T00:00:00+08:00"));
    let list = format!("{FAVOR}/stocks?offset=0&limit=10&stock_creator_mchid=1900000109");
    assert_eq!(world.get(&list).await.ok()["total_count"], 0);
    assert_eq!(world.control("GET", "/_mirror/rates", &Value::Null).await.ok()["enforced"], true);
    let later = World::with(builder().seed(Seed::parse(text).unwrap()).documented_rate_limits(false)).await;
    assert_eq!(later.control("GET", "/_mirror/rates", &Value::Null).await.ok()["enforced"], false);
}

/// Everything that names something, of one run.
async fn ids(seed: u64) -> Vec<String> {
    let world = World::with(builder().id_seed(seed)).await;
    let id = world.running_stock(&stock_body("n1", 10, 2)).await;
    let reply = world.give(&id, USER, "s1").await;
    let coupon = reply.ok()["coupon_id"].as_str().unwrap().to_owned();
    let paid = world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    let back = world.mirror.refund(&coupon, Refund::default()).await.unwrap();
    world.assert_sound(&world.mirror.audit().await);
    let transaction = paid.consume_information.unwrap().transaction_id;
    assert_eq!((id.len(), coupon.len(), transaction.len()), (8, 14, 28));
    let request_id = reply.header("request-id").unwrap().to_owned();
    vec![id, coupon, transaction, back.redemptions[0].refunds[0].refund_id.clone(), request_id]
}

#[tokio::test]
async fn a_number_makes_the_same_ids_each_time() {
    let one = ids(7).await;
    assert_eq!(one, ids(7).await);
    for (one, other) in one.iter().zip(ids(8).await) {
        assert_ne!(*one, other);
    }
}

#[tokio::test]
async fn ids_go_on_where_a_data_file_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.sqlite");
    let world = World::with(builder().data(&data).id_seed(7)).await;
    let first: i64 = world.created_stock(&stock_body("n1", 10, 2)).await.parse().unwrap();
    world.mirror.shutdown().await;
    let world = World::with(builder().data(&data).id_seed(8)).await;
    assert_eq!(world.mirror.seed_notes().len(), 1);
    let second: i64 = world.created_stock(&stock_body("n2", 10, 2)).await.parse().unwrap();
    assert_eq!(second, first + 1);
    // A reset begins again, by the number of the file.
    world.mirror.reset().await.unwrap();
    let again: i64 = world.created_stock(&stock_body("n1", 10, 2)).await.parse().unwrap();
    assert_eq!(again, first);
}

//! What a seed says of coupons: those given, paid with and refunded, when and where they can be used, and who is told.

use std::time::Duration;

use favor_mirror::{Mirror, MirrorError, Redeem, Refund, Seed};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{FAVOR, USER, World, builder, coupons_of};

const TEA: &str = r#"
[[merchants]]
mchid = "1900000110"
appids = ["wx00000000000000ba"]

[[users]]
openid = "oSecond"
appid = "wx00000000000000aa"

[[stocks]]
name = "Tea"
begin = "-10d"
end = "+10d"
coupon_amount_fen = 500
threshold_fen = 3000
coupons = 10
per_user = 2
no_cash = false
senders = ["1900000110"]
"#;

fn with_given(more: &str) -> String {
    format!("{TEA}\n[[stocks.given]]\n{more}\n")
}

async fn seeded(text: &str) -> World {
    let seed = Seed::parse(text).unwrap_or_else(|error| panic!("{error}"));
    World::with(builder().seed(seed)).await
}

async fn coupons(world: &World) -> Vec<Value> {
    let stocks = world.control("GET", "/_mirror/stocks", &Value::Null).await.ok();
    let id = stocks["stocks"][0]["stock_id"].as_str().unwrap();
    let page = world.control("GET", &format!("/_mirror/stocks/{id}/coupons"), &Value::Null).await.ok();
    page["coupons"].as_array().unwrap().clone()
}

async fn stock_id(world: &World) -> String {
    world.mirror.stocks().await.unwrap()[0].stock_id.clone()
}

#[tokio::test]
async fn coupons_are_given_paid_with_and_refunded() {
    let text = TEA.to_owned()
        + r#"
[[stocks.given]]
openid = "oFirst"

[[stocks.given]]
openid = "oSecond"
out_request_no = "mine"
at = "-5d"
paid = { at = "-4d", total_fen = 3850, transaction_id = "T1" }

[[stocks.given]]
openid = "oThird"
sender = "1900000110"
at = "-5d"
paid = {}
refunded = { at = "-1d", amount_fen = 1000 }

[[stocks.given]]
openid = "oThird"
sender = "1900000110"
at = "-5d"
paid = { at = "-2d" }
refunded = { at = "-1d" }
"#;
    let world = seeded(&text).await;
    let given = coupons(&world).await;
    let seen: Vec<_> = given
        .iter()
        .map(|coupon| {
            let text = |key: &str| coupon[key].as_str().unwrap_or_default().to_owned();
            [text("openid"), text("sender_mchid"), text("out_request_no"), text("status"), text("appid")]
        })
        .collect();
    let row = |texts: [&str; 5]| texts.map(str::to_owned);
    let (aa, ba) = ("wx00000000000000aa", "wx00000000000000ba");
    assert_eq!(
        seen,
        [
            row(["oFirst", "1900000109", "seed_1_1", "SENDED", aa]),
            row(["oSecond", "1900000109", "mine", "USED", aa]),
            row(["oThird", "1900000110", "seed_1_3", "USED", ba]),
            row(["oThird", "1900000110", "seed_1_4", "SENDED", ba]),
        ]
    );
    assert_eq!(given[0]["create_time"], "2026-07-31T12:00:00+08:00", "as soon as it could be");
    assert_eq!(given[1]["create_time"], "2026-08-05T12:00:00+08:00");
    assert_eq!(given[1]["consume_information"]["consume_time"], "2026-08-06T12:00:00+08:00");
    assert_eq!(given[1]["consume_information"]["transaction_id"], "T1");
    assert_eq!(given[1]["redemptions"][0]["total_amount"], 3_850);
    assert_eq!(given[2]["redemptions"][0]["refunds"][0]["amount"], 1_000);
    assert_eq!(given[3]["redemptions"][0]["refunds"][0]["refund_time"], "2026-08-09T12:00:00+08:00");

    // The world goes on from there: repeats, limits, money, flows.
    let id = stock_id(&world).await;
    let repeated = world.give(&id, "oSecond", "mine").await.ok();
    assert_eq!(repeated["coupon_id"], given[1]["coupon_id"]);
    let sender = world.credentials_of("1900000110");
    let mut third = world.send_body(&id, "more");
    third["appid"] = json!(ba);
    let third = world.call_as(&sender, "POST", &coupons_of("oThird"), &third).await;
    third.refused(403, "REQUEST_BLOCKED", "用户被限领拦截");
    let stock = world.mirror.stock(&id).await.unwrap();
    assert_eq!((stock.distributed, stock.used, stock.spent_amount), (4, 2, Some(834)));
    let flow = format!("{FAVOR}/stocks/{id}/use-flow-by-day?bill_date=2026-08-06");
    assert_eq!(world.get(&flow).await.ok()["stock_useflow_count"], "1");
    let first = given[0]["coupon_id"].as_str().unwrap();
    world.mirror.redeem(first, Redeem::default()).await.unwrap();
    world.mirror.refund(first, Refund::default()).await.unwrap();
    world.assert_sound(&world.mirror.audit().await);

    // A reset comes back to exactly this.
    world.mirror.reset().await.unwrap();
    assert_eq!(coupons(&world).await, given);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn what_no_client_could_have_done_is_refused_with_its_place() {
    let refused = async |text: &str| match Seed::parse(text) {
        Err(error) => error.to_string(),
        Ok(seed) => match builder().seed(seed).start().await {
            Err(error @ MirrorError::SeedFile(_)) => error.to_string(),
            other => panic!("{text}: {other:?}"),
        },
    };
    // The entry's first line is the 23rd.
    let line = TEA.lines().count() + 3;
    for (given, row, column, words) in [
        ("openid = \"o\"\nat = \"+1h\"", 1, 6, "what has been done cannot lie in the future"),
        (
            "openid = \"o\"\nat = \"-11d\"",
            1,
            6,
            "the coupon cannot be given: the stock is not paused and now is inside",
        ),
        ("openid = \"o\"\nsender = \"42\"", 1, 10, "sender 42 is no merchant of this mirror"),
        (
            "openid = \"o\"\nappid = \"wxNo\"",
            1,
            9,
            "the coupon cannot be given: the appid is bound to the caller",
        ),
        ("openid = \"o\"\nout_request_no = \"a/b\"", 1, 18, "the coupon cannot be given: "),
        (
            "openid = \"oSecond\"\nsender = \"1900000110\"\nappid = \"wx00000000000000ba\"",
            2,
            9,
            "the coupon cannot be given: the openid",
        ),
        ("openid = \"o\"\nrefunded = {}", 1, 12, "what was not paid cannot be refunded"),
        (
            "openid = \"o\"\nat = \"-1d\"\npaid = { at = \"-2d\" }",
            2,
            15,
            "a coupon cannot be paid with before it was given",
        ),
        (
            "openid = \"o\"\npaid = { total_fen = 2999 }",
            1,
            8,
            "the coupon cannot be paid with: the total of 2999 fen is below",
        ),
        (
            "openid = \"o\"\npaid = { at = \"-1d\" }\nrefunded = { at = \"-2d\" }",
            2,
            19,
            "a payment cannot be refunded before it was made",
        ),
        (
            "openid = \"o\"\npaid = {}\nrefunded = { amount_fen = 9999 }",
            2,
            12,
            "the coupon cannot be refunded: 9999 fen",
        ),
        ("openid = \"o\"\npaid = { when = \"-1d\" }", 1, 10, "unknown field `when`"),
        (
            "openid = \"o\"\n[[stocks.given]]\nopenid = \"o\"\n[[stocks.given]]\nopenid = \"o\"",
            4,
            10,
            "fewer than max_coupons_per_user",
        ),
    ] {
        let error = refused(&with_given(given)).await;
        assert!(error.starts_with(&format!("seed:{}:{column}: ", line + row)), "{given}: {error}");
        assert!(error.contains(words), "{given}: {error}");
    }
    let unstarted = with_given("openid = \"o\"").replace("no_cash", "state = \"created\"\nno_cash");
    let error = refused(&unstarted).await;
    assert!(error.contains("the stock has been started"), "{error}");
    for (rule, words) in [
        ("goods_tag = [\"a-b\"]", "the stock cannot be created"),
        ("trade_type = [\"BARTER\"]", "the stock cannot be created"),
        ("hours = { week_days = [7] }", "the stock cannot be created"),
        ("hours = { from = \"25:00\" }", "a time of day is written as"),
        ("hours = { from = \"10:00\" }\nsecond_day_available = true", "rules exclude each other"),
    ] {
        let text = TEA.replace("per_user = 2", rule);
        let error = refused(&text).await;
        assert!(error.contains(words), "{rule}: {error}");
        // Named are the line of the rule itself, or that of the stock where several are at odds.
        let place = text.lines().position(|line| line.starts_with(rule.lines().next().unwrap())).unwrap() + 1;
        let stock = text.lines().position(|line| line == "[[stocks]]").unwrap() + 1;
        let at = if rule.contains('\n') { stock } else { place };
        assert!(error.starts_with(&format!("seed:{at}:")), "{rule}: {error}");
    }
    for (callback, words) in [
        ("callback_url = \"http://shop.example/\"", "seed:4:16: a callback address is https"),
        ("callback_url = \"https://shop.example/\"\nevent_permission = false", "seed:4:16: without product"),
    ] {
        let text = TEA.replace("appids = [\"wx00000000000000ba\"]", callback);
        let error = refused(&text).await;
        assert!(error.starts_with(words), "{callback}: {error}");
    }
}

#[tokio::test]
async fn hours_tags_and_ways_of_payment_are_those_of_the_stock() {
    // The tenth of August 2026 is a Monday, and the clock stands at noon.
    let rules = "goods_tag = [\"TEA\"]\ntrade_type = [\"CARD\", \"FACE\"]\ncombine_use = false\n\
                 hours = { week_days = [1], from = \"13:00\", to = \"14:00:30\" }";
    let world = seeded(&TEA.replace("per_user = 2", rules)).await;
    let id = stock_id(&world).await;
    let rule = world.stock(&id).await["stock_use_rule"].clone();
    assert_eq!(
        (&rule["goods_tag"], &rule["trade_type"], &rule["combine_use"]),
        (&json!(["TEA"]), &json!(["CARD", "FACE"]), &json!(false))
    );
    let shown = world.mirror.stock(&id).await.unwrap();
    assert_eq!((shown.week_days, shown.day_seconds), (vec![1], Some((46_800, 50_430))));
    let coupon = world.coupon(&id, USER, "s1").await;
    let early = world.mirror.redeem(&coupon, Redeem::default()).await;
    assert!(matches!(early, Err(MirrorError::Refused { .. })), "{early:?}");
    world.mirror.advance(Duration::from_secs(3_600)).await.unwrap();
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
}

/// Counts the notifications that arrive, and acknowledges none.
async fn deaf_receiver() -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/n", listener.local_addr().unwrap());
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if stream.read(&mut [0; 16_384]).await.unwrap_or(0) == 0 {
                continue;
            }
            counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let answer = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            stream.write_all(answer).await.ok();
        }
    });
    (url, count)
}

#[tokio::test]
async fn a_seed_names_who_is_told_what_and_how_often() {
    let (url, count) = deaf_receiver().await;
    let text = format!(
        "[settings]\nnotify_sends = true\ncallback_schedule = [\"10s\", \"1m\"]\n\
         [[merchants]]\nmchid = \"1900000109\"\nappids = [\"wx00000000000000aa\"]\nbalance_fen = 100000\ncallback_url = \"{url}\"\n{}",
        with_given("openid = \"oFirst\"\npaid = {}")
    );
    let world = seeded(&text).await;
    let set = world.get(&format!("{FAVOR}/callbacks?mchid=1900000109")).await.ok();
    assert_eq!(set["notify_url"], url);
    assert!(
        world.mirror.notifications(10, 0).await.unwrap().is_empty(),
        "what a seed does is told to nobody"
    );

    let coupon = world.coupon(&stock_id(&world).await, USER, "s1").await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    world.mirror.advance(Duration::from_secs(3_600)).await.unwrap();
    let told = world.mirror.notifications(10, 0).await.unwrap();
    let kinds: Vec<_> = told.iter().map(|one| (one.event_type.as_str(), one.deliveries.len())).collect();
    assert_eq!(kinds, [("COUPON.USE", 3), ("COUPON.SEND", 3)]);
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 6);

    // Switched off, the address is kept and nothing is told.
    let silent = text.replace("callback_url", "callback_switch = false\ncallback_url");
    let world = seeded(&silent).await;
    assert_eq!(world.get(&format!("{FAVOR}/callbacks?mchid=1900000109")).await.ok()["notify_url"], url);
    world.coupon(&stock_id(&world).await, USER, "s1").await;
    assert!(world.mirror.notifications(10, 0).await.unwrap().is_empty());
}

/// Coupons and addresses that the file lacks are not put in behind its back, but said.
#[tokio::test]
async fn a_data_file_goes_before_the_coupons_of_a_seed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.sqlite");
    let start = async |text: &str| {
        let seed = Seed::parse(text).unwrap();
        World::around(builder().data(&data).seed(seed).start().await.unwrap())
    };
    let with_url = TEA.replace(
        "appids = [\"wx00000000000000ba\"]",
        "appids = [\"wx00000000000000ba\"]\ncallback_url = \"https://shop.example/n\"",
    );
    let text = with_url.clone() + "\n[[stocks.given]]\nopenid = \"oFirst\"\n";
    let world = start(&text).await;
    assert!(world.mirror.seed_notes().is_empty());
    world.mirror.shutdown().await;
    let world = start(&text).await;
    assert!(world.mirror.seed_notes().is_empty(), "{:?}", world.mirror.seed_notes());
    assert_eq!(coupons(&world).await.len(), 1);
    world.mirror.shutdown().await;
    let more = text.replace("shop.example", "other.example") + "\n[[stocks.given]]\nopenid = \"oLater\"\n";
    let world = start(&more).await;
    let notes = world.mirror.seed_notes().join("\n");
    for part in
        ["merchant 1900000110: the data file goes before the seed in callback_url", "stock 15300001 (seed_1)"]
    {
        assert!(notes.contains(part), "{part} is not in {notes}");
    }
    assert_eq!(coupons(&world).await.len(), 1);
    world.assert_sound(&world.mirror.audit().await);
    world.mirror.shutdown().await;
    let audit = Mirror::audit_file(&data).await.unwrap();
    assert!(audit.ok, "{:?}", audit.findings);
}

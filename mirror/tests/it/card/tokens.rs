//! Access tokens and tickets.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Cards, plain_token};
use crate::harness::{Reply, World, builder, fetch};

async fn get(world: &World, target: &str) -> Value {
    let reply: Reply = fetch(world.request("GET", target, "")).await.unwrap();
    assert_eq!(reply.status, 200);
    reply.json()
}

async fn colors(world: &World, token: &str) -> i64 {
    get(world, &format!("/card/getcolors?access_token={token}")).await["errcode"].as_i64().unwrap()
}

async fn stable(world: &World, force: bool) -> Value {
    let merchant = world.mirror.merchant();
    let body = json!({
        "grant_type": "client_credential", "appid": merchant.appid, "secret": merchant.app_secret,
        "force_refresh": force
    });
    fetch(world.request("POST", "/cgi-bin/stable_token", &body.to_string())).await.unwrap().ok()
}

fn token(told: &Value) -> String {
    told["access_token"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}

#[tokio::test]
async fn a_plain_token_outlives_its_successor_by_five_minutes() {
    let world = World::with(builder()).await;
    let first = plain_token(&world).await;
    let second = plain_token(&world).await;
    assert_ne!(first, second);
    assert_eq!((colors(&world, &first).await, colors(&world, &second).await), (0, 0));
    world.mirror.advance(Duration::from_secs(299)).await.unwrap();
    assert_eq!(colors(&world, &first).await, 0);
    world.mirror.advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!((colors(&world, &first).await, colors(&world, &second).await), (40001, 0));
    world.mirror.advance(Duration::from_secs(6_900)).await.unwrap();
    assert_eq!(colors(&world, &second).await, 42001);
    assert_eq!((colors(&world, "junk").await, colors(&world, "").await), (40014, 41001));
}

#[tokio::test]
async fn the_stable_token_stays_until_its_last_five_minutes() {
    let world = World::with(builder()).await;
    let plain = plain_token(&world).await;
    let first = stable(&world, false).await;
    assert_eq!(token(&stable(&world, false).await), token(&first));
    world.mirror.advance(Duration::from_secs(6_900)).await.unwrap();
    assert_eq!(stable(&world, false).await["expires_in"], 300);
    world.mirror.advance(Duration::from_secs(1)).await.unwrap();
    let second = stable(&world, false).await;
    assert_ne!(token(&first), token(&second));
    assert_eq!(colors(&world, &token(&first)).await, 0);
    // The two sources know nothing of each other.
    assert_eq!(colors(&world, &plain).await, 0);

    let forced = stable(&world, true).await;
    assert_ne!(token(&forced), token(&second));
    assert_eq!(colors(&world, &token(&second)).await, 40001);
    let early = stable(&world, true).await;
    assert_eq!(token(&early), token(&forced), "30 seconds lie between two forced refreshes");
    for _ in 1..20 {
        world.mirror.advance(Duration::from_secs(30)).await.unwrap();
        stable(&world, true).await;
    }
    let last = token(&stable(&world, false).await);
    world.mirror.advance(Duration::from_secs(30)).await.unwrap();
    assert_eq!(token(&stable(&world, true).await), last, "20 forced refreshes a day");
}

#[tokio::test]
async fn wrong_credentials_each_have_their_errcode() {
    let world = World::with(builder()).await;
    let merchant = world.mirror.merchant();
    let (appid, secret) = (&merchant.appid, &merchant.app_secret);
    for (query, errcode) in [
        (format!("grant_type=x&appid={appid}&secret={secret}"), 40002),
        (format!("grant_type=client_credential&secret={secret}"), 41002),
        (format!("grant_type=client_credential&appid={appid}"), 41004),
        (format!("grant_type=client_credential&appid=wx1&secret={secret}"), 40013),
        (format!("grant_type=client_credential&appid={appid}&secret=x"), 40125),
    ] {
        assert_eq!(get(&world, &format!("/cgi-bin/token?{query}")).await["errcode"], errcode, "{query}");
    }
    assert_eq!(get(&world, "/card/nothing").await["errcode"], 40066);
    assert_eq!(get(&world, "/card/get").await["errcode"], 43002);
}

#[tokio::test]
async fn the_log_shows_neither_secret_nor_token() {
    let world = World::with(builder()).await;
    let token = plain_token(&world).await;
    token_calls(&world, &token).await;
    let secret = &world.mirror.merchant().app_secret;
    let mut shown = world.control("GET", "/_mirror/requests", &Value::Null).await.ok().to_string();
    for id in 1..=4 {
        let one = world.control("GET", &format!("/_mirror/requests/{id}"), &Value::Null).await;
        shown.push_str(&one.ok().to_string());
    }
    assert!(shown.contains("card.colors") && shown.contains("access_token=***"), "{shown}");
    assert!(!shown.contains(secret.as_str()) && !shown.contains(&token), "{shown}");
}

async fn token_calls(world: &World, token: &str) {
    assert_eq!(colors(world, token).await, 0);
    stable(world, false).await;
    get(world, &format!("/cgi-bin/ticket/getticket?access_token={token}&type=jsapi")).await;
}

#[tokio::test]
async fn each_type_has_its_ticket() {
    let cards = Cards::new().await;
    let ticket = async |kind: &str| {
        let target = format!("/cgi-bin/ticket/getticket?access_token={}&type={kind}", cards.token);
        get(&cards.world, &target).await
    };
    let (card, page) = (ticket("wx_card").await, ticket("jsapi").await);
    assert_eq!((&card["errcode"], &card["expires_in"]), (&json!(0), &json!(7200)));
    assert_ne!(card["ticket"], page["ticket"]);
    assert_eq!(ticket("wx_card").await["ticket"], card["ticket"]);
    assert_eq!(ticket("other").await["errcode"], 40035);
}

#[tokio::test]
async fn tokens_live_on_in_a_data_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let cards = Cards::around(World::with(builder().data(&file)).await).await;
    let token = cards.token.clone();
    cards.world.mirror.shutdown().await;
    let world = World::with(builder().data(&file)).await;
    assert_eq!(colors(&world, &token).await, 0);
    world.mirror.reset().await.unwrap();
    assert_eq!(colors(&world, &token).await, 40014);
}

#[tokio::test]
async fn all_tokens_can_be_made_stale_and_are_counted() {
    let cards = Cards::new().await;
    let told = cards.act("tokens/stale", &Value::Null).await.ok();
    assert_eq!(told["stale"], 1);
    assert_eq!(colors(&cards.world, &cards.token).await, 40001);
    plain_token(&cards.world).await;
    let told = cards.world.control("GET", "/_mirror/card/accounts", &Value::Null).await.ok();
    assert_eq!(told["accounts"][0]["tokens"]["plain"], 2);
}

#[tokio::test]
async fn wechats_own_host_leads_here_through_the_proxy() {
    let world = World::with(builder()).await;
    let http = crate::reach::proxied(&world.mirror).build().unwrap();
    let merchant = world.mirror.merchant();
    let url = format!(
        "https://api.weixin.qq.com/cgi-bin/token?grant_type=client_credential&appid={}&secret={}",
        merchant.appid, merchant.app_secret
    );
    let token = token(&fetch(http.get(url)).await.unwrap().ok());
    let colors = format!("https://api2.weixin.qq.com/card/getcolors?access_token={token}");
    let told = fetch(http.get(colors)).await.unwrap().ok();
    assert_eq!((&told["errcode"], told["colors"].as_array().unwrap().len()), (&json!(0), 14));
}

#[tokio::test]
async fn faults_strike_here_too() {
    use favor_mirror::{FaultKind, FaultPlace, FaultRule};
    let cards = Cards::new().await;
    let cut = FaultRule::new(FaultKind::Cut).operation("card.create").place(FaultPlace::AfterCommit);
    cards.world.mirror.plan(cut).unwrap();
    let target = format!("/card/create?access_token={}", cards.token);
    let body = super::coupon(super::base()).to_string();
    assert!(fetch(cards.world.request("POST", &target, &body)).await.is_err());
    // The answer was lost, the card was made.
    let told = cards.ok("/card/batchget", &json!({"offset": 0, "count": 1})).await;
    assert_eq!(told["total_num"], 1);
}

#[tokio::test]
async fn a_snapshot_holds_cards_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.sqlite");
    let cards = Cards::new().await;
    let id = cards.card(&super::coupon(super::base())).await;
    let code = cards.claim(&id, super::ANNA).await;
    cards.world.mirror.snapshot(&file, false).await.unwrap();
    cards.ok("/card/code/consume", &json!({ "code": code })).await;
    cards.world.mirror.restore(&file).await.unwrap();
    assert_eq!(cards.status(&code).await["user_card_status"], "NORMAL");
}

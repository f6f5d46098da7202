//! The test clock, and what happens by itself as it goes.

use std::collections::HashSet;
use std::time::Duration;

use favor_mirror::{
    KeyRotation, Mirror, MirrorError, NotificationDraft, NotificationState, PublicKeyPhase, Redeem,
    RotationSchedule,
};
use serde_json::{Value, json};

use crate::harness::{START, USER, World, builder, stock_body, time};
use crate::receiver::{Answer, Receiver, newest};

const HOUR: Duration = Duration::from_secs(3_600);

async fn until(mut done: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), waiting).await.expect("it never happens");
}

#[tokio::test]
async fn a_clock_can_run_faster() {
    let world = World::with(Mirror::builder().clock_from(time(START)).clock_rate(1_000)).await;
    let shown = world.control("GET", "/_mirror/clock", &Value::Null).await.ok();
    assert_eq!((&shown["frozen"], &shown["rate"]), (&json!(false), &json!(1_000)));
    until(async || world.mirror.now() > time(START) + Duration::from_secs(20)).await;
    let frozen = world.mirror.freeze_clock().await.unwrap();
    assert!(frozen < time(START) + 10 * HOUR);
    let set = world.control("POST", "/_mirror/clock", &json!({"rate": 60, "freeze": false})).await.ok();
    assert_eq!((&set["frozen"], &set["rate"]), (&json!(false), &json!(60)));
    assert!(world.mirror.now() >= frozen);
    world.mirror.set_clock_rate(1).await.unwrap();
    for rate in [0, 1_000_001] {
        assert!(matches!(world.mirror.set_clock_rate(rate).await, Err(MirrorError::Refused { .. })));
        let refused = world.control("POST", "/_mirror/clock", &json!({"rate": rate})).await;
        assert_eq!(refused.json()["code"], "BAD_REQUEST");
    }
    assert!(Mirror::builder().clock_rate(0).start().await.is_err());
}

#[tokio::test]
async fn a_rate_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let rate = async |world: &World| {
        world.control("GET", "/_mirror/clock", &Value::Null).await.ok()["rate"].as_i64().unwrap()
    };
    let world = World::with(Mirror::builder().data(&file).clock_at(time(START)).clock_rate(500)).await;
    world.mirror.shutdown().await;
    let world = World::with(Mirror::builder().data(&file)).await;
    assert_eq!((world.mirror.now(), rate(&world).await), (time(START), 500));
    let let_go = world.mirror.unfreeze_clock().await.unwrap();
    until(async || world.mirror.now() >= let_go + Duration::from_secs(10)).await;
    world.mirror.shutdown().await;
    let world = World::with(Mirror::builder().data(&file)).await;
    assert_eq!(rate(&world).await, 500);
    assert!(world.mirror.now() >= let_go + Duration::from_secs(10));
    world.mirror.reset().await.unwrap();
    assert_eq!(rate(&world).await, 1);
}

/// Nobody moves this clock: repeats come by themselves.
#[tokio::test]
async fn repeats_come_by_themselves_on_a_running_clock() {
    let world = World::with(builder().clock_rate(1_000)).await;
    let receiver = Receiver::start(Answer::Status(200)).await;
    receiver.listen_for(&world).await;
    let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
    receiver.script([Answer::Status(500); 3]);
    let coupon = world.coupon(&stock, USER, "s1").await;
    world.mirror.unfreeze_clock().await.unwrap();
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    until(async || newest(&world).await.state == NotificationState::Delivered).await;
    let entry = newest(&world).await;
    assert_eq!(entry.deliveries.len(), 4);
    let waits = entry.deliveries.windows(2).map(|pair| (pair[1].time - pair[0].time).num_seconds());
    for (wait, planned) in waits.zip([15, 15, 30]) {
        assert!((planned..planned + 20_000).contains(&wait), "{wait} instead of {planned}");
    }
}

#[tokio::test]
async fn a_frozen_clock_lets_nothing_happen() {
    let world = World::new().await;
    let receiver = Receiver::start(Answer::Status(500)).await;
    receiver.listen_for(&world).await;
    let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    world.mirror.advance(Duration::from_millis(14_999)).await.unwrap();
    assert_eq!(receiver.take().len(), 1);
    world.mirror.advance(Duration::from_millis(1)).await.unwrap();
    assert_eq!(receiver.take().len(), 1);
    // Set back, the next repeat waits for its time.
    let now = world.mirror.now();
    world.mirror.set_clock(now - HOUR).await.unwrap();
    world.mirror.advance(HOUR).await.unwrap();
    assert!(receiver.take().is_empty());
    // Let go, the clock brings it.
    world.mirror.advance(Duration::from_millis(14_500)).await.unwrap();
    world.mirror.unfreeze_clock().await.unwrap();
    until(async || !receiver.take().is_empty()).await;
}

/// What a receiver asks during a jump, it is told as of the instant of the delivery.
#[tokio::test]
async fn a_jump_shows_the_instant_of_each_delivery() {
    let world = World::new().await;
    let base = world.mirror.base_url().to_owned();
    let seen: std::sync::Arc<std::sync::Mutex<Vec<String>>> = std::sync::Arc::default();
    let kept = std::sync::Arc::clone(&seen);
    let app = axum::Router::new().fallback(move || {
        let (base, kept) = (base.clone(), std::sync::Arc::clone(&kept));
        async move {
            let clock = reqwest::get(format!("{base}/_mirror/clock")).await.unwrap().bytes().await.unwrap();
            let clock: Value = serde_json::from_slice(&clock).unwrap();
            assert_eq!(clock["frozen"], true);
            kept.lock().unwrap().push(clock["now"].as_str().unwrap().to_owned());
            axum::http::StatusCode::BAD_GATEWAY
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/n", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let body = json!({"mchid": "1900000109", "notify_url": url});
    world.call("POST", &format!("{}/callbacks", crate::harness::FAVOR), &body).await.ok();
    let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    world.mirror.advance(Duration::from_secs(300)).await.unwrap();
    server.abort();
    let expected = ["12:01:01", "12:01:16", "12:01:31", "12:02:01", "12:05:01"];
    assert_eq!(*seen.lock().unwrap(), expected.map(|time| format!("2026-08-10T{time}+08:00")));
}

/// Money of a prefunded stock goes back by itself.
#[tokio::test]
async fn money_is_released_on_a_running_clock() {
    let seed =
        favor_mirror::MerchantSeed { balance_fen: 6_000, ..favor_mirror::MerchantSeed::new("1900000109") };
    let world = World::with(builder().merchant(seed)).await;
    let body = crate::harness::with(stock_body("n1", 10, 5), "/no_cash", json!(false));
    world.running_stock(&body).await;
    let balance = async || {
        let list = world.control("GET", "/_mirror/merchants", &Value::Null).await.ok();
        list["merchants"][0]["balance_fen"].as_i64().unwrap()
    };
    assert_eq!(balance().await, 1_000);
    world.clock("2026-09-09T23:59:59+08:00").await;
    assert_eq!(balance().await, 1_000);
    world.mirror.unfreeze_clock().await.unwrap();
    until(async || balance().await == 6_000).await;
}

fn served(world: &World) -> Vec<String> {
    world.mirror.platform_certificates().into_iter().map(|known| known.serial_no).collect()
}

/// Which certificate signs answers now.
async fn signing(world: &World) -> String {
    let reply = world.get("/v3/certificates").await;
    let serial = reply.header("wechatpay-serial").unwrap().to_owned();
    let known = world.mirror.platform_certificates();
    let signer = known.iter().find(|known| known.serial_no == serial).expect("the signer is listed");
    assert!(reply.is_signed_by(&signer.pem));
    serial
}

#[tokio::test]
async fn a_rotation_with_lead_and_overlap() {
    let world = World::new().await;
    let old = served(&world);
    let body = json!({"lead_seconds": 3_600, "overlap_seconds": 7_200});
    let rotated = world.control("POST", "/_mirror/keys/rotate", &body).await.ok();
    let both = served(&world);
    assert_eq!((rotated["serials"].as_array().unwrap().len(), both.len()), (2, 2));
    assert_eq!(signing(&world).await, old[0]);
    world.mirror.advance(HOUR).await.unwrap();
    assert_eq!((signing(&world).await, served(&world)), (both[1].clone(), both.clone()));
    world.mirror.advance(2 * HOUR).await.unwrap();
    assert_eq!((signing(&world).await, served(&world)), (both[1].clone(), vec![both[1].clone()]));
    // A reset forgets the time, not the keys.
    world.mirror.reset().await.unwrap();
    assert_eq!((signing(&world).await, served(&world)), (both[1].clone(), vec![both[1].clone()]));
    world.mirror.rotate_keys_with(KeyRotation::default().overlap(HOUR)).await.unwrap();
    let slip = world.control("POST", "/_mirror/keys/rotate", &json!({"lead": 1})).await;
    assert_eq!(slip.status, 400);
}

#[tokio::test]
async fn keys_rotate_by_the_clock_and_a_restart_goes_on_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let schedule = RotationSchedule::every(100 * HOUR).lead(10 * HOUR).overlap(20 * HOUR);
    let world = World::with(builder().data(&file).rotation(schedule)).await;
    let first = served(&world);
    world.mirror.advance(90 * HOUR).await.unwrap();
    let two = served(&world);
    assert_eq!((two.len(), signing(&world).await), (2, first[0].clone()));
    world.mirror.shutdown().await;
    let world = World::with(builder().data(&file)).await;
    assert_eq!(served(&world), two);
    world.mirror.advance(10 * HOUR).await.unwrap();
    assert_eq!((signing(&world).await, served(&world).len()), (two[1].clone(), 2));
    world.mirror.advance(20 * HOUR).await.unwrap();
    assert_eq!(served(&world), [two[1].clone()]);
    // Far ahead there are as many as ever, all new.
    world.mirror.advance(1_000 * HOUR).await.unwrap();
    let late = served(&world);
    assert!((1..=2).contains(&late.len()) && !late.contains(&two[1]), "{late:?}");
    assert!(late.contains(&signing(&world).await));

    let ended =
        world.control("POST", "/_mirror/keys/schedule", &json!({"rotate_every_seconds": 0})).await.ok();
    assert_eq!(ended["schedule"], Value::Null);
    let body = json!({"rotate_every_seconds": 86_400, "lead_seconds": 3_600, "overlap_seconds": 60});
    let set = world.control("POST", "/_mirror/keys/schedule", &body).await.ok();
    assert_eq!(set["schedule"]["overlap_seconds"], 60);
    assert_eq!(set["schedule"]["next_listed"], (world.mirror.now() + 23 * HOUR).to_rfc3339());
    for body in [
        json!({"rotate_every_seconds": 60, "lead_seconds": 6_000}),
        json!({"lead_seconds": 60}),
        json!({"rotate_every": 60}),
    ] {
        assert_eq!(world.control("POST", "/_mirror/keys/schedule", &body).await.status, 400, "{body}");
    }
}

/// Each delivery of a jump is signed by the key of its own instant.
#[tokio::test]
async fn deliveries_of_a_jump_are_signed_by_the_keys_of_their_time() {
    let world = World::with(builder().rotate_every(4 * HOUR)).await;
    let receiver = Receiver::start(Answer::Status(500)).await;
    receiver.listen_for(&world).await;
    let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    world.mirror.advance(26 * HOUR).await.unwrap();
    let start = time(START).timestamp();
    let keys: HashSet<_> = receiver
        .take()
        .iter()
        .map(|told| ((told.timestamp() - start) / (4 * 3_600), told.header("wechatpay-serial").to_owned()))
        .collect();
    // One key for each interval, none for two.
    let serials: HashSet<_> = keys.iter().map(|(_, serial)| serial).collect();
    assert_eq!(serials.len(), keys.len());
    assert_eq!(keys.len(), 6);
}

/// Keys that rotate on the machine's clock, while a client calls.
#[tokio::test]
async fn keys_rotate_by_themselves_on_a_running_clock() {
    let second = Duration::from_secs(1);
    let schedule = RotationSchedule::every(second).lead(second).overlap(5 * second);
    let world = World::with(Mirror::builder().rotation(schedule)).await;
    let mut seen = HashSet::new();
    until(async || {
        seen.insert(signing(&world).await);
        seen.len() >= 3
    })
    .await;
    assert!((3..=9).contains(&served(&world).len()));
}

#[tokio::test]
async fn a_fifth_of_the_fifth_day_is_signed_by_the_public_key() {
    let moved = async |notifications: u32| {
        let world = World::new().await;
        let id = world.mirror.public_key().id;
        world.control("POST", "/_mirror/keys/public-key", &json!({"phase": "grey"})).await.ok();
        world.mirror.advance(4 * 24 * HOUR).await.unwrap();
        let by_public_key = |n: &u32| {
            let draft = NotificationDraft::new(format!("EV-{n}"), "{}");
            world.mirror.seal_notification("1900000109", &draft).unwrap().serial == id
        };
        (0..notifications).filter(by_public_key).collect::<Vec<_>>()
    };
    let fifth = moved(2_000).await;
    assert!((350..=450).contains(&fifth.len()), "{}", fifth.len());
    let beginning: Vec<_> = fifth.into_iter().filter(|n| *n < 300).collect();
    assert_eq!(moved(300).await, beginning, "another mirror draws the same lots");
}

#[tokio::test]
async fn both_kinds_arrive_in_the_week_and_each_verifies() {
    let world = World::new().await;
    let receiver = Receiver::start(Answer::Status(500)).await;
    receiver.listen_for(&world).await;
    let stock = world.running_stock(&stock_body("n1", 100, 50)).await;
    world.mirror.set_public_key_phase(PublicKeyPhase::Grey).await.unwrap();
    world.mirror.advance(5 * 24 * HOUR).await.unwrap();
    for n in 0..4 {
        let coupon = world.coupon(&stock, USER, &format!("s{n}")).await;
        world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    }
    world.mirror.advance(3 * HOUR).await.unwrap();
    let arrived = receiver.take();
    assert!(arrived.iter().all(|told| told.is_genuine(&world.mirror)));
    let kinds: HashSet<_> = arrived.iter().map(|told| told.header("wechatpay-serial").to_owned()).collect();
    assert_eq!(kinds.len(), 2);
    world.mirror.void_certificates().await.unwrap();
    world.mirror.advance(24 * HOUR).await.unwrap();
    let id = world.mirror.public_key().id;
    let arrived = receiver.take();
    assert!(!arrived.is_empty() && arrived.iter().all(|told| told.header("wechatpay-serial") == id));
}

/// The merchant's certificate ends at a moment of the clock.
#[tokio::test]
async fn a_merchant_certificate_expires_in_time() {
    let world = World::new().await;
    world.clock("2030-08-09T11:59:59+08:00").await;
    assert_eq!(world.get("/v3/certificates").await.status, 200);
    world.clock("2030-08-09T12:00:01+08:00").await;
    assert_eq!(world.get("/v3/certificates").await.status, 401);
}

#[tokio::test]
async fn a_jump_given_up_halfway_stays_where_it_has_come_to() {
    let world = World::with(builder().callback_schedule(vec![Duration::from_millis(1); 40])).await;
    let receiver = Receiver::start(Answer::Status(500)).await;
    receiver.listen_for(&world).await;
    let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
    let coupon = world.coupon(&stock, USER, "s1").await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    // Given up halfway by its caller, the move ends at an instant on the way.
    let began = world.mirror.now();
    receiver.take();
    tokio::select! {
        biased;
        _ = world.mirror.advance(HOUR) => panic!("forty deliveries take longer than that"),
        () = async { while receiver.take().is_empty() { tokio::task::yield_now().await } } => {}
    }
    let halfway = world.mirror.now();
    assert!(halfway > began && halfway < began + Duration::from_millis(40), "{halfway}");
    assert_eq!(world.mirror.advance(HOUR).await.unwrap(), halfway + HOUR);
    assert_eq!(newest(&world).await.deliveries.len(), 41);
}

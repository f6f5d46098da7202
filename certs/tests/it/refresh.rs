//! Asking a daemon that runs for a check now.

use std::time::Duration;

use favor_core::{Clock as _, HttpKeys, HttpTransport, KeyStore as _, Lookup, Refresh, Serial};

use crate::world::{World, id, until};

async fn refresh(base: &str, query: &str) -> (u16, Option<u64>, String) {
    let answer = reqwest::Client::new().post(format!("{base}/v1/refresh{query}")).send().await.unwrap();
    let status = answer.status().as_u16();
    let after = answer.headers().get("retry-after").map(|after| after.to_str().unwrap().parse().unwrap());
    (status, after, answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_asked_for_is_made_at_once_and_once_a_minute() {
    let world = World::with(2).await;
    let daemon = world.start().await;
    let base = format!("http://{}", daemon.handle.address().unwrap());
    until("the first checks", || daemon.handle.metrics().contains("fetch_total{result=\"ok\"} 2")).await;
    let new = world.mirror.rotate_keys().await.last().unwrap().clone();
    let one = format!("?mchid={}", id(0).as_str());
    let (status, _, text) = refresh(&base, &one).await;
    assert_eq!(status, 200, "{text}");
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((told["mchid"].as_str(), told.get("failure")), (Some(id(0).as_str()), None), "{text}");
    assert!(world.ids(0).contains(&new), "in force before the answer");
    assert!(!world.ids(1).contains(&new), "for this merchant alone");
    assert_eq!(world.fetches(), 3);

    let (status, after, text) = refresh(&base, &one).await;
    assert_eq!(status, 429, "{text}");
    assert!(after.is_some_and(|after| (1..=61).contains(&after)), "{after:?}");
    assert_eq!(world.fetches(), 3);
    let (status, ..) = refresh(&base, &format!("?mchid={}", id(1).as_str())).await;
    assert_eq!((status, world.fetches()), (200, 4), "each merchant has a minute of its own");
    world.advance(Duration::from_secs(60)).await;
    assert_eq!(refresh(&base, &one).await.0, 200);

    // What went wrong is in the answer.
    world.mirror.plan(favor_mirror::FaultRule::new(favor_mirror::FaultKind::Cut).times(0)).unwrap();
    world.advance(Duration::from_secs(60)).await;
    let (status, _, text) = refresh(&base, &one).await;
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, told["failure"]["code"].as_str()), (200, Some("unreachable")), "{text}");

    for (query, expected) in [("", 400), ("?mchid=..%2F..", 400), ("?mchid=1900009999", 404)] {
        assert_eq!(refresh(&base, query).await.0, expected, "{query}");
    }
    let read = reqwest::get(format!("{base}/v1/refresh{one}")).await.unwrap();
    assert_eq!(read.status(), 405, "a page or a probe that reads must not make us fetch");

    let second = world.start().await;
    let other = format!("http://{}", second.handle.address().unwrap());
    assert_eq!(refresh(&other, &one).await.0, 409, "who stands by does not fetch");
    second.stop().await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_follows_a_daemon_that_listens_on_a_unix_socket() {
    let world = World::with(1).await;
    let text = std::fs::read_to_string(world.config()).unwrap();
    world.write("certs.toml", &text.replace("127.0.0.1:0", "unix:s"));
    let daemon = world.start().await;
    until("the release", || daemon.handle.metrics().contains("favor_certs_generation{")).await;
    assert_eq!(daemon.handle.address(), None);
    let open = || {
        let socket = world.folder.path().join("s");
        let transport = HttpTransport::builder().unix_socket(socket).build().unwrap();
        HttpKeys::builder("http://localhost", id(0), transport).clock(world.clock.clone()).open()
    };
    let keys = open().await.unwrap();
    let knows =
        |serial: &str| matches!(keys.keys().find(&Serial::new(serial), world.clock.now()), Lookup::Found(_));
    assert!(knows(&world.ids(0)[0]));
    let new = world.mirror.rotate_keys().await.last().unwrap().clone();
    keys.refresh(Refresh::UnknownSerial(Serial::new(new.as_str()))).await.unwrap();
    assert!(knows(&new));

    // The daemon is gone: nobody can begin, and what is held stays.
    daemon.stop().await;
    let refused = open().await.unwrap_err().to_string();
    assert!(refused.contains("http://localhost"), "{refused}");
    assert!(knows(&new));
}

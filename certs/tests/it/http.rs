//! What the daemon serves.

use std::time::Duration;

use favor_core::{Clock as _, HttpKeys, HttpTransport, KeyStore as _, Lookup, Refresh, Serial};

use crate::world::{World, id, until};

async fn get(base: &str, path: &str) -> (u16, String) {
    let answer = reqwest::get(format!("{base}{path}")).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_and_keys_are_served() {
    let world = World::with(2).await;
    let daemon = world.start().await;
    let base = format!("http://{}", daemon.handle.address().unwrap());
    assert_eq!(get(&base, "/healthz").await, (200, "ok\n".to_owned()));
    world.checked(0, world.clock.now()).await;
    world.checked(1, world.clock.now()).await;
    until("readiness", || daemon.handle.metrics().contains("fetch_total{result=\"ok\"} 2")).await;
    assert_eq!(get(&base, "/readyz").await, (200, "ok: 2 merchants\n".to_owned()));
    let (_, metrics) = get(&base, "/metrics").await;
    let serial = &world.ids(0)[0];
    for line in [
        "favor_certs_merchants 2".to_owned(),
        "favor_certs_writes 1".to_owned(),
        format!("favor_certs_key_not_after_seconds{{mchid=\"{}\",serial=\"{serial}\"}} ", id(1).as_str()),
        format!(
            "favor_certs_last_success_timestamp_seconds{{mchid=\"{}\"}} {}",
            id(0).as_str(),
            world.clock.now().timestamp()
        ),
        "favor_certs_merchant_certificate_not_after_seconds{".to_owned(),
    ] {
        assert!(metrics.lines().any(|found| found.starts_with(&line)), "{line}\n{metrics}");
    }
    for (path, status) in [
        ("/v1/keys?mchid=1900009999", 404),
        ("/v1/keys?mchid=..%2F..", 400),
        ("/v1/keys", 400),
        ("/v1/keys?mchid=1900001000&wait=x", 400),
        ("/other", 404),
    ] {
        assert_eq!(get(&base, path).await.0, status, "{path}");
    }
    let (status, body) = get(&base, &format!("/v1/keys?mchid={}", id(0).as_str())).await;
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(json["manifest"]["keys"][0]["id"], serial.as_str());
    assert!(json["files"][format!("{serial}.pem")].as_str().unwrap().contains("BEGIN CERTIFICATE"));
    let secrets = [&world.merchants[0].api_v3_key, &world.merchants[0].private_key_pem];
    assert!(
        secrets.iter().all(|secret| !body.contains(secret.as_str()) && !metrics.contains(secret.as_str()))
    );

    // Too long without a success.
    world.clock.advance(Duration::from_secs(4 * 3600));
    let (status, text) = get(&base, "/readyz").await;
    assert_eq!(status, 503);
    assert!(text.contains("no successful check in time"), "{text}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_over_http_gets_news_as_it_comes_and_has_unknown_serials_fetched() {
    let world = World::with(1).await;
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    until("the release", || daemon.handle.metrics().contains("favor_certs_generation{")).await;
    let base = format!("http://{}", daemon.handle.address().unwrap());
    let keys = HttpKeys::builder(base, id(0), HttpTransport::new().unwrap())
        .clock(world.clock.clone())
        .open()
        .await
        .unwrap();
    let knows =
        |serial: &str| matches!(keys.keys().find(&Serial::new(serial), world.clock.now()), Lookup::Found(_));
    assert!(knows(&world.ids(0)[0]));

    // An unknown serial: the daemon fetches at once, once a minute.
    let new = world.mirror.rotate_keys().await.last().unwrap().clone();
    let unknown =
        async |serial: &str| keys.refresh(Refresh::UnknownSerial(Serial::new(serial))).await.unwrap();
    let before = world.fetches();
    unknown(&new).await;
    assert!(knows(&new), "without any interval having passed");
    assert_eq!(world.fetches(), before + 1);
    unknown("ABCDEF").await;
    assert_eq!(world.fetches(), before + 1);
    world.advance(Duration::from_secs(61)).await;
    unknown("ABCDEF").await;
    assert_eq!(world.fetches(), before + 2);
    assert!(daemon.handle.metrics().contains("favor_certs_unknown_serial_total{mchid=\"1900001000\"} 2"));

    // News come without being asked for.
    let next = world.mirror.rotate_keys().await.last().unwrap().clone();
    daemon.handle.reload();
    world.advance(Duration::from_secs(3970)).await;
    until("the release", || world.ids(0).contains(&next)).await;
    world.tick_until("the reader's news", || knows(&next)).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_serves_too_and_one_left_by_a_killed_daemon_is_no_hindrance() {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::sync::Arc;

    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    // Nobody listens behind it any more.
    drop(UnixListener::bind(&socket).unwrap());
    let file = folder.path().join("certs.toml");
    std::fs::write(&file, "directory = \"keys\"\nlisten = \"unix:s\"").unwrap();
    let start = || favor_certs::Daemon::start(&file, Arc::new(favor_core::SystemClock::new()));
    let daemon = start().await.unwrap();
    let taken = start().await.unwrap_err().to_string();
    assert!(taken.contains("cannot listen on"), "{taken}");
    let handle = daemon.handle();
    let running = tokio::spawn(daemon.run());
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ok\n"), "{answer}");
    handle.stop();
    running.await.unwrap().unwrap();
}

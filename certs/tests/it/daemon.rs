//! The daemon against the mirror.

use std::time::Duration;

use favor_core::{Clock as _, DirectoryKeys, KeyStore as _, Lookup, Release, Serial};
use favor_mirror::{FaultKind, FaultRule};

use crate::world::{World, id, lines, until};

const HOUR: Duration = Duration::from_secs(3600);
/// More than the interval and its jitter.
const INTERVAL: Duration = Duration::from_secs(3970);

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_at_start_and_every_hour_and_a_reader_follows() {
    let world = World::with(3).await;
    let daemon = world.start().await;
    for number in 0..3 {
        world.checked(number, world.clock.now()).await;
    }
    let first = world.ids(0);
    assert_eq!(first.len(), 1);
    assert_eq!(world.ids(1), first);
    assert_eq!(world.fetches(), 3, "one for each merchant");
    let release = world.release(0).unwrap();
    let entry = &release.manifest().keys[0];
    assert_eq!(serde_json::to_value(entry.trusted_by).unwrap(), "first_download");
    let status = world.status(0).unwrap();
    assert_eq!((status.failure, status.failing_since), (None, None));
    assert_eq!(status.merchant_certificate.unwrap().serial_no, world.merchants[0].serial_no);

    let reader = DirectoryKeys::builder(world.root(), id(0)).clock(world.clock.clone()).open().unwrap();
    reader.keys();
    let new = world.mirror.rotate_keys().await.last().unwrap().clone();
    world.pass(INTERVAL).await;
    assert_eq!(world.ids(0), [new.clone(), first[0].clone()], "both, the newest first");
    assert_eq!(world.fetches(), 6, "one more for each merchant");
    let known =
        || matches!(reader.keys().find(&Serial::new(new.as_str()), world.clock.now()), Lookup::Found(_));
    world.tick_until("the reader's poll", known).await;
    let fresh = world.release(0).unwrap();
    assert_eq!(serde_json::to_value(fresh.manifest().keys[0].trusted_by).unwrap(), "first_download");

    // Nothing new: no release.
    let generation = fresh.manifest().generation;
    world.pass(INTERVAL).await;
    assert_eq!(world.release(0).unwrap().manifest().generation, generation);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_the_keys_stay_and_the_reason_is_told_until_it_recovers() {
    let world = World::with(1).await;
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    let good = world.ids(0);
    let v3 = world.merchants[0].api_v3_key.clone();
    let cases = [
        (FaultKind::Cut, "unreachable"),
        (FaultKind::HtmlError, "refused"),
        (FaultKind::NotJson, "malformed"),
        (FaultKind::CorruptSignature, "bad_signature"),
        (FaultKind::Probe, "bad_signature"),
        (FaultKind::MissingSignature { header: None }, "bad_signature"),
        (FaultKind::WrongSerial, "unknown_signer"),
        (FaultKind::TruncatedBody, "unreachable"),
    ];
    for (kind, code) in cases {
        let name = format!("{kind:?}");
        world.mirror.plan(FaultRule::new(kind).operation("certificates.list").times(0)).unwrap();
        world.pass(INTERVAL).await;
        assert_eq!(world.failure(0).as_deref(), Some(code), "{name}: {:?}", world.status(0));
        assert_eq!(world.ids(0), good, "{name}");
        let reason = format!("reason=\"{code}\"");
        until("the reason", || daemon.handle.metrics().contains(&reason)).await;
        world.mirror.clear_faults();
        world.pass(Duration::from_secs(1000)).await;
        assert_eq!(world.failure(0), None, "{name}: recovered by itself");
    }
    // Another APIv3 key, by the file; and back.
    world.write(&format!("{}.v3", id(0).as_str()), &"x".repeat(32));
    let before = world.fetches();
    daemon.handle.reload();
    until("a check after the reload", || world.failure(0).as_deref() == Some("undecryptable")).await;
    assert!(world.fetches() > before);
    assert_eq!(world.ids(0), good);
    world.write(&format!("{}.v3", id(0).as_str()), &v3);
    daemon.handle.reload();
    until("recovery", || world.failure(0).is_none()).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_away_for_a_day_is_asked_with_growing_pauses() {
    let world = World::with(1).await;
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    world.mirror.plan(FaultRule::new(FaultKind::Cut).operation("certificates.list").times(0)).unwrap();
    world.pass(INTERVAL).await;
    let failed_at = world.clock.now();
    let before = world.fetches();
    // Exactly as long as the daemon says, each time.
    let mut pauses = Vec::new();
    while world.clock.now() - failed_at < chrono::TimeDelta::hours(24) {
        let next = world.status(0).unwrap().next_check.unwrap();
        let pause = (next - world.clock.now()).to_std().unwrap() + Duration::from_millis(1);
        pauses.push(pause.as_secs());
        world.pass(pause).await;
    }
    assert!((27..=33).contains(&pauses[0]) && (54..=66).contains(&pauses[1]), "{pauses:?}");
    assert!(pauses[6..].iter().all(|pause| (810..=990).contains(pause)), "{pauses:?}");
    assert_eq!(world.fetches() - before, pauses.len(), "one for each");
    assert_eq!(world.ids(0).len(), 1);
    let since = world.status(0).unwrap().failing_since.unwrap();
    assert!(since <= failed_at);
    assert_eq!(world.failure(0).as_deref(), Some("unreachable"));
    let metrics = daemon.handle.metrics();
    for line in [
        "favor_certs_failure{mchid=\"1900001000\",reason=\"unreachable\"} 1".to_owned(),
        format!("failing_since_timestamp_seconds{{mchid=\"1900001000\"}} {}", since.timestamp()),
    ] {
        assert!(metrics.contains(&line), "{line}\n{metrics}");
    }
    let ready = reqwest::get(format!("http://{}/readyz", daemon.handle.address().unwrap())).await.unwrap();
    assert_eq!(ready.status(), 503);
    let told = ready.text().await.unwrap();
    assert!(told.contains("no successful check in time: certificates.download: "), "{told}");
    world.mirror.clear_faults();
    world.pass(Duration::from_secs(1000)).await;
    assert_eq!(world.status(0).unwrap().failing_since, None);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_keys_are_read_again_and_wrong_ones_keep_the_old() {
    let world = World::with(1).await;
    world.configure("reload_every = \"10s\"", "", "");
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    world.write("certs.toml", "directory = 5");
    world
        .tick_until("the error", || daemon.handle.metrics().contains("\nfavor_certs_config_error 1\n"))
        .await;
    world.pass(INTERVAL).await;
    assert_eq!(world.failure(0), None, "the settings before are in use");

    let public = world.mirror.public_key();
    let lines = format!("public_key_id = \"{}\"\npublic_key_file = \"public.pem\"", public.id);
    world.configure("reload_every = \"10s\"", &lines, "");
    world.tick_until("the public key", || world.ids(0).first() == Some(&public.id)).await;
    assert_eq!(world.ids(0).len(), 2, "beside the certificate");
    assert!(daemon.handle.metrics().contains("\nfavor_certs_config_error 0\n"));

    // Not named any more: it stays until it is dropped in so many words.
    world.configure("reload_every = \"10s\"", "", "");
    world.pass(INTERVAL).await;
    assert_eq!(world.ids(0).len(), 2);
    world.configure("reload_every = \"10s\"", "drop_public_key = true", "");
    daemon.handle.reload();
    until("the drop", || world.ids(0).len() == 1).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merchant_whose_own_keys_are_wrong_does_not_hold_up_the_others() {
    let world = World::with(2).await;
    world.write(&format!("{}.key", id(0).as_str()), "no key");
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    world.checked(1, world.clock.now()).await;
    assert_eq!(world.failure(0).as_deref(), Some("own_keys"));
    assert!(world.status(0).unwrap().failure.unwrap().message.contains(".key"));
    assert_eq!((world.failure(1), world.ids(1).len()), (None, 1));
    world.write(&format!("{}.key", id(0).as_str()), &world.merchants[0].private_key_pem);
    world.advance(Duration::from_secs(40)).await;
    until("recovery", || world.failure(0).is_none()).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_stands_by_and_takes_over() {
    let world = World::with(1).await;
    let first = world.start().await;
    world.checked(0, world.clock.now()).await;
    let second = world.start().await;
    until("the second one's view", || second.handle.metrics().contains("favor_certs_generation{")).await;
    assert!(second.handle.metrics().contains("\nfavor_certs_writes 0\n"));
    assert_eq!(world.fetches(), 1, "only one of them fetches");
    // The first one does not see this any more; the second one has read other settings long ago.
    let public = world.mirror.public_key();
    world.configure("", &format!("public_key_id = \"{}\"\npublic_key_file = \"public.pem\"", public.id), "");
    first.stop().await;
    world.advance(Duration::from_secs(5)).await;
    until("the take-over", || second.handle.metrics().contains("\nfavor_certs_writes 1\n")).await;
    until("its first check", || world.fetches() == 2).await;
    world.tick_until("the settings as they are now", || world.ids(0).contains(&public.id)).await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn daemons_on_directories_of_their_own_agree_on_the_content() {
    let world = World::with(1).await;
    let elsewhere = std::fs::read_to_string(world.config()).unwrap().replace("\"keys\"", "\"elsewhere\"");
    world.write("elsewhere.toml", &elsewhere);
    let one = world.start().await;
    world.checked(0, world.clock.now()).await;
    // The other one begins later, and has another history.
    let new = world.mirror.rotate_keys().await.last().unwrap().clone();
    world.pass(INTERVAL).await;
    let other = world.start_with("elsewhere.toml").await;
    let theirs = || Release::read(world.folder.path().join("elsewhere"), &id(0)).ok();
    until("the other directory", || theirs().is_some()).await;
    let (ours, theirs) = (world.release(0).unwrap().manifest().clone(), theirs().unwrap().manifest().clone());
    assert_eq!((ours.keys.len(), &ours.keys[0].id), (2, &new));
    assert_eq!(ours.content, theirs.content);
    assert_ne!(ours.keys[1].first_seen, theirs.keys[1].first_seen);
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_run_until_it_succeeds_also_after_a_restart() {
    let world = World::with(1).await;
    let script = "echo $FAVOR_MCHID $FAVOR_GENERATION >> told; test -e allowed && test -e $FAVOR_RELEASE/manifest.json";
    let folder = world.folder.path().display().to_string();
    let hook = format!("[[hook]]\nname = \"tell\"\nexec = [\"sh\", \"-c\", \"cd {folder}; {script}\"]\n");
    world.configure("", "", &hook);
    let told = world.folder.path().join("told");
    let daemon = world.start().await;
    until("the first run", || daemon.handle.metrics().contains("hook=\"tell\",result=\"failed\"} 1")).await;
    world.advance(Duration::from_secs(10)).await;
    until("the second run", || daemon.handle.metrics().contains("hook=\"tell\",result=\"failed\"} 2")).await;
    assert!(
        daemon.handle.metrics().contains("favor_certs_hook_pending_since_timestamp_seconds{hook=\"tell\"")
    );
    daemon.stop().await;
    world.write("allowed", "");
    let daemon = world.start().await;
    until("the run after the restart", || daemon.handle.metrics().contains("hook=\"tell\",result=\"ok\"} 1"))
        .await;
    daemon.stop().await;
    let generation = world.release(0).unwrap().manifest().generation;
    assert_eq!(lines(&told), vec![format!("{} {generation}", id(0).as_str()); 3]);

    // It has heard: not again, until there is news.
    let daemon = world.start().await;
    until("its first check", || daemon.handle.metrics().contains("fetch_total{result=\"ok\"} 1")).await;
    world.mirror.rotate_keys().await;
    world.pass(2 * HOUR).await;
    until("the run for the next release", || lines(&told).len() == 4).await;
    let generation = world.release(0).unwrap().manifest().generation;
    assert_eq!(lines(&told)[3], format!("{} {generation}", id(0).as_str()));
    daemon.stop().await;
}

/// These tests begin at 22:13 in Beijing.
#[tokio::test(flavor = "multi_thread")]
async fn a_hook_posts_inside_its_window_only() {
    use axum::routing::post;
    use std::sync::{Arc, Mutex};

    let bodies = Arc::new(Mutex::new(Vec::<String>::new()));
    let app = axum::Router::new().route(
        "/changed",
        post({
            let bodies = bodies.clone();
            async move |body: String| bodies.lock().unwrap().push(body)
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/changed", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let world = World::with(1).await;
    let hook = format!("[[hook]]\nname = \"post\"\nurl = \"{url}\"\nwindows = [\"00:30-05:00\"]\n");
    world.configure("", "", &hook);
    let daemon = world.start().await;
    let waits = "favor_certs_hook_pending_since_timestamp_seconds{hook=\"post\"";
    until("the wait", || daemon.handle.metrics().contains(waits)).await;
    world.pass(INTERVAL).await;
    assert!(bodies.lock().unwrap().is_empty(), "outside the window");
    world.advance(2 * HOUR).await;
    until("the post", || daemon.handle.metrics().contains("hook=\"post\",result=\"ok\"} 1")).await;
    let body: serde_json::Value = serde_json::from_str(&bodies.lock().unwrap()[0]).unwrap();
    assert_eq!(body["mchid"], id(0).as_str());
    assert_eq!(body["keys"], serde_json::json!(world.ids(0)));
    daemon.stop().await;
    server.abort();
}

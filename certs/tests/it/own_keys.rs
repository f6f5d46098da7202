//! Key files of a merchant that turn bad, or good, while the daemon runs.

use std::path::Path;
use std::time::Duration;

use favor_core::Clock as _;

use crate::world::{World, id, until};

const INTERVAL: Duration = Duration::from_secs(3970);
const WRONG: &str = "favor_certs_own_keys_error{mchid=\"1900001000\"} 1";
const RIGHT: &str = "favor_certs_own_keys_error{mchid=\"1900001000\"} 0";

#[tokio::test(flavor = "multi_thread")]
async fn files_that_turn_bad_are_told_of_and_those_before_stay_in_use() {
    let world = World::with(1).await;
    world.configure("reload_every = \"10s\"", "", "");
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    until("the first check", || daemon.handle.metrics().contains(RIGHT)).await;
    let good = world.merchants[0].clone();
    let files = [("key", &good.private_key_pem), ("crt", &good.certificate_pem), ("v3", &good.api_v3_key)];
    for (ending, right) in files {
        let name = format!("{}.{ending}", id(0).as_str());
        let wrong = || world.status(0).unwrap().own_keys;
        world.write(&name, "no key");
        world.tick_until("the trouble in the status", || wrong().is_some()).await;
        let told = wrong().unwrap();
        assert_eq!(told.code, "own_keys");
        assert!(!told.message.is_empty() && !told.message.contains("no key"), "{told:?}");
        until("the trouble in the metrics", || daemon.handle.metrics().contains(WRONG)).await;

        // The keys before are as good as they were: checks go on with them, and the trouble stays told.
        let before = world.fetches();
        world.pass(INTERVAL).await;
        assert!(world.fetches() > before, "{name}");
        let status = world.status(0).unwrap();
        assert_eq!((status.failure, status.failing_since), (None, None), "{name}");
        assert!(status.own_keys.is_some(), "{name}");

        world.write(&name, right);
        world.tick_until("no trouble in the status", || wrong().is_none()).await;
        until("no trouble in the metrics", || daemon.handle.metrics().contains(RIGHT)).await;
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_put_back_with_its_old_time_is_right_again() {
    let world = World::with(1).await;
    world.configure("reload_every = \"10s\"", "", "");
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    until("the first check", || daemon.handle.metrics().contains(RIGHT)).await;
    let file = world.folder.path().join(format!("{}.key", id(0).as_str()));
    let aside = file.with_extension("aside");
    let moved = |from: &Path, to: &Path| std::fs::rename(from, to).unwrap();
    moved(&file, &aside);
    world.tick_until("the trouble", || daemon.handle.metrics().contains(WRONG)).await;
    assert!(world.status(0).unwrap().own_keys.unwrap().message.contains(".key"));
    moved(&aside, &file);
    world.tick_until("no trouble any more", || daemon.handle.metrics().contains(RIGHT)).await;
    until("the status", || world.status(0).unwrap().own_keys.is_none()).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_in_the_settings_is_asked_at_once() {
    let world = World::with(1).await;
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    until("the first check", || daemon.handle.metrics().contains(RIGHT)).await;
    let right = std::fs::read_to_string(world.config()).unwrap();
    // Nobody listens there: port 1 is not given out.
    world.write("certs.toml", &right.replace(world.mirror.base_url(), "http://127.0.0.1:1"));
    daemon.handle.reload();
    until("the failure", || world.failure(0).as_deref() == Some("unreachable")).await;
    world.write("certs.toml", &right);
    daemon.handle.reload();
    until("recovery", || world.failure(0).is_none()).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn root_certificates_with_another_content_are_taken_up_like_other_settings() {
    let world = World::with(1).await;
    let right = std::fs::read_to_string(world.config()).unwrap();
    let https = world.mirror.base_url().replace("http://", "https://");
    let text = right
        .replace(world.mirror.base_url(), &https)
        .replace("127.0.0.1:0\"\n", "127.0.0.1:0\"\nca_file = \"ca.pem\"\nreload_every = \"10s\"\n");
    // A root that has nothing to do with it.
    world.write("ca.pem", &world.merchants[0].certificate_pem);
    world.write("certs.toml", &text);
    let daemon = world.start().await;
    until("the failure", || world.failure(0).as_deref() == Some("unreachable")).await;
    world.write("ca.pem", world.mirror.ca_pem());
    world.tick_until("recovery", || world.ids(0).len() == 1).await;
    until("the status", || world.failure(0).is_none()).await;

    // What is no certificate changes nothing but the metric, and is told of until it is right again, also without a
    // new time of change.
    let wrong = || daemon.handle.metrics().contains("\nfavor_certs_config_error 1\n");
    let (file, aside) = (world.folder.path().join("ca.pem"), world.folder.path().join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    world.tick_until("the trouble", wrong).await;
    let fetched = world.fetches();
    world.pass(INTERVAL).await;
    assert_eq!((world.failure(0), world.fetches() > fetched), (None, true), "the roots before are in use");
    std::fs::rename(&aside, &file).unwrap();
    world.tick_until("no trouble any more", || !wrong()).await;
    daemon.stop().await;
}

//! A directory on a disk that is full, or that nobody may write any more. Both need a file system of one's own, so
//! these tests start themselves again in a mount namespace.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use favor_core::{Clock as _, MerchantKeyStatus};

use crate::world::{Running, World, until};

const INTERVAL: Duration = Duration::from_secs(3970);
const PAUSE: Duration = Duration::from_secs(1000);
const INSIDE: &str = "FAVOR_CERTS_TEST_NAMESPACE";

/// Runs an ignored test of this program where it may mount.
fn in_a_namespace(name: &str) {
    let inner = Command::new("unshare")
        .args(["--map-root-user", "--mount"])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", name])
        .env(INSIDE, "1")
        .output()
        .expect("unshare, of util-linux");
    let text = String::from_utf8_lossy(&inner.stdout);
    let more = String::from_utf8_lossy(&inner.stderr);
    assert!(
        inner.status.success() && text.contains("1 passed"),
        "if nothing could be mounted, unshare (util-linux) with user namespaces is needed\n{text}\n{more}"
    );
}

fn mount(arguments: &[&str], place: &Path) {
    assert!(std::env::var_os(INSIDE).is_some(), "started by the test of the same name");
    let done = Command::new("mount").args(arguments).arg(place).status().expect("mount, of util-linux");
    assert!(done.success(), "mount {arguments:?}");
}

fn umount(place: &Path) {
    assert!(Command::new("umount").arg(place).status().expect("umount, of util-linux").success());
}

/// A daemon on a directory that is a small file system, after its first check.
async fn on_a_small_disk() -> (World, Running) {
    let world = World::with(1).await;
    std::fs::create_dir(world.root()).unwrap();
    mount(&["-t", "tmpfs", "-o", "size=256k", "tmpfs"], &world.root());
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    let all = "fetch_total{result=\"ok\"} 1";
    until("the first check", || daemon.handle.metrics().contains(all)).await;
    (world, daemon)
}

/// First there is no news, and only the status cannot be written; then there is a new certificate. What is there
/// stays, and metrics say why, check after check.
async fn what_cannot_be_written_changes_nothing(world: &World, daemon: &Running, says: &str) {
    let (good, status) = (world.ids(0), world.status(0));
    let failed = |count: u32| format!("fetch_total{{result=\"directory\"}} {count}");
    let fetched = world.fetches();
    world.advance(INTERVAL).await;
    until("the failure", || daemon.handle.metrics().contains(&failed(1))).await;
    let since = world.clock.now().timestamp();
    let reason = "favor_certs_failure{mchid=\"1900001000\",reason=\"directory\"} 1";
    until("the reason", || daemon.handle.metrics().contains(reason)).await;
    // Tried again soon, and one failure since the first of them.
    for count in 2..=3 {
        if count == 3 {
            world.mirror.rotate_keys().await;
        }
        world.advance(PAUSE).await;
        until("another try", || daemon.handle.metrics().contains(&failed(count))).await;
    }
    let since = format!("favor_certs_failing_since_timestamp_seconds{{mchid=\"1900001000\"}} {since}");
    assert!(daemon.handle.metrics().contains(&since), "{since}\n{}", daemon.handle.metrics());
    assert_eq!(world.fetches(), fetched + 3, "one for each");
    assert_eq!((world.ids(0), world.status(0)), (good, status), "as they were, and whole");
    let base = format!("http://{}/readyz", daemon.handle.address().unwrap());
    assert_eq!(reqwest::get(&base).await.unwrap().status(), 200, "the keys are still good");
    world.advance(Duration::from_secs(3 * 3600)).await;
    until("another try", || daemon.handle.metrics().contains(&failed(4))).await;
    let told = reqwest::get(&base).await.unwrap().text().await.unwrap();
    assert!(told.contains(says), "{told}");
}

async fn it_recovers(world: &World, daemon: &Running) {
    world.advance(PAUSE).await;
    until("recovery", || world.ids(0).len() == 2).await;
    let fresh = |status: MerchantKeyStatus| status.last_checked == Some(world.clock.now());
    until("the status", || world.status(0).is_some_and(fresh)).await;
    assert_eq!(world.failure(0), None);
    until("no reason any more", || !daemon.handle.metrics().contains("reason=")).await;
}

#[test]
fn a_full_disk_keeps_the_old_set() {
    in_a_namespace("bad_disk::a_full_disk");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test above"]
async fn a_full_disk() {
    let (world, daemon) = on_a_small_disk().await;
    let filler = world.root().join("filler");
    std::fs::write(&filler, vec![0; 1 << 20]).unwrap_err();
    what_cannot_be_written_changes_nothing(&world, &daemon, "No space left on device").await;
    let home = world.root().join(crate::world::id(0).as_str());
    let mut left: Vec<_> =
        std::fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".rel", "current", "status.json"], "nothing half written is left");
    assert_eq!(std::fs::read_dir(home.join(".rel")).unwrap().count(), 1);
    std::fs::remove_file(&filler).unwrap();
    it_recovers(&world, &daemon).await;
    daemon.stop().await;
}

#[test]
fn a_directory_made_read_only_keeps_the_old_set() {
    in_a_namespace("bad_disk::a_directory_made_read_only");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test above"]
async fn a_directory_made_read_only() {
    let (world, daemon) = on_a_small_disk().await;
    // Over the one before: what is open, such as the lock, stays so.
    mount(&["--bind", world.root().to_str().unwrap()], &world.root());
    mount(&["-o", "remount,bind,ro"], &world.root());
    what_cannot_be_written_changes_nothing(&world, &daemon, "Read-only file system").await;
    umount(&world.root());
    it_recovers(&world, &daemon).await;
    daemon.stop().await;
}

/// A daemon that is started on a directory it cannot use says so and ends, and leaves nothing behind.
async fn it_does_not_start(world: &World, says: &str) {
    let before = files(&world.root());
    let error = world.start().await.failed().await.to_string();
    for words in [says, "keys", "see that there is room and that this user may write"] {
        assert!(error.contains(words), "{words}: {error}");
    }
    assert_eq!(files(&world.root()), before);
    assert_eq!(world.fetches(), 0, "nobody was asked for what cannot be kept");
}

fn files(folder: &Path) -> Vec<std::ffi::OsString> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| name != ".lock");
    names.sort();
    names
}

#[test]
fn a_daemon_does_not_start_on_a_full_disk() {
    in_a_namespace("bad_disk::started_on_a_full_disk");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test above"]
async fn started_on_a_full_disk() {
    let world = World::with(1).await;
    std::fs::create_dir(world.root()).unwrap();
    mount(&["-t", "tmpfs", "-o", "size=256k", "tmpfs"], &world.root());
    let filler = world.root().join("filler");
    std::fs::write(&filler, vec![0; 1 << 20]).unwrap_err();
    it_does_not_start(&world, "No space left on device").await;
    std::fs::remove_file(&filler).unwrap();
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    assert_eq!(files(&world.root()), [crate::world::id(0).as_str()]);
    daemon.stop().await;
}

#[test]
fn a_daemon_does_not_start_on_a_read_only_directory() {
    in_a_namespace("bad_disk::started_on_a_read_only_directory");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by the test above"]
async fn started_on_a_read_only_directory() {
    let world = World::with(1).await;
    std::fs::create_dir(world.root()).unwrap();
    mount(&["-t", "tmpfs", "-o", "size=256k", "tmpfs"], &world.root());
    mount(&["-o", "remount,ro"], &world.root());
    it_does_not_start(&world, "Read-only file system").await;
    mount(&["-o", "remount,rw"], &world.root());
    let daemon = world.start().await;
    world.checked(0, world.clock.now()).await;
    daemon.stop().await;
}

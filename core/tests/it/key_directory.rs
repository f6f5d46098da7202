//! Keys read from a directory that somebody else writes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::DateTime;
use favor_core::key_directory::{ManifestKey, Trust};
use favor_core::{
    Certificate, DirectoryKeys, KeyDirectoryError, KeyStore, Lookup, Manifest, ManualClock, MerchantId,
    MerchantKeyStatus, Refresh, Release, Serial, SignatureHeaders,
};

use crate::platform::{PUBLIC_KEY_ID, Platform, SERIAL_1, SERIAL_2, certificate_1, certificate_2};
use crate::test_keys::PUBLIC_KEY_PUBLIC;
use crate::world::{MERCHANT_ID, START, settle, start};

pub(crate) fn merchant() -> MerchantId {
    MerchantId::new(MERCHANT_ID).unwrap()
}

/// Writes a release as a daemon does, in the simplest way that is atomic.
pub(crate) fn publish(root: &Path, generation: u64, pems: &[&str], public_key: bool) -> Manifest {
    let mut files = Vec::new();
    let mut keys = Vec::new();
    if public_key {
        keys.push(ManifestKey::public_key(&Serial::new(PUBLIC_KEY_ID), PUBLIC_KEY_PUBLIC, start()));
        files.push((keys[0].file.clone(), PUBLIC_KEY_PUBLIC.to_owned()));
    }
    for pem in pems {
        let certificate = Certificate::from_pem(pem).unwrap();
        let key = ManifestKey::certificate(&certificate, start(), Trust::Download);
        files.push((key.file.clone(), certificate.pem().to_owned()));
        keys.push(key);
    }
    let mut manifest = Manifest::new(merchant(), keys, None, start());
    manifest.generation = generation;
    let home = root.join(MERCHANT_ID);
    let release = home.join(".rel").join(manifest.release_name());
    std::fs::create_dir_all(&release).unwrap();
    for (name, text) in files {
        std::fs::write(release.join(name), text).unwrap();
    }
    std::fs::write(release.join("manifest.json"), manifest.to_json()).unwrap();
    switch(root, &manifest.release_name());
    manifest
}

/// Swaps `current` by one rename.
fn switch(root: &Path, release: &str) {
    let home = root.join(MERCHANT_ID);
    let new = home.join("new");
    std::os::unix::fs::symlink(Path::new(".rel").join(release), &new).unwrap();
    std::fs::rename(new, home.join("current")).unwrap();
}

fn knows(keys: &DirectoryKeys, serial: &str) -> bool {
    keys.keys().find(&Serial::new(serial), start()) != Lookup::Unknown
}

fn reader(root: &Path, clock: &Arc<ManualClock>) -> DirectoryKeys {
    DirectoryKeys::builder(root, merchant()).clock(clock.clone()).open().unwrap()
}

/// Lets the reader look once more, and returns when it has.
async fn poll(clock: &ManualClock) {
    clock.wait_for_sleepers(1).await;
    clock.advance(Duration::from_secs(3));
    settle().await;
    clock.wait_for_sleepers(1).await;
}

#[tokio::test]
async fn a_reader_takes_over_each_release_within_one_poll() {
    let root = tempfile::tempdir().unwrap();
    let (first, second) = (certificate_1(-1, 100), certificate_2(-1, 100));
    publish(root.path(), 1, &[&first], false);
    let clock = Arc::new(ManualClock::new(start()));
    let keys = reader(root.path(), &clock);
    assert!(knows(&keys, SERIAL_1) && !knows(&keys, SERIAL_2));
    publish(root.path(), 2, &[&second, &first], false);
    poll(&clock).await;
    assert!(knows(&keys, SERIAL_1) && knows(&keys, SERIAL_2));
    publish(root.path(), 3, &[&second, &first], true);
    poll(&clock).await;
    assert_eq!(keys.keys().public_key_id().unwrap().as_str(), PUBLIC_KEY_ID);
    assert_eq!(keys.release().unwrap().manifest().generation, 3);
}

#[tokio::test]
async fn what_is_held_stays_when_the_directory_is_gone_or_wrong() {
    let root = tempfile::tempdir().unwrap();
    let (first, second) = (certificate_1(-1, 100), certificate_2(-1, 100));
    publish(root.path(), 5, &[&first], false);
    let clock = Arc::new(ManualClock::new(start()));
    let keys = reader(root.path(), &clock);
    let home = root.path().join(MERCHANT_ID);
    assert!(knows(&keys, SERIAL_1));

    // An older release, a file that is not the listed one, a release that is not there, no directory at all.
    publish(root.path(), 4, &[&second], false);
    poll(&clock).await;
    assert!(knows(&keys, SERIAL_1) && !knows(&keys, SERIAL_2), "went back");
    let manifest = publish(root.path(), 6, &[&second], false);
    let file = home.join(".rel").join(manifest.release_name()).join(&manifest.keys[0].file);
    std::fs::write(&file, &first).unwrap();
    poll(&clock).await;
    assert!(knows(&keys, SERIAL_1) && !knows(&keys, SERIAL_2), "took a file the manifest does not list");
    switch(root.path(), "7-gone");
    poll(&clock).await;
    assert!(knows(&keys, SERIAL_1));
    std::fs::remove_dir_all(&home).unwrap();
    poll(&clock).await;
    assert!(knows(&keys, SERIAL_1));

    publish(root.path(), 8, &[&second], false);
    poll(&clock).await;
    assert!(knows(&keys, SERIAL_2), "recovered by itself");
}

#[tokio::test]
async fn an_unknown_serial_makes_it_look_at_once_and_once_a_minute() {
    let root = tempfile::tempdir().unwrap();
    let (first, second) = (certificate_1(-1, 100), certificate_2(-1, 100));
    publish(root.path(), 1, &[&first], false);
    let clock = Arc::new(ManualClock::new(start()));
    let keys = DirectoryKeys::builder(root.path(), merchant())
        .clock(clock.clone())
        .poll_every(Duration::from_secs(3600))
        .open()
        .unwrap();
    let unknown = |serial: &str| keys.refresh(Refresh::UnknownSerial(Serial::new(serial)));
    keys.keys();
    clock.wait_for_sleepers(1).await;
    unknown("AB").await.unwrap();
    publish(root.path(), 2, &[&second, &first], false);
    unknown(SERIAL_2).await.unwrap();
    assert!(!knows(&keys, SERIAL_2), "a second look within the minute");
    clock.advance(Duration::from_secs(60));
    unknown(SERIAL_2).await.unwrap();
    assert!(knows(&keys, SERIAL_2));
}

#[tokio::test]
async fn a_reader_may_begin_before_the_first_release() {
    let root = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(start()));
    let error = DirectoryKeys::open(root.path(), merchant()).unwrap_err();
    assert!(matches!(error, KeyDirectoryError::Missing { .. }), "{error}");
    assert!(error.to_string().contains("favor certs watch"), "{error}");
    let keys = DirectoryKeys::builder(root.path(), merchant()).clock(clock.clone()).open_empty().unwrap();
    assert!(keys.refresh(Refresh::NoKeys).await.is_err());
    publish(root.path(), 1, &[&certificate_1(-1, 100)], false);
    clock.advance(Duration::from_secs(1));
    keys.refresh(Refresh::NoKeys).await.unwrap();
    assert!(knows(&keys, SERIAL_1));
}

#[test]
fn a_damaged_release_is_refused_with_its_reason() {
    let root = tempfile::tempdir().unwrap();
    let first = certificate_1(-1, 100);
    let manifest = publish(root.path(), 1, &[&first], false);
    let folder = root.path().join(MERCHANT_ID).join("current");
    let good = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    let read = || Release::read(root.path(), &merchant()).map(|_| ()).map_err(|error| error.to_string());
    read().unwrap();
    let other = MerchantId::new("1900000110").unwrap();
    let damaged: [(&str, String); 6] = [
        ("is no manifest", "{".to_owned()),
        ("is of format 2", good.replace("\"format\": 1", "\"format\": 2")),
        ("cannot be a key's", good.replace(&manifest.keys[0].file, "../x.pem")),
        ("hash to its own content", good.replace(&manifest.content, &"0".repeat(64))),
        ("not of 1900000109", good.replace(MERCHANT_ID, other.as_str())),
        ("cannot be read", good.replace(&manifest.keys[0].file, "A.pem")),
    ];
    for (reason, text) in damaged {
        std::fs::write(folder.join("manifest.json"), text).unwrap();
        let error = read().unwrap_err();
        assert!(error.contains(reason), "{reason}: {error}");
    }
    std::fs::write(folder.join("manifest.json"), &good).unwrap();
    std::fs::write(folder.join(&manifest.keys[0].file), vec![b'x'; 2 << 20]).unwrap();
    assert!(read().unwrap_err().contains("far larger"));
    let outside: MerchantId = serde_json::from_str("\"../1900000109\"").unwrap();
    assert!(Release::read(root.path(), &outside).unwrap_err().to_string().contains("only digits"));
}

#[test]
fn a_status_reads_back() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(MerchantKeyStatus::read(root.path(), &merchant()).unwrap(), None);
    let mut status = MerchantKeyStatus::new(merchant());
    status.last_success = DateTime::from_timestamp(START, 0);
    std::fs::create_dir(root.path().join(MERCHANT_ID)).unwrap();
    let file = root.path().join(MERCHANT_ID).join("status.json");
    std::fs::write(&file, status.to_json()).unwrap();
    assert_eq!(MerchantKeyStatus::read(root.path(), &merchant()).unwrap(), Some(status));
    std::fs::write(&file, "[").unwrap();
    assert!(MerchantKeyStatus::read(root.path(), &merchant()).is_err());
}

/// The race that stores have which are cleared before they are filled again: a verification that finds nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_million_verifications_through_swaps_and_none_fails() {
    // The whole million once, in the build with everything; a backend alone does fewer.
    const EACH: u32 = if cfg!(all(feature = "aws-lc", feature = "rustcrypto")) { 500_000 } else { 10_000 };
    let root = tempfile::tempdir().unwrap();
    let (first, second) = (certificate_1(-1, 100), certificate_2(-1, 100));
    publish(root.path(), 1, &[&first], false);
    let clock = Arc::new(ManualClock::new(start()));
    let keys = Arc::new(reader(root.path(), &clock));
    let body: &'static [u8] = b"{\"coupon_id\":\"98674556\"}";
    let headers = Platform::by_certificate_1().headers(START, body);

    let verify = |count: u32| {
        let (keys, headers) = (keys.clone(), headers.clone());
        move || {
            let signature = SignatureHeaders::read(&headers).unwrap();
            (0..count).filter(|_| signature.verify(body, &keys.keys(), start()).is_err()).count()
        }
    };
    let done = Arc::new(AtomicBool::new(false));
    let swaps = tokio::task::spawn_blocking({
        let (root, done, keys) = (root.path().to_owned(), done.clone(), keys.clone());
        move || {
            let runtime = tokio::runtime::Handle::current();
            let mut generation = 1;
            while !done.load(Ordering::Relaxed) || generation < 50 {
                generation += 1;
                let pems = [&*second, &*first];
                let odd = generation % 2 == 1;
                publish(&root, generation, if odd { &pems } else { &pems[1..] }, odd);
                runtime.block_on(keys.refresh(Refresh::NoKeys)).unwrap();
                clock.advance(Duration::from_secs(1));
            }
            generation
        }
    });
    let workers = [verify(EACH), verify(EACH)].map(tokio::task::spawn_blocking);
    let mut failed = 0;
    for worker in workers {
        failed += worker.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let last = swaps.await.unwrap();
    assert_eq!(failed, 0);
    assert_eq!(keys.release().unwrap().manifest().generation, last, "the swaps were taken over");
}

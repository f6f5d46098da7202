//! What the writer promises.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use favor_certs::{DirectoryError, KeyDirectory, Modes, NewKeys, Published};
use favor_core::key_directory::Trust;
use favor_core::{MerchantKeyStatus, Release};

use crate::keys::{MCHID, certificate, day, merchant, public_key};

fn ids(release: &Release) -> Vec<String> {
    release.manifest().keys.iter().map(|key| key.id.clone()).collect()
}

fn with(serial: &str, from: i64, until: i64) -> NewKeys {
    NewKeys::new().certificate(certificate(serial, from, until), Trust::Download)
}

fn releases(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root.join(MCHID).join(".rel")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_change_makes_a_release_and_no_change_makes_none() {
    let root = tempfile::tempdir().unwrap();
    let directory = KeyDirectory::open(root.path(), Modes { file: 0o640, folder: 0o750 }).unwrap();
    assert!(directory.release(&merchant()).unwrap().is_none());
    let first = directory.publish(&merchant(), with("0A01", -1, 100), day(0)).unwrap();
    assert!(matches!(first, Published::New(_)));
    let again = directory.publish(&merchant(), with("0A01", -1, 100), day(1)).unwrap();
    assert!(matches!(again, Published::Unchanged(_)));
    assert_eq!(again.release().manifest(), first.release().manifest(), "also fetched_at stays");
    let second = directory.publish(&merchant(), with("0B02", 0, 100), day(2)).unwrap();
    assert_eq!(ids(second.release()), ["0B02", "0A01"]);
    let keys = &second.release().manifest().keys;
    assert_eq!((keys[0].first_seen, keys[1].first_seen), (day(2), day(0)));
    let read = Release::read(root.path(), &merchant()).unwrap();
    assert_eq!(read.manifest(), second.release().manifest());
    let folder = read.folder().unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o750);
    for name in ["0A01.pem", "0B02.pem", "bundle.pem", "manifest.json"] {
        assert_eq!(mode(&folder.join(name)), 0o640, "{name}");
    }
    let bundle = std::fs::read_to_string(folder.join("bundle.pem")).unwrap();
    let own = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(bundle, own("0B02.pem") + &own("0A01.pem"), "the newest first");
}

#[test]
fn an_unexpired_certificate_is_never_dropped_and_an_empty_set_never_published() {
    let root = tempfile::tempdir().unwrap();
    let directory = KeyDirectory::open(root.path(), Modes::default()).unwrap();
    let nothing = || NewKeys::new();
    let empty = directory.publish(&merchant(), nothing(), day(0)).unwrap_err();
    assert!(matches!(empty, DirectoryError::WouldBeEmpty), "{empty}");
    assert!(!root.path().join(MCHID).join("current").exists());
    directory.publish(&merchant(), with("0A01", -1, 10), day(0)).unwrap();
    let both = directory.publish(&merchant(), with("0B02", 0, 20), day(9)).unwrap();
    assert_eq!(ids(both.release()), ["0B02", "0A01"], "not in the new list, and kept");
    let one = directory.publish(&merchant(), nothing(), day(11)).unwrap();
    assert_eq!(ids(one.release()), ["0B02"], "expired");
    let expired = directory.publish(&merchant(), nothing(), day(21)).unwrap_err();
    assert!(matches!(expired, DirectoryError::WouldBeEmpty), "{expired}");
    assert_eq!(ids(&Release::read(root.path(), &merchant()).unwrap()), ["0B02"], "what was there stays");
}

#[test]
fn a_public_key_is_replaced_and_dropped_only_when_told() {
    let root = tempfile::tempdir().unwrap();
    let directory = KeyDirectory::open(root.path(), Modes::default()).unwrap();
    let ((one, pem), (two, _)) = (public_key(1), public_key(2));
    let publish = |new: NewKeys| ids(directory.publish(&merchant(), new, day(0)).unwrap().release());
    assert_eq!(publish(with("0A01", -1, 10).public_key(one.clone(), pem.clone())), [one.as_str(), "0A01"]);
    assert_eq!(publish(NewKeys::new()), [one.as_str(), "0A01"]);
    assert_eq!(publish(NewKeys::new().public_key(two.clone(), pem)), [two.as_str(), "0A01"]);
    assert_eq!(publish(NewKeys::new().without_public_key()), ["0A01"]);
}

#[test]
fn generations_grow_and_five_releases_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let directory = KeyDirectory::open(root.path(), Modes::default()).unwrap();
    let mut last = 0;
    for number in 0..9 {
        let (id, pem) = public_key(number);
        // The clock goes back on the way.
        let now = day(i64::from(5 - (number % 3)));
        let new = with("0A01", -1, 100).public_key(id, pem);
        let published = directory.publish(&merchant(), new, now).unwrap();
        let generation = published.release().manifest().generation;
        assert!(generation > last, "{generation} after {last}");
        last = generation;
    }
    let names = releases(root.path());
    assert_eq!(names.len(), 5);
    assert!(names[4].starts_with(&last.to_string()));
}

#[test]
fn a_damaged_release_in_force_is_followed_by_one_that_loses_nothing() {
    let root = tempfile::tempdir().unwrap();
    let directory = KeyDirectory::open(root.path(), Modes::default()).unwrap();
    directory.publish(&merchant(), with("0A01", -1, 100), day(0)).unwrap();
    let second = directory.publish(&merchant(), with("0B02", -1, 100), day(1)).unwrap();
    std::fs::write(second.release().folder().unwrap().join("0B02.pem"), "x").unwrap();
    let third = directory.publish(&merchant(), with("0C03", -1, 100), day(2)).unwrap();
    assert_eq!(ids(third.release()), ["0A01", "0C03"], "the newest whole one is the base");
    assert!(third.release().manifest().generation > second.release().manifest().generation);
    Release::read(root.path(), &merchant()).unwrap();
}

#[test]
fn what_cannot_be_written_leaves_what_is_there() {
    let root = tempfile::tempdir().unwrap();
    let directory = KeyDirectory::open(root.path(), Modes::default()).unwrap();
    directory.publish(&merchant(), with("0A01", -1, 100), day(0)).unwrap();
    // A folder that is not empty where the new link would go; root may write into read-only folders, this stops it too.
    let current = root.path().join(MCHID).join("current");
    let target = std::fs::read_link(&current).unwrap();
    std::fs::remove_file(&current).unwrap();
    std::fs::create_dir(&current).unwrap();
    std::fs::write(current.join("x"), "x").unwrap();
    let error = directory.publish(&merchant(), with("0B02", -1, 100), day(1)).unwrap_err();
    assert!(matches!(error, DirectoryError::Io { .. }), "{error}");
    assert!(error.to_string().contains("there is room"), "{error}");
    std::fs::remove_dir_all(&current).unwrap();
    std::os::unix::fs::symlink(target, &current).unwrap();
    assert_eq!(ids(&Release::read(root.path(), &merchant()).unwrap()), ["0A01"]);
    let next = directory.publish(&merchant(), with("0B02", -1, 100), day(1)).unwrap();
    assert_eq!(ids(next.release()), ["0A01", "0B02"]);
    let status = MerchantKeyStatus::new(merchant());
    directory.write_status(&status).unwrap();
    assert_eq!(MerchantKeyStatus::read(root.path(), &merchant()).unwrap(), Some(status));
}

#[test]
fn one_process_writes_at_a_time() {
    let root = tempfile::tempdir().unwrap();
    let first = KeyDirectory::open(root.path(), Modes::default()).unwrap();
    let clone = first.clone();
    let held = KeyDirectory::open(root.path(), Modes::default()).unwrap_err();
    assert!(matches!(held, DirectoryError::Held { .. }), "{held}");
    drop(first);
    assert!(KeyDirectory::open(root.path(), Modes::default()).is_err(), "a clone is left");
    drop(clone);
    KeyDirectory::open(root.path(), Modes::default()).unwrap();
}

//! `favor certs list`, `download`, `check` and `status`.

use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use favor_core::key_directory::{CheckFailure, ManifestKey, MerchantCertificateStatus, Trust};
use favor_core::{Certificate, Clock as _, Manifest, MerchantId, MerchantKeyStatus, Serial, SystemClock};
use favor_mirror::{MerchantChange, Mirror, PublicKeyPhase};
use serde_json::json;

use crate::run::{Ran, favor, run};
use crate::world::World;

fn now() -> DateTime<Utc> {
    SystemClock::new().now()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn list_shows_every_key_of_the_platform() {
    let mut world = World::new();
    world.runtime.block_on(world.mirror.rotate_keys());
    let served = world.mirror.platform_certificates();
    let listed = world.run(&["certs", "list", "--output", "json"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let keys = listed.json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), served.len());
    for certificate in &served {
        let key = keys.iter().find(|key| key["id"] == certificate.serial_no).unwrap();
        assert_eq!(key["kind"], "certificate");
        assert_eq!(key["trusted_by"], "first_download");
        assert!(key["days_left"].as_i64().unwrap() > 1_000, "{key}");
    }

    world.set("public_key_id", world.ready.public_key_id.clone());
    world.set("public_key_file", "keys/pub_key.pem");
    let table = world.run(&["certs", "list"]).stdout;
    for words in [&served[0].serial_no, &world.ready.public_key_id, "no end", "the APIv3 key", "the file"] {
        assert!(table.contains(words), "{words}: {table}");
    }
}

#[test]
fn list_says_why_there_is_nothing_to_list() {
    let world = World::new();
    world.runtime.block_on(world.mirror.set_public_key_phase(PublicKeyPhase::On)).unwrap();
    let ran = world.run(&["certs", "list"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    world
        .runtime
        .block_on(world.mirror.change_merchant(
            &world.ready.mchid,
            MerchantChange { public_key_only: Some(true), ..Default::default() },
        ))
        .unwrap();
    let ran = world.run(&["certs", "list"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("configure the WeChat Pay public key"), "{ran:?}");
}

#[test]
fn download_writes_whole_files_that_read_back() {
    let mut world = World::new();
    world.runtime.block_on(world.mirror.rotate_keys());
    world.set("public_key_id", world.ready.public_key_id.clone());
    world.set("public_key_file", "keys/pub_key.pem");
    let folder = world.folder.path().join("platform");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("mine.txt"), "stays").unwrap();
    let download = ["certs", "download", "--to", "platform", "--output", "json"];
    let ran = world.run(&download);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let served = world.mirror.platform_certificates();
    let mut wanted: Vec<_> =
        served.iter().map(|certificate| format!("{}.pem", certificate.serial_no)).collect();
    wanted.extend(["bundle.pem".to_owned(), "mine.txt".to_owned()]);
    wanted.push(format!("{}.pem", world.ready.public_key_id));
    wanted.sort();
    assert_eq!(names(&folder), wanted, "nothing else, and nothing half");
    for certificate in &served {
        let path = folder.join(format!("{}.pem", certificate.serial_no));
        let read = Certificate::from_pem_file(path).unwrap();
        assert_eq!(*read.serial(), Serial::new(&*certificate.serial_no));
    }
    let bundle = std::fs::read_to_string(folder.join("bundle.pem")).unwrap();
    assert_eq!(bundle.matches("BEGIN CERTIFICATE").count(), served.len());
    assert_eq!(world.run(&download).code, Some(0), "again, over what is there");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.join("bundle.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }
}

#[test]
fn a_download_that_fails_leaves_what_is_there() {
    let world = World::new();
    let folder = world.folder.path().join("platform");
    let download = ["certs", "download", "--to", "platform"];
    assert_eq!(world.run(&download).code, Some(0));
    let before = std::fs::read(folder.join("bundle.pem")).unwrap();
    world.file("v3.txt", "sesamesesamesesamesesamesesamese");
    let ran = world.run(&download);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_eq!(std::fs::read(folder.join("bundle.pem")).unwrap(), before);

    let world = World::new();
    world.file("platform", "a file in the way");
    let ran = world.run(&download);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("platform"), "{ran:?}");
}

/// A key directory as the daemon leaves it.
struct Directory {
    folder: tempfile::TempDir,
}

const MERCHANT: &str = "1900000109";

impl Directory {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn home(&self, merchant: &str) -> PathBuf {
        self.folder.path().join("keys").join(merchant)
    }

    fn publish(&self, merchant: &str, pems: &[String]) {
        let keys = pems.iter().map(|pem| {
            let certificate = Certificate::from_pem(pem).unwrap();
            ManifestKey::certificate(&certificate, now(), Trust::Download)
        });
        let manifest = Manifest::new(MerchantId::new(merchant).unwrap(), keys.collect(), None, now());
        let home = self.home(merchant);
        let (release, current) = (home.join(".rel").join(manifest.release_name()), home.join("current"));
        std::fs::create_dir_all(&release).unwrap();
        let _ = std::fs::remove_file(&current);
        std::os::unix::fs::symlink(&release, &current).unwrap();
        for pem in pems {
            let certificate = Certificate::from_pem(pem).unwrap();
            std::fs::write(current.join(format!("{}.pem", certificate.serial())), certificate.pem()).unwrap();
        }
        std::fs::write(current.join("manifest.json"), manifest.to_json()).unwrap();
    }

    /// A status whose last good check was so long ago, changed further.
    fn status(&self, merchant: &str, age: TimeDelta, change: impl FnOnce(&mut MerchantKeyStatus)) {
        let mut status = MerchantKeyStatus::new(MerchantId::new(merchant).unwrap());
        status.last_checked = Some(now());
        status.last_success = Some(now() - age);
        change(&mut status);
        std::fs::create_dir_all(self.home(merchant)).unwrap();
        std::fs::write(self.home(merchant).join("status.json"), status.to_json()).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        run(favor(self.folder.path()).args(arguments))
    }

    /// Runs the check and demands one line, its state, and these words in it.
    fn check(&self, code: i32, state: &str, words: &str) -> String {
        let ran = self.run(&["certs", "check", "--directory", "keys"]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        let line = ran.stdout.trim_end().to_owned();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.starts_with(&format!("FAVOR CERTS {state} - ")), "{line}");
        assert!(line.contains(words), "{words}: {line}");
        line
    }
}

/// The platform certificate of a mirror, which ends so many days from now. They last 1460 days from a mirror's start.
fn certificate_ending_in(days: i64) -> String {
    let beijing = FixedOffset::east_opt(8 * 3600).unwrap();
    let at = now() - TimeDelta::days(4 * 365 - days) + TimeDelta::hours(1);
    let world =
        World::of(Mirror::builder().clock_at(at.with_timezone(&beijing)).wire_clock_follows_test_clock(true));
    world.mirror.platform_certificates()[0].pem.clone()
}

const MINUTE: TimeDelta = TimeDelta::minutes(1);

#[test]
fn check_tells_the_state_of_a_directory() {
    let directory = Directory::new();
    let long = certificate_ending_in(1_000);
    directory.publish(MERCHANT, std::slice::from_ref(&long));
    directory.check(1, "WARNING", "no check of its keys is recorded");

    directory.status(MERCHANT, MINUTE, |_| {});
    let line = directory.check(0, "OK", "1900000109: 1 platform certificate in force");
    let (_, figures) = line.split_once(" | ").unwrap();
    let figures: Vec<_> = figures.split(' ').collect();
    assert_eq!(figures[0], "platform_days=1000;30:;7:");
    assert!(figures[1].starts_with("age=") && figures[1].ends_with("s;10800;43200"), "{line}");

    // The age of the last good check.
    directory.status(MERCHANT, TimeDelta::hours(5), |_| {});
    directory.check(1, "WARNING", "the last good check was 5 h ago");
    directory.status(MERCHANT, TimeDelta::hours(13), |_| {});
    directory.check(2, "CRITICAL", "the last good check was 13 h ago");
    let failing = |status: &mut MerchantKeyStatus| {
        status.failure = Some(CheckFailure::new("undecryptable", "the APIv3 key does not open it"));
    };
    directory.status(MERCHANT, MINUTE, failing);
    directory.check(1, "WARNING", "the APIv3 key does not open it (undecryptable)");
    directory.status(MERCHANT, MINUTE, |status| status.last_success = None);
    directory.check(2, "CRITICAL", "no check has ever succeeded");

    // What is not recorded though it was due: late by a little is nothing.
    directory.status(MERCHANT, MINUTE, |status| status.next_check = Some(now() - TimeDelta::minutes(10)));
    directory.check(0, "OK", "in force");
    directory.status(MERCHANT, MINUTE, |status| status.next_check = Some(now() - TimeDelta::minutes(40)));
    let line = directory.check(1, "WARNING", "a check was due 40 min ago and is not recorded");
    assert!(line.contains("read-only"), "{line}");
    let wrong = |status: &mut MerchantKeyStatus| {
        status.own_keys = Some(CheckFailure::new("own_keys", "m.key: is no private key"));
    };
    directory.status(MERCHANT, MINUTE, wrong);
    directory.check(1, "WARNING", "m.key: is no private key (own_keys)");
    let table = directory.run(&["certs", "status", "--directory", "keys"]);
    assert!(table.stdout.contains("m.key: is no private key (own_keys)"), "{table:?}");

    // The merchant's own certificate.
    for (days, code, state, words) in [
        (61, 0, "OK", "in force"),
        (45, 1, "WARNING", "ends in 45 days"),
        (20, 1, "WARNING", "renew it this week"),
        (3, 2, "CRITICAL", "ends in 3 days"),
        (-2, 2, "CRITICAL", "ended on"),
    ] {
        directory.status(MERCHANT, MINUTE, |status| {
            let end = now() + TimeDelta::days(days) + TimeDelta::hours(1);
            status.merchant_certificate = Some(MerchantCertificateStatus::new("0C4A", end));
        });
        directory.check(code, state, words);
    }
}

#[test]
fn check_looks_at_the_last_key_and_its_successor() {
    let directory = Directory::new();
    directory.status(MERCHANT, MINUTE, |_| {});
    directory.check(2, "CRITICAL", "no keys are published here");
    let soon = certificate_ending_in(20);
    directory.publish(MERCHANT, std::slice::from_ref(&soon));
    let line = directory.check(1, "WARNING", "the last platform certificate ends in 20 days");
    assert!(line.contains("platform_days=20;30:;7:"), "{line}");
    directory.publish(MERCHANT, &[certificate_ending_in(3)]);
    directory.check(2, "CRITICAL", "and none follows");
    directory.publish(MERCHANT, &[certificate_ending_in(-3)]);
    directory.check(2, "CRITICAL", "no platform certificate is valid now");

    // A file that is not the one in the manifest.
    directory.publish(MERCHANT, std::slice::from_ref(&soon));
    let serial = Certificate::from_pem(&soon).unwrap().serial().to_string();
    std::fs::write(directory.home(MERCHANT).join(format!("current/{serial}.pem")), "changed").unwrap();
    directory.check(2, "CRITICAL", "SHA-256 differs");
}

#[test]
fn check_of_many_merchants_names_the_worst() {
    let directory = Directory::new();
    let long = certificate_ending_in(1_000);
    for merchant in ["1900000101", "1900000102", "1900000103"] {
        directory.publish(merchant, std::slice::from_ref(&long));
        directory.status(merchant, MINUTE, |_| {});
    }
    directory.check(0, "OK", "3 merchants, each with keys in force");
    directory.status("1900000102", TimeDelta::hours(30), |_| {});
    directory.status("1900000103", TimeDelta::hours(5), |_| {});
    let line = directory.check(2, "CRITICAL", "1900000102: the last good check was 30 h ago; 1900000103: ");
    assert!(!line.contains("1900000101"), "{line}");
    let one = directory.run(&["certs", "check", "--directory", "keys", "--merchant", "1900000101"]);
    assert_eq!(one.code, Some(0), "{one:?}");
    let patient = ["certs", "check", "--directory", "keys", "--age-critical", "2d", "--age-warning", "2d"];
    assert_eq!(directory.run(&patient).code, Some(0));
}

#[test]
fn check_says_when_it_cannot_know() {
    let directory = Directory::new();
    for arguments in [&["certs", "check", "--directory", "nowhere"][..], &["certs", "check"]] {
        let ran = directory.run(arguments);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(ran.stdout.starts_with("FAVOR CERTS UNKNOWN - "), "{ran:?}");
    }
    std::fs::create_dir(directory.folder.path().join("keys")).unwrap();
    directory.check(3, "UNKNOWN", "has no folder of a merchant");
}

#[test]
fn check_asks_the_platform_when_there_is_no_directory() {
    let mut world = World::new();
    let good = world.run(&["certs", "check"]);
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stdout.contains("own_days=") && good.stdout.contains("platform_days="), "{good:?}");
    assert_eq!(world.run(&["certs", "check", "--own-warning", "4000"]).code, Some(1));
    assert_eq!(
        world.run(&["certs", "check", "--key-warning", "4000", "--key-critical", "3000"]).code,
        Some(2)
    );
    let json = world.run(&["certs", "check", "--output", "json"]).json();
    assert_eq!(json["state"], "OK");
    assert!(json["figures"]["own_days"].as_i64().unwrap() > 1_000, "{json}");

    world.set("base_url", "http://127.0.0.1:1");
    let away = world.run(&["certs", "check"]);
    assert_eq!(away.code, Some(2), "{away:?}");
    assert!(
        away.stdout.starts_with("FAVOR CERTS CRITICAL - ") && away.stdout.lines().count() == 1,
        "{away:?}"
    );
}

#[test]
fn status_shows_what_a_directory_holds() {
    let directory = Directory::new();
    let long = certificate_ending_in(1_000);
    directory.publish(MERCHANT, std::slice::from_ref(&long));
    directory.status(MERCHANT, TimeDelta::hours(5), |status| {
        status.failing_since = Some(now());
        status.failure = Some(CheckFailure::new("unreachable", "no answer"));
    });
    std::fs::create_dir_all(directory.home("1900000110")).unwrap();
    std::fs::create_dir_all(directory.folder.path().join("keys/lost+found")).unwrap();

    let table = directory.run(&["certs", "status", "--directory", "keys"]);
    assert_eq!(table.code, Some(0), "{table:?}");
    for words in
        [MERCHANT, "5 h ago", "failing: no answer (unreachable)", "1900000110", "never", "no keys are"]
    {
        assert!(table.stdout.contains(words), "{words}: {}", table.stdout);
    }
    let json = directory.run(&["certs", "status", "--directory", "keys", "--output", "json"]).json();
    let merchants = json["merchants"].as_array().unwrap();
    assert_eq!(merchants.len(), 2);
    assert_eq!(merchants[0]["mchid"], MERCHANT);
    assert_eq!(merchants[0]["keys"][0]["days_left"], 1_000);
    assert_eq!(merchants[0]["keys"][0]["trusted_by"], "download");
    assert_eq!(merchants[0]["status"]["failure"]["code"], "unreachable");
    assert_eq!(merchants[0]["error"], json!(null));
    assert!(merchants[1]["error"].as_str().unwrap().contains("no keys are published"), "{json:#}");
    let none = directory.run(&["certs", "status", "--directory", "nowhere"]);
    assert_eq!(none.code, Some(2), "{none:?}");
}

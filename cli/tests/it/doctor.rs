//! `favor doctor`: profiles against a real mirror.

mod broken;
mod cards;
mod keys;
mod strangers;
mod verdict;

use chrono::{FixedOffset, TimeDelta};
use favor_core::{Clock as _, SystemClock};
use favor_mirror::{FaultKind, FaultPlace, FaultRule, MerchantChange, MerchantSeed, Mirror, PublicKeyPhase};

use crate::run::{favor, run};
use crate::world::World;
use keys::{FOREIGN_KEY, FOREIGN_PUBLIC_KEY, OTHER_KEY};
use verdict::{broken, codes};

#[test]
fn a_right_profile_is_all_right_in_each_mode() {
    let mut world = World::new();
    let mode = |world: &World| {
        let (report, code) = world.doctor();
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(codes(&report, "problem"), [""; 0], "{report:#}");
        assert_eq!(codes(&report, "warning"), ["CALLBACK_NOT_SET"], "{report:#}");
        assert_eq!(report["skipped"], serde_json::json!([]), "{report:#}");
        for code in ["SIGNATURE", "PERMISSION", "CLOCK", "REACHED"] {
            assert!(codes(&report, "ok").contains(&code.to_owned()), "{code}: {report:#}");
        }
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["code"] == "MODE").unwrap()["words"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(mode(&world).starts_with("certificates:"));
    world.with_public_key();
    assert!(mode(&world).contains("the switch has not been opened"));
    world.phase(PublicKeyPhase::Grey);
    assert!(mode(&world).starts_with("both: the public key signs"));
    world.runtime.block_on(world.mirror.void_certificates()).unwrap();
    assert!(mode(&world).starts_with("public key:"));
}

#[test]
fn a_public_key_alone_is_enough_to_call_and_is_warned_of() {
    let mut world = World::new();
    world.phase(PublicKeyPhase::On);
    world.with_public_key();
    world.unset("api_v3_key_file");
    let (report, code) = world.doctor();
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(codes(&report, "warning"), ["API_V3_KEY_MISSING", "CALLBACK_NOT_SET"], "{report:#}");
    assert!(codes(&report, "ok").contains(&"PERMISSION".to_owned()), "{report:#}");
}

#[test]
fn the_table_tells_a_person_what_to_do() {
    let mut world = World::new();
    let right = world.run(&["doctor"]);
    assert_eq!(right.code, Some(0), "{right:?}");
    for words in ["all right, 1 warning", "CALLBACK_NOT_SET", "to do:", "docs/doctor.md#callback_not_set"] {
        assert!(right.stdout.contains(words), "{words}: {}", right.stdout);
    }
    world.secret_file("other.pem", OTHER_KEY);
    world.set("private_key_file", "other.pem");
    let wrong = world.run(&["doctor"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    for words in ["PROBLEM", "1 problem: KEY_CERT_MISMATCH", "not checked"] {
        assert!(wrong.stdout.contains(words), "{words}: {}", wrong.stdout);
    }
    world.set("mchid", "shop");
    let two = world.run(&["doctor"]);
    assert!(two.stdout.contains("2 problems; begin with MCHID_MALFORMED"), "{two:?}");
}

#[test]
fn without_settings_it_says_how_to_get_some() {
    let folder = tempfile::tempdir().unwrap();
    let missing = |words: &str| {
        let ran = run(favor(folder.path()).args(["doctor", "--output", "json"]));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let report = ran.json();
        assert_eq!(codes(&report, "problem"), ["SETTINGS_MISSING"], "{report:#}");
        let finding = report["findings"][0].to_string();
        assert!(finding.contains(words), "{words}: {finding}");
    };
    missing("favor mirror starts a stand-in");
    std::fs::write(folder.path().join("favor.toml"), "[profile.shop]\nmchid = \"1900000109\"\n").unwrap();
    missing("--profile shop");
    std::fs::write(folder.path().join("favor.toml"), "[profile.default]\n").unwrap();
    missing("names no merchant and no keys");
}

#[test]
fn settings_that_cannot_be_read_are_a_finding_too() {
    let world = World::new();
    for (arguments, words) in
        [(&["--profile", "shop"][..], "has no profile"), (&["--config", "nowhere.toml"], "nowhere.toml")]
    {
        let ran = world.run(&[&["doctor", "--output", "json"], arguments].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert_eq!(ran.json()["cause"], "SETTINGS_UNREADABLE");
        assert!(ran.json()["findings"][0]["words"].as_str().unwrap().contains(words), "{ran:?}");
    }
}

#[test]
fn offline_asks_nobody() {
    let world = World::new();
    let before = world.mirror.requests(10, 0).len();
    let ran = world.run(&["doctor", "--offline", "--output", "json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json()["skipped"].as_array().unwrap().len(), 1);
    assert_eq!(world.mirror.requests(10, 0).len(), before);
}

#[test]
fn a_wrong_clock_is_the_cause_and_its_error_is_named() {
    for hours in [-2, 2] {
        let at = (SystemClock::new().now() + TimeDelta::hours(hours))
            .with_timezone(&FixedOffset::east_opt(8 * 3600).unwrap());
        let world = World::of(Mirror::builder().clock_from(at).wire_clock_follows_test_clock(true));
        let finding = broken("CLOCK_WRONG", 3, &world);
        let words = finding["words"].as_str().unwrap();
        assert!(words.contains(if hours < 0 { "ahead of" } else { "behind" }), "{words}");
    }
}

#[test]
fn an_own_certificate_that_ends_soon_is_a_warning() {
    let world = World::new();
    for (days, urgency) in [(45, "soon"), (20, "this week"), (3, "now")] {
        let end = (SystemClock::new().now() + TimeDelta::days(days) + TimeDelta::hours(1)).fixed_offset();
        world.change(&MerchantChange { certificate_expires: Some(end), ..Default::default() });
        let pem = world.mirror.merchants()[0].certificate_pem.clone();
        world.file("keys/apiclient_cert.pem", &pem);
        let (report, code) = world.doctor();
        assert_eq!(code, Some(0), "{report:#}");
        let found = report["findings"].as_array().unwrap();
        let ends = found.iter().find(|finding| finding["code"] == "CERTIFICATE_ENDS").unwrap();
        let words = ends["words"].as_str().unwrap();
        assert!(words.contains(&format!("in {days} days")) && words.ends_with(urgency), "{words}");
    }
}

#[cfg(unix)]
#[test]
fn a_secret_that_everybody_may_read_is_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let path = world.folder.path().join("v3.txt");
    for (mode, warned) in [(0o644, true), (0o660, true), (0o640, false), (0o400, false)] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let (report, code) = world.doctor();
        assert_eq!(code, Some(0), "{report:#}");
        let warnings = codes(&report, "warning");
        assert_eq!(warnings.contains(&"SECRET_FILE_OPEN".to_owned()), warned, "{mode:o}: {report:#}");
    }
}

#[test]
fn a_callback_address_is_looked_at() {
    let world = World::new();
    let callback = |world: &World, wanted: &str| {
        let (report, code) = world.doctor();
        assert_eq!(code, Some(0), "{report:#}");
        let all = [codes(&report, "ok"), codes(&report, "warning")].concat();
        assert!(all.contains(&wanted.to_owned()), "{wanted}: {report:#}");
    };
    callback(&world, "CALLBACK_NOT_SET");
    let (path, body) =
        ("/v3/marketing/favor/callbacks", r#"{"mchid":"1900000109","notify_url":"http://127.0.0.1:9/x"}"#);
    world.file("body.json", body);
    let signed = world.run(&["sign", "POST", path, "--body", "body.json"]);
    assert!(crate::sign::send(&world, "POST", path, &signed.stdout, body).contains(" 200 "));
    callback(&world, "CALLBACK");
    world.change(&MerchantChange { event_permission: Some(false), ..Default::default() });
    callback(&world, "CALLBACK_NO_PERMISSION");
}

#[test]
fn what_the_platform_gets_wrong_is_not_blamed_on_the_profile() {
    let status = |status, code: &str| FaultKind::Status { status, code: code.to_owned(), message: None };
    let (certificates, stocks) = ("certificates.list", "stock.list");
    for (kind, operation, place, cause, exit) in [
        (status(503, "SERVICE_UNAVAILABLE"), certificates, FaultPlace::BeforeCommit, "PLATFORM_BUSY", 5),
        (status(429, "FREQUENCY_LIMIT_EXCEED"), stocks, FaultPlace::BeforeCommit, "PLATFORM_BUSY", 5),
        (status(400, "INVALID_REQUEST"), stocks, FaultPlace::BeforeCommit, "CALL_REFUSED", 1),
        (status(403, "NO_AUTH"), stocks, FaultPlace::BeforeCommit, "NO_AUTH", 1),
        (status(401, "SIGN_ERROR"), stocks, FaultPlace::BeforeVerify, "SIGNATURE_REFUSED", 3),
        (FaultKind::CorruptSignature, certificates, FaultPlace::AfterCommit, "ANSWER_UNTRUSTED", 3),
    ] {
        let world = World::new();
        world.mirror.plan(FaultRule::new(kind).operation(operation).place(place).times(0)).unwrap();
        broken(cause, exit, &world);
    }
    // A probe is followed by the truth.
    let world = World::new();
    world.mirror.plan(FaultRule::new(FaultKind::Probe).operation(certificates).times(1)).unwrap();
    let (report, code) = world.doctor();
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(world.mirror.faults()[0].struck, 1, "the probe was sent");
}

#[test]
fn an_appid_of_another_form_is_a_warning() {
    let mut world = World::new();
    world.set("appid", "1900000109");
    let (report, code) = world.doctor();
    assert_eq!(code, Some(0), "{report:#}");
    assert!(codes(&report, "warning").contains(&"APPID_FORM".to_owned()), "{report:#}");
    assert!(report.to_string().contains("this looks like a merchant id"), "{report:#}");
}

#[test]
fn a_clock_that_drifts_is_a_warning() {
    let at = (SystemClock::new().now() + TimeDelta::seconds(150))
        .with_timezone(&FixedOffset::east_opt(8 * 3600).unwrap());
    let world = World::of(Mirror::builder().clock_from(at).wire_clock_follows_test_clock(true));
    let (report, code) = world.doctor();
    assert_eq!(code, Some(0), "{report:#}");
    assert!(codes(&report, "warning").contains(&"CLOCK_DRIFT".to_owned()), "{report:#}");
}

#[test]
fn a_mirror_as_proxy_serves_under_the_production_name() {
    let mut world = World::new();
    world.unset("base_url");
    world.set("proxy", world.ready.proxy_url.clone());
    broken("TLS_UNTRUSTED", 5, &world);
    world.set("ca_file", "keys/mirror_ca.pem");
    let (report, code) = world.doctor();
    assert_eq!(code, Some(0), "{report:#}");
}

#[test]
fn a_merchant_of_ones_own_is_right_on_its_mirror() {
    let mut world = World::new();
    let mut seed = MerchantSeed::new("1900000555");
    seed.private_key_pem = Some(FOREIGN_KEY.to_owned());
    let merchant = world.runtime.block_on(world.mirror.add_merchant(seed)).unwrap();
    world.secret_file("key.pem", &merchant.private_key_pem);
    world.file("cert.pem", &merchant.certificate_pem);
    world.secret_file("v3.txt", &merchant.api_v3_key);
    world.set("mchid", merchant.mchid.clone());
    world.set("private_key_file", "key.pem");
    world.set("certificate_file", "cert.pem");
    let (report, code) = world.doctor();
    assert_eq!(code, Some(0), "{report:#}");

    // The public half of its own key is not WeChat Pay's.
    world.file("own.pem", FOREIGN_PUBLIC_KEY);
    world.set("public_key_id", world.ready.public_key_id.clone());
    world.set("public_key_file", "own.pem");
    broken("PUBLIC_KEY_IS_MERCHANTS", 2, &world);
    world.unset("public_key_id");
    world.unset("public_key_file");
    // Its certificate tells, though its id could be anybody's.
    world.unset("base_url");
    broken("MIRROR_KEYS_ON_PRODUCTION", 2, &world);
}

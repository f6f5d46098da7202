//! `favor doctor`: profiles that are really broken, against a real mirror.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use chrono::{FixedOffset, TimeDelta};
use favor_core::{Clock as _, SystemClock};
use favor_mirror::{
    CertificateChange, FaultKind, FaultPlace, FaultRule, MerchantChange, MerchantSeed, Mirror, MirrorBuilder,
    PublicKeyPhase, Ready,
};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::run::{Ran, favor, run};

/// Keys that no mirror made.
const OTHER_KEY: &str = include_str!("../../../core/tests/it/keys/other.pem");
const SMALL_KEY: &str = include_str!("../../../core/tests/it/keys/small.pem");
const ENCRYPTED_KEY: &str = include_str!("../../../core/tests/it/keys/merchant-encrypted.pem");
const FOREIGN_KEY: &str = include_str!("../../../core/tests/it/keys/merchant.pem");
const FOREIGN_PUBLIC_KEY: &str = include_str!("../../../core/tests/it/keys/merchant-public.pem");
const FOREIGN_CERTIFICATE: &str = include_str!("../../../core/tests/it/keys/merchant-certificate.pem");
const OTHER_PUBLIC_KEY: &str = include_str!("../../../core/tests/it/keys/public-key-public.pem");

/// A mirror, and a profile for it that is right until a test breaks it.
pub struct World {
    pub folder: tempfile::TempDir,
    pub settings: BTreeMap<&'static str, String>,
    pub ready: Ready,
    pub mirror: Mirror,
    pub runtime: Runtime,
}

impl World {
    pub fn new() -> Self {
        Self::of(Mirror::builder())
    }

    pub fn of(builder: MirrorBuilder) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mirror = runtime.block_on(builder.start()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ready = mirror.write_files(folder.path().join("keys")).unwrap();
        let mut world = Self { folder, settings: BTreeMap::new(), ready, mirror, runtime };
        world.secret_file("v3.txt", &world.ready.api_v3_key.clone());
        for (name, value) in [
            ("base_url", world.ready.base_url.clone()),
            ("mchid", world.ready.mchid.clone()),
            ("private_key_file", "keys/apiclient_key.pem".to_owned()),
            ("certificate_file", "keys/apiclient_cert.pem".to_owned()),
            ("api_v3_key_file", "v3.txt".to_owned()),
            ("appid", world.ready.appid.clone()),
        ] {
            world.set(name, value);
        }
        world
    }

    pub fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.settings.insert(name, value.into());
    }

    pub fn unset(&mut self, name: &'static str) {
        self.settings.remove(name);
    }

    pub fn file(&self, name: &str, content: &str) {
        std::fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn secret_file(&self, name: &str, content: &str) {
        self.file(name, content);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let path = self.folder.path().join(name);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    fn change(&self, change: &MerchantChange) {
        self.runtime.block_on(self.mirror.change_merchant(&self.ready.mchid, change.clone())).unwrap();
    }

    fn phase(&self, phase: PublicKeyPhase) {
        self.runtime.block_on(self.mirror.set_public_key_phase(phase)).unwrap();
    }

    /// Sets the mirror's public key beside the APIv3 key.
    fn with_public_key(&mut self) {
        self.set("public_key_id", self.ready.public_key_id.clone());
        self.set("public_key_file", "keys/pub_key.pem");
    }

    /// The serial alone, without the certificate that would tell more.
    fn with_serial_only(&mut self) {
        self.unset("certificate_file");
        self.set("serial_no", self.ready.serial_no.clone());
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut text = "[profile.default]\n".to_owned();
        for (name, value) in &self.settings {
            text.push_str(&format!("{name} = {value:?}\n"));
        }
        self.file("favor.toml", &text);
        let ran = run(favor(self.folder.path()).args(arguments));
        // Whatever is wrong: no secret is shown.
        let all = format!("{}{}", ran.stdout, ran.stderr);
        for secret in [&self.ready.api_v3_key, "sesame", "hunter2"] {
            assert!(!all.contains(secret), "a secret is shown: {all}");
        }
        assert!(!all.contains("PRIVATE KEY-----"), "{all}");
        ran
    }

    fn doctor(&self) -> (Value, Option<i32>) {
        let ran = self.run(&["doctor", "--output", "json"]);
        (ran.json(), ran.code)
    }
}

fn codes(report: &Value, severity: &str) -> Vec<String> {
    let findings = report["findings"].as_array().unwrap();
    let of = findings.iter().filter(|finding| finding["severity"] == severity);
    of.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

/// Breaks a profile in one way, and demands that this and nothing else is called a problem.
fn broken(cause: &str, exit: i32, world: &World) -> Value {
    let (report, code) = world.doctor();
    assert_eq!(codes(&report, "problem"), [cause], "{report:#}");
    assert_eq!(report["cause"], cause);
    assert_eq!(report["ok"], false);
    assert_eq!(code, Some(exit), "{report:#}");
    let finding =
        report["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == cause).unwrap();
    assert!(!finding["mend"].as_str().unwrap().is_empty(), "{finding}");
    assert_eq!(finding["documentation"], format!("docs/doctor.md#{}", cause.to_lowercase()));
    finding.clone()
}

type Breaking = fn(&mut World);

/// How a profile is broken offline or by its keys, the cause that must be named, and the exit code.
const BROKEN: &[(&str, i32, Breaking)] = &[
    ("MCHID_MISSING", 2, |world| world.unset("mchid")),
    ("MCHID_MALFORMED", 2, |world| world.set("mchid", "wx00000000000000aa")),
    ("PRIVATE_KEY_MISSING", 2, |world| world.unset("private_key_file")),
    ("PRIVATE_KEY_UNREADABLE", 2, |world| world.set("private_key_file", "keys/nowhere.pem")),
    ("PRIVATE_KEY_MALFORMED", 2, |world| world.set("private_key_file", "keys/apiclient_cert.pem")),
    ("PRIVATE_KEY_MALFORMED", 2, |world| {
        world.secret_file("small.pem", SMALL_KEY);
        world.set("private_key_file", "small.pem");
    }),
    ("PRIVATE_KEY_MALFORMED", 2, |world| {
        world.secret_file("encrypted.pem", ENCRYPTED_KEY);
        world.set("private_key_file", "encrypted.pem");
    }),
    ("KEY_CERT_SWAPPED", 2, |world| {
        world.set("private_key_file", "keys/apiclient_cert.pem");
        world.set("certificate_file", "keys/apiclient_key.pem");
    }),
    ("CERTIFICATE_UNREADABLE", 2, |world| world.set("certificate_file", "keys")),
    ("CERTIFICATE_MALFORMED", 2, |world| world.set("certificate_file", "keys/pub_key.pem")),
    ("CERTIFICATE_NOT_MERCHANTS", 2, |world| {
        world.file("platform.pem", &world.mirror.platform_certificates()[0].pem);
        world.set("certificate_file", "platform.pem");
    }),
    ("CERTIFICATE_OTHER_MERCHANT", 2, |world| world.set("mchid", "1900000110")),
    ("KEY_CERT_MISMATCH", 2, |world| {
        world.secret_file("other.pem", OTHER_KEY);
        world.set("private_key_file", "other.pem");
    }),
    ("CERTIFICATE_EXPIRED", 2, |world| {
        world.change(&MerchantChange { certificate: Some(CertificateChange::Expired), ..Default::default() });
        let pem = world.mirror.merchants()[0].certificate_pem.clone();
        world.file("ended.pem", &pem);
        world.set("certificate_file", "ended.pem");
    }),
    ("SERIAL_MISSING", 2, |world| world.unset("certificate_file")),
    ("SERIAL_MALFORMED", 2, |world| {
        world.with_serial_only();
        world.set("serial_no", "0C:4A:11");
    }),
    ("SERIAL_CERT_MISMATCH", 2, |world| world.set("serial_no", "0123456789ABCDEF")),
    ("SERIAL_UNKNOWN", 3, |world| {
        world.with_serial_only();
        world.set("serial_no", "0123456789ABCDEF");
    }),
    ("PRIVATE_KEY_WRONG", 3, |world| {
        world.with_serial_only();
        world.secret_file("other.pem", OTHER_KEY);
        world.set("private_key_file", "other.pem");
    }),
    ("MERCHANT_UNKNOWN", 3, |world| {
        world.with_serial_only();
        world.set("mchid", "1900000110");
    }),
    ("PLATFORM_KEY_MISSING", 2, |world| world.unset("api_v3_key_file")),
    ("API_V3_KEY_UNREADABLE", 2, |world| world.set("api_v3_key_file", "nowhere.txt")),
    ("API_V3_KEY_MALFORMED", 2, |world| {
        world.secret_file("v3.txt", &format!("\"{}\"", world.ready.api_v3_key));
    }),
    ("API_V3_KEY_WRONG", 3, |world| world.secret_file("v3.txt", "sesamesesamesesamesesamesesamese")),
    ("PUBLIC_KEY_ID_MISSING", 2, |world| world.set("public_key_file", "keys/pub_key.pem")),
    ("PUBLIC_KEY_FILE_MISSING", 2, |world| world.set("public_key_id", "PUB_KEY_ID_01")),
    ("PUBLIC_KEY_ID_MALFORMED", 2, |world| {
        world.with_public_key();
        world.set("public_key_id", world.ready.serial_no.clone());
    }),
    ("PUBLIC_KEY_MALFORMED", 2, |world| {
        world.with_public_key();
        world.file("pub.pem", "not a key");
        world.set("public_key_file", "pub.pem");
    }),
    ("PUBLIC_KEY_IS_MERCHANTS", 2, |world| {
        world.with_public_key();
        world.set("public_key_file", "keys/apiclient_cert.pem");
    }),
    ("PUBLIC_KEY_IS_CERTIFICATE", 2, |world| {
        world.with_public_key();
        world.file("platform.pem", &world.mirror.platform_certificates()[0].pem);
        world.set("public_key_file", "platform.pem");
    }),
    ("PUBLIC_KEY_NEEDED", 2, |world| {
        world.change(&MerchantChange { public_key_only: Some(true), ..Default::default() });
    }),
    ("PUBLIC_KEY_NEEDED", 2, |world| world.phase(PublicKeyPhase::On)),
    ("PUBLIC_KEY_NOT_SWITCHED", 3, |world| {
        world.with_public_key();
        world.unset("api_v3_key_file");
    }),
    ("PUBLIC_KEY_WRONG", 3, |world| {
        world.phase(PublicKeyPhase::On);
        world.with_public_key();
        world.file("pub.pem", OTHER_PUBLIC_KEY);
        world.set("public_key_file", "pub.pem");
    }),
    ("PUBLIC_KEY_ID_WRONG", 3, |world| {
        world.phase(PublicKeyPhase::On);
        world.with_public_key();
        world.set("public_key_id", "PUB_KEY_ID_0119000001102026010100000000000009");
    }),
    ("NO_AUTH", 1, |world| {
        world.change(&MerchantChange { product_permission: Some(false), ..Default::default() });
    }),
    ("APPID_MALFORMED", 2, |world| world.set("appid", "wx 12")),
    ("BASE_URL_MALFORMED", 2, |world| world.set("base_url", "127.0.0.1:8080/v3")),
    ("PROXY_MALFORMED", 2, |world| world.set("proxy", "user:hunter2@@proxy")),
    ("CA_FILE_UNUSABLE", 2, |world| world.set("ca_file", "keys/apiclient_key.pem")),
    ("MIRROR_KEYS_ON_PRODUCTION", 2, |world| world.unset("base_url")),
    ("MIRROR_KEYS_ON_PRODUCTION", 2, |world| {
        world.with_serial_only();
        world.set("base_url", "https://api2.mch.weixin.qq.com");
    }),
    ("PRODUCTION_KEYS_ON_MIRROR", 2, |world| {
        world.secret_file("key.pem", FOREIGN_KEY);
        world.file("cert.pem", FOREIGN_CERTIFICATE);
        world.set("private_key_file", "key.pem");
        world.set("certificate_file", "cert.pem");
    }),
    // A name that is reserved to have no address.
    ("HOST_NOT_FOUND", 5, |world| world.set("base_url", "https://wechatpay.invalid")),
    ("HOST_UNREACHABLE", 5, |world| world.set("base_url", format!("http://{}", CLOSED))),
    ("TLS_UNTRUSTED", 5, |world| world.set("base_url", world.mirror.tls_url())),
    ("PROXY_UNREACHABLE", 5, |world| world.set("proxy", format!("http://me:hunter2@{}", CLOSED))),
    // A mirror opens no way to other hosts.
    ("PROXY_REFUSED", 5, |world| {
        world.set("base_url", "https://wechatpay.invalid");
        world.set("proxy", world.ready.proxy_url.clone());
    }),
];

/// A port that nobody listens on, and that no other test is given.
const CLOSED: &str = "127.0.0.1:1";

#[test]
fn each_broken_profile_gets_its_cause_and_no_other() {
    for (cause, exit, breaking) in BROKEN {
        let mut world = World::new();
        breaking(&mut world);
        broken(cause, *exit, &world);
    }
}

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

/// A server that answers each connection with what `answer` makes of the request.
fn server(answer: impl Fn(String) -> Vec<u8> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            // Until the head is whole; what begins a TLS handshake has none.
            while !request.starts_with(&[22]) && !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match socket.read(&mut piece) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.extend_from_slice(&piece[..read]),
                }
            }
            let _ = socket.write_all(&answer(String::from_utf8_lossy(&request).into_owned()));
        }
    });
    address
}

#[test]
fn a_stranger_who_answers_is_not_taken_for_the_platform() {
    let mut world = World::new();
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 12\r\nConnection: close\r\n\r\n<h1>hi</h1>\n";
    world.set("base_url", server(move |_| page.as_bytes().to_vec()));
    broken("NOT_THE_PLATFORM", 5, &world);
    world.set("base_url", server(|_| b"220 mail.example.com ESMTP\r\n".to_vec()));
    broken("CONNECTION_BROKEN", 5, &world);
    world.set("base_url", server(move |_| page.as_bytes().to_vec()).replace("http:", "https:"));
    broken("TLS_FAILED", 5, &world);
}

#[test]
fn a_gateway_that_rewrites_requests_is_named() {
    let mut world = World::new();
    let target = world.ready.base_url.trim_start_matches("http://").to_owned();
    let gateway = server(move |request| {
        let rewritten = request.replacen("/v3/certificates", "/v3/certificates?by=gateway", 1);
        let rewritten = rewritten.replacen("\r\n", "\r\nConnection: close\r\n", 1);
        let mut onward = std::net::TcpStream::connect(&target).unwrap();
        onward.write_all(rewritten.as_bytes()).unwrap();
        let mut answer = Vec::new();
        onward.read_to_end(&mut answer).unwrap();
        answer
    });
    world.set("base_url", gateway);
    let finding = broken("MESSAGE_CHANGED", 3, &world);
    assert!(finding["words"].as_str().unwrap().contains("path"), "{finding}");
}

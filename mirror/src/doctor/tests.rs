//! Every cause, from signatures that were really made that way.

use std::time::Instant;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use http::HeaderValue;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha1::{Digest as _, Sha1};

use super::*;
use crate::auth;
use crate::merchant::{EMBEDDED_KEYS, MerchantCertificate, MerchantSeed};
use crate::platform_keys::PublicKeyPhase;
use crate::rsa_key::SigningKey;

const NOW: Moment = Moment::from_millis_const(1_790_000_000_000);
const TIMESTAMP: &str = "1790000000";
const NONCE: &str = "Qw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc";
const GET: Signed<'static> = Signed { method: "GET", target: "/v3/a%2Fb/c?z=1%2B2&a=x%20y", body: b"" };
const BODY: &str = r#"{"name":"茶 <b>5/30</b> & é","list":[1,2],"a":true}"#;
const POST: Signed<'static> = Signed { method: "POST", target: "/v3/a", body: BODY.as_bytes() };

struct World {
    merchants: Directory,
    platform: PlatformKeys,
}

fn world() -> World {
    let seeds = [
        MerchantSeed::new("1"),
        MerchantSeed::new("2"),
        MerchantSeed { certificate: MerchantCertificate::Missing, ..MerchantSeed::new("3") },
    ];
    let mut taken = Vec::new();
    let mut known = Vec::new();
    for seed in &seeds {
        let merchant = KnownMerchant::from_seed(seed, &taken, NOW).unwrap();
        taken.push(merchant.public.private_key_pem.clone());
        known.push(merchant);
    }
    let platform =
        PlatformKeys::new(PublicKeyPhase::Off, crate::clock::Times { test: NOW, wire: NOW }).unwrap();
    World { merchants: Directory::new(known), platform }
}

impl World {
    fn pem(&self, mchid: &str) -> String {
        self.merchants.find(mchid).unwrap().public.private_key_pem.clone()
    }

    fn serial(&self) -> String {
        self.merchants.find("1").unwrap().public.serial_no.clone()
    }

    /// The signature of merchant 1.
    fn sign(&self, message: &[u8]) -> String {
        SigningKey::from_pem(&self.pem("1")).unwrap().sign(message)
    }

    fn sign_raw(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> String {
        let pair = RsaKeyPair::from_pkcs8(pem::parse(self.pem("1")).unwrap().contents()).unwrap();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        STANDARD.encode(signature)
    }

    fn header(&self, serial: &str, timestamp: &str, signature: &str) -> String {
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"1\",nonce_str=\"{NONCE}\",timestamp=\"{timestamp}\",\
             serial_no=\"{serial}\",signature=\"{signature}\""
        )
    }

    fn diagnose(&self, headers: &[&str], signed: Signed<'_>, whole_body: &[u8]) -> SignatureDiagnosis {
        let mut map = HeaderMap::new();
        map.insert(http::header::HOST, HeaderValue::from_static("localhost:7700"));
        for header in headers {
            map.append(AUTHORIZATION, HeaderValue::from_bytes(header.as_bytes()).unwrap());
        }
        let only = if headers.len() == 1 { map[AUTHORIZATION].to_str().ok() } else { None };
        let check = auth::check(only, signed, &self.merchants, NOW);
        let (merchants, platform) = (&self.merchants, &self.platform);
        let rule = check.result.unwrap_err().rule;
        diagnose(Case { rule, headers: &map, signed, whole_body, merchants, platform, now: NOW })
    }

    /// A request with this signature in an otherwise good header.
    fn with_signature(&self, signed: Signed<'_>, signature: &str) -> SignatureDiagnosis {
        self.diagnose(&[&self.header(&self.serial(), TIMESTAMP, signature)], signed, signed.body)
    }

    /// A request whose signature is over another message.
    fn with_message(&self, signed: Signed<'_>, message: &[u8]) -> SignatureDiagnosis {
        self.with_signature(signed, &self.sign(message))
    }

    #[track_caller]
    fn assert_message(&self, signed: Signed<'_>, message: &str, codes: &[&str]) {
        let diagnosis = self.with_message(signed, message.as_bytes());
        assert_eq!(all(&diagnosis), codes, "{message:?}");
        assert_eq!(diagnosis.client_message.as_deref(), Some(message));
        let built = String::from_utf8(signed.message(TIMESTAMP, NONCE)).unwrap();
        assert_eq!(diagnosis.server_message.as_deref(), Some(built.as_str()));
        assert_eq!(diagnosis.key_of.as_deref(), Some("merchant 1"));
        // The difference holds both messages, and something of one alone.
        let side = |ours: bool| -> String {
            let on_side = |part: &&DifferencePart| match part {
                DifferencePart::Both(_) => true,
                DifferencePart::Server(_) => ours,
                DifferencePart::Client(_) => !ours,
            };
            diagnosis.difference.iter().filter(on_side).map(DifferencePart::text).collect()
        };
        assert_eq!((side(true), side(false)), (built, message.to_owned()));
        assert!(diagnosis.difference.iter().any(|part| !matches!(part, DifferencePart::Both(_))));
    }

    #[track_caller]
    fn assert_target(&self, target: &str, code: &str) {
        self.assert_message(GET, &format!("GET\n{target}\n{TIMESTAMP}\n{NONCE}\n\n"), &[code]);
    }

    #[track_caller]
    fn assert_body(&self, sent: &str, signed: &str, codes: &[&str]) {
        let message = format!("POST\n/v3/a\n{TIMESTAMP}\n{NONCE}\n{signed}\n");
        self.assert_message(Signed { body: sent.as_bytes(), ..POST }, &message, codes);
    }
}

fn all(diagnosis: &SignatureDiagnosis) -> Vec<&'static str> {
    std::iter::once(&diagnosis.cause).chain(&diagnosis.also).map(|cause| cause.code).collect()
}

#[test]
fn lines_of_path_and_query() {
    let world = world();
    for (target, code) in [
        ("/v3/a%2Fb/c", "query_missing"),
        ("/v3/a%2Fb/c?a=x%20y&z=1%2B2", "query_order"),
        ("/v3/a%2Fb/c?z=1+2&a=x y", "query_decoded"),
        ("/v3/a%2Fb/c?z=1%2B2&a=x+y", "query_encoded"),
        ("/v3/a%2Fb/c?z=1%2b2&a=x%20y", "query_encoded"),
        ("/v3/a/b/c?z=1%2B2&a=x%20y", "path_decoded"),
        ("https://api.mch.weixin.qq.com/v3/a%2Fb/c?z=1%2B2&a=x%20y", "host_included"),
        ("http://localhost:7700/v3/a%2Fb/c?z=1%2B2&a=x%20y", "host_included"),
        ("/a%2Fb/c?z=1%2B2&a=x%20y", "path_prefix"),
        ("v3/a%2Fb/c?z=1%2B2&a=x%20y", "path_slash"),
    ] {
        world.assert_target(target, code);
    }
    let raw = Signed { target: "/v3/a~b/c", ..GET };
    let tail = format!("{TIMESTAMP}\n{NONCE}\n\n");
    world.assert_message(raw, &format!("GET\n/v3/a~b/c?\n{tail}"), &["question_mark"]);
    let odd = Signed { target: "/v3/a%7eb", ..GET };
    world.assert_message(odd, &format!("GET\n/v3/a~b\n{tail}"), &["path_decoded"]);
    let colon = Signed { target: "/v3/a:b", ..GET };
    world.assert_message(colon, &format!("GET\n/v3/a%3Ab\n{tail}"), &["path_encoded"]);
    let query = format!("GET\n/v3/a%2Fb/c\n{TIMESTAMP}\n{NONCE}\nz=1%2B2&a=x%20y\n");
    world.assert_message(GET, &query, &["query_as_body"]);
}

#[test]
fn bodies() {
    let world = world();
    let ascii = r#"{"name":"\u8336 <b>5/30</b> & \u00e9","list":[1,2],"a":true}"#;
    let php = r#"{"name":"\u8336 <b>5\/30<\/b> & \u00e9","list":[1,2],"a":true}"#;
    let go = r#"{"name":"茶 \u003cb\u003e5/30\u003c/b\u003e \u0026 é","list":[1,2],"a":true}"#;
    let python = r#"{"name": "\u8336 <b>5/30</b> & \u00e9", "list": [1, 2], "a": true}"#;
    let spaced = r#"{"name": "茶 <b>5/30</b> & é", "list": [1, 2], "a": true}"#;
    let pretty =
        "{\n  \"name\": \"茶 <b>5/30</b> & é\",\n  \"list\": [\n    1,\n    2\n  ],\n  \"a\": true\n}";
    let sorted = r#"{"a":true,"list":[1,2],"name":"茶 <b>5/30</b> & é"}"#;
    let sorted_python = r#"{"a": true, "list": [1, 2], "name": "\u8336 <b>5/30</b> & \u00e9"}"#;
    for (sent, signed, codes) in [
        (BODY, "", &["body_empty"][..]),
        ("", "{}", &["body_not_sent"]),
        (BODY, &format!("{BODY}\n"), &["line_feed_too_many"]),
        (&format!(" {BODY}\n"), BODY, &["body_line_feed"]),
        (spaced, BODY, &["body_compact"]),
        (BODY, ascii, &["body_ascii_escaped"]),
        (BODY, php, &["body_php_escaped"]),
        (BODY, go, &["body_html_escaped"]),
        (BODY, &format!("{go}\n"), &["body_html_escaped"]),
        (BODY, &format!("\u{feff}{BODY}"), &["body_line_feed"]),
        (BODY, python, &["body_python"]),
        (BODY, spaced, &["body_spaced"]),
        (BODY, pretty, &["body_pretty"]),
        (BODY, sorted, &["body_keys_sorted"]),
        (BODY, sorted_python, &["body_python", "body_keys_sorted"]),
        (python, sorted_python, &["body_keys_sorted"]),
        (python, BODY, &["body_compact"]),
    ] {
        world.assert_body(sent, signed, codes);
    }
}

#[test]
fn uploads_signed_as_a_whole() {
    let world = world();
    let meta = Signed { body: b"{\"filename\":\"a.png\"}", ..POST };
    let whole = b"--b\r\nall of it\r\n--b--";
    let signature = world.sign(&Signed { body: whole, ..POST }.message(TIMESTAMP, NONCE));
    let header = world.header(&world.serial(), TIMESTAMP, &signature);
    assert_eq!(all(&world.diagnose(&[&header], meta, whole)), ["whole_form"]);
}

#[test]
fn ways_of_putting_lines_together() {
    let world = world();
    let head = format!("POST\n/v3/a\n{TIMESTAMP}\n{NONCE}\n");
    let lower = NONCE.to_lowercase();
    let millis = format!("POST\n/v3/a\n{TIMESTAMP}345\n{NONCE}\n{BODY}\n");
    for (message, codes) in [
        (format!("{head}{BODY}"), &["last_line_feed"][..]),
        (format!("{head}{BODY}\n\n"), &["line_feed_too_many"]),
        (head.clone(), &["body_line_missing"]),
        (format!("{head}{BODY}\n").replace('\n', "\r\n"), &["crlf"]),
        (format!("{head}{BODY}\n").replace('\n', "\\n"), &["literal_backslash_n"]),
        (format!("{head}{BODY}\n").replace('\n', ""), &["no_line_feeds"]),
        (format!("POST\n/v3/a\n{NONCE}\n{TIMESTAMP}\n{BODY}\n"), &["lines_swapped"]),
        (format!("{TIMESTAMP}\n{NONCE}\n{BODY}\n"), &["response_form"]),
        (format!("post\n/v3/a\n{TIMESTAMP}\n{NONCE}\n{BODY}\n"), &["method_lower_case"]),
        (format!("GET\n/v3/a\n{TIMESTAMP}\n{NONCE}\n{BODY}\n"), &["method_other"]),
        (format!("POST\n/v3/a\n{TIMESTAMP}\n{lower}\n{BODY}\n"), &["nonce_case"]),
        (format!("POST\n/v3/a\n1790000003\n{NONCE}\n{BODY}\n"), &["timestamp_other"]),
        (millis, &["timestamp_milliseconds_signed"]),
        // Two mistakes at once.
        (format!("post\n/v3/a\n{TIMESTAMP}\n{NONCE}\n\n"), &["method_lower_case", "body_empty"]),
    ] {
        world.assert_message(POST, &message, codes);
    }
    let get = format!("GET\n{}\n{TIMESTAMP}\n{NONCE}\n", GET.target);
    world.assert_message(GET, &get, &["last_line_feed"]);
    let digest = recover::sha256(&POST.message(TIMESTAMP, NONCE));
    assert_eq!(all(&world.with_message(POST, digest.as_ref())), ["hashed_first"]);
    assert_eq!(all(&world.with_message(POST, hex(digest.as_ref()).as_bytes())), ["hashed_first"]);
}

#[test]
fn writings_of_the_signature() {
    let world = world();
    let right = world.sign(&GET.message(TIMESTAMP, NONCE));
    let bytes = STANDARD.decode(&right).unwrap();
    let percent = right.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for (signature, code) in [
        (hex(&bytes), "signature_hex"),
        (URL_SAFE.encode(&bytes), "signature_url_safe"),
        (STANDARD_NO_PAD.encode(&bytes), "signature_padding"),
        (percent, "signature_percent_encoded"),
        (right.replace('+', " "), "signature_plus_lost"),
        (format!("{right} "), "signature_blank"),
        (STANDARD.encode(&right), "signature_encoded_twice"),
        (STANDARD.encode(hex(&bytes)), "signature_encoded_twice"),
        ("!".to_owned(), "signature_not_base64"),
        (STANDARD.encode([7; 32]), "signature_length"),
        ("A".repeat(60_000), "signature_length"),
    ] {
        assert_eq!(all(&world.with_signature(GET, &signature)), [code], "{signature}");
    }
    // What is right in itself shows no difference.
    let diagnosis = world.with_signature(GET, &hex(&bytes));
    assert_eq!(diagnosis.client_message, diagnosis.server_message);
    assert_eq!(diagnosis.client_digest, diagnosis.server_digest);
    assert!(diagnosis.difference.is_empty());
    // Hexadecimal and a missing query.
    let other = world.sign(format!("GET\n/v3/a%2Fb/c\n{TIMESTAMP}\n{NONCE}\n\n").as_bytes());
    let both = world.with_signature(GET, &hex(&STANDARD.decode(other).unwrap()));
    assert_eq!(all(&both), ["signature_hex", "query_missing"]);
}

#[test]
fn ways_of_signing() {
    let world = world();
    let message = GET.message(TIMESTAMP, NONCE);
    let pss = world.with_signature(GET, &world.sign_raw(&RSA_PSS_SHA256, &message));
    assert_eq!(all(&pss), ["pss"]);
    assert_eq!(pss.client_message, pss.server_message);
    let other =
        world.sign_raw(&RSA_PSS_SHA256, format!("GET\n/v3/a%2Fb/c\n{TIMESTAMP}\n{NONCE}\n\n").as_bytes());
    assert_eq!(all(&world.with_signature(GET, &other)), ["pss", "query_missing"]);
    let longer = world.with_signature(GET, &world.sign_raw(&RSA_PKCS1_SHA512, &message));
    assert_eq!(all(&longer), ["wrong_hash"]);
    assert!(longer.cause.en.what.contains("SHA-512"));
    let key = RsaPrivateKey::from_pkcs8_der(pem::parse(world.pem("1")).unwrap().contents()).unwrap();
    let sha1 = key.sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(&message)).unwrap();
    let sha1 = world.with_signature(GET, &STANDARD.encode(sha1));
    assert_eq!(all(&sha1), ["wrong_hash"]);
    assert!(sha1.cause.zh.what.contains("SHA-1"));
    let bare = key.sign(Pkcs1v15Sign::new_unprefixed(), recover::sha256(&message).as_ref()).unwrap();
    assert_eq!(all(&world.with_signature(GET, &STANDARD.encode(bare))), ["no_digest_info"]);
}

#[test]
fn keys() {
    let world = world();
    let message = GET.message(TIMESTAMP, NONCE);
    let signed_with = |key: &SigningKey| world.with_signature(GET, &key.sign(&message));
    let other = signed_with(&SigningKey::from_pem(&world.pem("2")).unwrap());
    assert_eq!(all(&other), ["key_of_other_merchant"]);
    assert!(other.cause.en.what.contains("merchant 2"));
    let without_query = SigningKey::from_pem(&world.pem("2"))
        .unwrap()
        .sign(format!("GET\n/v3/a%2Fb/c\n{TIMESTAMP}\n{NONCE}\n\n").as_bytes());
    let both = world.with_signature(GET, &without_query);
    assert_eq!(all(&both), ["key_of_other_merchant", "query_missing"]);
    assert_eq!(all(&signed_with(&world.platform.certificates[0].key)), ["key_of_platform"]);
    assert_eq!(all(&signed_with(&world.platform.public_key.key)), ["key_of_platform"]);
    let spare = SigningKey::from_pem(EMBEDDED_KEYS[3]).unwrap();
    assert_eq!(all(&signed_with(&spare)), ["key_of_other_run"]);
    let unknown = signed_with(&SigningKey::generate().unwrap());
    assert_eq!(all(&unknown), ["key_unknown"]);
    assert_eq!((unknown.key_of, unknown.client_message), (None, None));
    assert!(unknown.server_message.is_some());
}

#[test]
fn serials_merchants_and_clocks() {
    let world = world();
    let own = world.serial();
    let decimal = num_bigint::BigUint::parse_bytes(own.as_bytes(), 16).unwrap().to_string();
    let colons: Vec<_> = own.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
    let right = world.sign(&GET.message(TIMESTAMP, NONCE));
    for (serial, code) in [
        (format!("{own} "), "serial_blank"),
        (colons.join(":"), "serial_blank"),
        (decimal, "serial_decimal"),
        (world.merchants.find("2").unwrap().public.serial_no.clone(), "serial_of_other_merchant"),
        (world.platform.certificates[0].serial_no.clone(), "serial_of_platform"),
        (world.platform.public_key.serial.clone(), "serial_of_platform"),
        ("AB".repeat(20), "serial_unknown"),
    ] {
        let header = world.header(&serial, TIMESTAMP, &right);
        assert_eq!(all(&world.diagnose(&[&header], GET, b"")), [code], "{serial}");
    }
    for (mchid, code) in [("9", "merchant_unknown"), ("1 ", "mchid_blank"), ("3", "no_certificate")] {
        let header =
            world.header(&own, TIMESTAMP, &right).replace("mchid=\"1\"", &format!("mchid=\"{mchid}\""));
        assert_eq!(world.diagnose(&[&header], GET, b"").cause.code, code);
    }
    for (timestamp, code, apart) in [
        ("1790000000123", "timestamp_milliseconds", 1_788_210_000_123),
        ("1789999000", "clock_behind", -1_000),
        ("1790001000", "clock_ahead", 1_000),
    ] {
        let header = world.header(&own, timestamp, &world.sign(&GET.message(timestamp, NONCE)));
        let diagnosis = world.diagnose(&[&header], GET, b"");
        assert_eq!(all(&diagnosis), [code]);
        assert_eq!(diagnosis.seconds_apart, Some(apart));
    }
    // A clock that is off does not hide the next mistake.
    let header = world.header(&own, "1789999000", &world.sign(&GET.message("1789999000", NONCE)[..40]));
    assert_eq!(all(&world.diagnose(&[&header], GET, b"")), ["clock_behind", "message_unknown"]);
}

#[test]
fn an_ended_certificate() {
    let seed = MerchantSeed { certificate: MerchantCertificate::Expired, ..MerchantSeed::new("1") };
    let merchants = Directory::new(vec![KnownMerchant::from_seed(&seed, &[], NOW).unwrap()]);
    let world = World { merchants, ..world() };
    let diagnosis = world.with_message(GET, &GET.message(TIMESTAMP, NONCE));
    assert_eq!(all(&diagnosis), ["certificate_expired"]);
}

#[test]
fn headers_that_cannot_be_read() {
    let world = world();
    let good = world.header(&world.serial(), TIMESTAMP, &world.sign(b"x"));
    for (header, code) in [
        ("Bearer x".to_owned(), "header_scheme"),
        (good.replace("SHA256", "SM2"), "header_scheme"),
        (good.replace("mchid=\"1\"", "mchid=\"\""), "header_item_missing"),
        (good.replace(TIMESTAMP, "now"), "header_timestamp"),
        (good.replace('"', "'"), "header_malformed"),
        ("WECHATPAY2-SHA256-RSA2048 \u{e9}".to_owned(), "header_not_ascii"),
    ] {
        assert_eq!(all(&world.diagnose(&[&header], GET, b"")), [code], "{header}");
    }
    assert_eq!(all(&world.diagnose(&[], GET, b"")), ["header_missing"]);
    assert_eq!(all(&world.diagnose(&[&good, &good], GET, b"")), ["header_repeated"]);
}

#[test]
fn the_header_is_shown_without_its_signature() {
    let world = world();
    let signature = world.sign(b"x");
    let header = world.with_signature(GET, &signature).header.unwrap();
    assert_eq!((header.mchid.as_str(), header.nonce_str.as_str()), ("1", NONCE));
    assert!(header.signature.len() < 24 && signature.starts_with(&header.signature[..12]));
    assert_eq!(header.time.unwrap().timestamp(), 1_790_000_000);
    assert_eq!(shorten_signature("short"), "…");
}

/// The message that differs in a way nobody can guess still gives its digest away.
#[test]
fn unknown_messages_show_their_digest() {
    let world = world();
    let diagnosis = world.with_message(POST, b"something else");
    assert_eq!(all(&diagnosis), ["message_unknown"]);
    assert_eq!(diagnosis.client_digest.unwrap(), hex(recover::sha256(b"something else").as_ref()));
    assert_eq!(diagnosis.client_message, None);
}

#[test]
fn large_and_odd_bodies_cost_little() {
    let world = world();
    let began = Instant::now();
    let object = format!("{{\"a\":[{}1]}}", "1, ".repeat(400_000));
    let nested = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
    let binary = vec![0xff; 4 * 1024 * 1024];
    for body in [object.as_bytes(), nested.as_bytes(), &binary] {
        let diagnosis = world.with_message(Signed { body, ..POST }, b"something else");
        assert_eq!(all(&diagnosis), ["message_unknown"]);
        assert!(diagnosis.server_message.unwrap().len() <= 3 * SHOWN + 6);
    }
    let parameters = Signed { target: &format!("/v3/a?{}", "a=b&".repeat(10_000)), ..GET };
    world.with_message(parameters, b"something else");
    // Generous: it takes a fraction of this on a busy machine without optimisation.
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(32))]
    #[test]
    fn hostile_bytes_never_panic(
        target in "\\PC*", body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), signature in "[ -!#-~]{0,300}"
    ) {
        let world = world();
        let signed = Signed { method: "POST", target: &target, body: &body };
        world.with_signature(signed, if signature.is_empty() { "x" } else { &signature });
        world.with_message(signed, &body);
    }
}

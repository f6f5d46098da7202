//! Broken profiles: a table, each row really broken.

use favor_mirror::{CertificateChange, MerchantChange, PublicKeyPhase};

use super::keys::{ENCRYPTED_KEY, FOREIGN_CERTIFICATE, FOREIGN_KEY, OTHER_KEY, OTHER_PUBLIC_KEY, SMALL_KEY};
use super::verdict::broken;
use crate::world::World;

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
    ("PUBLIC_KEY_UNREADABLE", 2, |world| {
        world.with_public_key();
        world.set("public_key_file", "nowhere.pem");
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

//! Platform certificates, the public key, and the change from one to the other.

use std::io::Write as _;
use std::process::{Command, Stdio};

use favor_mirror::{MerchantSeed, PublicKeyPhase};
use serde_json::{Value, json};

use crate::harness::{Reply, World, builder, fetch, open};

const TARGET: &str = "/v3/certificates";

/// Serial and text of each certificate in a list.
fn opened(world: &World, reply: &Reply) -> Vec<(String, String)> {
    let key = &world.mirror.merchant().api_v3_key;
    let list = reply.ok();
    let entries = list["data"].as_array().unwrap().iter();
    entries
        .map(|entry| {
            let text = open(key, &entry["encrypt_certificate"]).unwrap();
            (entry["serial_no"].as_str().unwrap().to_owned(), text)
        })
        .collect()
}

/// A call that names the key it can verify with.
async fn asking(world: &World, serial: &str) -> Reply {
    let now = world.mirror.now().timestamp();
    let header = world.credentials().authorization("GET", TARGET, now, "");
    let request =
        world.request("GET", TARGET, "").header("Authorization", header).header("Wechatpay-Serial", serial);
    fetch(request).await.unwrap()
}

#[tokio::test]
async fn the_list_opens_and_its_signature_verifies_with_what_it_brought() {
    let world = World::new().await;
    let reply = world.get(TARGET).await;
    let certificates = opened(&world, &reply);
    assert_eq!(certificates.len(), 1);
    let (serial, pem) = &certificates[0];
    assert_eq!(reply.header("wechatpay-serial"), Some(serial.as_str()));
    assert!(reply.is_signed_by(pem));
    assert_eq!(
        open("0123456789abcdef0123456789abcdef", &reply.json()["data"][0]["encrypt_certificate"]),
        None
    );
    let entry = &reply.json()["data"][0];
    assert_eq!(entry["effective_time"], "2025-08-10T12:00:00+08:00");
    assert_eq!(entry["expire_time"], "2030-08-09T12:00:00+08:00");
}

/// An outside judge: OpenSSL reads the certificate and accepts the signature.
#[tokio::test]
async fn openssl_agrees() {
    let world = World::new().await;
    let reply = world.get(TARGET).await;
    let (serial, pem) = opened(&world, &reply).remove(0);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let certificate = file("certificate.pem", pem.as_bytes());
    let openssl = |arguments: &[&std::ffi::OsStr], input: &[u8]| {
        let mut child = Command::new("openssl")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("these tests need the openssl command");
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "openssl {arguments:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = openssl(
        &[
            "x509".as_ref(),
            "-in".as_ref(),
            certificate.as_ref(),
            "-noout".as_ref(),
            "-serial".as_ref(),
            "-issuer".as_ref(),
        ],
        b"",
    );
    assert!(shown.contains(&format!("serial={serial}")), "{shown}");
    assert!(shown.contains("Tenpay.com Root CA"), "{shown}");
    let public = openssl(
        &["x509".as_ref(), "-in".as_ref(), certificate.as_ref(), "-noout".as_ref(), "-pubkey".as_ref()],
        b"",
    );
    let public = file("public.pem", public.as_bytes());
    let signature = openssl(
        &[
            "base64".as_ref(),
            "-d".as_ref(),
            "-A".as_ref(),
            "-out".as_ref(),
            folder.path().join("signature").as_ref(),
        ],
        reply.header("wechatpay-signature").unwrap().as_bytes(),
    );
    assert!(signature.is_empty());
    let mut message = format!(
        "{}\n{}\n",
        reply.header("wechatpay-timestamp").unwrap(),
        reply.header("wechatpay-nonce").unwrap()
    )
    .into_bytes();
    message.extend_from_slice(&reply.body);
    message.push(b'\n');
    let verdict = openssl(
        &[
            "dgst".as_ref(),
            "-sha256".as_ref(),
            "-verify".as_ref(),
            public.as_ref(),
            "-signature".as_ref(),
            folder.path().join("signature").as_ref(),
        ],
        &message,
    );
    assert_eq!(verdict.trim(), "Verified OK");
}

#[tokio::test]
async fn rotation_overlaps_and_one_serial_starts_with_a_zero() {
    let world = World::new().await;
    let before = opened(&world, &world.get(TARGET).await);
    let serials = world.mirror.rotate_keys().await;
    assert_eq!(serials.len(), 2);
    assert_eq!(serials[0], before[0].0);
    assert!(serials[1].starts_with('0') && serials[1].len() == 40);
    let reply = world.get(TARGET).await;
    assert_eq!(reply.header("wechatpay-serial"), Some(serials[1].as_str()));
    let after = opened(&world, &reply);
    assert_eq!(after[0], before[0]);
    assert!(reply.is_signed_by(&after[1].1));
    assert!(!reply.is_signed_by(&after[0].1));

    // The fourth key is made on the spot.
    let rotated = world.control("POST", "/_mirror/keys/rotate", &Value::Null).await.ok();
    assert_eq!(rotated["serials"].as_array().unwrap().len(), 3);
    let serials = world.mirror.rotate_keys().await;
    assert_eq!(serials.len(), 4);
    let reply = world.get(TARGET).await;
    assert!(reply.is_signed_by(&opened(&world, &reply)[3].1));
}

#[tokio::test]
async fn algorithm_types() {
    let world = World::new().await;
    for (kind, status, code) in [
        ("RSA", 200, None),
        ("ALL", 200, None),
        ("SM2", 404, Some("RESOURCE_NOT_EXISTS")),
        ("DSA", 400, Some("PARAM_ERROR")),
    ] {
        let reply = world.get(&format!("{TARGET}?algorithm_type={kind}")).await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (status, code), "{kind}");
    }
}

#[tokio::test]
async fn the_phases_of_the_public_key() {
    let world = World::new().await;
    let key = world.mirror.public_key();
    assert!(key.id.starts_with("PUB_KEY_ID_") && key.id[11..].bytes().all(|byte| byte.is_ascii_digit()));
    let certificate = world.mirror.platform_certificates()[0].clone();
    for (phase, asked, public) in [
        ("off", key.id.as_str(), false),
        ("grey", key.id.as_str(), true),
        ("grey", certificate.serial_no.as_str(), false),
        ("grey", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1", false),
        ("on", certificate.serial_no.as_str(), true),
    ] {
        let set = world.control("POST", "/_mirror/keys/public-key", &json!({"phase": phase})).await.ok();
        assert_eq!(set["phase"], phase);
        let reply = asking(&world, asked).await;
        assert_eq!(reply.status, 200);
        let (serial, pem) =
            if public { (&key.id, &key.pem) } else { (&certificate.serial_no, &certificate.pem) };
        assert_eq!(reply.header("wechatpay-serial"), Some(serial.as_str()), "{phase} {asked}");
        assert!(reply.is_signed_by(pem));
    }
}

#[tokio::test]
async fn once_void_there_are_no_certificates() {
    let world = World::with(builder().public_key_mode(PublicKeyPhase::On)).await;
    assert_eq!(world.get(TARGET).await.status, 200);
    world.mirror.void_certificates().await.unwrap();
    let reply = world.get(TARGET).await;
    let message = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥";
    reply.refused(404, "RESOURCE_NOT_EXISTS", message);
    assert!(reply.is_signed_by(&world.mirror.public_key().pem));
}

#[tokio::test]
async fn a_merchant_in_public_key_mode_has_no_certificates() {
    let seed = MerchantSeed { public_key_only: true, ..MerchantSeed::new("1900000110") };
    let world = World::with(builder().merchant(seed)).await;
    let reply = world.call_as(&world.credentials_of("1900000110"), "GET", TARGET, &Value::Null).await;
    assert_eq!(reply.status, 404);
    assert!(reply.is_signed_by(&world.mirror.public_key().pem));
    assert_eq!(world.get(TARGET).await.status, 200);
}

#[tokio::test]
async fn a_foreign_public_key_id_is_refused_and_a_foreign_serial_is_not() {
    let world = World::new().await;
    let reply = asking(&world, "PUB_KEY_ID_0000000000000000000000000001").await;
    assert_eq!((reply.status, reply.json()["code"].as_str()), (400, Some("PARAM_ERROR")));
    assert!(reply.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    assert_eq!(asking(&world, "0123456789").await.status, 200);
}

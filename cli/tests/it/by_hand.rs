//! `favor verify` and `favor decrypt`, with notifications and answers that a mirror signed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use favor_core::{
    ApiV3Key, Call, Certificate, Client, MerchantId, MerchantSigner, Operation, PlatformKeys, PrivateKey,
    Refresh, Verb,
};
use serde_json::{Value, json};

use crate::run::{MirrorProcess, Ran, favor, run};
use crate::target::{Target, header, split};

fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

/// A mirror, and a notification of it as it came over the wire.
fn notified() -> (MirrorProcess, Vec<u8>) {
    let mirror = MirrorProcess::start(&[]);
    let request = another(|| mirror.favor());
    (mirror, request)
}

fn another(favor: impl Fn() -> Command) -> Vec<u8> {
    let target = Target::start();
    ok(run(favor().args(["callback", "set", &target.url()])));
    ok(run(favor().args(["callback", "trigger"])));
    target.wait_for(1).remove(0)
}

fn save(mirror: &MirrorProcess, name: &str, bytes: &[u8]) -> PathBuf {
    let path = mirror.folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// `favor verify --ignore-window`, so that a slow machine is never too late.
fn verify(mirror: &MirrorProcess, bytes: &[u8]) -> (Option<i32>, Value) {
    let file = save(mirror, "message.http", bytes);
    let ran = mirror.run(&["verify", file.to_str().unwrap(), "--ignore-window", "--output", "json"]);
    (ran.code, ran.json())
}

fn client(mirror: &MirrorProcess) -> Client {
    let key = PrivateKey::from_pem_file(mirror.key_file()).unwrap();
    let signer =
        MerchantSigner::new(MerchantId::new(mirror.field("mchid")).unwrap(), mirror.field("serial_no"), key);
    let keys = PlatformKeys::download(ApiV3Key::new(mirror.field("api_v3_key")).unwrap());
    Client::builder(signer.unwrap(), keys).base_url(mirror.field("base_url")).build().unwrap()
}

/// The mirror's certificate and its list of certificates as it was answered, saved with its headers.
fn certificates(mirror: &MirrorProcess) -> (PathBuf, PathBuf) {
    static LIST: Operation = Operation::new("test.certificates", Verb::Get, "/v3/certificates");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (pem, list) = runtime.block_on(async {
        let client = client(mirror);
        client.key_store().refresh(Refresh::NoKeys).await.unwrap();
        let pem = client.keys().certificates().next().unwrap().pem().to_owned();
        let list = client.execute(&Call::to(&LIST).finish().unwrap()).await.unwrap();
        let mut text = b"HTTP/1.1 200 OK\r\n".to_vec();
        for (name, value) in &list.headers {
            text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        text.extend(b"\r\n");
        text.extend(&list.body);
        (pem, text)
    });
    (save(mirror, "platform.pem", pem.as_bytes()), save(mirror, "list.http", &list))
}

#[test]
fn a_notification_as_it_came_is_verified_with_downloaded_keys() {
    let (mirror, request) = notified();
    let file = save(&mirror, "request.http", &request);
    let table = ok(mirror.run(&["verify", file.to_str().unwrap(), "--ignore-window"]));
    for word in
        ["holds", "a platform certificate, valid from", &header(&request, "wechatpay-serial").unwrap()]
    {
        assert!(table.stdout.contains(word), "{word}: {table:?}");
    }
    assert!(table.stderr.contains("downloading the platform certificates"), "{table:?}");
    let (code, verdict) = verify(&mirror, &request);
    assert_eq!(code, Some(0), "{verdict}");
    assert_eq!((&verdict["holds"], &verdict["note"]), (&true.into(), &Value::Null), "{verdict}");
    assert_eq!(verdict["seconds_ahead"], 0);

    // The same from stdin, as JSON, and as a body with its headers beside it.
    let mut child = mirror.favor();
    child.args(["verify", "--ignore-window"]).stdin(std::fs::File::open(&file).unwrap());
    ok(run(child.stderr(Stdio::null())));
    let (head, body) = split(&request);
    let named = |name: &str| header(&request, name).unwrap();
    let names = ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature"];
    let headers: serde_json::Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), named(name).into())).collect();
    let text = String::from_utf8(body.clone()).unwrap();
    let saved = json!({ "request": { "headers": headers, "body": text } }).to_string();
    assert_eq!(verify(&mirror, saved.as_bytes()).0, Some(0));
    let body_file = save(&mirror, "body.json", &body);
    let head_file = save(&mirror, "head.txt", head.replace("\r\n", "\n").as_bytes());
    let (body_file, head_file) = (body_file.to_str().unwrap(), head_file.to_str().unwrap());
    ok(mirror.run(&["verify", body_file, "--headers", head_file, "--ignore-window"]));
    let mut flags = vec!["verify".to_owned(), body_file.to_owned(), "--ignore-window".to_owned()];
    for name in names {
        flags.extend(["--header".to_owned(), format!("{name}: {}", named(name))]);
    }
    ok(run(mirror.favor().args(&flags)));
}

#[test]
fn what_an_editor_did_to_the_body_is_recognised_and_said() {
    let (mirror, request) = notified();
    let (head, body) = split(&request);
    let unix_head = head.replace("\r\n", "\n");
    for end in ["\n", "\r\n", "\n\n"] {
        let (code, verdict) = verify(&mirror, &[unix_head.as_bytes(), &body, end.as_bytes()].concat());
        assert_eq!(code, Some(0), "{verdict}");
        assert!(verdict["note"].as_str().unwrap().contains("at its end"), "{verdict}");
    }
    let printed: Value = serde_json::from_slice(&body).unwrap();
    let printed = serde_json::to_vec_pretty(&printed).unwrap();
    let (code, verdict) = verify(&mirror, &[head.as_bytes(), &printed].concat());
    assert_eq!(code, Some(3), "{verdict}");
    assert!(verdict["note"].as_str().unwrap().contains("printed for people"), "{verdict}");
}

#[test]
fn what_does_not_hold_is_said_with_exit_3() {
    let (mirror, request) = notified();
    let (head, body) = split(&request);
    let changed = String::from_utf8(body.clone()).unwrap().replacen("EV-", "EW-", 1);
    let without = |name: &str| -> String {
        let keep = |line: &&str| !line.to_ascii_lowercase().starts_with(name);
        head.split_inclusive("\r\n").filter(keep).collect()
    };
    let serial = header(&request, "wechatpay-serial").unwrap();
    let stranger = head.replace(&serial, "5157F09EFDC096DE15EBE81A47057A7232F1B8E1");
    let doubled = format!("Wechatpay-Nonce: other\r\n{}", head.split_once("\r\n").unwrap().1);
    let probe = head.replace(
        &header(&request, "wechatpay-signature").unwrap(),
        "WECHATPAY/SIGNTEST/bm90IGEgc2lnbmF0dXJl",
    );
    for (head, body, words) in [
        (&head, changed.as_bytes(), "the signature does not hold"),
        (&head, &body[..body.len() - 7], "the signature does not hold"),
        (&head, b"", "the signature does not hold"),
        (&without("wechatpay-signature"), &body, "the header Wechatpay-Signature is missing"),
        (&doubled, &body, "there more than once"),
        (&stranger, &body, "not among the platform keys held"),
        (&probe, &body, "a signature probe"),
    ] {
        let (code, verdict) = verify(&mirror, &[head.as_bytes(), body].concat());
        assert_eq!((code, &verdict["holds"]), (Some(3), &false.into()), "{words}: {verdict}");
        assert!(verdict["reason"].as_str().unwrap().contains(words), "{words}: {verdict}");
        assert_eq!(verdict["probe"], words.contains("probe"), "{verdict}");
    }
}

#[test]
fn the_window_can_be_moved_or_left_out_of_account() {
    let (mirror, request) = notified();
    let file = save(&mirror, "request.http", &request);
    let file = file.to_str().unwrap();
    let late = mirror.run(&["verify", file, "--at", "2099-01-01", "--output", "json"]);
    assert_eq!(late.code, Some(3), "{late:?}");
    let verdict = late.json();
    assert!(verdict["reason"].as_str().unwrap().contains("limit is 300 s"), "{verdict}");
    assert!(verdict["note"].as_str().unwrap().contains("apart from the time it holds"), "{verdict}");
    assert_eq!(verdict["within_window"], false);
    let seconds: i64 = header(&request, "wechatpay-timestamp").unwrap().parse().unwrap();
    let then = chrono::DateTime::from_timestamp(seconds + 299, 0).unwrap().to_rfc3339();
    let then = ok(mirror.run(&["verify", file, "--at", &then, "--output", "json"])).json();
    assert_eq!((&then["seconds_ahead"], &then["within_window"]), (&(-299).into(), &true.into()), "{then}");
    let both = mirror.run(&["verify", file, "--at", "2099-01-01", "--ignore-window"]);
    assert_eq!(both.code, Some(2), "{both:?}");
}

#[test]
fn keys_given_as_files_need_neither_profile_nor_network() {
    let (mirror, request) = notified();
    let (certificate, list) = certificates(&mirror);
    let file = save(&mirror, "request.http", &request);
    let at = |arguments: &[&Path]| {
        let mut command = favor(mirror.folder.path());
        run(command.args(["verify", "--ignore-window"]).args(arguments))
    };
    ok(at(&[&file, Path::new("--key"), &certificate]));
    // An answer of the platform is judged as a notification is.
    ok(at(&[&list, Path::new("--key"), &certificate]));

    mirror.control("POST", "keys/public-key", r#"{"phase":"on"}"#);
    let public_key = mirror.folder.path().join(mirror.field("public_key_file"));
    let with_public_key = || {
        let mut command = mirror.favor();
        command.env("FAVOR_PUBLIC_KEY_ID", mirror.field("public_key_id"));
        command.env("FAVOR_PUBLIC_KEY_FILE", &public_key);
        command
    };
    let by_public_key = save(&mirror, "public.http", &another(with_public_key));
    let taken = ok(at(&[&by_public_key, Path::new("--key"), &public_key]));
    assert!(taken.stdout.contains("the WeChat Pay public key"), "{taken:?}");
    assert!(taken.stderr.contains("is taken for PUB_KEY_ID_"), "{taken:?}");
    ok(at(&[&by_public_key, Path::new("--key"), &certificate, Path::new("--key"), &public_key]));
    let named = run(favor(mirror.folder.path())
        .args(["verify", "--ignore-window"])
        .arg(&by_public_key)
        .env("FAVOR_PUBLIC_KEY_ID", mirror.field("public_key_id"))
        .env("FAVOR_PUBLIC_KEY_FILE", &public_key));
    ok(named);

    for (arguments, code, words) in [
        (vec![file.as_path()], 2, "there is no platform key to verify with: give one with --key FILE"),
        (vec![&file, Path::new("--key"), &public_key], 2, "give that certificate"),
        (vec![&by_public_key, Path::new("--key"), &certificate], 3, "not among the platform keys held"),
        (vec![&file, Path::new("--key"), Path::new("none.pem")], 2, "cannot read none.pem"),
        (vec![&file, Path::new("--key"), &file], 2, "request.http"),
        (vec![&file, Path::new("--key"), Path::new(mirror.field("certificate_file"))], 2, "merchant"),
    ] {
        let ran = at(&arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn garbage_is_named_and_never_believed() {
    let (mirror, request) = notified();
    let (_, body) = split(&request);
    for (bytes, code, words) in [
        (&body[..], 2, "a body without its headers"),
        (b"nonsense", 2, "line 1: no header"),
        (b"\xff\xfe\x00", 2, "line 1"),
        (br#"{"headers":{},"body":{}}"#, 2, "has to be a text"),
        (b"", 3, "the header Wechatpay-Timestamp is missing"),
    ] {
        let file = save(&mirror, "garbage", bytes);
        let ran = mirror.run(&["verify", file.to_str().unwrap()]);
        assert_eq!(ran.code, Some(code), "{words}: {ran:?}");
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    let none = mirror.run(&["verify", "none.http"]);
    assert!(none.code == Some(2) && none.stderr.contains("cannot read none.http"), "{none:?}");
}

#[test]
fn sealed_texts_are_opened_in_every_form() {
    let (mirror, request) = notified();
    let (_, body) = split(&request);
    let (_, list) = certificates(&mirror);
    let notification: Value = serde_json::from_slice(&body).unwrap();
    let resource = notification["resource"].to_string();
    for (name, bytes) in [
        ("request.http", &request[..]),
        ("notification.json", &body),
        ("resource.json", resource.as_bytes()),
        (
            "saved.json",
            json!({ "headers": {}, "body": String::from_utf8(body.clone()).unwrap() }).to_string().as_bytes(),
        ),
    ] {
        let file = save(&mirror, name, bytes);
        let plain = ok(mirror.run(&["decrypt", file.to_str().unwrap()]));
        let coupon: Value = serde_json::from_str(&plain.stdout).unwrap();
        assert!(coupon["consume_information"]["transaction_id"].is_string(), "{plain:?}");
        let opened = ok(mirror.run(&["decrypt", file.to_str().unwrap(), "--output", "json"])).json();
        assert_eq!(opened["content"], coupon, "{name}");
        assert_eq!(opened["original_type"], "coupon", "{name}");
    }
    let pem = ok(mirror.run(&["decrypt", list.to_str().unwrap()])).stdout;
    assert!(Certificate::from_pem(&pem).is_ok(), "{pem}");
    let opened = ok(mirror.run(&["decrypt", list.to_str().unwrap(), "--output", "json"])).json();
    let serial = Certificate::from_pem(opened["content"].as_str().unwrap()).unwrap().serial().to_string();
    assert_eq!(opened["serial_no"], serial);
    // The key can come from a file, and nothing else is needed.
    let key = save(&mirror, "api_v3_key.txt", format!("{}\n", mirror.field("api_v3_key")).as_bytes());
    let mut alone = favor(mirror.folder.path());
    alone.args(["decrypt", "resource.json"]).env("FAVOR_API_V3_KEY_FILE", &key);
    ok(run(&mut alone));
}

#[test]
fn what_cannot_be_opened_is_said_without_the_key() {
    let (mirror, request) = notified();
    let (_, body) = split(&request);
    let mut damaged: Value = serde_json::from_slice(&body).unwrap();
    let text = damaged["resource"]["ciphertext"].as_str().unwrap().to_owned();
    let cut = text[..text.len() - 4].to_owned();
    damaged["resource"]["ciphertext"] = cut.into();
    let wrong_key =
        |command: &mut Command| run(command.env("FAVOR_API_V3_KEY", "sesamesesamesesamesesamesesamese"));
    for (bytes, code, words) in [
        (damaged.to_string().into_bytes(), 3, "the APIv3 key does not open it"),
        (body[..body.len() - 9].to_vec(), 2, "not the whole of it"),
        (b"{\"id\":\"EV-1\"}".to_vec(), 2, "nothing sealed is in it"),
        (br#"{"ciphertext":"a"}"#.to_vec(), 2, "the sealed text is not whole"),
        (
            br#"{"algorithm":"AEAD_SM4_GCM","nonce":"abcdefghijkl","ciphertext":"a"}"#.to_vec(),
            3,
            "AEAD_SM4_GCM",
        ),
        (
            br#"{"algorithm":"AEAD_AES_256_GCM","nonce":"abc","ciphertext":"a"}"#.to_vec(),
            3,
            "the nonce has 3 bytes",
        ),
    ] {
        let file = save(&mirror, "sealed", &bytes);
        let ran = mirror.run(&["decrypt", file.to_str().unwrap()]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{words}: {ran:?}");
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    let file = save(&mirror, "sealed", &body);
    let wrong = wrong_key(mirror.favor().arg("decrypt").arg(&file));
    assert_eq!(wrong.code, Some(3), "{wrong:?}");
    assert!(wrong.stderr.contains("the APIv3 key does not open it"), "{wrong:?}");
    assert!(!wrong.stderr.contains("sesame"), "{wrong:?}");
    let none = run(favor(mirror.folder.path()).arg("decrypt").arg(&file));
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.stderr.contains("FAVOR_API_V3_KEY"), "{none:?}");
}

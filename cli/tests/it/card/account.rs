//! Settings, the kept token, exit codes.

use serde_json::json;

use super::desk::{APPID, CARD, CODE, Desk, OPENID, SECRET, TOKEN, refusal};
use crate::run::{favor, run};

const GET: &str = "/card/code/get";

fn code_answer() -> String {
    json!({
        "errcode": 0, "errmsg": "ok", "card": {"card_id": CARD, "begin_time": 1_767_196_800, "end_time": 1_798_732_799},
        "openid": OPENID, "can_consume": true, "user_card_status": "NORMAL",
    })
    .to_string()
}

#[test]
fn one_token_serves_many_commands_and_its_file_is_private() {
    let desk = Desk::start();
    desk.answer(GET, &code_answer());
    for _ in 0..3 {
        desk.json(&["code", "get", CODE]);
    }
    assert_eq!(desk.seen("/cgi-bin/stable_token").len(), 1, "a token is fetched once");
    assert!(desk.seen(GET).iter().all(|seen| seen.query == format!("access_token={TOKEN}")));
    let file = desk.path().join("favor-tokens.sqlite");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o077,
            0,
            "others may not read it"
        );
    }
    assert!(file.exists());
}

#[test]
fn commands_at_the_same_time_share_the_token_and_wait_for_each_other() {
    let desk = Desk::start();
    desk.answer(GET, &code_answer());
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = desk.favor();
            command.args(["code", "get", CODE]);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(desk.seen("/cgi-bin/stable_token").len(), 1);
}

#[test]
fn a_token_of_one_host_is_never_sent_to_another() {
    let (one, other) = (Desk::start(), Desk::start());
    let second = "69_TOKENofTheOther";
    other.answer("/cgi-bin/stable_token", &json!({"access_token": second, "expires_in": 7200}).to_string());
    one.answer(GET, &code_answer());
    other.answer(GET, &code_answer());
    one.json(&["code", "get", CODE]);
    one.json(&["code", "get", CODE, "--base-url", &other.url()]);
    one.json(&["code", "get", CODE]);
    assert_eq!(other.seen(GET)[0].query, format!("access_token={second}"));
    assert!(one.seen(GET).iter().all(|seen| seen.query == format!("access_token={TOKEN}")));
    assert_eq!(one.seen("/cgi-bin/stable_token").len(), 1);
}

#[test]
fn a_stale_token_is_replaced_once() {
    let desk = Desk::start();
    let answer = code_answer();
    desk.direct(GET, move |seen| match seen.query.contains("NEW") {
        true => (200, answer.clone().into_bytes()),
        false => refusal(40001, seen),
    });
    let number = std::sync::atomic::AtomicU32::new(0);
    desk.direct("/cgi-bin/stable_token", move |_| {
        let first = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        let token = if first { TOKEN } else { "NEW" };
        (200, json!({"access_token": token, "expires_in": 7200}).to_string().into_bytes())
    });
    desk.json(&["code", "get", CODE]);
    desk.json(&["code", "get", CODE]);
    assert_eq!((desk.seen("/cgi-bin/stable_token").len(), desk.seen(GET).len()), (2, 3));
}

#[test]
fn settings_come_from_a_profile_and_secrets_from_files_only() {
    let desk = Desk::start();
    desk.answer(GET, &code_answer());
    desk.file("secret.txt", &format!("{SECRET}\n"));
    desk.file(
        "favor.toml",
        &format!(
            "[profile.default]\nbase_url = {:?}\nappid = {APPID:?}\napp_secret_file = \"secret.txt\"\n\
             tokens = \"kept/../t.sqlite\"\n[profile.bad]\napp_secret = {SECRET:?}\n",
            desk.url()
        ),
    );
    std::fs::create_dir(desk.path().join("kept")).unwrap();
    let bad = run(favor(desk.path()).args(["card", "code", "get", CODE]));
    assert_eq!(bad.code, Some(2), "{bad:?}");
    assert!(bad.stderr.contains("never from favor.toml") && !bad.stderr.contains(SECRET), "{bad:?}");
    let good = std::fs::read_to_string(desk.path().join("favor.toml")).unwrap();
    desk.file("favor.toml", good.split("[profile.bad]").next().unwrap());
    let ran = run(favor(desk.path()).args(["card", "code", "get", CODE, "--output", "json"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(desk.path().join("t.sqlite").exists(), "the place is the profile's");
    let sent = desk.body("/cgi-bin/stable_token");
    assert_eq!((&sent["appid"], &sent["secret"]), (&APPID.into(), &SECRET.into()));
}

#[test]
fn what_is_missing_is_named_with_both_places_to_put_it() {
    let folder = tempfile::tempdir().unwrap();
    let get = ["card", "get", CARD];
    let mut command = favor(folder.path());
    let ran = run(command.args(get));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("put appid into a profile") && ran.stderr.contains("FAVOR_APPID"), "{ran:?}");
    let ran = run(command.env("FAVOR_APPID", APPID));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr.contains("app_secret_file") && ran.stderr.contains("FAVOR_APP_SECRET_FILE"),
        "{ran:?}"
    );
    let ran = run(command.env("FAVOR_APP_SECRET", "two words"));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("visible ASCII") && !ran.stderr.contains("two words"), "{ran:?}");
    let ran = run(command.env("FAVOR_APP_SECRET", SECRET).arg("--tokens").arg("no/such/folder/t.sqlite"));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let ran = run(favor(folder.path()).args(["card", "get", CARD, "--tokens", "postgres://a:sesame@h/d"]));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(!ran.stderr.contains("sesame"), "{ran:?}");
}

#[test]
fn exit_codes_tell_refused_from_unknown_from_not_sent() {
    let desk = Desk::start();
    let consume = "/card/code/consume";
    desk.direct(consume, |seen| refusal(40099, seen));
    let ran = desk.run(&["code", "consume", CODE]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("40099") && ran.stderr.contains("already redeemed"), "{ran:?}");
    assert!(ran.stderr.contains("****"), "the platform's own words are masked: {ran:?}");
    for (status, body) in [(0, ""), (502, "x"), (200, ""), (200, r#"{"errcode":-1,"errmsg":"busy"}"#)] {
        desk.direct(consume, move |_| (status, body.as_bytes().to_vec()));
        let ran = desk.run(&["code", "consume", CODE]);
        assert_eq!(ran.code, Some(4), "{status} {body}: {ran:?}");
        assert!(ran.stderr.contains("hint: "), "{ran:?}");
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = desk.run(&["code", "consume", CODE, "--base-url", &format!("http://{closed}")]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    desk.direct("/cgi-bin/stable_token", |seen| refusal(40125, seen));
    let ran = desk.run(&["code", "consume", CODE, "--tokens", "other.sqlite"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("app secret"), "{ran:?}");
    let ran = desk.run(&["code", "consume", "123456789012345678901"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("20 bytes"), "{ran:?}");
}

#[test]
fn production_is_asked_first_and_nothing_private_is_in_the_question() {
    let desk = Desk::start();
    desk.file("codes.txt", &format!("{CODE}\n"));
    desk.file("card.toml", super::life::CARD_TOML);
    desk.file("changes.json", r#"{"cash":{"base_info":{"title":"New"}}}"#);
    desk.file("t.toml", &format!("openid = ['{OPENID}']\n"));
    std::fs::write(desk.path().join("logo.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    desk.file("empty.toml", "");
    desk.file("gift.toml", "page_id = 'P'\n");
    for arguments in [
        &["create", "card.toml"][..],
        &["update", CARD, "changes.json"],
        &["delete", CARD],
        &["stock", CARD, "--increase", "5"],
        &["code", "consume", CODE],
        &["code", "deposit", CARD, "codes.txt"],
        &["code", "update", CARD, CODE, "NEW"],
        &["code", "disable", CODE],
        &["code", "mark", CARD, CODE, OPENID],
        &["member", "form", CARD, "empty.toml"],
        &["whitelist", "t.toml"],
        &["media", "upload", "logo.png"],
        &["pay-gift", "delete", "7"],
        &["gift", "page", "update", "gift.toml"],
        &["gift", "page", "maintain", "--all"],
        &["gift", "order", "refund", "ORDER"],
        &["qrcode", CARD],
        &["member", "activate", CODE],
        &["member", "update", CARD, CODE, "--add-bonus", "5"],
    ] {
        // Pay's own host stands for the platform; nothing is sent.
        for host in ["https://api.mch.weixin.qq.com", "https://api.weixin.qq.com"] {
            let ran = desk.run(&[arguments, &["--base-url", host]].concat());
            assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
            let asked = format!("on https://api.weixin.qq.com as account {APPID} needs --yes");
            assert!(ran.stderr.contains(&asked), "{arguments:?}: {ran:?}");
        }
    }
}

#[test]
fn no_spelling_of_a_production_host_passes_by_the_question() {
    let desk = Desk::start();
    desk.file("codes.txt", &format!("{CODE}\n"));
    let deposit = ["code", "deposit", CARD, "codes.txt"];
    let asked = format!("on https://api.weixin.qq.com as account {APPID} needs --yes");
    // Should a question be missing, a proxy that nobody serves keeps the call on this machine.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for host in [
        "HTTPS://api.weixin.qq.com",
        "hTTps://API.weixin.QQ.com:443/",
        " https://api.weixin.qq.com",
        "https://api.weixin.qq.com/\t",
        " HTTPS://API.mch.weixin.qq.com",
    ] {
        let mut by_flag = desk.favor();
        by_flag.args(deposit).args(["--base-url", host]);
        let mut by_variable = desk.favor();
        by_variable.args(deposit).env("FAVOR_BASE_URL", host);
        for mut command in [by_flag, by_variable] {
            let ran = run(command.env("FAVOR_PROXY", format!("http://{closed}")));
            assert_eq!(ran.code, Some(2), "{host:?}: {ran:?}");
            assert!(ran.stderr.contains(&asked), "{host:?}: {ran:?}");
        }
    }
}

#[test]
fn a_store_of_tokens_that_cannot_be_had_now_is_told_from_one_that_is_wrong() {
    let desk = Desk::start();
    // A folder without a server.
    let nobody = desk.path().display().to_string().replace('/', "%2F");
    let tokens = format!("postgres://shop@{nobody}/favor");
    let ran =
        run(desk.favor().args(["code", "consume", CODE, "--tokens", &tokens]).env("PGPASSWORD", "sesame"));
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.stderr.contains("hint: nothing was sent; try again"), "{ran:?}");
    assert!(!ran.stderr.contains("sesame") && !ran.stderr.contains(CODE), "{ran:?}");
    desk.file("wrong.sqlite", "this is no database at all, and never was one");
    let ran = desk.run(&["code", "consume", CODE, "--tokens", "wrong.sqlite"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("hint: look after the store of access tokens"), "{ran:?}");
    assert!(desk.seen("/card/code/consume").is_empty() && desk.seen("/cgi-bin/stable_token").is_empty());
}

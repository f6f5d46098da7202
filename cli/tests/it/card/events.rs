//! `favor card listen`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use favor_core::{Clock as _, SystemClock};
use serde_json::Value;
use sha1::{Digest as _, Sha1};

use super::desk::{APPID, CARD, CODE, OPENID};
use crate::lines::Process;
use crate::run::{Ran, favor, run};
use crate::target::{PATIENCE, Target, header, split};

const TOKEN: &str = "merchantToken01";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const NONCE: &str = "1320562132";
/// Vector V9: a card_pass_check event for the test's account under that key.
const SEALED: &str = "Q3stYC6hdFzMh9T8HCvyDHtjeImVXrSOvlstxeNvL5relTfoE0fNhl3Llt4vpT0GVvY0dQfKb+wtQrbr/o3/sqixdcU8ffg5Eig1flRBgT1Uv3nLzw2UuUhCpZ25T0xu4RQ7Qy9zF8slQRdOPVAzZt41L1ZhVJ+vlRTf4B4SXlxE3dUFlSXwXU3IwTwivW84sdpi7N5Wo4cpmojjwsOCsPIZkds6AbBF32+9UO53vMh1bSSdyv6WsCUuc4/p0s9q50DaedombSfdO9pHBvQft/V5kgIxUeWVmvbUY4SYLI/ONA+vZL1mDboTZmFypp4VZx8LvBNkRrR4FPCDu5C/QMA6mQBKHxUZazhKFG9spV3IjPmQaIC9+g3N8EbpbmN9TvT19qYfRJ6r2yBW8csrMZWUM45blu2/Kaxiz3s2Ht2M2BlaNUHmt8LVwiyO9oCBlElJ/uCgsFGBptZgyXevLA==";

/// The signature of a push, made without the library.
fn sign(values: &[&str]) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    Sha1::digest(sorted.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now() -> String {
    SystemClock::new().now().timestamp().to_string()
}

fn query() -> String {
    let now = now();
    format!("signature={}&timestamp={now}&nonce={NONCE}&openid={OPENID}", sign(&[TOKEN, &now, NONCE]))
}

fn sealed_query() -> String {
    let now = now();
    let signature = sign(&[TOKEN, &now, NONCE, SEALED]);
    format!("timestamp={now}&nonce={NONCE}&encrypt_type=aes&msg_signature={signature}")
}

fn sealed() -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><Encrypt><![CDATA[{SEALED}]]></Encrypt></xml>"
    )
}

/// A claim; each number is another event.
fn claim(number: u32) -> String {
    format!(
        "<xml><ToUserName><![CDATA[gh_0123456789ab]]></ToUserName><FromUserName><![CDATA[{OPENID}]]></FromUserName>\
         <CreateTime>{}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[user_get_card]]></Event>\
         <CardId><![CDATA[{CARD}]]></CardId><IsGiveByFriend>0</IsGiveByFriend><UserCardCode><![CDATA[{CODE}]]></UserCardCode>\
         <Future>1</Future><Future>2</Future></xml>",
        1_700_000_000 + number
    )
}

struct Listener {
    process: Process,
    address: String,
    _folder: tempfile::TempDir,
}

impl Listener {
    fn start(is_encrypted: bool, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = favor(folder.path());
        command.env("FAVOR_APPID", APPID).env("FAVOR_PUSH_TOKEN", TOKEN);
        if is_encrypted {
            std::fs::write(folder.path().join("aes.txt"), format!("{KEY}\n")).unwrap();
            command.env("FAVOR_ENCODING_AES_KEY_FILE", "aes.txt");
        }
        command.args(["card", "listen", "--output", "json"]).args(arguments);
        let process = Process::spawn(command);
        let ready = process.wait(1, |line| line["verdict"] == "ready").remove(0);
        assert_eq!((&ready["appid"], &ready["encrypted"]), (&APPID.into(), &is_encrypted.into()));
        Self { process, address: ready["address"].as_str().unwrap().to_owned(), _folder: folder }
    }

    fn verdicts(&self, count: usize, verdict: &str) -> Vec<Value> {
        self.process.wait(count, |line| line["verdict"] == verdict)
    }

    /// Status and body of the answer.
    fn send(&self, method: &str, target: &str, body: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(&self.address).unwrap();
        write!(
            socket,
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn push(&self, query: &str, body: &str) -> (u16, String) {
        self.send("POST", &format!("/?{query}"), body)
    }

    /// Its end by `--once`, with what it said.
    fn ended(self) -> String {
        let (status, _, talk) = self.process.end();
        assert_eq!(status.code(), Some(0), "{talk}");
        for private in [OPENID, CODE, TOKEN, KEY] {
            assert!(!talk.contains(private), "{talk}");
        }
        talk
    }
}

/// Asks again until there is an answer.
fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "it never came");
    }
}

fn success() -> (u16, String) {
    (200, "success".to_owned())
}

#[test]
fn a_plain_event_is_one_line_and_its_repeat_is_told_apart() {
    let listener = Listener::start(false, &["--once", "2"]);
    assert_eq!(listener.push(&query(), &claim(1)), success());
    assert_eq!(listener.push(&query(), &claim(1)), success());
    listener.verdicts(1, "duplicate");
    let line = listener.verdicts(1, "new").remove(0);
    assert_eq!((&line["event"], &line["known"]), (&"user_get_card".into(), &true.into()));
    assert_eq!((&line["openid"], &line["encrypted"]), (&OPENID.into(), &false.into()));
    assert_eq!(line["create_time"], "2023-11-15T06:13:21+08:00");
    assert_eq!((&line["fields"]["UserCardCode"], &line["fields"]["CardId"]), (&CODE.into(), &CARD.into()));
    assert_eq!(line["fields"]["Future"], serde_json::json!(["1", "2"]));
    let unknown = claim(2).replace("user_get_card", "user_flies_away");
    assert_eq!(listener.push(&query(), &unknown), success());
    assert_eq!(listener.verdicts(2, "new")[1]["known"], false);
    assert!(listener.ended().contains("2 new, 0 not taken"));
}

#[test]
fn an_encrypted_event_is_opened_and_a_plain_one_refused() {
    let listener = Listener::start(true, &["--once", "1"]);
    let (status, body) = listener.push(&query(), &claim(1));
    assert_eq!((status, body.as_str()), (403, ""), "a plain one may be forged");
    let wrong = sealed_query().replace("msg_signature=", "msg_signature=0");
    assert_eq!(listener.push(&wrong, &sealed()).0, 403);
    let rejected = listener.verdicts(2, "rejected");
    assert!(rejected[0]["reason"].as_str().unwrap().contains("only encrypted ones"), "{rejected:?}");
    assert_eq!(rejected[1]["status"], 403);
    assert_eq!(listener.push(&sealed_query(), &sealed()), success());
    let line = listener.verdicts(1, "new").remove(0);
    assert_eq!((&line["event"], &line["encrypted"]), (&"card_pass_check".into(), &true.into()));
    assert!(listener.ended().contains("1 new, 2 not taken"));
}

#[test]
fn the_address_is_checked_and_other_requests_are_refused() {
    let listener = Listener::start(false, &["--path", "/wechat", "--once", "1"]);
    let check = format!("/wechat?{}&echostr=4375120948", query());
    assert_eq!(listener.send("GET", &check, ""), (200, "4375120948".to_owned()));
    listener.verdicts(1, "checked");
    assert_eq!(listener.send("GET", &check.replace("nonce=", "nonce=9"), "").0, 403);
    assert_eq!(listener.send("PUT", &format!("/wechat?{}", query()), "").0, 405);
    assert_eq!(listener.push(&query(), &claim(1)).0, 404, "another path");
    let bomb = "<!DOCTYPE xml [<!ENTITY a \"ha\">]><xml><A>&a;</A></xml>";
    let post = |body: &str| listener.send("POST", &format!("/wechat?{}", query()), body);
    assert_eq!(post(bomb).0, 400);
    until(|| (post(&"x".repeat((1 << 20) + 1)).0 == 413).then_some(()));
    listener.verdicts(4, "rejected");
    assert_eq!(post(&claim(1)), success());
    listener.ended();
}

#[test]
fn an_event_is_accepted_only_when_the_address_took_it() {
    let target = Target::start();
    let listener = Listener::start(false, &["--forward", &target.url(), "--once", "1"]);
    target.answer(500);
    let mut pushes = 0;
    let put_back = |pushes: &mut usize| {
        assert_eq!(listener.push(&query(), &claim(1)).0, 503, "the platform sends it again");
        *pushes += 1;
        listener.verdicts(*pushes, "put_back").remove(*pushes - 1)
    };
    // A slow machine may not answer in time, which is told as such.
    let line = until(|| Some(put_back(&mut pushes)).filter(|line| line["status"] == 500));
    assert_eq!(line["reason"], "the address answered 500");
    target.hang_up();
    assert_eq!(put_back(&mut pushes)["status"], Value::Null);
    target.answer(204);
    until(|| (listener.push(&query(), &claim(1)) == success()).then_some(()));
    let line = listener.verdicts(1, "new").remove(0);
    assert_eq!(line["status"], 204);
    listener.ended();
    let requests = target.requests();
    let last = requests.last().unwrap();
    let sent: Value = serde_json::from_slice(&split(last).1).unwrap();
    for field in ["key", "event", "create_time", "openid", "fields"] {
        assert_eq!(sent[field], line[field], "{field}");
    }
    assert_eq!(header(last, "favor-event-key").unwrap(), line["key"].as_str().unwrap());
}

#[test]
fn a_signed_forward_is_the_platforms_own_request() {
    let target = Target::start();
    let forward = ["--forward", &target.url(), "--forward-as", "signed", "--once", "1"];
    let listener = Listener::start(true, &forward);
    let query = sealed_query();
    until(|| (listener.push(&query, &sealed()) == success()).then_some(()));
    listener.ended();
    let (head, body) = split(target.requests().last().unwrap());
    assert!(head.starts_with(&format!("POST /coupons?{query} ")), "{head}");
    assert_eq!(String::from_utf8(body).unwrap(), sealed());
}

#[test]
fn what_is_wrong_with_the_settings_is_said_without_their_values() {
    let folder = tempfile::tempdir().unwrap();
    for (variables, words) in [
        (&[("FAVOR_APPID", APPID)][..], "push_token_file"),
        (&[("FAVOR_APPID", APPID), ("FAVOR_PUSH_TOKEN", "no!")], "3 to 32 letters"),
        (&[("FAVOR_APPID", APPID), ("FAVOR_PUSH_TOKEN", TOKEN), ("FAVOR_ENCODING_AES_KEY", "short!")], "43"),
    ] {
        let mut command = favor(folder.path());
        command.args(["card", "listen", "--once", "1"]).envs(variables.iter().copied());
        let ran: Ran = run(&mut command);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
        assert!(!ran.stderr.contains("no!") && !ran.stderr.contains("short!"), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn people_get_a_line_without_what_is_private() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let mut command = favor(folder.path());
    command.env("FAVOR_APPID", APPID).env("FAVOR_PUSH_TOKEN", TOKEN).args(["card", "listen", "--once", "1"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    talk.read_line(&mut line).unwrap();
    let address = line.strip_prefix("listening on http://").unwrap().split('/').next().unwrap().to_owned();
    let request = format!("http://{address}/?{}", query());
    assert_eq!(crate::listener::request(&request, "POST", "", claim(1).as_bytes()), 200);
    let mut said = String::new();
    talk.read_to_string(&mut said).unwrap();
    let mut shown = String::new();
    child.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(shown, format!("2023-11-15 06:13:21  user_get_card  {CARD}\n"));
    assert!(said.contains("stopped; 1 new") && !said.contains(OPENID) && !said.contains(CODE), "{said}");
}

#[cfg(unix)]
#[test]
fn a_polite_kill_ends_it_in_order() {
    let listener = Listener::start(false, &[]);
    assert_eq!(listener.push(&query(), &claim(1)), success());
    listener.verdicts(1, "new");
    let (status, _, talk) = listener.process.stop();
    assert!(status.code() == Some(0) && talk.contains("stopped; 1 new"), "{talk}");
}

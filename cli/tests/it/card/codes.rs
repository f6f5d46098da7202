//! Codes, and what users hold.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::desk::{CARD, CODE, Desk, OPENID, TOKEN, refusal};

#[test]
fn a_code_is_looked_up_and_redeemed() {
    let desk = Desk::start();
    let state = json!({
        "errcode": 0, "card": {"card_id": CARD, "begin_time": 1_767_196_800, "end_time": "1798732799"},
        "openid": OPENID, "can_consume": true, "user_card_status": "NORMAL", "outer_str": "table-7",
    });
    desk.answer("/card/code/get", &state.to_string());
    let shown = desk.json(&["code", "get", CODE, "--card", CARD]);
    assert_eq!((&shown["openid"], &shown["can_consume"]), (&OPENID.into(), &true.into()));
    assert_eq!(desk.body("/card/code/get"), json!({"code": CODE, "check_consume": false, "card_id": CARD}));
    let fed = desk.fed(&["code", "get", "-"], &format!("{CODE}\n"));
    assert_eq!(fed.code, Some(0), "{fed:?}");
    for words in ["usable (NORMAL)", "yes", "2026-01-01 00:00:00 to 2026-12-31 23:59:59", "table-7"] {
        assert!(fed.stdout.contains(words), "{words}: {fed:?}");
    }
    assert_eq!(desk.seen("/card/code/get")[1].json()["code"], CODE);

    let consumed = json!({"errcode": 0, "card": {"card_id": CARD}, "openid": OPENID});
    desk.answer("/card/code/consume", &consumed.to_string());
    assert!(desk.table(&["code", "consume", CODE]).contains(&format!("one of {CARD}")));
    assert_eq!(desk.body("/card/code/consume"), json!({"code": CODE}));
}

#[test]
fn what_is_no_code_or_openid_is_not_shown() {
    let desk = Desk::start();
    for arguments in [
        &["code", "get", "oops 880012345678"][..],
        &["code", "consume", "880012345678 oops"],
        &["user-cards", "oops/../oTESTopenid00000000000000001 x"],
        &["member", "info", CARD, "oops 880012345678"],
        &["qrcode", CARD, "--openid", "oops oTESTopenid00000000000000001"],
        &["sign", "card-ext", CARD, "--code", "oops 880012345678"],
    ] {
        let ran = desk.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains("must be") && !ran.stderr.contains("oops"), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn an_encrypted_code_is_decrypted() {
    let desk = Desk::start();
    desk.answer("/card/code/decrypt", &json!({"errcode": 0, "code": CODE}).to_string());
    assert_eq!(desk.table(&["code", "decrypt", "XXIzTtMqCxwOaawoE91+VJdsFmv7b8g0="]), format!("{CODE}\n"));
    assert_eq!(desk.body("/card/code/decrypt")["encrypt_code"], "XXIzTtMqCxwOaawoE91+VJdsFmv7b8g0=");
    let ran = desk.run(&["code", "decrypt", "XXIz%2BT"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("url-decoded"), "{ran:?}");
}

#[test]
fn codes_of_a_file_are_deposited_and_checked_by_hundreds() {
    let desk = Desk::start();
    let all: Vec<String> = (0..250).map(|at| format!("88{at:010}")).collect();
    desk.file("codes.txt", &format!("\u{feff}{}\r\n\r\n", all.join("\r\n")));
    let deposit = "/card/code/deposit";
    desk.direct(deposit, |seen| {
        let codes = seen.json()["code"].as_array().unwrap().clone();
        let (fail, rest) = codes.split_first().unwrap();
        let (known, taken) = rest.split_first().unwrap();
        let answer = json!({"errcode": 0, "succ_code": taken, "duplicate_code": 1, "fail_code": [fail]});
        assert!(known.is_string());
        (200, answer.to_string().into_bytes())
    });
    let ran = desk.run(&["code", "deposit", CARD, "codes.txt", "--output", "json"]);
    assert_eq!(ran.code, Some(1), "some were refused: {ran:?}");
    let sum = ran.json();
    assert_eq!((&sum["taken"], &sum["known"], &sum["refused"]), (&244.into(), &3.into(), &3.into()));
    assert_eq!(sum["refused_codes"], json!([all[0], all[100], all[200]]));
    assert_eq!(sum["left"], 0);
    let sent: Vec<usize> =
        desk.seen(deposit).iter().map(|seen| seen.json()["code"].as_array().unwrap().len()).collect();
    assert_eq!(sent, [100, 100, 50]);

    desk.direct("/card/code/checkcode", |seen| {
        let codes = seen.json()["code"].clone();
        (200, json!({"errcode": 0, "exist_code": codes, "not_exist_code": []}).to_string().into_bytes())
    });
    let checked = desk.json(&["code", "check", CARD, "codes.txt"]);
    assert_eq!((checked["deposited"].as_array().unwrap().len(), &checked["missing"]), (250, &json!([])));
    desk.answer("/card/code/checkcode", r#"{"errcode":0,"exist_code":[],"not_exist_code":["880000000001"]}"#);
    desk.file("one.txt", "880000000001");
    let ran = desk.run(&["code", "check", CARD, "one.txt"]);
    assert!(ran.code == Some(1) && ran.stdout.contains("missing: 880000000001"), "{ran:?}");
    desk.answer("/card/code/getdepositcount", r#"{"errcode":0,"count":250}"#);
    assert!(desk.table(&["code", "count", CARD]).contains("250 codes are deposited"));
}

#[test]
fn a_deposit_that_breaks_off_says_how_far_it_came() {
    let desk = Desk::start();
    let all: Vec<String> = (0..150).map(|at| format!("88{at:010}")).collect();
    desk.file("codes.txt", &all.join("\n"));
    // Hung up on, busy, refused: with what a run ends when some are deposited.
    for (number, code) in [(0, 4), (-1, 4), (40073, 1)] {
        desk.direct("/card/code/deposit", move |seen| {
            let codes = seen.json()["code"].clone();
            match (codes.as_array().unwrap().as_slice(), number) {
                ([refused, taken @ ..], _) if taken.len() == 99 => {
                    let answer = json!({"errcode": 0, "succ_code": taken, "fail_code": [refused]});
                    (200, answer.to_string().into_bytes())
                }
                (_, 0) => (0, Vec::new()),
                _ => refusal(number, seen),
            }
        });
        for quiet in [&[][..], &["--quiet"]] {
            let ran = desk.run(&[&["code", "deposit", CARD, "codes.txt"], quiet].concat());
            assert_eq!(ran.code, Some(code), "{number}: {ran:?}");
            let words = "broken off: 99 of 150 codes are deposited, 1 refused, 50 left";
            assert!(ran.stderr.contains(words), "{ran:?}");
            assert!(ran.stderr.contains("the same command goes on"), "{ran:?}");
            assert!(!ran.stderr.contains("nothing was sent"), "{ran:?}");
            assert!(!ran.stderr.contains("8800000001"), "codes are not for stderr: {ran:?}");
            let facts: Vec<Vec<&str>> =
                ran.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
            assert!(facts.contains(&vec!["taken", "99"]) && facts.contains(&vec!["left", "50"]), "{ran:?}");
            let ran =
                desk.run(&[&["code", "deposit", CARD, "codes.txt", "--output", "json"], quiet].concat());
            assert_eq!(
                ran.json(),
                json!({"card_id": CARD, "taken": 99, "known": 0, "refused": 1, "refused_codes": [all[0]], "left": 50})
            );
        }
    }
    // With none deposited there is nothing to tell but why.
    desk.direct("/card/code/deposit", |seen| refusal(40073, seen));
    let ran = desk.run(&["code", "deposit", CARD, "codes.txt", "--output", "json"]);
    assert!(ran.code == Some(1) && ran.stdout.is_empty(), "{ran:?}");
}

#[test]
fn a_deposit_that_cannot_go_on_does_not_say_that_nothing_was_sent() {
    let desk = Desk::start();
    let all: Vec<String> = (0..150).map(|at| format!("88{at:010}")).collect();
    desk.file("codes.txt", &all.join("\n"));
    // The token is found stale by the second call, and none is given out any more: that call is surely not made.
    desk.direct("/card/code/deposit", |seen| {
        let codes = seen.json()["code"].clone();
        match codes.as_array().unwrap().len() {
            100 => (200, json!({"errcode": 0, "succ_code": codes}).to_string().into_bytes()),
            _ => refusal(40001, seen),
        }
    });
    let given = AtomicU32::new(0);
    desk.direct("/cgi-bin/stable_token", move |_| match given.fetch_add(1, Ordering::SeqCst) {
        0 => (200, json!({"access_token": TOKEN, "expires_in": 7200}).to_string().into_bytes()),
        _ => (502, Vec::new()),
    });
    let ran = desk.run(&["code", "deposit", CARD, "codes.txt", "--quiet"]);
    assert!(ran.stderr.contains("100 of 150 codes are deposited"), "{ran:?}");
    assert!(!ran.stderr.contains("nothing was sent"), "{ran:?}");
    assert_eq!(ran.code, Some(4), "{ran:?}");
    // The same where it is the first call.
    let ran = desk.run(&["code", "deposit", CARD, "codes.txt", "--tokens", "other.sqlite"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(5), ""), "{ran:?}");
    assert!(ran.stderr.contains("nothing was sent"), "{ran:?}");
}

#[test]
fn codes_that_cannot_be_sent_are_found_before_any_is() {
    let desk = Desk::start();
    let mut all: Vec<String> = (0..150).map(|at| format!("88{at:010}")).collect();
    desk.answer("/card/code/deposit", r#"{"errcode":0,"succ_code":[]}"#);
    desk.answer("/card/code/checkcode", r#"{"errcode":0,"exist_code":[],"not_exist_code":[]}"#);
    let good = all[140].clone();
    for (bad, words) in [
        ("880000000000000000001", "codes.txt, line 143: a code has at most 20 bytes of UTF-8, this one 21"),
        ("茶茶茶茶茶茶茶", "codes.txt, line 143: a code has at most 20 bytes of UTF-8, this one 21"),
        ("880000000139", "codes.txt, line 143: the code of line 140 again"),
        (&all[3].clone(), "codes.txt, line 143: the code of line 4 again"),
        ("88 00", "codes.txt, line 143"),
    ] {
        all[140] = bad.to_owned();
        // A blank line does not count as a code, and does as a line.
        desk.file("codes.txt", &format!("{}\n\n\n{}\n", all[..140].join("\n"), all[140..].join("\n")));
        for command in ["deposit", "check"] {
            let ran = desk.run(&["code", command, CARD, "codes.txt"]);
            assert_eq!(ran.code, Some(2), "{ran:?}");
            assert!(ran.stderr.contains(words), "{words}: {ran:?}");
            assert!(!ran.stderr.contains(bad), "codes are not for stderr: {ran:?}");
        }
    }
    assert!(desk.seen("/card/code/deposit").is_empty() && desk.seen("/card/code/checkcode").is_empty());
    all[140] = good;
    all[141] = "88000000000000000001".to_owned();
    desk.file("codes.txt", &all.join("\n"));
    desk.table(&["code", "deposit", CARD, "codes.txt"]);
    assert_eq!(desk.seen("/card/code/deposit").len(), 2, "20 bytes are good");
}

#[test]
fn a_file_without_good_codes_is_refused() {
    let desk = Desk::start();
    desk.file("bad.txt", "880000000001\n88 00\n");
    let ran = desk.run(&["code", "deposit", CARD, "bad.txt"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("bad.txt, line 2"), "{ran:?}");
    assert!(!ran.stderr.contains("88 00"), "{ran:?}");
    desk.file("none.txt", "\n\n");
    let ran = desk.run(&["code", "deposit", CARD, "none.txt"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("has no codes"), "{ran:?}");
}

#[test]
fn what_a_user_holds_is_listed() {
    let desk = Desk::start();
    let held = json!({"errcode": 0, "card_list": [{"code": CODE, "card_id": CARD}], "has_share_card": false});
    desk.answer("/card/user/getcardlist", &held.to_string());
    let table = desk.table(&["user-cards", OPENID]);
    assert!(table.contains(CODE) && table.contains(CARD), "{table}");
    let fed = desk.fed(&["user-cards", "-", "--card", CARD, "--output", "json"], OPENID);
    assert_eq!((fed.code, &fed.json()["card_list"][0]["code"]), (Some(0), &CODE.into()), "{fed:?}");
    let sent = desk.seen("/card/user/getcardlist");
    assert_eq!(sent[1].json(), json!({"openid": OPENID, "card_id": CARD}));
    desk.direct("/card/user/getcardlist", |seen| refusal(40003, seen));
    let ran = desk.run(&["user-cards", OPENID]);
    assert!(ran.code == Some(1) && ran.stderr.contains("40003"), "{ran:?}");
}

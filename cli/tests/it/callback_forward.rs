//! What is handed to an address: by `listen --forward` and by `replay`.

use serde_json::Value;

use crate::listener::{Listener, inbox};
use crate::run::{MirrorProcess, Ran};
use crate::target::{Target, header, split};

fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn body(request: &[u8]) -> Value {
    serde_json::from_slice(&split(request).1).unwrap()
}

/// A mirror whose notifications, so many, lie in the inbox of its folder.
fn stored(count: &str) -> (MirrorProcess, Vec<Value>) {
    let mirror = MirrorProcess::start(&[]);
    let mut listener = Listener::start(&mirror, &["--once", count]);
    ok(mirror.run(&["callback", "trigger", "--times", count]));
    assert_eq!(listener.end().code(), Some(0));
    let kept = inbox(&mirror, mirror.folder.path());
    (mirror, kept)
}

#[test]
fn a_forward_is_the_opened_json_with_its_id_and_attempt() {
    let mirror = MirrorProcess::start(&[]);
    let target = Target::start();
    let mut listener = Listener::start(&mirror, &["--forward", &target.url(), "--once", "1"]);
    ok(mirror.run(&["callback", "trigger"]));
    assert_eq!(listener.end().code(), Some(0));
    let requests = target.requests();
    assert_eq!(requests.len(), 1, "once it is taken it is never sent again");
    let kept = inbox(&mirror, mirror.folder.path()).remove(0);
    let sent = body(&requests[0]);
    assert_eq!(header(&requests[0], "favor-notification-id").unwrap(), kept["id"].as_str().unwrap());
    assert_eq!(header(&requests[0], "favor-attempt").unwrap(), "1");
    assert_eq!(header(&requests[0], "content-type").unwrap(), "application/json");
    for field in ["id", "event_type", "create_time", "mchid", "resource"] {
        assert_eq!(sent[field], kept[field], "{field}");
    }
    assert!(sent["summary"].is_string(), "{sent}");
    assert_eq!(kept["state"], "handled");
}

#[test]
fn a_signed_forward_is_the_platforms_own_request() {
    let mirror = MirrorProcess::start(&[]);
    let target = Target::start();
    let forward = ["--forward", &target.url(), "--forward-as", "signed", "--once", "1"];
    let mut listener = Listener::start(&mirror, &forward);
    ok(mirror.run(&["callback", "trigger"]));
    assert_eq!(listener.end().code(), Some(0));
    let request = target.requests().remove(0);
    std::fs::write(mirror.folder.path().join("forwarded.http"), &request).unwrap();
    let verdict = ok(mirror.run(&["verify", "forwarded.http", "--ignore-window", "--output", "json"])).json();
    assert_eq!((&verdict["holds"], &verdict["note"]), (&true.into(), &Value::Null), "{verdict}");
    ok(mirror.run(&["decrypt", "forwarded.http"]));
}

#[cfg(unix)]
#[test]
fn what_an_address_refuses_for_good_is_parked_until_it_is_unparked() {
    let mirror = MirrorProcess::start(&[]);
    let target = Target::start();
    target.answer(422);
    let forward = ["--forward", &target.url(), "--park-after", "2"];
    let listener = Listener::start(&mirror, &forward);
    ok(mirror.run(&["callback", "trigger"]));
    let parked = listener.verdicts(1, "parked").remove(0);
    assert_eq!((&parked["attempt"], &parked["status"]), (&2.into(), &422.into()), "{parked}");
    target.answer(410);
    ok(mirror.run(&["callback", "trigger"]));
    let gone = listener.verdicts(2, "parked").remove(1);
    assert_eq!((&gone["attempt"], &gone["status"]), (&1.into(), &410.into()), "{gone}");
    assert_eq!(listener.stop().0.code(), Some(0));

    let list = lines(&ok(mirror.run(&["callback", "list", "--state", "parked", "--output", "json"])));
    assert_eq!(list.len(), 2, "{list:?}");
    assert_eq!(list[0]["reason"], "the address answered 422");
    for arguments in [&["callback", "unpark"][..], &["callback", "unpark", "1", "--all"]] {
        let ran = mirror.run(arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
    }
    let unknown = mirror.run(&["callback", "unpark", "EV-none"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("the inbox has no EV-none"), "{unknown:?}");
    let first = list[0]["id"].as_str().unwrap();
    let one = ok(mirror.run(&["callback", "unpark", first, "--output", "json"])).json();
    assert_eq!(one["unparked"], 1);
    let again = mirror.run(&["callback", "unpark", first]);
    assert!(again.code == Some(1) && again.stderr.contains("not parked"), "{again:?}");
    let rest = ok(mirror.run(&["callback", "unpark", "--all"]));
    assert!(rest.stdout.contains("1 due again"), "{rest:?}");

    target.answer(200);
    let listener = Listener::start(&mirror, &forward);
    listener.verdicts(2, "forwarded");
    assert_eq!(listener.stop().0.code(), Some(0));
    assert!(inbox(&mirror, mirror.folder.path()).iter().all(|one| one["state"] == "handled"));
}

#[test]
fn stored_notifications_are_sent_again_and_nothing_changes() {
    let (mirror, kept) = stored("3");
    let target = Target::start();
    let to = target.url();
    let replay = |arguments: &[&str]| {
        mirror.run(&[&["callback", "replay", "--to", &to, "--output", "json"], arguments].concat())
    };
    let all = lines(&ok(replay(&["--all"])));
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|one| one["taken"] == true && one["status"] == 200), "{all:?}");
    let sent: Vec<Value> = target.requests().iter().map(|one| body(one)).collect();
    for (sent, kept) in sent.iter().zip(&kept) {
        assert_eq!((&sent["id"], &sent["resource"]), (&kept["id"], &kept["resource"]));
    }
    let by_id = kept[1]["id"].as_str().unwrap();
    let two = lines(&ok(replay(&[by_id, "3"])));
    assert_eq!(two.iter().map(|one| one["inbox_id"].as_i64().unwrap()).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(lines(&ok(replay(&["--state", "waiting"]))).len(), 3);
    assert_eq!(lines(&ok(replay(&["--state", "parked"]))).len(), 0);
    assert_eq!(lines(&ok(replay(&["--since", "2000-01-01"]))).len(), 3);
    assert_eq!(lines(&ok(replay(&["--since", "2099-01-01"]))).len(), 0);
    let signed = target.requests().len();
    ok(replay(&["1", "--as", "signed"]));
    std::fs::write(mirror.folder.path().join("replayed.http"), &target.requests()[signed]).unwrap();
    ok(mirror.run(&["verify", "replayed.http", "--ignore-window"]));
    assert_eq!(inbox(&mirror, mirror.folder.path()), kept, "a replay changes nothing");
    let table = ok(mirror.run(&["callback", "replay", "--to", &to, "1"]));
    assert!(table.stdout.contains(kept[0]["id"].as_str().unwrap()), "{table:?}");
    assert!(table.stdout.contains("taken: 200"), "{table:?}");
}

#[test]
fn a_replay_that_is_not_taken_fails() {
    let (mirror, _) = stored("1");
    let target = Target::start();
    let to = target.url();
    target.answer(500);
    let refused = mirror.run(&["callback", "replay", "--to", &to, "--all"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stdout.contains("not taken: 500"), "{refused:?}");
    assert!(refused.stderr.contains("0 taken, 1 refused"), "{refused:?}");
    target.hang_up();
    let silent = mirror.run(&["callback", "replay", "--to", &to, "--all"]);
    assert_eq!(silent.code, Some(5), "{silent:?}");
    for (arguments, words) in [
        (vec!["--to", &to], "required"),
        (vec!["--all"], "--to <URL>"),
        (vec!["--all", "1", "--to", &to], "cannot be used with"),
        (vec!["9", "--to", &to], "the inbox has no 9"),
        (vec!["--all", "--to", "ftp://x"], "begins with http://"),
        (vec!["--all", "--to", &to, "--inbox", "none.sqlite"], "there is no inbox none.sqlite"),
    ] {
        let ran = mirror.run(&[&["callback", "replay"], &arguments[..]].concat());
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(words), "{arguments:?}: {ran:?}");
    }
}

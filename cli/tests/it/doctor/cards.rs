//! The settings of an Official Account, alone and beside a merchant's.

use chrono::{FixedOffset, TimeDelta};
use favor_core::{Clock as _, SystemClock};
use favor_mirror::Mirror;
use serde_json::json;

use super::verdict::{broken, codes};
use crate::card::desk::{APPID, Desk, SECRET};
use crate::run::{favor, run};
use crate::world::World;

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// A merchant that has cards too, all of it right.
fn both() -> World {
    both_on(Mirror::builder())
}

fn both_on(builder: favor_mirror::MirrorBuilder) -> World {
    let mut world = World::of(builder);
    world.secret_file("secret.txt", &world.ready.app_secret.clone());
    world.secret_file("token.txt", "merchantToken01\n");
    world.secret_file("aes.txt", KEY);
    world.set("app_secret_file", "secret.txt");
    world.set("push_token_file", "token.txt");
    world.set("encoding_aes_key_file", "aes.txt");
    world
}

/// The same without the merchant.
fn alone(mut world: World) -> World {
    for name in ["mchid", "private_key_file", "certificate_file", "api_v3_key_file"] {
        world.unset(name);
    }
    world
}

#[test]
fn a_right_account_is_all_right_alone_and_beside_a_merchant() {
    let world = both();
    let (report, code) = world.doctor();
    assert_eq!((code, codes(&report, "problem").len()), (Some(0), 0), "{report:#}");
    assert_eq!(codes(&report, "warning"), ["CALLBACK_NOT_SET"], "{report:#}");
    let of_account =
        ["APP_SECRET", "PUSH_TOKEN", "ENCODING_AES_KEY", "CARD_REACHED", "ACCESS_TOKEN", "CARD_PERMISSION"];
    for wanted in of_account {
        assert!(codes(&report, "ok").contains(&wanted.to_owned()), "{wanted}: {report:#}");
    }
    assert_eq!(codes(&report, "ok").iter().filter(|code| *code == "CLOCK").count(), 1, "{report:#}");

    let world = alone(world);
    let (report, code) = world.doctor();
    assert_eq!((code, &report["skipped"]), (Some(0), &json!([])), "{report:#}");
    assert!(codes(&report, "warning").is_empty(), "{report:#}");
    for wanted in of_account.iter().chain(&["SETTINGS", "BASE_URL", "APPID", "CLOCK"]) {
        assert!(codes(&report, "ok").contains(&(*wanted).to_owned()), "{wanted}: {report:#}");
    }
    for foreign in ["PRIVATE_KEY", "SIGNATURE", "CALLBACK"] {
        assert!(!codes(&report, "ok").contains(&foreign.to_owned()), "{foreign}: {report:#}");
    }
    let ran = world.run(&["doctor", "--offline"]);
    assert!(ran.code == Some(0) && ran.stdout.contains("not checked"), "{ran:?}");
}

#[test]
fn what_is_wrong_with_a_secret_is_named_and_never_shown() {
    for (file, content, cause) in [
        ("secret.txt", "sesame sesame", "APP_SECRET_MALFORMED"),
        ("secret.txt", "", "APP_SECRET_MALFORMED"),
        ("token.txt", "sesame!", "PUSH_TOKEN_MALFORMED"),
        ("aes.txt", "hunter2", "ENCODING_AES_KEY_MALFORMED"),
        ("aes.txt", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG=", "ENCODING_AES_KEY_MALFORMED"),
    ] {
        let world = alone(both());
        world.secret_file(file, content);
        broken(cause, 2, &world);
    }
    for (setting, cause) in [
        ("app_secret_file", "APP_SECRET_UNREADABLE"),
        ("push_token_file", "PUSH_TOKEN_UNREADABLE"),
        ("encoding_aes_key_file", "ENCODING_AES_KEY_UNREADABLE"),
    ] {
        let mut world = alone(both());
        world.set(setting, "nowhere.txt");
        broken(cause, 2, &world);
    }
    let mut world = alone(both());
    world.unset("push_token_file");
    broken("PUSH_TOKEN_MISSING", 2, &world);
    let mut world = alone(both());
    world.unset("appid");
    broken("APPID_MISSING", 2, &world);
}

#[test]
fn what_is_not_needed_by_all_is_a_warning() {
    for (setting, warning) in
        [("app_secret_file", "APP_SECRET_MISSING"), ("encoding_aes_key_file", "ENCODING_AES_KEY_MISSING")]
    {
        let mut world = alone(both());
        world.unset(setting);
        let (report, code) = world.doctor();
        assert_eq!((code, codes(&report, "warning")), (Some(0), vec![warning.to_owned()]), "{report:#}");
    }
    // A file of others' eyes is one for these secrets too.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for name in ["aes.txt", "secret.txt", "favor-tokens.sqlite"] {
            let world = alone(both());
            if name == "favor-tokens.sqlite" {
                world.file(name, "");
            }
            let path = world.folder.path().join(name);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert_eq!(codes(&world.doctor().0, "warning"), ["SECRET_FILE_OPEN"], "{name}");
        }
    }
}

#[test]
fn who_is_not_known_to_the_platform_is_told_so() {
    let world = alone(both());
    world.secret_file("secret.txt", &"0".repeat(32));
    let finding = broken("APP_SECRET_WRONG", 3, &world);
    assert!(!finding.to_string().contains(&"0".repeat(32)), "{finding}");
    let mut world = alone(both());
    world.set("appid", "wx00000000000000ff");
    broken("ACCOUNT_UNKNOWN", 3, &world);
    let mut world = alone(both());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.set("base_url", format!("http://{closed}"));
    broken("HOST_UNREACHABLE", 5, &world);
}

#[test]
fn each_refusal_of_the_platform_has_its_own_name() {
    let refused = |number: i64| json!({"errcode": number, "errmsg": "said so"}).to_string();
    let (ticket, token, list) = ("/cgi-bin/ticket/getticket", "/cgi-bin/stable_token", "/card/batchget");
    for (path, answer, cause, exit) in [
        (token, refused(40164), "IP_NOT_LISTED", 1),
        (token, refused(40002), "ACCESS_TOKEN_REFUSED", 1),
        (token, refused(45011), "PLATFORM_BUSY", 5),
        (list, refused(48001), "CARD_NO_PERMISSION", 1),
        (list, refused(40035), "CALL_REFUSED", 1),
        (ticket, "<html>log in</html>".to_owned(), "NOT_THE_PLATFORM", 5),
    ] {
        let desk = Desk::start();
        desk.answer(ticket, &refused(41001));
        desk.answer(list, r#"{"errcode":0,"card_id_list":[],"total_num":0}"#);
        desk.answer(path, &answer);
        let mut command = favor(desk.path());
        command.env("FAVOR_BASE_URL", desk.url()).env("FAVOR_APPID", APPID).env("FAVOR_APP_SECRET", SECRET);
        let ran = run(command.args(["doctor", "--output", "json"]));
        assert_eq!(ran.json()["cause"], cause, "{ran:?}");
        assert_eq!(ran.code, Some(exit), "{cause}: {ran:?}");
        assert!(!ran.stdout.contains(SECRET), "{ran:?}");
    }
}

#[test]
fn a_clock_that_is_wrong_for_events_is_found() {
    for (seconds, exit, wanted) in [(-2_000, Some(3), "CLOCK_WRONG"), (300, Some(0), "CLOCK_DRIFT")] {
        let at = (SystemClock::new().now() + TimeDelta::seconds(seconds))
            .with_timezone(&FixedOffset::east_opt(8 * 3600).unwrap());
        let world = alone(both_on(Mirror::builder().clock_from(at).wire_clock_follows_test_clock(true)));
        let (report, code) = world.doctor();
        let all = [codes(&report, "problem"), codes(&report, "warning")].concat();
        assert_eq!((code, all), (exit, vec![wanted.to_owned()]), "{report:#}");
    }
}

#[test]
fn variables_that_are_not_enough_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let done = run(favor(folder.path()).env("FAVOR_APPID", APPID).args(["doctor", "--offline"]));
    assert!(done.stdout.contains("SETTINGS_MISSING"), "{done:?}");
    assert!(done.stdout.contains("variables that are set (FAVOR_APPID)"), "{done:?}");
}

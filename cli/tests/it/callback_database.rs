//! An inbox in PostgreSQL, which several listeners share.

use std::process::Command;

use favor_store::testing::TestCluster;
use serde_json::Value;

use crate::listener::Listener;
use crate::run::{MirrorProcess, Ran, run};
use crate::target::{Target, header};

fn ok(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

/// The address of a new database as a URL: its host is a folder.
fn url(cluster: &TestCluster, name: &str) -> String {
    let address = cluster.database(name);
    let host = address.split(' ').find_map(|part| part.strip_prefix("host=")).unwrap();
    format!("postgres://favor@{}/{name}", host.replace('/', "%2F"))
}

fn listed(mirror: &MirrorProcess, inbox: &str) -> Vec<Value> {
    let list = ok(mirror.run(&["callback", "list", "--inbox", inbox, "--output", "json"]));
    list.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn listeners_share_a_database_and_know_each_others_repeats() {
    let cluster = TestCluster::start();
    let inbox = url(&cluster, "shared");
    let mirror = MirrorProcess::start(&[]);
    let first = Listener::start(&mirror, &["--inbox", &inbox]);
    let shown = first.ready["inbox"].as_str().unwrap();
    assert!(shown.starts_with("PostgreSQL at") && shown.ends_with("/shared"), "{shown}");
    ok(mirror.run(&["callback", "trigger"]));
    let new = first.verdicts(1, "new").remove(0);

    let target = Target::start();
    // The whole address, a password with it, comes from the environment.
    let mut command: Command = mirror.favor();
    command.args(["callback", "listen", "--output", "json", "--set-address", "--forward", &target.url()]);
    command.env("FAVOR_INBOX", inbox.replace("favor@", "favor:sesame@"));
    let second = Listener::spawn(command);
    assert!(!second.ready["inbox"].to_string().contains("sesame"), "{}", second.ready);
    // What the first one stored, the second hands on.
    let forwarded = second.verdicts(1, "forwarded").remove(0);
    assert_eq!(forwarded["id"], new["id"]);
    let handed = target.wait_for(1).remove(0);
    assert_eq!(header(&handed, "favor-notification-id").unwrap(), new["id"].as_str().unwrap());
    // The platform's repeat goes to the address in force, and is known there.
    mirror.control("POST", "callbacks/1/replay", "");
    let repeat = second.verdicts(1, "duplicate").remove(0);
    assert_eq!((&repeat["id"], &repeat["inbox_id"]), (&new["id"], &new["inbox_id"]));
    assert_eq!(second.stop().0.code(), Some(0));
    assert_eq!(first.stop().0.code(), Some(0));
    let kept = listed(&mirror, &inbox);
    assert_eq!(
        (kept.len(), &kept[0]["state"], &kept[0]["times_received"]),
        (1, &"handled".into(), &2.into())
    );
    let replay = ["callback", "replay", "--all", "--to", &target.url(), "--inbox", &inbox];
    assert!(ok(mirror.run(&replay)).stdout.contains("taken: 200"));
}

#[test]
fn a_database_that_cannot_be_had_is_named_without_its_password() {
    let mirror = MirrorProcess::start(&[]);
    // A folder without a server.
    let nobody = mirror.folder.path().display().to_string().replace('/', "%2F");
    let inbox = format!("postgres://shop@{nobody}/favor");
    for (command, password) in [("listen", "PGPASSWORD"), ("list", "PGPASSWORD"), ("list", "FAVOR_INBOX")] {
        let mut favor = mirror.favor();
        favor.args(["callback", command]);
        if password == "FAVOR_INBOX" {
            favor.env("FAVOR_INBOX", inbox.replace("shop@", "shop:sesame@"));
        } else {
            favor.args(["--inbox", &inbox]).env("PGPASSWORD", "sesame");
        }
        let ran = run(&mut favor);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains("the inbox is not available"), "{ran:?}");
        assert!(!ran.stderr.contains("sesame"), "{ran:?}");
    }
    let bad = mirror.run(&["callback", "list", "--inbox", "postgres://shop:se%zzsame@"]);
    assert!(
        bad.code == Some(2) && bad.stderr.contains("the address of the database is not valid"),
        "{bad:?}"
    );
    assert!(!bad.stderr.contains("same@"), "{bad:?}");
}

//! The whole state in a file, and back.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use favor_mirror::{MerchantSeed, Mirror, MirrorError, PublicKeyPhase, Redeem};
use serde_json::{Value, json};

use crate::harness::{FAVOR, USER, World, builder, damage, stock_body, time};

/// A world with something of everything.
async fn lived_in(world: &World) -> (String, String) {
    world.mirror.add_merchant(MerchantSeed::new("42")).await.unwrap();
    let id = world.running_stock(&stock_body("n1", 10, 2)).await;
    let coupon = world.coupon(&id, USER, "s1").await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    world.mirror.rotate_keys().await;
    (id, coupon)
}

async fn check_lived_in(world: &World, id: &str, coupon: &str) {
    assert_eq!(world.stock(id).await["distributed_coupons"], 1);
    assert_eq!(world.mirror.coupon(coupon).await.unwrap().status, "USED");
    assert_eq!(world.mirror.platform_certificates().len(), 2);
    assert_eq!(world.mirror.now(), time("2026-08-10T12:01:01+08:00"));
    // The merchant of then can call again.
    let list = format!("{FAVOR}/stocks?offset=0&limit=10&stock_creator_mchid=42");
    let stranger = world.call_as(&world.credentials_of("42"), "GET", &list, &Value::Null).await;
    assert_eq!(stranger.status, 404);
    // The same number still means the same coupon.
    assert_eq!(world.give(id, USER, "s1").await.ok()["coupon_id"], coupon);
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn a_state_comes_back_in_memory_and_on_disk() {
    for on_disk in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data.sqlite");
        let builder = || if on_disk { builder().data(&data) } else { builder() };
        let file = folder.path().join("snapshot.sqlite");
        let world = World::with(builder()).await;
        let (id, coupon) = lived_in(&world).await;
        let written = world.mirror.snapshot(&file, false).await.unwrap();
        assert!(written.is_absolute() && written == file);

        // Then everything becomes different.
        world.mirror.reset().await.unwrap();
        world.created_stock(&stock_body("other", 5, 1)).await;
        world.mirror.set_public_key_phase(PublicKeyPhase::On).await.unwrap();
        world.clock("2026-08-20T00:00:00+08:00").await;
        let restored = world.control("POST", "/_mirror/restore", &json!({ "file": file })).await.ok();
        assert_eq!(restored, json!({ "file": file, "now": "2026-08-10T12:01:01+08:00" }));
        check_lived_in(&world, &id, &coupon).await;
        world.mirror.shutdown().await;

        // On disk the restored state has stayed; a fresh mirror takes it too.
        let world = World::with(builder()).await;
        if !on_disk {
            world.mirror.restore(&file).await.unwrap();
        }
        check_lived_in(&world, &id, &coupon).await;
        assert_eq!(
            std::fs::read_dir(folder.path())
                .unwrap()
                .filter(|entry| {
                    entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(".favor-mirror-")
                })
                .count(),
            0
        );
    }
}

#[tokio::test]
async fn a_snapshot_replaces_only_a_snapshot_and_only_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data.sqlite");
    let file = folder.path().join("snapshot.sqlite");
    let world = World::with(builder().data(&data)).await;
    let snapshot = async |file: &Path, overwrite: bool| {
        let body = json!({ "file": file, "overwrite": overwrite });
        let reply = world.control("POST", "/_mirror/snapshot", &body).await;
        (reply.status, reply.json()["message"].as_str().unwrap_or_default().to_owned())
    };
    let refused = |(status, message): (u16, String), words: &str| {
        assert_eq!(status, 409, "{message}");
        assert!(message.contains(words), "{message}");
    };
    assert_eq!(snapshot(&file, false).await.0, 200);
    refused(snapshot(&file, false).await, "it exists");
    assert_eq!(snapshot(&file, true).await.0, 200);
    refused(snapshot(&data, true).await, "own data file");
    let letter = folder.path().join("letter.txt");
    std::fs::write(&letter, "dear Lin").unwrap();
    refused(snapshot(&letter, true).await, "no snapshot of a mirror");
    assert_eq!(std::fs::read_to_string(&letter).unwrap(), "dear Lin");
    refused(snapshot(folder.path(), true).await, "not a file");
    refused(snapshot(&folder.path().join("no/such/folder.sqlite"), false).await, "nothing can be written");
    // Another mirror works with this one.
    let other = folder.path().join("other.sqlite");
    let neighbour = builder().data(&other).start().await.unwrap();
    refused(snapshot(&other, true).await, "another mirror");
    neighbour.shutdown().await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "it holds private keys");
    }
}

#[tokio::test]
async fn what_is_no_snapshot_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let world = World::new().await;
    let (id, coupon) = lived_in(&world).await;
    world.mirror.snapshot(at("newer"), false).await.unwrap();
    damage(&at("newer"), "PRAGMA user_version = 99");
    world.mirror.snapshot(at("empty"), false).await.unwrap();
    damage(&at("empty"), "PRAGMA foreign_keys = OFF; DELETE FROM merchants");
    world.mirror.snapshot(at("torn"), false).await.unwrap();
    let torn = std::fs::read(at("torn")).unwrap();
    std::fs::write(at("torn"), &torn[..torn.len() / 2]).unwrap();
    damage(&at("foreign"), "CREATE TABLE theirs (n)");
    std::fs::write(at("text"), "no database").unwrap();
    for (name, words) in [
        ("newer", "schema version 99"),
        ("empty", "no merchant"),
        ("torn", ""),
        ("foreign", "neither a snapshot nor a data file"),
        ("text", "neither a snapshot nor a data file"),
        ("missing", "no such file"),
    ] {
        let error = world.mirror.restore(at(name)).await.unwrap_err();
        assert!(matches!(error, MirrorError::Snapshot { .. }), "{name}: {error}");
        assert!(error.to_string().contains(words), "{name}: {error}");
        assert!(error.to_string().contains(name), "{name}: {error}");
    }
    check_lived_in(&world, &id, &coupon).await;
}

#[tokio::test]
async fn an_older_file_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.sqlite");
    damage(&file, include_str!("../data/version-1.sql"));
    let before = std::fs::read(&file).unwrap();
    let audit = Mirror::audit_file(&file).await.unwrap();
    assert!(audit.ok, "{:?}", audit.findings);
    assert_eq!(audit.stocks.len(), 1);
    let world = World::new().await;
    world.mirror.restore(&file).await.unwrap();
    assert_eq!(world.mirror.coupon("18180000000001").await.unwrap().openid, USER);
    assert_eq!(std::fs::read(&file).unwrap(), before, "the file itself stays as it is");
}

/// A snapshot taken while coupons are sent is a state that was, to the coupon.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_under_load_is_consistent() {
    for on_disk in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let builder = match on_disk {
            true => builder().data(folder.path().join("data.sqlite")),
            false => builder(),
        };
        let world = Arc::new(World::with(builder).await);
        let id = world.running_stock(&stock_body("n1", 5_000, 60)).await;
        let over = Arc::new(AtomicBool::new(false));
        let senders: Vec<_> = (0..2)
            .map(|sender| {
                let (world, id, over) = (Arc::clone(&world), id.clone(), Arc::clone(&over));
                tokio::spawn(async move {
                    let mut sent = 0;
                    while !over.load(Ordering::Relaxed) {
                        world
                            .give(&id, &format!("o{sender}x{sent}"), &format!("s{sender}x{sent}"))
                            .await
                            .ok();
                        sent += 1;
                    }
                    sent
                })
            })
            .collect();
        let mut counts = Vec::new();
        for n in 0..4 {
            let file = folder.path().join(format!("snapshot-{n}.sqlite"));
            world.mirror.snapshot(&file, false).await.unwrap();
            let audit = Mirror::audit_file(&file).await.unwrap();
            assert!(audit.ok, "{:?}", audit.findings);
            counts.push(audit.stocks[0].coupons);
        }
        over.store(true, Ordering::Relaxed);
        let mut sent = 0;
        for sender in senders {
            sent += sender.await.unwrap();
        }
        assert!(counts.is_sorted(), "{counts:?}");
        let audit = world.mirror.audit().await;
        world.assert_sound(&audit);
        assert_eq!(audit.stocks[0].coupons, sent);
        // And a state restored under load is that of the file, whole.
        let load = {
            let (world, id) = (Arc::clone(&world), id.clone());
            tokio::spawn(async move {
                for n in 0..20 {
                    world.give(&id, &format!("late{n}"), &format!("late{n}")).await;
                }
            })
        };
        world.mirror.restore(folder.path().join("snapshot-0.sqlite")).await.unwrap();
        load.await.unwrap();
        let audit = world.mirror.audit().await;
        world.assert_sound(&audit);
        assert!((counts[0]..=counts[0] + 20).contains(&audit.stocks[0].coupons));
    }
}

//! What a data file keeps, and what an audit finds in a damaged one.

use std::time::Duration;

use favor_mirror::{MerchantSeed, Mirror, MirrorError, PublicKeyPhase, Redeem, Refund};
use serde_json::{Value, json};

use crate::harness::{FAVOR, USER, World, builder, damage, stock_body, time, with};

/// Who has the keys in it can stand in for WeChat.
#[tokio::test]
async fn its_owner_alone_can_read_a_data_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let world = World::with(builder().data(folder.path().join("data.sqlite"))).await;
    world.running_stock(&stock_body("n1", 10, 1)).await;
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        // The lock is empty.
        if !name.ends_with("-lock") {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 2, "the file and its log");
    world.mirror.shutdown().await;
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let seed = MerchantSeed { balance_fen: 9_000, ..MerchantSeed::new("1900000109") };
    let world = World::with(builder().data(&file).merchant(seed)).await;
    let body = with(stock_body("n1", 10, 1), "/no_cash", json!(false));
    let id = world.running_stock(&body).await;
    let coupon = world.give(&id, USER, "s1").await.ok();
    let serials = world.mirror.rotate_keys().await;
    world.mirror.set_public_key_phase(PublicKeyPhase::Grey).await.unwrap();
    let added = world.mirror.add_merchant(MerchantSeed::new("1900000120")).await.unwrap();
    let now = world.mirror.advance(Duration::from_secs(5)).await.unwrap();
    world.mirror.shutdown().await;

    let world = World::with(builder().data(&file)).await;
    assert_eq!(world.mirror.now(), now);
    let kept: Vec<_> = world.mirror.platform_certificates();
    assert_eq!(
        kept.iter().map(|known| &known.serial_no).collect::<Vec<_>>(),
        serials.iter().collect::<Vec<_>>()
    );
    assert!(world.mirror.merchants().contains(&added));
    let shown = world.control("GET", "/_mirror/keys", &Value::Null).await.ok();
    assert_eq!(shown["phase"], "grey");
    let merchants = world.control("GET", "/_mirror/merchants", &Value::Null).await.ok();
    assert_eq!(merchants["merchants"][0]["balance_fen"], 4_000);

    assert_eq!(world.give(&id, USER, "s1").await.ok(), coupon);
    world.give(&id, USER, "s2").await.refused(403, "REQUEST_BLOCKED", "用户被限领拦截");
    let second = world.give(&id, "oOther", "s3").await.ok();
    assert_eq!(second["coupon_id"], "18180000000002");
    world.assert_sound(&world.mirror.audit().await);
}

#[tokio::test]
async fn payments_changes_callbacks_and_pauses_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let world = World::with(builder().data(&file)).await;
    let stock = world.running_stock(&stock_body("n1", 10, 5)).await;
    let (first, second) = (world.coupon(&stock, USER, "s1").await, world.coupon(&stock, USER, "s2").await);
    world.mirror.redeem(&first, Redeem::default()).await.unwrap();
    world.mirror.redeem(&second, Redeem::default()).await.unwrap();
    world.mirror.refund(&second, Refund { amount: Some(1_000) }).await.unwrap();
    let budget = json!({
        "stock_creator_mchid": "1900000109", "current_max_amount": 5_000, "target_max_amount": 6_000
    });
    world.call("POST", &format!("{FAVOR}/stocks/{stock}/max-amount-modify"), &budget).await.ok();
    let paused = world.act(&stock, "pause").await.ok();
    let address = json!({"mchid": "1900000109", "notify_url": "http://127.0.0.1:9/notify"});
    world.call("POST", &format!("{FAVOR}/callbacks"), &address).await.ok();
    world.clock("2026-08-11T10:00:00+08:00").await;
    let flow = format!("{FAVOR}/stocks/{stock}/use-flow-by-day?bill_date=2026-08-10");
    let link = world.get(&flow).await.ok();
    let before = [world.mirror.coupon(&first).await.unwrap(), world.mirror.coupon(&second).await.unwrap()];
    world.mirror.shutdown().await;

    let world = World::with(builder().data(&file)).await;
    let after = [world.mirror.coupon(&first).await.unwrap(), world.mirror.coupon(&second).await.unwrap()];
    assert_eq!(after, before);
    assert_eq!(world.act(&stock, "pause").await.ok(), paused);
    assert_eq!(world.stock(&stock).await["stock_use_rule"]["max_coupons"], 12);
    let address = world.get(&format!("{FAVOR}/callbacks?mchid=1900000109")).await.ok();
    assert_eq!(address["notify_url"], "http://127.0.0.1:9/notify");
    // Links live 30 seconds and do not outlive the process; the file is the same.
    let again = world.get(&flow).await.ok();
    assert_eq!(again["stock_useflow_hash"], link["stock_useflow_hash"]);
    assert_ne!(again["url"], link["url"]);
    world.mirror.refund(&second, Refund::default()).await.unwrap();
    world.assert_sound(&world.mirror.audit().await);
}

/// A file that the first version of the tables made, with a stock, a user and a coupon in it.
#[tokio::test]
async fn a_file_of_the_first_version_opens() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    damage(&file, include_str!("../data/version-1.sql"));
    let world = World::with(builder().data(&file)).await;
    let stock = world.stock("15300001").await;
    assert_eq!((stock["status"].as_str(), stock["distributed_coupons"].as_i64()), (Some("running"), Some(1)));
    world.assert_sound(&world.mirror.audit().await);
    let coupon = world.mirror.redeem("18180000000001", Redeem::default()).await.unwrap();
    assert_eq!((coupon.status.as_str(), coupon.openid.as_str()), ("USED", USER));
    world.give("15300001", "oOther", "s2").await.ok();
    world.give("15300001", "oThird", "s3").await.refused(403, "NOT_ENOUGH", "发券超过单天限额");
    world.assert_sound(&world.mirror.audit().await);
    world.mirror.shutdown().await;
    let world = World::with(builder().data(&file)).await;
    assert_eq!(world.mirror.coupon("18180000000001").await.unwrap().status, "USED");
}

#[tokio::test]
async fn a_frozen_clock_stays_frozen_and_a_moved_one_moved() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let mirror = Mirror::builder().data(&file).start().await.unwrap();
    let moved = mirror.set_clock(time("2031-01-01T00:00:00+08:00")).await.unwrap();
    mirror.shutdown().await;
    let mirror = Mirror::builder().data(&file).start().await.unwrap();
    assert!(mirror.now() >= moved);
    mirror.freeze_clock().await.unwrap();
    let frozen = mirror.now();
    mirror.shutdown().await;
    let mirror = Mirror::builder().data(&file).start().await.unwrap();
    assert_eq!(mirror.now(), frozen);
}

#[tokio::test]
async fn a_newer_or_foreign_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    Mirror::builder().data(&file).start().await.unwrap().shutdown().await;
    damage(&file, "PRAGMA user_version = 77");
    let error = Mirror::builder().data(&file).start().await.unwrap_err();
    assert!(matches!(error, MirrorError::SchemaTooNew { found: 77, .. }), "{error}");

    let foreign = folder.path().join("foreign.sqlite");
    damage(&foreign, "CREATE TABLE theirs (n)");
    assert!(matches!(Mirror::builder().data(&foreign).start().await, Err(MirrorError::Storage(_))));
    let text = folder.path().join("text");
    std::fs::write(&text, "not a database at all, but long enough to look at ".repeat(50)).unwrap();
    assert!(matches!(Mirror::builder().data(&text).start().await, Err(MirrorError::Storage(_))));
}

/// Damage done behind the mirror's back, by another program, is found while it runs.
#[tokio::test]
async fn the_audit_finds_damage() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let world = World::with(builder().data(&file)).await;
    let id = world.running_stock(&stock_body("n1", 10, 1)).await;
    for n in 0..3 {
        world.give(&id, &format!("o{n}"), &format!("s{n}")).await.ok();
    }
    let audit = world.control("GET", "/_mirror/audit", &Value::Null).await.ok();
    assert_eq!(audit["ok"], true);
    assert_eq!(
        audit["stocks"][0],
        json!({
            "stock_id": id, "distributed_coupons": 3, "coupons": 3, "distinct_users": 3,
            "distinct_out_request_nos": 3, "amount": 1_500, "max_coupons": 10, "max_amount": 5_000,
            "used": 0, "redemptions": 0, "redeemed_amount": 0, "refunds": 0, "refunded_amount": 0
        })
    );
    damage(
        &file,
        "INSERT INTO coupons SELECT id + 10, stock_id, openid, appid, sender, out_request_no, amount, minimum,
            status, received, begins, ends FROM coupons WHERE openid = 'o0'",
    );
    let audit = world.control("GET", "/_mirror/audit", &Value::Null).await.ok();
    assert_eq!(audit["ok"], false);
    let found: Vec<_> = audit["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["check"].as_str().unwrap())
        .collect();
    damage(&file, "UPDATE coupons SET status = 'USED' WHERE openid = 'o1'");
    let audit = world.mirror.audit().await;
    assert!(audit.findings.iter().any(|finding| finding.check == "coupon.status"));
    for check in ["stock.distributed", "stock.max_coupons_per_user", "stock.days", "request.once"] {
        assert!(found.contains(&check), "{check} not in {found:?}");
    }
}

/// A store that cannot do its work answers 500 and does nothing; once it can, the same request succeeds.
#[tokio::test]
async fn a_broken_store_is_a_system_error_and_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.sqlite");
    let world = World::with(builder().data(&file)).await;
    let id = world.running_stock(&stock_body("n1", 10, 1)).await;
    // The coupon can be written, the note of its number cannot.
    damage(
        &file,
        "CREATE TRIGGER full BEFORE INSERT ON send_requests BEGIN SELECT raise(FAIL, 'disk full'); END",
    );
    let failed = world.give(&id, USER, "s1").await;
    failed.refused(500, "SYSTEM_ERROR", "系统错误");
    assert_eq!(failed.number(), 272_888_874);
    assert!(failed.is_signed_by(&world.mirror.platform_certificates()[0].pem));
    let logged = &world.mirror.requests(1, 0)[0];
    assert_eq!(logged.verdict, favor_mirror::Verdict::Failed);
    assert!(logged.notes.iter().any(|note| note.contains("disk full")), "{:?}", logged.notes);
    let audit = world.mirror.audit().await;
    world.assert_sound(&audit);
    assert_eq!(audit.stocks[0].coupons, 0);
    damage(&file, "DROP TRIGGER full");
    world.give(&id, USER, "s1").await.ok();
}

#[tokio::test]
async fn reset_forgets_state_and_keeps_keys() {
    let world = World::new().await;
    let id = world.running_stock(&stock_body("n1", 10, 1)).await;
    let coupon = world.coupon(&id, USER, "s1").await;
    world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    world.mirror.refund(&coupon, Refund::default()).await.unwrap();
    let address = json!({"mchid": "1900000109", "notify_url": "http://127.0.0.1:9/notify"});
    world.call("POST", &format!("{FAVOR}/callbacks"), &address).await.ok();
    world.clock("2026-08-11T10:00:00+08:00").await;
    let flow = format!("{FAVOR}/stocks/{id}/use-flow-by-day?bill_date=2026-08-10");
    let link = world.get(&flow).await.ok();
    let serials = world.mirror.rotate_keys().await;
    world.mirror.reset().await.unwrap();
    assert_eq!(world.fetch_link(&link["url"]).await.status, 400);
    assert_eq!(world.get(&format!("{FAVOR}/callbacks?mchid=1900000109")).await.status, 404);
    world.control("POST", "/_mirror/reset", &Value::Null).await.ok();
    assert_eq!(world.mirror.now(), time(crate::harness::START));
    assert!(world.mirror.audit().await.stocks.is_empty());
    assert!(world.mirror.requests(10, 0).is_empty());
    assert_eq!(world.mirror.platform_certificates().len(), serials.len());
    // Ids start over, so a run can be repeated exactly.
    assert_eq!(world.running_stock(&stock_body("n1", 10, 1)).await, id);
    assert_eq!(world.coupon(&id, USER, "s1").await, coupon);
    let paid = world.mirror.redeem(&coupon, Redeem::default()).await.unwrap();
    assert_eq!(paid.consume_information.unwrap().transaction_id, "4200000000202608100000000001");
}

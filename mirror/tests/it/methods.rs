//! The control calls as methods of [`Mirror`]: none is missing, and both ways say the same.

use std::path::Path;
use std::time::Duration;

use favor_mirror::{
    CountedBy, FaultKind, FaultRule, KeyRotation, MirrorError, PublicKeyPhase, RotationSchedule, UserChange,
};
use serde_json::{Value, json};

use crate::harness::{START, World, builder, stock_body, time, with};

/// The method behind each control call. `…` begins those of `CardDesk`; calls about the calls by HTTP have none.
const METHODS: [(&str, &[&str]); 77] = [
    ("GET /_mirror", &[]),
    ("GET /_mirror/audit", &["audit"]),
    ("GET /_mirror/callbacks", &["notifications"]),
    ("POST /_mirror/callbacks", &["set_notify_sends"]),
    ("POST /_mirror/callbacks/{id}/replay", &["replay"]),
    ("GET /_mirror/card/accounts", &["…accounts"]),
    ("POST /_mirror/card/accounts", &["…set_account"]),
    ("POST /_mirror/card/tokens/stale", &["…stale_tokens"]),
    ("GET /_mirror/card/cards", &["…cards"]),
    ("GET /_mirror/card/cards/{card_id}", &["…card"]),
    ("POST /_mirror/card/cards/{card_id}/review", &["…review"]),
    ("GET /_mirror/card/cards/{card_id}/codes", &["…codes"]),
    ("GET /_mirror/card/codes", &["…held_codes"]),
    ("POST /_mirror/card/sub-merchants/{merchant_id}/review", &["…review_sub_merchant"]),
    ("GET /_mirror/card/events", &["…events"]),
    ("POST /_mirror/card/events/{id}/replay", &["…replay"]),
    ("GET /_mirror/card/messages", &["…messages"]),
    ("POST /_mirror/card/coins/pay", &["…pay_coins"]),
    ("POST /_mirror/card/claim", &["…claim"]),
    ("POST /_mirror/card/gift", &["…gift"]),
    ("POST /_mirror/card/accept", &["…accept"]),
    ("POST /_mirror/card/reopen", &["…reopen"]),
    ("POST /_mirror/card/remove", &["…remove"]),
    ("POST /_mirror/card/restore", &["…restore"]),
    ("POST /_mirror/card/redeem", &["…redeem"]),
    ("POST /_mirror/card/view", &["…view"]),
    ("POST /_mirror/card/enter-session", &["…enter_session"]),
    ("POST /_mirror/card/submit-form", &["…submit_form"]),
    ("POST /_mirror/card/pay", &["…pay"]),
    ("POST /_mirror/card/gift-cards/buy", &["…buy_gift"]),
    ("POST /_mirror/card/gift-cards/send", &["…send_gift"]),
    ("POST /_mirror/card/gift-cards/accept", &["…accept_gift"]),
    ("POST /_mirror/card/gift-cards/invoice", &["…give_invoice"]),
    ("GET /_mirror/card/gift-cards/orders", &["…gift_orders"]),
    ("GET /_mirror/clock", &["clock", "now"]),
    ("POST /_mirror/clock", &["advance", "set_clock", "freeze_clock", "unfreeze_clock", "set_clock_rate"]),
    ("GET /_mirror/coupons/{coupon_id}", &["coupon"]),
    ("POST /_mirror/coupons/{coupon_id}/expire", &["expire"]),
    ("POST /_mirror/coupons/{coupon_id}/recover", &["recover"]),
    ("POST /_mirror/coupons/{coupon_id}/redeem", &["redeem"]),
    ("POST /_mirror/coupons/{coupon_id}/refund", &["refund"]),
    ("GET /_mirror/faults", &["faults"]),
    ("POST /_mirror/faults", &["plan"]),
    ("DELETE /_mirror/faults", &["clear_faults"]),
    ("DELETE /_mirror/faults/{id}", &["remove_fault"]),
    ("GET /_mirror/healthz", &["health"]),
    ("GET /_mirror/keys", &["keys", "public_key", "platform_certificates"]),
    ("POST /_mirror/keys/public-key", &["set_public_key_phase", "void_certificates"]),
    ("POST /_mirror/keys/rotate", &["rotate_keys", "rotate_keys_with"]),
    ("POST /_mirror/keys/schedule", &["schedule_rotation"]),
    ("GET /_mirror/merchants", &["merchants"]),
    ("POST /_mirror/merchants", &["add_merchant"]),
    ("PATCH /_mirror/merchants/{mchid}", &["change_merchant"]),
    ("GET /_mirror/metrics", &["metrics"]),
    ("GET /_mirror/openapi.json", &[]),
    ("GET /_mirror/rates", &["rates"]),
    ("POST /_mirror/rates", &["enforce_rate_limits"]),
    ("GET /_mirror/readings", &["readings"]),
    ("POST /_mirror/readings", &["set_readings"]),
    ("GET /_mirror/requests", &["requests"]),
    ("GET /_mirror/requests/{id}", &["request"]),
    ("POST /_mirror/reset", &["reset"]),
    ("POST /_mirror/restore", &["restore"]),
    ("GET /_mirror/rules", &["rules", "readings"]),
    ("POST /_mirror/snapshot", &["snapshot"]),
    ("GET /_mirror/stocks", &["stocks"]),
    ("GET /_mirror/stocks/{stock_id}", &["stock"]),
    ("GET /_mirror/stocks/{stock_id}/coupons", &["stock_coupons"]),
    ("POST /_mirror/stocks/{stock_id}/review", &["review_stock"]),
    ("POST /_mirror/stocks/{stock_id}/start", &["start_stock"]),
    ("POST /_mirror/stocks/{stock_id}/pause", &["pause_stock"]),
    ("POST /_mirror/stocks/{stock_id}/restart", &["restart_stock"]),
    ("POST /_mirror/stocks/{stock_id}/stop", &["stop_stock"]),
    ("POST /_mirror/stocks/{stock_id}/fill", &["fill_flow"]),
    ("POST /_mirror/stocks/{stock_id}/senders", &["authorise_sender"]),
    ("GET /_mirror/users", &["users"]),
    ("POST /_mirror/users", &["change_user", "mark_user_abnormal", "mark_user_risky", "same_person"]),
];

/// Public methods by their owner, `…` before those of `CardDesk`, read from the sources.
fn methods() -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = std::fs::read_dir(source.join("mirror")).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for file in files.chain([source.join("mirror.rs")]) {
        let mut owner = None;
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            match line {
                "impl Mirror {" => owner = Some(""),
                "impl CardDesk {" => owner = Some("…"),
                "}" => owner = None,
                _ => {}
            }
            let line = line.trim_start();
            let named = ["pub fn ", "pub async fn "].iter().find_map(|start| line.strip_prefix(start));
            if let (Some(owner), Some(name)) = (owner, named) {
                found.push(format!("{owner}{}", name.split(['(', '<']).next().unwrap()));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_control_call_has_a_method() {
    let world = World::new().await;
    let methods = methods();
    let index = world.control("GET", "/_mirror", &Value::Null).await.ok();
    let text = |call: &Value, key: &str| call[key].as_str().unwrap().to_owned();
    let calls: Vec<String> = index["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| format!("{} {}", text(call, "method"), text(call, "path")))
        .filter(|call| !call.starts_with("* "))
        .collect();
    for call in &calls {
        let (_, names) = METHODS.iter().find(|(known, _)| known == call).unwrap_or_else(|| {
            panic!("{call} has no method of Mirror or CardDesk yet: add it, and name it here")
        });
        for name in *names {
            assert!(methods.iter().any(|method| method == name), "{call}: there is no {name}");
        }
    }
    let gone: Vec<_> = METHODS.iter().filter(|(known, _)| !calls.iter().any(|call| call == known)).collect();
    assert!(gone.is_empty(), "there are no such calls: {gone:?}");
}

#[tokio::test]
async fn health_and_metrics_are_told() {
    let world = World::new().await;
    world.get("/v3/certificates").await.ok();
    let health = world.mirror.health().await.unwrap();
    assert_eq!((health.ok, health.now), (true, time(START)));
    let by_http = world.control("GET", "/_mirror/healthz", &Value::Null).await.ok();
    assert_eq!(by_http, serde_json::to_value(&health).unwrap());
    assert_eq!(by_http["now"], START);

    let metrics = world.mirror.metrics();
    let version = format!("favor_mirror_build_info{{version=\"{}\"}} 1", health.version);
    let counted =
        "favor_mirror_requests_total{operation=\"certificates.list\",verdict=\"accepted\",code=\"\"} 1";
    for line in [version.as_str(), counted, "favor_mirror_merchants 1"] {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing in {metrics}");
    }
}

#[tokio::test]
async fn one_fault_is_taken_back() {
    let world = World::new().await;
    let [first, second] = [FaultKind::Cut, FaultKind::HtmlError]
        .map(|kind| world.mirror.plan(FaultRule::new(kind).operation("certificates.list")).unwrap());
    world.mirror.remove_fault(first).unwrap();
    let left: Vec<u64> = world.mirror.faults().iter().map(|fault| fault.id).collect();
    assert_eq!(left, [second]);
    let again = world.mirror.remove_fault(first);
    assert!(matches!(again, Err(MirrorError::NotFound { what: "fault" })), "{again:?}");
    assert_eq!(world.get("/v3/certificates").await.status, 502);
    let missing = world.control("DELETE", &format!("/_mirror/faults/{first}"), &Value::Null).await;
    assert_eq!((missing.status, &missing.json()["code"]), (404, &json!("NOT_FOUND")));
    let gone = world.control("DELETE", &format!("/_mirror/faults/{second}"), &Value::Null).await.ok();
    assert_eq!((gone, world.mirror.faults()), (json!({"faults": []}), Vec::new()));
}

#[tokio::test]
async fn users_are_changed_and_listed() {
    let world = World::new().await;
    let body = with(stock_body("n1", 10, 1), "/stock_use_rule/prevent_api_abuse", json!(true));
    let guarded = world.running_stock(&body).await;
    world.coupon(&guarded, "oGood", "s1").await;
    world.mirror.mark_user_risky("oRisky").await.unwrap();
    world.give(&guarded, "oRisky", "s2").await.refused(403, "USER_ACCOUNT_ABNORMAL", "用户非法");
    let change = |openid: &str| UserChange { openid: openid.to_owned(), ..UserChange::default() };
    let calm = UserChange { risky: Some(false), person: Some("p1".to_owned()), ..change("oRisky") };
    let calm = world.mirror.change_user(calm).await.unwrap();
    assert_eq!((calm.risky, calm.person.as_deref(), calm.coupons), (false, Some("p1"), 0));
    world.coupon(&guarded, "oRisky", "s2").await;
    let bad = UserChange { appid: Some("wx1".to_owned()), abnormal: Some(true), ..change("oBad") };
    let bad = world.mirror.change_user(bad).await.unwrap();
    let nobody = world.mirror.change_user(change("")).await;
    assert!(matches!(nobody, Err(MirrorError::Refused { .. })), "{nobody:?}");

    let users = world.mirror.users(10, "").await.unwrap();
    let shown: Vec<_> =
        users.iter().map(|user| (user.openid.as_str(), user.abnormal, user.coupons)).collect();
    assert_eq!(shown, [("oBad", true, 0), ("oGood", false, 1), ("oRisky", false, 1)]);
    assert_eq!(users[0], bad);
    assert_eq!(users[1].appid.as_ref(), Some(&world.mirror.merchant().appid));
    let by_http = world.control("GET", "/_mirror/users", &Value::Null).await.ok();
    assert_eq!(by_http["users"], serde_json::to_value(&users).unwrap());
    assert_eq!(world.mirror.users(1, "oBad").await.unwrap(), users[1..2]);
}

#[tokio::test]
async fn clock_and_keys_are_told() {
    let world = World::new().await;
    world.mirror.set_clock_rate(60).await.unwrap();
    let clock = world.mirror.clock();
    assert_eq!((clock.now, clock.wire_now, clock.frozen, clock.rate), (time(START), time(START), true, 60));
    let by_http = world.control("GET", "/_mirror/clock", &Value::Null).await.ok();
    assert_eq!(by_http, serde_json::to_value(clock).unwrap());

    let [hour, minute] = [3_600, 60].map(Duration::from_secs);
    let serials =
        world.mirror.rotate_keys_with(KeyRotation::default().lead(minute).overlap(hour)).await.unwrap();
    world.mirror.schedule_rotation(Some(RotationSchedule::every(hour).lead(minute))).await.unwrap();
    world.mirror.set_public_key_phase(PublicKeyPhase::Grey).await.unwrap();
    let keys = world.mirror.keys();
    assert_eq!((keys.phase, keys.certificates_void), (PublicKeyPhase::Grey, false));
    assert_eq!((keys.grey_since, &keys.serials), (Some(time(START)), &serials));
    assert_eq!(keys.public_key, world.mirror.public_key().pem);
    let signs: Vec<_> = keys.certificates.iter().map(|known| (&known.serial_no, known.signs)).collect();
    assert_eq!(signs, [(&serials[0], true), (&serials[1], false)]);
    assert_eq!(keys.certificates[1].signs_from, Some(time("2026-08-10T12:01:00+08:00")));
    assert_eq!(keys.certificates[0].listed_until, Some(time("2026-08-10T13:01:00+08:00")));
    let schedule = keys.schedule.unwrap();
    assert_eq!(
        (schedule.rotate_every_seconds, schedule.lead_seconds, schedule.overlap_seconds),
        (3_600, 60, 900)
    );
    let by_http = world.control("GET", "/_mirror/keys", &Value::Null).await.ok();
    assert_eq!(by_http, serde_json::to_value(&keys).unwrap());
}

#[tokio::test]
async fn limits_are_told() {
    let world = World::with(builder().documented_rate_limits(true)).await;
    let rates = world.mirror.rates();
    let creation = rates.limits.iter().find(|limit| limit.operation == "stock.create").unwrap();
    assert_eq!((creation.by, creation.calls, creation.seconds), (CountedBy::Merchant, 60, 60));
    let by_http = world.control("GET", "/_mirror/rates", &Value::Null).await.ok();
    assert_eq!(by_http, serde_json::to_value(&rates).unwrap());
    world.mirror.enforce_rate_limits(false);
    assert_eq!((rates.enforced, world.mirror.rates().enforced), (true, false));
}

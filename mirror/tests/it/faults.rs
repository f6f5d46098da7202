//! Each planned failure, and whether the work was done.

use std::time::Duration;

use favor_mirror::{FaultKind, FaultPlace, FaultRule, Verdict};
use serde_json::json;

use crate::harness::{Reply, USER, World, coupons_of, stock_body};

struct Scene {
    world: World,
    stock_id: String,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let stock_id = world.running_stock(&stock_body("n1", 100, 60)).await;
        Self { world, stock_id }
    }

    fn plan(&self, kind: FaultKind, place: FaultPlace) {
        self.world.mirror.plan(FaultRule::new(kind).operation("coupon.send").place(place)).unwrap();
    }

    async fn send(&self, number: &str) -> Result<Reply, reqwest::Error> {
        let body = self.world.send_body(&self.stock_id, number).to_string();
        let target = coupons_of(USER);
        self.world.send_as(&self.world.credentials(), "POST", &target, &body).await
    }

    async fn coupons(&self) -> i64 {
        let audit = self.world.mirror.audit().await;
        self.world.assert_sound(&audit);
        audit.stocks[0].coupons
    }

    fn certificate(&self) -> String {
        self.world.mirror.platform_certificates()[0].pem.clone()
    }
}

#[tokio::test]
async fn an_error_status_at_each_place() {
    let scene = Scene::new().await;
    let kind = || FaultKind::Status { status: 503, code: "SERVICE_UNAVAILABLE".into(), message: None };
    for (place, signed, coupons) in [
        (FaultPlace::BeforeVerify, false, 0),
        (FaultPlace::BeforeCommit, true, 0),
        (FaultPlace::AfterCommit, true, 1),
    ] {
        scene.plan(kind(), place);
        let reply = scene.send("s1").await.unwrap();
        assert_eq!((reply.status, reply.json()["code"].as_str()), (503, Some("SERVICE_UNAVAILABLE")));
        assert_eq!(reply.header("wechatpay-signature").is_some(), signed, "{place:?}");
        assert_eq!(scene.coupons().await, coupons, "{place:?}");
        assert_eq!(scene.world.mirror.requests(1, 0)[0].verdict, Verdict::Faulted);
    }
    // The rules are used up, and the repeat finds the coupon that was given.
    assert_eq!(scene.send("s1").await.unwrap().status, 200);
    assert_eq!(scene.coupons().await, 1);
}

#[tokio::test]
async fn a_cut_connection_at_each_place() {
    let scene = Scene::new().await;
    for (place, coupons) in
        [(FaultPlace::BeforeVerify, 0), (FaultPlace::BeforeCommit, 0), (FaultPlace::AfterCommit, 1)]
    {
        scene.plan(FaultKind::Cut, place);
        assert!(scene.send("s1").await.is_err());
        assert_eq!(scene.coupons().await, coupons, "{place:?}");
        let logged = &scene.world.mirror.requests(1, 0)[0];
        assert_eq!((logged.verdict, logged.status), (Verdict::Faulted, None));
    }
    assert_eq!(scene.send("s1").await.unwrap().status, 200);
    assert_eq!(scene.coupons().await, 1);
}

/// Not a byte of an answer may leave.
#[tokio::test]
async fn a_cut_is_a_cut() {
    let scene = Scene::new().await;
    scene.world.mirror.plan(FaultRule::new(FaultKind::Cut).place(FaultPlace::BeforeVerify)).unwrap();
    let answer = scene.world.raw(b"GET /v3/certificates HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(answer, b"");
}

#[tokio::test]
async fn a_truncated_body_has_its_headers_and_its_half() {
    let scene = Scene::new().await;
    scene.plan(FaultKind::TruncatedBody, FaultPlace::AfterCommit);
    let body = scene.world.send_body(&scene.stock_id, "s1").to_string();
    let target = coupons_of(USER);
    let now = scene.world.mirror.now().timestamp();
    let authorization = scene.world.credentials().authorization("POST", &target, now, &body);
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nUser-Agent: t\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nAuthorization: {authorization}\r\n\r\n{body}",
        body.len()
    );
    let answer = String::from_utf8(scene.world.raw(request.as_bytes()).await).unwrap();
    let (head, half) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"));
    assert!(head.contains("Content-Length: 30"), "{head}");
    assert_eq!(half, &r#"{"coupon_id":"18180000000001"}"#[..15]);
    assert_eq!(scene.coupons().await, 1);

    scene.plan(FaultKind::TruncatedBody, FaultPlace::AfterCommit);
    assert!(scene.send("s2").await.is_err());
}

#[tokio::test]
async fn signatures_that_do_not_hold() {
    let scene = Scene::new().await;
    let certificate = scene.certificate();
    for kind in [FaultKind::CorruptSignature, FaultKind::Probe, FaultKind::CorruptBody] {
        scene.plan(kind.clone(), FaultPlace::AfterCommit);
        let reply = scene.send("s1").await.unwrap();
        assert_eq!(reply.status, 200);
        assert!(!reply.is_signed_by(&certificate), "{kind:?}");
        assert!(reply.json()["coupon_id"].is_string());
        let is_probe = reply.header("wechatpay-signature").unwrap().starts_with("WECHATPAY/SIGNTEST/");
        assert_eq!(is_probe, kind == FaultKind::Probe);
    }
    scene.plan(FaultKind::WrongSerial, FaultPlace::AfterCommit);
    let reply = scene.send("s1").await.unwrap();
    assert!(reply.is_signed_by(&certificate));
    let serial = reply.header("wechatpay-serial").unwrap();
    assert!(scene.world.mirror.platform_certificates().iter().all(|known| known.serial_no != serial));
    assert!(scene.send("s1").await.unwrap().is_signed_by(&certificate));
    assert_eq!(scene.coupons().await, 1);
}

#[tokio::test]
async fn missing_signature_headers() {
    let scene = Scene::new().await;
    let all = ["timestamp", "nonce", "signature", "serial"];
    for missing in all {
        let header = Some(format!("Wechatpay-{missing}"));
        scene.plan(FaultKind::MissingSignature { header }, FaultPlace::AfterCommit);
        let reply = scene.send("s1").await.unwrap();
        for name in all {
            let there = reply.header(&format!("wechatpay-{name}")).is_some();
            assert_eq!(there, name != missing, "{name} without {missing}");
        }
    }
    scene.plan(FaultKind::MissingSignature { header: None }, FaultPlace::AfterCommit);
    let reply = scene.send("s1").await.unwrap();
    assert!(all.iter().all(|name| reply.header(&format!("wechatpay-{name}")).is_none()));
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be() {
    let scene = Scene::new().await;
    let certificate = scene.certificate();
    scene.plan(FaultKind::HtmlError, FaultPlace::BeforeCommit);
    let reply = scene.send("s1").await.unwrap();
    assert_eq!((reply.status, reply.header("content-type")), (502, Some("text/html")));
    assert!(reply.body.starts_with(b"<html>") && reply.header("wechatpay-signature").is_none());
    assert_eq!(scene.coupons().await, 0);

    scene.plan(FaultKind::NotJson, FaultPlace::AfterCommit);
    let reply = scene.send("s1").await.unwrap();
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&reply.body).is_err());
    assert!(reply.is_signed_by(&certificate));

    scene.plan(FaultKind::OversizedBody { bytes: 3_000_000 }, FaultPlace::AfterCommit);
    let reply = scene.send("s1").await.unwrap();
    assert_eq!(reply.body.len(), 3_000_000);
    assert!(reply.is_signed_by(&certificate));
    assert!(reply.json()["coupon_id"].is_string());
    assert_eq!(scene.coupons().await, 1);
}

#[tokio::test]
async fn rate_limits_and_delays() {
    let scene = Scene::new().await;
    scene.plan(FaultKind::RateLimited { retry_after: Some(7) }, FaultPlace::BeforeCommit);
    let reply = scene.send("s1").await.unwrap();
    reply.refused(429, "FREQUENCY_LIMIT_EXCEED", "接口限频");
    assert_eq!(reply.header("retry-after"), Some("7"));
    scene.plan(FaultKind::RateLimited { retry_after: None }, FaultPlace::BeforeVerify);
    assert_eq!(scene.send("s1").await.unwrap().header("retry-after"), None);

    let delay = Duration::from_millis(30);
    let rule = FaultRule::new(FaultKind::Delay).operation("coupon.send").delay(delay);
    scene.world.mirror.plan(rule).unwrap();
    assert_eq!(scene.send("s1").await.unwrap().status, 200);
    let logged = &scene.world.mirror.requests(1, 0)[0];
    assert_eq!(logged.faults, ["delay@before_commit"]);
    assert_eq!(logged.verdict, Verdict::Accepted);
    assert!(logged.latency_us >= 30_000);
}

/// A client that gives up while the answer is delayed leaves a trace, and its coupon.
#[tokio::test]
async fn a_client_that_gives_up_is_logged_as_gone() {
    let scene = Scene::new().await;
    let hour = Duration::from_secs(3_600);
    let rule = FaultRule::new(FaultKind::Delay).place(FaultPlace::AfterCommit).delay(hour);
    scene.world.mirror.plan(rule).unwrap();
    let waiting = scene.send("s1");
    let given = async {
        while scene.coupons().await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = waiting => panic!("the answer was not delayed"),
        () = given => {}
    }
    loop {
        match scene.world.mirror.requests(1, 0).first() {
            Some(logged) if logged.verdict == Verdict::Abandoned => break,
            _ => tokio::task::yield_now().await,
        }
    }
    assert_eq!(scene.coupons().await, 1);
}

#[tokio::test]
async fn rules_strike_by_user_and_by_turn() {
    let scene = Scene::new().await;
    let error = || FaultKind::Status { status: 500, code: "SYSTEM_ERROR".into(), message: None };
    scene.world.mirror.plan(FaultRule::new(error()).openid("oOther").times(0)).unwrap();
    assert_eq!(scene.send("s1").await.unwrap().status, 200);
    assert_eq!(scene.world.give(&scene.stock_id, "oOther", "s2").await.status, 500);
    scene.world.mirror.clear_faults();
    scene.world.mirror.plan(FaultRule::new(error()).every(2).times(0)).unwrap();
    let mut statuses = Vec::new();
    for n in 0..4 {
        statuses.push(scene.send(&format!("t{n}")).await.unwrap().status);
    }
    assert_eq!(statuses, [200, 500, 200, 500]);
    let planned = &scene.world.mirror.faults()[0];
    assert_eq!((planned.seen, planned.struck), (4, 2));
}

#[tokio::test]
async fn rules_by_control_call() {
    let scene = Scene::new().await;
    let rule = json!({"kind": "cut", "operation": "coupon.send", "place": "after_commit", "openid": USER});
    let planned = scene.world.control("POST", "/_mirror/faults", &rule).await.ok();
    assert_eq!(planned["faults"][0]["kind"], "cut");
    assert_eq!(planned["faults"][0]["struck"], 0);
    assert!(scene.send("s1").await.is_err());
    assert_eq!(scene.coupons().await, 1);
    let listed = scene.world.control("GET", "/_mirror/faults", &json!(null)).await.ok();
    assert_eq!(listed["faults"][0]["struck"], 1);

    // A list is taken whole or not at all.
    let list = json!([{"kind": "cut"}, {"kind": "probe", "place": "before_verify"}]);
    let refused = scene.world.control("POST", "/_mirror/faults", &list).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (400, Some("BAD_REQUEST")));
    let list = json!([{"kind": "cut"}, {"kind": "probe"}]);
    let planned = scene.world.control("POST", "/_mirror/faults", &list).await.ok();
    assert_eq!(planned["faults"].as_array().unwrap().len(), 3);
    let removed = scene.world.control("DELETE", "/_mirror/faults/2", &json!(null)).await.ok();
    assert_eq!(removed["faults"].as_array().unwrap().len(), 2);
    assert_eq!(scene.world.control("DELETE", "/_mirror/faults/2", &json!(null)).await.status, 404);
    let cleared = scene.world.control("DELETE", "/_mirror/faults", &json!(null)).await.ok();
    assert_eq!(cleared, json!({"faults": []}));
}

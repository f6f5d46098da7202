//! The signature doctor on a whole call.

use favor_core::Diagnosis;
use serde_json::json;

use crate::calls::{OPENID, send};
use crate::script::{Play, Seen};
use crate::world::{MERCHANT_SERIAL, World};

/// The message the platform would build from `seen`, after `change`.
fn refuse(seen: &Seen, change: impl Fn(&str) -> String) -> Play {
    let message = format!(
        "{}\n{}\n{}\n{}\n{}\n",
        seen.method,
        seen.path_and_query,
        seen.authorization("timestamp"),
        seen.authorization("nonce_str"),
        String::from_utf8_lossy(&seen.body),
    );
    let message = change(&message);
    let body = json!({"code": "SIGN_ERROR", "message": "错误的签名，验签失败", "detail": {
        "field": "signature", "location": "authorization", "detail": {"issue": "sign not match"},
        "sign_information": {"method": "POST", "url": seen.path_and_query,
            "sign_message_length": message.len(), "truncated_sign_message": message}}});
    Play::unsigned(401, body.to_string())
}

async fn diagnose(answer: impl FnMut(&Seen) -> Play + Send + 'static) -> Option<Diagnosis> {
    let world = World::jumping();
    world.script.direct(answer);
    let error = world.client().execute(&send()).await.unwrap_err();
    let diagnosis = error.diagnose();
    if let Some(diagnosis) = &diagnosis {
        let text = format!("{diagnosis} {diagnosis:?}");
        assert!(!text.contains(OPENID) && !text.contains("nonce\""), "{text}");
    }
    diagnosis
}

#[tokio::test]
async fn the_same_message_means_that_the_key_is_wrong() {
    let diagnosis = diagnose(|seen| refuse(seen, str::to_owned)).await.unwrap();
    let [finding] = diagnosis.findings.as_slice() else {
        panic!("{diagnosis:?}");
    };
    assert!(finding.contains("the platform saw the same message"), "{finding}");
    assert!(finding.ends_with(&format!("does not belong to the certificate {MERCHANT_SERIAL}")), "{finding}");
}

#[tokio::test]
async fn a_rewritten_path_is_found() {
    let diagnosis =
        diagnose(|seen| refuse(seen, |message| message.replace("/v3/", "/pay/v3/"))).await.unwrap();
    assert!(diagnosis.findings[0].starts_with("the path and query differs from byte 6 "), "{diagnosis}");
    assert!(diagnosis.findings[1].contains("such as a proxy, rewrote the path"), "{diagnosis}");
}

#[tokio::test]
async fn a_body_changed_on_the_way_is_found() {
    let diagnosis =
        diagnose(|seen| refuse(seen, |message| message.replace("\":\"", "\": \""))).await.unwrap();
    assert!(diagnosis.findings[0].starts_with("the body differs from byte"), "{diagnosis}");
    assert!(diagnosis.findings[1].contains("serialised a second time"), "{diagnosis}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_from_the_date_header() {
    let refused = "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟";
    for (date, finding) in [
        ("Sun, 15 Jun 2025 15:16:40 GMT", "this machine's clock is 600 s behind the platform's"),
        ("Sun, 15 Jun 2025 14:56:40 GMT", "this machine's clock is 600 s ahead of the platform's"),
    ] {
        let diagnosis =
            diagnose(move |_| Play::error(401, "SIGN_ERROR", refused).header("date", date)).await.unwrap();
        let [only] = diagnosis.findings.as_slice() else {
            panic!("{diagnosis:?}");
        };
        assert!(only.starts_with(finding), "{only}");
    }
}

#[tokio::test]
async fn without_the_platforms_view_the_identity_is_suspected() {
    let diagnosis = diagnose(|_| Play::error(401, "SIGN_ERROR", "商户证书序列号有误")).await.unwrap();
    let expected = format!(
        "the platform did not get as far as comparing messages; check that merchant id and certificate serial {MERCHANT_SERIAL} belong together, and that the certificate has not expired"
    );
    assert_eq!(diagnosis.to_string(), expected);
}

#[tokio::test]
async fn only_failed_authentication_is_diagnosed() {
    assert_eq!(diagnose(|_| Play::error(403, "NO_AUTH", "")).await, None);
    assert_eq!(diagnose(|_| Play::fail(favor_core::TransportFailure::Connect)).await, None);
}

#[tokio::test]
async fn hostile_details_never_panic() {
    for information in [
        json!(null),
        json!(7),
        json!({}),
        json!({"sign_message_length": -1, "truncated_sign_message": 5}),
        json!({"truncated_sign_message": ""}),
        json!({"truncated_sign_message": "\u{0}券".repeat(100)}),
        json!({"sign_message_length": u64::MAX, "truncated_sign_message": "POST\n".repeat(100)}),
    ] {
        let answer = json!({"code": "SIGN_ERROR", "detail": {"sign_information": information}}).to_string();
        let diagnosis = diagnose(move |_| Play::unsigned(401, answer.clone())).await.unwrap();
        assert!(!diagnosis.findings.is_empty(), "{information}");
    }
}

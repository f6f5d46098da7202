//! How each kind of failure is reported: outcome, kind, words, and whether a retry helps.

use std::time::Duration;

use favor_core::{
    ApiError, Authenticity, Error, ErrorCode, ErrorKind, Outcome, RetryPolicy, TransportFailure, VerifyError,
};

use crate::calls::{OPENID, get, link, send};
use crate::platform::Platform;
use crate::script::Play;
use crate::world::{World, assert_error};

const REPEAT: &str = "repeat the call with the same parameters and the same out_request_no";

/// Sends once and returns how it failed.
async fn failure(play: Play) -> Error {
    failure_of(&send(), play).await
}

async fn failure_of(call: &favor_core::Call, play: Play) -> Error {
    let world = World::playing([play]);
    let client = world.builder().retry(RetryPolicy::NONE).largest_answer(1000).build().unwrap();
    let error = client.execute(call).await.unwrap_err();
    assert_eq!(error.attempts(), 1);
    assert_eq!(error.operation(), Some(call.operation().name));
    error
}

#[tokio::test]
async fn failures_of_the_network_say_whether_anything_was_sent() {
    use TransportFailure::{Connect, Interrupted, Timeout, TooLarge, Unsendable};
    for (failed, kind, outcome, words, retryable) in [
        (Connect, ErrorKind::Connect, Outcome::NotSent, "no connection could be made", true),
        (Unsendable, ErrorKind::InvalidRequest, Outcome::NotSent, "the request cannot be sent", false),
        (Timeout, ErrorKind::Timeout, Outcome::Unknown, "no complete answer came in time", true),
        (
            Interrupted,
            ErrorKind::Interrupted,
            Outcome::Unknown,
            "the connection broke before the answer was complete",
            true,
        ),
        (TooLarge, ErrorKind::TooLarge, Outcome::Unknown, "the answer is larger than allowed", false),
    ] {
        let error = failure(Play::fail(failed)).await;
        assert_error(&error, kind, outcome, &format!("coupon.send: {words} < scripted"));
        assert_eq!(error.is_retryable(), retryable, "{failed:?}");
        assert!(error.api().is_none() && error.body().is_none());
        let hint = match (kind, outcome) {
            (_, Outcome::Unknown) => REPEAT,
            (ErrorKind::InvalidRequest, _) => "correct the request; nothing was sent",
            _ => "check the network and try again; nothing was sent",
        };
        assert_eq!(error.hint(), hint);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_interrupted() {
    let error = failure(Play::ok("{}").cut()).await;
    assert_error(
        &error,
        ErrorKind::Interrupted,
        Outcome::Unknown,
        "coupon.send: the connection broke before the answer was complete",
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_without_an_answer_ends_at_its_time_limit() {
    let world = World::playing([Play::never()]);
    let client =
        world.builder().retry(RetryPolicy::NONE).attempt_timeout(Duration::from_secs(7)).build().unwrap();
    let before = tokio::time::Instant::now();
    let error = client.execute(&send()).await.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Timeout,
        Outcome::Unknown,
        "coupon.send: no complete answer came in time",
    );
    let took = before.elapsed();
    assert!((Duration::from_secs(7)..Duration::from_millis(7010)).contains(&took), "{took:?}");
    assert_eq!(world.script.only().timeout, Duration::from_secs(7), "the transport knows it too");
}

#[tokio::test]
async fn each_general_code_is_a_refusal_with_its_words() {
    for (status, code, expected) in [
        (400, "PARAM_ERROR", ErrorCode::ParamError),
        (400, "INVALID_REQUEST", ErrorCode::InvalidRequest),
        (400, "MCH_NOT_EXISTS", ErrorCode::MerchantNotExists),
        (400, "APPID_MCHID_NOT_MATCH", ErrorCode::AppIdMerchantMismatch),
        (401, "SIGN_ERROR", ErrorCode::SignError),
        (403, "NO_AUTH", ErrorCode::NoAuth),
        (403, "REQUEST_BLOCKED", ErrorCode::RequestBlocked),
        (403, "NOT_ENOUGH", ErrorCode::NotEnough),
        (403, "USER_ACCOUNT_ABNORMAL", ErrorCode::UserAccountAbnormal),
        (403, "RULE_LIMIT", ErrorCode::RuleLimit),
        (404, "RESOURCE_NOT_EXISTS", ErrorCode::ResourceNotExists),
        (404, "NOT_FOUND", ErrorCode::NotFound),
        (400, "A_CODE_OF_THE_FUTURE", ErrorCode::Unknown("A_CODE_OF_THE_FUTURE".into())),
    ] {
        let play =
            Play::error(status, code, "活动未开始或已结束\n").header("request-id", "08F78BB5-269546525");
        let error = failure(play).await;
        assert_error(
            &error,
            ErrorKind::Api,
            Outcome::Refused,
            &format!(
                "coupon.send: the platform answered {status} (request id 08F78BB5-269546525) < {code}: 活动未开始或已结束"
            ),
        );
        let api = error.api().unwrap();
        assert_eq!((api.status(), api.code()), (status, Some(&expected)));
        assert_eq!(api.message(), "活动未开始或已结束", "the line feed is trimmed");
        assert_eq!(api.request_id(), Some("08F78BB5-269546525"));
        assert_eq!(error.request_id(), api.request_id());
        assert!(!error.is_retryable() && !api.is_retryable(), "{code}");
        assert_ne!(error.hint(), "", "{code}");
        assert_ne!(error.hint(), REPEAT, "{code}");
    }
}

#[tokio::test]
async fn too_many_calls_are_told_by_the_status_whatever_the_code() {
    for code in ["FREQUENCY_LIMIT_EXCEED", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED", "RATE_LIMITED"] {
        let error = failure(Play::error(429, code, "接口限频").header("retry-after", "3")).await;
        assert_error(
            &error,
            ErrorKind::Api,
            Outcome::Refused,
            "coupon.send: the platform answered 429 < FREQUENCY_LIMIT_EXCEED: 接口限频",
        );
        assert!(error.is_retryable());
        assert_eq!(error.api().unwrap().retry_after(), Some(Duration::from_secs(3)));
        assert_eq!(error.hint(), "slow down, then repeat the same request");
    }
    let error = failure(Play::unsigned(429, "")).await;
    assert!(error.is_retryable() && error.api().unwrap().code().is_none());
}

#[tokio::test]
async fn doubtful_statuses_leave_the_outcome_unknown() {
    for (status, retryable) in [
        (408, true),
        (500, true),
        (501, true),
        (502, true),
        (503, true),
        (504, true),
        (301, false),
        (302, false),
        (304, false),
        (308, false),
    ] {
        let error = failure(Play::error(status, "SYSTEM_ERROR", "系统繁忙")).await;
        assert_error(
            &error,
            ErrorKind::Api,
            Outcome::Unknown,
            &format!("coupon.send: the platform answered {status} < SYSTEM_ERROR: 系统繁忙"),
        );
        assert_eq!(error.is_retryable(), retryable, "{status}");
        assert_eq!(error.hint(), REPEAT);
    }
}

#[tokio::test]
async fn an_error_that_is_not_the_platforms_json_keeps_status_and_body() {
    let page = "<html><head><title>502 Bad Gateway</title></head></html>";
    for (status, body, outcome) in [
        (502, page, Outcome::Unknown),
        (502, "", Outcome::Unknown),
        (413, page, Outcome::Refused),
        (404, "[]", Outcome::Refused),
        (400, r#"{"code":400}"#, Outcome::Refused),
        (400, r#"{"code":null,"message":null,"detail":null}"#, Outcome::Refused),
        (400, r#"{"code":""}"#, Outcome::Refused),
    ] {
        let error = failure(Play::unsigned(status, body)).await;
        assert_error(
            &error,
            ErrorKind::Api,
            outcome,
            &format!("coupon.send: the platform answered {status} < an answer without an error code"),
        );
        assert_eq!(error.body().unwrap(), body);
        let api = error.api().unwrap();
        assert_eq!((api.status(), api.code(), api.message(), api.detail()), (status, None, "", None));
    }
}

#[tokio::test]
async fn the_detail_of_an_error_is_kept_as_it_came() {
    let body = r#"{"code":"PARAM_ERROR","message":"x","detail":{"field":"/stock_use_rule/max_coupons","value":4,"new":[1]}}"#;
    let error = failure(Play::unsigned(400, body)).await;
    let detail = error.api().unwrap().detail().unwrap();
    assert_eq!(detail["field"], "/stock_use_rule/max_coupons");
    assert_eq!(detail["value"], 4);
    assert_eq!(detail["new"][0], 1);
}

#[tokio::test]
async fn an_error_says_whether_it_proved_to_be_the_platforms() {
    let body = r#"{"code":"RESOURCE_NOT_EXISTS","message":"批次不存在"}"#;
    let signed = || Play::signed(&Platform::by_public_key(), 404, body);
    let forged = signed().header("wechatpay-signature", "WECHATPAY/SIGNTEST/AAAA");
    let partly = Play::unsigned(404, body).header("wechatpay-serial", "0A");
    let foreign = Play::signed(&Platform::by_certificate_1(), 404, body);
    let failed = " (its signature does not hold)";
    for (play, authenticity, outcome, mark) in [
        (signed(), Authenticity::Verified, Outcome::Refused, ""),
        (Play::unsigned(404, body), Authenticity::Unsigned, Outcome::Refused, ""),
        (partly, Authenticity::Unsigned, Outcome::Refused, ""),
        (forged, Authenticity::Failed, Outcome::Unknown, failed),
        (foreign, Authenticity::Failed, Outcome::Unknown, failed),
    ] {
        let error = failure(play).await;
        let expected =
            format!("coupon.send: the platform answered 404 < RESOURCE_NOT_EXISTS: 批次不存在{mark}");
        assert_error(&error, ErrorKind::Api, outcome, &expected);
        assert_eq!(error.is_retryable(), authenticity == Authenticity::Failed);
        assert_eq!(error.api().map(ApiError::authenticity), Some(authenticity));
    }
}

#[tokio::test]
async fn a_success_that_does_not_verify_is_neither_success_nor_refusal() {
    let probe = "WECHATPAY/SIGNTEST/AAAA";
    let missing = |name: &'static str| {
        Play::ok("{}").edit(move |headers| {
            headers.remove(name);
        })
    };
    let cases = [
        (Play::unsigned(200, "{}"), "the header Wechatpay-Timestamp is missing"),
        (missing("wechatpay-timestamp"), "the header Wechatpay-Timestamp is missing"),
        (missing("wechatpay-nonce"), "the header Wechatpay-Nonce is missing"),
        (missing("wechatpay-signature"), "the header Wechatpay-Signature is missing"),
        (missing("wechatpay-serial"), "the header Wechatpay-Serial is missing"),
        (Play::ok("{}").header("wechatpay-nonce", "other"), "the signature does not hold"),
        (
            Play::ok("{}").header("wechatpay-signature", probe),
            "the signature does not hold: it is a signature probe of the platform",
        ),
        (
            Play::ok("{}").header("wechatpay-serial", "0A11"),
            "signed with the key 0A11, which is not among the platform keys held",
        ),
        (
            Play::ok("{}").header("wechatpay-timestamp", "1749999700"),
            "signed -300 s ahead of our clock, and the limit is 300 s either way; check the clock of this machine",
        ),
        (
            Play::ok("{}").header("wechatpay-signature-type", "WECHATPAY2-SM2-WITH-SM3"),
            "signed as \"WECHATPAY2-SM2-WITH-SM3\", and only WECHATPAY2-SHA256-RSA2048 is supported",
        ),
    ];
    for (play, words) in cases {
        let error = failure(play.header("request-id", "r-0")).await;
        assert_error(
            &error,
            ErrorKind::Verification,
            Outcome::Unknown,
            &format!("coupon.send: the answer cannot be trusted (request id r-0) < {words}"),
        );
        assert!(error.is_retryable());
        assert_eq!(error.verification_error().map(VerifyError::to_string).as_deref(), Some(words));
        assert_eq!(error.body().unwrap(), "{}");
        assert!(error.api().is_none());
    }
}

#[tokio::test]
async fn an_answer_that_may_be_unsigned_must_still_verify_when_it_is_signed() {
    for (play, words) in [
        (Play::ok("{}").header("wechatpay-nonce", "other"), "the signature does not hold"),
        (
            Play::unsigned(200, "{}").header("wechatpay-serial", "0A"),
            "the header Wechatpay-Timestamp is missing",
        ),
    ] {
        let error = failure_of(&link(), play).await;
        let expected = format!("stock.use_flow: the answer cannot be trusted < {words}");
        assert_error(&error, ErrorKind::Verification, Outcome::Unknown, &expected);
    }
}

#[tokio::test]
async fn an_oversized_answer_is_not_taken_into_memory() {
    let large: String = "x".repeat(1001);
    for status in [200, 500] {
        let error = failure(Play::unsigned(status, large.clone())).await;
        assert_error(
            &error,
            ErrorKind::TooLarge,
            Outcome::Unknown,
            "coupon.send: the answer is larger than allowed",
        );
    }
    let fits = failure(Play::unsigned(500, large[1..].to_owned())).await;
    assert_eq!(fits.body().unwrap().len(), 1000);
}

#[tokio::test]
async fn a_persons_data_is_masked_in_the_platforms_words() {
    let play = Play::error(400, "PARAM_ERROR", &format!("openid {OPENID} 与 appid 不匹配: {OPENID}"));
    let error = failure(play).await;
    assert_error(
        &error,
        ErrorKind::Api,
        Outcome::Refused,
        "coupon.send: the platform answered 400 < PARAM_ERROR: openid **** 与 appid 不匹配: ****",
    );
}

#[tokio::test]
async fn reads_and_writes_are_told_apart() {
    let write = failure(Play::fail(TransportFailure::Timeout)).await;
    let read = failure_of(&get(), Play::fail(TransportFailure::Timeout)).await;
    assert!(write.is_write() && !read.is_write());
}

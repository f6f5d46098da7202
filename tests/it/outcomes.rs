//! Every way an answer can be bad, over a real socket: kind, outcome, and what the error says.

use std::time::Duration;

use favor::core::{Authenticity, VerifyError};
use favor::prelude::*;
use favor_mirror::{FaultKind, FaultPlace, FaultRule, Mirror};

use crate::harness::{World, client_of, openid, quick};

async fn failed_get(world: &World, kind: FaultKind) -> Error {
    world.mirror.plan(FaultRule::new(kind).operation("stock.get")).unwrap();
    world.stocks.get(&"15300001".parse().unwrap()).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_that_cannot_be_trusted_is_unknown() {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(10, 5, "s")).await;
    let send = async |kind: FaultKind, number: &str| {
        let rule = FaultRule::new(kind).place(FaultPlace::AfterCommit).operation("coupon.send");
        world.mirror.plan(rule).unwrap();
        let request = world.send_request(&stock_id, number);
        world.coupons.send(&openid(&format!("o-{number}")), &request).await.expect_err(number)
    };
    let cases = [
        (FaultKind::CorruptSignature, VerifyError::WrongSignature),
        (FaultKind::CorruptBody, VerifyError::WrongSignature),
        (FaultKind::Probe, VerifyError::Probe),
        (FaultKind::MissingSignature { header: None }, VerifyError::MissingHeader("Wechatpay-Timestamp")),
        (
            FaultKind::MissingSignature { header: Some("Wechatpay-Signature".into()) },
            VerifyError::MissingHeader("Wechatpay-Signature"),
        ),
    ];
    for (at, (kind, expected)) in cases.into_iter().enumerate() {
        let error = send(kind, &format!("n{at}")).await;
        assert_eq!((error.kind(), error.outcome()), (ErrorKind::Verification, Outcome::Unknown));
        assert_eq!(error.verification_error(), Some(&expected));
        assert!(error.is_retryable());
        assert!(error.hint().contains("same out_request_no"));
    }
    let error = send(FaultKind::WrongSerial, "wrong-serial").await;
    assert!(matches!(error.verification_error(), Some(VerifyError::UnknownKey(_))), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_unknown_and_kept() {
    let world =
        World::with(Mirror::builder(), |client| client.retry(quick(1)).largest_answer(64 << 10)).await;
    let stock_id = world.running(&world.stock_request(10, 5, "s")).await;
    let plan = |kind| {
        let rule = FaultRule::new(kind).place(FaultPlace::AfterCommit).operation("coupon.send");
        world.mirror.plan(rule).unwrap()
    };
    let send = async |number: &str| {
        world.coupons.send(&openid("oTea1"), &world.send_request(&stock_id, number)).await.expect_err(number)
    };

    plan(FaultKind::NotJson);
    let error = send("n1").await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Decode, Outcome::Unknown));
    assert!(!error.body().unwrap().is_empty(), "the raw answer is at hand");
    assert!(!error.is_retryable(), "it would come the same way again");

    plan(FaultKind::OversizedBody { bytes: 1 << 20 });
    let error = send("n2").await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::TooLarge, Outcome::Unknown));

    plan(FaultKind::TruncatedBody);
    let error = send("n3").await;
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Interrupted, Outcome::Unknown));
}

#[tokio::test]
async fn an_error_answer_keeps_status_and_text_whatever_it_is() {
    let world = World::new().await;
    let error = failed_get(&world, FaultKind::HtmlError).await;
    let api = error.api().unwrap();
    assert_eq!((api.status(), api.code(), error.outcome()), (502, None, Outcome::Unknown));
    assert_eq!(api.authenticity(), Authenticity::Unsigned);
    assert!(String::from_utf8_lossy(error.body().unwrap()).contains("<html"));

    let teapot =
        FaultKind::Status { status: 418, code: "LATER_CODE".into(), message: Some("later\n".into()) };
    let error = failed_get(&world, teapot).await;
    let api = error.api().unwrap();
    assert_eq!((api.status(), api.message(), error.outcome()), (418, "later", Outcome::Refused));
    assert_eq!(api.code().unwrap().as_str(), "LATER_CODE", "an unknown code is kept");
    assert_eq!(api.authenticity(), Authenticity::Verified, "business errors are signed");
    assert!(error.request_id().is_some());
}

/// A refusal counts only when it is the platform's: here it says that the user has had enough, and is forged.
#[tokio::test]
async fn a_refusal_whose_signature_does_not_hold_is_unknown() {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(10, 1, "s")).await;
    world.coupons.send(&openid("oTea1"), &world.send_request(&stock_id, "n1")).await.unwrap();
    let second = world.send_request(&stock_id, "n2");
    for kind in [FaultKind::CorruptSignature, FaultKind::Probe, FaultKind::WrongSerial] {
        world.mirror.plan(FaultRule::new(kind).operation("coupon.send")).unwrap();
        let error = world.coupons.send(&openid("oTea1"), &second).await.unwrap_err();
        assert_eq!(error.api().unwrap().authenticity(), Authenticity::Failed);
        assert_eq!((error.outcome(), error.is_retryable()), (Outcome::Unknown, true));
    }
    let error = world.coupons.send(&openid("oTea1"), &second).await.unwrap_err();
    assert_eq!(
        (error.api().unwrap().authenticity(), error.outcome()),
        (Authenticity::Verified, Outcome::Refused)
    );
}

#[tokio::test]
async fn a_rate_limit_is_refused_and_carries_its_wait() {
    let world = World::new().await;
    let error = failed_get(&world, FaultKind::RateLimited { retry_after: Some(7) }).await;
    assert_eq!(error.outcome(), Outcome::Refused);
    assert!(error.is_retryable());
    assert_eq!(error.api().unwrap().retry_after(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_wrong_key_is_diagnosed() {
    let world = World::new().await;
    // The certificate's serial of this merchant, and the private key of another.
    let other =
        Mirror::builder().merchant(favor_mirror::MerchantSeed::new("1900000208")).start().await.unwrap();
    let foreign = other.merchants().into_iter().find(|one| one.mchid == "1900000208").unwrap();
    let key = PrivateKey::from_pem(&foreign.private_key_pem).unwrap();
    let merchant = world.mirror.merchant();
    let signer = MerchantSigner::new(merchant.mchid.parse().unwrap(), &merchant.serial_no, key).unwrap();
    let keys = PlatformKeys::download(ApiV3Key::new(&merchant.api_v3_key).unwrap());
    let client = Client::builder(signer, keys).base_url(world.mirror.base_url()).build().unwrap();

    let error = Stocks::new(&client).get(&"15300001".parse().unwrap()).await.unwrap_err();
    assert_eq!(
        error.outcome(),
        Outcome::NotSent,
        "the certificates could not be had, so the call never left"
    );
    assert_eq!(error.api().unwrap().status(), 401);
    let diagnosis = error.diagnose().unwrap();
    assert!(diagnosis.findings[0].contains("the private key does not belong"), "{diagnosis}");
}

#[tokio::test]
async fn a_wrong_clock_is_diagnosed() {
    use favor::core::ManualClock;
    let world = World::new().await;
    for (seconds, accepted) in [(-600, false), (-290, true), (290, true), (600, false)] {
        let now = world.client.now().to_utc() + chrono::TimeDelta::seconds(seconds);
        let clock = std::sync::Arc::new(ManualClock::jumping(now));
        let client = client_of(&world.mirror).clock(clock).retry(quick(1)).build().unwrap();
        let error = Stocks::new(&client).get(&"15300001".parse().unwrap()).await.unwrap_err();
        let api = error.api().unwrap();
        if accepted {
            assert_eq!(api.status(), 404, "{seconds} s are within the window");
        } else {
            assert_eq!((api.status(), error.outcome()), (401, Outcome::NotSent));
            let diagnosis = error.diagnose().unwrap();
            assert!(diagnosis.findings[0].starts_with("this machine's clock is"), "{diagnosis}");
        }
    }
}

#[tokio::test]
async fn a_wrong_api_v3_key_is_named() {
    let world = World::new().await;
    let keys = PlatformKeys::download(ApiV3Key::new("x".repeat(32)).unwrap());
    let client = Client::builder(crate::harness::signer(&world.mirror), keys)
        .base_url(world.mirror.base_url())
        .build()
        .unwrap();
    let error = Stocks::new(&client).get(&"15300001".parse().unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Keys, Outcome::NotSent));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("the APIv3 key does not open it"), "{cause}");
}

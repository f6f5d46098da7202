//! Sending a coupon: given, refused, in doubt, repeated.

use std::time::Duration;

use favor::prelude::*;
use favor_mirror::{FaultKind, FaultPlace, FaultRule, Mirror};

use crate::harness::{World, client_of_other, openid, quick, refusal, seed};

#[tokio::test]
async fn a_coupon_is_sent_and_found_again() {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(10, 1, "s")).await;
    let person = openid("oTea-_1");
    let sent = world.coupons.send(&person, &world.send_request(&stock_id, "n1")).await.unwrap();
    assert!(sent.request_id().is_some());
    assert!(sent.response().signed_by.is_some(), "the answer was verified");

    let coupon = world.coupons.get(&person, &sent.coupon_id, &world.appid).await.unwrap();
    assert_eq!(coupon.status, CouponStatus::Sent);
    assert_eq!(coupon.stock_id, stock_id);
    assert_eq!(coupon.normal_coupon_information.as_ref().unwrap().coupon_amount, Fen::new(500).unwrap());
    assert!(coupon.consume_information.is_none());
    assert!(world.attempts.lock().unwrap().iter().all(|(_, _, verified)| *verified));
}

#[tokio::test]
async fn each_refusal_is_refused_and_says_why() {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(10, 1, "s")).await;
    let person = openid("oTea1");
    world.coupons.send(&person, &world.send_request(&stock_id, "n1")).await.unwrap();
    let send = async |person: &OpenId, request: &SendCoupon| {
        refusal(&world.coupons.send(person, request).await.expect_err("refused"))
    };
    let refused = |status, code: &str| (status, code.to_owned(), Outcome::Refused);

    let again = world.send_request(&stock_id, "n2");
    assert_eq!(send(&person, &again).await, refused(403, "REQUEST_BLOCKED"), "limit per user");
    let reused = world.send_request(&stock_id, "n1");
    assert_eq!(
        send(&openid("oTea2"), &reused).await,
        refused(400, "INVALID_REQUEST"),
        "number of another send"
    );
    let nowhere = world.send_request(&"999".parse().unwrap(), "n3");
    assert_eq!(send(&person, &nowhere).await, refused(404, "RESOURCE_NOT_EXISTS"));
    let mut foreign = world.send_request(&stock_id, "n4");
    foreign.appid = "wxforeign".parse().unwrap();
    assert_eq!(send(&person, &foreign).await, refused(400, "APPID_MCHID_NOT_MATCH"));
    world.mirror.mark_user_abnormal("oBad").await.unwrap();
    let bad = world.send_request(&stock_id, "n5");
    assert_eq!(send(&openid("oBad"), &bad).await, refused(403, "USER_ACCOUNT_ABNORMAL"));
    let valued = world.send_request(&stock_id, "n6").value(Fen::new(1).unwrap(), Fen::new(2).unwrap());
    assert_eq!(send(&openid("oTea3"), &valued).await, refused(400, "PARAM_ERROR"));

    world.mirror.advance(Duration::from_secs(31 * 86_400)).await.unwrap();
    let late = world.send_request(&stock_id, "n7");
    assert_eq!(send(&openid("oTea4"), &late).await.2, Outcome::Refused, "the window has ended");
    let repeat = world.coupons.send(&person, &world.send_request(&stock_id, "n1")).await;
    assert!(repeat.is_ok(), "a repeat of a done send still succeeds");
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_same_number_settles_it() {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(10, 5, "s")).await;
    let (person, request) = (openid("oTea1"), world.send_request(&stock_id, "n1"));
    let lost = |place| FaultRule::new(FaultKind::Cut).place(place).operation("coupon.send");

    world.mirror.plan(lost(FaultPlace::AfterCommit)).unwrap();
    let error = world.coupons.send(&person, &request).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Interrupted, Outcome::Unknown));
    assert_eq!(world.stocks.get(&stock_id).await.unwrap().distributed_coupons, 1, "the work was done");

    world.mirror.plan(lost(FaultPlace::BeforeCommit)).unwrap();
    let error = world.coupons.send(&person, &request).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Interrupted, Outcome::Unknown));

    let first = world.coupons.send(&person, &request).await.unwrap();
    let second = world.coupons.send(&person, &request).await.unwrap();
    assert_eq!(first.coupon_id, second.coupon_id);
    assert_eq!(world.stocks.get(&stock_id).await.unwrap().distributed_coupons, 1, "and done once");
}

#[tokio::test]
async fn the_client_settles_a_lost_answer_by_itself() {
    let world = World::with(Mirror::builder(), |client| client.retry(quick(3))).await;
    let stock_id = world.running(&world.stock_request(10, 5, "s")).await;
    for kind in [
        FaultKind::Cut,
        FaultKind::TruncatedBody,
        FaultKind::Probe,
        FaultKind::CorruptSignature,
        FaultKind::CorruptBody,
        FaultKind::HtmlError,
        FaultKind::Status { status: 500, code: "SYSTEM_ERROR".into(), message: None },
    ] {
        let name = kind.name();
        let before = world.stocks.get(&stock_id).await.unwrap().distributed_coupons;
        let attempts = world.attempts_at("coupon.send");
        world
            .mirror
            .plan(FaultRule::new(kind).place(FaultPlace::AfterCommit).operation("coupon.send").times(2))
            .unwrap();
        let request = world.send_request(&stock_id, &format!("n-{name}"));
        world.coupons.send(&openid(&format!("o-{name}")), &request).await.unwrap();
        assert_eq!(world.attempts_at("coupon.send") - attempts, 3, "{name}");
        let after = world.stocks.get(&stock_id).await.unwrap().distributed_coupons;
        assert_eq!(after - before, 1, "{name}: one coupon for three attempts");
    }
}

#[tokio::test]
async fn what_the_request_breaks_is_said_before_anything_is_sent() {
    let world = World::new().await;
    let mut request = world.send_request(&"15300001".parse().unwrap(), "n1");
    request.coupon_value = Some(Fen::new(1).unwrap());
    let error = world.coupons.send(&openid("oTea1"), &request).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::InvalidRequest, Outcome::NotSent));
    assert_eq!(error.invalid_request().unwrap().violations()[0].field, "coupon_minimum");
    assert_eq!(world.attempts_at("coupon.send"), 0);
}

#[tokio::test]
async fn another_merchant_sends_only_with_authority() {
    let sender = seed("1900000208", "wx00000000000000bb", 0);
    let world = World::with(Mirror::builder().merchant(sender), |client| client).await;
    let stock_id = world.running(&world.stock_request(10, 5, "s")).await;
    let (client, appid) = client_of_other(&world.mirror, "1900000208");
    let mut request = world.send_request(&stock_id, "n1");
    request.appid = appid;
    let coupons = Coupons::new(&client);

    let error = coupons.send(&openid("oB1"), &request).await.unwrap_err();
    assert_eq!(refusal(&error), (403, "REQUEST_BLOCKED".into(), Outcome::Refused));
    world.mirror.authorise_sender(stock_id.as_str(), "1900000208").await.unwrap();
    coupons.send(&openid("oB1"), &request).await.unwrap();
    let creator = world.client.merchant_id().clone();
    let stock = Stocks::created_by(&client, creator).get(&stock_id).await.unwrap();
    assert_eq!(stock.distributed_coupons, 1, "a sender may query the stock of its creator");
}

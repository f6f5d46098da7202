//! Audits: the ledger against the mirror.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use favor_campaign::{
    AuditError, AuditOptions, AuditReport, Books as _, Campaign, DifferenceKind, Ledger as _, Order, audit,
};
use favor_core::CouponId;
use favor_mirror::{FaultKind, FaultRule, Redeem};

use crate::world::{Told, World, person};

fn failing() -> FaultKind {
    FaultKind::Status { status: 500, code: "SYSTEM_ERROR".into(), message: None }
}

/// Audits, and sees that nothing is sent.
async fn run(world: &World, campaign: &Campaign, options: AuditOptions) -> AuditReport {
    let given = async || {
        let stock = world.stocks.get(&campaign.manifest.stock_id).await.unwrap();
        stock.distributed_coupons
    };
    let before = given().await;
    let report = audit(&world.ledger, campaign, &world.client, options).await.unwrap();
    assert_eq!(given().await, before);
    report
}

fn kinds(report: &AuditReport) -> Vec<(u64, DifferenceKind)> {
    report.differences.iter().map(|difference| (difference.place, difference.kind)).collect()
}

#[tokio::test]
async fn what_was_recorded_as_it_was_is_clean() {
    let world = World::new().await;
    let stock = world.running_stock(100, 2).await;
    let campaign = world.campaign("spring", &stock, 30, 2).await;
    let campaign = world.send_all(&campaign).await;
    // Used ones are listed too.
    let used = world.coupon_of(&campaign, &person(3)).await;
    world.mirror.redeem(used.as_str(), Redeem::default()).await.unwrap();
    let report = run(&world, &campaign, AuditOptions::default()).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.people, report.matching, report.not_listed), (30, 60, 0));
    assert_eq!(report.last_place, Some(29));

    // Expired ones are not, so they are asked for.
    world.mirror.advance(Duration::from_secs(31 * 86_400)).await.unwrap();
    let report = run(&world, &campaign, AuditOptions::default()).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.matching, report.not_listed), (60, 59));
}

#[tokio::test]
async fn each_kind_of_difference_is_found() {
    use DifferenceKind as K;
    let world = World::new().await;
    let stock = world.running_stock(100, 3).await;
    let campaign = world.campaign("spring", &stock, 8, 1).await;
    let made_up: CouponId = "99999".parse().unwrap();
    world
        .send(&campaign, |openid, _, answer| {
            let person_is = |number| *openid == person(number);
            Some(match answer.unwrap() {
                _ if person_is(1) => Told::Refused("RULE_LIMIT".into()),
                _ if person_is(2) => Told::Unknown,
                _ if person_is(3) => return None,
                _ if person_is(4) => Told::Sent(made_up.clone()),
                coupon => Told::Sent(coupon),
            })
        })
        .await;
    // A second coupon, as a runner with a fresh number per try would give.
    let number = "fresh-number".parse().unwrap();
    let merchant = world.client.merchant_id().clone();
    let request = favor_coupon::SendCoupon::new(stock.clone(), number, world.appid.clone(), merchant);
    world.coupons.send(&person(5), &request).await.unwrap();
    let campaign = world.again(&campaign.manifest.name).await;

    let told = Arc::new(Mutex::new(0));
    let count = told.clone();
    let options = AuditOptions::default().on_difference(move |_| *count.lock().unwrap() += 1);
    let report = run(&world, &campaign, options).await;
    let expected = [
        (1, K::ThereNotSent),
        (2, K::ThereNotSent),
        (3, K::ThereNotSent),
        (4, K::OtherCoupon),
        (5, K::NotOurs),
        (5, K::TooMany),
    ];
    assert_eq!(kinds(&report), expected);
    assert_eq!((report.difference_count, *told.lock().unwrap()), (6, 6));
    assert!(!report.is_clean());
    assert_eq!(report.differences[4].out_request_no.as_ref().unwrap().as_str(), "fresh-number");
    assert!(!format!("{report:?}").contains("oTea"), "nobody is named");
    let few = run(&world, &campaign, AuditOptions::default().keep(2)).await;
    assert_eq!((few.differences.len(), few.difference_count), (2, 6));
}

#[tokio::test]
async fn a_send_that_never_was_is_found() {
    let world = World::new().await;
    let stock = world.running_stock(100, 3).await;
    let campaign = world.campaign("spring", &stock, 3, 1).await;
    // The platform refuses, and a runner that takes any answer as a coupon writes one down.
    let fault = FaultRule::new(failing()).operation("coupon.send").times(1_000);
    world.mirror.plan(fault).unwrap();
    let made_up = Mutex::new(70_000);
    world
        .send(&campaign, |_, _, answer| {
            let mut next = made_up.lock().unwrap();
            *next += 1;
            Some(Told::Sent(answer.unwrap_or_else(|_| next.to_string().parse().unwrap())))
        })
        .await;
    world.mirror.clear_faults();
    let campaign = world.again(&campaign.manifest.name).await;
    let report = run(&world, &campaign, AuditOptions::default()).await;
    assert!(report.differences.iter().all(|difference| difference.kind == DifferenceKind::SentNotThere));
    assert_eq!((report.difference_count, report.matching), (3, 0), "{report:?}");
}

#[tokio::test]
async fn a_sample_is_the_same_for_a_seed_and_can_be_gone_on_with() {
    let world = World::new().await;
    let stock = world.running_stock(100, 1).await;
    let campaign = world.campaign("spring", &stock, 90, 1).await;
    let campaign = world.send_all(&campaign).await;
    let places = |options: AuditOptions| {
        let (world, campaign) = (&world, &campaign);
        async move {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let listener = seen.clone();
            let options = options.progress(move |progress| {
                listener.lock().unwrap().push(progress.last_place);
                ControlFlow::Continue(())
            });
            assert!(run(world, campaign, options).await.is_clean());
            let seen = seen.lock().unwrap().clone();
            seen
        }
    };
    let all = places(AuditOptions::default()).await;
    assert_eq!(all, (0..90).collect::<Vec<_>>());
    // Far apart and close together are read in different ways.
    for count in [3, 30] {
        let sample = AuditOptions::default().sample(count, 7);
        let chosen = places(sample.clone()).await;
        assert_eq!(u64::try_from(chosen.len()).unwrap(), count);
        assert!(chosen.is_sorted());
        assert_eq!(chosen, places(sample.clone()).await);
        assert_ne!(chosen, places(AuditOptions::default().sample(count, 8)).await);
        assert_eq!(chosen[2..], places(sample.after(chosen[1])).await);
    }

    let options = AuditOptions::default().progress(|progress| match progress.people {
        10 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let report = run(&world, &campaign, options).await;
    assert_eq!((report.people, report.last_place, report.ended_early), (10, Some(9), true));
    let rest = run(&world, &campaign, AuditOptions::default().after(9)).await;
    assert_eq!((rest.people, rest.is_clean()), (80, true));
}

#[tokio::test]
async fn people_who_cannot_be_read_are_counted_and_not_taken_as_clean() {
    let world = World::new().await;
    let stock = world.running_stock(100, 1).await;
    let campaign = world.campaign("spring", &stock, 60, 1).await;
    let campaign = world.send_all(&campaign).await;
    let fault = FaultRule::new(failing()).operation("coupon.list").openid(person(7).as_str());
    world.mirror.plan(fault).unwrap();
    let report = run(&world, &campaign, AuditOptions::default()).await;
    assert_eq!((report.unreadable_count, report.matching, report.is_clean()), (1, 59, false));
    assert_eq!(report.unreadable[0].place, 7);
    world.mirror.clear_faults();

    world.mirror.plan(FaultRule::new(failing()).operation("coupon.list").times(1_000)).unwrap();
    let report = run(&world, &campaign, AuditOptions::default()).await;
    assert_eq!((report.unreadable_count, report.ended_early, report.given_up), (50, true, true));
    world.mirror.clear_faults();

    world.ledger.order(campaign.id, Order::Finish).await.ok();
    world.ledger.order(campaign.id, Order::Stop).await.ok();
    world.ledger.purge(campaign.id).await.unwrap();
    let error = audit(&world.ledger, &campaign, &world.client, AuditOptions::default()).await.unwrap_err();
    assert!(matches!(error, AuditError::Purged), "{error}");
}

//! How often a merchant may call.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use favor_campaign::{LedgerError, LimitKey, Reservation};
use favor_core::{MerchantId, Timestamp};
use futures_util::future::join_all;

use super::Place;

/// What the ledger rounds, and what passes between its clock and ours when they are read.
const ROUNDED: Duration = Duration::from_millis(2);

fn limit(api: &str) -> LimitKey {
    LimitKey { merchant_id: MerchantId::new("1900000001").unwrap(), api: api.to_owned() }
}

/// A reservation, and between which moments its first call is due.
struct Seen {
    reserved: Reservation,
    earliest: Timestamp,
    latest: Timestamp,
}

impl Seen {
    fn length(&self) -> Duration {
        self.reserved.spacing * self.reserved.calls
    }
}

fn add(at: Timestamp, by: Duration) -> Timestamp {
    at + TimeDelta::from_std(by).unwrap()
}

async fn reserve(place: &dyn Place, limit: &LimitKey, most: u32) -> Seen {
    let before = place.now().await;
    let reserved = place.books().reserve(limit, most).await.unwrap();
    let after = place.now().await;
    assert!(reserved.calls >= 1 && reserved.calls <= most, "{reserved:?}");
    Seen { reserved, earliest: add(before, reserved.first_in), latest: add(after, reserved.first_in) }
}

/// The spacing of a rate per second, in thousandths.
fn spacing(rate: u64) -> Duration {
    Duration::from_nanos(1_000_000_000_000 / rate)
}

#[track_caller]
fn assert_rate(reserved: &Reservation, least: u64, most: u64) {
    let tolerance = Duration::from_micros(2);
    let is_near =
        reserved.spacing + tolerance >= spacing(most) && reserved.spacing <= spacing(least) + tolerance;
    assert!(is_near, "{reserved:?} is not between {least} and {most} thousandths");
}

pub(crate) async fn reserved_calls_do_not_overlap(place: &dyn Place) {
    let (books, limit) = (place.books(), limit("coupon.send"));
    books.set_rate(&limit, 100).await.unwrap();
    let mut last: Option<Seen> = None;
    for most in [10, 1, 25, 3, 10, 40, 10] {
        let next = reserve(place, &limit, most).await;
        assert_eq!(next.reserved.calls, most);
        assert_rate(&next.reserved, 100_000, 100_000);
        if let Some(last) = last {
            assert!(add(next.latest, ROUNDED) >= add(last.earliest, last.length()), "they overlap");
            // Nor is there a gap, as long as they are asked for in time.
            if add(last.earliest, last.length()) > next.latest {
                assert!(next.earliest <= add(add(last.latest, last.length()), ROUNDED), "a gap");
            }
        }
        last = Some(next);
    }
}

pub(crate) async fn the_rate_is_kept_by_many_tasks(place: &dyn Place) {
    let (books, limit) = (place.books(), limit("coupon.send"));
    books.set_rate(&limit, 1_000).await.unwrap();
    let began = place.now().await;
    let tasks = (0..16).map(|number| {
        let (books, limit) = (Arc::clone(&books), limit.clone());
        tokio::spawn(async move {
            let mut calls = 0;
            for _ in 0..10 {
                calls += books.reserve(&limit, 20 + number).await.unwrap().calls;
            }
            calls
        })
    });
    let calls: u32 = join_all(tasks).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(calls, (0..16).map(|number| (20 + number) * 10).sum::<u32>());
    // None was given twice: the next one is due after all of them.
    let next = reserve(place, &limit, 1).await;
    let wanted = add(began, Duration::from_millis(u64::from(calls)));
    assert!(add(next.latest, ROUNDED) >= wanted, "{} calls are too close", calls);
}

pub(crate) async fn no_more_than_wanted_and_no_more_than_a_second(place: &dyn Place) {
    let (books, limit) = (place.books(), limit("coupon.send"));
    for (rate, most, calls) in
        [(50, 1, 1), (50, 49, 49), (50, 50, 50), (50, 51, 50), (50, u32::MAX, 50), (1, 10, 1)]
    {
        books.set_rate(&limit, rate).await.unwrap();
        let seen = reserve(place, &limit, most).await;
        assert_eq!(seen.reserved.calls, calls, "{most} at {rate}");
        assert_rate(&seen.reserved, u64::from(rate) * 1_000, u64::from(rate) * 1_000);
    }
    assert_eq!(books.reserve(&limit, 0).await.unwrap().calls, 1, "at least one");
}

pub(crate) async fn what_was_not_used_is_lost(place: &dyn Place) {
    let (books, limit) = (place.books(), limit("coupon.send"));
    books.set_rate(&limit, 10).await.unwrap();
    reserve(place, &limit, 10).await;
    place.pass(Duration::from_secs(60)).await;
    // A minute without calls does not add up to a burst.
    let first = reserve(place, &limit, 10).await;
    assert!(first.reserved.first_in <= Duration::from_millis(1), "{:?}", first.reserved);
    let second = reserve(place, &limit, 10).await;
    assert!(add(second.latest, ROUNDED) >= add(first.earliest, first.length()));
}

pub(crate) async fn slowed_down_and_up_again(place: &dyn Place) {
    let (books, limit) = (place.books(), limit("coupon.send"));
    books.set_rate(&limit, 100).await.unwrap();
    books.slow_down(&limit).await.unwrap();
    // It climbs by one in a second; a slow machine may let some seconds pass.
    assert_rate(&reserve(place, &limit, 1).await.reserved, 70_000, 85_000);
    place.pass(Duration::from_secs(10)).await;
    assert_rate(&reserve(place, &limit, 1).await.reserved, 80_000, 95_000);
    books.slow_down(&limit).await.unwrap();
    assert_rate(&reserve(place, &limit, 1).await.reserved, 56_000, 70_000);
    // The same rate set again, as every runner does when it starts, changes nothing.
    books.set_rate(&limit, 100).await.unwrap();
    assert_rate(&reserve(place, &limit, 1).await.reserved, 56_000, 70_000);
    place.pass(Duration::from_secs(60)).await;
    assert_rate(&reserve(place, &limit, 1).await.reserved, 100_000, 100_000);
    for _ in 0..40 {
        place.pass(Duration::from_secs(1)).await;
        books.slow_down(&limit).await.unwrap();
    }
    let slowest = reserve(place, &limit, 10).await.reserved;
    assert_rate(&slowest, 900, 10_000);
    place.pass(Duration::from_secs(99)).await;
    assert_rate(&reserve(place, &limit, 1).await.reserved, 100_000, 100_000);
}

pub(crate) async fn once_a_second_at_most(place: &dyn Place) {
    let (books, limit) = (place.books(), limit("coupon.send"));
    books.set_rate(&limit, 100).await.unwrap();
    let began = place.now().await;
    // Many workers are told at the same time.
    let told = join_all((0..16).map(|_| books.slow_down(&limit))).await;
    assert!(told.into_iter().all(|told| told.is_ok()));
    let seconds = place.now().await.signed_duration_since(began).num_seconds();
    if seconds == 0 {
        assert_rate(&reserve(place, &limit, 1).await.reserved, 70_000, 85_000);
    }
    place.pass(Duration::from_secs(1)).await;
    books.slow_down(&limit).await.unwrap();
    assert_rate(&reserve(place, &limit, 1).await.reserved, 34_000, 65_000);
}

pub(crate) async fn another_rate_starts_at_full(place: &dyn Place) {
    let (books, limit) = (place.books(), limit("coupon.send"));
    books.set_rate(&limit, 100).await.unwrap();
    books.slow_down(&limit).await.unwrap();
    books.set_rate(&limit, 200).await.unwrap();
    assert_rate(&reserve(place, &limit, 1).await.reserved, 200_000, 200_000);
    books.set_rate(&limit, 0).await.unwrap();
    assert_rate(&reserve(place, &limit, 1).await.reserved, 1_000, 1_000);
}

pub(crate) async fn limits_do_not_share(place: &dyn Place) {
    let (books, first) = (place.books(), limit("coupon.send"));
    let others = [
        limit("coupon.list"),
        LimitKey { merchant_id: MerchantId::new("1900000002").unwrap(), ..first.clone() },
    ];
    for limit in [&first, &others[0], &others[1]] {
        books.set_rate(limit, 10).await.unwrap();
    }
    for _ in 0..10 {
        books.reserve(&first, 10).await.unwrap();
    }
    books.slow_down(&first).await.unwrap();
    for other in &others {
        let reserved = books.reserve(other, 1).await.unwrap();
        assert!(reserved.first_in <= Duration::from_millis(1), "{reserved:?}");
        assert_rate(&reserved, 10_000, 10_000);
    }
}

pub(crate) async fn a_limit_needs_a_rate(place: &dyn Place) {
    let (books, limit) = (place.books(), limit("coupon.send"));
    let error = books.reserve(&limit, 1).await.unwrap_err();
    assert!(matches!(&error, LedgerError::Unusable(text) if text.contains("coupon.send")), "{error:?}");
}

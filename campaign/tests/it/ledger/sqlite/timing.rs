//! To the microsecond, by a clock that stands still.

use std::time::Duration;

use favor_campaign::{Claimed, Ledger as _, LimitKey};
use favor_core::MerchantId;
use proptest::prelude::*;

use super::super::contract::{LEASE, Place as _, claim, running, worker};
use super::Filed;

fn limit() -> LimitKey {
    LimitKey { merchant_id: MerchantId::new("1900000001").unwrap(), api: "coupon.send".to_owned() }
}

#[tokio::test]
async fn calls_follow_each_other_exactly() {
    let place = Filed::new().await;
    let micros = |reserved: favor_campaign::Reservation| {
        (reserved.calls, reserved.first_in.as_micros(), reserved.spacing.as_nanos())
    };
    place.ledger.set_rate(&limit(), 400).await.unwrap();
    for (most, first) in [(20, 0), (20, 50_000), (1, 100_000), (20, 102_500)] {
        let reserved = place.ledger.reserve(&limit(), most).await.unwrap();
        assert_eq!(micros(reserved), (most, first, 2_500_000));
    }
    place.pass(Duration::from_micros(52_500)).await;
    let reserved = place.ledger.reserve(&limit(), 4).await.unwrap();
    assert_eq!(micros(reserved), (4, 100_000, 2_500_000));
    place.pass(Duration::from_micros(110_001)).await;
    let reserved = place.ledger.reserve(&limit(), 1).await.unwrap();
    assert_eq!(micros(reserved), (1, 0, 2_500_000), "what was not used is lost");
    // A rate that does not divide a second is rounded down.
    place.ledger.set_rate(&limit(), 3).await.unwrap();
    let reserved = place.ledger.reserve(&limit(), 3).await.unwrap();
    assert_eq!(micros(reserved), (3, 2_500, 333_333_334));
    let reserved = place.ledger.reserve(&limit(), 1).await.unwrap();
    assert_eq!(micros(reserved).1, 1_002_501);
}

#[tokio::test]
async fn a_rate_falls_and_climbs_exactly() {
    let place = Filed::new().await;
    place.ledger.set_rate(&limit(), 1_000).await.unwrap();
    let rate = async || 1_000_000_000 / place.ledger.reserve(&limit(), 1).await.unwrap().spacing.as_nanos();
    for expected in [700, 497, 354, 254, 184] {
        // The pauses are long enough for another fall, and climb by ten.
        place.ledger.slow_down(&limit()).await.unwrap();
        place.ledger.slow_down(&limit()).await.unwrap();
        assert!(rate().await.abs_diff(expected) <= 1, "{expected}");
        place.pass(Duration::from_secs(1)).await;
    }
    for seconds in 2..=82 {
        assert!(rate().await.abs_diff(184 + (seconds - 1) * 10) <= 1);
        place.pass(Duration::from_secs(1)).await;
    }
    assert!(rate().await.abs_diff(1_000) <= 1);
}

#[tokio::test]
async fn a_clock_that_was_set_back_holds_up_nothing() {
    let place = Filed::new().await;
    let campaign = running(&*place.books(), "back", 2, 2, 1).await;
    claim(&*place.books(), campaign, 1).await;
    place.ledger.set_rate(&limit(), 10).await.unwrap();
    let reserved = place.ledger.reserve(&limit(), 10).await.unwrap();
    // As if all of it had been written a day later.
    let day = 86_400_000_000_i64;
    place.sql().execute("UPDATE limits SET next_at = next_at + ?1", [day]).unwrap();
    place.sql().execute("UPDATE chunks SET due = due + ?1", [day / 1_000]).unwrap();
    let next = place.ledger.reserve(&limit(), 10).await.unwrap();
    assert_eq!((next.first_in, next.spacing), (Duration::ZERO, reserved.spacing));
    place.sql().execute("UPDATE limits SET next_at = next_at + 500000000", []).unwrap();
    let again = place.open_again().await;
    assert!(again.reserve(&limit(), 1).await.unwrap().first_in <= Duration::from_secs(1));
    assert!(matches!(again.claim(campaign, &worker(1), LEASE).await.unwrap(), Claimed::Chunk(_)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is asked for and whenever, no window of a second has more calls than the rate, and one call more since
    /// both its ends may have one.
    #[test]
    fn no_second_has_more_calls_than_the_rate(
        rate in 1_u32..600,
        steps in proptest::collection::vec((1_u32..80, 0_u64..300_000), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let calls = runtime.block_on(async {
            let place = Filed::new().await;
            place.ledger.set_rate(&limit(), rate).await.unwrap();
            let (mut calls, mut now) = (Vec::new(), Duration::ZERO);
            for (most, pass) in steps {
                let reserved = place.ledger.reserve(&limit(), most).await.unwrap();
                calls.extend((0..reserved.calls).map(|call| now + reserved.first_in + reserved.spacing * call));
                place.pass(Duration::from_micros(pass)).await;
                now += Duration::from_micros(pass);
            }
            calls
        });
        prop_assert!(calls.is_sorted());
        for (number, first) in calls.iter().enumerate() {
            let within = calls[number..].iter().take_while(|call| **call < *first + Duration::from_secs(1)).count();
            prop_assert!(within <= usize::try_from(rate).unwrap() + 1, "{within} at {rate}");
        }
    }
}

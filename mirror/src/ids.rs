//! Where ids begin, and the ids of requests.
//!
//! Stocks, coupons, payments and refunds are numbered one after the other. A seed decides where the counting
//! begins, so that the same calls give the same ids in each run, and two seeds give different ones.

use std::sync::Mutex;

use aws_lc_rs::digest;

use crate::lock;
use crate::random;

/// The first id of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FirstIds {
    /// 8 digits.
    pub(crate) stock: i64,
    /// 14 digits.
    pub(crate) coupon: i64,
    /// Ends the `transaction_id`, with 10 digits.
    pub(crate) redemption: i64,
    /// Ends the number of the refund.
    pub(crate) refund: i64,
}

impl FirstIds {
    pub(crate) fn of(seed: u64) -> Self {
        let number = |kind: &str, span: u64| {
            let bytes = derived(kind, seed, 0);
            let first = bytes[..8].iter().fold(0, |number, byte| (number << 8) | u64::from(*byte));
            i64::try_from(first % span).unwrap_or(0)
        };
        // Each span leaves room to count on in without a further digit.
        Self {
            stock: 10_000_001 + number("stock", 80_000_000),
            coupon: 10_000_000_000_001 + number("coupon", 80_000_000_000_000),
            redemption: 1 + number("redemption", 8_000_000_000),
            refund: 1 + number("refund", 1_000_000_000_000_000),
        }
    }
}

/// Makes the `Request-ID` of each answer.
#[derive(Debug, Default)]
pub(crate) struct RequestIds(Mutex<Option<Counter>>);

#[derive(Debug)]
struct Counter {
    seed: u64,
    last: u64,
}

impl RequestIds {
    /// Random ones without a seed; with one, those of the first, second, third … answer of a run.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(Mutex::new(seed.map(|seed| Counter { seed, last: 0 })))
    }

    /// Ends in the number of the outcome.
    pub(crate) fn next(&self, number: u32) -> String {
        let counted = lock::mutex(&self.0).as_mut().map(|counter| {
            counter.last += 1;
            (counter.seed, counter.last)
        });
        let unique = match counted {
            Some((seed, count)) => random::encode_hex(&derived("request", seed, count)[..20]),
            None => random::hex::<20>(),
        };
        format!("08{unique}-{number}")
    }

    /// Goes on with another seed, or without.
    pub(crate) fn reseed(&self, seed: Option<u64>) {
        *lock::mutex(&self.0) = seed.map(|seed| Counter { seed, last: 0 });
    }

    /// Begins again.
    pub(crate) fn restart(&self) {
        if let Some(counter) = lock::mutex(&self.0).as_mut() {
            counter.last = 0;
        }
    }
}

/// Letters and digits, at most 32, made from a seed and a number.
pub(crate) fn text(purpose: &str, seed: u64, number: i64, length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let bytes = derived(purpose, seed, number.unsigned_abs());
    bytes.iter().take(length).map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

/// Decimal digits, at most 32, made from a seed and a number.
pub(crate) fn digits(purpose: &str, seed: u64, number: i64, length: usize) -> String {
    let bytes = derived(purpose, seed, number.unsigned_abs());
    bytes.iter().take(length).map(|byte| char::from(b'0' + byte % 10)).collect()
}

fn derived(purpose: &str, seed: u64, count: u64) -> [u8; 32] {
    let text = format!("favor-mirror {purpose} {seed} {count}");
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_ids_and_two_seeds_different_ones() {
        assert_eq!(FirstIds::of(7), FirstIds::of(7));
        let (one, other) = (FirstIds::of(7), FirstIds::of(8));
        assert!(one.stock != other.stock && one.coupon != other.coupon);
        assert!(one.redemption != other.redemption && one.refund != other.refund);
        for seed in 0..500 {
            let first = FirstIds::of(seed);
            assert_eq!((first.stock.to_string().len(), first.coupon.to_string().len()), (8, 14), "{seed}");
            assert!((1..=8_000_000_000).contains(&first.redemption) && first.refund > 0, "{seed}");
        }
    }

    #[test]
    fn request_ids_end_in_the_number_and_repeat_only_with_a_seed() {
        let random = RequestIds::default();
        assert!(random.next(0).ends_with("-0"));
        assert_ne!(random.next(0), random.next(0));
        let (one, other) = (RequestIds::new(Some(7)), RequestIds::new(Some(7)));
        let first = one.next(0);
        assert_eq!(first, other.next(0));
        assert_ne!(first, one.next(0));
        one.restart();
        assert_eq!(first, one.next(0));
        assert_ne!(first, RequestIds::new(Some(8)).next(0));
    }
}

//! The documented limits of a stock (spec §3.1, Appendix A), in one place.

use std::ops::RangeInclusive;

use chrono::TimeDelta;

pub(crate) const NAME: RangeInclusive<usize> = 1..=20;
/// Characters that a name must not hold.
pub(crate) const NOT_IN_NAME: [char; 4] = ['_', ',', ';', '|'];
pub(crate) const COMMENT: RangeInclusive<usize> = 1..=60;
pub(crate) const EXT_INFO: RangeInclusive<usize> = 1..=128;
pub(crate) const DESCRIPTION: RangeInclusive<usize> = 1..=1000;
pub(crate) const MERCHANT_NAME: RangeInclusive<usize> = 1..=36;
pub(crate) const IMAGE_URL: RangeInclusive<usize> = 1..=128;
/// A merchant id in a request has at most 20 digits.
pub(crate) const MERCHANT_ID_BYTES: usize = 20;

pub(crate) const MAX_COUPONS: RangeInclusive<u64> = 5..=10_000_000;
pub(crate) const MAX_AMOUNT_FEN: RangeInclusive<i64> = 1..=10_000_000_000;
/// One older text says 100; the spec asks to send at most 60.
pub(crate) const PER_USER: RangeInclusive<u32> = 1..=60;
pub(crate) const FACE_VALUE_FEN: RangeInclusive<i64> = 2..=100_000;

/// The window may begin this long before now: the two clocks differ a little.
pub(crate) const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(60);
pub(crate) const BEGINS_WITHIN: TimeDelta = TimeDelta::days(365);
pub(crate) const LONGEST_WINDOW: TimeDelta = TimeDelta::days(90);

pub(crate) const LIST: RangeInclusive<usize> = 0..=50;
pub(crate) const MERCHANTS: RangeInclusive<usize> = 1..=50;
pub(crate) const ENTRY: RangeInclusive<usize> = 1..=128;
pub(crate) const CARD_NAME: RangeInclusive<usize> = 1..=4;
pub(crate) const CARD_BINS: RangeInclusive<usize> = 1..=10;
pub(crate) const CARD_BIN_DIGITS: RangeInclusive<usize> = 6..=9;

pub(crate) const WEEK_DAY: RangeInclusive<u8> = 0..=6;
pub(crate) const DAY_BEGIN: RangeInclusive<u32> = 0..=86_400;
pub(crate) const DAY_END: RangeInclusive<u32> = 1..=86_399;

pub(crate) const STOCKS_PAGE: u32 = 10;
pub(crate) const MERCHANTS_PAGE: u32 = 50;
pub(crate) const ITEMS_PAGE: u32 = 100;

pub(crate) const IMAGE_BYTES: usize = 2 << 20;

//! The stock that the demo and a trigger make on a mirror.

use chrono::TimeDelta;
use favor_core::{Client, Fen, FixedNormalCoupon, OutRequestNo, Timestamp};
use favor_stock::{CouponRule, CreateStock, StockRule};

pub(crate) const FACE_VALUE_FEN: i64 = 500;
const THRESHOLD_FEN: i64 = 3000;
/// The fewest coupons a stock may have.
const SMALLEST: u64 = 5;

/// A stock of so many coupons, one for each person, for thirty days from `begin`.
pub(crate) fn request(
    client: &Client,
    name: &str,
    begin: Timestamp,
    coupons: u32,
    number: OutRequestNo,
) -> anyhow::Result<CreateStock> {
    let coupons = u64::from(coupons).max(SMALLEST);
    let face = Fen::new(FACE_VALUE_FEN)?;
    let merchant = client.merchant_id().clone();
    Ok(CreateStock::no_cash(
        name,
        merchant.clone(),
        begin..begin + TimeDelta::days(30),
        StockRule::new(coupons, face.checked_mul(coupons)?, 1),
        CouponRule::normal(FixedNormalCoupon::new(face, Fen::new(THRESHOLD_FEN)?), [merchant]),
        number,
    ))
}

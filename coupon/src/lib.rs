#![doc = include_str!("../README.md")]

mod derive;
mod model;
mod send;
mod service;

pub use derive::DerivedNumbers;
pub use model::{Coupon, CouponStatus};
pub use send::{SendCoupon, SentCoupon};
pub use service::Coupons;

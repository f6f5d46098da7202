#![doc = include_str!("../README.md")]

mod derive;
mod list;
mod model;
mod send;
mod service;

pub use derive::DerivedNumbers;
pub use favor_core::CouponStatus;
pub use list::{ListCoupons, ListIssued};
pub use model::Coupon;
pub use send::{SendCoupon, SentCoupon};
pub use service::Coupons;

#![doc = include_str!("../README.md")]

pub use favor_callback as callback;
#[cfg(feature = "campaign")]
pub use favor_campaign as campaign;
#[cfg(feature = "card")]
pub use favor_card as card;
pub use favor_core as core;
pub use favor_coupon as coupon;
pub use favor_stock as stock;

/// What most programs need, in one import.
pub mod prelude {
    pub use favor_callback::{
        CallbackAddress, Notification, NotifyUrl, Payload, Receiver, Recipient, Rejection,
    };
    pub use favor_core::{
        ApiV3Key, AppId, Certificate, Client, CouponId, Error, ErrorKind, Fen, FixedNormalCoupon, MerchantId,
        MerchantSigner, OpenId, OutRequestNo, Outcome, PlatformKeys, PrivateKey, PublicKey, Reply, StockId,
        Timestamp,
    };
    pub use favor_coupon::{Coupon, CouponStatus, Coupons, DerivedNumbers, SendCoupon, SentCoupon};
    pub use favor_stock::{CouponRule, CreateStock, CreatedStock, Stock, StockRule, StockStatus, Stocks};
}

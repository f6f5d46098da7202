//! The call that `Coupons::send` makes, for benches that stop before the network.

use favor_core::sign::Stamp;
use favor_core::{Call, OpenId, Operation, Verb};
use favor_coupon::SendCoupon;

static SEND: Operation =
    Operation::new("coupon.send", Verb::Post, "/v3/marketing/favor/users/{openid}/coupons");

pub(crate) fn call(openid: &OpenId, request: &SendCoupon) -> Call {
    Call::to(&SEND)
        .private_segment("openid", openid.as_str())
        .json(request)
        .finish()
        .expect("the request is in order")
}

/// A time and nonce of the usual lengths.
pub(crate) fn stamp() -> Stamp {
    Stamp { timestamp: 1_750_000_000, nonce: "Qw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz1Xc".to_owned() }
}

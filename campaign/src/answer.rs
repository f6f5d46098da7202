//! What one attempt to send brought, whatever carried it.

use std::fmt;
use std::time::Duration;

use favor_core::{CouponId, OpenId, Outcome};
use favor_coupon::SendCoupon;
use futures_util::future::BoxFuture;

/// Carries sends: the client in earnest, a model in simulations.
pub trait Sender: fmt::Debug + Send + Sync {
    /// Makes one attempt, without repeats and without pacing of its own: both are the runner's.
    fn send<'a>(&'a self, openid: &'a OpenId, request: &'a SendCoupon) -> BoxFuture<'a, Answer>;
}

/// What one attempt brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The coupon, from an answer whose signature holds; or what went wrong.
    pub result: Result<CouponId, Trouble>,
    /// The platform's `Request-ID`, where there was an answer.
    pub request_id: Option<String>,
}

/// Why an attempt brought no coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is known of it.
    pub outcome: Outcome,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The error's code; for trouble without one, a word in lower case such as `timeout`.
    pub code: String,
    /// What it says, without an openid.
    pub message: String,
    /// How long the platform asked to wait.
    pub retry_after: Option<Duration>,
}

//! The hook for metrics: one report per attempt.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{ErrorKind, Outcome};

/// What one attempt did. Holds no secret and no personal data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt<'a> {
    /// The operation's name, such as `coupon.send`.
    pub operation: &'static str,
    /// 1 for the first attempt of a call.
    pub attempt: u32,
    /// How long it took, signing and verifying included.
    pub took: Duration,
    /// The HTTP status, when it is part of the result.
    pub status: Option<u16>,
    /// How it failed; none when it succeeded.
    pub failure: Option<(ErrorKind, Outcome)>,
    /// Whether the answer's signature was there and holds.
    pub verified: bool,
    /// The platform's id of the call.
    pub request_id: Option<&'a str>,
}

/// A function that is told of each attempt, for metrics. It runs inline, so it must be quick.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Fn(&Attempt<'_>) + Send + Sync>);

impl Observer {
    pub(crate) fn new(observe: impl Fn(&Attempt<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    pub(crate) fn observe(&self, attempt: &Attempt<'_>) {
        (self.0)(attempt);
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}

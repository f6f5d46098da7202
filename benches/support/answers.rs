//! Answers to a send, signed by the platform's key without any code of the library.

use favor_core::{Clock as _, SystemClock};

use crate::keys::PLATFORM;
use crate::raw::{SIGNATURE_BYTES, Signing};

/// One answer and its signature.
pub(crate) struct Answer {
    pub(crate) timestamp: String,
    pub(crate) nonce: String,
    pub(crate) body: String,
    pub(crate) signature: [u8; SIGNATURE_BYTES],
}

/// Signs answers, each with its own coupon and nonce.
pub(crate) struct Platform {
    key: Signing,
    clock: SystemClock,
}

impl Platform {
    pub(crate) fn new() -> Self {
        Self { key: Signing::new(PLATFORM), clock: SystemClock::new() }
    }

    /// The answer that gives out the coupon `number`, signed now.
    pub(crate) fn answer(&self, number: usize) -> Answer {
        let mut answer = Answer {
            timestamp: self.clock.now().timestamp().to_string(),
            nonce: format!("{number:032x}"),
            body: format!("{{\"coupon_id\":\"{number:020}\"}}"),
            signature: [0; SIGNATURE_BYTES],
        };
        answer.signature = self.key.sign(answer.message().as_bytes());
        answer
    }
}

impl Answer {
    /// The message that is signed.
    pub(crate) fn message(&self) -> String {
        let Self { timestamp, nonce, body, .. } = self;
        format!("{timestamp}\n{nonce}\n{body}\n")
    }
}

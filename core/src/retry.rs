//! When to repeat a call, and after what pause.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Outcome};
use crate::random;

/// How often, how long and at what pauses a call is repeated.
///
/// Only what is safe is repeated: idempotent operations, or what surely was not carried out (spec §2.18). Every
/// attempt is signed anew, with the same body and so the same `out_request_no`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// Attempts in all, at least one.
    pub attempts: u32,
    /// The longest first pause; each further pause may be three times as long.
    pub first_pause: Duration,
    /// No pause is longer than this, unless the platform asks for it by `Retry-After`.
    pub longest_pause: Duration,
}

impl RetryPolicy {
    /// Three attempts, pauses of up to 0.5 s and 1.5 s.
    pub const DEFAULT: Self =
        Self { attempts: 3, first_pause: Duration::from_millis(500), longest_pause: Duration::from_secs(10) };

    /// One attempt.
    pub const NONE: Self = Self { attempts: 1, ..Self::DEFAULT };

    /// The same with another number of attempts; zero counts as one.
    pub const fn attempts(self, attempts: u32) -> Self {
        Self { attempts: if attempts == 0 { 1 } else { attempts }, ..self }
    }

    /// Whether a failed attempt may be followed by another, and after what pause.
    pub(crate) fn pause(&self, idempotent: bool, error: &Error, attempt: u32) -> Option<Duration> {
        let safe = match error.outcome() {
            Outcome::NotSent | Outcome::Refused => true,
            Outcome::Unknown => idempotent,
        };
        // The deadline left no time for this attempt, so it leaves none for another.
        let too_late = (error.kind(), error.outcome()) == (ErrorKind::Timeout, Outcome::NotSent);
        if attempt >= self.attempts || !safe || !error.is_retryable() || too_late {
            return None;
        }
        let longest =
            self.first_pause.saturating_mul(3u32.saturating_pow(attempt - 1)).min(self.longest_pause);
        let pause = random::between(longest / 2, longest);
        let asked = error.api().and_then(|api| api.retry_after()).unwrap_or_default();
        Some(pause.max(asked))
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

//! What the tables of faults share.

use std::time::Duration;

use favor_mirror::{FaultKind, FaultPlace};

/// Places at which whatever replaces an answer can strike.
pub const WHEREVER: [FaultPlace; 3] =
    [FaultPlace::BeforeVerify, FaultPlace::BeforeCommit, FaultPlace::AfterCommit];
/// The place of what spoils an answer.
pub const AFTER_WORK: [FaultPlace; 1] = [FaultPlace::AfterCommit];

/// Whether an answer may never come to who waits so long, so that waiting at length would only cost time.
pub fn is_silent(kind: &FaultKind, delay: Duration, wait: Duration) -> bool {
    *kind == FaultKind::Hang || delay > wait || matches!(kind, FaultKind::Slow { bytes_per_second: 1 })
}

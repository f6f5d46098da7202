//! Values as the database keeps them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use favor_core::{Timestamp, time};
use favor_store::StoreError;

use super::super::{CampaignId, LedgerError, State};

/// Longest lease or delay: about 31 years.
const LONGEST: Duration = Duration::from_secs(1_000_000_000);

/// What the store's error is to a runner.
pub(super) fn trouble(error: StoreError) -> LedgerError {
    if error.is_temporary() {
        return LedgerError::Unavailable(Box::new(error));
    }
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    LedgerError::Unusable(format!("{error}{cause}"))
}

/// Something that cannot be read back.
pub(super) fn damaged(
    what: impl Into<String>,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> LedgerError {
    LedgerError::Damaged { what: what.into(), cause: cause.into() }
}

pub(super) fn no_campaign(campaign: CampaignId) -> LedgerError {
    LedgerError::NoCampaign(format!("number {}", campaign.0))
}

pub(super) fn state(word: &str) -> Result<State, LedgerError> {
    State::from_word(word).ok_or_else(|| damaged("a campaign's state", format!("{word:?} is none")))
}

pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.min(LONGEST).as_micros()).unwrap_or(i64::MAX)
}

/// A span that the database counted; none of them goes back in time.
pub(super) fn span(micros: i64) -> Duration {
    Duration::from_micros(unsigned(micros))
}

pub(super) fn moment(moment: DateTime<Utc>) -> Timestamp {
    time::beijing(&moment)
}

/// A count.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A small count.
pub(super) fn small(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// A place, or a number of people. No list is longer than what the type holds.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn signed_small(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A text that PostgreSQL can keep: it knows no U+0000.
pub(super) fn text(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

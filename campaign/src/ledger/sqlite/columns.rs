//! Between what a column holds and what it means.

use std::error::Error;

use chrono::DateTime;
use favor_core::{CouponId, OpenId, Timestamp, time};
use favor_store::StoreError;
use favor_store::sqlite::rusqlite::{self, types::FromSql};
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::StrDeserializer;

use super::super::{BoxError, CampaignId, LedgerError, OutcomeState, Result};

/// Why a store could not do its work, in a ledger's words.
pub(super) fn store_error(error: StoreError) -> LedgerError {
    let because = |error: &StoreError| error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    match error {
        StoreError::InUse { file } => LedgerError::Unusable(format!(
            "{} is in use: another runner works with it; wait until that ends, or look on with `watch`",
            file.display()
        )),
        StoreError::ReadOnly => LedgerError::Unusable("the ledger was opened for reading only".to_owned()),
        error if error.is_temporary() => LedgerError::Unavailable(Box::new(error)),
        // A value that has not the form of its column, or what else the engine refuses.
        StoreError::Failed(_) => {
            LedgerError::Damaged { what: "what is kept of a campaign".to_owned(), cause: Box::new(error) }
        }
        error => LedgerError::Unusable(format!("{error}{}", because(&error))),
    }
}

/// Says that something cannot be read.
pub(super) fn damaged(what: impl Into<String>, cause: impl Into<BoxError>) -> LedgerError {
    LedgerError::Damaged { what: what.into(), cause: cause.into() }
}

/// A person, named without personal data.
pub(super) fn person(campaign: CampaignId, place: u64) -> String {
    format!("the person at place {place} of campaign number {}", campaign.0)
}

/// A column that is never negative.
pub(super) fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    number(row, column)
}

/// A column of a narrower type.
pub(super) fn number<T: TryFrom<i64>>(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<T> {
    let wide = i64::column_result(row.get_ref(column)?)?;
    T::try_from(wide).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, wide))
}

/// A number as a column takes it.
pub(super) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn openid(text: Option<&str>, campaign: CampaignId, place: u64) -> Result<OpenId> {
    let text = text.ok_or_else(|| damaged(person(campaign, place), "the openid is missing"))?;
    OpenId::new(text).map_err(|error| damaged(person(campaign, place), error))
}

/// The platform's text, of whatever form it may be in future.
pub(super) fn coupon_id(text: &str) -> Result<CouponId> {
    let text: StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    CouponId::deserialize(text).map_err(|error| damaged("a coupon's id", error))
}

pub(super) fn outcome_state(word: &str) -> Result<OutcomeState> {
    OutcomeState::from_word(word)
        .ok_or_else(|| damaged("the state of a coupon", format!("{word:?} is none of the known states")))
}

/// Milliseconds since 1970.
pub(super) fn moment(millis: i64) -> Result<Timestamp> {
    let moment = DateTime::from_timestamp_millis(millis);
    moment
        .map(|moment| time::beijing(&moment))
        .ok_or_else(|| damaged("a time", format!("{millis} is out of range")))
}

//! What an audit found.

use favor_core::{CouponId, Error, OutRequestNo};
use serde::Serialize;

use super::compare::Compared;
use super::options::AuditOptions;
use crate::ledger::Row;

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditReport {
    /// People looked at, those who could not be read too.
    pub people: u64,
    /// Coupons that the ledger has as sent and the platform has too.
    pub matching: u64,
    /// Of these, how many were not listed and had to be asked for by their ids: expired ones, mostly.
    pub not_listed: u64,
    /// Differences in all.
    pub difference_count: u64,
    /// The first differences, as many as are kept.
    pub differences: Vec<AuditDifference>,
    /// People whose coupons could not be read, in all.
    pub unreadable_count: u64,
    /// The first of them, as many as are kept.
    pub unreadable: Vec<Unreadable>,
    /// The place of the last person looked at; an audit [after](AuditOptions::after) it goes on.
    pub last_place: Option<u64>,
    /// It ended before its end: it was told to, or gave up.
    pub ended_early: bool,
    /// It ended since fifty people in a row could not be read.
    pub given_up: bool,
}

impl AuditReport {
    /// Whether everybody was looked at, could be read, and nothing differs.
    pub fn is_clean(&self) -> bool {
        self.difference_count == 0 && self.unreadable_count == 0 && !self.ended_early
    }

    pub(super) fn progress(&self) -> AuditProgress {
        AuditProgress {
            people: self.people,
            differences: self.difference_count,
            unreadable: self.unreadable_count,
            last_place: self.last_place.unwrap_or_default(),
        }
    }

    pub(super) fn take(&mut self, options: &AuditOptions, row: &Row, compared: Compared) {
        self.matching += compared.matching + compared.not_listed;
        self.not_listed += compared.not_listed;
        for found in compared.differences {
            let difference = AuditDifference {
                place: row.place,
                line: row.line,
                slot: found.slot,
                kind: found.kind,
                coupon_id: found.coupon_id,
                out_request_no: found.out_request_no,
                text: found.text,
            };
            self.difference_count += 1;
            options.tell_difference(&difference);
            if self.differences.len() < options.keep {
                self.differences.push(difference);
            }
        }
    }

    pub(super) fn take_unreadable(&mut self, options: &AuditOptions, row: &Row, error: &Error) {
        self.unreadable_count += 1;
        if self.unreadable.len() < options.keep {
            let code = error.api().and_then(|api| api.code()).map(ToString::to_string);
            let reason = code.map_or_else(|| error.to_string(), |code| format!("{error}: {code}"));
            self.unreadable.push(Unreadable { place: row.place, line: row.line, reason });
        }
    }
}

/// How far an audit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditProgress {
    /// People looked at.
    pub people: u64,
    /// Differences so far.
    pub differences: u64,
    /// People who could not be read.
    pub unreadable: u64,
    /// The place of the last person.
    pub last_place: u64,
}

/// A person whose coupons could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unreadable {
    /// The person's place.
    pub place: u64,
    /// The line of the list.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// Something that the ledger and the platform say differently of a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditDifference {
    /// The person's place.
    pub place: u64,
    /// The line of the list.
    pub line: u64,
    /// Which of the person's coupons, where it is one of them.
    pub slot: Option<u32>,
    /// What differs.
    pub kind: DifferenceKind,
    /// The coupon that it is about.
    pub coupon_id: Option<CouponId>,
    /// The number under which it was sent.
    pub out_request_no: Option<OutRequestNo>,
    /// More about it, for people.
    pub text: String,
}

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DifferenceKind {
    /// The ledger has a coupon as sent, and the platform does not know it.
    SentNotThere,
    /// The platform has a coupon under a number of this campaign, and the ledger does not have it as sent.
    ThereNotSent,
    /// The platform has another coupon under the number than the ledger.
    OtherCoupon,
    /// The platform has two coupons under one number.
    TwoUnderOneNumber,
    /// The person has more coupons of the stock than the campaign gives.
    TooMany,
    /// A coupon of the stock that this campaign did not send.
    NotOurs,
}

impl DifferenceKind {
    /// The word for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::SentNotThere => "sent-not-there",
            Self::ThereNotSent => "there-not-sent",
            Self::OtherCoupon => "other-coupon",
            Self::TwoUnderOneNumber => "two-under-one-number",
            Self::TooMany => "too-many",
            Self::NotOurs => "not-ours",
        }
    }
}

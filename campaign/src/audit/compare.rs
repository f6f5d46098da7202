//! One person's row against one person's coupons.

use std::collections::{HashMap, HashSet};

use favor_core::{CouponId, OpenId, OutRequestNo};
use favor_coupon::{Coupon, DerivedNumbers};

use super::report::DifferenceKind;
use crate::ledger::{OutcomeState, Row};

/// What came of a comparison.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) matching: u64,
    /// Coupons that were not listed and are there.
    pub(super) not_listed: u64,
    pub(super) differences: Vec<Found>,
}

/// A difference of a person.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) kind: DifferenceKind,
    pub(super) slot: Option<u32>,
    pub(super) coupon_id: Option<CouponId>,
    pub(super) out_request_no: Option<OutRequestNo>,
    pub(super) text: String,
}

impl Found {
    pub(super) fn with_text(self, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..self }
    }
}

/// Compares a row with the coupons of the stock that the platform lists for the person.
pub(super) fn compare(row: &Row, coupons: &[Coupon], numbers: &DerivedNumbers, openid: &OpenId) -> Compared {
    let mut compared = Compared::default();
    let mut seen = HashSet::new();
    let coupons: Vec<_> = coupons.iter().filter(|coupon| seen.insert(&coupon.coupon_id)).collect();
    let mut by_number: HashMap<&OutRequestNo, Vec<&Coupon>> = HashMap::new();
    for coupon in &coupons {
        if let Some(number) = &coupon.out_request_no {
            by_number.entry(number).or_default().push(coupon);
        }
    }
    let mut explained = HashSet::new();
    for outcome in &row.outcomes {
        let number = numbers.of(openid, outcome.slot);
        let there = by_number.get(&number).map(Vec::as_slice).unwrap_or_default();
        explained.extend(there.iter().map(|coupon| &coupon.coupon_id));
        let found = |kind, coupon_id: &CouponId, text: String| Found {
            kind,
            slot: Some(outcome.slot),
            coupon_id: Some(coupon_id.clone()),
            out_request_no: Some(number.clone()),
            text,
        };
        for second in there.iter().skip(1) {
            let text = format!("coupon {} is under the same number", there[0].coupon_id);
            compared.differences.push(found(DifferenceKind::TwoUnderOneNumber, &second.coupon_id, text));
        }
        match &outcome.coupon_id {
            Some(ours) => {
                explained.insert(ours);
                if coupons.iter().any(|coupon| coupon.coupon_id == *ours) {
                    compared.matching += 1;
                } else if let Some(other) = there.first() {
                    let text = format!("the ledger has coupon {ours}");
                    compared.differences.push(found(DifferenceKind::OtherCoupon, &other.coupon_id, text));
                } else {
                    let text = "the platform does not know the coupon".to_owned();
                    compared.differences.push(found(DifferenceKind::SentNotThere, ours, text));
                }
            }
            None => {
                if let Some(coupon) = there.first() {
                    let text = match outcome.state {
                        OutcomeState::Open => {
                            "the ledger has it as open; a run of the campaign mends it".to_owned()
                        }
                        state => format!("the ledger has it as {state}; opening it again mends it"),
                    };
                    compared.differences.push(found(DifferenceKind::ThereNotSent, &coupon.coupon_id, text));
                }
            }
        }
    }
    let strangers = coupons.iter().filter(|coupon| !explained.contains(&coupon.coupon_id));
    for stranger in strangers {
        let text = match &stranger.out_request_no {
            Some(_) => "a coupon of the stock under a number that is not this campaign's",
            None => {
                "a coupon of the stock that the ledger does not have; the platform does not tell its number"
            }
        };
        compared.differences.push(Found {
            kind: DifferenceKind::NotOurs,
            slot: None,
            coupon_id: Some(stranger.coupon_id.clone()),
            out_request_no: stranger.out_request_no.clone(),
            text: text.to_owned(),
        });
    }
    if coupons.len() > row.outcomes.len() {
        compared.differences.push(Found {
            kind: DifferenceKind::TooMany,
            slot: None,
            coupon_id: None,
            out_request_no: None,
            text: format!(
                "{} coupons of the stock, and the campaign gives {}",
                coupons.len(),
                row.outcomes.len()
            ),
        });
    }
    compared
}

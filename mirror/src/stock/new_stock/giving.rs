//! `stock_use_rule`: how many coupons may be given out, and to whom.

use super::field;
use crate::fields::Fields;
use crate::rules::create::DAILY_BUDGET;
use crate::rules::{Refusal, ensure};

const COUPONS: (i64, i64) = (5, 10_000_000);
const LARGEST_BUDGET: i64 = 10_000_000_000;
const MOST_PER_USER: i64 = 60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Giving {
    pub(crate) max_coupons: i64,
    pub(crate) max_amount: i64,
    /// 0 means no daily budget.
    pub(crate) max_amount_by_day: i64,
    pub(crate) max_coupons_per_user: i64,
    pub(crate) natural_person_limit: bool,
    pub(crate) prevent_api_abuse: bool,
}

impl Giving {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        let (fewest, most) = COUPONS;
        let max_coupons = fields.required_integer(field::MAX_COUPONS, fewest, most)?;
        let max_amount = fields.required_integer(field::MAX_AMOUNT, 1, LARGEST_BUDGET)?;
        let max_amount_by_day = fields.integer(field::MAX_AMOUNT_BY_DAY, 0, LARGEST_BUDGET)?.unwrap_or(0);
        ensure(max_amount_by_day <= max_amount, &DAILY_BUDGET)?;
        let per_user_most = MOST_PER_USER.min(max_coupons);
        let max_coupons_per_user = fields.required_integer(field::MAX_COUPONS_PER_USER, 1, per_user_most)?;
        Ok(Self {
            max_coupons,
            max_amount,
            max_amount_by_day,
            max_coupons_per_user,
            natural_person_limit: fields.required_flag(field::NATURAL_PERSON_LIMIT)?,
            prevent_api_abuse: fields.required_flag(field::PREVENT_API_ABUSE)?,
        })
    }
}

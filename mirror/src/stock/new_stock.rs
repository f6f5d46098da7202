//! The body of a create request: reads it, and checks what can be checked on the body alone.

mod coupon_rules;
mod field;
mod giving;
mod pattern;

use serde_json::{Map, Value};

use crate::canonical;
use crate::fields::Fields;
use crate::moment::Moment;
use crate::rules::create::{BUDGET, NAME_CHARACTERS, NAME_WIDTH, THRESHOLD, TYPE_NOT_OPEN};
use crate::rules::parameter::{FORMAT, is_request_number};
use crate::rules::{Refusal, ensure};

pub(crate) use coupon_rules::CouponRules;
pub(crate) use giving::Giving;
use pattern::Pattern;

const LARGEST_NAME_WIDTH: usize = 20;
const MOST_WIDE_CHARACTERS: usize = 9;

/// A stock to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewStock {
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) belong_merchant: String,
    pub(crate) begins: Moment,
    pub(crate) ends: Moment,
    pub(crate) giving: Giving,
    pub(crate) description: String,
    pub(crate) mini_program_appid: Option<String>,
    pub(crate) coupon: CouponRules,
    pub(crate) no_cash: bool,
    pub(crate) out_request_no: String,
    /// Equal for requests with the same content.
    pub(crate) digest: Vec<u8>,
    /// The body as JSON.
    pub(crate) request: String,
}

impl NewStock {
    pub(crate) fn read(body: &Map<String, Value>) -> Result<Self, Refusal> {
        let fields = Fields::body(body);
        let name = fields.required_text(field::STOCK_NAME, 20)?;
        check_name(name)?;
        let comment = fields.text(field::COMMENT, 60)?.unwrap_or_default();
        let belong_merchant = fields.required_text(field::BELONG_MERCHANT, 20)?;
        let begins = fields.required_time(field::BEGIN_TIME, 32)?;
        let ends = fields.required_time(field::END_TIME, 32)?;
        let giving = Giving::read(&fields.required_object(field::STOCK_USE_RULE)?)?;
        let pattern = match fields.object(field::PATTERN_INFO)? {
            Some(object) => Pattern::read(&object)?,
            None => Pattern::default(),
        };
        let coupon_use_rule = fields.required_object(field::COUPON_USE_RULE)?;
        let no_cash = fields.required_flag(field::NO_CASH)?;
        let stock_type = fields.required_text(field::STOCK_TYPE, 16)?;
        let out_request_no = fields.required_text(field::OUT_REQUEST_NO, 128)?;
        if !is_request_number(out_request_no) {
            return Err(fields.fault(&FORMAT, field::OUT_REQUEST_NO, "只能含字母、数字和|_*-"));
        }
        check_ext_info(&fields)?;
        match stock_type {
            "NORMAL" => {}
            "DISCOUNT" | "EXCHAHGE" | "RANDOM" => return Err(Refusal::from(&TYPE_NOT_OPEN)),
            _ => return Err(fields.fault(&FORMAT, field::STOCK_TYPE, "取值须为NORMAL")),
        }
        let coupon = CouponRules::read(&coupon_use_rule)?;
        ensure(coupon.transaction_minimum > coupon.coupon_amount, &THRESHOLD)?;
        let total = giving.max_coupons.checked_mul(coupon.coupon_amount);
        ensure(total == Some(giving.max_amount), &BUDGET)?;
        let whole = Value::Object(body.clone());
        Ok(Self {
            name: name.to_owned(),
            comment: comment.to_owned(),
            belong_merchant: belong_merchant.to_owned(),
            begins,
            ends,
            giving,
            description: pattern.description,
            mini_program_appid: pattern.mini_program_appid,
            coupon,
            no_cash,
            out_request_no: out_request_no.to_owned(),
            digest: canonical::digest("", &whole),
            request: whole.to_string(),
        })
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    ensure(!name.contains(['_', ',', ';', '|']), &NAME_CHARACTERS)?;
    let wide = name.chars().filter(|c| !c.is_ascii()).count();
    let width = name.chars().count() + wide;
    ensure(wide <= MOST_WIDE_CHARACTERS && width <= LARGEST_NAME_WIDTH, &NAME_WIDTH)
}

fn check_ext_info(fields: &Fields<'_>) -> Result<(), Refusal> {
    let Some(text) = fields.text(field::EXT_INFO, 128)? else {
        return Ok(());
    };
    match serde_json::from_str::<Value>(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(fields.fault(&FORMAT, field::EXT_INFO, "须为JSON文本")),
    }
}

#[cfg(test)]
pub(crate) mod tests;

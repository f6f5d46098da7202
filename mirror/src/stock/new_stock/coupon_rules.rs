//! `coupon_use_rule`: where, when and for what a coupon can be spent.

use super::field;
use crate::fields::Fields;
use crate::rules::create::CONTRADICTION;
use crate::rules::parameter::{FORMAT, REQUIRED};
use crate::rules::{Refusal, ensure};
use crate::stock::state::FixedTime;

const FACE_VALUE: (i64, i64) = (2, 100_000);
/// Larger than any threshold that makes sense: the largest budget.
const LARGEST_MINIMUM: i64 = 10_000_000_000;
const TRADE_TYPES: [&str; 6] = ["MICROAPP", "APPPAY", "PPAY", "CARD", "FACE", "OTHER"];
const SECONDS_OF_DAY: i64 = 86_400;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CouponRules {
    pub(crate) coupon_amount: i64,
    pub(crate) transaction_minimum: i64,
    pub(crate) goods_tag: Vec<String>,
    pub(crate) trade_type: Vec<String>,
    pub(crate) combine_use: bool,
    pub(crate) available_items: Vec<String>,
    pub(crate) available_merchants: Vec<String>,
    pub(crate) minutes_after_receive: Option<i64>,
    pub(crate) second_day_available: bool,
    pub(crate) fixed_time: Option<FixedTime>,
}

impl CouponRules {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Refusal> {
        let times = read_time(fields)?;
        let face = fields.required_object(field::FIXED_NORMAL_COUPON)?;
        let (least, most) = FACE_VALUE;
        let coupon_amount = face.required_integer(field::COUPON_AMOUNT, least, most)?;
        let transaction_minimum = face.required_integer(field::TRANSACTION_MINIMUM, 1, LARGEST_MINIMUM)?;
        let goods_tag = read_goods_tag(fields)?;
        let limit_pay = fields.texts(field::LIMIT_PAY, 1..=1, 64, |_| true)?;
        if let Some(card) = fields.object(field::LIMIT_CARD)? {
            card.required_text(field::CARD_NAME, 4)?;
            let is_bin = |bin: &str| (6..=9).contains(&bin.len()) && bin.bytes().all(|b| b.is_ascii_digit());
            let bins = card.texts(field::CARD_BIN, 1..=10, 9, is_bin)?;
            card.required(field::CARD_BIN, bins)?;
            ensure(limit_pay.is_some(), &CONTRADICTION)?;
        }
        let known = |kind: &str| TRADE_TYPES.contains(&kind);
        let trade_type = fields.texts(field::TRADE_TYPE, 0..=TRADE_TYPES.len(), 16, known)?;
        let combine_use = fields.flag(field::COMBINE_USE)?.unwrap_or(true);
        let available_items = fields.texts(field::AVAILABLE_ITEMS, 0..=50, 128, |_| true)?;
        fields.texts(field::UNAVAILABLE_ITEMS, 0..=50, 128, |_| true)?;
        let is_mchid = |mchid: &str| mchid.bytes().all(|b| b.is_ascii_digit());
        let merchants = fields.texts(field::AVAILABLE_MERCHANTS, 1..=50, 20, is_mchid)?;
        Ok(Self {
            coupon_amount,
            transaction_minimum,
            goods_tag,
            trade_type: trade_type.unwrap_or_default(),
            combine_use,
            available_items: available_items.unwrap_or_default(),
            available_merchants: fields.required(field::AVAILABLE_MERCHANTS, merchants)?,
            minutes_after_receive: times.minutes_after_receive,
            second_day_available: times.second_day_available,
            fixed_time: times.fixed,
        })
    }
}

/// Production was seen to ask for the field when its list is empty or it is no list.
fn read_goods_tag(fields: &Fields<'_>) -> Result<Vec<String>, Refusal> {
    if !fields.has(field::GOODS_TAG.key) {
        return Ok(Vec::new());
    }
    let is_tag = |tag: &str| tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match fields.texts(field::GOODS_TAG, 1..=50, 128, is_tag) {
        Ok(tags) => Ok(tags.unwrap_or_default()),
        Err(refusal) if refusal.rule == &FORMAT || fields.list_is_longer(field::GOODS_TAG, 0) => Err(refusal),
        Err(_) => Err(fields.fault(&REQUIRED, field::GOODS_TAG, "此字段为必填项")),
    }
}

/// `coupon_available_time`: when, within its stock's window, a coupon can be used.
#[derive(Debug, Default)]
struct Times {
    minutes_after_receive: Option<i64>,
    second_day_available: bool,
    fixed: Option<FixedTime>,
}

fn read_time(fields: &Fields<'_>) -> Result<Times, Refusal> {
    let Some(time) = fields.object(field::COUPON_AVAILABLE_TIME)? else {
        return Ok(Times::default());
    };
    let fixed = match time.object(field::FIX_AVAILABLE_TIME)? {
        Some(fixed) => Some(FixedTime {
            week_days: fixed.integers(field::AVAILABLE_WEEK_DAY, 0, 6)?.unwrap_or_default(),
            begins: fixed.required_integer(field::DAY_BEGIN, 0, SECONDS_OF_DAY)?,
            ends: fixed.integer(field::DAY_END, 1, SECONDS_OF_DAY - 1)?.unwrap_or(SECONDS_OF_DAY - 1),
        }),
        None => None,
    };
    let second_day_available = time.flag(field::SECOND_DAY_AVAILABLE)?.unwrap_or(false);
    ensure(!(second_day_available && fixed.is_some()), &CONTRADICTION)?;
    let minutes_after_receive = time.integer(field::AFTER_RECEIVE, 1, i64::from(u32::MAX))?;
    Ok(Times { minutes_after_receive, second_day_available, fixed })
}

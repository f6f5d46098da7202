//! `base_info`: what every card has to keep to.

use serde_json::Value;

use super::ask::{Ask, Failed, ensure};
use super::body::{Body, number_of};
use super::{colors, sub_merchants};
use crate::ledger::card::accounts::Account;
use crate::moment::Moment;
use crate::rules::card::{
    BAD_PARAMETER, BIND_OPENID, CODE_TYPE, COLOR, DEPOSIT_MODE, IMAGE_URL, NO_CUSTOM_CODE, PARAMETER, POI,
    QUANTITY, REQUIRED, SKU, SUB_MERCHANT, SUB_MERCHANT_STATUS, TIME,
};

/// Most stock of one card.
pub(super) const MOST_STOCK: i64 = 100_000_000;
const CODE_TYPES: [&str; 6] = [
    "CODE_TYPE_TEXT",
    "CODE_TYPE_BARCODE",
    "CODE_TYPE_QRCODE",
    "CODE_TYPE_ONLY_BARCODE",
    "CODE_TYPE_ONLY_QRCODE",
    "CODE_TYPE_NONE",
];
pub(super) const DEPOSIT: &str = "GET_CUSTOM_CODE_MODE_DEPOSIT";
/// Times are kept in 31 bits.
pub(super) const LAST_SECOND: i64 = 2_147_483_647;

/// Texts of `base_info` and their bytes.
const BASE_TEXTS: [(&str, usize); 28] = [
    ("logo_url", 128),
    ("brand_name", 36),
    ("title", 27),
    ("sub_title", 54),
    ("color", 16),
    ("notice", 48),
    ("description", 3_072),
    ("get_custom_code_mode", 32),
    ("service_phone", 24),
    ("source", 36),
    ("center_title", 18),
    ("center_sub_title", 24),
    ("center_url", 128),
    ("center_app_brand_user_name", 128),
    ("center_app_brand_pass", 128),
    ("custom_url_name", 15),
    ("custom_url", 128),
    ("custom_url_sub_title", 18),
    ("custom_app_brand_user_name", 128),
    ("custom_app_brand_pass", 128),
    ("promotion_url_name", 15),
    ("promotion_url", 128),
    ("promotion_url_sub_title", 18),
    ("promotion_app_brand_user_name", 128),
    ("promotion_app_brand_pass", 128),
    ("url_name_type", 64),
    ("code_type", 64),
    ("bind_old_card_url", 128),
];
const BASE_FLAGS: [&str; 7] = [
    "use_custom_code",
    "bind_openid",
    "use_all_locations",
    "can_share",
    "can_give_friend",
    "need_push_on_view",
    "is_pay_and_qrcode",
];
const BASE_NUMBERS: [&str; 3] = ["get_limit", "use_limit", "max_give_friend_times"];

/// What `base_info` of a new card keeps to; answers whether codes are the merchant's own, and deposited.
pub(super) fn new_base(ask: &Ask<'_>, base: Body<'_>, account: &Account) -> Result<(bool, bool), Failed> {
    base.require(&[
        "logo_url",
        "code_type",
        "brand_name",
        "title",
        "color",
        "notice",
        "description",
        "sku",
        "date_info",
    ])?;
    fields_of_base(base)?;
    for key in ["brand_name", "title", "notice", "description"] {
        base.needed(key, usize::MAX, &REQUIRED)?;
    }
    let custom = base.flag("use_custom_code")?.unwrap_or(false);
    ensure(!custom || account.custom_code, &NO_CUSTOM_CODE)?;
    let deposit = base.text("get_custom_code_mode", 32)?.filter(|mode| !mode.is_empty());
    ensure(deposit.is_none_or(|mode| mode == DEPOSIT), &PARAMETER)?;
    let deposit = deposit.is_some();
    ensure(!deposit || custom, &DEPOSIT_MODE)?;
    ensure(!(deposit && base.flag("bind_openid")?.unwrap_or(false)), &BIND_OPENID)?;
    let quantity = base.object("sku")?.ok_or(&SKU)?.number("quantity")?.ok_or(&SKU)?;
    if deposit {
        ensure(quantity == 0, &DEPOSIT_MODE)?;
    } else {
        ensure((1..=MOST_STOCK).contains(&quantity), &QUANTITY)?;
    }
    check_dates(base.object("date_info")?.ok_or(&TIME)?, ask.now)?;
    if let Some(sub) = base.object("sub_merchant_info")? {
        let id = sub.number("merchant_id")?.ok_or(&SUB_MERCHANT)?;
        ensure(sub_merchants::is_approved(ask, id)?, &SUB_MERCHANT_STATUS)?;
    }
    Ok((custom, deposit))
}

/// Types and lengths of what is there in `base_info`, new or changed.
pub(super) fn fields_of_base(base: Body<'_>) -> Result<(), Failed> {
    for (key, most) in BASE_TEXTS {
        base.text(key, most)?;
    }
    for key in BASE_FLAGS {
        base.flag(key)?;
    }
    for key in BASE_NUMBERS {
        ensure(base.number(key)?.is_none_or(|number| number >= 0), &PARAMETER)?;
    }
    ensure(base.text("logo_url", 128)?.is_none_or(is_picture), &IMAGE_URL)?;
    ensure(base.text("color", 16)?.is_none_or(|color| colors::value(color).is_some()), &COLOR)?;
    ensure(base.text("code_type", 64)?.is_none_or(|kind| CODE_TYPES.contains(&kind)), &CODE_TYPE)?;
    if let Some(places) = base.list("location_id_list")? {
        ensure(places.iter().all(|place| number_of(place).is_some_and(|id| id > 0)), &POI)?;
        let all = base.flag("use_all_locations")?.unwrap_or(false);
        ensure(!all || places.is_empty(), &BAD_PARAMETER)?;
    }
    Ok(())
}

/// The address of a picture is one that `uploadimg` answers.
pub(super) fn is_picture(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
    ["mmbiz.qpic.cn/", "mmbiz.qlogo.cn/"].iter().any(|host| rest.starts_with(host))
}

/// The type of a `date_info`, whichever way it is written.
pub(super) fn date_type(date: Body<'_>) -> Option<&'static str> {
    match date.0.get("type") {
        Some(Value::String(text)) if text == "DATE_TYPE_FIX_TIME_RANGE" => Some("DATE_TYPE_FIX_TIME_RANGE"),
        Some(Value::String(text)) if text == "DATE_TYPE_FIX_TERM" => Some("DATE_TYPE_FIX_TERM"),
        Some(Value::String(text)) if text == "DATE_TYPE_PERMANENT" => Some("DATE_TYPE_PERMANENT"),
        Some(value) => match number_of(value) {
            Some(1) => Some("DATE_TYPE_FIX_TIME_RANGE"),
            Some(2) => Some("DATE_TYPE_FIX_TERM"),
            _ => None,
        },
        None => None,
    }
}

fn check_dates(date: Body<'_>, now: Moment) -> Result<(), Failed> {
    let second = |key: &str| -> Result<Option<i64>, Failed> {
        let given = date.number(key)?;
        ensure(given.is_none_or(|second| (0..=LAST_SECOND).contains(&second)), &TIME)?;
        Ok(given)
    };
    let end = second("end_timestamp")?;
    ensure(end.is_none_or(|end| end > now.seconds()), &TIME)?;
    match date_type(date).ok_or(&TIME)? {
        "DATE_TYPE_FIX_TIME_RANGE" => {
            let begin = second("begin_timestamp")?.ok_or(&TIME)?;
            ensure(end.is_some_and(|end| begin <= end), &TIME)
        }
        "DATE_TYPE_FIX_TERM" => {
            let days = |key: &str| -> Result<Option<i64>, Failed> {
                let given = date.number(key)?;
                ensure(given.is_none_or(|days| (0..=36_500).contains(&days)), &TIME)?;
                Ok(given)
            };
            days("fixed_begin_term")?;
            ensure(days("fixed_term")?.is_some(), &TIME)
        }
        _ => Ok(()),
    }
}

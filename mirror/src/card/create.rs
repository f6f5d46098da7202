//! `POST /card/create`, and what every card has to keep to.

use rusqlite::Connection;
use serde_json::{Map, Value};

use super::ask::{Ask, Failed, Told, ensure, told};
use super::body::{Body, number_of};
use super::{colors, due, sub_merchants};
use crate::ledger::card::accounts::{self, Account};
use crate::ledger::card::cards::{self, Card, NOT_VERIFY};
use crate::ledger::first_ids;
use crate::moment::Moment;
use crate::random;
use crate::rules::card::{
    BAD_PARAMETER, BIND_OPENID, CARD_PARAMETERS, CARD_TYPE, CODE_TYPE, COLOR, CUSTOM_FIELDS, DEPOSIT_MODE,
    IMAGE_URL, NO_BALANCE, NO_BONUS, NO_CUSTOM_CODE, PARAMETER, POI, QUANTITY, REQUIRED, SKU, SUB_MERCHANT,
    SUB_MERCHANT_STATUS, TIME, TIME_LIMIT,
};

/// The types and the keys of their objects.
pub(super) const TYPES: [&str; 12] = [
    "GROUPON",
    "CASH",
    "DISCOUNT",
    "GIFT",
    "GENERAL_COUPON",
    "MEMBER_CARD",
    "GENERAL_CARD",
    "MEETING_TICKET",
    "SCENIC_TICKET",
    "MOVIE_TICKET",
    "BOARDING_PASS",
    "LUCKY_MONEY",
];
const CODE_TYPES: [&str; 6] = [
    "CODE_TYPE_TEXT",
    "CODE_TYPE_BARCODE",
    "CODE_TYPE_QRCODE",
    "CODE_TYPE_ONLY_BARCODE",
    "CODE_TYPE_ONLY_QRCODE",
    "CODE_TYPE_NONE",
];
const DAYS: [&str; 8] =
    ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY", "HOLIDAY"];
const SERVICES: [&str; 4] =
    ["BIZ_SERVICE_DELIVER", "BIZ_SERVICE_FREE_PARK", "BIZ_SERVICE_WITH_PET", "BIZ_SERVICE_FREE_WIFI"];
pub(super) const DEPOSIT: &str = "GET_CUSTOM_CODE_MODE_DEPOSIT";
/// Most stock of one card.
pub(super) const MOST_STOCK: i64 = 100_000_000;
/// Times are kept in 31 bits.
const LAST_SECOND: i64 = 2_147_483_647;

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

/// Texts of the types' own objects and their bytes.
const TYPE_TEXTS: [(&str, usize); 31] = [
    ("deal_detail", 3_072),
    ("gift", 3_072),
    ("default_detail", 3_072),
    ("meeting_detail", 3_072),
    ("map_url", 128),
    ("guide_url", 128),
    ("ticket_class", 3_072),
    ("detail", 3_072),
    ("from", 54),
    ("to", 54),
    ("flight", 128),
    ("check_in_url", 128),
    ("gate", 128),
    ("air_model", 24),
    ("background_pic_url", 128),
    ("prerogative", 3_072),
    ("bonus_url", 128),
    ("bonus_app_brand_user_name", 128),
    ("bonus_app_brand_pass", 128),
    ("bonus_cleared", 3_072),
    ("bonus_rules", 3_072),
    ("balance_url", 128),
    ("balance_app_brand_user_name", 128),
    ("balance_app_brand_pass", 128),
    ("balance_rules", 3_072),
    ("wx_activate_after_submit_url", 128),
    ("activate_url", 128),
    ("activate_app_brand_user_name", 128),
    ("activate_app_brand_pass", 128),
    ("bind_old_card_url", 128),
    ("sub_card_type", 16),
];
const TYPE_FLAGS: [&str; 5] =
    ["supply_bonus", "supply_balance", "auto_activate", "wx_activate", "wx_activate_after_submit"];
const CUSTOM_FIELDS_KEYS: [&str; 3] = ["custom_field1", "custom_field2", "custom_field3"];

/// The key of a type's object.
pub(super) fn key_of(card_type: &str) -> String {
    card_type.to_lowercase()
}

/// `POST /card/create`
pub(super) fn create(ask: &Ask<'_>) -> Told {
    let card = ask.body.object("card")?.ok_or(&REQUIRED)?;
    let card_type = card.text("card_type", 64)?.ok_or(&REQUIRED)?;
    ensure(TYPES.contains(&card_type), &CARD_TYPE)?;
    let key = key_of(card_type);
    let foreign =
        card.0.keys().any(|other| *other != key && TYPES.iter().any(|known| key_of(known) == *other));
    ensure(!foreign, &CARD_TYPE)?;
    let whole = card.object(&key)?.ok_or(&CARD_TYPE)?;
    let base = whole.object("base_info")?.ok_or(&REQUIRED)?;
    let account = accounts::find(ask.db, ask.appid)?;
    let (custom, deposit) = new_base(ask, base, &account)?;
    new_type(card_type, whole, base, (custom, deposit), &account)?;
    let quantity = base.object("sku")?.ok_or(&SKU)?.number("quantity")?.ok_or(&SKU)?;
    let id = cards::next(ask.db)?;
    let mut card = Card {
        id,
        card_id: card_id(ask.db, id)?,
        appid: ask.appid.to_owned(),
        card_type: card_type.to_owned(),
        body: whole.0.clone(),
        status: NOT_VERIFY.to_owned(),
        review_due: None,
        quantity,
        total: quantity,
        created: ask.now,
        updated: ask.now,
        settings: Map::new(),
    };
    due::to_review(&mut card, &account, ask.now);
    cards::insert(ask.db, &card)?;
    Ok(told! {"card_id": card.card_id})
}

/// 28 characters that begin with `p`; the same number and seed give the same one.
fn card_id(db: &Connection, number: i64) -> rusqlite::Result<String> {
    let seed = first_ids::seed(db)?.unwrap_or(0);
    Ok(format!("p{}", crate::ids::text("card", seed, number, 27)))
}

/// What `base_info` of a new card keeps to; answers whether codes are the merchant's own, and deposited.
fn new_base(ask: &Ask<'_>, base: Body<'_>, account: &Account) -> Result<(bool, bool), Failed> {
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

/// What the object of a type keeps to.
fn new_type(
    card_type: &str,
    whole: Body<'_>,
    base: Body<'_>,
    (custom, deposit): (bool, bool),
    account: &Account,
) -> Result<(), Failed> {
    fields_of_type(whole)?;
    if let Some(advanced) = whole.object("advanced_info")? {
        check_advanced(advanced)?;
    }
    let text = |key: &str| whole.needed(key, usize::MAX, &REQUIRED).map(drop);
    match card_type {
        "GROUPON" => text("deal_detail"),
        "CASH" => {
            let least = whole.number("least_cost")?.ok_or(&REQUIRED)?;
            let off = whole.number("reduce_cost")?.ok_or(&REQUIRED)?;
            ensure(least >= 0 && off > 0 && (least == 0 || least > off), &CARD_PARAMETERS)
        }
        "DISCOUNT" => {
            let off = whole.number("discount")?.ok_or(&REQUIRED)?;
            ensure((1..=99).contains(&off), &CARD_PARAMETERS)
        }
        "GIFT" => text("gift"),
        "GENERAL_COUPON" => text("default_detail"),
        "MEMBER_CARD" => new_member_card(whole, account),
        "GENERAL_CARD" => {
            ensure(!custom || deposit, &CARD_PARAMETERS)?;
            let kind = whole.text("sub_card_type", 16)?.ok_or(&REQUIRED)?;
            ensure(matches!(kind, "GIFT_CARD" | "VOUCHER"), &CARD_PARAMETERS)?;
            let price = base.object("giftcard_info")?.ok_or(&REQUIRED)?.number("price")?.ok_or(&REQUIRED)?;
            ensure(price >= 0, &CARD_PARAMETERS)?;
            whole.require(&["supply_bonus"])?;
            if kind == "GIFT_CARD" {
                whole.require(&["supply_balance"])?;
            }
            for key in ["init_bonus", "init_balance"] {
                ensure(whole.number(key)?.is_none_or(|number| number >= 0), &CARD_PARAMETERS)?;
            }
            supplies(whole, account)
        }
        "MEETING_TICKET" => text("meeting_detail"),
        "BOARDING_PASS" => whole.require(&["from", "to", "flight"]),
        // What else they have may be left out by one source or another.
        _ => Ok(()),
    }
}

/// Types and lengths of what is there in the object of a type, new or changed.
pub(super) fn fields_of_type(whole: Body<'_>) -> Result<(), Failed> {
    for (key, most) in TYPE_TEXTS {
        whole.text(key, most)?;
    }
    for key in TYPE_FLAGS {
        whole.flag(key)?;
    }
    ensure(whole.text("background_pic_url", 128)?.is_none_or(is_picture), &IMAGE_URL)?;
    for key in CUSTOM_FIELDS_KEYS {
        if let Some(field) = whole.object(key)? {
            let named = field.text("name_type", 64)?.is_some() || field.text("name", 24)?.is_some();
            ensure(named, &REQUIRED)?;
            field.text("url", 128)?;
        }
    }
    for key in ["custom_cell1", "custom_cell2", "custom_cell3"] {
        if let Some(cell) = whole.object(key)? {
            cell.require(&["name", "tips"])?;
            for (key, most) in [("name", 15), ("tips", 18), ("url", 128)] {
                cell.text(key, most)?;
            }
        }
    }
    if let Some(rule) = whole.object("bonus_rule")? {
        for key in rule.0.keys() {
            ensure(rule.number(key)?.is_some_and(|number| number >= 0), &CARD_PARAMETERS)?;
        }
    }
    Ok(())
}

fn new_member_card(card: Body<'_>, account: &Account) -> Result<(), Failed> {
    card.needed("prerogative", usize::MAX, &REQUIRED)?;
    card.require(&["supply_bonus", "supply_balance"])?;
    ensure(card.number("discount")?.is_none_or(|off| (0..=99).contains(&off)), &CARD_PARAMETERS)?;
    supplies(card, account)?;
    let flag = |key: &str| card.flag(key).map(|flag| flag.unwrap_or(false));
    let page = ["activate_url", "activate_app_brand_user_name", "bind_old_card_url"];
    let own_page = page.iter().any(|key| card.has(key));
    let by_form = flag("wx_activate")?;
    ensure(!(by_form && card.has("activate_url")), &BAD_PARAMETER)?;
    ensure(by_form || own_page || flag("auto_activate")?, &REQUIRED)?;
    if flag("wx_activate_after_submit")? {
        ensure(by_form, &BAD_PARAMETER)?;
        let url = card.text("wx_activate_after_submit_url", 128)?;
        ensure(url.is_some() || card.has("activate_app_brand_user_name"), &REQUIRED)?;
        let is_web = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        ensure(url.is_none_or(is_web), &CARD_PARAMETERS)?;
    }
    Ok(())
}

/// Points and balance need a right, and share three places with the custom fields.
pub(super) fn supplies(card: Body<'_>, account: &Account) -> Result<(), Failed> {
    let bonus = card.flag("supply_bonus")?.unwrap_or(false);
    let balance = card.flag("supply_balance")?.unwrap_or(false);
    ensure(!bonus || account.bonus, &NO_BONUS)?;
    ensure(!balance || account.balance, &NO_BALANCE)?;
    let fields = CUSTOM_FIELDS_KEYS.iter().filter(|key| card.has(key)).count();
    ensure(fields + usize::from(bonus) + usize::from(balance) <= 3, &CUSTOM_FIELDS)
}

fn check_advanced(advanced: Body<'_>) -> Result<(), Failed> {
    if let Some(condition) = advanced.object("use_condition")? {
        for key in ["accept_category", "reject_category", "object_use_for"] {
            condition.text(key, 512)?;
        }
        ensure(condition.number("least_cost")?.is_none_or(|fen| fen >= 0), &CARD_PARAMETERS)?;
        condition.flag("can_use_with_other_discount")?;
    }
    if let Some(cover) = advanced.object("abstract")? {
        cover.text("abstract", 24)?;
        if let Some(urls) = cover.texts("icon_url_list")? {
            ensure(urls.len() == 1, &CARD_PARAMETERS)?;
            ensure(urls.iter().all(|url| is_picture(url)), &IMAGE_URL)?;
        }
    }
    for item in advanced.objects("text_image_list")?.unwrap_or_default() {
        let url = item.needed("image_url", 128, &REQUIRED)?;
        item.needed("text", 512, &REQUIRED)?;
        ensure(is_picture(url), &IMAGE_URL)?;
    }
    for service in advanced.texts("business_service")?.unwrap_or_default() {
        ensure(SERVICES.contains(&service), &PARAMETER)?;
    }
    for limit in advanced.objects("time_limit")?.unwrap_or_default() {
        let day = limit.text("type", 24)?.ok_or(&TIME_LIMIT)?;
        ensure(DAYS.contains(&day), &TIME_LIMIT)?;
        for (key, most) in [("begin_hour", 23), ("end_hour", 23), ("begin_minute", 59), ("end_minute", 59)] {
            ensure(limit.number(key)?.is_none_or(|given| (0..=most).contains(&given)), &TIME_LIMIT)?;
        }
    }
    Ok(())
}

/// A ticket of a QR code, in base64 as the vendor's are.
pub(super) fn new_ticket() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(random::alphanumeric(70))
}

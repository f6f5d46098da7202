//! The twelve types, and what the object of each has to keep to.

use super::advanced_info::check_advanced;
use super::ask::{Failed, ensure};
use super::base_info::{date_type, is_picture};
use super::body::Body;
use crate::ledger::card::accounts::Account;
use crate::rules::card::{
    BAD_PARAMETER, CARD_PARAMETERS, CUSTOM_FIELDS, IMAGE_URL, NO_BALANCE, NO_BONUS, REQUIRED, TIME,
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

/// What the object of a type keeps to.
pub(super) fn new_type(
    card_type: &str,
    whole: Body<'_>,
    base: Body<'_>,
    (custom, deposit): (bool, bool),
    account: &Account,
) -> Result<(), Failed> {
    fields_of_type(whole)?;
    let for_ever = base.object("date_info")?.and_then(date_type) == Some("DATE_TYPE_PERMANENT");
    ensure(!for_ever || matches!(card_type, "MEMBER_CARD" | "GENERAL_CARD"), &TIME)?;
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

//! Member cards: activation, the form, points and balance.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::account::{known, status};
use super::ask::{Ask, Failed, Told, ensure, told};
use super::body::Body;
use super::deeds::activated;
use super::face;
use super::templates::own_flag;
use crate::ledger::card::cards::{self, Card};
use crate::ledger::card::codes::{self, Code, State};
use crate::ledger::card::things;
use crate::rules::card::{
    ACTIVATE_TICKET, ACTIVATE_TICKET_OLD, MEMBER_CARD, NO_CARD_ID, PARAMETER, REQUIRED, USER_CARD_STATUS,
    WX_ACTIVATE,
};

const FORM_FIELDS: [&str; 13] = [
    "USER_FORM_INFO_FLAG_MOBILE",
    "USER_FORM_INFO_FLAG_SEX",
    "USER_FORM_INFO_FLAG_NAME",
    "USER_FORM_INFO_FLAG_BIRTHDAY",
    "USER_FORM_INFO_FLAG_IDCARD",
    "USER_FORM_INFO_FLAG_EMAIL",
    "USER_FORM_INFO_FLAG_LOCATION",
    "USER_FORM_INFO_FLAG_DETAIL_LOCATION",
    "USER_FORM_INFO_FLAG_EDUCATION_BACKGROUND",
    "USER_FORM_INFO_FLAG_CAREER",
    "USER_FORM_INFO_FLAG_INDUSTRY",
    "USER_FORM_INFO_FLAG_INCOME",
    "USER_FORM_INFO_FLAG_HABIT",
];

/// The member card of a user, in his hands.
fn held(ask: &Ask<'_>) -> Result<(Card, Code), Failed> {
    let (card, code) = ask.code()?;
    ensure(card.card_type == "MEMBER_CARD", &MEMBER_CARD)?;
    ensure(status(&code, ask.now) == "NORMAL", &USER_CARD_STATUS)?;
    Ok((card, code))
}

/// `POST /card/membercard/activate`
pub(super) fn activate(ask: &Ask<'_>) -> Told {
    let number = ask.body.needed("membership_number", 20, &REQUIRED)?;
    let (card, mut code) = held(ask)?;
    face::activate(ask, &mut code)?;
    code.face.insert("membership_number".to_owned(), number.into());
    activated(ask.db, &card, &mut code, ask.now)?;
    codes::save(ask.db, &code)?;
    Ok(told! {})
}

/// Whether WeChat's own form activates the card.
fn by_form(card: &Card) -> Result<(), Failed> {
    ensure(card.card_type == "MEMBER_CARD", &MEMBER_CARD)?;
    ensure(own_flag(card, "wx_activate"), &WX_ACTIVATE)
}

/// `POST /card/membercard/activate/geturl`
pub(super) fn activate_url(ask: &Ask<'_>) -> Told {
    let card = ask.card()?;
    by_form(&card)?;
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let outer = ask.body.text("outer_str", 128)?.unwrap_or_default();
    Ok(told! {"url": format!(
        "https://mp.weixin.qq.com/bizmall/activatemembercard?action=preshow&encrypt_card_id={}&outer_str={}\
         &biz={}#wechat_redirect",
        encoded(&format!("{}+/", card.card_id)), encoded(outer), encoded(&biz(ask.appid))
    )})
}

/// The number of an account as pages have it; ends in `==`.
fn biz(appid: &str) -> String {
    use base64::Engine as _;
    let name = crate::merchant::account_name(appid);
    base64::engine::general_purpose::STANDARD.encode(&name.as_bytes()[..10])
}

/// `POST /card/membercard/activateuserform/set`
pub(super) fn form(ask: &Ask<'_>) -> Told {
    let mut card = ask.card()?;
    by_form(&card)?;
    for key in ["required_form", "optional_form"] {
        if let Some(form) = ask.body.object(key)? {
            check_form(form)?;
        }
    }
    for key in ["service_statement", "bind_old_card"] {
        if let Some(link) = ask.body.object(key)? {
            link.needed("name", 21, &REQUIRED)?;
            let url = link.needed("url", 128, &REQUIRED)?;
            ensure(url.starts_with("http://") || url.starts_with("https://"), &PARAMETER)?;
        }
    }
    card.settings.insert("form".to_owned(), Value::Object(ask.body.0.clone()));
    card.updated = ask.now;
    cards::save(ask.db, &card)?;
    Ok(told! {})
}

fn check_form(form: Body<'_>) -> Result<(), Failed> {
    form.flag("can_modify")?;
    for field in form.texts("common_field_id_list")?.unwrap_or_default() {
        ensure(FORM_FIELDS.contains(&field), &PARAMETER)?;
    }
    ensure(form.texts("custom_field_list")?.unwrap_or_default().len() <= 5, &PARAMETER)?;
    let rich = form.objects("rich_field_list")?.unwrap_or_default();
    ensure(rich.len() <= 5, &PARAMETER)?;
    for field in rich {
        let kind = field.needed("type", 64, &REQUIRED)?;
        let kinds = ["FORM_FIELD_RADIO", "FORM_FIELD_SELECT", "FORM_FIELD_CHECK_BOX"];
        ensure(kinds.contains(&kind), &PARAMETER)?;
        field.needed("name", 32, &REQUIRED)?;
        ensure(field.texts("values")?.is_some_and(|values| !values.is_empty()), &REQUIRED)?;
    }
    Ok(())
}

/// `POST /card/membercard/activatetempinfo/get`
pub(super) fn temp_info(ask: &Ask<'_>) -> Told {
    let ticket = ask.body.needed("activate_ticket", 512, &ACTIVATE_TICKET)?;
    let held = things::find(ask.db, ask.appid, "activate_ticket", ticket)?.ok_or(&ACTIVATE_TICKET)?;
    // How long one lives is not known; a day is enough for any page.
    ensure(ask.now < held.created.plus_days(1), &ACTIVATE_TICKET_OLD)?;
    Ok(told! {"info": held.body})
}

/// `POST /card/membercard/userinfo/get`
pub(super) fn info(ask: &Ask<'_>) -> Told {
    let card_id = ask.body.optional_card_id()?.ok_or(&NO_CARD_ID)?;
    // A card given away still answers here, with GIFT_SUCC.
    let (card, code) = known(ask.db, ask.appid, ask.body.code()?, Some(card_id))?;
    ensure(card.card_type == "MEMBER_CARD", &MEMBER_CARD)?;
    ensure(!matches!(code.state, State::Delete | State::Unavailable), &USER_CARD_STATUS)?;
    let text = |key: &str| code.face.get(key).cloned().unwrap_or_else(|| "".into());
    let nothing = json!({ "common_field_list": [], "custom_field_list": [] });
    Ok(told! {
        "openid": code.openid,
        "nickname": text("nickname"),
        "sex": code.face.get("sex").cloned().unwrap_or_else(|| "UNKNOWN".into()),
        "membership_number": text("membership_number"),
        "bonus": face::number(&code, "bonus"),
        "balance": face::number(&code, "balance"),
        "user_info": code.face.get("user_info").cloned().unwrap_or(nothing),
        "user_card_status": status(&code, ask.now),
        "has_active": code.active,
    })
}

/// `POST /card/membercard/updateuser`
pub(super) fn update(ask: &Ask<'_>) -> Told {
    let (card, code) = held(ask)?;
    // Nothing is known about cards that are not active; the vendor's server is taken to refuse them.
    ensure(code.active, &USER_CARD_STATUS)?;
    face::update(ask, &card, code, true)
}

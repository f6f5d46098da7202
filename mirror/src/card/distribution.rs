//! Ways to bring cards to people: QR codes, shelves, articles, test users.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::account::is_verified;
use super::ask::{Ask, Failed, Told, ensure, told};
use super::base_info::is_picture;
use super::body::{Body, CODE_BYTES, is_openid};
use super::templates::{flag, is_custom};
use crate::ledger::card::qrcodes::{self, QrCode};
use crate::ledger::card::{cards, things};
use crate::rules::card::{
    ACTION_INFO, ACTION_NAME, CARD_STATUS, CODE, IMAGE_URL, OPENID, OPENIDS, PARAMETER, REQUIRED, SCENE,
    SERIAL_CODE, STOCK, TOO_MANY_CARDS, UNSUPPORTED, USERNAME,
};

/// Life of a QR code for which nothing is said, in seconds.
const YEAR: i64 = 365 * 24 * 60 * 60;
const MOST_CARDS: usize = 5;
const MOST_TESTERS: usize = 10;
const SCENES: [&str; 7] = [
    "SCENE_NEAR_BY",
    "SCENE_MENU",
    "SCENE_QRCODE",
    "SCENE_ARTICLE",
    "SCENE_H5",
    "SCENE_IVR",
    "SCENE_CARD_CUSTOM_CELL",
];

/// `POST /card/qrcode/create`
pub(super) fn qrcode(ask: &Ask<'_>) -> Told {
    let action = ask.body.text("action_name", 64)?.ok_or(&ACTION_NAME)?;
    let info = ask.body.object("action_info")?.ok_or(&ACTION_INFO)?;
    let objects = match action {
        "QR_CARD" => vec![info.object("card")?.ok_or(&ACTION_INFO)?],
        "QR_MULTIPLE_CARD" => {
            let list = info.object("multiple_card")?.ok_or(&ACTION_INFO)?;
            list.objects("card_list")?.ok_or(&ACTION_INFO)?
        }
        _ => return Err((&ACTION_NAME).into()),
    };
    ensure((1..=MOST_CARDS).contains(&objects.len()), &TOO_MANY_CARDS)?;
    let life = ask.body.number("expire_seconds")?;
    ensure(life.is_none_or(|life| (60..=1_800).contains(&life)), &PARAMETER)?;
    let mut once = false;
    for object in &objects {
        once |= check_object(ask, *object)?;
    }
    let ticket = format!("gQH{}", new_ticket());
    let url = format!("http://weixin.qq.com/q/{}", crate::random::alphanumeric(22));
    let code = QrCode {
        appid: ask.appid.to_owned(),
        url: url.clone(),
        expires: ask.now.plus_millis(life.unwrap_or(YEAR) * 1_000),
        cards: objects.iter().map(|object| Value::Object(object.0.clone())).collect(),
        once,
        used: false,
    };
    qrcodes::insert(ask.db, &ticket, &code)?;
    let mut answer = told! {
        "ticket": ticket,
        "url": url,
        "show_qrcode_url": format!(
            "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket={}",
            utf8_percent_encode(&ticket, NON_ALPHANUMERIC)
        ),
    };
    if let Some(life) = life {
        answer.insert("expire_seconds".to_owned(), life.into());
    }
    Ok(answer)
}

/// Checks one card of a QR code; answers whether it can be claimed from once only.
fn check_object(ask: &Ask<'_>, object: Body<'_>) -> Result<bool, Failed> {
    let card = ask.card_named(object.card_id()?)?;
    ensure(card.status != cards::DELETE, &CARD_STATUS)?;
    object.text("outer_str", 128)?;
    object.number("outer_id")?;
    object.number("balance")?;
    let code = object.text("code", usize::MAX)?.filter(|code| !code.is_empty());
    ensure(code.is_none_or(|code| code.len() <= CODE_BYTES), &CODE)?;
    ensure(code.is_some() == is_custom(&card), &SERIAL_CODE)?;
    let openid = object.text("openid", usize::MAX)?.filter(|openid| !openid.is_empty());
    ensure(openid.is_none_or(is_openid), &OPENID)?;
    ensure(openid.is_some() || !flag(&card, "bind_openid"), &OPENID)?;
    let unique = object.flag("is_unique_code")?.unwrap_or(false);
    if unique {
        ensure(is_verified(&card), &CARD_STATUS)?;
        ensure(card.quantity > 0, &STOCK)?;
    }
    Ok(unique || code.is_some() || openid.is_some())
}

/// `POST /card/landingpage/create`
pub(super) fn landing_page(ask: &Ask<'_>) -> Told {
    ask.body.require(&["banner", "page_title", "can_share", "scene", "card_list"])?;
    let banner = ask.body.needed("banner", 128, &REQUIRED)?;
    ensure(is_picture(banner), &IMAGE_URL)?;
    ask.body.needed("page_title", 128, &REQUIRED)?;
    ask.body.flag("can_share")?;
    ensure(SCENES.contains(&ask.body.needed("scene", 64, &SCENE)?), &SCENE)?;
    let list = ask.body.objects("card_list")?.unwrap_or_default();
    ensure(!list.is_empty(), &TOO_MANY_CARDS)?;
    for item in &list {
        let card = ask.card_named(item.card_id()?)?;
        ensure(is_verified(&card), &CARD_STATUS)?;
        ensure(!is_custom(&card), &UNSUPPORTED)?;
        ensure(is_picture(item.needed("thumb_url", 128, &REQUIRED)?), &IMAGE_URL)?;
    }
    let id = things::next(ask.db, ask.appid, "shelf")?;
    let page = Value::Object(ask.body.0.clone());
    things::insert(ask.db, ask.appid, "shelf", (id, &id.to_string()), &page, ask.now)?;
    Ok(told! {
        "url": format!("https://mp.weixin.qq.com/bizmall/cardlandingpage?page_id={id}#wechat_redirect"),
        "page_id": id,
    })
}

/// `POST /card/mpnews/gethtml`
pub(super) fn news_html(ask: &Ask<'_>) -> Told {
    let card = ask.card()?;
    ensure(is_verified(&card), &CARD_STATUS)?;
    ensure(!is_custom(&card), &UNSUPPORTED)?;
    let content = format!(
        "<iframe class=\"res_iframe card_iframe js_editor_card\" \
         data-src=\"http://mp.weixin.qq.com/bizmall/appmsgcard?action=show&cardid={}\"></iframe>",
        card.card_id
    );
    Ok(told! {"content": content})
}

/// `POST /card/testwhitelist/set`
pub(super) fn testers(ask: &Ask<'_>) -> Told {
    let openids = ask.body.texts("openid")?;
    let usernames = ask.body.texts("username")?;
    ensure(openids.is_some() || usernames.is_some(), &OPENIDS)?;
    let (openids, usernames) = (openids.unwrap_or_default(), usernames.unwrap_or_default());
    ensure(openids.len() + usernames.len() <= MOST_TESTERS, &OPENIDS)?;
    ensure(openids.iter().all(|openid| is_openid(openid)), &OPENID)?;
    ensure(usernames.iter().all(|name| (1..=32).contains(&name.len())), &USERNAME)?;
    qrcodes::set_testers(ask.db, ask.appid, &openids, &usernames)?;
    Ok(told! {"success_openid": json!(openids), "success_username": json!(usernames)})
}

/// A ticket of a QR code, in base64 as the vendor's are.
fn new_ticket() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(crate::random::alphanumeric(70))
}

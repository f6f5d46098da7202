//! Who is paid on gift-card pages, and the mini program that shows them.

use serde_json::json;

use super::pages;
use crate::card::ask::{Ask, Failed, Told, ensure, told};
use crate::ledger::card::things;
use crate::rules::card::{GIFT_MERCHANT, GIFT_PROGRAM, MERCHANT, PROGRAM_APPID, REQUIRED};

/// Merchants that may be paid.
const MERCHANTS: &str = "gift_merchant";
/// Mini programs that are bound to one of them.
const PROGRAMS: &str = "gift_program";

fn merchant<'a>(ask: &Ask<'a>) -> Result<&'a str, Failed> {
    let mchid = ask.body.needed("sub_mch_id", usize::MAX, &REQUIRED)?;
    ensure(is_merchant_id(mchid), &MERCHANT)?;
    Ok(mchid)
}

/// Whether a text can be the number of a merchant of WeChat Pay.
pub(in crate::card) fn is_merchant_id(text: &str) -> bool {
    (8..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn program<'a>(ask: &Ask<'a>) -> Result<&'a str, Failed> {
    let appid = ask.body.needed("wxa_appid", usize::MAX, &REQUIRED)?;
    let digits = appid.strip_prefix("wx").unwrap_or_default();
    ensure(digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), &PROGRAM_APPID)?;
    Ok(appid)
}

/// `POST /card/giftcard/pay/whitelist/add`: the address is where the merchant agrees; here it has done so at once.
pub(in crate::card) fn apply(ask: &Ask<'_>) -> Told {
    let mchid = merchant(ask)?;
    things::put(ask.db, ask.appid, (MERCHANTS, mchid), &json!({}), ask.now)?;
    Ok(told! {"url": format!("https://pay.weixin.qq.com/index.php/core/giftcard?sub_mch_id={mchid}")})
}

/// `POST /card/giftcard/pay/submch/bind`
pub(in crate::card) fn bind(ask: &Ask<'_>) -> Told {
    let (mchid, appid) = (merchant(ask)?, program(ask)?);
    ensure(things::find(ask.db, ask.appid, MERCHANTS, mchid)?.is_some(), &GIFT_MERCHANT)?;
    things::put(ask.db, ask.appid, (PROGRAMS, appid), &json!({ "sub_mch_id": mchid }), ask.now)?;
    Ok(told! {})
}

/// `POST /card/giftcard/wxa/set`
pub(in crate::card) fn set_program(ask: &Ask<'_>) -> Told {
    let appid = program(ask)?;
    let page_id = ask.body.needed("page_id", 128, &REQUIRED)?;
    pages::named(ask, page_id)?;
    let mut bound = things::find(ask.db, ask.appid, PROGRAMS, appid)?.ok_or(&GIFT_PROGRAM)?.body;
    bound["page_id"] = page_id.into();
    things::put(ask.db, ask.appid, (PROGRAMS, appid), &bound, ask.now)?;
    Ok(told! {})
}

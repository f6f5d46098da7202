//! Pages that sell gift cards: make, look, change, take off.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::page;
use crate::card::ask::{Ask, Failed, Told, ensure, told};
use crate::card::body::Body;
use crate::ledger::card::things::{self, Thing};
use crate::random;
use crate::rules::card::{GIFT_PAGE, PARAMETER, REQUIRED};

/// Their kind among the things.
pub(in crate::card) const KIND: &str = "gift_page";
/// Whether all pages of an account are off.
const CONTROL: (&str, &str) = ("gift_control", "all");
/// Longest id of a page.
const ID_BYTES: usize = 128;

const NORMAL: &str = "E_PAGE_CONTROL_NORMAL";
const OFF: &str = "E_PAGE_CONTROL_BIZ";

/// What is kept of a page.
pub(in crate::card) struct Page {
    pub(in crate::card) body: Map<String, Value>,
    /// Taken off by the merchant.
    pub(in crate::card) off: bool,
}

impl Page {
    fn of(thing: Thing) -> Self {
        let object = |key: &str| thing.body[key].as_object().cloned().unwrap_or_default();
        Self { body: object("page"), off: thing.body["off"] == true }
    }

    fn kept(self) -> Value {
        json!({ "page": self.body, "off": self.off })
    }
}

/// The page of this account.
pub(in crate::card) fn named(ask: &Ask<'_>, page_id: &str) -> Result<Page, Failed> {
    Ok(Page::of(things::find(ask.db, ask.appid, KIND, page_id)?.ok_or(&GIFT_PAGE)?))
}

/// Whether the merchant has taken all its pages off.
pub(in crate::card) fn all_off(ask: &Ask<'_>) -> Result<bool, Failed> {
    let (kind, name) = CONTROL;
    Ok(things::find(ask.db, ask.appid, kind, name)?.is_some_and(|thing| thing.body["off"] == true))
}

/// An id in base64, with a character that has to be encoded in addresses.
fn new_id() -> String {
    let mut bytes = vec![0xFB];
    bytes.extend(random::alphanumeric(30).into_bytes());
    STANDARD.encode(bytes)
}

/// `POST /card/giftcard/page/add`
pub(in crate::card) fn add(ask: &Ask<'_>) -> Told {
    let page = ask.body.object("page")?.ok_or(&REQUIRED)?;
    page::check(ask, page)?;
    let mut body = page.0.clone();
    body.remove("page_id");
    let (id, page_id) = (things::next(ask.db, ask.appid, KIND)?, new_id());
    let kept = Page { body, off: false }.kept();
    things::insert(ask.db, ask.appid, KIND, (id, &page_id), &kept, ask.now)?;
    Ok(told! {"page_id": page_id})
}

/// `POST /card/giftcard/page/get`
pub(in crate::card) fn get(ask: &Ask<'_>) -> Told {
    let page = named(ask, ask.body.needed("page_id", ID_BYTES, &REQUIRED)?)?;
    Ok(told! {"page": page.body})
}

/// `POST /card/giftcard/page/update`: what is not sent stays, what is sent takes the old one's place whole.
pub(in crate::card) fn update(ask: &Ask<'_>) -> Told {
    let change = ask.body.object("page")?.ok_or(&REQUIRED)?;
    let page_id = change.needed("page_id", ID_BYTES, &REQUIRED)?;
    let mut page = named(ask, page_id)?;
    for (key, value) in change.0.iter().filter(|(key, _)| *key != "page_id") {
        page.body.insert(key.clone(), value.clone());
    }
    page::check(ask, Body(&page.body))?;
    things::update(ask.db, ask.appid, (KIND, page_id), &page.kept(), ask.now)?;
    Ok(told! {})
}

/// `POST /card/giftcard/page/batchget`: oldest first.
pub(in crate::card) fn list(ask: &Ask<'_>) -> Told {
    Ok(told! {"page_id_list": things::names(ask.db, ask.appid, KIND)?})
}

/// `POST /card/giftcard/maintain/set`: takes one page or all of them off, or puts them back.
pub(in crate::card) fn maintain(ask: &Ask<'_>) -> Told {
    let off = ask.body.flag("maintain")?.ok_or(&REQUIRED)?;
    let page_id = ask.body.text("page_id", ID_BYTES)?.filter(|id| !id.is_empty());
    let all = ask.body.flag("all")?.unwrap_or(false);
    ensure(all || page_id.is_some(), &REQUIRED)?;
    ensure(!(all && page_id.is_some()), &PARAMETER)?;
    let mut listed = Vec::new();
    if let Some(page_id) = page_id {
        let mut page = named(ask, page_id)?;
        page.off = off;
        things::update(ask.db, ask.appid, (KIND, page_id), &page.kept(), ask.now)?;
        listed.push(page_id.to_owned());
    } else {
        things::put(ask.db, ask.appid, CONTROL, &json!({ "off": off }), ask.now)?;
        listed = things::names(ask.db, ask.appid, KIND)?;
    }
    let control = |off: bool| if off { OFF } else { NORMAL };
    let mut list = Vec::new();
    for page_id in listed {
        let page = named(ask, &page_id)?;
        list.push(json!({
            "page_id": page_id,
            "page_control_type": control(page.off),
            "system_page_control_type": NORMAL,
        }));
    }
    let info = json!({
        "biz_control_type": control(all_off(ask)?),
        "system_biz_control_type": NORMAL,
        "list": list,
    });
    Ok(told! {"control_info": info})
}

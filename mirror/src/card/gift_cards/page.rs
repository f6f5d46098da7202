//! A page that sells gift cards: what it has to hold.

use crate::card::ask::{Ask, Failed, ensure};
use crate::card::base_info::is_picture;
use crate::card::body::Body;
use crate::ledger::card::cards::DELETE;
use crate::rules::card::{
    CARD_STATUS, GIFT_CARD_TYPE, GIFT_CATEGORY, GIFT_COLOR, GIFT_LIST, IMAGE_URL, REQUIRED,
};

/// Longest text where no source has a number, in bytes.
pub(in crate::card) const TEXT: usize = 3_072;
/// Most entries of a list where no source has a number.
const ENTRIES: usize = 1_000;

fn picture(object: Body<'_>, key: &str) -> Result<(), Failed> {
    ensure(is_picture(object.needed(key, TEXT, &REQUIRED)?), &IMAGE_URL)
}

/// The objects of a list that is not empty.
fn entries<'a>(object: Body<'a>, key: &str) -> Result<Vec<Body<'a>>, Failed> {
    let list = object.objects(key)?.ok_or(&REQUIRED)?;
    ensure((1..=ENTRIES).contains(&list.len()), &GIFT_LIST)?;
    Ok(list)
}

/// Checks a whole page.
pub(in crate::card) fn check(ask: &Ask<'_>, page: Body<'_>) -> Result<(), Failed> {
    picture(page, "banner_pic_url")?;
    for key in ["page_title", "address", "service_phone", "biz_description"] {
        page.needed(key, TEXT, &REQUIRED)?;
    }
    for key in ["support_multi", "support_buy_for_self", "need_receipt"] {
        page.flag(key)?;
    }
    for key in ["cell_1", "cell_2"] {
        if let Some(cell) = page.object(key)? {
            cell.needed("title", TEXT, &REQUIRED)?;
            cell.needed("url", TEXT, &REQUIRED)?;
        }
    }
    let categories = page.objects("category_list")?.unwrap_or_default();
    ensure(categories.len() <= ENTRIES, &GIFT_LIST)?;
    for category in &categories {
        category.needed("title", TEXT, &REQUIRED)?;
    }
    for theme in entries(page, "theme_list")? {
        check_theme(ask, theme, categories.len())?;
    }
    Ok(())
}

fn check_theme(ask: &Ask<'_>, theme: Body<'_>, categories: usize) -> Result<(), Failed> {
    picture(theme, "theme_pic_url")?;
    theme.needed("title", TEXT, &REQUIRED)?;
    let digits = theme.needed("title_color", TEXT, &REQUIRED)?.strip_prefix('#').unwrap_or_default();
    ensure(digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), &GIFT_COLOR)?;
    for key in ["show_sku_title_first", "is_banner"] {
        theme.flag(key)?;
    }
    let index = theme.number("category_index")?.map(usize::try_from);
    let is_known = index.map(|index| index.is_ok_and(|index| index < categories));
    ensure(is_known.unwrap_or(categories == 0), &GIFT_CATEGORY)?;
    for item in entries(theme, "item_list")? {
        let card = ask.card_named(item.card_id()?)?;
        ensure(card.card_type == "GENERAL_CARD", &GIFT_CARD_TYPE)?;
        ensure(card.status != DELETE, &CARD_STATUS)?;
        for key in ["title", "desc"] {
            item.text(key, TEXT)?;
        }
        if let Some(url) = item.text("pic_url", TEXT)?.filter(|url| !url.is_empty()) {
            ensure(is_picture(url), &IMAGE_URL)?;
        }
    }
    for face in entries(theme, "pic_item_list")? {
        picture(face, "background_pic_url")?;
        for key in ["outer_img_id", "default_gifting_msg"] {
            face.text(key, TEXT)?;
        }
    }
    Ok(())
}

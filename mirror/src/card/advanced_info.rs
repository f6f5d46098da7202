//! `advanced_info`: when and where a card counts, and its pictures.

use super::ask::{Failed, ensure};
use super::base_info::is_picture;
use super::body::Body;
use crate::rules::card::{CARD_PARAMETERS, IMAGE_URL, PARAMETER, REQUIRED, TIME_LIMIT};

const DAYS: [&str; 8] =
    ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY", "HOLIDAY"];
const SERVICES: [&str; 4] =
    ["BIZ_SERVICE_DELIVER", "BIZ_SERVICE_FREE_PARK", "BIZ_SERVICE_WITH_PET", "BIZ_SERVICE_FREE_WIFI"];

/// Types and lengths of what is there.
pub(super) fn check_advanced(advanced: Body<'_>) -> Result<(), Failed> {
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

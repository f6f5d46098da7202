//! The checks of what can be given when a card is made and when it is changed: buttons, cells, limits and shops.

/// Checks the fields that both making and changing a card have.
macro_rules! check_cells {
    ($info:expr, $limits:expr) => {{
        let (info, limits): (_, &mut $crate::limits::Limits) = ($info, &mut *$limits);
        limits.optional("service_phone", info.service_phone.as_ref(), 24);
        limits.optional("center_title", info.center_title.as_ref(), 18);
        limits.optional("center_sub_title", info.center_sub_title.as_ref(), 24);
        limits.optional("center_url", info.center_url.as_ref(), $crate::limits::URL);
        limits.optional("center_app_brand_user_name", info.center_app_brand_user_name.as_ref(), 128);
        limits.optional("center_app_brand_pass", info.center_app_brand_pass.as_ref(), 128);
        limits.optional("custom_url_name", info.custom_url_name.as_ref(), 15);
        limits.optional("custom_url", info.custom_url.as_ref(), $crate::limits::URL);
        limits.optional("custom_url_sub_title", info.custom_url_sub_title.as_ref(), 18);
        limits.optional("custom_app_brand_user_name", info.custom_app_brand_user_name.as_ref(), 128);
        limits.optional("custom_app_brand_pass", info.custom_app_brand_pass.as_ref(), 128);
        limits.optional("promotion_url_name", info.promotion_url_name.as_ref(), 15);
        limits.optional("promotion_url", info.promotion_url.as_ref(), $crate::limits::URL);
        limits.optional("promotion_url_sub_title", info.promotion_url_sub_title.as_ref(), 18);
        limits.optional("promotion_app_brand_user_name", info.promotion_app_brand_user_name.as_ref(), 128);
        limits.optional("promotion_app_brand_pass", info.promotion_app_brand_pass.as_ref(), 128);
        for (field, number) in [("get_limit", info.get_limit), ("use_limit", info.use_limit)] {
            if let Some(number) = number {
                limits.range(field, number, 0, 100_000_000);
            }
        }
        let has_list = info.location_id_list.as_ref().is_some_and(|list| !list.is_empty());
        limits.require(
            !(has_list && info.use_all_locations == Some(true)),
            "location_id_list",
            "must be left out when use_all_locations is true",
        );
    }};
}

pub(super) use check_cells;

//! What of every card may be changed (spec §3.4).

use super::cells::check_cells;
use super::{CodeType, PayInfo};
use crate::card::color::Color;
use crate::card::date_info::{DateInfo, DateType};
use crate::limits::{Checked, Limits, TEXT, URL};
use crate::macros::request;

request! {
    /// What of every card may be changed. Logo, colour, notice and description bring it back to review, and the title
    /// probably too.
    pub struct BaseInfoChanges {
        optional {
            /// The logo; at most 128 bytes.
            logo_url: String,
            /// The colour.
            color: Color,
            /// How to use it, in a line; at most 48 bytes.
            notice: String,
            /// How to use it; at most 3,072 bytes.
            description: String,
            /// At most 27 bytes.
            title: String,
            /// At most 24 bytes.
            service_phone: String,
            /// How the code is shown.
            code_type: CodeType,
            /// The shops.
            location_id_list: Vec<i64>,
            /// Whether it is for all shops.
            use_all_locations: bool,
            /// The button in the centre; at most 18 bytes. An empty text clears it.
            center_title: String,
            /// The line below it; at most 24 bytes.
            center_sub_title: String,
            /// Where it leads.
            center_url: String,
            /// The mini program it leads to.
            center_app_brand_user_name: String,
            /// The mini program's path.
            center_app_brand_pass: String,
            /// The first own cell; at most 15 bytes.
            custom_url_name: String,
            /// Where it leads.
            custom_url: String,
            /// The line beside it; at most 18 bytes.
            custom_url_sub_title: String,
            /// The mini program it leads to.
            custom_app_brand_user_name: String,
            /// The mini program's path.
            custom_app_brand_pass: String,
            /// The second own cell; at most 15 bytes.
            promotion_url_name: String,
            /// Where it leads.
            promotion_url: String,
            /// The line beside it; at most 18 bytes.
            promotion_url_sub_title: String,
            /// The mini program it leads to.
            promotion_app_brand_user_name: String,
            /// The mini program's path.
            promotion_app_brand_pass: String,
            /// How many one user may claim.
            get_limit: i64,
            /// How many one user may redeem.
            use_limit: i64,
            /// Whether users may share the claim page.
            can_share: bool,
            /// Whether users may give it away.
            can_give_friend: bool,
            /// The validity: of cards valid from one moment to another alone, and only to a wider range.
            date_info: DateInfo,
            /// How a member pays with it.
            pay_info: PayInfo,
            /// Whether the centre button of a member card does both.
            is_pay_and_qrcode: bool,
            /// Whether to push an event when it is opened.
            need_push_on_view: bool,
        }
    }
}

/// What no update may change: sending it makes the update fail, silently or not.
const FIXED: &[&str] = &[
    "brand_name",
    "sku",
    "use_custom_code",
    "get_custom_code_mode",
    "bind_openid",
    "source",
    "sub_merchant_info",
];

impl Checked for BaseInfoChanges {
    fn check(&self, limits: &mut Limits) {
        limits.optional("logo_url", self.logo_url.as_ref(), URL);
        limits.optional("notice", self.notice.as_ref(), 48);
        limits.optional("description", self.description.as_ref(), TEXT);
        limits.optional("title", self.title.as_ref(), 27);
        check_cells!(self, limits);
        if let Some(date_info) = &self.date_info {
            limits.within("date_info", date_info);
            let rule = "can be changed only where it is from one moment to another";
            limits.require(date_info.kind == DateType::FixTimeRange, "date_info", rule);
            let bare = date_info.fixed_term.is_none() && date_info.fixed_begin_term.is_none();
            limits.require(
                bare,
                "date_info",
                "goes without fixed_term and fixed_begin_term, which cannot be changed",
            );
        }
        for field in FIXED {
            limits.require(self.extra.get(field).is_none(), field, "cannot be changed");
        }
    }
}

//! What a card shows beside the essentials (spec §4.5.1). Display only: nothing of it is checked when a code is redeemed.

use favor_core::Fen;

use crate::limits::{Checked, Limits, URL};
use crate::macros::{open, request};

request! {
    /// What a card shows beside the essentials.
    pub struct AdvancedInfo {
        optional {
            /// Under which conditions it is good.
            use_condition: UseCondition,
            /// The cover.
            #[serde(rename = "abstract")]
            cover: Cover,
            /// Pictures with their texts; at least one for coupons, or the page looks empty.
            text_image_list: Vec<TextImage>,
            /// What the shop offers.
            business_service: Vec<BusinessService>,
            /// When it is good.
            time_limit: Vec<TimeLimit>,
        }
    }
}

request! {
    /// Under which conditions a card is good.
    pub struct UseCondition {
        optional {
            /// Goods it is good for; cash vouchers; at most 512 bytes.
            accept_category: String,
            /// Goods it is not good for; cash vouchers; at most 512 bytes.
            reject_category: String,
            /// The minimum spend in fen; cash and exchange vouchers.
            least_cost: Fen,
            /// What to buy to use it; exchange vouchers; at most 512 bytes.
            object_use_for: String,
            /// Whether it goes with other discounts; yes unless set.
            can_use_with_other_discount: bool,
        }
    }
}

request! {
    /// The cover of a card.
    pub struct Cover {
        required {
            /// Its text; at most 24 bytes (8 Han characters).
            #[serde(rename = "abstract")]
            text: String,
            /// Exactly one picture.
            icon_url_list: Vec<String>,
        }
    }
}

request! {
    /// A picture with its text.
    pub struct TextImage {
        required {
            /// The picture.
            image_url: String,
            /// The text; at most 512 bytes.
            text: String,
        }
    }
}

open! {
    /// What a shop offers.
    pub enum BusinessService {
        /// It delivers.
        Deliver => "BIZ_SERVICE_DELIVER",
        /// Parking is free.
        FreePark => "BIZ_SERVICE_FREE_PARK",
        /// Pets are welcome.
        WithPet => "BIZ_SERVICE_WITH_PET",
        /// WiFi is free.
        FreeWifi => "BIZ_SERVICE_FREE_WIFI",
    }
}

open! {
    /// A day on which a card is good.
    pub enum LimitDay {
        /// Monday.
        Monday => "MONDAY",
        /// Tuesday.
        Tuesday => "TUESDAY",
        /// Wednesday.
        Wednesday => "WEDNESDAY",
        /// Thursday.
        Thursday => "THURSDAY",
        /// Friday.
        Friday => "FRIDAY",
        /// Saturday.
        Saturday => "SATURDAY",
        /// Sunday.
        Sunday => "SUNDAY",
        /// Public holidays.
        Holiday => "HOLIDAY",
    }
}

request! {
    /// A day, and hours of it, when a card is good. Two of the same day are its two ranges.
    pub struct TimeLimit {
        required {
            /// The day.
            #[serde(rename = "type")]
            day: LimitDay,
        }
        optional {
            /// From which hour, 0 to 23.
            begin_hour: i64,
            /// From which minute, 0 to 59.
            begin_minute: i64,
            /// Until which hour, 0 to 23.
            end_hour: i64,
            /// Until which minute, 0 to 59.
            end_minute: i64,
        }
    }
}

impl Checked for AdvancedInfo {
    fn check(&self, limits: &mut Limits) {
        if let Some(condition) = &self.use_condition {
            limits.within("use_condition", condition);
        }
        if let Some(cover) = &self.cover {
            limits.within("abstract", cover);
        }
        limits.each("text_image_list", self.text_image_list.as_deref().unwrap_or_default());
        limits.each("time_limit", self.time_limit.as_deref().unwrap_or_default());
    }
}

impl Checked for UseCondition {
    fn check(&self, limits: &mut Limits) {
        limits.optional("accept_category", self.accept_category.as_ref(), 512);
        limits.optional("reject_category", self.reject_category.as_ref(), 512);
        limits.optional("object_use_for", self.object_use_for.as_ref(), 512);
    }
}

impl Checked for Cover {
    fn check(&self, limits: &mut Limits) {
        limits.text("abstract", &self.text, 24);
        limits.list("icon_url_list", &self.icon_url_list, 1, 1);
        for url in &self.icon_url_list {
            limits.text("icon_url_list[0]", url, URL);
        }
    }
}

impl Checked for TextImage {
    fn check(&self, limits: &mut Limits) {
        limits.text("image_url", &self.image_url, URL);
        limits.text("text", &self.text, 512);
    }
}

impl Checked for TimeLimit {
    fn check(&self, limits: &mut Limits) {
        let hours = [("begin_hour", self.begin_hour), ("end_hour", self.end_hour)];
        let minutes = [("begin_minute", self.begin_minute), ("end_minute", self.end_minute)];
        for (fields, last) in [(hours, 23), (minutes, 59)] {
            for (field, number) in fields {
                if let Some(number) = number {
                    limits.range(field, number, 0, last);
                }
            }
        }
    }
}

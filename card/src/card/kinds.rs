//! The twelve types of cards (spec §4.6–§4.17).

mod coupons;
mod custom_field;
mod general_card;
mod member_card;
mod tickets;

pub use coupons::{Cash, Discount, GeneralCoupon, Gift, Groupon, LuckyMoney};
pub use custom_field::{CustomField, FieldNameType};
pub use general_card::{GeneralCard, SubCardType};
pub use member_card::{BonusRule, CustomCell, MemberCard};
pub use tickets::{BoardingPass, MeetingTicket, MovieTicket, ScenicTicket};

/// What all types check alike.
macro_rules! check_infos {
    ($card:expr, $limits:expr) => {{
        $limits.within("base_info", &$card.base_info);
        if let Some(advanced_info) = &$card.advanced_info {
            $limits.within("advanced_info", advanced_info);
        }
    }};
}

use check_infos;

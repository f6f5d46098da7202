//! General cards, sold as gifts (spec §4.12).

use favor_core::Fen;

use super::check_infos;
use super::custom_field::{CustomField, check_fields};
use crate::card::advanced_info::AdvancedInfo;
use crate::card::base_info::BaseInfo;
use crate::limits::{Checked, Limits, TEXT, URL};
use crate::macros::{open, request};

open! {
    /// The kind of a general card.
    pub enum SubCardType {
        /// Stored value.
        GiftCard => "GIFT_CARD",
        /// A single item.
        Voucher => "VOUCHER",
    }
}

request! {
    /// A general card, sold as a gift (礼品卡).
    pub struct GeneralCard {
        required {
            /// What every card has; with `giftcard_info`, which says what it costs.
            base_info: BaseInfo,
            /// Its kind.
            sub_card_type: SubCardType,
        }
        given {
            /// Whether it has points. Sent though the default is no.
            supply_bonus: bool,
            /// Whether it has a balance; gift cards alone.
            supply_balance: bool,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
            /// Its background.
            background_pic_url: String,
            /// Points to begin with.
            init_bonus: i64,
            /// Balance in fen to begin with; gift cards alone.
            init_balance: Fen,
            /// The privileges; at most 3,072 bytes.
            prerogative: String,
            /// Whether it is active when it is bought; otherwise activate it by a call.
            auto_activate: bool,
            /// An own field.
            custom_field1: CustomField,
            /// An own field.
            custom_field2: CustomField,
            /// An own field.
            custom_field3: CustomField,
        }
    }
}

impl Checked for GeneralCard {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        let price = self.base_info.giftcard_info.is_some();
        limits.require(price, "base_info.giftcard_info", "is needed: it says what the card costs");
        let is_deposit = self.base_info.get_custom_code_mode.is_some();
        limits.require(
            self.base_info.use_custom_code != Some(true) || is_deposit,
            "base_info.get_custom_code_mode",
            "custom codes of a general card must be deposited",
        );
        let is_gift_card = self.sub_card_type == SubCardType::GiftCard;
        limits.require(
            is_gift_card || (!self.supply_balance && self.init_balance.is_none()),
            "supply_balance",
            "only gift cards have a balance",
        );
        limits.optional("background_pic_url", self.background_pic_url.as_ref(), URL);
        limits.optional("prerogative", self.prerogative.as_ref(), TEXT);
        check_fields(
            limits,
            [self.supply_bonus, self.supply_balance],
            [self.custom_field1.as_ref(), self.custom_field2.as_ref(), self.custom_field3.as_ref()],
        );
    }
}

//! Changing a card: what of each type may be changed (spec §3.4).

use favor_core::Timestamp;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap as _};

use super::base_info::BaseInfoChanges;
use super::kinds::{BonusRule, CustomCell, CustomField};
use crate::id::CardId;
use crate::limits::{Checked, Limits, TEXT, URL};
use crate::macros::request;

macro_rules! changes {
    ($($(#[$m:meta])* $variant:ident($name:ident) = $key:literal { $($(#[$fm:meta])* $field:ident: $ty:ty,)* })+) => {
        $(request! {
            $(#[$m])*
            pub struct $name {
                optional {
                    /// What every card has.
                    base_info: BaseInfoChanges,
                    $($(#[$fm])* $field: $ty,)*
                }
            }
        })+

        /// What to change of a card, by its type, which must be the card's. Only what is set is changed. In files it is
        /// one object under the type's key: `{"groupon":{…}}`.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum CardChanges {
            $(#[doc = concat!("Of a card with the key `", $key, "`.")] #[serde(rename = $key)] $variant(Box<$name>),)+
        }

        $(impl From<$name> for CardChanges {
            fn from(changes: $name) -> Self {
                Self::$variant(Box::new(changes))
            }
        })+

        impl CardChanges {
            fn base_info(&self) -> Option<&BaseInfoChanges> {
                match self {
                    $(Self::$variant(changes) => changes.base_info.as_ref(),)+
                }
            }

            fn key(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $key,)+
                }
            }
        }

        impl Serialize for Update<'_> {
            /// Beside the id there is the type's own object, and no `card_type`.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("card_id", self.card_id)?;
                match self.changes {
                    $(CardChanges::$variant(changes) => map.serialize_entry($key, changes)?,)+
                }
                map.end()
            }
        }
    };
}

/// The body of an update.
pub(crate) struct Update<'a> {
    pub(crate) card_id: &'a CardId,
    pub(crate) changes: &'a CardChanges,
}

changes! {
    /// What to change of a deal.
    Groupon(GrouponChanges) = "groupon" {
        /// What is in the deal. It is not known whether the platform takes it.
        deal_detail: String,
    }
    /// What to change of a cash voucher: not its amounts.
    Cash(CashChanges) = "cash" {}
    /// What to change of a discount.
    Discount(DiscountChanges) = "discount" {
        /// Percent taken off. It is not known whether the platform takes it.
        discount: i64,
    }
    /// What to change of an exchange voucher.
    Gift(GiftChanges) = "gift" {
        /// What it is exchanged for. It is not known whether the platform takes it.
        gift: String,
    }
    /// What to change of a general coupon.
    GeneralCoupon(GeneralCouponChanges) = "general_coupon" {
        /// What it is good for. It is not known whether the platform takes it.
        default_detail: String,
    }
    /// What to change of a member card.
    MemberCard(MemberCardChanges) = "member_card" {
        /// Its background.
        background_pic_url: String,
        /// Whether it has points: only from no to yes.
        supply_bonus: bool,
        /// Whether it has a balance: only from no to yes.
        supply_balance: bool,
        /// When points expire.
        bonus_cleared: String,
        /// How points are earned, as text.
        bonus_rules: String,
        /// About the balance, as text.
        balance_rules: String,
        /// Where points are shown.
        bonus_url: String,
        /// The mini program for that.
        bonus_app_brand_user_name: String,
        /// The mini program's path.
        bonus_app_brand_pass: String,
        /// Where the balance is shown.
        balance_url: String,
        /// The mini program for that.
        balance_app_brand_user_name: String,
        /// The mini program's path.
        balance_app_brand_pass: String,
        /// The privileges.
        prerogative: String,
        /// Whether it is active when it is claimed.
        auto_activate: bool,
        /// Whether the platform's form activates it.
        wx_activate: bool,
        /// Whether the user is led on after the form.
        wx_activate_after_submit: bool,
        /// Where to.
        wx_activate_after_submit_url: String,
        /// Where the user activates it.
        activate_url: String,
        /// The mini program for that.
        activate_app_brand_user_name: String,
        /// The mini program's path.
        activate_app_brand_pass: String,
        /// An own field.
        custom_field1: CustomField,
        /// An own field.
        custom_field2: CustomField,
        /// An own field.
        custom_field3: CustomField,
        /// An own cell.
        custom_cell1: CustomCell,
        /// An own cell.
        custom_cell2: CustomCell,
        /// An own cell.
        custom_cell3: CustomCell,
        /// How quick payments earn and spend points.
        bonus_rule: BonusRule,
        /// Percent taken off.
        discount: i64,
        /// What messages about points and balance offer.
        modify_msg_operation: MsgOperation,
        /// What the message about the activation offers.
        activate_msg_operation: MsgOperation,
    }
    /// What to change of a general card.
    GeneralCard(GeneralCardChanges) = "general_card" {
        /// Its background.
        background_pic_url: String,
        /// The privileges.
        prerogative: String,
        /// Whether it is active when it is bought.
        auto_activate: bool,
        /// Whether it has points.
        supply_bonus: bool,
        /// Whether it has a balance.
        supply_balance: bool,
        /// An own field.
        custom_field1: CustomField,
        /// An own field.
        custom_field2: CustomField,
        /// An own field.
        custom_field3: CustomField,
    }
    /// What to change of a ticket to an event.
    MeetingTicket(MeetingTicketChanges) = "meeting_ticket" {
        /// A map of the place.
        map_url: String,
        /// About the event.
        meeting_detail: String,
    }
    /// What to change of a ticket to an attraction.
    ScenicTicket(ScenicTicketChanges) = "scenic_ticket" {
        /// A guide to the place.
        guide_url: String,
    }
    /// What to change of a cinema ticket.
    MovieTicket(MovieTicketChanges) = "movie_ticket" {
        /// About the film.
        detail: String,
    }
    /// What to change of a boarding pass.
    BoardingPass(BoardingPassChanges) = "boarding_pass" {
        /// When it leaves.
        departure_time: Timestamp,
        /// When it arrives.
        landing_time: Timestamp,
        /// The gate.
        gate: String,
        /// When boarding begins.
        boarding_time: Timestamp,
    }
    /// What to change of a red packet. Legacy.
    LuckyMoney(LuckyMoneyChanges) = "lucky_money" {}
}

request! {
    /// What a message offers: one of the two.
    pub struct MsgOperation {
        optional {
            /// Cards or a link.
            url_cell: UrlCell,
            /// One card, in an older form.
            card_cell: OldCardCell,
        }
    }
}

request! {
    /// Cards or a link in a message.
    pub struct UrlCell {
        required {
            /// Until when it is offered.
            end_time: Timestamp,
            /// What it says.
            text: String,
        }
        optional {
            /// At most five cards.
            card_id_list: Vec<CardId>,
            /// Where it leads.
            url: String,
            /// The mini program it leads to.
            app_brand_id: String,
            /// The mini program's path.
            app_brand_pass: String,
        }
    }
}

request! {
    /// One card in a message, in an older form.
    pub struct OldCardCell {
        required {
            /// Until when it is offered.
            end_time: Timestamp,
            /// The card.
            card_id: CardId,
        }
    }
}

impl Checked for MsgOperation {
    fn check(&self, limits: &mut Limits) {
        let one = self.url_cell.is_some() != self.card_cell.is_some();
        limits.require(one, "url_cell", "is needed, or card_cell, and not both");
        if let Some(cell) = &self.url_cell {
            limits.moment("url_cell.end_time", &cell.end_time);
            let cards = cell.card_id_list.as_deref().unwrap_or_default();
            limits.list("url_cell.card_id_list", cards, 0, 5);
            for (at, card_id) in cards.iter().enumerate() {
                limits.card_id_at(&format!("url_cell.card_id_list[{at}]"), card_id);
            }
        }
        if let Some(cell) = &self.card_cell {
            limits.moment("card_cell.end_time", &cell.end_time);
            limits.card_id_at("card_cell.card_id", &cell.card_id);
        }
    }
}

impl Checked for MemberCardChanges {
    fn check(&self, limits: &mut Limits) {
        for (field, text) in [
            ("background_pic_url", &self.background_pic_url),
            ("bonus_url", &self.bonus_url),
            ("balance_url", &self.balance_url),
            ("activate_url", &self.activate_url),
        ] {
            limits.optional(field, text.as_ref(), URL);
        }
        for (field, text) in [
            ("prerogative", &self.prerogative),
            ("bonus_cleared", &self.bonus_cleared),
            ("bonus_rules", &self.bonus_rules),
            ("balance_rules", &self.balance_rules),
        ] {
            limits.optional(field, text.as_ref(), TEXT);
        }
        for (field, text) in [
            ("bonus_app_brand_user_name", &self.bonus_app_brand_user_name),
            ("bonus_app_brand_pass", &self.bonus_app_brand_pass),
            ("balance_app_brand_user_name", &self.balance_app_brand_user_name),
            ("balance_app_brand_pass", &self.balance_app_brand_pass),
            ("activate_app_brand_user_name", &self.activate_app_brand_user_name),
            ("activate_app_brand_pass", &self.activate_app_brand_pass),
        ] {
            limits.optional(field, text.as_ref(), 128);
        }
        if let Some(discount) = self.discount {
            limits.range("discount", discount, 0, 99);
        }
        limits.web("wx_activate_after_submit_url", self.wx_activate_after_submit_url.as_ref());
        let cannot = "can be changed only from no to yes";
        limits.require(self.supply_bonus != Some(false), "supply_bonus", cannot);
        limits.require(self.supply_balance != Some(false), "supply_balance", cannot);
        for (name, field) in [
            ("custom_field1", &self.custom_field1),
            ("custom_field2", &self.custom_field2),
            ("custom_field3", &self.custom_field3),
        ] {
            if let Some(field) = field {
                limits.within(name, field);
            }
        }
        for (name, cell) in [
            ("custom_cell1", &self.custom_cell1),
            ("custom_cell2", &self.custom_cell2),
            ("custom_cell3", &self.custom_cell3),
        ] {
            if let Some(cell) = cell {
                limits.within(name, cell);
            }
        }
        for (name, operation) in [
            ("modify_msg_operation", &self.modify_msg_operation),
            ("activate_msg_operation", &self.activate_msg_operation),
        ] {
            if let Some(operation) = operation {
                limits.within(name, operation);
            }
        }
    }
}

impl Checked for CardChanges {
    fn check(&self, limits: &mut Limits) {
        match self {
            Self::Groupon(changes) => limits.optional("deal_detail", changes.deal_detail.as_ref(), TEXT),
            Self::Cash(changes) => {
                for field in ["least_cost", "reduce_cost"] {
                    limits.require(changes.extra.get(field).is_none(), field, "cannot be changed");
                }
            }
            Self::Discount(changes) => {
                if let Some(discount) = changes.discount {
                    limits.range("discount", discount, 1, 99);
                }
            }
            Self::Gift(changes) => limits.optional("gift", changes.gift.as_ref(), TEXT),
            Self::GeneralCoupon(changes) => {
                limits.optional("default_detail", changes.default_detail.as_ref(), TEXT);
            }
            Self::MemberCard(changes) => changes.check(limits),
            Self::GeneralCard(changes) => {
                limits.optional("background_pic_url", changes.background_pic_url.as_ref(), URL);
                limits.optional("prerogative", changes.prerogative.as_ref(), TEXT);
                for (name, field) in [
                    ("custom_field1", &changes.custom_field1),
                    ("custom_field2", &changes.custom_field2),
                    ("custom_field3", &changes.custom_field3),
                ] {
                    if let Some(field) = field {
                        limits.within(name, field);
                    }
                }
            }
            Self::MeetingTicket(changes) => {
                limits.optional("map_url", changes.map_url.as_ref(), URL);
                limits.optional("meeting_detail", changes.meeting_detail.as_ref(), TEXT);
            }
            Self::ScenicTicket(changes) => limits.optional("guide_url", changes.guide_url.as_ref(), URL),
            Self::MovieTicket(changes) => limits.optional("detail", changes.detail.as_ref(), TEXT),
            Self::BoardingPass(changes) => {
                limits.optional_moment("departure_time", changes.departure_time.as_ref());
                limits.optional_moment("landing_time", changes.landing_time.as_ref());
                limits.optional_moment("boarding_time", changes.boarding_time.as_ref());
            }
            Self::LuckyMoney(_) => {}
        }
        if let Some(base_info) = self.base_info() {
            limits.within("base_info", base_info);
        }
    }
}

impl Checked for Update<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.card_id(self.card_id);
        limits.within(self.changes.key(), self.changes);
    }
}

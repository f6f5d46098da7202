//! The twelve types of cards (spec §4.6–§4.17).

use favor_core::{Fen, Timestamp};

use super::advanced_info::AdvancedInfo;
use super::base_info::BaseInfo;
use crate::limits::{Checked, Limits, TEXT, URL};
use crate::macros::{open, request};

/// What all types check alike.
macro_rules! check_infos {
    ($card:expr, $limits:expr) => {{
        $limits.within("base_info", &$card.base_info);
        if let Some(advanced_info) = &$card.advanced_info {
            $limits.within("advanced_info", advanced_info);
        }
    }};
}

request! {
    /// A deal (团购券).
    pub struct Groupon {
        required {
            /// What every card has.
            base_info: BaseInfo,
            /// What is in the deal; at most 3,072 bytes.
            deal_detail: String,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
        }
    }
}

impl Checked for Groupon {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.text("deal_detail", &self.deal_detail, TEXT);
    }
}

request! {
    /// A cash voucher: spend so much, get so much off (代金券).
    pub struct Cash {
        required {
            /// What every card has.
            base_info: BaseInfo,
            /// The minimum spend in fen; 0 for none. Newer texts move it to `use_condition`: send it in both.
            least_cost: Fen,
            /// What is taken off, in fen.
            reduce_cost: Fen,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
        }
    }
}

impl Checked for Cash {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.require(self.reduce_cost > Fen::ZERO, "reduce_cost", "must be more than 0");
        let rule = "must be 0 or more than reduce_cost";
        limits.require(
            self.least_cost == Fen::ZERO || self.least_cost > self.reduce_cost,
            "least_cost",
            rule,
        );
        let elsewhere = self.advanced_info.as_ref().and_then(|info| info.use_condition.as_ref());
        if let Some(least_cost) = elsewhere.and_then(|condition| condition.least_cost) {
            let rule = "must equal least_cost of advanced_info.use_condition";
            limits.require(least_cost == self.least_cost, "least_cost", rule);
        }
    }
}

request! {
    /// A percentage off (折扣券).
    pub struct Discount {
        required {
            /// What every card has.
            base_info: BaseInfo,
            /// Percent taken off, 1 to 99: 30 is 30 % off (7折).
            discount: i64,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
        }
    }
}

impl Checked for Discount {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.range("discount", self.discount, 1, 99);
    }
}

request! {
    /// An exchange voucher (兑换券).
    pub struct Gift {
        required {
            /// What every card has.
            base_info: BaseInfo,
            /// What it is exchanged for; at most 3,072 bytes.
            gift: String,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
        }
    }
}

impl Checked for Gift {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.text("gift", &self.gift, TEXT);
    }
}

request! {
    /// A general coupon (优惠券).
    pub struct GeneralCoupon {
        required {
            /// What every card has.
            base_info: BaseInfo,
            /// What it is good for; at most 3,072 bytes.
            default_detail: String,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
        }
    }
}

impl Checked for GeneralCoupon {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.text("default_detail", &self.default_detail, TEXT);
    }
}

open! {
    /// A field of a member card whose changes can be told in a message.
    pub enum FieldNameType {
        /// The level.
        Level => "FIELD_NAME_TYPE_LEVEL",
        /// Coupons.
        Coupon => "FIELD_NAME_TYPE_COUPON",
        /// Stamps.
        Stamp => "FIELD_NAME_TYPE_STAMP",
        /// The discount.
        Discount => "FIELD_NAME_TYPE_DISCOUNT",
        /// The achievement, in the platform's spelling.
        Achievement => "FIELD_NAME_TYPE_ACHIEVEMEN" | "FIELD_NAME_TYPE_ACHIEVEMENT",
        /// Mileage.
        Mileage => "FIELD_NAME_TYPE_MILEAGE",
        /// Points of a set.
        SetPoints => "FIELD_NAME_TYPE_SET_POINTS",
        /// Times, in the platform's spelling.
        Times => "FIELD_NAME_TYPE_TIMS" | "FIELD_NAME_TYPE_TIMES",
    }
}

request! {
    /// An own field of a member card: either of a type, or with a name.
    pub struct CustomField {
        optional {
            /// One of the platform's types.
            name_type: FieldNameType,
            /// An own name; at most 24 bytes.
            name: String,
            /// Where it leads.
            url: String,
            /// The mini program it leads to.
            app_brand_user_name: String,
            /// The mini program's path.
            app_brand_pass: String,
        }
    }
}

impl Checked for CustomField {
    fn check(&self, limits: &mut Limits) {
        let one = self.name_type.is_some() != self.name.is_some();
        limits.require(one, "name", "is needed, or name_type, and not both");
        limits.optional("name", self.name.as_ref(), 24);
        limits.optional("url", self.url.as_ref(), URL);
        limits.optional("app_brand_user_name", self.app_brand_user_name.as_ref(), 128);
        limits.optional("app_brand_pass", self.app_brand_pass.as_ref(), 128);
    }
}

request! {
    /// An own cell of a member card.
    pub struct CustomCell {
        required {
            /// Its name; at most 15 bytes (5 Han characters).
            name: String,
            /// The line beside it; at most 18 bytes (6 Han characters).
            tips: String,
            /// Where it leads.
            url: String,
        }
        optional {
            /// The mini program it leads to.
            app_brand_user_name: String,
            /// The mini program's path.
            app_brand_pass: String,
        }
    }
}

impl Checked for CustomCell {
    fn check(&self, limits: &mut Limits) {
        limits.text("name", &self.name, 15);
        limits.text("tips", &self.tips, 18);
        limits.text("url", &self.url, URL);
        limits.optional("app_brand_user_name", self.app_brand_user_name.as_ref(), 128);
        limits.optional("app_brand_pass", self.app_brand_pass.as_ref(), 128);
    }
}

request! {
    /// How quick payments earn and spend points.
    pub struct BonusRule {
        optional {
            /// So many fen
            cost_money_unit: i64,
            /// earn so many points,
            increase_bonus: i64,
            /// at most so many for one purchase.
            max_increase_bonus: i64,
            /// Points on joining.
            init_increase_bonus: i64,
            /// So many points
            cost_bonus_unit: i64,
            /// take so many fen off,
            reduce_money: i64,
            /// from so many fen on,
            least_money_to_use_bonus: i64,
            /// at most so many points for one purchase.
            max_reduce_bonus: i64,
        }
    }
}

request! {
    /// A member card (会员卡).
    pub struct MemberCard {
        required {
            /// What every card has.
            base_info: BaseInfo,
        }
        given {
            /// The privileges; at most 3,072 bytes. Needed.
            prerogative: String,
            /// Whether it has points. Once it has, it cannot be taken back.
            supply_bonus: bool,
            /// Whether it has a balance. Needs a permission.
            supply_balance: bool,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
            /// Its background; overrides the colour.
            background_pic_url: String,
            /// Where points are shown when they are not synchronised.
            bonus_url: String,
            /// The mini program for that.
            bonus_app_brand_user_name: String,
            /// The mini program's path.
            bonus_app_brand_pass: String,
            /// When points expire; at most 3,072 bytes.
            bonus_cleared: String,
            /// How points are earned, as text; at most 3,072 bytes.
            bonus_rules: String,
            /// How quick payments earn and spend points.
            bonus_rule: BonusRule,
            /// Where the balance is shown.
            balance_url: String,
            /// The mini program for that.
            balance_app_brand_user_name: String,
            /// The mini program's path.
            balance_app_brand_pass: String,
            /// About the balance, as text; at most 3,072 bytes.
            balance_rules: String,
            /// Whether it is active when it is claimed.
            auto_activate: bool,
            /// Whether the platform's form activates it; then set the form.
            wx_activate: bool,
            /// Whether the user is led on after the form.
            wx_activate_after_submit: bool,
            /// Where to.
            wx_activate_after_submit_url: String,
            /// Where the user activates it, when nothing else does.
            activate_url: String,
            /// The mini program for that.
            activate_app_brand_user_name: String,
            /// The mini program's path.
            activate_app_brand_pass: String,
            /// An older form of `activate_url`, which old answers carry.
            bind_old_card_url: String,
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
            /// Percent taken off: 10 is 10 % off.
            discount: i64,
        }
    }
}

/// Of points, balance and own fields there are at most three.
fn check_fields(limits: &mut Limits, supplies: [bool; 2], fields: [Option<&CustomField>; 3]) {
    let count = supplies.into_iter().filter(|supply| *supply).count() + fields.iter().flatten().count();
    let rule = "with points and balance there may be at most three fields";
    limits.require(count <= 3, "custom_field1", rule);
    for (field, name) in fields.into_iter().zip(["custom_field1", "custom_field2", "custom_field3"]) {
        if let Some(field) = field {
            limits.within(name, field);
        }
    }
}

impl Checked for MemberCard {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.text("prerogative", &self.prerogative, TEXT);
        limits.optional("background_pic_url", self.background_pic_url.as_ref(), URL);
        for (field, text) in [
            ("bonus_url", &self.bonus_url),
            ("bonus_app_brand_user_name", &self.bonus_app_brand_user_name),
            ("bonus_app_brand_pass", &self.bonus_app_brand_pass),
            ("balance_url", &self.balance_url),
            ("balance_app_brand_user_name", &self.balance_app_brand_user_name),
            ("balance_app_brand_pass", &self.balance_app_brand_pass),
            ("activate_url", &self.activate_url),
            ("activate_app_brand_user_name", &self.activate_app_brand_user_name),
            ("activate_app_brand_pass", &self.activate_app_brand_pass),
            ("bind_old_card_url", &self.bind_old_card_url),
        ] {
            limits.optional(field, text.as_ref(), URL);
        }
        for (field, text) in [
            ("bonus_cleared", &self.bonus_cleared),
            ("bonus_rules", &self.bonus_rules),
            ("balance_rules", &self.balance_rules),
        ] {
            limits.optional(field, text.as_ref(), TEXT);
        }
        limits.web("wx_activate_after_submit_url", self.wx_activate_after_submit_url.as_ref());
        let on = |flag: Option<bool>| flag == Some(true);
        let has_page = self.activate_url.is_some() || self.bind_old_card_url.is_some();
        let has_program = self.activate_app_brand_user_name.is_some();
        limits.require(
            on(self.auto_activate) || on(self.wx_activate) || has_page || has_program,
            "activate_url",
            "is needed unless auto_activate or wx_activate is true or a mini program activates the card",
        );
        limits.require(
            !(on(self.wx_activate) && self.activate_url.is_some()),
            "activate_url",
            "must be left out when wx_activate is true",
        );
        let leads_on = on(self.wx_activate_after_submit);
        limits.require(
            !leads_on || on(self.wx_activate),
            "wx_activate_after_submit",
            "goes only with wx_activate",
        );
        limits.require(
            !leads_on || self.wx_activate_after_submit_url.is_some() || has_program,
            "wx_activate_after_submit_url",
            "is needed with wx_activate_after_submit",
        );
        check_fields(
            limits,
            [self.supply_bonus, self.supply_balance],
            [self.custom_field1.as_ref(), self.custom_field2.as_ref(), self.custom_field3.as_ref()],
        );
        let cells = [&self.custom_cell1, &self.custom_cell2, &self.custom_cell3];
        for (cell, name) in cells.into_iter().zip(["custom_cell1", "custom_cell2", "custom_cell3"]) {
            if let Some(cell) = cell {
                limits.within(name, cell);
            }
        }
        if let Some(discount) = self.discount {
            limits.range("discount", discount, 0, 99);
        }
    }
}

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

request! {
    /// A ticket to an event.
    pub struct MeetingTicket {
        required {
            /// What every card has.
            base_info: BaseInfo,
            /// About the event; at most 3,072 bytes.
            meeting_detail: String,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
            /// A map of the place.
            map_url: String,
        }
    }
}

impl Checked for MeetingTicket {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.text("meeting_detail", &self.meeting_detail, TEXT);
        limits.optional("map_url", self.map_url.as_ref(), URL);
    }
}

request! {
    /// A ticket to an attraction.
    pub struct ScenicTicket {
        required {
            /// What every card has.
            base_info: BaseInfo,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
            /// Its class: a full day, a package. Newer texts need it.
            ticket_class: String,
            /// A guide to the place.
            guide_url: String,
        }
    }
}

impl Checked for ScenicTicket {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.optional("guide_url", self.guide_url.as_ref(), URL);
    }
}

request! {
    /// A cinema ticket.
    pub struct MovieTicket {
        required {
            /// What every card has.
            base_info: BaseInfo,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
            /// About the film; at most 3,072 bytes. Newer texts need it.
            detail: String,
        }
    }
}

impl Checked for MovieTicket {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.optional("detail", self.detail.as_ref(), TEXT);
    }
}

request! {
    /// A boarding pass.
    pub struct BoardingPass {
        required {
            /// What every card has.
            base_info: BaseInfo,
            /// From where; at most 54 bytes (18 Han characters).
            from: String,
            /// To where; at most 54 bytes.
            to: String,
            /// The flight number.
            flight: String,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
            /// When it leaves.
            departure_time: Timestamp,
            /// When it arrives.
            landing_time: Timestamp,
            /// Where to check in.
            check_in_url: String,
            /// The gate.
            gate: String,
            /// When boarding begins.
            boarding_time: Timestamp,
            /// The aircraft; at most 24 bytes (8 Han characters).
            air_model: String,
        }
    }
}

impl Checked for BoardingPass {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
        limits.text("from", &self.from, 54);
        limits.text("to", &self.to, 54);
        limits.text("flight", &self.flight, TEXT);
        limits.optional_moment("departure_time", self.departure_time.as_ref());
        limits.optional_moment("landing_time", self.landing_time.as_ref());
        limits.optional_moment("boarding_time", self.boarding_time.as_ref());
        limits.optional("check_in_url", self.check_in_url.as_ref(), URL);
        limits.optional("air_model", self.air_model.as_ref(), 24);
    }
}

request! {
    /// A red packet, whose amount is given when it is claimed. Legacy.
    pub struct LuckyMoney {
        required {
            /// What every card has.
            base_info: BaseInfo,
        }
        optional {
            /// What it shows beside that.
            advanced_info: AdvancedInfo,
        }
    }
}

impl Checked for LuckyMoney {
    fn check(&self, limits: &mut Limits) {
        check_infos!(self, limits);
    }
}

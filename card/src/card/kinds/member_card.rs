//! Member cards (spec §4.11).

use super::check_infos;
use super::custom_field::{CustomField, check_fields};
use crate::card::advanced_info::AdvancedInfo;
use crate::card::base_info::BaseInfo;
use crate::limits::{Checked, Limits, TEXT, URL};
use crate::macros::request;

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

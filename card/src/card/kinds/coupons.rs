//! Coupons and vouchers (spec §4.6–§4.10), and the red packet (§4.17).

use favor_core::Fen;

use super::check_infos;
use crate::card::advanced_info::AdvancedInfo;
use crate::card::base_info::BaseInfo;
use crate::limits::{Checked, Limits, TEXT};
use crate::macros::request;

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

//! Rules by which paying gives a member card (E30–E33, spec §3.30).

use favor_core::{AppId, Fen, MerchantId, Timestamp};
use serde::Serialize;

use crate::client::Client;
use crate::endpoint;
use crate::errcode::ErrCode;
use crate::error::Error;
use crate::id::CardId;
use crate::limits::{Checked, Limits};
use crate::macros::{answer, open, request};
use crate::reply::{Done, Reply};

/// The calls on pay-then-issue rules (支付即会员). Cheap to clone.
#[derive(Clone, Debug)]
pub struct PayGifts {
    client: Client,
}

open! {
    /// What a rule gives.
    pub enum PayGiftType {
        /// A member card.
        MemberCard => "RULE_TYPE_PAY_MEMBER_CARD",
        /// A coupon, in an old form under the key `single_pay`.
        SinglePay => "RULE_TYPE_SINGLE_PAY",
    }
}

open! {
    /// The state of a rule.
    pub enum PayGiftStatus {
        /// In force.
        Ok => "RULE_STATUS_OK",
    }
}

request! {
    /// A rule.
    pub struct PayGiftRule {
        required {
            /// What it gives.
            #[serde(rename = "type")]
            kind: PayGiftType,
            /// Where and when it holds.
            base_info: PayGiftBase,
        }
        optional {
            /// The member card.
            member_rule: PayGiftMember,
        }
    }
}

request! {
    /// Where and when a rule holds.
    pub struct PayGiftBase {
        required {
            /// The Pay merchants whose customers get it.
            mchid_list: Vec<MerchantId>,
            /// From when.
            begin_time: Timestamp,
            /// Until when.
            end_time: Timestamp,
        }
        optional {
            /// In answers: its state.
            status: PayGiftStatus,
            /// In answers: when it was made.
            create_time: Timestamp,
            /// In answers: when it was changed.
            update_time: Timestamp,
        }
    }
}

request! {
    /// The member card that a rule gives.
    pub struct PayGiftMember {
        required {
            /// The card.
            card_id: CardId,
            /// From which payment on, in fen.
            least_cost: Fen,
            /// Up to which payment, in fen.
            max_cost: Fen,
        }
        optional {
            /// An own page to claim it; at most 128 bytes.
            jump_url: String,
            /// An own mini program to claim it, by its appid.
            app_brand_id: String,
            /// The mini program's path.
            app_brand_pass: String,
        }
    }
}

impl PayGiftRule {
    /// A rule that gives a member card.
    pub fn member_card(base_info: PayGiftBase, member_rule: PayGiftMember) -> Self {
        Self::new(PayGiftType::MemberCard, base_info).member_rule(member_rule)
    }
}

#[derive(Serialize)]
struct Add<'a> {
    rule_info: &'a PayGiftRule,
}

impl Checked for Add<'_> {
    fn check(&self, limits: &mut Limits) {
        let rule = self.rule_info;
        limits.list("rule_info.base_info.mchid_list", &rule.base_info.mchid_list, 1, 10_000);
        limits.moment("rule_info.base_info.begin_time", &rule.base_info.begin_time);
        limits.moment("rule_info.base_info.end_time", &rule.base_info.end_time);
        let in_order = rule.base_info.begin_time < rule.base_info.end_time;
        limits.require(in_order, "rule_info.base_info.begin_time", "must be before end_time");
        if rule.kind == PayGiftType::MemberCard {
            let is_there = rule.member_rule.is_some();
            limits.require(is_there, "rule_info.member_rule", "is needed for a member card");
        }
        if let Some(member) = &rule.member_rule {
            limits.card_id_at("rule_info.member_rule.card_id", &member.card_id);
            limits.optional("rule_info.member_rule.jump_url", member.jump_url.as_ref(), 128);
            let in_order = member.least_cost <= member.max_cost;
            limits.require(in_order, "rule_info.member_rule.least_cost", "must not be more than max_cost");
        }
    }
}

answer! {
    /// A rule that was added. It may hold for some merchants and not for others.
    pub struct AddedPayGift {
        required {
            /// The rule.
            rule_id: i64,
        }
        given {
            /// The merchants it does not hold for.
            fail_mchid_list: Vec<FailedMerchant>,
            /// The merchants it holds for.
            succ_mchid_list: Vec<MerchantId>,
        }
    }
}

answer! {
    /// A merchant that a rule does not hold for.
    pub struct FailedMerchant {
        required {
            /// The merchant.
            mchid: MerchantId,
        }
        optional {
            /// Why, as a number.
            errcode: i64,
            /// Why, as text.
            errmsg: String,
            /// The rule that occupies it.
            occupy_rule_id: i64,
            /// The account of that rule.
            occupy_appid: AppId,
        }
    }
}

impl FailedMerchant {
    /// Why.
    pub fn code(&self) -> Option<ErrCode> {
        self.errcode.map(ErrCode::from)
    }
}

answer! {
    /// A rule by its id.
    pub struct PayGiftAnswer {
        required {
            /// The rule.
            rule_info: PayGiftRule,
        }
    }
}

request! {
    /// Which rules to list (E33).
    pub struct ListPayGifts {
        required {
            /// Of this kind.
            #[serde(rename = "type")]
            kind: PayGiftType,
            /// Whether those in force alone.
            effective: bool,
            /// How many to pass over.
            offset: i64,
            /// How many at most.
            count: i64,
        }
    }
}

impl Checked for ListPayGifts {
    fn check(&self, limits: &mut Limits) {
        limits.range("offset", self.offset, 0, i64::MAX);
        limits.range("count", self.count, 1, i64::MAX);
    }
}

answer! {
    /// Some rules.
    pub struct PayGiftList {
        given {
            /// How many there are in all.
            total_count: i64,
            /// These.
            rule_list: Vec<PayGiftRule>,
        }
    }
}

#[derive(Serialize)]
struct ByRule {
    rule_id: i64,
}

impl Checked for ByRule {
    fn check(&self, limits: &mut Limits) {
        limits.range("rule_id", self.rule_id, 1, i64::MAX);
    }
}

impl PayGifts {
    /// The rules of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Adds a rule (E30). Look at what it does not hold for.
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown look with [`list`](Self::list) before repeating.
    pub async fn add(&self, rule: &PayGiftRule) -> Result<Reply<AddedPayGift>, Error> {
        self.client.post(&endpoint::PAY_GIFT_ADD, &Add { rule_info: rule }).await
    }

    /// Deletes a rule (E31).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn delete(&self, rule_id: i64) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::PAY_GIFT_DELETE, &ByRule { rule_id }).await
    }

    /// A rule (E32).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get(&self, rule_id: i64) -> Result<Reply<PayGiftAnswer>, Error> {
        self.client.post(&endpoint::PAY_GIFT_GET, &ByRule { rule_id }).await
    }

    /// Some rules (E33).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list(&self, request: &ListPayGifts) -> Result<Reply<PayGiftList>, Error> {
        self.client.post(&endpoint::PAY_GIFT_LIST, request).await
    }
}

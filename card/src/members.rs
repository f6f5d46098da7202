//! Member cards in users' hands (E24–E29, spec §3.24–§3.29).

use favor_core::{Fen, OpenId, Timestamp};
use serde::Serialize;

use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::id::{CardId, Code, Personal};
use crate::limits::{Checked, Limits, URL};
use crate::macros::{answer, open, request};
use crate::member_form::{ActivationUrl, SetMemberForm, SubmittedForm};
use crate::reply::{Done, Reply};
use crate::status::CodeStatus;
use crate::user_info::{FilledField, UserInfo};

/// The calls on member cards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MemberCards {
    client: Client,
}

request! {
    /// Activates a member card (E24).
    pub struct ActivateMember {
        required {
            /// The number printed on the card, at most 20 bytes; may be the code.
            membership_number: String,
            /// The code, at most 20 bytes.
            code: Code,
        }
        optional {
            /// The card. Needed for custom and deposited codes.
            card_id: CardId,
            /// The picture on the card; at most 128 bytes.
            background_pic_url: String,
            /// From when it is valid; as the card says unless set.
            activate_begin_time: Timestamp,
            /// Until when.
            activate_end_time: Timestamp,
            /// Points to begin with.
            init_bonus: i64,
            /// The text of the first entry of points; at most 32 bytes.
            init_bonus_record: String,
            /// Balance in fen to begin with.
            init_balance: Fen,
            /// The first own field; at most 12 bytes (4 Han characters).
            init_custom_field_value1: String,
            /// The second own field; at most 12 bytes.
            init_custom_field_value2: String,
            /// The third own field; at most 12 bytes.
            init_custom_field_value3: String,
            /// Where points are shown when they cannot be synchronised. Legacy.
            bonus_url: String,
            /// Where the balance is shown when it cannot be synchronised. Legacy.
            balance_url: String,
        }
    }
}

impl Checked for ActivateMember {
    fn check(&self, limits: &mut Limits) {
        limits.text("membership_number", &self.membership_number, 20);
        limits.code(&self.code);
        limits.optional("background_pic_url", self.background_pic_url.as_ref(), URL);
        limits.optional_moment("activate_begin_time", self.activate_begin_time.as_ref());
        limits.optional_moment("activate_end_time", self.activate_end_time.as_ref());
        limits.optional("init_bonus_record", self.init_bonus_record.as_ref(), 32);
        limits.optional("init_custom_field_value1", self.init_custom_field_value1.as_ref(), 12);
        limits.optional("init_custom_field_value2", self.init_custom_field_value2.as_ref(), 12);
        limits.optional("init_custom_field_value3", self.init_custom_field_value3.as_ref(), 12);
        limits.optional("bonus_url", self.bonus_url.as_ref(), URL);
        limits.optional("balance_url", self.balance_url.as_ref(), URL);
    }
}

open! {
    /// A member's sex.
    pub enum Sex {
        /// Male.
        Male => "MALE",
        /// Female.
        Female => "FEMALE",
        /// Not said.
        NotSaid => "UNKNOWN",
    }
}

answer! {
    /// A member.
    pub struct Member {
        required {
            /// Who.
            openid: OpenId,
        }
        optional {
            /// The name.
            nickname: Personal,
            /// The sex.
            sex: Sex,
            /// The number printed on the card.
            membership_number: String,
            /// Points.
            bonus: i64,
            /// The balance in fen.
            balance: Fen,
            /// What was written into the form.
            user_info: UserInfo,
            /// In old answers: the merchant's fields of the form, which stand in `user_info` now.
            custom_field_list: Vec<FilledField>,
            /// The state of the card.
            user_card_status: CodeStatus,
            /// Whether the card is active.
            has_active: bool,
        }
    }
}

request! {
    /// Which messages a change sends.
    pub struct NotifyOptional {
        optional {
            /// About points; yes unless set.
            is_notify_bonus: bool,
            /// About the balance; yes unless set.
            is_notify_balance: bool,
            /// About the first own field; no unless set.
            is_notify_custom_field1: bool,
            /// About the second own field; no unless set.
            is_notify_custom_field2: bool,
            /// About the third own field; no unless set.
            is_notify_custom_field3: bool,
        }
    }
}

request! {
    /// Changes a member's points, balance or fields (E29).
    ///
    /// Give the new value and the change together: the card shows the value and the message the change, and a repeat
    /// changes nothing more. A change alone is made again by each repeat.
    pub struct UpdateMember {
        required {
            /// The code, at most 20 bytes.
            code: Code,
            /// The card.
            card_id: CardId,
        }
        optional {
            /// The picture on the card; at most 128 bytes.
            background_pic_url: String,
            /// The points from now on.
            bonus: i64,
            /// By how many points they change; below zero to take some.
            add_bonus: i64,
            /// The text of the entry; at most 42 bytes (14 Han characters).
            record_bonus: String,
            /// The balance in fen from now on.
            balance: Fen,
            /// By how many fen it changes; below zero to take some.
            add_balance: i64,
            /// The text of the entry; at most 42 bytes.
            record_balance: String,
            /// The first own field; at most 12 bytes (4 Han characters).
            custom_field_value1: String,
            /// The second own field; at most 12 bytes.
            custom_field_value2: String,
            /// The third own field; at most 12 bytes.
            custom_field_value3: String,
            /// The number printed on the card; at most 20 bytes. Not documented.
            membership_number: String,
            /// Which messages to send.
            notify_optional: NotifyOptional,
        }
    }
}

impl UpdateMember {
    /// Whether a repeat changes nothing more: no change of points or balance goes without the new value.
    pub fn is_repeatable(&self) -> bool {
        (self.add_bonus.is_none() || self.bonus.is_some())
            && (self.add_balance.is_none() || self.balance.is_some())
    }
}

impl Checked for UpdateMember {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
        limits.optional("background_pic_url", self.background_pic_url.as_ref(), URL);
        limits.optional("record_bonus", self.record_bonus.as_ref(), 42);
        limits.optional("record_balance", self.record_balance.as_ref(), 42);
        limits.optional("custom_field_value1", self.custom_field_value1.as_ref(), 12);
        limits.optional("custom_field_value2", self.custom_field_value2.as_ref(), 12);
        limits.optional("custom_field_value3", self.custom_field_value3.as_ref(), 12);
        limits.optional("membership_number", self.membership_number.as_ref(), 20);
    }
}

answer! {
    /// What a member has after a change.
    pub struct UpdatedMember {
        optional {
            /// Points.
            result_bonus: i64,
            /// The balance in fen.
            result_balance: Fen,
            /// Who.
            openid: OpenId,
        }
    }
}

#[derive(Serialize)]
struct ByChannel<'a> {
    card_id: &'a CardId,
    #[serde(skip_serializing_if = "Option::is_none")]
    outer_str: Option<&'a str>,
}

impl Checked for ByChannel<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.card_id(self.card_id);
        limits.bytes("outer_str", self.outer_str.unwrap_or_default(), 128);
    }
}

#[derive(Serialize)]
struct ByTicket<'a> {
    activate_ticket: &'a str,
}

impl Checked for ByTicket<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.text("activate_ticket", self.activate_ticket, 1_024);
    }
}

#[derive(Serialize)]
pub(crate) struct ByCardAndCode<'a> {
    pub(crate) card_id: &'a CardId,
    pub(crate) code: &'a Code,
}

impl Checked for ByCardAndCode<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.card_id(self.card_id);
        limits.code(self.code);
    }
}

impl MemberCards {
    /// The member cards of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Activates a card (E24), also after a form that led the user on.
    ///
    /// # Errors
    /// [`Error`]; 72003 when it is no member card.
    pub async fn activate(&self, request: &ActivateMember) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::MEMBER_ACTIVATE, request).await
    }

    /// Where users fill the form of a card made with `wx_activate` (E25); with a channel of at most 128 bytes.
    ///
    /// # Errors
    /// [`Error`]; 72026 for other cards.
    pub async fn activation_url(
        &self,
        card_id: &CardId,
        outer_str: Option<&str>,
    ) -> Result<Reply<ActivationUrl>, Error> {
        self.client.post(&endpoint::MEMBER_ACTIVATE_URL, &ByChannel { card_id, outer_str }).await
    }

    /// Sets the form (E26).
    ///
    /// # Errors
    /// [`Error`]; 72026 for cards made without `wx_activate`.
    pub async fn set_form(&self, request: &SetMemberForm) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::MEMBER_FORM, request).await
    }

    /// The form that a user submitted who was led on with this ticket (E27). Then [`activate`](Self::activate).
    ///
    /// # Errors
    /// [`Error`]; 72011 and 72012 for a wrong or expired ticket.
    pub async fn submitted_form(&self, activate_ticket: &str) -> Result<Reply<SubmittedForm>, Error> {
        self.client.post(&endpoint::MEMBER_TEMP_INFO, &ByTicket { activate_ticket }).await
    }

    /// A member (E28).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get(&self, card_id: &CardId, code: &Code) -> Result<Reply<Member>, Error> {
        self.client.post(&endpoint::MEMBER_GET, &ByCardAndCode { card_id, code }).await
    }

    /// Changes a member's points, balance or fields (E29).
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown ask for the member first, unless the request
    /// [is repeatable](UpdateMember::is_repeatable).
    pub async fn update(&self, request: &UpdateMember) -> Result<Reply<UpdatedMember>, Error> {
        self.client.post(&endpoint::MEMBER_UPDATE, request).await
    }
}

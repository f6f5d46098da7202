//! What control calls show of the card API.

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::account::status;
use super::account_change::{CardReviewPolicy, PushMode};
use crate::ledger::card::accounts::Account;
use crate::ledger::card::cards::Card;
use crate::ledger::card::codes::Code;
use crate::ledger::card::events::StoredEvent;
use crate::moment::Moment;

/// An account of the card API, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CardAccount {
    /// Its appid.
    pub appid: String,
    /// Its name in pushed messages, `gh_…`.
    pub account: String,
    /// Where events go, if anywhere.
    pub url: Option<String>,
    /// How they are pushed.
    pub mode: PushMode,
    /// What the review says.
    pub review: CardReviewPolicy,
    /// How long the review takes, in seconds of the test clock.
    pub review_seconds: i64,
    /// Whether it may use codes of its own.
    pub custom_code: bool,
    /// Whether it may use points.
    pub bonus: bool,
    /// Whether it may use balances.
    pub balance: bool,
    /// Whether it has WeChat Pay.
    pub pay: bool,
    /// How many tokens it was given.
    pub tokens: TokensIssued,
}

/// How many tokens an account was given since the mirror's beginning or its last reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct TokensIssued {
    /// Plain ones.
    pub plain: i64,
    /// Stable ones: answers with the same one again do not count.
    pub stable: i64,
}

impl CardAccount {
    pub(crate) fn new(appid: &str, account: &Account, tokens: TokensIssued) -> Self {
        Self {
            appid: appid.to_owned(),
            account: crate::merchant::account_name(appid),
            url: account.url.clone(),
            mode: account.mode,
            review: account.review,
            review_seconds: account.review_seconds,
            custom_code: account.custom_code,
            bonus: account.bonus,
            balance: account.balance,
            pay: account.pay,
            tokens,
        }
    }
}

/// What a review has said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CardReview {
    /// The card.
    pub card_id: String,
    /// Its status now, e.g. `CARD_STATUS_VERIFY_OK`.
    pub status: String,
}

/// What the review of a sub-merchant has said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SubMerchantReview {
    /// Number of the sub-merchant.
    pub merchant_id: i64,
    /// `APPROVED` or `REJECTED`.
    pub status: String,
}

/// One user's copy of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UserCard {
    /// The card.
    pub card_id: String,
    /// The code.
    pub code: String,
    /// The code as pages get to see it.
    pub encrypt_code: Option<String>,
    /// Whose it is; empty for a deposited code that nobody has.
    pub openid: String,
    /// E.g. `NORMAL`, `CONSUMED`, `EXPIRE`, by the test clock.
    pub user_card_status: String,
    /// From when on it can be used, in seconds since 1970.
    pub begin_time: i64,
    /// Until when; none for a card without an end.
    pub end_time: Option<i64>,
    /// The scene of the claim.
    pub outer_str: String,
    /// Whether it is activated, or needs no activation.
    pub has_active: bool,
    /// What is printed on it, as JSON: membership number, points, balance, fields, the form.
    pub face: Map<String, Value>,
    /// What the page of the second step gets when a form was submitted, if there is such a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activate_ticket: Option<String>,
}

impl UserCard {
    pub(crate) fn new(card: &Card, code: &Code, now: Moment) -> Self {
        Self {
            card_id: card.card_id.clone(),
            code: code.code.clone(),
            encrypt_code: code.encrypted.clone(),
            openid: code.openid.clone(),
            user_card_status: status(code, now).to_owned(),
            begin_time: code.begins,
            end_time: code.ends,
            outer_str: code.outer_str.clone(),
            has_active: code.active,
            face: code.face.clone(),
            activate_ticket: None,
        }
    }
}

/// What has become of a pushed event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CardEventState {
    /// A delivery is still to come.
    Pending,
    /// The receiver has acknowledged one.
    Delivered,
    /// Three deliveries were not acknowledged.
    GivenUp,
    /// The account had no address.
    Nowhere,
}

/// A pushed event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CardEventRecord {
    /// Number in the log, counted from 1.
    pub id: i64,
    /// The account.
    pub appid: String,
    /// E.g. `user_get_card`.
    pub event: String,
    /// The message in clear.
    pub xml: String,
    /// When it happened, on the test clock.
    pub created: DateTime<FixedOffset>,
    /// What has become of it.
    pub state: CardEventState,
    /// Deliveries that were tried.
    pub attempts: i64,
    /// HTTP status of the last answer, if there was one.
    pub status: Option<i64>,
    /// Why it does not count as acknowledged.
    pub error: Option<String>,
}

impl From<StoredEvent> for CardEventRecord {
    fn from(event: StoredEvent) -> Self {
        Self {
            id: event.id,
            appid: event.appid,
            event: event.event,
            xml: event.xml,
            created: event.created.date_time(),
            state: match event.state.as_str() {
                "pending" => CardEventState::Pending,
                "delivered" => CardEventState::Delivered,
                "nowhere" => CardEventState::Nowhere,
                _ => CardEventState::GivenUp,
            },
            attempts: event.attempts,
            status: event.status,
            error: event.error,
        }
    }
}

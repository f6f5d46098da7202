//! What displays get to see of cards and codes.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use serde::Serialize;
use serde_json::{Map, Value};

/// Some cards, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CardList {
    /// How many cards there are in all.
    pub total: i64,
    /// Those that were asked for, newest first.
    pub cards: Vec<ListedCard>,
}

/// A kind of card in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListedCard {
    /// Its id.
    pub card_id: String,
    /// The account.
    pub appid: String,
    /// E.g. `GROUPON`.
    pub card_type: String,
    /// Its title.
    pub title: String,
    /// The name of the merchant on it.
    pub brand_name: String,
    /// Name of the colour, e.g. `Color010`.
    pub color: String,
    /// Its RGB value, e.g. `#63b359`; none where there is no such colour.
    pub color_value: Option<String>,
    /// `CARD_STATUS_…`
    pub status: String,
    /// When the review answers by itself, on the test clock.
    pub review_due: Option<DateTime<FixedOffset>>,
    /// `server`, `custom` or `deposited`: whose codes they are.
    pub codes: String,
    /// Codes that can still be claimed.
    pub quantity: i64,
    /// Codes that there were ever.
    pub total_quantity: i64,
    /// Claims so far.
    pub claimed: i64,
    /// Redemptions so far.
    pub redeemed: i64,
    /// When it was created, on the test clock.
    pub create_time: DateTime<FixedOffset>,
    /// When it was changed last, on the test clock.
    pub update_time: DateTime<FixedOffset>,
}

/// A kind of card with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownCard {
    /// What a list says of it.
    #[serde(flatten)]
    pub card: ListedCard,
    /// Why the review refused it, while it is refused.
    pub refuse_reason: Option<String>,
    /// The object of its type, as it was sent and changed.
    pub body: Map<String, Value>,
    /// Pay cell, self-redeem cell and form of activation.
    pub settings: Map<String, Value>,
    /// Whether users can pay from it.
    pub pay_cell: bool,
    /// How many codes are in which state, by the name of the state.
    pub code_counts: BTreeMap<String, i64>,
    /// Openids of the users who may claim it before it has passed its review.
    pub test_openids: Vec<String>,
    /// QR codes that lead to it, at most 100; those that live longest come first.
    pub qrcodes: Vec<ShownTicket>,
}

/// A QR code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownTicket {
    /// What a user claims with.
    pub ticket: String,
    /// When its time is over, on the test clock.
    pub expires: DateTime<FixedOffset>,
    /// Whether its time is over, by the test clock.
    pub over: bool,
    /// Whether it can be claimed from once only.
    pub once: bool,
    /// Whether somebody has claimed from it.
    pub used: bool,
    /// How many cards it leads to.
    pub cards: usize,
    /// The scene of a claim.
    pub outer_str: String,
    /// Whom it is for, where it says so.
    pub openid: Option<String>,
    /// Which code it is for, where it says so.
    pub code: Option<String>,
}

/// Which codes are asked for; all of them where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CodeFilter {
    /// Only those of this card.
    pub card_id: Option<String>,
    /// Only those of this user.
    pub openid: Option<String>,
    /// Only those numbered below it: the last [`ShownCode::id`] of the page before.
    pub before: Option<i64>,
}

/// One user's copy of a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownCode {
    /// Counts up; the next page begins before it.
    pub id: i64,
    /// The card.
    pub card_id: String,
    /// The code.
    pub code: String,
    /// A merchant's own code, which needs `card_id` beside it.
    pub custom: bool,
    /// Whose it is, or was.
    pub openid: String,
    /// E.g. `NORMAL`, `CONSUMED`, `EXPIRE`, by the test clock.
    pub user_card_status: String,
    /// From when on it can be used.
    pub begin_time: DateTime<FixedOffset>,
    /// Until when; none for a card without an end.
    pub end_time: Option<DateTime<FixedOffset>>,
    /// When it was claimed; none of a card that a friend gave.
    pub claim_time: Option<DateTime<FixedOffset>>,
    /// When a gift that nobody takes goes back.
    pub gift_due: Option<DateTime<FixedOffset>>,
    /// The scene of the claim.
    pub outer_str: String,
    /// Whether it is activated, or needs no activation.
    pub has_active: bool,
    /// What is printed on it, as JSON: membership number, points, balance, fields, the form.
    pub face: Map<String, Value>,
}

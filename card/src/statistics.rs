//! Statistics by day (E68–E71, spec §3.44).

use chrono::NaiveDate;
use favor_core::time::beijing_day;
use rust_decimal::Decimal;
use serde::{Deserializer, Serializer, de};

use crate::card::CardType;
use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::id::CardId;
use crate::limits::{Checked, Limits};
use crate::macros::{answer, plain, request};
use crate::reply::Reply;
use crate::wire::Wire;

/// The calls on statistics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Statistics {
    client: Client,
}

plain!(NaiveDate);

/// Where cards were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardSource {
    /// In the console: 0 on the wire.
    Console,
    /// By calls: 1 on the wire.
    Api,
}

impl Wire for CardSource {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::read(deserializer)? {
            0 => Ok(Self::Console),
            1 => Ok(Self::Api),
            _ => Err(de::Error::custom("neither 0 nor 1")),
        }
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(match self {
            Self::Console => 0,
            Self::Api => 1,
        })
    }
}

request! {
    /// Days, both included, of cards by where they were made (E68, E70).
    pub struct Days {
        required {
            /// The first day.
            begin_date: NaiveDate,
            /// The last day: yesterday at the latest, and with the first at most 62 days in all.
            end_date: NaiveDate,
            /// Of cards made there.
            cond_source: CardSource,
        }
    }
}

request! {
    /// Days, both included, of free coupons (E69): of one, or of all.
    pub struct CardDays {
        required {
            /// The first day.
            begin_date: NaiveDate,
            /// The last day: yesterday at the latest, and with the first at most 62 days in all.
            end_date: NaiveDate,
            /// Of cards made there.
            cond_source: CardSource,
        }
        optional {
            /// The card.
            card_id: CardId,
        }
    }
}

request! {
    /// Days, both included, of one member card (E71).
    pub struct MemberCardDays {
        required {
            /// The first day.
            begin_date: NaiveDate,
            /// The last day: yesterday at the latest, and with the first at most 62 days in all.
            end_date: NaiveDate,
            /// The card.
            card_id: CardId,
        }
    }
}

/// Both ends counted.
const MOST_DAYS: i64 = 62;

fn check_days(limits: &mut Limits, begin: NaiveDate, end: NaiveDate) {
    let days = end.signed_duration_since(begin).num_days();
    limits.require(days >= 0, "begin_date", "must not be after end_date");
    limits.require(days < MOST_DAYS, "end_date", "must give at most 62 days in all, begin_date counted");
    let today = beijing_day(&limits.now());
    limits.require(end < today, "end_date", format!("must be before today, which is {today} in Beijing"));
}

impl Checked for Days {
    fn check(&self, limits: &mut Limits) {
        check_days(limits, self.begin_date, self.end_date);
    }
}

impl Checked for CardDays {
    fn check(&self, limits: &mut Limits) {
        check_days(limits, self.begin_date, self.end_date);
    }
}

impl Checked for MemberCardDays {
    fn check(&self, limits: &mut Limits) {
        check_days(limits, self.begin_date, self.end_date);
        limits.card_id(&self.card_id);
    }
}

answer! {
    /// One row for each day that has data.
    pub struct AccountStatistics {
        given {
            /// The rows.
            list: Vec<AccountDay>,
        }
    }
}

answer! {
    /// One day of the account: what was counted, and how many different users it were.
    pub struct AccountDay {
        required {
            /// The day.
            ref_date: NaiveDate,
        }
        given {
            /// Views.
            view_cnt: i64,
            /// Viewers.
            view_user: i64,
            /// Claims.
            receive_cnt: i64,
            /// Claimers.
            receive_user: i64,
            /// Redemptions.
            verify_cnt: i64,
            /// Redeemers.
            verify_user: i64,
            /// Gifts.
            given_cnt: i64,
            /// Givers.
            given_user: i64,
            /// Expiries.
            expire_cnt: i64,
            /// Those whose cards expired.
            expire_user: i64,
        }
    }
}

answer! {
    /// One row for each day and card that has data.
    pub struct CardStatistics {
        given {
            /// The rows.
            list: Vec<CardDay>,
        }
    }
}

answer! {
    /// One day of a card: what was counted, and how many different users it were.
    pub struct CardDay {
        required {
            /// The day.
            ref_date: NaiveDate,
            /// The card.
            card_id: CardId,
        }
        given {
            /// Views.
            view_cnt: i64,
            /// Viewers.
            view_user: i64,
            /// Claims.
            receive_cnt: i64,
            /// Claimers.
            receive_user: i64,
            /// Redemptions.
            verify_cnt: i64,
            /// Redeemers.
            verify_user: i64,
            /// Gifts.
            given_cnt: i64,
            /// Givers.
            given_user: i64,
            /// Expiries.
            expire_cnt: i64,
            /// Those whose cards expired.
            expire_user: i64,
        }
        optional {
            /// The type, as a number of its own: see [`kind`](Self::kind).
            card_type: i64,
            /// Whether it is paid; older answers.
            is_pay: i64,
        }
    }
}

impl CardDay {
    /// The type of the card, where its number is known.
    pub fn kind(&self) -> Option<CardType> {
        Some(match self.card_type? {
            0 => CardType::Discount,
            1 => CardType::Cash,
            2 => CardType::Gift,
            3 => CardType::GeneralCoupon,
            4 => CardType::Groupon,
            _ => return None,
        })
    }
}

answer! {
    /// One row for each day that has data.
    pub struct MemberStatistics {
        given {
            /// The rows.
            list: Vec<MemberDay>,
        }
    }
}

answer! {
    /// One day of all member cards.
    pub struct MemberDay {
        required {
            /// The day.
            ref_date: NaiveDate,
        }
        given {
            /// Views.
            view_cnt: i64,
            /// Viewers.
            view_user: i64,
            /// Claims.
            receive_cnt: i64,
            /// Claimers.
            receive_user: i64,
            /// Those who activated.
            active_user: i64,
            /// Uses.
            verify_cnt: i64,
            /// Users.
            verify_user: i64,
            /// Members in all.
            total_user: i64,
            /// Those who ever claimed.
            total_receive_user: i64,
        }
    }
}

answer! {
    /// One row for each day that has data.
    pub struct MemberCardStatistics {
        given {
            /// The rows.
            list: Vec<MemberCardDay>,
        }
    }
}

answer! {
    /// One day of one member card.
    pub struct MemberCardDay {
        required {
            /// The day.
            ref_date: NaiveDate,
            /// The card.
            #[serde(rename = "cardid")]
            card_id: CardId,
        }
        given {
            /// Views.
            view_cnt: i64,
            /// Viewers.
            view_user: i64,
            /// Claims.
            receive_cnt: i64,
            /// Claimers.
            receive_user: i64,
            /// Uses.
            verify_cnt: i64,
            /// Users.
            verify_user: i64,
            /// Activations.
            active_cnt: i64,
            /// Those who activated.
            active_user: i64,
            /// Members in all.
            total_user: i64,
            /// New members.
            new_user: i64,
        }
        optional {
            /// The kind of merchant.
            #[serde(rename = "merchanttype")]
            merchant_type: i64,
            /// The sub-merchant.
            #[serde(rename = "submerchantid")]
            sub_merchant_id: i64,
            /// Those who ever claimed.
            total_receive_user: i64,
            /// What quick payments came to before discounts, in fen; old answers have fractions.
            #[serde(rename = "payOriginalFee")]
            pay_original_fee: Decimal,
            /// What quick payments came to, in fen; old answers have fractions.
            fee: Decimal,
        }
    }
}

impl Statistics {
    /// The statistics of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// All cards together (E68).
    ///
    /// # Errors
    /// [`Error`]; 61503 while a day's figures are not ready.
    pub async fn account(&self, days: &Days) -> Result<Reply<AccountStatistics>, Error> {
        self.client.post(&endpoint::STATS_ACCOUNT, days).await
    }

    /// Free coupons one by one (E69).
    ///
    /// # Errors
    /// [`Error`]; 61503 while a day's figures are not ready.
    pub async fn cards(&self, days: &CardDays) -> Result<Reply<CardStatistics>, Error> {
        self.client.post(&endpoint::STATS_CARDS, days).await
    }

    /// All member cards together (E70).
    ///
    /// # Errors
    /// [`Error`]; 61503 while a day's figures are not ready.
    pub async fn member_cards(&self, days: &Days) -> Result<Reply<MemberStatistics>, Error> {
        self.client.post(&endpoint::STATS_MEMBERS, days).await
    }

    /// One member card (E71).
    ///
    /// # Errors
    /// [`Error`]; 61503 while a day's figures are not ready.
    pub async fn member_card(&self, days: &MemberCardDays) -> Result<Reply<MemberCardStatistics>, Error> {
        self.client.post(&endpoint::STATS_MEMBER_CARD, days).await
    }
}

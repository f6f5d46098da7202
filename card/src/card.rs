//! Cards by their type (spec §4).

mod advanced_info;
mod base_info;
mod changes;
mod color;
mod date_info;
mod kinds;

pub use advanced_info::{AdvancedInfo, BusinessService, Cover, LimitDay, TextImage, TimeLimit, UseCondition};
pub use base_info::{
    BaseInfo, BaseInfoChanges, CodeType, CustomCodeMode, GiftCardInfo, PayInfo, Sku, SubMerchantInfo,
    SwipeCard, UrlNameType,
};
pub(crate) use changes::Update;
pub use changes::{
    BoardingPassChanges, CardChanges, CashChanges, DiscountChanges, GeneralCardChanges, GeneralCouponChanges,
    GiftChanges, GrouponChanges, LuckyMoneyChanges, MeetingTicketChanges, MemberCardChanges,
    MovieTicketChanges, MsgOperation, OldCardCell, ScenicTicketChanges, UrlCell,
};
pub use color::Color;
pub use date_info::{DateInfo, DateType};
pub use kinds::{
    BoardingPass, BonusRule, Cash, CustomCell, CustomField, Discount, FieldNameType, GeneralCard,
    GeneralCoupon, Gift, Groupon, LuckyMoney, MeetingTicket, MemberCard, MovieTicket, ScenicTicket,
    SubCardType,
};

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::limits::{Checked, Limits};
use crate::macros::{open, plain};

open! {
    /// The type of a card.
    pub enum CardType {
        /// A deal (团购券).
        Groupon => "GROUPON",
        /// A cash voucher (代金券).
        Cash => "CASH",
        /// A percentage off (折扣券).
        Discount => "DISCOUNT",
        /// An exchange voucher (兑换券).
        Gift => "GIFT",
        /// A general coupon (优惠券).
        GeneralCoupon => "GENERAL_COUPON",
        /// A member card (会员卡).
        MemberCard => "MEMBER_CARD",
        /// A general card or gift card (礼品卡).
        GeneralCard => "GENERAL_CARD",
        /// A ticket to an event.
        MeetingTicket => "MEETING_TICKET",
        /// A ticket to an attraction.
        ScenicTicket => "SCENIC_TICKET",
        /// A cinema ticket.
        MovieTicket => "MOVIE_TICKET",
        /// A boarding pass.
        BoardingPass => "BOARDING_PASS",
        /// A red packet. Legacy.
        LuckyMoney => "LUCKY_MONEY",
    }
}

impl CardType {
    /// The key of the type's own object in a body: the type in lower case.
    pub fn key(&self) -> String {
        self.as_str().to_ascii_lowercase()
    }
}

macro_rules! cards {
    ($($variant:ident => $key:literal),+ $(,)?) => {
        /// A card, by its type: as it is created, and as answers show it.
        ///
        /// ```
        /// # use favor_card::{BaseInfo, CodeType, Color, DateInfo, Sku};
        /// # let info = BaseInfo::new(CodeType::QrCode, Color::Color010, Sku::new(5000), DateInfo::days(30, 0));
        /// use favor_card::{Card, Discount};
        /// let card = Card::from(Discount::new(info, 30));
        /// assert_eq!(card.card_type().as_str(), "DISCOUNT");
        /// ```
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Card {
            $(#[doc = concat!("A card with the key `", $key, "`.")] $variant(Box<$variant>),)+
            /// A card of a type this version does not know.
            Unknown {
                /// Its type.
                card_type: String,
                /// Its own object, as it came.
                body: Value,
            },
        }

        impl Card {
            /// Its type.
            pub fn card_type(&self) -> CardType {
                match self {
                    $(Self::$variant(_) => CardType::$variant,)+
                    Self::Unknown { card_type, .. } => CardType::from(card_type.as_str()),
                }
            }

            /// What every card has; none for a type this version does not know.
            pub fn base_info(&self) -> Option<&BaseInfo> {
                match self {
                    $(Self::$variant(card) => Some(&card.base_info),)+
                    Self::Unknown { .. } => None,
                }
            }
        }

        $(impl From<$variant> for Card {
            fn from(card: $variant) -> Self {
                Self::$variant(Box::new(card))
            }
        })+

        impl Serialize for Card {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let card_type = self.card_type();
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("card_type", &card_type)?;
                match self {
                    $(Self::$variant(card) => map.serialize_entry($key, card)?,)+
                    Self::Unknown { body, .. } => map.serialize_entry(&card_type.key(), body)?,
                }
                map.end()
            }
        }

        impl<'de> Deserialize<'de> for Card {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Cards;
                impl<'de> Visitor<'de> for Cards {
                    type Value = Card;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a card")
                    }

                    /// The types' objects are read as they come, so that a fault in one is found at its place.
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Card, A::Error> {
                        let (mut card_type, mut known, mut others) = (None::<String>, Vec::new(), Map::new());
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                "card_type" => card_type = Some(map.next_value()?),
                                $($key => {
                                    let card: Option<$variant> = map.next_value()?;
                                    known.extend(card.map(|card| Card::$variant(Box::new(card))));
                                })+
                                _ => drop(others.insert(key, map.next_value()?)),
                            }
                        }
                        let card_type = card_type.ok_or_else(|| A::Error::missing_field("card_type"))?;
                        let card_type = CardType::from(card_type.to_ascii_uppercase().as_str());
                        if let Some(card) = known.into_iter().find(|card| card.card_type() == card_type) {
                            return Ok(card);
                        }
                        let key = card_type.key();
                        match others.remove(&key) {
                            Some(body) => Ok(Card::Unknown { card_type: card_type.as_str().to_owned(), body }),
                            None => Err(A::Error::custom(format_args!(
                                "a card of type {card_type} needs the object {key}"
                            ))),
                        }
                    }
                }
                deserializer.deserialize_map(Cards)
            }
        }

        impl Checked for Card {
            fn check(&self, limits: &mut Limits) {
                match self {
                    $(Self::$variant(card) => limits.within($key, card.as_ref()),)+
                    Self::Unknown { .. } => {
                        limits.require(false, "card_type", "must be one of the documented types");
                    }
                }
            }
        }
    };
}

cards! {
    Groupon => "groupon",
    Cash => "cash",
    Discount => "discount",
    Gift => "gift",
    GeneralCoupon => "general_coupon",
    MemberCard => "member_card",
    GeneralCard => "general_card",
    MeetingTicket => "meeting_ticket",
    ScenicTicket => "scenic_ticket",
    MovieTicket => "movie_ticket",
    BoardingPass => "boarding_pass",
    LuckyMoney => "lucky_money",
}

plain!(Card);

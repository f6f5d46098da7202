//! What messages tell of (spec §7.5).

use favor_core::{Fen, OpenId, Timestamp};

use crate::coins::{CoinOrderStatus, CoinOrderType};
use crate::event::xml::Fields;
use crate::id::{CardId, Code, Personal};
use crate::macros::open;
use crate::wire;

/// Reads a field of a message. None when it has to be there and is not.
trait Field: Sized {
    fn read(text: Option<&str>) -> Option<Self>;
}

impl<T: Field> Field for Option<T> {
    /// What cannot be read is as good as not there: the text stays with the message.
    fn read(text: Option<&str>) -> Option<Self> {
        Some(text.filter(|text| !text.is_empty()).and_then(|text| T::read(Some(text))))
    }
}

impl Field for String {
    fn read(text: Option<&str>) -> Option<Self> {
        text.map(str::to_owned)
    }
}

impl Field for Personal {
    fn read(text: Option<&str>) -> Option<Self> {
        text.map(Self::from)
    }
}

impl Field for CardId {
    fn read(text: Option<&str>) -> Option<Self> {
        CardId::new(text?).ok()
    }
}

impl Field for Code {
    fn read(text: Option<&str>) -> Option<Self> {
        Code::new(text?).ok()
    }
}

impl Field for OpenId {
    fn read(text: Option<&str>) -> Option<Self> {
        OpenId::new(text?).ok()
    }
}

impl Field for i64 {
    fn read(text: Option<&str>) -> Option<Self> {
        wire::integer(text?)
    }
}

impl Field for bool {
    /// Nothing means no.
    fn read(text: Option<&str>) -> Option<Self> {
        Some(text.and_then(wire::flag).unwrap_or(false))
    }
}

impl Field for Fen {
    fn read(text: Option<&str>) -> Option<Self> {
        Fen::new(wire::integer(text?)?).ok()
    }
}

impl Field for Timestamp {
    fn read(text: Option<&str>) -> Option<Self> {
        wire::moment(wire::integer(text?)?)
    }
}

macro_rules! enumerations {
    ($($name:ty),+) => {
        $(impl Field for $name {
            fn read(text: Option<&str>) -> Option<Self> {
                text.map(Self::from)
            }
        })+
    };
}

enumerations!(ConsumeSource, CoinOrderStatus, CoinOrderType);

open! {
    /// How a code was redeemed.
    pub enum ConsumeSource {
        /// By a call.
        Api => "FROM_API",
        /// In the console.
        Console => "FROM_MP",
        /// By the phone helper.
        PhoneHelper => "FROM_MOBILE_HELPER",
    }
}

macro_rules! events {
    ($($(#[$m:meta])* $variant:ident($name:ident) = $wire:literal {
        $($(#[$fm:meta])* $field:ident: $ty:ty = $element:literal,)*
    })+) => {
        /// What happened.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Event {
            $($(#[$m])* $variant(Box<$name>),)+
            /// An event or a message of which this version does not know the kind, or whose kind it knows and whose
            /// required fields are not there. [`Message::fields`](crate::event::Message::fields) has all it says. Accept
            /// it: the platform repeats what is refused.
            Unknown,
        }

        impl Event {
            /// Every event known to this version, as `Event` names it on the wire.
            pub const KNOWN: &'static [&'static str] = &[$($wire),+];

            /// The kind is compared without regard to case, as the platform's texts write it in several ways.
            pub(crate) fn read(kind: &str, fields: &Fields) -> Self {
                $(if kind.eq_ignore_ascii_case($wire) {
                    return $name::read(fields).map_or(Self::Unknown, |event| Self::$variant(Box::new(event)));
                })+
                Self::Unknown
            }
        }

        $($(#[$m])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$fm])* pub $field: $ty,)*
        }

        impl $name {
            fn read(fields: &Fields) -> Option<Self> {
                Some(Self { $($field: <$ty as Field>::read(fields.get($element))?,)* })
            }
        })+
    };
}

events! {
    /// A card was approved.
    CardPassed(CardPassed) = "card_pass_check" {
        /// The card.
        card_id: CardId = "CardId",
    }
    /// A card was refused by review.
    CardNotPassed(CardNotPassed) = "card_not_pass_check" {
        /// The card.
        card_id: CardId = "CardId",
        /// Why.
        refuse_reason: Option<String> = "RefuseReason",
    }
    /// A user claimed a card, received it from a friend, or restored it.
    CardClaimed(CardClaimed) = "user_get_card" {
        /// The card.
        card_id: CardId = "CardId",
        /// The code the user has now.
        code: Option<Code> = "UserCardCode",
        /// Whether a friend gave it.
        is_give_by_friend: bool = "IsGiveByFriend",
        /// The friend who gave it.
        friend: Option<OpenId> = "FriendUserName",
        /// Its code before it was given.
        old_code: Option<Code> = "OldUserCardCode",
        /// The channel.
        outer_str: Option<String> = "OuterStr",
        /// The channel as older programs name it.
        outer_id: Option<i64> = "OuterId",
        /// Whether a deleted member card was restored.
        is_restore_member_card: bool = "IsRestoreMemberCard",
        /// Whether a friend recommended it.
        is_recommend_by_friend: bool = "IsRecommendByFriend",
        /// The user across the accounts of one Open Platform account.
        union_id: Option<Personal> = "UnionId",
        /// Seen, and not documented.
        source_scene: Option<String> = "SourceScene",
    }
    /// A user offers a card to a friend, or has it back.
    CardGifting(CardGifting) = "user_gifting_card" {
        /// The card.
        card_id: CardId = "CardId",
        /// The code.
        code: Option<Code> = "UserCardCode",
        /// Whether it came back.
        is_return_back: bool = "IsReturnBack",
        /// Who is to have it.
        friend: Option<OpenId> = "FriendUserName",
        /// Whether it was given to a group.
        is_chat_room: bool = "IsChatRoom",
    }
    /// A user deleted a card.
    CardDeleted(CardDeleted) = "user_del_card" {
        /// The card.
        card_id: CardId = "CardId",
        /// The code; empty for the platform's own codes in texts of 2015.
        code: Option<Code> = "UserCardCode",
    }
    /// A code was redeemed.
    CardConsumed(CardConsumed) = "user_consume_card" {
        /// The card.
        card_id: CardId = "CardId",
        /// The code.
        code: Option<Code> = "UserCardCode",
        /// How.
        consume_source: Option<ConsumeSource> = "ConsumeSource",
        /// The shop, where the user did it or paid quickly.
        location_name: Option<String> = "LocationName",
        /// The shop's id.
        location_id: Option<i64> = "LocationId",
        /// Who did it with the phone helper.
        staff: Option<OpenId> = "StaffOpenId",
        /// The verification code, where the user did it.
        verify_code: Option<String> = "VerifyCode",
        /// The amount, where the user did it.
        remark_amount: Option<String> = "RemarkAmount",
        /// The channel.
        outer_str: Option<String> = "OuterStr",
        /// The channel as older programs name it.
        outer_id: Option<i64> = "OuterId",
        /// The Pay transaction.
        trans_id: Option<String> = "TransId",
        /// The merchant's order number.
        out_trade_no: Option<String> = "OutTradeNo",
    }
    /// A user paid quickly with a card.
    CardPaid(CardPaid) = "user_pay_from_pay_cell" {
        /// The card.
        card_id: CardId = "CardId",
        /// The code.
        code: Option<Code> = "UserCardCode",
        /// The Pay transaction.
        trans_id: Option<String> = "TransId",
        /// The shop's id.
        location_id: Option<i64> = "LocationId",
        /// The shop.
        location_name: Option<String> = "LocationName",
        /// What was paid, in fen.
        fee: Option<Fen> = "Fee",
        /// What was due, in fen.
        original_fee: Option<Fen> = "OriginalFee",
    }
    /// A user opened a member card or a general card; only with `need_push_on_view`.
    CardViewed(CardViewed) = "user_view_card" {
        /// The card.
        card_id: CardId = "CardId",
        /// The code.
        code: Option<Code> = "UserCardCode",
        /// The channel.
        outer_str: Option<String> = "OuterStr",
        /// The channel as older programs name it.
        outer_id: Option<i64> = "OuterId",
    }
    /// A user went from a card to the account's chat.
    SessionEntered(SessionEntered) = "user_enter_session_from_card" {
        /// The card.
        card_id: CardId = "CardId",
        /// The code.
        code: Option<Code> = "UserCardCode",
    }
    /// Points or balance of a member card changed.
    MemberCardUpdated(MemberCardUpdated) = "update_member_card" {
        /// The card.
        card_id: CardId = "CardId",
        /// The code.
        code: Option<Code> = "UserCardCode",
        /// By how many points.
        modify_bonus: Option<i64> = "ModifyBonus",
        /// By how many fen.
        modify_balance: Option<i64> = "ModifyBalance",
    }
    /// A card's stock is low.
    StockLow(StockLow) = "card_sku_remind" {
        /// The card.
        card_id: CardId = "CardId",
        /// What the platform says about it.
        detail: Option<String> = "Detail",
    }
    /// Card coins moved. Legacy.
    CoinsMoved(CoinsMoved) = "card_pay_order" {
        /// The order.
        order_id: String = "OrderId",
        /// Its state.
        status: Option<CoinOrderStatus> = "Status",
        /// When it was made.
        create_order_time: Option<Timestamp> = "CreateOrderTime",
        /// When it was paid.
        pay_finish_time: Option<Timestamp> = "PayFinishTime",
        /// What it is.
        desc: Option<String> = "Desc",
        /// Free coins used.
        free_coin_count: Option<i64> = "FreeCoinCount",
        /// Paid coins used.
        pay_coin_count: Option<i64> = "PayCoinCount",
        /// Free coins given back.
        refund_free_coin_count: Option<i64> = "RefundFreeCoinCount",
        /// Paid coins given back.
        refund_pay_coin_count: Option<i64> = "RefundPayCoinCount",
        /// Its kind.
        order_type: Option<CoinOrderType> = "OrderType",
        /// A remark.
        memo: Option<String> = "Memo",
        /// About the receipt.
        receipt_info: Option<String> = "ReceiptInfo",
    }
    /// The form of a member card was filled or changed: ask with
    /// [`MemberCards::get`](crate::MemberCards::get).
    MemberFormSubmitted(MemberFormSubmitted) = "submit_membercard_user_info" {
        /// The card.
        card_id: CardId = "CardId",
        /// The code.
        code: Option<Code> = "UserCardCode",
    }
    /// A gift card was bought.
    GiftCardPaid(GiftCardPaid) = "giftcard_pay_done" {
        /// The page.
        page_id: Option<String> = "PageId",
        /// The order.
        order_id: String = "OrderId",
    }
    /// A bought card was sent to a friend, or came back.
    GiftCardSent(GiftCardSent) = "giftcard_send_to_friend" {
        /// The page.
        page_id: Option<String> = "PageId",
        /// The order.
        order_id: String = "OrderId",
        /// Whether it was given to a group.
        is_chat_room: bool = "IsChatRoom",
        /// Whether it came back.
        is_return_back: bool = "IsReturnBack",
    }
    /// A friend took a bought card.
    GiftCardAccepted(GiftCardAccepted) = "giftcard_user_accept" {
        /// The page.
        page_id: Option<String> = "PageId",
        /// The order.
        order_id: String = "OrderId",
        /// Whether it was given to a group.
        is_chat_room: bool = "IsChatRoom",
    }
    /// A sub-merchant was reviewed.
    SubMerchantReviewed(SubMerchantReviewed) = "card_merchant_check_result" {
        /// The sub-merchant.
        merchant_id: i64 = "MerchantId",
        /// Whether it passed.
        is_pass: bool = "IsPass",
        /// Why not.
        reason: Option<String> = "Reason",
    }
}

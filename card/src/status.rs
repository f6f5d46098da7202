//! The states of cards and codes (spec §5).

use crate::macros::open;

open! {
    /// The state of a card.
    pub enum CardStatus {
        /// Waiting for review.
        NotVerified => "CARD_STATUS_NOT_VERIFY",
        /// Refused by review.
        VerifyFailed => "CARD_STATUS_VERIFY_FAIL" ,
        /// Refused by review, in the spelling of early answers.
        VerifyFailedEarly => "CARD_STATUS_VERIFY_FALL",
        /// Approved.
        Verified => "CARD_STATUS_VERIFY_OK",
        /// Deleted by the merchant.
        Deleted => "CARD_STATUS_DELETE",
        /// Deleted by the merchant, in the spelling that filters of older programs use.
        DeletedByUser => "CARD_STATUS_USER_DELETE",
        /// Distributed from the console.
        Dispatched => "CARD_STATUS_DISPATCH",
        /// Distributed from the console, in an older spelling.
        DispatchedByUser => "CARD_STATUS_USER_DISPATCH",
    }
}

impl CardStatus {
    /// The same state in the spelling of today.
    #[must_use]
    pub fn today(&self) -> Self {
        match self {
            Self::VerifyFailedEarly => Self::VerifyFailed,
            Self::DeletedByUser => Self::Deleted,
            Self::DispatchedByUser => Self::Dispatched,
            other => other.clone(),
        }
    }

    /// Whether users may claim it: approved, or distributed from the console.
    pub fn is_claimable(&self) -> bool {
        matches!(self.today(), Self::Verified | Self::Dispatched)
    }
}

open! {
    /// The state of a code in a user's hands.
    pub enum CodeStatus {
        /// Held and usable.
        Normal => "NORMAL",
        /// Redeemed.
        Consumed => "CONSUMED",
        /// Past its end.
        Expired => "EXPIRE" | "EXPIRED",
        /// Offered to a friend and not yet taken.
        Gifting => "GIFTING",
        /// Taken by the friend.
        GiftTaken => "GIFT_SUCC",
        /// The offer lapsed, and the code came back.
        GiftLapsed => "GIFT_TIMEOUT",
        /// Deleted by the user.
        Deleted => "DELETE",
        /// Made invalid by the merchant.
        Unavailable => "UNAVAILABLE",
    }
}

//! What the platform pushes to the account's address: signature, both encrypted modes, typed events (spec §7).

mod answer;
mod crypto;
#[cfg(feature = "axum")]
mod extract;
mod memory;
mod message;
mod model;
mod query;
mod receiver;
mod rejection;
mod xml;

pub use answer::Answer;
pub use crypto::{CryptError, EncodingAesKey};
#[cfg(feature = "axum")]
pub use extract::{Pushed, UrlCheck};
pub use message::Message;
pub use model::{
    CardClaimed, CardConsumed, CardDeleted, CardGifting, CardNotPassed, CardPaid, CardPassed, CardViewed,
    CoinsMoved, ConsumeSource, Event, GiftCardAccepted, GiftCardPaid, GiftCardSent, MemberCardUpdated,
    MemberFormSubmitted, SessionEntered, StockLow, SubMerchantReviewed,
};
pub use receiver::{Received, Receiver, SealError, Token};
pub use rejection::Rejection;
pub use xml::XmlError;

//! The card API's other side in a running mirror.

use std::sync::Arc;

use super::Mirror;
use crate::card::account_change::CardAccountChange;
use crate::card::act::{CardAct, ClaimCard, Deed};
use crate::card::desk;
use crate::card::record::{CardAccount, CardEventRecord, CardReview, SubMerchantReview, UserCard};
use crate::error::MirrorError;
use crate::state::App;

impl Mirror {
    /// What has no call of the card API: what users do on their phones, and what the owner of an account sets up.
    #[must_use]
    pub fn cards(&self) -> CardDesk {
        CardDesk { app: Arc::clone(&self.app) }
    }
}

/// What users do with cards, and what the owner of an account sets up, as methods: the control calls under
/// `/_mirror/card`. Clones are cheap.
///
/// Every act is all or nothing. What the rules of the card API forbid is [`MirrorError::Refused`] with the errcode and
/// the rule; what storage denies is [`MirrorError::Storage`]. Events are raised within an act and pushed after it:
/// [`Mirror::advance`] returns once they were tried.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), favor_mirror::MirrorError> {
/// use favor_mirror::{CardAccountChange, CardReviewPolicy, Mirror};
///
/// let mirror = Mirror::builder().start().await?;
/// let change = CardAccountChange { review: Some(CardReviewPolicy::Manual), ..CardAccountChange::default() };
/// let account = mirror.cards().set_account(change).await?;
/// assert_eq!((account.review, account.tokens.plain), (CardReviewPolicy::Manual, 0));
/// # mirror.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct CardDesk {
    app: App,
}

impl CardDesk {
    /// The accounts there are, one for each appid of a merchant, with how many tokens each was given.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn accounts(&self) -> Result<Vec<CardAccount>, MirrorError> {
        desk::list_accounts(&self.app).await
    }

    /// Sets an account up. A new address is asked to answer the echostr first.
    ///
    /// # Errors
    ///
    /// [`MirrorError::CardAccount`] when the change is not usable, [`MirrorError::NotFound`] when no merchant has the
    /// appid, [`MirrorError::Refused`] when the address does not answer; or storage fails.
    pub async fn set_account(&self, change: CardAccountChange) -> Result<CardAccount, MirrorError> {
        desk::set_account(&self.app, change).await
    }

    /// Makes all tokens of an account stale, as if somebody else had asked for one; of the first account where none is
    /// named. Returns how many.
    ///
    /// # Errors
    ///
    /// [`MirrorError::NotFound`] when no merchant has the appid; or storage fails.
    pub async fn stale_tokens(&self, appid: Option<&str>) -> Result<usize, MirrorError> {
        desk::stale_tokens(&self.app, appid.map(str::to_owned)).await
    }

    /// The review of a card answers now: it passes, or is refused for the reason given.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is no such card or it is not in review; or storage fails.
    pub async fn review(&self, card_id: &str, refused: Option<&str>) -> Result<CardReview, MirrorError> {
        desk::review(&self.app, card_id.to_owned(), refused.map(str::to_owned)).await
    }

    /// The review of a sub-merchant answers now: it passes, or is refused for the reason given. `appid` is the first
    /// account's where none is named.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is no such sub-merchant or it is not in review,
    /// [`MirrorError::NotFound`] when no merchant has the appid; or storage fails.
    pub async fn review_sub_merchant(
        &self,
        appid: Option<&str>,
        merchant_id: i64,
        refused: Option<&str>,
    ) -> Result<SubMerchantReview, MirrorError> {
        let (appid, refused) = (appid.map(str::to_owned), refused.map(str::to_owned));
        desk::review_sub_merchant(&self.app, appid, merchant_id, refused).await
    }

    /// A user takes a card.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the card cannot be taken, e.g. `errcode 45031` without stock; or storage fails.
    pub async fn claim(&self, claim: ClaimCard) -> Result<UserCard, MirrorError> {
        desk::claim(&self.app, claim).await
    }

    /// A user offers a card to a friend (`openid`), to a group (`chat_room`), or to whoever takes it.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is no such code or it cannot be given away; or storage fails.
    pub async fn gift(&self, act: impl Into<CardAct>) -> Result<UserCard, MirrorError> {
        self.act(Deed::Gift, act.into()).await
    }

    /// A friend takes a card that is offered. A server code is a new one afterwards.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the card is not offered, or the friend is its giver; or storage fails.
    pub async fn accept(&self, act: impl Into<CardAct>, friend: &str) -> Result<UserCard, MirrorError> {
        self.act(Deed::Accept, CardAct { openid: Some(friend.to_owned()), ..act.into() }).await
    }

    /// A user opens a card that nobody took, and has it back.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when it was not offered in vain; or storage fails.
    pub async fn reopen(&self, act: impl Into<CardAct>) -> Result<UserCard, MirrorError> {
        self.act(Deed::Reopen, act.into()).await
    }

    /// A user deletes a card.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when it is offered, deleted or unavailable; or storage fails.
    pub async fn remove(&self, act: impl Into<CardAct>) -> Result<UserCard, MirrorError> {
        self.act(Deed::Remove, act.into()).await
    }

    /// A user brings a deleted member card back.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when it is no member card or not deleted; or storage fails.
    pub async fn restore(&self, act: impl Into<CardAct>) -> Result<UserCard, MirrorError> {
        self.act(Deed::Restore, act.into()).await
    }

    /// Staff redeems a code in the console or with the phone helper.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the code cannot be redeemed; or storage fails.
    pub async fn redeem(&self, act: impl Into<CardAct>) -> Result<UserCard, MirrorError> {
        self.act(Deed::Redeem, act.into()).await
    }

    /// A user opens a card.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is no such code; or storage fails.
    pub async fn view(&self, act: impl Into<CardAct>) -> Result<UserCard, MirrorError> {
        self.act(Deed::View, act.into()).await
    }

    /// A user enters the account's chat from a card.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is no such code; or storage fails.
    pub async fn enter_session(&self, act: impl Into<CardAct>) -> Result<UserCard, MirrorError> {
        self.act(Deed::EnterSession, act.into()).await
    }

    /// A user fills the form of a member card, which is active then, or leads to the merchant's page with an
    /// `activate_ticket`.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the card has no such form or is not in use; or storage fails.
    pub async fn submit_form(&self, act: impl Into<CardAct>) -> Result<UserCard, MirrorError> {
        self.act(Deed::SubmitForm, act.into()).await
    }

    /// A user pays from a card: `fee` and `original_fee`, in fen.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when the card has no pay cell or the sum makes no sense; or storage fails.
    pub async fn pay(&self, act: impl Into<CardAct>) -> Result<UserCard, MirrorError> {
        self.act(Deed::Pay, act.into()).await
    }

    /// Codes of a card, oldest first: at most `limit`, and 10,000.
    ///
    /// # Errors
    ///
    /// [`MirrorError::Refused`] when there is no such card; or storage fails.
    pub async fn codes(&self, card_id: &str, limit: u32) -> Result<Vec<UserCard>, MirrorError> {
        desk::codes(&self.app, card_id.to_owned(), limit).await
    }

    /// Pushed events with what became of them, newest first: at most `limit`, and 10,000.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub async fn events(&self, limit: u32) -> Result<Vec<CardEventRecord>, MirrorError> {
        desk::events(&self.app, limit).await
    }

    async fn act(&self, deed: Deed, act: CardAct) -> Result<UserCard, MirrorError> {
        desk::act(&self.app, deed, act).await
    }
}

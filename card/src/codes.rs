//! Codes: what users hold (E14–E23, spec §3.14–§3.23).

use std::collections::HashSet;

use favor_core::{Fen, OpenId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::id::{CardId, Code, Personal};
use crate::limits::{Checked, Limits};
use crate::macros::{answer, plain, request};
use crate::reply::{Done, Reply};
use crate::status::CodeStatus;
use crate::user_info::UserInfo;

/// The calls on codes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Codes {
    client: Client,
}

request! {
    /// A code; with its card where the card has custom or deposited codes, and without it otherwise.
    pub struct CodeRef {
        required {
            /// The code, at most 20 bytes.
            code: Code,
        }
        optional {
            /// The card. Needed for custom and deposited codes.
            card_id: CardId,
        }
    }
}

impl Checked for CodeRef {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
    }
}

request! {
    /// Asks for a code's state (E17).
    pub struct GetCode {
        required {
            /// The code, at most 20 bytes.
            code: Code,
            /// Whether a code that cannot be redeemed is to be answered with an error. The platform does not always
            /// keep to it: an answer with `can_consume` false is normal either way.
            check_consume: bool,
        }
        optional {
            /// The card. Needed for custom and deposited codes.
            card_id: CardId,
        }
    }
}

impl Checked for GetCode {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
    }
}

answer! {
    /// A code's state.
    pub struct CodeState {
        required {
            /// The card and the code's validity.
            card: CodeCard,
            /// Who holds it.
            openid: OpenId,
        }
        given {
            /// Whether it can be redeemed now.
            can_consume: bool,
        }
        optional {
            /// Its state.
            user_card_status: CodeStatus,
            /// The channel through which it was claimed.
            outer_str: String,
            /// The holder across the accounts of one Open Platform account.
            unionid: Personal,
            /// The picture on a member or gift card.
            background_pic_url: String,
            /// The number on a member card.
            membership_number: String,
            /// The member's name.
            nickname: Personal,
            /// Points.
            bonus: i64,
            /// Stored value in fen.
            balance: Fen,
            /// What the member wrote into the form.
            user_info: UserInfo,
            /// The order it was bought in, for gift cards.
            order_id: String,
        }
    }
}

answer! {
    /// The card a code is of, and how long the code is valid.
    pub struct CodeCard {
        required {
            /// The card.
            card_id: CardId,
        }
        optional {
            /// From when it may be redeemed.
            begin_time: Timestamp,
            /// Until when.
            end_time: Timestamp,
            /// The code, for some general cards.
            code: Code,
            /// The number of a general card.
            card_number: String,
            /// Points.
            bonus: i64,
            /// Stored value in fen.
            balance: Fen,
        }
    }
}

answer! {
    /// A redeemed code.
    pub struct ConsumedCode {
        required {
            /// The card it was of.
            card: ConsumedCard,
            /// Who held it.
            openid: OpenId,
        }
    }
}

answer! {
    /// The card of a redeemed code.
    pub struct ConsumedCard {
        required {
            /// The card.
            card_id: CardId,
        }
    }
}

answer! {
    /// A decrypted code.
    pub struct DecryptedCode {
        required {
            /// The code in plain.
            code: Code,
        }
    }
}

request! {
    /// Changes a custom code (E20), such as after it was given away.
    pub struct UpdateCode {
        required {
            /// The code of now, at most 20 bytes.
            code: Code,
            /// The new one, at most 64 bytes.
            new_code: Code,
        }
        optional {
            /// The card. Needed for custom codes, the only kind this call is meant for.
            card_id: CardId,
        }
    }
}

impl Checked for UpdateCode {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
        limits.text("new_code", self.new_code.as_str(), 64);
        limits.require(self.code != self.new_code, "new_code", "must differ from code");
    }
}

request! {
    /// Makes a code invalid (E21). The user must have agreed.
    pub struct DisableCode {
        required {
            /// The code, at most 20 bytes.
            code: Code,
        }
        optional {
            /// The card. Needed for custom and deposited codes.
            card_id: CardId,
            /// Why: a refund, a change of booking.
            reason: String,
        }
    }
}

impl Checked for DisableCode {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
    }
}

request! {
    /// Reserves a shared code for one user before it is redeemed, for about five minutes (E22). Legacy: friends'
    /// coupons.
    pub struct MarkCode {
        required {
            /// The code, at most 20 bytes.
            code: Code,
            /// The card.
            card_id: CardId,
            /// For whom.
            openid: OpenId,
            /// Whether to reserve it, or to let it go.
            is_mark: bool,
        }
    }
}

impl Checked for MarkCode {
    fn check(&self, limits: &mut Limits) {
        limits.code(&self.code);
        limits.openid(&self.openid);
    }
}

/// What became of some codes: their list, or only how many they are. The platform has been seen to answer both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodesOrCount {
    /// The codes.
    Codes(Vec<Code>),
    /// How many.
    Count(i64),
}

impl CodesOrCount {
    /// How many they are.
    pub fn count(&self) -> i64 {
        match self {
            Self::Codes(codes) => i64::try_from(codes.len()).unwrap_or(i64::MAX),
            Self::Count(count) => *count,
        }
    }

    /// The codes, where they are listed.
    pub fn codes(&self) -> &[Code] {
        match self {
            Self::Codes(codes) => codes,
            Self::Count(_) => &[],
        }
    }
}

impl Serialize for CodesOrCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Codes(codes) => codes.serialize(serializer),
            Self::Count(count) => count.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for CodesOrCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let value = serde_json::Value::deserialize(deserializer)?;
        if value.is_array() {
            return Vec::deserialize(value)
                .map(Self::Codes)
                .map_err(|_| D::Error::custom("a code is no text"));
        }
        <i64 as crate::wire::Wire>::read(value)
            .map(Self::Count)
            .map_err(|_| D::Error::custom("neither codes nor a count"))
    }
}

plain!(CodesOrCount);

answer! {
    /// What became of deposited codes.
    pub struct DepositedCodes {
        optional {
            /// Taken.
            succ_code: CodesOrCount,
            /// Deposited before.
            duplicate_code: CodesOrCount,
            /// Not taken.
            fail_code: CodesOrCount,
        }
    }
}

answer! {
    /// How many codes are deposited.
    pub struct DepositCount {
        required {
            /// How many.
            count: i64,
        }
    }
}

answer! {
    /// Which codes are deposited.
    pub struct CheckedCodes {
        given {
            /// These are.
            exist_code: Vec<Code>,
            /// These are not: deposit them again.
            not_exist_code: Vec<Code>,
        }
    }
}

answer! {
    /// What a user holds.
    pub struct UserCards {
        given {
            /// Codes in any state; ask for the state with [`Codes::get`].
            card_list: Vec<UserCard>,
        }
        optional {
            /// Whether there are friends' coupons among them.
            has_share_card: bool,
        }
    }
}

answer! {
    /// One card in a user's hands.
    pub struct UserCard {
        required {
            /// The code.
            code: Code,
            /// The card.
            card_id: CardId,
        }
    }
}

#[derive(Serialize)]
struct Batch<'a> {
    card_id: &'a CardId,
    code: &'a [Code],
}

impl Checked for Batch<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.list("code", self.code, 1, 100);
        for (at, code) in self.code.iter().enumerate() {
            limits.bytes(&format!("code[{at}]"), code.as_str(), 20);
        }
        let different: HashSet<&Code> = self.code.iter().collect();
        limits.require(different.len() == self.code.len(), "code", "must not hold the same code twice");
    }
}

#[derive(Serialize)]
pub(crate) struct ByCard<'a> {
    pub(crate) card_id: &'a CardId,
}

impl Checked for ByCard<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.card_id(self.card_id);
    }
}

#[derive(Serialize)]
struct Decrypt<'a> {
    encrypt_code: &'a str,
}

impl Checked for Decrypt<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.text("encrypt_code", self.encrypt_code, 128);
        limits.require(
            !self.encrypt_code.contains('%'),
            "encrypt_code",
            "must be url-decoded first: it holds a percent sign",
        );
    }
}

#[derive(Serialize)]
struct OfUser<'a> {
    openid: &'a OpenId,
    #[serde(skip_serializing_if = "Option::is_none")]
    card_id: Option<&'a CardId>,
}

impl Checked for OfUser<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.openid(self.openid);
    }
}

impl Codes {
    /// The codes of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Deposits 1 to 100 codes for a card in deposited-code mode (E14), once it is approved. Repeating is safe: known
    /// codes are reported as duplicates.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn deposit(&self, card_id: &CardId, codes: &[Code]) -> Result<Reply<DepositedCodes>, Error> {
        self.client.post(&endpoint::DEPOSIT, &Batch { card_id, code: codes }).await
    }

    /// How many codes are deposited for a card (E15).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn deposit_count(&self, card_id: &CardId) -> Result<Reply<DepositCount>, Error> {
        self.client.post(&endpoint::DEPOSIT_COUNT, &ByCard { card_id }).await
    }

    /// Which of 1 to 100 codes are deposited (E16).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn check(&self, card_id: &CardId, codes: &[Code]) -> Result<Reply<CheckedCodes>, Error> {
        self.client.post(&endpoint::CHECK_CODES, &Batch { card_id, code: codes }).await
    }

    /// A code's state (E17).
    ///
    /// # Errors
    /// [`Error`]; 40056 for a code that was never claimed or was given away; 40127 and 40099 where `check_consume` asks
    /// for an error.
    pub async fn get(&self, request: &GetCode) -> Result<Reply<CodeState>, Error> {
        self.client.post(&endpoint::GET_CODE, request).await
    }

    /// Redeems a code (E18). It cannot be undone. Not for member cards.
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown ask with [`get`](Self::get): a code in state CONSUMED, or 40099, means
    /// that it went through.
    pub async fn consume(&self, code: &CodeRef) -> Result<Reply<ConsumedCode>, Error> {
        self.client.post(&endpoint::CONSUME, code).await
    }

    /// The plain code of an encrypted one (E19). Where it comes as a query parameter, url-decode it first.
    ///
    /// # Errors
    /// [`Error`]; 40075 for a code of another account.
    pub async fn decrypt(&self, encrypt_code: &str) -> Result<Reply<DecryptedCode>, Error> {
        self.client.post(&endpoint::DECRYPT, &Decrypt { encrypt_code }).await
    }

    /// Changes a custom code (E20).
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown ask for the new code.
    pub async fn update(&self, request: &UpdateCode) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::UPDATE_CODE, request).await
    }

    /// Makes a code invalid (E21). It cannot be undone.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn disable(&self, request: &DisableCode) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::UNAVAILABLE, request).await
    }

    /// Reserves a shared code for one user (E22). Legacy.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn mark(&self, request: &MarkCode) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::MARK, request).await
    }

    /// What a user holds (E23): of one card, or of all. The openid is the Official Account's, not a mini program's.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list_of_user(
        &self,
        openid: &OpenId,
        card_id: Option<&CardId>,
    ) -> Result<Reply<UserCards>, Error> {
        self.client.post(&endpoint::USER_CARDS, &OfUser { openid, card_id }).await
    }
}

//! The three signatures of pages (spec §6). Do not mix them: each has its own ticket and its own form.

use std::fmt;

use favor_core::{__private::nonce, AppId, Checks, Fen, InvalidRequest, Timestamp, time};
use serde::Serialize;
use serde_json::Value;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use crate::card::CardType;
use crate::client::Client;
use crate::error::Error;
use crate::id::{CardId, Code};
use crate::limits::LAST_SECOND;
use crate::secret::{AppSecret, CardTicket, JsapiTicket};
use favor_core::OpenId;

/// SHA-1 over the values in the order of their bytes, without anything between them, as 40 lower-case hexadecimal
/// digits. Empty values make no difference.
///
/// ```
/// use favor_card::sign_values;
/// let signature = sign_values(&["merchantToken01", "1700000000", "1320562132"]);
/// assert_eq!(signature, "3f63ed522022c0fcd53178a32d070e19e3c906b2");
/// ```
pub fn sign_values(values: &[&str]) -> String {
    let mut sorted: Vec<&[u8]> = values.iter().map(|value| value.as_bytes()).collect();
    sorted.sort_unstable();
    let mut hash = Sha1::new();
    for value in sorted {
        hash.update(value);
    }
    hex(&hash.finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Compares in a time that does not tell how far they agree.
pub(crate) fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn check_moment(checks: &mut Checks, field: &str, at: &Timestamp) {
    let is_held = (1..=LAST_SECOND).contains(&at.timestamp());
    checks.require(is_held, field, "must lie between 1970 and 2038-01-19");
}

fn check_stamp(checks: &mut Checks, at: &Timestamp, nonce: &str) {
    check_moment(checks, "timestamp", at);
    let letters = nonce.bytes().all(|b| b.is_ascii_alphanumeric());
    checks.require(
        (1..=32).contains(&nonce.len()) && letters,
        "nonce_str",
        "must be 1 to 32 letters and digits",
    );
}

/// A card to be added to a user's wallet on a page (`wx.addCard`).
///
/// ```
/// use favor_card::{CardExt, CardId, CardTicket, Code};
/// let ticket = CardTicket::new("ojZ8YtyVyr30HheH3CM73y7h4jJE")?;
/// let at = chrono::DateTime::parse_from_rfc3339("2014-07-09T17:04:48+08:00")?;
/// let card = CardExt::new(CardId::new("pjZ8Yt1XGILfi-FUsewpnnolGgZk")?).code(Code::new("1434008071")?);
/// let signed = card.sign(&ticket, at, "123")?;
/// assert_eq!(signed.signature(), "f137ab68b7f8112d20ee528ab6074564e2796250");
/// assert_eq!(signed.entry()["cardId"], "pjZ8Yt1XGILfi-FUsewpnnolGgZk");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CardExt {
    /// The card.
    pub card_id: CardId,
    /// The code, for cards with custom codes that are not deposited; to be left out for all others. Signed.
    pub code: Option<Code>,
    /// The only user who may add it, for cards bound to openids; to be left out for all others. Signed.
    pub openid: Option<OpenId>,
    /// The amount of a red packet in fen. Signed. Legacy.
    pub balance: Option<Fen>,
    /// When the term began in the merchant's own system, for cards valid for some days. Not signed.
    pub fixed_begintimestamp: Option<Timestamp>,
    /// The channel, echoed in events; at most 128 bytes. Not signed.
    pub outer_str: Option<String>,
    /// The channel as older programs name it. Not signed.
    pub outer_id: Option<i64>,
}

impl CardExt {
    /// A card whose codes are the platform's or deposited.
    pub fn new(card_id: CardId) -> Self {
        Self {
            card_id,
            code: None,
            openid: None,
            balance: None,
            fixed_begintimestamp: None,
            outer_str: None,
            outer_id: None,
        }
    }

    /// Sets the code.
    #[must_use]
    pub fn code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// Sets who may add it.
    #[must_use]
    pub fn openid(mut self, openid: OpenId) -> Self {
        self.openid = Some(openid);
        self
    }

    /// Sets the amount of a red packet.
    #[must_use]
    pub fn balance(mut self, balance: Fen) -> Self {
        self.balance = Some(balance);
        self
    }

    /// Sets when the term began.
    #[must_use]
    pub fn fixed_begintimestamp(mut self, at: Timestamp) -> Self {
        self.fixed_begintimestamp = Some(at);
        self
    }

    /// Sets the channel.
    #[must_use]
    pub fn outer_str(mut self, outer_str: impl Into<String>) -> Self {
        self.outer_str = Some(outer_str.into());
        self
    }

    /// Sets the channel as older programs name it.
    #[must_use]
    pub fn outer_id(mut self, outer_id: i64) -> Self {
        self.outer_id = Some(outer_id);
        self
    }

    /// Signs it. Each use needs a time and a nonce of its own: the platform refuses a repeat.
    ///
    /// # Errors
    /// [`InvalidRequest`] when a value is out of its limits.
    pub fn sign(
        &self,
        ticket: &CardTicket,
        at: Timestamp,
        nonce: &str,
    ) -> Result<SignedCard, InvalidRequest> {
        let mut checks = Checks::new();
        check_stamp(&mut checks, &at, nonce);
        if let Some(code) = &self.code {
            checks.require(code.as_str().len() <= 20, "code", "must have at most 20 bytes of UTF-8");
        }
        if let Some(openid) = &self.openid {
            checks.require(openid.as_str().len() <= 32, "openid", "must have at most 32 bytes");
        }
        if let Some(begin) = &self.fixed_begintimestamp {
            check_moment(&mut checks, "fixed_begintimestamp", begin);
        }
        if let Some(outer_str) = &self.outer_str {
            let rule = "must have at most 128 bytes of UTF-8";
            checks.require(outer_str.len() <= 128, "outer_str", rule);
        }
        checks.finish()?;
        let timestamp = at.timestamp().to_string();
        let balance = self.balance.map(|balance| balance.get().to_string());
        let signature = sign_values(&[
            ticket.expose(),
            &timestamp,
            self.card_id.as_str(),
            self.code.as_ref().map_or("", Code::as_str),
            self.openid.as_ref().map_or("", OpenId::as_str),
            nonce,
            balance.as_deref().unwrap_or(""),
        ]);
        Ok(SignedCard { ext: self.clone(), timestamp, nonce: nonce.to_owned(), signature })
    }
}

/// A card that a page may add. Debug shows neither its code nor its signature, with which it can be added.
#[derive(Clone, PartialEq)]
pub struct SignedCard {
    ext: CardExt,
    timestamp: String,
    nonce: String,
    signature: String,
}

#[derive(Serialize)]
struct ExtWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a OpenId>,
    timestamp: &'a str,
    nonce_str: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed_begintimestamp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outer_str: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outer_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<Fen>,
    signature: &'a str,
}

impl fmt::Debug for SignedCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedCard").field("card_id", &self.ext.card_id).finish_non_exhaustive()
    }
}

impl SignedCard {
    /// The signature.
    pub fn signature(&self) -> &str {
        &self.signature
    }

    /// The JSON text of `cardExt`: what pages, mini programs and mass messages take.
    pub fn card_ext(&self) -> String {
        let wire = ExtWire {
            code: self.ext.code.as_ref(),
            openid: self.ext.openid.as_ref(),
            timestamp: &self.timestamp,
            nonce_str: &self.nonce,
            fixed_begintimestamp: self.ext.fixed_begintimestamp.map(|at| at.timestamp()),
            outer_str: self.ext.outer_str.as_deref(),
            outer_id: self.ext.outer_id,
            balance: self.ext.balance,
            signature: &self.signature,
        };
        // Texts and numbers under fixed names are always JSON.
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// One entry of `cardList`: `{"cardId","cardExt"}`, the latter a text.
    pub fn entry(&self) -> Value {
        serde_json::json!({"cardId": self.ext.card_id.as_str(), "cardExt": self.card_ext()})
    }
}

/// Which of a user's cards a page may choose from (`wx.chooseCard`). What is left out does not narrow the choice.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChooseCard {
    /// Cards of this store (signed as `location_id`); at most 24 bytes.
    pub shop_id: Option<String>,
    /// Cards of this type.
    pub card_type: Option<CardType>,
    /// This card.
    pub card_id: Option<CardId>,
}

impl ChooseCard {
    /// From all cards of the account.
    pub fn new() -> Self {
        Self::default()
    }

    /// Narrows it to a store.
    #[must_use]
    pub fn shop_id(mut self, shop_id: impl Into<String>) -> Self {
        self.shop_id = Some(shop_id.into());
        self
    }

    /// Narrows it to a type.
    #[must_use]
    pub fn card_type(mut self, card_type: CardType) -> Self {
        self.card_type = Some(card_type);
        self
    }

    /// Narrows it to a card.
    #[must_use]
    pub fn card_id(mut self, card_id: CardId) -> Self {
        self.card_id = Some(card_id);
        self
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`InvalidRequest`] when a value is out of its limits.
    pub fn sign(
        &self,
        ticket: &CardTicket,
        app_id: &AppId,
        at: Timestamp,
        nonce: &str,
    ) -> Result<SignedChoice, InvalidRequest> {
        let mut checks = Checks::new();
        check_stamp(&mut checks, &at, nonce);
        let shop_id = self.shop_id.as_deref().unwrap_or("");
        checks.require(shop_id.len() <= 24, "shopId", "must have at most 24 bytes of UTF-8");
        checks.finish()?;
        let card_sign = sign_values(&[
            ticket.expose(),
            app_id.as_str(),
            shop_id,
            &at.timestamp().to_string(),
            nonce,
            self.card_id.as_ref().map_or("", CardId::as_str),
            self.card_type.as_ref().map_or("", CardType::as_str),
        ]);
        Ok(SignedChoice {
            shop_id: self.shop_id.clone(),
            card_type: self.card_type.clone(),
            card_id: self.card_id.clone(),
            timestamp: at.timestamp(),
            nonce_str: nonce.to_owned(),
            sign_type: "SHA1",
            card_sign,
        })
    }
}

/// The parameters of `wx.chooseCard`; as JSON they are ready for the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SignedChoice {
    /// The store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shop_id: Option<String>,
    /// The type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_type: Option<CardType>,
    /// The card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card_id: Option<CardId>,
    /// Unix seconds.
    pub timestamp: i64,
    /// The nonce.
    pub nonce_str: String,
    /// `SHA1`.
    pub sign_type: &'static str,
    /// The signature.
    pub card_sign: String,
}

/// The configuration of a page (`wx.config`); as JSON it is ready for the page.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PageConfig {
    /// The account.
    pub app_id: AppId,
    /// Unix seconds.
    pub timestamp: i64,
    /// The nonce.
    pub nonce_str: String,
    /// The signature.
    pub signature: String,
    /// What the page may call.
    pub js_api_list: Vec<String>,
}

/// What pages about cards call.
pub const CARD_APIS: &[&str] = &["addCard", "chooseCard", "openCard"];

impl PageConfig {
    /// Signs the page at `url`, as the browser shows it; what follows a `#` does not count.
    ///
    /// # Errors
    /// [`InvalidRequest`] when a value is out of its limits, or the url is not of the web.
    pub fn sign(
        ticket: &JsapiTicket,
        app_id: &AppId,
        url: &str,
        at: Timestamp,
        nonce: &str,
    ) -> Result<Self, InvalidRequest> {
        let mut checks = Checks::new();
        check_stamp(&mut checks, &at, nonce);
        let web = url.starts_with("http://") || url.starts_with("https://");
        checks.require(web, "url", "must begin with http:// or https://");
        checks.finish()?;
        let timestamp = at.timestamp();
        let page = url.split('#').next().unwrap_or(url);
        let ticket = ticket.expose();
        let text = format!("jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={page}");
        Ok(Self {
            app_id: app_id.clone(),
            timestamp,
            nonce_str: nonce.to_owned(),
            signature: hex(&Sha1::digest(text)),
            js_api_list: CARD_APIS.iter().map(|&api| api.to_owned()).collect(),
        })
    }
}

/// Whether the `signature` that a card's own link may carry is right (spec §6.5, legacy): over the AppSecret, the
/// decrypted code and the card.
pub fn verify_cell_link(secret: &AppSecret, code: &Code, card_id: &CardId, signature: &str) -> bool {
    same(&sign_values(&[secret.expose(), code.as_str(), card_id.as_str()]), signature)
}

impl Client {
    /// Signs cards for `wx.addCard` with the ticket of now, each with a nonce of its own.
    ///
    /// # Errors
    /// [`Error`] when the ticket cannot be had or a value is out of its limits.
    pub async fn sign_cards(&self, cards: &[CardExt]) -> Result<Vec<SignedCard>, Error> {
        let ticket = self.card_ticket().await?;
        let at = time::beijing(&self.now());
        cards.iter().map(|card| Ok(card.sign(&ticket, at, &fresh_nonce()?)?)).collect()
    }

    /// Signs `wx.chooseCard` with the ticket of now.
    ///
    /// # Errors
    /// [`Error`] when the ticket cannot be had or a value is out of its limits.
    pub async fn sign_choice(&self, choice: &ChooseCard) -> Result<SignedChoice, Error> {
        let ticket = self.card_ticket().await?;
        Ok(choice.sign(&ticket, self.app_id(), time::beijing(&self.now()), &fresh_nonce()?)?)
    }

    /// Signs the page at `url` for `wx.config` with the ticket of now.
    ///
    /// # Errors
    /// [`Error`] when the ticket cannot be had or the url is not of the web.
    pub async fn sign_page(&self, url: &str) -> Result<PageConfig, Error> {
        let ticket = self.jsapi_ticket().await?;
        Ok(PageConfig::sign(&ticket, self.app_id(), url, time::beijing(&self.now()), &fresh_nonce()?)?)
    }
}

fn fresh_nonce() -> Result<String, Error> {
    nonce().map_err(|_| Error::config("the system has no random bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The order in which the values are given never matters, and bytes decide, not letters.
        #[test]
        fn the_order_of_bytes_decides(mut values in proptest::collection::vec("[-A-Za-z0-9_券]{0,12}", 0..8)) {
            let given: Vec<&str> = values.iter().map(String::as_str).collect();
            let signature = sign_values(&given);
            let reversed: Vec<&str> = given.iter().rev().copied().collect();
            prop_assert_eq!(&signature, &sign_values(&reversed));
            let full: Vec<&str> = given.iter().filter(|value| !value.is_empty()).copied().collect();
            prop_assert_eq!(&signature, &sign_values(&full));
            // By insertion, one byte after the other.
            let mut joined: Vec<String> = Vec::new();
            for value in values.drain(..) {
                let at = joined.iter().take_while(|held| held.bytes().le(value.bytes())).count();
                joined.insert(at, value);
            }
            prop_assert_eq!(signature, hex(&Sha1::digest(joined.concat())));
        }
    }
}

//! Setting an account of the card API up, as its owner does in WeChat's console.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::cipher;
use crate::error::MirrorError;
use crate::ledger::card::accounts::Account;
use crate::rules::callback::is_address;

/// Longest time a review takes, in seconds: a year.
const LONGEST_REVIEW: i64 = 31_536_000;

/// How events are pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PushMode {
    /// In clear.
    #[default]
    Plain,
    /// In clear, and sealed beside it.
    Compatible,
    /// Sealed alone.
    Secure,
}

/// What the review says of new and changed cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CardReviewPolicy {
    /// They pass, after `review_seconds`.
    #[default]
    Pass,
    /// They are refused, after `review_seconds`.
    Fail,
    /// Nothing until it is told to.
    Manual,
}

impl PushMode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Compatible => "compatible",
            Self::Secure => "secure",
        }
    }

    /// As it is kept; the table allows nothing else.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "secure" => Self::Secure,
            "compatible" => Self::Compatible,
            _ => Self::Plain,
        }
    }
}

impl CardReviewPolicy {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Manual => "manual",
        }
    }

    /// As it is kept; the table allows nothing else.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "fail" => Self::Fail,
            "manual" => Self::Manual,
            _ => Self::Pass,
        }
    }
}

/// What to change about an account; what is not given stays.
///
/// ```
/// use favor_mirror::{CardAccountChange, CardReviewPolicy};
///
/// let change = CardAccountChange { review: Some(CardReviewPolicy::Manual), ..CardAccountChange::default() };
/// # assert!(change.url.is_none());
/// ```
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CardAccountChange {
    /// Which account. Default: the first appid of the first merchant that has one.
    pub appid: Option<String>,
    /// Where events go: https without query, or plain http to this machine. It is kept only if it answers the
    /// echostr. An empty text ends the pushing.
    pub url: Option<String>,
    /// The account's Token, by which pushed messages are signed: 3 to 32 letters and digits.
    pub token: Option<String>,
    /// The account's EncodingAESKey: 43 characters of base64.
    pub encoding_aes_key: Option<String>,
    /// How events are pushed.
    pub mode: Option<PushMode>,
    /// What the review says.
    pub review: Option<CardReviewPolicy>,
    /// How long the review takes, in seconds of the test clock: 0 to a year.
    pub review_seconds: Option<i64>,
    /// Whether the account may use codes of its own.
    pub custom_code: Option<bool>,
    /// Whether it may use points.
    pub bonus: Option<bool>,
    /// Whether it may use balances.
    pub balance: Option<bool>,
    /// Whether it has WeChat Pay.
    pub pay: Option<bool>,
}

impl fmt::Debug for CardAccountChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardAccountChange")
            .field("appid", &self.appid)
            .field("url", &self.url)
            .field("mode", &self.mode)
            .field("review", &self.review)
            .field("review_seconds", &self.review_seconds)
            .finish_non_exhaustive()
    }
}

impl CardAccountChange {
    /// The account as it is afterwards.
    pub(crate) fn applied(self, appid: &str, mut account: Account) -> Result<Account, MirrorError> {
        let refuse = |reason: &str| {
            Err(MirrorError::CardAccount { appid: appid.to_owned(), reason: reason.to_owned() })
        };
        if let Some(url) = self.url {
            if !url.is_empty() && !is_address(&url) {
                return refuse("url is https without query, or plain http to this machine");
            }
            account.url = Some(url).filter(|url| !url.is_empty());
        }
        account.token = self.token.unwrap_or(account.token);
        account.aes_key = self.encoding_aes_key.unwrap_or(account.aes_key);
        account.mode = self.mode.unwrap_or(account.mode);
        account.review = self.review.unwrap_or(account.review);
        account.review_seconds = self.review_seconds.unwrap_or(account.review_seconds);
        account.custom_code = self.custom_code.unwrap_or(account.custom_code);
        account.bonus = self.bonus.unwrap_or(account.bonus);
        account.balance = self.balance.unwrap_or(account.balance);
        account.pay = self.pay.unwrap_or(account.pay);
        let token = &account.token;
        let good_token =
            (3..=32).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if account.url.is_some() && !good_token {
            return refuse("it needs a token of 3 to 32 letters and digits");
        }
        if account.mode != PushMode::Plain && cipher::key(&account.aes_key).is_none() {
            return refuse("its mode needs an encoding_aes_key of 43 characters of base64");
        }
        if !(0..=LONGEST_REVIEW).contains(&account.review_seconds) {
            return refuse("review_seconds must lie between 0 and a year");
        }
        Ok(account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_shows() {
        let change = CardAccountChange {
            token: Some("merchantToken01".to_owned()),
            encoding_aes_key: Some("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".to_owned()),
            ..CardAccountChange::default()
        };
        let shown = format!("{change:?}");
        assert!(!shown.contains("merchantToken01") && !shown.contains("abcdefg"), "{shown}");
    }

    #[test]
    fn names_are_those_of_the_table() {
        for mode in [PushMode::Plain, PushMode::Compatible, PushMode::Secure] {
            assert_eq!(PushMode::of(mode.name()), mode);
            assert_eq!(serde_json::to_value(mode).unwrap(), mode.name());
        }
        for policy in [CardReviewPolicy::Pass, CardReviewPolicy::Fail, CardReviewPolicy::Manual] {
            assert_eq!(CardReviewPolicy::of(policy.name()), policy);
            assert_eq!(serde_json::to_value(policy).unwrap(), policy.name());
        }
    }
}

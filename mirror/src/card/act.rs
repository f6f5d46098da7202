//! What a control call says about something that a user does.

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

/// A user takes a card: from a QR code (`ticket`), from a page with a signed `card_ext`, from a
/// message (`msg_id`), or from a shelf (none of them).
///
/// ```
/// use favor_mirror::ClaimCard;
///
/// let shelf = ClaimCard::card("oAnna", "pCard");
/// let scan = ClaimCard { outer_str: Some("poster".into()), ..ClaimCard::ticket("oAnna", "gQTicket") };
/// # assert!(shelf.ticket.is_none() && scan.card_id.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClaimCard {
    /// Who takes it.
    pub openid: String,
    /// Which card; with a ticket needed only where the QR code has several.
    pub card_id: Option<String>,
    /// Of the QR code that is scanned.
    pub ticket: Option<String>,
    /// The message that it is taken from, by its `msg_id`.
    pub msg_id: Option<i64>,
    /// What a page hands to `wx.addCard`, as JSON. In JSON a text or the object itself.
    #[serde(deserialize_with = "json_text")]
    pub card_ext: Option<String>,
    /// The code of a custom-code card, where neither QR code nor page names it.
    pub code: Option<String>,
    /// The scene, in place of that of the QR code or page.
    pub outer_str: Option<String>,
    /// The user's id on an Open Platform account.
    pub union_id: Option<String>,
    /// Whether a friend has recommended the card.
    pub recommended: bool,
}

impl ClaimCard {
    /// From a shelf.
    pub fn card(openid: impl Into<String>, card_id: impl Into<String>) -> Self {
        Self { openid: openid.into(), card_id: Some(card_id.into()), ..Self::default() }
    }

    /// By scanning a QR code.
    pub fn ticket(openid: impl Into<String>, ticket: impl Into<String>) -> Self {
        Self { openid: openid.into(), ticket: Some(ticket.into()), ..Self::default() }
    }

    /// From a message, by its `msg_id`.
    pub fn message(openid: impl Into<String>, msg_id: i64) -> Self {
        Self { openid: openid.into(), msg_id: Some(msg_id), ..Self::default() }
    }

    /// From a page, with what it hands to `wx.addCard`.
    pub fn page(openid: impl Into<String>, card_id: impl Into<String>, card_ext: impl Into<String>) -> Self {
        Self { card_ext: Some(card_ext.into()), ..Self::card(openid, card_id) }
    }
}

fn json_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Object(object)) => Ok(Some(Value::Object(object).to_string())),
        Some(_) => Err(de::Error::custom("card_ext is a text or an object")),
    }
}

/// Which code a user does something with, and what is said about it. What an act does not need is not looked at.
///
/// ```
/// use favor_mirror::CardAct;
///
/// let paid = CardAct { fee: Some(8_500), original_fee: Some(10_000), ..CardAct::from("880012345678") };
/// # assert_eq!(paid.code, "880012345678");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CardAct {
    /// The code.
    pub code: String,
    /// Its card; needed with custom codes.
    pub card_id: Option<String>,
    /// The friend who is offered a card, or takes it.
    pub openid: Option<String>,
    /// Whether it is offered to a group.
    pub chat_room: bool,
    /// Who redeems: `FROM_MP`, the default, or `FROM_MOBILE_HELPER`.
    pub source: Option<String>,
    /// The clerk with the phone helper.
    pub staff_openid: Option<String>,
    /// The store that is paid.
    pub location_id: Option<i64>,
    /// The store where it is redeemed.
    pub location_name: Option<String>,
    /// What the user types when redeeming alone.
    pub verify_code: Option<String>,
    /// The amount the user types when redeeming alone.
    pub remark_amount: Option<String>,
    /// What is paid, in fen.
    pub fee: Option<i64>,
    /// What was due, in fen. Default: what is paid.
    pub original_fee: Option<i64>,
    /// Number of the payment. Default: one made up.
    pub trans_id: Option<String>,
    /// What a user wrote into the form of activation: WeChat's own fields.
    pub common_field_list: Vec<FormField>,
    /// The same: the merchant's fields.
    pub custom_field_list: Vec<FormField>,
}

/// A filled field of the form of activation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FormField {
    /// E.g. `USER_FORM_INFO_FLAG_MOBILE`.
    pub name: String,
    /// What was written or chosen.
    pub value: String,
    /// All that was chosen, where several can be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub value_list: Vec<String>,
}

impl FormField {
    /// Whether something was written or chosen.
    pub(crate) fn is_filled(&self) -> bool {
        !self.value.is_empty() || !self.value_list.is_empty()
    }
}

impl From<&str> for CardAct {
    fn from(code: &str) -> Self {
        Self { code: code.to_owned(), ..Self::default() }
    }
}

impl From<&String> for CardAct {
    fn from(code: &String) -> Self {
        code.as_str().into()
    }
}

/// What users do with a card they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Gift,
    Accept,
    Reopen,
    Remove,
    Restore,
    Redeem,
    View,
    EnterSession,
    SubmitForm,
    Pay,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_ext_is_a_text_or_an_object() {
        let read = |text: &str| serde_json::from_str::<ClaimCard>(text).map(|claim| claim.card_ext);
        assert_eq!(read("{}").unwrap(), None);
        assert_eq!(read(r#"{"card_ext":"{\"a\":1}"}"#).unwrap().unwrap(), r#"{"a":1}"#);
        assert_eq!(read(r#"{"card_ext":{"a":1}}"#).unwrap().unwrap(), r#"{"a":1}"#);
        assert!(read(r#"{"card_ext":1}"#).is_err());
    }
}

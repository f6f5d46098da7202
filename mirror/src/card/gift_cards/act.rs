//! What a control call says about buying gift cards.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A user buys cards on a gift-card page, and pays at once.
///
/// ```
/// use favor_mirror::BuyGift;
///
/// let gift = BuyGift { message: Some("Cheers".into()), ..BuyGift::new("+page=", "oAnna", ["pCard"]) };
/// # assert_eq!((gift.theme, gift.card_ids.len()), (0, 1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuyGift {
    /// The page.
    pub page_id: String,
    /// Who buys and pays.
    pub openid: String,
    /// Theme of the page, from 0.
    pub theme: usize,
    /// Face of the theme, from 0.
    pub picture: usize,
    /// Cards of the theme, 1 to 100; one that is bought twice is there twice.
    pub card_ids: Vec<String>,
    /// The buyer's own words, in the place of the page's: at most 3,072 bytes.
    pub message: Option<String>,
    /// The scene: at most 128 bytes.
    pub outer_str: String,
    /// Whether the buyer keeps the cards.
    pub for_self: bool,
}

impl BuyGift {
    /// Cards of the first theme with its first face.
    pub fn new<C: Into<String>>(
        page_id: impl Into<String>,
        openid: impl Into<String>,
        card_ids: impl IntoIterator<Item = C>,
    ) -> Self {
        Self {
            page_id: page_id.into(),
            openid: openid.into(),
            card_ids: card_ids.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }
}

/// The buyer sends what nobody has taken yet.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SendGift {
    pub(crate) order_id: String,
    /// Into a group, where each card is taken by itself.
    pub(crate) chat_room: bool,
}

/// A friend takes what was sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AcceptGift {
    pub(crate) order_id: String,
    pub(crate) openid: String,
}

/// What a user gives for the invoice of an order from a gift-card page: as a person or as a firm, not both.
///
/// Fields are texts of at most 3,072 bytes; `custom_field` is a list of objects with `key` and `value`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GiveInvoice {
    /// The order.
    pub order_id: String,
    /// As a person: `title`, `phone`, `email`, `custom_field`.
    pub user_field: Option<Map<String, Value>>,
    /// As a firm: `title`, `tax_no`, `addr`, `phone`, `bank_type`, `bank_no`, `custom_field`.
    pub biz_field: Option<Map<String, Value>>,
}

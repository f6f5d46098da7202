//! Cards: create, query, change, delete (E1–E9, spec §3.1–§3.9).

use futures_util::Stream;
use serde::Serialize;

use crate::card::{Card, CardChanges};
use crate::client::Client;
use crate::codes::ByCard;
use crate::endpoint;
use crate::error::Error;
use crate::id::CardId;
use crate::limits::{Checked, Limits};
use crate::macros::{answer, request};
use crate::reply::{Done, Reply};
use crate::status::CardStatus;

/// The calls on cards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cards {
    client: Client,
}

answer! {
    /// A card that was made.
    pub struct CreatedCard {
        required {
            /// The card.
            card_id: CardId,
        }
    }
}

answer! {
    /// A card as it is.
    pub struct CardAnswer {
        required {
            /// The card. `base_info` has its id, state and times; its colour is an RGB value; `sku.quantity` is how many
            /// are left.
            card: Card,
        }
    }
}

request! {
    /// Which cards to list (E3).
    pub struct ListCards {
        required {
            /// How many to pass over.
            offset: i64,
            /// How many at most: 1 to 50.
            count: i64,
        }
        optional {
            /// Only those in one of these states.
            status_list: Vec<CardStatus>,
        }
    }
}

impl Checked for ListCards {
    fn check(&self, limits: &mut Limits) {
        limits.range("offset", self.offset, 0, i64::MAX);
        limits.range("count", self.count, 1, 50);
    }
}

answer! {
    /// Some cards of the account.
    pub struct CardList {
        given {
            /// These.
            card_id_list: Vec<CardId>,
            /// How many there are in all.
            total_num: i64,
        }
    }
}

answer! {
    /// A card that was changed.
    pub struct UpdatedCard {
        given {
            /// Whether it went back to review. Ask for the card to see whether the change took effect.
            send_check: bool,
        }
    }
}

request! {
    /// The cell by which users redeem in the shop by themselves (E8).
    pub struct SelfConsumeCell {
        required {
            /// The card.
            card_id: CardId,
            /// Whether it is there. Not together with the pay cell and the centre button.
            is_open: bool,
        }
        optional {
            /// Whether the user has to type a verification code, which the console sets.
            #[serde(rename = "need_verify_cod")]
            need_verify_code: bool,
            /// Whether the user has to enter an amount.
            need_remark_amount: bool,
        }
    }
}

impl Checked for SelfConsumeCell {
    fn check(&self, limits: &mut Limits) {
        limits.card_id(&self.card_id);
    }
}

answer! {
    /// The palette.
    pub struct Colors {
        given {
            /// Its colours.
            colors: Vec<NamedColor>,
        }
    }
}

answer! {
    /// One colour of the palette.
    pub struct NamedColor {
        required {
            /// Its name, which requests use.
            name: String,
            /// Its RGB value.
            value: String,
        }
    }
}

#[derive(Serialize)]
struct Create<'a> {
    card: &'a Card,
}

impl Checked for Create<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.within("card", self.card);
    }
}

#[derive(Serialize)]
struct ModifyStock<'a> {
    card_id: &'a CardId,
    #[serde(skip_serializing_if = "Option::is_none")]
    increase_stock_value: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reduce_stock_value: Option<u64>,
}

impl Checked for ModifyStock<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.card_id(self.card_id);
        let by = self.increase_stock_value.or(self.reduce_stock_value).unwrap_or(0);
        let by = i64::try_from(by).unwrap_or(i64::MAX);
        let field =
            if self.increase_stock_value.is_some() { "increase_stock_value" } else { "reduce_stock_value" };
        limits.range(field, by, 1, 100_000_000);
    }
}

#[derive(Serialize)]
struct PayCell<'a> {
    card_id: &'a CardId,
    is_open: bool,
}

impl Checked for PayCell<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.card_id(self.card_id);
    }
}

impl Cards {
    /// The cards of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Makes a card (E1), which is then reviewed.
    ///
    /// # Errors
    /// [`Error`]; of kind `InvalidRequest`, naming each field, when a documented limit is broken. When the outcome is
    /// unknown look for the card with [`list`](Self::list) before repeating: it may be there.
    pub async fn create(&self, card: &Card) -> Result<Reply<CreatedCard>, Error> {
        self.client.post(&endpoint::CREATE, &Create { card }).await
    }

    /// Checks a card as [`create`](Self::create) does, and sends nothing.
    ///
    /// # Errors
    /// [`Error`] of kind `InvalidRequest`, naming each field.
    pub fn check(&self, card: &Card) -> Result<(), Error> {
        self.client.check(&Create { card })
    }

    /// A card (E2).
    ///
    /// # Errors
    /// [`Error`]; 40073 when there is none.
    pub async fn get(&self, card_id: &CardId) -> Result<Reply<CardAnswer>, Error> {
        self.client.post(&endpoint::GET, &ByCard { card_id }).await
    }

    /// Some cards of the account (E3).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list(&self, request: &ListCards) -> Result<Reply<CardList>, Error> {
        self.client.post(&endpoint::LIST, request).await
    }

    /// All cards of the account, page by page.
    pub fn list_all(
        &self,
        status_list: Option<Vec<CardStatus>>,
    ) -> impl Stream<Item = Result<CardId, Error>> {
        let cards = self.clone();
        let pages = futures_util::stream::try_unfold(Some(0_i64), move |offset| {
            let (cards, status_list) = (cards.clone(), status_list.clone());
            async move {
                let Some(offset) = offset else { return Ok::<_, Error>(None) };
                let mut request = ListCards::new(offset, 50);
                request.status_list = status_list;
                let page = cards.list(&request).await?.into_value();
                let read = i64::try_from(page.card_id_list.len()).unwrap_or(i64::MAX);
                let next = offset.saturating_add(read);
                let more = (read > 0 && next < page.total_num).then_some(next);
                let ids = page.card_id_list.into_iter().map(Ok::<_, Error>);
                Ok(Some((futures_util::stream::iter(ids), more)))
            }
        });
        futures_util::TryStreamExt::try_flatten(pages)
    }

    /// Changes a card (E4).
    ///
    /// # Errors
    /// [`Error`]; 40071 when the card is of another type.
    pub async fn update(&self, card_id: &CardId, changes: &CardChanges) -> Result<Reply<UpdatedCard>, Error> {
        self.client.post(&endpoint::UPDATE, &crate::card::Update { card_id, changes }).await
    }

    /// Raises a card's stock (E5).
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown look at the card's `sku` before repeating.
    pub async fn increase_stock(&self, card_id: &CardId, by: u64) -> Result<Reply<Done>, Error> {
        let request = ModifyStock { card_id, increase_stock_value: Some(by), reduce_stock_value: None };
        self.client.post(&endpoint::MODIFY_STOCK, &request).await
    }

    /// Lowers a card's stock (E5).
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown look at the card's `sku` before repeating.
    pub async fn reduce_stock(&self, card_id: &CardId, by: u64) -> Result<Reply<Done>, Error> {
        let request = ModifyStock { card_id, increase_stock_value: None, reduce_stock_value: Some(by) };
        self.client.post(&endpoint::MODIFY_STOCK, &request).await
    }

    /// Deletes a card (E6). What users hold stays valid.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn delete(&self, card_id: &CardId) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::DELETE, &ByCard { card_id }).await
    }

    /// Opens or closes the cell to pay with the card (E7).
    ///
    /// # Errors
    /// [`Error`]; 40107 and 43017 without stores, 43008 without WeChat Pay, 40145 and 45046 with a centre button.
    pub async fn set_pay_cell(&self, card_id: &CardId, is_open: bool) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::PAY_CELL, &PayCell { card_id, is_open }).await
    }

    /// Opens or closes the cell by which users redeem by themselves (E8).
    ///
    /// # Errors
    /// [`Error`], as for [`set_pay_cell`](Self::set_pay_cell).
    pub async fn set_self_consume_cell(&self, request: &SelfConsumeCell) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::SELF_CONSUME_CELL, request).await
    }

    /// The palette (E9). It is fixed by now: [`Color`](crate::Color) knows it.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn colors(&self) -> Result<Reply<Colors>, Error> {
        self.client.get(&endpoint::COLORS).await
    }
}

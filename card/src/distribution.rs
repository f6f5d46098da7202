//! Bringing cards to users (E10–E13, spec §3.10–§3.13).

use bytes::Bytes;
use favor_core::{Fen, OpenId};

use crate::client::{Call, Client};
use crate::codes::ByCard;
use crate::endpoint;
use crate::error::Error;
use crate::id::{CardId, Code, Personal};
use crate::limits::{Checked, Limits, TEXT, URL};
use crate::macros::{answer, open, request};
use crate::qr;
use crate::reply::{Done, Reply};

/// QR codes, landing pages, articles and the test whitelist. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Distribution {
    client: Client,
}

request! {
    /// A card in a QR code.
    pub struct QrCard {
        required {
            /// The card.
            card_id: CardId,
        }
        optional {
            /// The code, for cards with custom codes that are not deposited; to be left out for all others.
            code: Code,
            /// The only user who may claim it, for cards bound to openids.
            openid: OpenId,
            /// Whether the picture carries one code and can be claimed once. Needs an approved card with stock.
            is_unique_code: bool,
            /// The channel as older programs name it.
            outer_id: i64,
            /// The channel, echoed in events; at most 128 bytes.
            outer_str: String,
            /// The amount of a red packet in fen. Legacy.
            balance: Fen,
        }
    }
}

impl Checked for QrCard {
    fn check(&self, limits: &mut Limits) {
        limits.card_id(&self.card_id);
        if let Some(code) = &self.code {
            limits.code(code);
        }
        if let Some(openid) = &self.openid {
            limits.openid(openid);
        }
        limits.optional("outer_str", self.outer_str.as_ref(), 128);
    }
}

request! {
    /// A QR code to claim one card or several (E10). Make it with [`one`](Self::one) or [`several`](Self::several).
    pub struct CreateQrCode {
        required {
            /// `QR_CARD` or `QR_MULTIPLE_CARD`.
            action_name: QrAction,
            /// What it is for.
            action_info: QrActionInfo,
        }
        optional {
            /// For how long: 60 to 1,800 s; 365 days unless set.
            expire_seconds: i64,
        }
    }
}

open! {
    /// What a QR code is for.
    pub enum QrAction {
        /// One card.
        One => "QR_CARD",
        /// Several cards.
        Several => "QR_MULTIPLE_CARD",
    }
}

request! {
    /// What a QR code is for: one of the two.
    pub struct QrActionInfo {
        optional {
            /// One card.
            card: QrCard,
            /// Several cards.
            multiple_card: QrCards,
        }
    }
}

request! {
    /// Several cards in a QR code.
    pub struct QrCards {
        required {
            /// One to five.
            card_list: Vec<QrCard>,
        }
    }
}

impl CreateQrCode {
    /// To claim one card.
    pub fn one(card: QrCard) -> Self {
        Self::new(QrAction::One, QrActionInfo::new().card(card))
    }

    /// To claim one to five cards.
    pub fn several(cards: impl Into<Vec<QrCard>>) -> Self {
        Self::new(QrAction::Several, QrActionInfo::new().multiple_card(QrCards::new(cards)))
    }
}

impl Checked for CreateQrCode {
    fn check(&self, limits: &mut Limits) {
        if let Some(seconds) = self.expire_seconds {
            limits.range("expire_seconds", seconds, 60, 1_800);
        }
        let info = &self.action_info;
        match (&self.action_name, &info.card, &info.multiple_card) {
            (QrAction::One, Some(card), None) => limits.within("action_info.card", card),
            (QrAction::Several, None, Some(cards)) => {
                limits.list("action_info.multiple_card.card_list", &cards.card_list, 1, 5);
                limits.each("action_info.multiple_card.card_list", &cards.card_list);
            }
            _ => {
                let rule = "must have card for QR_CARD, or multiple_card for QR_MULTIPLE_CARD";
                limits.require(false, "action_info", rule);
            }
        }
    }
}

answer! {
    /// A QR code that was made.
    pub struct QrCode {
        required {
            /// What its picture is fetched with.
            ticket: String,
        }
        optional {
            /// What the picture says. Samples have blanks around it: see [`content`](Self::content).
            url: String,
            /// Where the picture is.
            show_qrcode_url: String,
            /// For how long; 0 or absent for the long-lived.
            expire_seconds: i64,
        }
    }
}

impl QrCode {
    /// What the picture says, to draw it here.
    pub fn content(&self) -> Option<&str> {
        self.url.as_deref().map(str::trim).filter(|url| !url.is_empty())
    }

    /// Where WeChat's own picture is.
    pub fn picture_url(&self) -> String {
        match self.show_qrcode_url.as_deref().map(str::trim).filter(|url| !url.is_empty()) {
            Some(url) => url.to_owned(),
            None => qr::picture_url(&self.ticket),
        }
    }
}

open! {
    /// Where a landing page is reached from.
    pub enum Scene {
        /// From what is nearby.
        NearBy => "SCENE_NEAR_BY",
        /// From the account's menu.
        Menu => "SCENE_MENU",
        /// From a QR code.
        QrCode => "SCENE_QRCODE",
        /// From an article.
        Article => "SCENE_ARTICLE",
        /// From a web page.
        H5 => "SCENE_H5",
        /// From an automatic answer.
        Ivr => "SCENE_IVR",
        /// From a card's own cell.
        CardCustomCell => "SCENE_CARD_CUSTOM_CELL",
    }
}

request! {
    /// A landing page, which lists cards to claim (E11). Cards with the platform's or deposited codes alone.
    pub struct CreateLandingPage {
        required {
            /// Its picture: a url from the picture upload; at most 128 bytes.
            banner: String,
            /// Its title.
            page_title: String,
            /// Whether users may share it.
            can_share: bool,
            /// Where it is reached from.
            scene: Scene,
            /// Its cards.
            card_list: Vec<LandingPageCard>,
        }
    }
}

request! {
    /// A card on a landing page.
    pub struct LandingPageCard {
        required {
            /// The card.
            card_id: CardId,
            /// Its small picture.
            thumb_url: String,
        }
    }
}

impl Checked for CreateLandingPage {
    fn check(&self, limits: &mut Limits) {
        limits.text("banner", &self.banner, URL);
        limits.text("page_title", &self.page_title, 3_072);
        limits.list("card_list", &self.card_list, 1, 1_000);
        for (at, card) in self.card_list.iter().enumerate() {
            limits.card_id_at(&format!("card_list[{at}].card_id"), &card.card_id);
            limits.text(&format!("card_list[{at}].thumb_url"), &card.thumb_url, TEXT);
        }
    }
}

answer! {
    /// A landing page that was made.
    pub struct LandingPage {
        required {
            /// Where it is.
            url: String,
        }
        optional {
            /// Its number.
            page_id: i64,
        }
    }
}

answer! {
    /// A card as a piece of an article.
    pub struct ArticleHtml {
        required {
            /// To be put unchanged into the article's content.
            content: String,
        }
    }
}

request! {
    /// Who may claim cards that are not approved (E13); at most ten in all.
    pub struct TestWhitelist {
        optional {
            /// By their openids.
            openid: Vec<OpenId>,
            /// By their WeChat ids; at most 32 bytes each.
            username: Vec<Personal>,
        }
    }
}

impl Checked for TestWhitelist {
    fn check(&self, limits: &mut Limits) {
        let openids = self.openid.as_deref().unwrap_or_default();
        let names = self.username.as_deref().unwrap_or_default();
        let count = i64::try_from(openids.len() + names.len()).unwrap_or(i64::MAX);
        limits.range("openid and username together", count, 1, 10);
        for openid in openids {
            limits.openid(openid);
        }
        for name in names {
            limits.text("username", name.as_str(), 32);
        }
    }
}

impl Distribution {
    /// The distribution of an account's cards.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Makes a QR code (E10). Draw it with [`QrImage`](crate::QrImage), or fetch the platform's picture.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_qr_code(&self, request: &CreateQrCode) -> Result<Reply<QrCode>, Error> {
        self.client.post(&endpoint::QR_CREATE, request).await
    }

    /// The platform's picture of a QR code, a JPEG of at most 1 MiB (P5). Needs no access token.
    ///
    /// # Errors
    /// [`Error`]; of kind `Status` with 404 when the ticket is wrong or has expired.
    pub async fn qr_picture(&self, ticket: &str) -> Result<Bytes, Error> {
        let mut limits = Limits::new(self.client.now());
        limits.text("ticket", ticket, 1_024);
        limits.finish()?;
        let call = Call::to(&endpoint::SHOW_QR).query("ticket", ticket);
        let picture = self.client.fetch(&self.client.0.picture_url, &call, None, 1 << 20).await?;
        if picture.starts_with(&[0xff, 0xd8]) {
            return Ok(picture);
        }
        Err(Error::decode("the answer is no JPEG picture", picture).during(&endpoint::SHOW_QR))
    }

    /// Makes a landing page (E11).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_landing_page(
        &self,
        request: &CreateLandingPage,
    ) -> Result<Reply<LandingPage>, Error> {
        self.client.post(&endpoint::LANDING_PAGE, request).await
    }

    /// A card as a piece of an article (E12).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn article_html(&self, card_id: &CardId) -> Result<Reply<ArticleHtml>, Error> {
        self.client.post(&endpoint::ARTICLE_HTML, &ByCard { card_id }).await
    }

    /// Sets who may claim cards that are not approved (E13). It replaces the whole list.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_test_whitelist(&self, request: &TestWhitelist) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::WHITELIST, request).await
    }
}

//! Pages that sell gift cards, and what they need (E41–E48, spec §3.36–§3.37).

use favor_core::{AppId, MerchantId};
use serde::Serialize;

use crate::client::Client;
use crate::endpoint;
use crate::error::Error;
use crate::id::CardId;
use crate::limits::{Checked, Limits, TEXT};
use crate::macros::{answer, open, request};
use crate::reply::{Done, Reply};

/// The calls on pages that sell gift cards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GiftPages {
    client: Client,
}

request! {
    /// A page. Title, address, service phone and description are needed too: set each by its name.
    pub struct GiftPage {
        required {
            /// Its picture: a url from the picture upload.
            banner_pic_url: String,
            /// Its themes.
            theme_list: Vec<GiftTheme>,
        }
        optional {
            /// In updates and answers: the page.
            page_id: String,
            /// Its title.
            page_title: String,
            /// Whether one order may hold several cards, and go to a group.
            support_multi: bool,
            /// Whether users may buy for themselves.
            support_buy_for_self: bool,
            /// The categories of the themes.
            category_list: Vec<GiftCategory>,
            /// The merchant's address.
            address: String,
            /// The merchant's telephone.
            service_phone: String,
            /// About refunds and invoices.
            biz_description: String,
            /// Whether buyers need receipts.
            need_receipt: bool,
            /// An own entry.
            cell_1: GiftCell,
            /// An own entry.
            cell_2: GiftCell,
        }
    }
}

request! {
    /// An own entry of a page.
    pub struct GiftCell {
        required {
            /// Its title.
            title: String,
            /// Where it leads.
            url: String,
        }
    }
}

request! {
    /// A category of themes.
    pub struct GiftCategory {
        required {
            /// Its title.
            title: String,
        }
    }
}

request! {
    /// A theme of a page.
    pub struct GiftTheme {
        required {
            /// Its picture.
            theme_pic_url: String,
            /// Its title.
            title: String,
            /// The title's colour, as `#RRGGBB`.
            title_color: String,
            /// Its cards.
            item_list: Vec<GiftItem>,
            /// Its faces.
            pic_item_list: Vec<GiftFace>,
        }
        optional {
            /// Whether the cards' names come first.
            show_sku_title_first: bool,
            /// Its category, counted from 0. Needed in every theme when there are categories.
            category_index: i64,
            /// Whether it is shown large.
            is_banner: bool,
        }
    }
}

request! {
    /// A card of a theme.
    pub struct GiftItem {
        required {
            /// The card.
            card_id: CardId,
        }
        optional {
            /// Its title; the card's name unless set.
            title: String,
            /// Its picture.
            pic_url: String,
            /// About it.
            desc: String,
        }
    }
}

request! {
    /// A face that a card can be given with.
    pub struct GiftFace {
        required {
            /// The picture.
            background_pic_url: String,
        }
        optional {
            /// The merchant's own name of it.
            outer_img_id: String,
            /// The words that come with it.
            default_gifting_msg: String,
        }
    }
}

request! {
    /// What to change of a page (E43). Only what is set is changed.
    pub struct GiftPageChanges {
        required {
            /// The page.
            page_id: String,
        }
        optional {
            /// Its picture.
            banner_pic_url: String,
            /// Its themes.
            theme_list: Vec<GiftTheme>,
            /// Its title.
            page_title: String,
            /// Whether one order may hold several cards.
            support_multi: bool,
            /// Whether users may buy for themselves.
            support_buy_for_self: bool,
            /// The categories of the themes.
            category_list: Vec<GiftCategory>,
            /// The merchant's address.
            address: String,
            /// The merchant's telephone.
            service_phone: String,
            /// About refunds and invoices.
            biz_description: String,
            /// Whether buyers need receipts.
            need_receipt: bool,
            /// An own entry.
            cell_1: GiftCell,
            /// An own entry.
            cell_2: GiftCell,
        }
    }
}

fn check_themes(limits: &mut Limits, themes: &[GiftTheme], categories: usize) {
    for (at, theme) in themes.iter().enumerate() {
        let at = |field: &str| format!("page.theme_list[{at}].{field}");
        limits.text(&at("theme_pic_url"), &theme.theme_pic_url, TEXT);
        limits.text(&at("title"), &theme.title, TEXT);
        let digits = theme.title_color.strip_prefix('#').unwrap_or_default();
        let is_color = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        limits.require(is_color, &at("title_color"), "must look like #FB966E");
        limits.list(&at("item_list"), &theme.item_list, 1, 1_000);
        for (item, gift) in theme.item_list.iter().enumerate() {
            limits.card_id_at(&at(&format!("item_list[{item}].card_id")), &gift.card_id);
        }
        limits.list(&at("pic_item_list"), &theme.pic_item_list, 1, 1_000);
        if categories > 0 {
            let index = theme.category_index.and_then(|index| usize::try_from(index).ok());
            let is_known = index.is_some_and(|index| index < categories);
            limits.require(is_known, &at("category_index"), "must name a category of category_list, from 0");
        }
    }
}

#[derive(Serialize)]
struct Add<'a> {
    page: &'a GiftPage,
}

impl Checked for Add<'_> {
    fn check(&self, limits: &mut Limits) {
        let page = self.page;
        let rule = "is given by the platform: leave it out";
        limits.require(page.page_id.is_none(), "page.page_id", rule);
        limits.text("page.banner_pic_url", &page.banner_pic_url, TEXT);
        for (field, text) in [
            ("page.page_title", &page.page_title),
            ("page.address", &page.address),
            ("page.service_phone", &page.service_phone),
            ("page.biz_description", &page.biz_description),
        ] {
            limits.text(field, text.as_deref().unwrap_or_default(), TEXT);
        }
        limits.list("page.theme_list", &page.theme_list, 1, 1_000);
        check_themes(limits, &page.theme_list, page.category_list.as_ref().map_or(0, Vec::len));
    }
}

#[derive(Serialize)]
struct Change<'a> {
    page: &'a GiftPageChanges,
}

impl Checked for Change<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.text("page.page_id", &self.page.page_id, 256);
        let themes = self.page.theme_list.as_deref().unwrap_or_default();
        check_themes(limits, themes, self.page.category_list.as_ref().map_or(0, Vec::len));
    }
}

#[derive(Serialize)]
struct ByPage<'a> {
    page_id: &'a str,
}

impl Checked for ByPage<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.text("page_id", self.page_id, 256);
    }
}

#[derive(Serialize)]
struct Nothing {}

impl Checked for Nothing {
    fn check(&self, _: &mut Limits) {}
}

#[derive(Serialize)]
struct Maintain<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    page_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<bool>,
    maintain: bool,
}

impl Checked for Maintain<'_> {
    fn check(&self, limits: &mut Limits) {
        if let Some(page_id) = self.page_id {
            limits.text("page_id", page_id, 256);
        }
    }
}

#[derive(Serialize)]
struct GiftPay<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mch_id: Option<&'a MerchantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wxa_appid: Option<&'a AppId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_id: Option<&'a str>,
}

impl Checked for GiftPay<'_> {
    fn check(&self, limits: &mut Limits) {
        if let Some(page_id) = self.page_id {
            limits.text("page_id", page_id, 256);
        }
    }
}

answer! {
    /// A page that was added.
    pub struct AddedGiftPage {
        required {
            /// The page; may hold `+`, `/` and `=`.
            page_id: String,
        }
    }
}

answer! {
    /// A page by its id.
    pub struct GiftPageAnswer {
        required {
            /// The page.
            page: GiftPage,
        }
    }
}

answer! {
    /// The pages of an account.
    pub struct GiftPageList {
        given {
            /// These.
            page_id_list: Vec<String>,
        }
    }
}

open! {
    /// Who took a page off, if anybody.
    pub enum PageControl {
        /// Nobody.
        Normal => "E_PAGE_CONTROL_NORMAL",
        /// The merchant.
        Merchant => "E_PAGE_CONTROL_BIZ",
        /// The platform.
        Platform => "E_PAGE_CONTROL_SYSTEM",
    }
}

answer! {
    /// What is off after a change.
    pub struct MaintainAnswer {
        optional {
            /// What is off.
            control_info: ControlInfo,
        }
    }
}

answer! {
    /// What is off.
    pub struct ControlInfo {
        given {
            /// Single pages.
            list: Vec<PageControlInfo>,
        }
        optional {
            /// All pages, by the merchant.
            biz_control_type: PageControl,
            /// All pages, by the platform.
            system_biz_control_type: PageControl,
        }
    }
}

answer! {
    /// Whether one page is off.
    pub struct PageControlInfo {
        required {
            /// The page.
            page_id: String,
        }
        optional {
            /// By the merchant.
            page_control_type: PageControl,
            /// By the platform.
            system_page_control_type: PageControl,
        }
    }
}

answer! {
    /// Where a merchant confirms.
    pub struct GiftPayWhitelist {
        required {
            /// The page.
            url: String,
        }
    }
}

impl GiftPages {
    /// The pages of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    /// Adds a page (E41).
    ///
    /// # Errors
    /// [`Error`]; when its outcome is unknown look with [`list`](Self::list) before repeating.
    pub async fn add(&self, page: &GiftPage) -> Result<Reply<AddedGiftPage>, Error> {
        self.client.post(&endpoint::PAGE_ADD, &Add { page }).await
    }

    /// A page (E42).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get(&self, page_id: &str) -> Result<Reply<GiftPageAnswer>, Error> {
        self.client.post(&endpoint::PAGE_GET, &ByPage { page_id }).await
    }

    /// Changes a page (E43).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn update(&self, changes: &GiftPageChanges) -> Result<Reply<Done>, Error> {
        self.client.post(&endpoint::PAGE_UPDATE, &Change { page: changes }).await
    }

    /// The pages (E44).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list(&self) -> Result<Reply<GiftPageList>, Error> {
        self.client.post(&endpoint::PAGE_LIST, &Nothing {}).await
    }

    /// Takes a page off, or puts it back (E45).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn maintain(&self, page_id: &str, maintain: bool) -> Result<Reply<MaintainAnswer>, Error> {
        let request = Maintain { page_id: Some(page_id), all: None, maintain };
        self.client.post(&endpoint::PAGE_MAINTAIN, &request).await
    }

    /// Takes all pages off, or puts them back (E45).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn maintain_all(&self, maintain: bool) -> Result<Reply<MaintainAnswer>, Error> {
        let request = Maintain { page_id: None, all: Some(true), maintain };
        self.client.post(&endpoint::PAGE_MAINTAIN, &request).await
    }

    /// Asks that a Pay merchant may take the money (E46): it confirms at the address of the answer.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn whitelist_merchant(&self, merchant: &MerchantId) -> Result<Reply<GiftPayWhitelist>, Error> {
        let request = GiftPay { sub_mch_id: Some(merchant), wxa_appid: None, page_id: None };
        self.client.post(&endpoint::GIFT_PAY_WHITELIST, &request).await
    }

    /// Binds a Pay merchant to a mini program (E47).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn bind_merchant(&self, merchant: &MerchantId, program: &AppId) -> Result<Reply<Done>, Error> {
        let request = GiftPay { sub_mch_id: Some(merchant), wxa_appid: Some(program), page_id: None };
        self.client.post(&endpoint::GIFT_PAY_BIND, &request).await
    }

    /// Uploads the platform's ready-made mini program for a page (E48).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_mini_program(&self, program: &AppId, page_id: &str) -> Result<Reply<Done>, Error> {
        let request = GiftPay { sub_mch_id: None, wxa_appid: Some(program), page_id: Some(page_id) };
        self.client.post(&endpoint::GIFT_MINI_PROGRAM, &request).await
    }
}

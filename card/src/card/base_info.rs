//! What every card has (spec §4.2–§4.5).

use favor_core::{AppId, Fen, Timestamp};

use crate::id::CardId;
use crate::limits::{Checked, Limits, TEXT, URL};
use crate::macros::{open, request};
use crate::status::CardStatus;

open! {
    /// How a code is shown.
    pub enum CodeType {
        /// As text.
        Text => "CODE_TYPE_TEXT",
        /// As a bar code with its digits.
        Barcode => "CODE_TYPE_BARCODE",
        /// As a QR code with its digits.
        QrCode => "CODE_TYPE_QRCODE",
        /// As a bar code without digits.
        OnlyBarcode => "CODE_TYPE_ONLY_BARCODE",
        /// As a QR code without digits.
        OnlyQrCode => "CODE_TYPE_ONLY_QRCODE",
        /// Not at all.
        None => "CODE_TYPE_NONE",
    }
}

open! {
    /// A colour of the platform's palette; answers have its RGB value instead.
    pub enum Color {
        /// #63b359.
        Color010 => "Color010",
        /// #2c9f67.
        Color020 => "Color020",
        /// #509fc9.
        Color030 => "Color030",
        /// #5885cf.
        Color040 => "Color040",
        /// #9062c0.
        Color050 => "Color050",
        /// #d09a45.
        Color060 => "Color060",
        /// #e4b138.
        Color070 => "Color070",
        /// #ee903c.
        Color080 => "Color080",
        /// #f08500.
        Color081 => "Color081",
        /// #a9d92d.
        Color082 => "Color082",
        /// #dd6549.
        Color090 => "Color090",
        /// #cc463d.
        Color100 => "Color100" | "Color0100",
        /// #cf3e36.
        Color101 => "Color101" | "Color0101",
        /// #5E6671.
        Color102 => "Color102" | "Color0102",
    }
}

impl Color {
    /// Its RGB value, `#RRGGBB`; what an answer gave stays as it is.
    pub fn rgb(&self) -> &str {
        match self {
            Self::Color010 => "#63b359",
            Self::Color020 => "#2c9f67",
            Self::Color030 => "#509fc9",
            Self::Color040 => "#5885cf",
            Self::Color050 => "#9062c0",
            Self::Color060 => "#d09a45",
            Self::Color070 => "#e4b138",
            Self::Color080 => "#ee903c",
            Self::Color081 => "#f08500",
            Self::Color082 => "#a9d92d",
            Self::Color090 => "#dd6549",
            Self::Color100 => "#cc463d",
            Self::Color101 => "#cf3e36",
            Self::Color102 => "#5E6671",
            Self::Unknown(rgb) => rgb,
        }
    }
}

open! {
    /// Where a card's codes come from, when they are not the platform's.
    pub enum CustomCodeMode {
        /// From a pool that the merchant deposits.
        Deposit => "GET_CUSTOM_CODE_MODE_DEPOSIT",
    }
}

request! {
    /// How many codes of a card there are.
    pub struct Sku {
        required {
            /// How many may be claimed: 1 to 100,000,000; 0 for deposited codes. In answers: how many are left.
            quantity: i64,
        }
        optional {
            /// In answers: how many were ever put on sale.
            total_quantity: i64,
        }
    }
}

open! {
    /// How a card's validity is given.
    pub enum DateType {
        /// From one moment to another.
        FixTimeRange => "DATE_TYPE_FIX_TIME_RANGE" | "1",
        /// For some days from when it was claimed.
        FixTerm => "DATE_TYPE_FIX_TERM" | "2",
        /// For ever.
        Permanent => "DATE_TYPE_PERMANENT",
    }
}

request! {
    /// How long a card is valid. Make it with [`between`](Self::between), [`days`](Self::days) or
    /// [`permanent`](Self::permanent).
    pub struct DateInfo {
        required {
            /// How it is given.
            #[serde(rename = "type")]
            kind: DateType,
        }
        optional {
            /// From when.
            begin_timestamp: Timestamp,
            /// Until when; with days: until when at the latest.
            end_timestamp: Timestamp,
            /// For how many days.
            fixed_term: i64,
            /// After how many days it begins; 0 is at once.
            fixed_begin_term: i64,
        }
    }
}

impl DateInfo {
    /// From one moment to another; 23:59:59 of the last day is advised.
    pub fn between(begin: Timestamp, end: Timestamp) -> Self {
        Self::new(DateType::FixTimeRange).begin_timestamp(begin).end_timestamp(end)
    }

    /// For `days`, beginning `after` days after it was claimed.
    pub fn days(days: i64, after: i64) -> Self {
        Self::new(DateType::FixTerm).fixed_term(days).fixed_begin_term(after)
    }

    /// For ever: member cards and gift cards.
    pub fn permanent() -> Self {
        Self::new(DateType::Permanent)
    }
}

impl Checked for DateInfo {
    fn check(&self, limits: &mut Limits) {
        limits.optional_moment("begin_timestamp", self.begin_timestamp.as_ref());
        limits.optional_moment("end_timestamp", self.end_timestamp.as_ref());
        if let Some(end) = &self.end_timestamp {
            let future = end.timestamp() > limits.now().timestamp();
            limits.require(future, "end_timestamp", "must lie in the future");
        }
        match &self.kind {
            DateType::FixTimeRange => match (&self.begin_timestamp, &self.end_timestamp) {
                (Some(begin), Some(end)) => {
                    limits.require(begin <= end, "begin_timestamp", "must not be after end_timestamp");
                }
                _ => limits.require(false, "begin_timestamp", "is needed, and end_timestamp too"),
            },
            DateType::FixTerm => {
                limits.range("fixed_term", self.fixed_term.unwrap_or(-1), 0, 36_500);
                limits.range("fixed_begin_term", self.fixed_begin_term.unwrap_or(-1), 0, 36_500);
            }
            DateType::Permanent => {
                let bare = self.begin_timestamp.is_none()
                    && self.end_timestamp.is_none()
                    && self.fixed_term.is_none()
                    && self.fixed_begin_term.is_none();
                limits.require(bare, "type", "permanent goes without times and terms");
            }
            DateType::Unknown(_) => limits.require(false, "type", "must be one of the documented types"),
        }
    }
}

request! {
    /// The sub-merchant that a card is made for.
    pub struct SubMerchantInfo {
        required {
            /// Its id.
            merchant_id: i64,
        }
    }
}

request! {
    /// How a member pays with the card.
    pub struct PayInfo {
        required {
            /// By showing it.
            swipe_card: SwipeCard,
        }
    }
}

request! {
    /// Whether a member pays by showing the card.
    pub struct SwipeCard {
        required {
            /// Whether.
            is_swipe_card: bool,
        }
    }
}

request! {
    /// What a gift card costs.
    pub struct GiftCardInfo {
        required {
            /// In fen.
            price: Fen,
        }
    }
}

request! {
    /// What every card has. Logo, brand name, title, notice and description are needed too: set each by its name.
    ///
    /// ```
    /// use favor_card::{BaseInfo, CodeType, Color, DateInfo, Sku};
    /// let info = BaseInfo::new(CodeType::QrCode, Color::Color010, Sku::new(5000), DateInfo::days(30, 0))
    ///     .logo_url("http://mmbiz.qpic.cn/mmbiz_png/…/0")
    ///     .brand_name("Tea Nook")
    ///     .title("Tea for two")
    ///     .notice("Show this at the bar")
    ///     .description("One per table.\nNot with other offers.")
    ///     .get_limit(2);
    /// assert_eq!(info.get_limit, Some(2));
    /// ```
    pub struct BaseInfo {
        required {
            /// How the code is shown.
            code_type: CodeType,
            /// The card's colour.
            color: Color,
            /// How many there are.
            sku: Sku,
            /// How long it is valid.
            date_info: DateInfo,
        }
        given {
            /// The merchant's logo: a url from the picture upload; at most 128 bytes, like every url here.
            logo_url: String,
            /// Who provides the service; at most 36 bytes (12 Han characters).
            brand_name: String,
            /// At most 27 bytes (9 Han characters).
            title: String,
            /// How to use it, in a line; at most 48 bytes (16 Han characters).
            notice: String,
            /// How to use it; at most 3,072 bytes (1,024 Han characters), lines separated by `\n`.
            description: String,
        }
        optional {
            /// A second title of older cards; at most 54 bytes.
            sub_title: String,
            /// Whether the merchant supplies the codes. Needs a permission.
            use_custom_code: bool,
            /// Where custom codes come from; with it `use_custom_code` and a quantity of 0.
            get_custom_code_mode: CustomCodeMode,
            /// Whether named users alone may claim it.
            bind_openid: bool,
            /// At most 24 bytes.
            service_phone: String,
            /// The shops, by their ids.
            location_id_list: Vec<i64>,
            /// Whether it is for all shops; excludes the list.
            use_all_locations: bool,
            /// The third party that sells it; at most 36 bytes (12 Han characters).
            source: String,
            /// The button in the centre; at most 18 bytes (6 Han characters).
            center_title: String,
            /// The line below it; at most 24 bytes (8 Han characters).
            center_sub_title: String,
            /// Where it leads.
            center_url: String,
            /// The mini program it leads to: `gh_…@app`; at most 128 bytes.
            center_app_brand_user_name: String,
            /// The mini program's path; at most 128 bytes.
            center_app_brand_pass: String,
            /// The first own cell; at most 15 bytes (5 Han characters).
            custom_url_name: String,
            /// Where it leads.
            custom_url: String,
            /// The line beside it; at most 18 bytes (6 Han characters).
            custom_url_sub_title: String,
            /// The mini program it leads to.
            custom_app_brand_user_name: String,
            /// The mini program's path.
            custom_app_brand_pass: String,
            /// The second own cell, shown after expiry too; at most 15 bytes (5 Han characters).
            promotion_url_name: String,
            /// Where it leads.
            promotion_url: String,
            /// The line beside it; at most 18 bytes (6 Han characters).
            promotion_url_sub_title: String,
            /// The mini program it leads to.
            promotion_app_brand_user_name: String,
            /// The mini program's path.
            promotion_app_brand_pass: String,
            /// How many one user may claim; 50 unless set.
            get_limit: i64,
            /// How many one user may redeem; 50 unless set.
            use_limit: i64,
            /// Whether users may share the claim page; yes unless set.
            can_share: bool,
            /// Whether users may give it away; yes unless set.
            can_give_friend: bool,
            /// The sub-merchant it is made for.
            sub_merchant_info: SubMerchantInfo,
            /// Whether to push an event when it is opened; member cards and general cards.
            need_push_on_view: bool,
            /// How a member pays with it.
            pay_info: PayInfo,
            /// Whether the centre button of a member card does both.
            is_pay_and_qrcode: bool,
            /// How often a general card may be given on.
            max_give_friend_times: i64,
            /// What a general card costs.
            giftcard_info: GiftCardInfo,
            /// The name of the own cell, chosen from a list. Legacy: `custom_url_name` replaced it.
            url_name_type: UrlNameType,
            /// In answers: the card.
            id: CardId,
            /// In answers: the account.
            appid: AppId,
            /// In answers: its state.
            status: CardStatus,
            /// In answers: when it was made.
            create_time: Timestamp,
            /// In answers: when it was changed.
            update_time: Timestamp,
        }
    }
}

open! {
    /// The name of the own cell, chosen from a list. Legacy.
    pub enum UrlNameType {
        /// Take away.
        TakeAway => "URL_NAME_TYPE_TAKE_AWAY",
        /// Reserve online.
        Reservation => "URL_NAME_TYPE_RESERVATION",
        /// Use at once.
        UseImmediately => "URL_NAME_TYPE_USE_IMMEDIATELY",
        /// Make an appointment.
        Appointment => "URL_NAME_TYPE_APPOINTMENT",
        /// Exchange.
        Exchange => "URL_NAME_TYPE_EXCHANGE",
        /// About the vehicle.
        VehicleInformation => "URL_NAME_TYPE_VEHICLE_INFORMATION",
    }
}

/// The fields that both creating and changing have.
macro_rules! check_cells {
    ($info:expr, $limits:expr) => {{
        let (info, limits): (_, &mut Limits) = ($info, &mut *$limits);
        limits.optional("service_phone", info.service_phone.as_ref(), 24);
        limits.optional("center_title", info.center_title.as_ref(), 18);
        limits.optional("center_sub_title", info.center_sub_title.as_ref(), 24);
        limits.optional("center_url", info.center_url.as_ref(), URL);
        limits.optional("center_app_brand_user_name", info.center_app_brand_user_name.as_ref(), 128);
        limits.optional("center_app_brand_pass", info.center_app_brand_pass.as_ref(), 128);
        limits.optional("custom_url_name", info.custom_url_name.as_ref(), 15);
        limits.optional("custom_url", info.custom_url.as_ref(), URL);
        limits.optional("custom_url_sub_title", info.custom_url_sub_title.as_ref(), 18);
        limits.optional("custom_app_brand_user_name", info.custom_app_brand_user_name.as_ref(), 128);
        limits.optional("custom_app_brand_pass", info.custom_app_brand_pass.as_ref(), 128);
        limits.optional("promotion_url_name", info.promotion_url_name.as_ref(), 15);
        limits.optional("promotion_url", info.promotion_url.as_ref(), URL);
        limits.optional("promotion_url_sub_title", info.promotion_url_sub_title.as_ref(), 18);
        limits.optional("promotion_app_brand_user_name", info.promotion_app_brand_user_name.as_ref(), 128);
        limits.optional("promotion_app_brand_pass", info.promotion_app_brand_pass.as_ref(), 128);
        for (field, number) in [("get_limit", info.get_limit), ("use_limit", info.use_limit)] {
            if let Some(number) = number {
                limits.range(field, number, 0, 100_000_000);
            }
        }
        let has_list = info.location_id_list.as_ref().is_some_and(|list| !list.is_empty());
        limits.require(
            !(has_list && info.use_all_locations == Some(true)),
            "location_id_list",
            "must be left out when use_all_locations is true",
        );
    }};
}

impl Checked for BaseInfo {
    fn check(&self, limits: &mut Limits) {
        limits.text("logo_url", &self.logo_url, URL);
        limits.text("brand_name", &self.brand_name, 36);
        limits.text("title", &self.title, 27);
        limits.optional("sub_title", self.sub_title.as_ref(), 54);
        limits.text("notice", &self.notice, 48);
        limits.text("description", &self.description, TEXT);
        limits.optional("source", self.source.as_ref(), 36);
        limits.within("date_info", &self.date_info);
        check_cells!(self, limits);
        let is_deposit = self.get_custom_code_mode.is_some();
        if is_deposit {
            let rule = "must be 0 for deposited codes: raise it when they are deposited";
            limits.require(self.sku.quantity == 0, "sku.quantity", rule);
            let rule = "must be true for deposited codes";
            limits.require(self.use_custom_code == Some(true), "use_custom_code", rule);
        } else {
            limits.range("sku.quantity", self.sku.quantity, 1, 100_000_000);
        }
        let rule = "is given by the platform: leave it out";
        limits.require(self.id.is_none(), "id", rule);
        limits.require(self.status.is_none(), "status", rule);
        limits.require(self.create_time.is_none(), "create_time", rule);
        limits.require(self.update_time.is_none(), "update_time", rule);
        limits.require(self.sku.total_quantity.is_none(), "sku.total_quantity", rule);
    }
}

request! {
    /// What of every card may be changed. Logo, colour, notice and description bring it back to review, and the title
    /// probably too.
    pub struct BaseInfoChanges {
        optional {
            /// The logo; at most 128 bytes.
            logo_url: String,
            /// The colour.
            color: Color,
            /// How to use it, in a line; at most 48 bytes.
            notice: String,
            /// How to use it; at most 3,072 bytes.
            description: String,
            /// At most 27 bytes.
            title: String,
            /// At most 24 bytes.
            service_phone: String,
            /// How the code is shown.
            code_type: CodeType,
            /// The shops.
            location_id_list: Vec<i64>,
            /// Whether it is for all shops.
            use_all_locations: bool,
            /// The button in the centre; at most 18 bytes. An empty text clears it.
            center_title: String,
            /// The line below it; at most 24 bytes.
            center_sub_title: String,
            /// Where it leads.
            center_url: String,
            /// The mini program it leads to.
            center_app_brand_user_name: String,
            /// The mini program's path.
            center_app_brand_pass: String,
            /// The first own cell; at most 15 bytes.
            custom_url_name: String,
            /// Where it leads.
            custom_url: String,
            /// The line beside it; at most 18 bytes.
            custom_url_sub_title: String,
            /// The mini program it leads to.
            custom_app_brand_user_name: String,
            /// The mini program's path.
            custom_app_brand_pass: String,
            /// The second own cell; at most 15 bytes.
            promotion_url_name: String,
            /// Where it leads.
            promotion_url: String,
            /// The line beside it; at most 18 bytes.
            promotion_url_sub_title: String,
            /// The mini program it leads to.
            promotion_app_brand_user_name: String,
            /// The mini program's path.
            promotion_app_brand_pass: String,
            /// How many one user may claim.
            get_limit: i64,
            /// How many one user may redeem.
            use_limit: i64,
            /// Whether users may share the claim page.
            can_share: bool,
            /// Whether users may give it away.
            can_give_friend: bool,
            /// The validity: of cards valid from one moment to another alone, and only to a wider range.
            date_info: DateInfo,
            /// How a member pays with it.
            pay_info: PayInfo,
            /// Whether the centre button of a member card does both.
            is_pay_and_qrcode: bool,
            /// Whether to push an event when it is opened.
            need_push_on_view: bool,
        }
    }
}

/// What no update may change: sending it makes the update fail, silently or not.
const FIXED: &[&str] = &[
    "brand_name",
    "sku",
    "use_custom_code",
    "get_custom_code_mode",
    "bind_openid",
    "source",
    "fixed_term",
    "fixed_begin_term",
    "sub_merchant_info",
];

impl Checked for BaseInfoChanges {
    fn check(&self, limits: &mut Limits) {
        limits.optional("logo_url", self.logo_url.as_ref(), URL);
        limits.optional("notice", self.notice.as_ref(), 48);
        limits.optional("description", self.description.as_ref(), TEXT);
        limits.optional("title", self.title.as_ref(), 27);
        check_cells!(self, limits);
        if let Some(date_info) = &self.date_info {
            limits.within("date_info", date_info);
            let rule = "can be changed only where it is from one moment to another";
            limits.require(date_info.kind == DateType::FixTimeRange, "date_info", rule);
        }
        for field in FIXED {
            limits.require(self.extra.get(field).is_none(), field, "cannot be changed");
        }
    }
}

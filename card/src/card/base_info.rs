//! What every card has (spec §4.2–§4.4).

mod cells;
mod changes;

use favor_core::{AppId, Fen, Timestamp};

pub use changes::BaseInfoChanges;

use super::color::Color;
use super::date_info::DateInfo;
use crate::id::CardId;
use crate::limits::{Checked, Limits, TEXT, URL};
use crate::macros::{open, request};
use crate::status::CardStatus;
use cells::check_cells;

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

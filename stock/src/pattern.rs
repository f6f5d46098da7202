//! What a coupon looks like (spec §3.1).

use favor_core::{AppId, open_enum};
use serde::{Deserialize, Serialize};

open_enum! {
    /// The colour behind a coupon.
    pub enum BackgroundColor {
        /// `#63B359`.
        Color010 => "COLOR010" | "Color010",
        /// `#2C9F67`.
        Color020 => "COLOR020" | "Color020",
        /// `#509FC9`.
        Color030 => "COLOR030" | "Color030",
        /// `#5885CF`.
        Color040 => "COLOR040" | "Color040",
        /// `#9062C0`.
        Color050 => "COLOR050" | "Color050",
        /// `#D09A45`.
        Color060 => "COLOR060" | "Color060",
        /// `#E4B138`.
        Color070 => "COLOR070" | "Color070",
        /// `#EE903C`.
        Color080 => "COLOR080" | "Color080",
        /// Its colour is not documented.
        Color081 => "COLOR081" | "Color081",
        /// Its colour is not documented.
        Color082 => "COLOR082" | "Color082",
        /// `#DD6549`.
        Color090 => "COLOR090" | "Color090",
        /// `#CC463D`.
        Color100 => "COLOR100" | "Color100",
        /// Its colour is not documented.
        Color101 => "COLOR101" | "Color101",
        /// Its colour is not documented.
        Color102 => "COLOR102" | "Color102",
    }
}

open_enum! {
    /// Where the coupon's button leads.
    pub enum JumpTarget {
        /// The payment code page.
        PaymentCode => "PAYMENT_CODE",
        /// A mini program, named by `mini_program_appid` and `mini_program_path`.
        MiniProgram => "MINI_PROGRAM",
        /// The platform's default page.
        DefaultPage => "DEFAULT_PAGE",
    }
}

/// What a coupon looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PatternInfo {
    /// The rules text on the coupon's page: at most 1000 characters and 3000 bytes.
    pub description: String,
    /// An uploaded image of 120×120 px.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_logo: Option<String>,
    /// At most 12 Chinese or 36 Latin characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_name: Option<String>,
    /// The colour behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_color: Option<BackgroundColor>,
    /// An uploaded image of 850×350 px.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coupon_image: Option<String>,
    /// Where its button leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jump_target: Option<JumpTarget>,
    /// The mini program, bound to at least one available merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mini_program_appid: Option<AppId>,
    /// The page in the mini program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mini_program_path: Option<String>,
}

impl PatternInfo {
    /// Plain looks with this rules text.
    pub fn new(description: impl Into<String>) -> Self {
        Self {
            description: description.into(),
            merchant_logo: None,
            merchant_name: None,
            background_color: None,
            coupon_image: None,
            jump_target: None,
            mini_program_appid: None,
            mini_program_path: None,
        }
    }

    /// Sets the logo, by the URL that its upload returned.
    #[must_use]
    pub fn merchant_logo(mut self, url: impl Into<String>) -> Self {
        self.merchant_logo = Some(url.into());
        self
    }

    /// Sets the merchant's name.
    #[must_use]
    pub fn merchant_name(mut self, name: impl Into<String>) -> Self {
        self.merchant_name = Some(name.into());
        self
    }

    /// Sets the colour.
    #[must_use]
    pub fn background_color(mut self, color: BackgroundColor) -> Self {
        self.background_color = Some(color);
        self
    }

    /// Sets the image, by the URL that its upload returned.
    #[must_use]
    pub fn coupon_image(mut self, url: impl Into<String>) -> Self {
        self.coupon_image = Some(url.into());
        self
    }

    /// Leads the button to a mini program.
    #[must_use]
    pub fn mini_program(mut self, appid: AppId, path: impl Into<String>) -> Self {
        self.jump_target = Some(JumpTarget::MiniProgram);
        self.mini_program_appid = Some(appid);
        self.mini_program_path = Some(path.into());
        self
    }

    /// Leads the button to the payment code or the default page.
    #[must_use]
    pub fn jump_target(mut self, target: JumpTarget) -> Self {
        self.jump_target = Some(target);
        self
    }
}

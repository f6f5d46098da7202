//! The form that activates a member card (spec §3.25–§3.27).

use percent_encoding::percent_decode_str;

use crate::id::CardId;
use crate::limits::{Checked, Limits};
use crate::macros::{answer, open, request};
use crate::user_info::UserInfo;

answer! {
    /// Where users fill the form of a member card.
    pub struct ActivationUrl {
        required {
            /// The address.
            url: String,
        }
    }
}

/// What a mini program opens the form with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActivationParameters {
    /// The card, encrypted.
    pub encrypt_card_id: String,
    /// The channel.
    pub outer_str: String,
    /// The account.
    pub biz: String,
}

impl ActivationUrl {
    /// The parameters that a mini program opens the form with, each decoded once. None where one is missing.
    pub fn parameters(&self) -> Option<ActivationParameters> {
        let page = self.url.split('#').next()?;
        let (_, query) = page.split_once('?')?;
        let find = |name: &str| {
            let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
            Some(percent_decode_str(value).decode_utf8().ok()?.into_owned())
        };
        Some(ActivationParameters {
            encrypt_card_id: find("encrypt_card_id")?,
            outer_str: find("outer_str").unwrap_or_default(),
            biz: find("biz")?,
        })
    }
}

open! {
    /// A field of the platform's own in a form.
    pub enum CommonField {
        /// The telephone number.
        Mobile => "USER_FORM_INFO_FLAG_MOBILE",
        /// The sex.
        Sex => "USER_FORM_INFO_FLAG_SEX",
        /// The name.
        Name => "USER_FORM_INFO_FLAG_NAME",
        /// The birthday.
        Birthday => "USER_FORM_INFO_FLAG_BIRTHDAY",
        /// The identity card.
        IdCard => "USER_FORM_INFO_FLAG_IDCARD",
        /// The mail address.
        Email => "USER_FORM_INFO_FLAG_EMAIL",
        /// The address.
        Location => "USER_FORM_INFO_FLAG_LOCATION",
        /// The address, older.
        DetailLocation => "USER_FORM_INFO_FLAG_DETAIL_LOCATION",
        /// The education. The platform's page cuts the name short, which does not work.
        EducationBackground => "USER_FORM_INFO_FLAG_EDUCATION_BACKGROUND" | "USER_FORM_INFO_FLAG_EDUCATION_BACKGRO",
        /// The occupation, older.
        Career => "USER_FORM_INFO_FLAG_CAREER",
        /// The industry.
        Industry => "USER_FORM_INFO_FLAG_INDUSTRY",
        /// The income.
        Income => "USER_FORM_INFO_FLAG_INCOME",
        /// The hobbies.
        Habit => "USER_FORM_INFO_FLAG_HABIT",
    }
}

open! {
    /// How a field is filled.
    pub enum RichFieldType {
        /// One of some.
        Radio => "FORM_FIELD_RADIO",
        /// One from a list.
        Select => "FORM_FIELD_SELECT",
        /// Several of some.
        CheckBox => "FORM_FIELD_CHECK_BOX",
    }
}

request! {
    /// A field of the merchant's with values to choose from.
    pub struct RichField {
        required {
            /// How it is filled.
            #[serde(rename = "type")]
            kind: RichFieldType,
            /// Its name; at most 32 bytes.
            name: String,
            /// What can be chosen.
            values: Vec<String>,
        }
    }
}

request! {
    /// Fields of a form.
    pub struct Form {
        optional {
            /// Whether the member may change them later, which is told by an event.
            can_modify: bool,
            /// Fields of the platform's own.
            common_field_id_list: Vec<CommonField>,
            /// Fields of the merchant's, as text; at most five.
            custom_field_list: Vec<String>,
            /// Fields of the merchant's with values to choose from; at most five.
            rich_field_list: Vec<RichField>,
        }
    }
}

impl Checked for Form {
    fn check(&self, limits: &mut Limits) {
        limits.list("custom_field_list", self.custom_field_list.as_deref().unwrap_or_default(), 0, 5);
        let rich = self.rich_field_list.as_deref().unwrap_or_default();
        limits.list("rich_field_list", rich, 0, 5);
        for (at, field) in rich.iter().enumerate() {
            limits.text(&format!("rich_field_list[{at}].name"), &field.name, 21);
        }
    }
}

request! {
    /// A link in a form.
    pub struct FormLink {
        required {
            /// What it says; at most 21 bytes.
            name: String,
            /// Where it leads, beginning with http:// or https://; at most 128 bytes.
            url: String,
        }
    }
}

impl Checked for FormLink {
    fn check(&self, limits: &mut Limits) {
        limits.text("name", &self.name, 21);
        limits.web("url", Some(&self.url));
    }
}

request! {
    /// Sets the form by which users activate a member card made with `wx_activate` (E26). It replaces the whole form.
    pub struct SetMemberForm {
        required {
            /// The card.
            card_id: CardId,
        }
        optional {
            /// What users must fill.
            required_form: Form,
            /// What users may fill.
            optional_form: Form,
            /// The terms.
            service_statement: FormLink,
            /// For those who are members already.
            bind_old_card: FormLink,
        }
    }
}

impl Checked for SetMemberForm {
    fn check(&self, limits: &mut Limits) {
        limits.card_id(&self.card_id);
        for (name, form) in [("required_form", &self.required_form), ("optional_form", &self.optional_form)] {
            if let Some(form) = form {
                limits.within(name, form);
            }
        }
        for (name, link) in
            [("service_statement", &self.service_statement), ("bind_old_card", &self.bind_old_card)]
        {
            if let Some(link) = link {
                limits.within(name, link);
            }
        }
    }
}

answer! {
    /// A form that was just submitted.
    pub struct SubmittedForm {
        required {
            /// What it says.
            info: UserInfo,
        }
    }
}

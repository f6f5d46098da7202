//! Invoices after payment, as far as gift cards need them (E52–E53, spec §3.39).

use favor_core::{MerchantId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::{Call, Client};
use crate::endpoint;
use crate::error::Error;
use crate::id::Personal;
use crate::limits::{Checked, Limits};
use crate::macros::{answer, request};
use crate::reply::{Done, Reply};

/// The calls on invoices. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Invoices {
    client: Client,
}

request! {
    /// The Pay merchant whose payments are invoiced.
    pub struct PayMerchant {
        required {
            /// The merchant.
            mchid: MerchantId,
            /// The invoicing platform's id of the merchant.
            s_pappid: String,
        }
    }
}

request! {
    /// What users fill in to have an invoice.
    pub struct AuthFields {
        optional {
            /// For a person.
            user_field: UserFields,
            /// For a firm.
            biz_field: FirmFields,
        }
    }
}

request! {
    /// What a person fills in; 1 shows a field.
    pub struct UserFields {
        optional {
            /// The title.
            show_title: i64,
            /// The telephone.
            show_phone: i64,
            /// The mail address.
            show_email: i64,
            /// Fields of the merchant's.
            custom_field: Vec<InvoiceField>,
        }
    }
}

request! {
    /// What a firm fills in; 1 shows a field.
    pub struct FirmFields {
        optional {
            /// The title.
            show_title: i64,
            /// The tax number.
            show_tax_no: i64,
            /// The address.
            show_addr: i64,
            /// The telephone.
            show_phone: i64,
            /// The bank.
            show_bank_type: i64,
            /// The account.
            show_bank_no: i64,
            /// Fields of the merchant's.
            custom_field: Vec<InvoiceField>,
        }
    }
}

request! {
    /// A field of the merchant's.
    pub struct InvoiceField {
        required {
            /// Its name.
            key: String,
        }
    }
}

request! {
    /// Whom users ask about invoices.
    pub struct InvoiceContact {
        required {
            /// The telephone.
            phone: String,
            /// Within how many seconds an invoice is made.
            time_out: i64,
        }
    }
}

answer! {
    /// The Pay merchant of now.
    pub struct PayMerchantAnswer {
        optional {
            /// The merchant.
            paymch_info: PayMerchant,
        }
    }
}

answer! {
    /// What users fill in now.
    pub struct AuthFieldsAnswer {
        optional {
            /// The fields.
            auth_field: AuthFields,
        }
    }
}

answer! {
    /// Whom users ask now.
    pub struct InvoiceContactAnswer {
        optional {
            /// The contact.
            contact: InvoiceContact,
        }
    }
}

answer! {
    /// What a user filled in.
    pub struct InvoiceAuthData {
        optional {
            /// Where the invoice stands.
            invoice_status: String,
            /// When the user agreed.
            auth_time: Timestamp,
            /// What was filled in.
            user_auth_info: UserAuthInfo,
        }
    }
}

answer! {
    /// What a user filled in: as a person or as a firm.
    pub struct UserAuthInfo {
        optional {
            /// As a person.
            user_field: FilledInvoice,
            /// As a firm.
            biz_field: FilledInvoice,
        }
    }
}

answer! {
    /// What was filled in.
    pub struct FilledInvoice {
        optional {
            /// The title.
            title: Personal,
            /// The telephone.
            phone: Personal,
            /// The mail address.
            email: Personal,
            /// The tax number.
            tax_no: Personal,
            /// The address.
            addr: Personal,
            /// The bank.
            bank_type: Personal,
            /// The account.
            bank_no: Personal,
            /// Fields of the merchant's.
            custom_field: Vec<FilledInvoiceField>,
        }
    }
}

answer! {
    /// A field of the merchant's as it was filled.
    pub struct FilledInvoiceField {
        required {
            /// Its name.
            key: String,
        }
        optional {
            /// What was written.
            value: Personal,
        }
    }
}

#[derive(Serialize)]
struct Settings<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    paymch_info: Option<&'a PayMerchant>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_field: Option<&'a AuthFields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<&'a InvoiceContact>,
}

const NONE: Settings<'_> = Settings { paymch_info: None, auth_field: None, contact: None };

#[derive(Serialize)]
struct ByOrder<'a> {
    order_id: &'a str,
    s_pappid: &'a str,
}

impl Checked for ByOrder<'_> {
    fn check(&self, limits: &mut Limits) {
        limits.text("order_id", self.order_id, 128);
        limits.text("s_pappid", self.s_pappid, 128);
    }
}

impl Invoices {
    /// The invoices of an account.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }

    async fn settings<T: DeserializeOwned>(
        &self,
        action: &'static str,
        body: &Settings<'_>,
    ) -> Result<Reply<T>, Error> {
        let call = Call::to(&endpoint::INVOICE_SETTINGS).query("action", action).json(body)?;
        self.client.call(&call).await
    }

    /// Sets the Pay merchant (E52, `set_pay_mch`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_pay_merchant(&self, merchant: &PayMerchant) -> Result<Reply<Done>, Error> {
        self.settings("set_pay_mch", &Settings { paymch_info: Some(merchant), ..NONE }).await
    }

    /// The Pay merchant (E52, `get_pay_mch`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn pay_merchant(&self) -> Result<Reply<PayMerchantAnswer>, Error> {
        self.settings("get_pay_mch", &NONE).await
    }

    /// Sets what users fill in (E52, `set_auth_field`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_auth_fields(&self, fields: &AuthFields) -> Result<Reply<Done>, Error> {
        self.settings("set_auth_field", &Settings { auth_field: Some(fields), ..NONE }).await
    }

    /// What users fill in (E52, `get_auth_field`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn auth_fields(&self) -> Result<Reply<AuthFieldsAnswer>, Error> {
        self.settings("get_auth_field", &NONE).await
    }

    /// Sets whom users ask (E52, `set_contact`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_contact(&self, contact: &InvoiceContact) -> Result<Reply<Done>, Error> {
        self.settings("set_contact", &Settings { contact: Some(contact), ..NONE }).await
    }

    /// Whom users ask (E52, `get_contact`).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn contact(&self) -> Result<Reply<InvoiceContactAnswer>, Error> {
        self.settings("get_contact", &NONE).await
    }

    /// What a user filled in for an order (E53).
    ///
    /// # Errors
    /// [`Error`].
    pub async fn auth_data(&self, order_id: &str, s_pappid: &str) -> Result<Reply<InvoiceAuthData>, Error> {
        self.client.post(&endpoint::INVOICE_AUTH_DATA, &ByOrder { order_id, s_pappid }).await
    }
}

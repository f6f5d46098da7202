//! The tables of a seed file, and what can be checked on them alone.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::given::GivenEntry;
use super::hours::HoursEntry;
use super::when::When;
use super::{File, SeedError, Source};
use crate::merchant::MerchantCertificate;
use crate::rules::callback;

fn yes() -> bool {
    true
}

fn one() -> i64 {
    1
}

/// `[[merchants]]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MerchantEntry {
    pub(crate) mchid: Spanned<String>,
    pub(crate) appids: Option<Spanned<Vec<String>>>,
    pub(crate) balance_fen: Option<Spanned<i64>>,
    pub(crate) private_key_pem: Option<Spanned<String>>,
    pub(crate) private_key_file: Option<Spanned<PathBuf>>,
    pub(crate) api_v3_key: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) certificate: MerchantCertificate,
    pub(crate) certificate_expires: Option<Spanned<When>>,
    #[serde(default = "yes")]
    pub(crate) product_permission: bool,
    #[serde(default = "yes")]
    pub(crate) event_permission: bool,
    #[serde(default)]
    pub(crate) public_key_only: bool,
    pub(crate) brand: Option<String>,
    pub(crate) service_provider: Option<Spanned<String>>,
    pub(crate) callback_url: Option<Spanned<String>>,
    /// Whether anything is pushed there.
    #[serde(default = "yes")]
    pub(crate) callback_switch: bool,
}

/// `[[users]]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserEntry {
    pub(crate) openid: Spanned<String>,
    pub(crate) appid: Option<Spanned<String>>,
    pub(crate) person: Option<String>,
    #[serde(default)]
    pub(crate) abnormal: bool,
    #[serde(default)]
    pub(crate) risky: bool,
}

/// What has been done to a stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stage {
    Created,
    /// Created, and under the platform's review.
    Audit,
    #[default]
    Running,
    Paused,
    Stopped,
}

/// `[[stocks]]`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StockEntry {
    pub(crate) name: Spanned<String>,
    pub(crate) creator: Option<Spanned<String>>,
    pub(crate) out_request_no: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) state: Stage,
    pub(crate) created: Option<Spanned<When>>,
    pub(crate) begin: Option<Spanned<When>>,
    pub(crate) end: Option<Spanned<When>>,
    pub(crate) coupon_amount_fen: Spanned<i64>,
    pub(crate) threshold_fen: Spanned<i64>,
    pub(crate) coupons: Spanned<i64>,
    #[serde(default = "one")]
    pub(crate) per_user: i64,
    pub(crate) daily_budget_fen: Option<Spanned<i64>>,
    #[serde(default)]
    pub(crate) natural_person_limit: bool,
    #[serde(default)]
    pub(crate) prevent_api_abuse: bool,
    #[serde(default = "yes")]
    pub(crate) no_cash: bool,
    pub(crate) merchants: Option<Spanned<Vec<String>>>,
    pub(crate) items: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    pub(crate) senders: Vec<Spanned<String>>,
    pub(crate) description: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) minutes_after_receive: Option<i64>,
    #[serde(default)]
    pub(crate) second_day_available: bool,
    pub(crate) hours: Option<Spanned<HoursEntry>>,
    pub(crate) goods_tag: Option<Spanned<Vec<String>>>,
    pub(crate) trade_type: Option<Spanned<Vec<String>>>,
    #[serde(default = "yes")]
    pub(crate) combine_use: bool,
    #[serde(default)]
    pub(crate) given: Vec<GivenEntry>,
}

impl StockEntry {
    /// Where a fault of the create request comes from, by its pointer.
    pub(super) fn place_of(&self, pointer: &str) -> Option<usize> {
        let start = |place: Option<std::ops::Range<usize>>| place.map(|span| span.start);
        // Entries of a list have an index behind its name.
        let mut parts = pointer.rsplit('/').filter(|part| part.parse::<usize>().is_err());
        match parts.next().unwrap_or_default() {
            "stock_name" => start(Some(self.name.span())),
            "out_request_no" => start(self.out_request_no.as_ref().map(Spanned::span)),
            "max_coupons" => start(Some(self.coupons.span())),
            "coupon_amount" => start(Some(self.coupon_amount_fen.span())),
            "transaction_minimum" => start(Some(self.threshold_fen.span())),
            "max_amount_by_day" => start(self.daily_budget_fen.as_ref().map(Spanned::span)),
            "available_merchants" => start(self.merchants.as_ref().map(Spanned::span)),
            "available_items" => start(self.items.as_ref().map(Spanned::span)),
            "goods_tag" => start(self.goods_tag.as_ref().map(Spanned::span)),
            "trade_type" => start(self.trade_type.as_ref().map(Spanned::span)),
            "available_week_day" | "begin_time" | "end_time" => start(self.hours.as_ref().map(Spanned::span)),
            _ => None,
        }
    }
}

/// Whether the tables are right in themselves.
pub(super) fn check(file: &File, source: &Source) -> Result<(), SeedError> {
    let mut seen = HashSet::new();
    for merchant in &file.merchants {
        check_merchant(merchant.get_ref(), source)?;
        let mchid = &merchant.get_ref().mchid;
        if !seen.insert(mchid.get_ref()) {
            return Err(source.at(mchid, format!("merchant {} is there twice", mchid.get_ref())));
        }
    }
    let mut seen = HashSet::new();
    for user in &file.users {
        let openid = &user.get_ref().openid;
        let text = openid.get_ref();
        if !(1..=128).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            let reason = "an openid has 1 to 128 letters, digits and other visible ASCII characters";
            return Err(source.at(openid, reason));
        }
        if !seen.insert(text) {
            return Err(source.at(openid, format!("user {text} is there twice")));
        }
    }
    let mut seen = HashSet::new();
    for stock in &file.stocks {
        let entry = stock.get_ref();
        if let Some(number) = &entry.out_request_no {
            let creator = entry.creator.as_ref().map(|creator| creator.get_ref().as_str());
            if !seen.insert((creator, number.get_ref())) {
                let reason = format!("out_request_no {} is there twice", number.get_ref());
                return Err(source.at(number, reason));
            }
        }
    }
    Ok(())
}

fn check_merchant(entry: &MerchantEntry, source: &Source) -> Result<(), SeedError> {
    let is_mchid = |text: &str| (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !is_mchid(entry.mchid.get_ref()) {
        return Err(source.at(&entry.mchid, "a merchant id has 1 to 20 digits"));
    }
    if let Some(balance) = entry.balance_fen.as_ref().filter(|balance| *balance.get_ref() < 0) {
        return Err(source.at(balance, "the balance is negative"));
    }
    if let Some(appids) = &entry.appids
        && appids.get_ref().iter().any(|appid| appid.is_empty() || appid.len() > 128)
    {
        return Err(source.at(appids, "an appid has 1 to 128 characters"));
    }
    if let Some(key) = &entry.api_v3_key
        && (key.get_ref().len() != 32 || !key.get_ref().is_ascii())
    {
        return Err(source.at(key, "an APIv3 key has 32 ASCII characters"));
    }
    if let Some(url) = &entry.callback_url {
        if !callback::is_address(url.get_ref()) || url.get_ref().len() > 256 {
            let reason =
                "a callback address is https, or http to this machine, without query, of 256 characters";
            return Err(source.at(url, reason));
        }
        if !(entry.product_permission && entry.event_permission) {
            let reason = "without product_permission and event_permission a merchant has no callback address";
            return Err(source.at(url, reason));
        }
    }
    if let (Some(_), Some(file)) = (&entry.private_key_pem, &entry.private_key_file) {
        return Err(source.at(file, "private_key_pem is there already; one of the two is enough"));
    }
    if let Some(expires) = &entry.certificate_expires
        && entry.certificate != MerchantCertificate::Valid
    {
        return Err(source.at(expires, "certificate_expires says it all; leave certificate out"));
    }
    Ok(())
}

//! Where notifications go.

use std::net::IpAddr;

use http::Uri;

use super::{NUMBER_UNKNOWN, Refusal, ensure, rules};
use crate::merchant::KnownMerchant;

rules! {
    URL = "callback.url", Assumed, "5.4", 400 "PARAM_ERROR"
        "回调url格式错误", NUMBER_UNKNOWN,
        "notify_url is https, without query; the mirror takes plain http to this machine as well";
    PRODUCT = "callback.product", Documented, "3.0", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "the coupon product is opened for the caller";
    MERCHANT = "callback.merchant", Documented, "5.4", 403 "REQUEST_BLOCKED"
        "调用商户无权限", NUMBER_UNKNOWN,
        "mchid is the caller";
    EVENTS = "callback.event_permission", Documented, "3.15", 403 "REQUEST_BLOCKED"
        "请开通回调通知产品权限", NUMBER_UNKNOWN,
        "the push of marketing events is opened for the caller";
    URL_UNCLEAR = "callback.url_unclear", Seen, "3.15", 500 "SYSTEM_ERROR"
        "系统繁忙", 272_888_874,
        "notify_url is acceptable; the reading bad_callback asks for this answer";
    NONE = "callback.none", Assumed, "3.14", 404 "RESOURCE_NOT_EXISTS"
        "回调地址不存在", NUMBER_UNKNOWN,
        "an address has been set";
}

/// Whether a merchant may see or set the address.
pub(crate) fn own(asker: Asker<'_>, named: &str) -> Result<(), Refusal> {
    ensure(asker.product_permission, &PRODUCT)?;
    ensure(asker.mchid == named, &MERCHANT)?;
    ensure(asker.event_permission, &EVENTS)
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) mchid: &'a str,
    pub(crate) product_permission: bool,
    pub(crate) event_permission: bool,
}

impl<'a> From<&'a KnownMerchant> for Asker<'a> {
    fn from(merchant: &'a KnownMerchant) -> Self {
        Self {
            mchid: merchant.mchid(),
            product_permission: merchant.product_permission,
            event_permission: merchant.event_permission,
        }
    }
}

/// Whether notifications can be sent there.
pub(crate) fn is_address(text: &str) -> bool {
    // A fragment would vanish when it is parsed.
    let Some(uri) = text.parse::<Uri>().ok().filter(|_| !text.contains('#')) else { return false };
    let host = uri.host().unwrap_or_default();
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_loopback(host),
        _ => false,
    };
    secure && !host.is_empty() && uri.query().is_none()
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in [
            "https://shop.example/notify",
            "https://shop.example:8443/",
            "http://127.0.0.1:9000/notify",
            "http://[::1]:9000/n",
            "http://localhost/n",
        ] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "http://shop.example/notify",
            "https://shop.example/notify?a=1",
            "https://shop.example/notify#a",
            "https:///notify",
            "ftp://127.0.0.1/",
            "shop.example/notify",
            "/notify",
            "http://127.0.0.1.evil.example/",
            "https://shop example/",
            "",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn everybody_for_itself() {
        let rule = |result: Result<(), Refusal>| result.map_err(|refusal| refusal.rule.id);
        let asker = Asker { mchid: "1", product_permission: true, event_permission: true };
        assert_eq!(rule(own(asker, "1")), Ok(()));
        assert_eq!(rule(own(asker, "2")), Err(MERCHANT.id));
        assert_eq!(rule(own(Asker { product_permission: false, ..asker }, "1")), Err(PRODUCT.id));
        assert_eq!(rule(own(Asker { event_permission: false, ..asker }, "1")), Err(EVENTS.id));
    }
}

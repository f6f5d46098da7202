//! The endpoints: name, method, path and documented rate.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::rate::{CountedBy, Limit};

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The name that fault rules and the request log use.
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    /// The path with `{parameters}`.
    pub(crate) template: &'static str,
    /// The documented limits; none where nothing is stated.
    pub(crate) limits: &'static [Limit],
}

macro_rules! operations {
    ($($name:ident = $label:literal, $method:ident $template:literal
       $(, $by:ident $calls:literal / $seconds:literal)*;)*) => {
        $(pub(crate) static $name: Operation = Operation {
            name: $label,
            method: Method::$method,
            template: $template,
            limits: &[$(Limit { by: CountedBy::$by, calls: $calls, seconds: $seconds }),*],
        };)*
        pub(crate) static OPERATIONS: &[&Operation] = &[$(&$name),*];
    };
}

operations! {
    CERTIFICATES = "certificates.list", GET "/v3/certificates", Merchant 1_000 / 1;
    STOCK_CREATE = "stock.create", POST "/v3/marketing/favor/coupon-stocks", Merchant 60 / 60, Total 1_000 / 60;
    STOCK_START = "stock.start", POST "/v3/marketing/favor/stocks/{stock_id}/start", Merchant 1_000 / 60, Address 60 / 60;
    STOCK_PAUSE = "stock.pause", POST "/v3/marketing/favor/stocks/{stock_id}/pause", Merchant 1_000 / 60, Address 60 / 60;
    STOCK_RESTART = "stock.restart", POST "/v3/marketing/favor/stocks/{stock_id}/restart", Merchant 1_000 / 60;
    STOCK_STOP = "stock.stop", POST "/v3/marketing/favor/stocks/{stock_id}/stop";
    STOCK_LIST = "stock.list", GET "/v3/marketing/favor/stocks", Merchant 1_000 / 1;
    STOCK_MERCHANTS = "stock.merchants", GET "/v3/marketing/favor/stocks/{stock_id}/merchants", Merchant 1_000 / 60;
    STOCK_ITEMS = "stock.items", GET "/v3/marketing/favor/stocks/{stock_id}/items", Merchant 600 / 60;
    MODIFY_ITEMS = "stock.modify_items", POST
        "/v3/marketing/favor/stocks/{stock_id}/modify-goods-id";
    MODIFY_MERCHANTS = "stock.modify_merchants", POST
        "/v3/marketing/favor/stocks/{stock_id}/modify-merchants", Merchant 1_000 / 60;
    MODIFY_BUDGET = "stock.modify_budget", POST
        "/v3/marketing/favor/stocks/{stock_id}/max-amount-modify", Merchant 1_000 / 60;
    MODIFY_DAILY_BUDGET = "stock.modify_daily_budget", PATCH
        "/v3/marketing/favor/stocks/{stock_id}", Merchant 1_000 / 60;
    STOCK_GET = "stock.get", GET "/v3/marketing/favor/stocks/{stock_id}", Merchant 500 / 1, Address 500 / 1;
    COUPON_SEND = "coupon.send", POST "/v3/marketing/favor/users/{openid}/coupons", Merchant 500 / 1;
    COUPON_GET = "coupon.get", GET "/v3/marketing/favor/users/{openid}/coupons/{coupon_id}", Merchant 500 / 1;
    COUPON_LIST = "coupon.list", GET "/v3/marketing/favor/users/{openid}/coupons", Merchant 500 / 1, Address 500 / 1;
    CALLBACK_GET = "callback.get", GET "/v3/marketing/favor/callbacks", Merchant 2_000 / 1;
    CALLBACK_SET = "callback.set", POST "/v3/marketing/favor/callbacks", Merchant 1_000 / 60, Address 5 / 60;
    IMAGE_UPLOAD = "image.upload", POST "/v3/marketing/favor/media/image-upload";
    USE_FLOW = "stock.use_flow", GET "/v3/marketing/favor/stocks/{stock_id}/use-flow", Merchant 1_000 / 60, Address 5 / 60;
    REFUND_FLOW = "stock.refund_flow", GET "/v3/marketing/favor/stocks/{stock_id}/refund-flow", Merchant 1_000 / 60, Address 5 / 60;
    USE_FLOW_BY_DAY = "stock.use_flow_by_day", GET
        "/v3/marketing/favor/stocks/{stock_id}/use-flow-by-day";
    REFUND_FLOW_BY_DAY = "stock.refund_flow_by_day", GET
        "/v3/marketing/favor/stocks/{stock_id}/refund-flow-by-day";
    FLOW_FILE = "stock.flow_file", GET "/v3/billdownload/file";
    FLOW_FILE_BY_DAY = "stock.flow_file", GET "/mkt/storage/bill/download";
}

/// How a path fits a template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Exact,
    /// All is right, but this parameter is empty.
    EmptyParameter(&'static str),
    Different,
}

impl Operation {
    /// Whether its path names a user.
    pub(crate) fn is_about_a_user(&self) -> bool {
        self.template.split('/').any(|part| parameter(part) == Some("openid"))
    }

    /// The operation with this method and path.
    pub(crate) fn find(method: &Method, path: &str) -> Option<&'static Self> {
        OPERATIONS
            .iter()
            .find(|operation| operation.method == *method && operation.matches(path) == Match::Exact)
            .copied()
    }

    pub(crate) fn matches(&self, path: &str) -> Match {
        let mut empty = None;
        let mut parts = path.split('/');
        for wanted in self.template.split('/') {
            let Some(part) = parts.next() else {
                return Match::Different;
            };
            match parameter(wanted) {
                Some(name) if part.is_empty() => empty = Some(name),
                Some(_) => {}
                None if part != wanted => return Match::Different,
                None => {}
            }
        }
        match (parts.next(), empty) {
            (Some(_), _) => Match::Different,
            (None, Some(name)) => Match::EmptyParameter(name),
            (None, None) => Match::Exact,
        }
    }

    /// The decoded value of a path parameter.
    pub(crate) fn parameter(&self, name: &str, path: &str) -> Option<String> {
        self.template
            .split('/')
            .zip(path.split('/'))
            .find(|(wanted, _)| parameter(wanted) == Some(name))
            .map(|(_, part)| percent_decode_str(part).decode_utf8_lossy().into_owned())
    }
}

fn parameter(part: &'static str) -> Option<&'static str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_their_operation() {
        let found = |method: Method, path: &str| Operation::find(&method, path).map(|found| found.name);
        assert_eq!(found(Method::GET, "/v3/certificates"), Some("certificates.list"));
        assert_eq!(found(Method::POST, "/v3/marketing/favor/users/o/coupons"), Some("coupon.send"));
        assert_eq!(found(Method::GET, "/v3/marketing/favor/users/o/coupons/1"), Some("coupon.get"));
        assert_eq!(found(Method::GET, "/v3/marketing/favor/users/o/coupons"), Some("coupon.list"));
        assert_eq!(found(Method::PATCH, "/v3/marketing/favor/stocks/1"), Some("stock.modify_daily_budget"));
        assert_eq!(found(Method::GET, "/v3/certificates/"), None);
    }

    #[test]
    fn an_empty_parameter_is_told_apart_from_another_path() {
        assert_eq!(
            COUPON_SEND.matches("/v3/marketing/favor/users//coupons"),
            Match::EmptyParameter("openid")
        );
        assert_eq!(COUPON_SEND.matches("/v3/marketing/favor/users/coupons"), Match::Different);
    }

    #[test]
    fn parameters_are_decoded() {
        let path = "/v3/marketing/favor/users/o%2Fa/coupons";
        assert_eq!(COUPON_SEND.parameter("openid", path).as_deref(), Some("o/a"));
        assert_eq!(COUPON_SEND.parameter("stock_id", path), None);
    }
}

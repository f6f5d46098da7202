//! An address that the platform can call.

use std::fmt;

use favor_core::InvalidRequest;
use http::Uri;

const FIELD: &str = "notify_url";
const LONGEST: usize = 256;

/// The address of a receiver: `https`, without a query, at most 256 characters. Plain `http` is accepted for this
/// machine only, where a mirror can call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyUrl(String);

impl NotifyUrl {
    /// Checks `url` as the platform does (spec §3.15).
    ///
    /// # Errors
    /// [`InvalidRequest`] with the rule it breaks.
    pub fn new(url: impl Into<String>) -> Result<Self, InvalidRequest> {
        let url = url.into();
        let wrong = |rule: &str| Err(InvalidRequest::of(FIELD, rule));
        if url.is_empty() || url.len() > LONGEST {
            return wrong("must have 1 to 256 characters");
        }
        let Ok(uri) = url.parse::<Uri>() else { return wrong("is not a URL") };
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return wrong("needs a scheme and a host");
        };
        if !(scheme == "https" || scheme == "http" && is_this_machine(host)) {
            return wrong("must be https");
        }
        if url.contains(['?', '#']) {
            return wrong("must have no query and no fragment");
        }
        Ok(Self(url))
    }

    /// The URL as it goes on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NotifyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_the_platform_would_refuse_is_refused_here() {
        for good in [
            "https://shop.example.com/coupons",
            "http://127.0.0.1:8080/x",
            "http://[::1]:1/",
            "http://localhost/",
        ] {
            assert!(NotifyUrl::new(good).is_ok(), "{good}");
        }
        let long = format!("https://shop.example.com/{}", "x".repeat(256));
        for (bad, rule) in [
            ("", "1 to 256"),
            (long.as_str(), "1 to 256"),
            ("http://shop.example.com/", "https"),
            ("ftp://shop.example.com/", "https"),
            ("shop.example.com", "scheme"),
            ("https://shop.example.com/?a=1", "no query"),
            ("https://shop.example.com/#a", "no fragment"),
            ("https://a b/", "not a URL"),
        ] {
            let error = NotifyUrl::new(bad).unwrap_err().to_string();
            assert!(error.contains(rule), "{bad}: {error}");
        }
    }
}

//! Guesses what a caller did wrong with time and path, for the request log. Signatures have a doctor.

use std::collections::BTreeSet;

use http::Method;

use crate::moment::Moment;
use crate::operation::{Match, OPERATIONS};

/// Why a timestamp is outside the window.
pub(crate) fn explain_timestamp(timestamp: i64, now: Moment) -> String {
    if (timestamp / 1_000).abs_diff(now.seconds()) < 300 {
        return "the timestamp is in milliseconds, it must be in seconds".to_owned();
    }
    let side = if timestamp < now.seconds() { "behind" } else { "ahead of" };
    let apart = timestamp.abs_diff(now.seconds());
    format!("the client's clock is {apart} seconds {side} the server's ({})", now.rfc3339())
}

/// What an unknown path was probably meant to be.
pub(crate) fn explain_path(method: &Method, path: &str) -> String {
    let trimmed = path.trim_end_matches('/');
    for operation in OPERATIONS {
        if operation.matches(trimmed) == Match::Exact {
            if operation.method != *method {
                return format!("{} wants {} instead of {method}", operation.template, operation.method);
            }
            if trimmed != path {
                return format!("{} has no slash at its end", operation.template);
            }
        }
    }
    let asked: BTreeSet<_> = words(path).collect();
    let shared = |template: &str| words(template).filter(|word| asked.contains(word)).count();
    match OPERATIONS.iter().max_by_key(|operation| shared(operation.template)) {
        Some(closest) if shared(closest.template) > 0 => {
            format!("the closest endpoint is {} {}", closest.method, closest.template)
        }
        _ => "the mirror serves /v3/certificates, /v3/marketing/favor and /_mirror".to_owned(),
    }
}

fn words(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|word| !word.is_empty() && !word.starts_with('{'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_recognised() {
        let now = Moment::from_millis_const(1_790_000_000_000);
        assert!(explain_timestamp(1_790_000_000_123, now).contains("milliseconds"));
        assert!(explain_timestamp(1_789_999_000, now).contains("1000 seconds behind"));
        assert!(explain_timestamp(1_790_001_000, now).contains("1000 seconds ahead of"));
    }

    #[test]
    fn paths_are_compared_with_those_there_are() {
        let explain = |method: Method, path: &str| explain_path(&method, path);
        assert!(explain(Method::GET, "/v3/marketing/favor/coupon-stocks").contains("wants POST"));
        assert!(explain(Method::POST, "/v3/marketing/favor/coupon-stocks/").contains("no slash"));
        assert!(
            explain(Method::POST, "/v3/marketing/favor/stocks/1/begin")
                .contains("/v3/marketing/favor/stocks/{stock_id}")
        );
        assert!(explain(Method::GET, "/").contains("serves"));
    }
}

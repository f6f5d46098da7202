//! Targets of requests without what is secret in them.

use percent_encoding::percent_decode_str;

/// Query parameters that nobody else should see.
const SECRETS: [&str; 2] = ["access_token", "secret"];

/// Path and query; what a secret parameter holds is replaced.
pub(crate) fn target(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let hidden = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, value)) if is_secret(key) && !value.is_empty() => format!("{key}=***"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", hidden.collect::<Vec<_>>().join("&"))
}

fn is_secret(key: &str) -> bool {
    let key = percent_decode_str(key).decode_utf8_lossy();
    SECRETS.iter().any(|secret| key.eq_ignore_ascii_case(secret))
}

/// Whether the body of a request to this path may hold an account's secret: that of every call for a token, also where
/// the path is not quite right.
pub(crate) fn hides_body(path: &str) -> bool {
    percent_decode_str(path).decode_utf8_lossy().to_ascii_lowercase().contains("token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        assert_eq!(target("/card/get?access_token=68_abc&x=1"), "/card/get?access_token=***&x=1");
        assert_eq!(target("/cgi-bin/token?appid=wx1&secret=s"), "/cgi-bin/token?appid=wx1&secret=***");
        assert_eq!(target("/card/get?access_token="), "/card/get?access_token=");
        assert_eq!(target("/card/get"), "/card/get");
        assert_eq!(target("//card/get?access%5Ftoken=68_abc"), "//card/get?access%5Ftoken=***");
        assert_eq!(target("/card/get?Access_Token=68_abc"), "/card/get?Access_Token=***");
    }

    #[test]
    fn bodies_with_the_secret_are_known_by_any_path() {
        for path in
            ["/cgi-bin/stable_token", "//cgi-bin/stable_token/", "/cgi-bin/token", "/cgi-bin/stable%5Ftoken"]
        {
            assert!(hides_body(path), "{path}");
        }
        assert!(!hides_body("/card/get"));
    }
}

//! Where a key daemon listens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The address of a key daemon, as its settings write it, or as a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DaemonAt {
    /// Without a slash at the end.
    Url(String),
    Unix(PathBuf),
}

impl FromStr for DaemonAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write 127.0.0.1:9180, https://HOST or unix:/run/favor/certs.sock".to_owned();
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(wrong()) } else { Ok(Self::Unix(path.into())) };
        }
        let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let parsed = reqwest::Url::parse(&url).map_err(|_| wrong())?;
        let plain = parsed.path() == "/" && parsed.query().is_none() && parsed.fragment().is_none();
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() || !plain {
            return Err(wrong());
        }
        Ok(Self::Url(url.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for DaemonAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_in_the_daemons_settings_or_as_a_url() {
        let url = |text: &str| Ok(DaemonAt::Url(text.to_owned()));
        assert_eq!("127.0.0.1:9180".parse(), url("http://127.0.0.1:9180"));
        assert_eq!("[::1]:9180".parse(), url("http://[::1]:9180"));
        assert_eq!("https://keys.example/".parse(), url("https://keys.example"));
        assert_eq!("unix:/run/s".parse(), Ok(DaemonAt::Unix("/run/s".into())));
        for wrong in ["", "unix:", "ftp://x", "http://", "http://x/v1/keys", "http://x/?a=b"] {
            assert!(wrong.parse::<DaemonAt>().is_err(), "{wrong}");
        }
    }
}

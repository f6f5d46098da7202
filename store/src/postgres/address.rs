//! Where a database is, and how to get in.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::error::StoreError;

/// How long a connection may take to come about, unless the address says so.
const CONNECT: Duration = Duration::from_secs(5);
/// After so long without an answer to what was sent, a connection counts as broken.
const SILENCE: Duration = Duration::from_secs(30);
const CONNECTIONS: usize = 8;

/// Where a PostgreSQL database is and how to get in: `postgres://user@host:5432/database?sslmode=require` or
/// `host=… dbname=…`. Neither Debug nor any error shows the password.
///
/// `sslmode` is `disable`, `prefer` (the default: with TLS where the server offers it, except on this machine) or
/// `require`. With TLS the server's certificate is always verified against the system's authorities or those in
/// `SSL_CERT_FILE`, so `verify-ca` and `verify-full` are the same as `require`.
#[derive(Clone)]
pub struct Address {
    config: Config,
    connections: usize,
}

impl Address {
    /// Reads a URL or a connection string.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when it is neither, or names no host.
    pub fn new(text: &str) -> Result<Self, StoreError> {
        // The parser's own words can quote parts of a password that was not escaped.
        let invalid = || {
            StoreError::Unusable(
                "the address of the database is not valid; write postgres://USER:PASSWORD@HOST:PORT/DATABASE with \
                 special characters percent-encoded, or host=… port=… user=… dbname=…"
                    .to_owned(),
            )
        };
        let text = text
            .replace("sslmode=verify-full", "sslmode=require")
            .replace("sslmode=verify-ca", "sslmode=require");
        let mut config: Config = text.parse().map_err(|_| invalid())?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(invalid());
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("favor");
        }
        if config.get_ssl_mode() == SslMode::Prefer && config.get_hosts().iter().all(is_here) {
            config.ssl_mode(SslMode::Disable);
        }
        Ok(Self { config, connections: CONNECTIONS })
    }

    /// Sets the password, for addresses that leave it out.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.config.password(password);
        self
    }

    /// Most connections that are open at a time; 8 unless told, at least 1. One more waits for notices.
    #[must_use]
    pub fn connections(mut self, most: usize) -> Self {
        self.connections = most.max(1);
        self
    }

    /// Whether it holds a password.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn most_connections(&self) -> usize {
        self.connections
    }
}

impl std::str::FromStr for Address {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for Address {
    /// Hosts and database, without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if position > 0 { "," } else { "" };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                #[cfg(unix)]
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Whether a host is this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_shown_nowhere() {
        let address = Address::new("postgres://shop:s3cret@db.example:5433/coupons").unwrap();
        assert_eq!(format!("{address:?} {address}"), "Address(db.example/coupons) db.example/coupons");
        assert!(address.has_password());
        let late = Address::new("host=db.example dbname=coupons").unwrap();
        assert!(!late.has_password());
        assert!(!format!("{:?}", late.password("s3cret")).contains("s3cret"));
        for bad in [
            "postgres://shop:s3cret#1@db/x?port=s3cret",
            "password=s3 cret host=db s3cret",
            "s3cret",
            "dbname=x",
        ] {
            let error = Address::new(bad).unwrap_err();
            assert!(matches!(error, StoreError::Unusable(_)));
            assert!(!format!("{error:?} {error}").contains("cret"), "{error}");
        }
    }

    #[test]
    fn tls_is_for_other_machines() {
        let mode = |text: &str| Address::new(text).unwrap().config.get_ssl_mode();
        assert_eq!(mode("host=/run/postgresql dbname=x"), SslMode::Disable);
        assert_eq!(mode("postgres://localhost/x"), SslMode::Disable);
        assert_eq!(mode("postgres://127.0.0.1/x?sslmode=require"), SslMode::Require);
        assert_eq!(mode("postgres://db.example/x"), SslMode::Prefer);
        assert_eq!(mode("postgres://db.example/x?sslmode=verify-full"), SslMode::Require);
        assert_eq!(mode("postgres://db.example/x?sslmode=disable"), SslMode::Disable);
    }
}

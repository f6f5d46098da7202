//! `favor doctor`, `favor sign` and `favor certs`, as clap types.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use favor_core::MerchantId;

use super::daemon::DaemonAt;
use crate::when::parse_duration;

const CHECK_EXIT_CODES: &str = "\
Exit codes, as Nagios, Icinga and their kin want them, unlike those of every other command:
  0   OK
  1   WARNING
  2   CRITICAL
  3   UNKNOWN: settings or files that cannot be read";

#[derive(Debug, ClapArgs)]
pub(crate) struct Doctor {
    /// Look at settings and files only, and ask nobody
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Sign {
    /// The method of the request, such as GET
    #[arg(required_unless_present = "message", value_parser = parse_method)]
    pub(crate) method: Option<String>,
    /// Its URL, or path and query, encoded exactly as it will be sent
    #[arg(required_unless_present = "message")]
    pub(crate) url: Option<String>,
    /// The bytes of its body; "-" reads stdin. For an upload: the text of the part "meta" alone
    #[arg(long, value_name = "FILE")]
    pub(crate) body: Option<PathBuf>,
    /// The time to sign, in seconds since 1970, to repeat an old signature; now when not given
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(0..))]
    pub(crate) timestamp: Option<i64>,
    /// The nonce to sign, to repeat an old signature; a new one when not given
    #[arg(long, value_name = "TEXT", value_parser = parse_nonce)]
    pub(crate) nonce: Option<String>,
    /// Show the message that is signed on stderr, with its line feeds made visible
    #[arg(long)]
    pub(crate) show_message: bool,
    /// Sign the bytes of this file as they are, in place of a request; "-" reads stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["method", "url", "body", "timestamp", "nonce"])]
    pub(crate) message: Option<PathBuf>,
}

fn parse_method(text: &str) -> Result<String, String> {
    let upper = text.to_ascii_uppercase();
    if ["GET", "POST", "PATCH", "PUT", "DELETE"].contains(&upper.as_str()) {
        Ok(upper)
    } else {
        Err("write GET, POST, PATCH, PUT or DELETE, then the URL".to_owned())
    }
}

fn parse_nonce(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b',');
    if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err("a nonce is 1 to 64 visible ASCII characters without quotation marks; 32 letters and digits are usual"
            .to_owned())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Certs {
    /// Ask for the platform's keys, and list them
    List,
    /// Write the platform's keys to PEM files, for one-off use
    Download(DownloadCerts),
    /// Keep the keys of any number of merchants fresh in a directory; its settings are named by --config
    Watch,
    /// Have a daemon that runs check a merchant's keys now, at most once a minute, and show how that went
    Refresh(RefreshCerts),
    /// Check the keys, as a plugin of a monitoring system: one line, and exit codes of its own
    #[command(after_help = CHECK_EXIT_CODES)]
    Check(CheckCerts),
    /// Show what a key directory holds, and how its checks go
    Status(CertsStatus),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DownloadCerts {
    /// The folder to write to; made when it is missing
    #[arg(long, value_name = "FOLDER")]
    pub(crate) to: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CertsStatus {
    /// The key directory
    #[arg(long, value_name = "FOLDER")]
    pub(crate) directory: PathBuf,
    /// Only this merchant; may be given several times
    #[arg(long, value_name = "MCHID")]
    pub(crate) merchant: Vec<MerchantId>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RefreshCerts {
    /// Where the daemon listens: an address, or unix: and the path of its socket
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) daemon: DaemonAt,
    /// The merchant; may be given several times
    #[arg(long, value_name = "MCHID", required = true)]
    pub(crate) merchant: Vec<MerchantId>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CheckCerts {
    /// Check this key directory; the platform itself is asked, by the profile, when not given
    #[arg(long, value_name = "FOLDER")]
    pub(crate) directory: Option<PathBuf>,
    /// Only this merchant of the directory; may be given several times
    #[arg(long, value_name = "MCHID", requires = "directory")]
    pub(crate) merchant: Vec<MerchantId>,
    /// WARNING when the last good check of a directory is older than this
    #[arg(long, value_name = "LENGTH", default_value = "3h", value_parser = parse_duration)]
    pub(crate) age_warning: Duration,
    /// CRITICAL when it is older than this; the platform wants its keys looked at every 12 hours
    #[arg(long, value_name = "LENGTH", default_value = "12h", value_parser = parse_duration)]
    pub(crate) age_critical: Duration,
    /// WARNING when the platform's last key ends in so many days, and none follows
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) key_warning: u32,
    /// CRITICAL when it does
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    pub(crate) key_critical: u32,
    /// WARNING when the merchant's own API certificate ends in so many days; it is said again at 30
    #[arg(long, value_name = "DAYS", default_value_t = 60)]
    pub(crate) own_warning: u32,
    /// CRITICAL when it does
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    pub(crate) own_critical: u32,
}

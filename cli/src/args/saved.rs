//! `favor verify` and `favor decrypt`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use favor_core::Timestamp;

use crate::when::parse_start;

/// A saved message and its headers.
#[derive(Debug, ClapArgs)]
pub(crate) struct SavedMessage {
    /// The message: header lines, a blank line and the body; or JSON with "headers" and "body"; or, with --header or
    /// --headers, the body alone. Stdin when not given, or "-"
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// A header of it, such as 'Wechatpay-Serial: 5157…'; may be given several times
    #[arg(long, value_name = "LINE")]
    pub(crate) header: Vec<String>,
    /// A file with its header lines
    #[arg(long, value_name = "FILE")]
    pub(crate) headers: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) message: SavedMessage,
    /// A platform certificate or WeChat Pay public key as PEM; may be given several times. The profile's keys when not
    /// given, downloaded where that is needed
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,
    /// Judge it as of the moment it was signed, however long ago that is
    #[arg(long, conflicts_with = "at")]
    pub(crate) ignore_window: bool,
    /// Judge it as of this moment: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = parse_start)]
    pub(crate) at: Option<Timestamp>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Decrypt {
    /// What to open: a saved message, a notification's JSON, the list of certificates, or one sealed text
    /// ({"algorithm","nonce","associated_data","ciphertext"}). Stdin when not given, or "-"
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

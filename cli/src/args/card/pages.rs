//! `favor card qrcode` and `favor card sign …`

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use favor_card::{CardId, CardType};

use super::{Private, examples};
use crate::when::parse_duration;

#[derive(Debug, ClapArgs)]
pub(crate) struct QrCode {
    /// One to five cards
    #[arg(required = true, num_args = 1..=5, value_name = "CARD_ID")]
    pub(crate) card_id: Vec<CardId>,
    /// The code, for one card with custom codes that are not deposited; - reads it from stdin
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<Private>,
    /// The only user who may claim it, for one card bound to openids; - reads it from stdin
    #[arg(long, value_name = "OPENID")]
    pub(crate) openid: Option<Private>,
    /// The picture carries one code and can be claimed once
    #[arg(long)]
    pub(crate) unique: bool,
    /// The channel, echoed in events; at most 128 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) channel: Option<String>,
    /// For how long, from 60s to 30m; a year when not given
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) expires: Option<Duration>,
    /// Print the picture as SVG instead of drawing it in the terminal
    #[arg(long)]
    pub(crate) svg: bool,
    /// Write the picture into this file: SVG drawn here, or for a name ending in .jpg the platform's own
    #[arg(long, value_name = "FILE", conflicts_with = "svg")]
    pub(crate) out: Option<PathBuf>,
    /// Replace a file of that name
    #[arg(long, requires = "out")]
    pub(crate) replace: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CardSign {
    /// A card for wx.addCard: cardId and cardExt. Good for one use
    #[command(after_help = examples!("favor card sign card-ext CARD_ID --channel poster --output json"))]
    CardExt(SignCard),
    /// What wx.chooseCard takes
    #[command(after_help = examples!("favor card sign choose --type CASH --output json"))]
    Choose(ChooseCards),
    /// What wx.config takes
    #[command(after_help = examples!("favor card sign page https://shop.example.com/tea --output json"))]
    Page {
        /// The page as the browser shows it; what follows a # does not count
        url: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SignCard {
    /// The card
    pub(crate) card_id: CardId,
    /// The code, for cards with custom codes that are not deposited; - reads it from stdin
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Option<Private>,
    /// The only user who may add it, for cards bound to openids; - reads it from stdin
    #[arg(long, value_name = "OPENID")]
    pub(crate) openid: Option<Private>,
    /// The channel, echoed in events; at most 128 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) channel: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ChooseCards {
    /// Only cards of this store
    #[arg(long, value_name = "ID")]
    pub(crate) shop: Option<String>,
    /// Only cards of this type, such as CASH
    #[arg(long = "type", value_name = "TYPE", value_parser = |text: &str| Ok::<_, String>(CardType::from(text)))]
    pub(crate) card_type: Option<CardType>,
    /// Only this card
    #[arg(long, value_name = "CARD_ID")]
    pub(crate) card: Option<CardId>,
}

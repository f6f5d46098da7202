//! `favor card …`

mod events;
mod holders;
mod pages;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use favor_card::{CardId, CardStatus};
use favor_core::AppId;

pub(crate) use events::{EventForm, ListenEvents};
pub(crate) use holders::{
    ActivateMember, CardCode, CardCodes, CodesOfFile, Member, Private, UpdateMember, UserCards,
};
pub(crate) use pages::{CardSign, QrCode};

#[derive(Debug, ClapArgs)]
pub(crate) struct Card {
    #[command(flatten)]
    pub(crate) account: CardAccount,
    #[command(subcommand)]
    pub(crate) command: CardCommand,
}

/// Which account, and where its access token is kept.
#[derive(Debug, ClapArgs)]
pub(crate) struct CardAccount {
    /// The Official Account; else FAVOR_APPID, then appid of the profile
    #[arg(long, global = true, value_name = "APPID")]
    pub(crate) appid: Option<AppId>,
    /// Where the access token is kept between runs: a file that its owner alone can read, or
    /// postgres://USER@HOST/DATABASE. Else FAVOR_TOKENS, then tokens of the profile, then favor-tokens.sqlite in this
    /// folder
    #[arg(long, global = true, value_name = "PLACE")]
    pub(crate) tokens: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CardCommand {
    /// Create a card from a TOML or JSON file; it is then reviewed
    Create(CreateCard),
    /// Show a card
    Get(OneCard),
    /// List the account's cards
    List(ListCards),
    /// Change a card by what a TOML or JSON file holds; the rest stays
    Update(UpdateCard),
    /// Delete a card; what users hold stays valid
    Delete(OneCard),
    /// Raise or lower how many are left
    Stock(CardStock),
    /// Codes: get, consume, decrypt, deposit, check, count
    #[command(subcommand)]
    Code(CardCodes),
    /// Make a QR code to claim one card or several, and draw it
    Qrcode(QrCode),
    /// What a user holds
    UserCards(UserCards),
    /// Member cards in users' hands: activate, info, update
    #[command(subcommand)]
    Member(Box<Member>),
    /// Figures by day, as a table and a chart
    Stats(CardStats),
    /// Sign what a page hands to wx.addCard, wx.chooseCard or wx.config
    #[command(subcommand)]
    Sign(CardSign),
    /// Receive what the platform pushes: verify, print a line for each event, and forward it to an address
    Listen(Box<ListenEvents>),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CreateCard {
    /// The card as the API takes it, with card_type and the type's own object: TOML, or JSON in a file named …json or
    /// from stdin (-)
    pub(crate) file: PathBuf,
    /// Check it against the documented limits and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct OneCard {
    /// The card
    pub(crate) card_id: CardId,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ListCards {
    /// Only those in this state, such as CARD_STATUS_VERIFY_OK; may be given several times
    #[arg(long, value_name = "STATE", value_parser = parse_status)]
    pub(crate) status: Vec<CardStatus>,
    /// Ask for each card: its title, state and stock
    #[arg(long)]
    pub(crate) details: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct UpdateCard {
    /// The card
    pub(crate) card_id: CardId,
    /// What to change, as one object under the type's key: TOML, or JSON in a file named …json or from stdin (-)
    pub(crate) file: PathBuf,
}

#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("by").args(["increase", "reduce"]).required(true))]
pub(crate) struct CardStock {
    /// The card
    pub(crate) card_id: CardId,
    /// So many more
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) increase: Option<u64>,
    /// So many fewer
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) reduce: Option<u64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CardStats {
    /// Of what
    #[arg(value_enum, default_value_t = Counted::Account)]
    pub(crate) of: Counted,
    /// The card: needed for member-card, possible for cards
    #[arg(long, value_name = "CARD_ID")]
    pub(crate) card: Option<CardId>,
    /// The first day; six days before the last when not given
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<NaiveDate>,
    /// The last day; yesterday in Beijing when not given. At most 62 days after the first
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<NaiveDate>,
    /// Of cards made by calls, or in the console
    #[arg(long, value_enum, default_value_t = Source::Api)]
    pub(crate) source: Source,
    /// What the chart below the table shows
    #[arg(long, value_enum, default_value_t = Charted::Claims)]
    pub(crate) chart: Charted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Counted {
    /// All cards together
    Account,
    /// Free coupons one by one
    Cards,
    /// All member cards together
    Members,
    /// One member card
    MemberCard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    Api,
    Console,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Charted {
    Views,
    Claims,
    Redemptions,
    None,
}

fn parse_status(text: &str) -> Result<CardStatus, String> {
    match CardStatus::from(text) {
        CardStatus::Unknown(_) => {
            Err("the states are CARD_STATUS_NOT_VERIFY, CARD_STATUS_VERIFY_FAIL, CARD_STATUS_VERIFY_OK, \
                 CARD_STATUS_DELETE and CARD_STATUS_DISPATCH"
                .to_owned())
        }
        known => Ok(known),
    }
}

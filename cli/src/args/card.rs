//! `favor card …`

mod events;
mod holders;
mod pages;
mod pictures;
mod shops;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use favor_card::{CardId, CardStatus};
use favor_core::AppId;

pub(crate) use events::{EventForm, ListenEvents};
pub(crate) use holders::{
    ActivateMember, CardCode, CardCodes, CodesOfFile, DisableCode, MarkCode, Member, MemberForm, Private,
    UpdateCode, UpdateMember, UserCards,
};
pub(crate) use pages::{CardSign, QrCode};
pub(crate) use pictures::CardMedia;
pub(crate) use shops::{
    CardCoins, CoinOrders, DataFile, GiftCards, GiftOrder, GiftPage, ListGiftOrders, MaintainGiftPage,
    PayGift, SubMerchantCommand,
};

/// Examples below a help; each is parsed by a test.
macro_rules! examples {
    ($($example:literal),+ $(,)?) => {
        concat!("Examples:", $("\n  ", $example),+)
    };
}
use examples;

const BEGIN: &str = "\
These work for one Official Account. Its appid and app_secret_file are set in favor.toml,
or as FAVOR_APPID and FAVOR_APP_SECRET; favor mirror prints both to try things out, and
favor doctor says what is wrong with them.

Examples:
  favor card create tea.toml
  favor card list --details
  favor card qrcode CARD_ID
  favor card code consume - < code.txt
  favor card stats --chart redemptions";

#[derive(Debug, ClapArgs)]
#[command(after_help = BEGIN)]
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
    #[command(after_help = examples!(
        "favor card create tea.toml --dry-run", "favor card create tea.toml", "favor card create - < tea.json"))]
    Create(CreateCard),
    /// Show a card
    #[command(after_help = examples!("favor card get CARD_ID", "favor card get CARD_ID --output json"))]
    Get(OneCard),
    /// List the account's cards
    #[command(after_help = examples!(
        "favor card list --details", "favor card list --status CARD_STATUS_VERIFY_OK --output json"))]
    List(ListCards),
    /// Change a card by what a TOML or JSON file holds; the rest stays
    #[command(after_help = examples!("favor card update CARD_ID changes.toml"))]
    Update(UpdateCard),
    /// Delete a card; what users hold stays valid
    #[command(after_help = examples!("favor card delete CARD_ID"))]
    Delete(OneCard),
    /// Raise or lower how many are left
    #[command(after_help = examples!("favor card stock CARD_ID --increase 500"))]
    Stock(CardStock),
    /// Codes: get, consume, decrypt, update, disable, mark, deposit, check, count
    #[command(subcommand)]
    Code(CardCodes),
    /// Make a QR code to claim one card or several, and draw it
    #[command(after_help = examples!(
        "favor card qrcode CARD_ID", "favor card qrcode CARD_ID --channel table-7 --expires 30m",
        "favor card qrcode CARD_ID --out tea.svg"))]
    Qrcode(QrCode),
    /// What a user holds
    #[command(after_help = examples!("favor card user-cards - < openid.txt"))]
    UserCards(UserCards),
    /// Member cards in users' hands: activate, info, update; and the form that members fill
    #[command(subcommand)]
    Member(Box<Member>),
    /// Who may claim cards that are not approved: the file has openid, username or both, as lists. It replaces the
    /// whole list
    #[command(after_help = examples!("favor card whitelist testers.toml"))]
    Whitelist(DataFile),
    /// Make a page that lists cards to claim, and print its address
    #[command(after_help = examples!("favor card landing-page page.toml"))]
    LandingPage(DataFile),
    /// Pictures of cards, and papers of sub-merchants
    #[command(subcommand)]
    Media(CardMedia),
    /// Rules by which paying gives a member card
    #[command(subcommand)]
    PayGift(PayGift),
    /// Gift cards: the pages that sell them, and the orders
    #[command(subcommand)]
    Gift(GiftCards),
    /// Card coins: balance and orders
    #[command(subcommand)]
    Coins(CardCoins),
    /// Shops for which a third party makes cards
    #[command(subcommand)]
    SubMerchant(SubMerchantCommand),
    /// Figures by day, as a table and a chart
    #[command(after_help = examples!(
        "favor card stats", "favor card stats cards --card CARD_ID --chart redemptions",
        "favor card stats members --from 2026-08-01 --to 2026-08-31 --output json"))]
    Stats(CardStats),
    /// Sign what a page hands to wx.addCard, wx.chooseCard or wx.config
    #[command(subcommand)]
    Sign(CardSign),
    /// Receive what the platform pushes: verify, print a line for each event, and forward it to an address
    #[command(after_help = examples!(
        "favor card listen --listen 127.0.0.1:8082 --path /wechat",
        "favor card listen --forward http://127.0.0.1:3000/card-event"))]
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
    /// Only those in this state, such as CARD_STATUS_VERIFY_OK or verify_ok; may be given several times
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
    /// The last day; yesterday in Beijing when not given. Both ends count, and at most 62 days in all
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
    let whole = text.to_ascii_uppercase();
    let whole = if whole.starts_with("CARD_STATUS_") { whole } else { format!("CARD_STATUS_{whole}") };
    match CardStatus::from(whole.as_str()) {
        CardStatus::Unknown(_) => {
            Err("the states are CARD_STATUS_NOT_VERIFY, CARD_STATUS_VERIFY_FAIL, CARD_STATUS_VERIFY_OK, \
                 CARD_STATUS_DELETE and CARD_STATUS_DISPATCH"
                .to_owned())
        }
        known => Ok(known),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _, Parser as _};

    use crate::args::Args;

    /// The commands that do something, with the examples of their help.
    fn leaves(command: &Command, path: &str, found: &mut Vec<(String, String)>) {
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            if below.has_subcommands() {
                leaves(below, &path, found);
            } else {
                let help = below.get_after_help().map(ToString::to_string).unwrap_or_default();
                found.push((path, help));
            }
        }
    }

    #[test]
    fn every_command_has_examples_that_can_be_typed() {
        let args = Args::command();
        let mut found = Vec::new();
        leaves(args.find_subcommand("card").unwrap(), "favor card", &mut found);
        assert!(found.len() > 40, "{found:?}");
        found.push(("favor card".to_owned(), super::BEGIN.to_owned()));
        for (path, help) in &found {
            let examples: Vec<&str> = help.lines().filter(|line| line.starts_with("  favor ")).collect();
            assert!(!examples.is_empty(), "{path} has no example");
            for example in examples {
                assert!(example.trim().starts_with(path.as_str()), "{example} is not of {path}");
                assert!(example.len() < 100, "{example} does not fit into a line of help");
                // As a shell takes it apart: quoted words are one, and what is behind < is a file.
                let typed = example.split(" < ").next().unwrap_or_default().replace("'a pot of tea'", "tea");
                if let Err(error) = Args::try_parse_from(typed.split_whitespace()) {
                    panic!("{example}: {error}");
                }
            }
        }
    }
}

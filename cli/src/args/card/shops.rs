//! `favor card pay-gift`, `gift`, `coins` and `sub-merchant`: what goes on beside single cards.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use favor_card::{CoinOrderType, SubMerchantStatus};
use favor_core::Timestamp;

use super::examples;
use crate::when::{parse_end, parse_start};

/// What a command reads.
#[derive(Debug, ClapArgs)]
pub(crate) struct DataFile {
    /// As the API takes it: TOML, or JSON in a file named …json or from stdin (-)
    pub(crate) file: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PayGift {
    /// Add a rule; exit code 1 when it does not hold for all its merchants
    #[command(after_help = examples!("favor card pay-gift add rule.toml"))]
    Add(DataFile),
    /// List the rules
    #[command(after_help = examples!("favor card pay-gift list", "favor card pay-gift list --effective"))]
    List {
        /// Only those in force
        #[arg(long)]
        effective: bool,
    },
    /// Show a rule
    #[command(after_help = examples!("favor card pay-gift get 1231"))]
    Get(PayGiftRuleId),
    /// Delete a rule; cards that users have stay
    #[command(after_help = examples!("favor card pay-gift delete 1231"))]
    Delete(PayGiftRuleId),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PayGiftRuleId {
    /// The rule
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    pub(crate) rule_id: i64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GiftCards {
    /// Pages that sell gift cards
    #[command(subcommand)]
    Page(GiftPage),
    /// What was sold there
    #[command(subcommand)]
    Order(GiftOrder),
}

#[derive(Debug, Subcommand)]
pub(crate) enum GiftPage {
    /// Add a page
    #[command(after_help = examples!("favor card gift page add page.toml"))]
    Add(DataFile),
    /// Show a page
    #[command(after_help = examples!("favor card gift page get PAGE_ID"))]
    Get(GiftPageId),
    /// Change a page by what a file holds, page_id with it; the rest stays
    #[command(after_help = examples!("favor card gift page update changes.toml"))]
    Update(DataFile),
    /// List the pages
    #[command(after_help = examples!("favor card gift page list"))]
    List,
    /// Take a page off, or with --end put it back
    #[command(after_help = examples!(
        "favor card gift page maintain PAGE_ID", "favor card gift page maintain --all --end"))]
    Maintain(MaintainGiftPage),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct GiftPageId {
    /// The page, as the API named it
    pub(crate) page_id: String,
}

#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("which").args(["page_id", "all"]).required(true))]
pub(crate) struct MaintainGiftPage {
    /// The page
    pub(crate) page_id: Option<String>,
    /// All pages
    #[arg(long)]
    pub(crate) all: bool,
    /// Put it back
    #[arg(long)]
    pub(crate) end: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GiftOrder {
    /// Show an order
    #[command(after_help = examples!("favor card gift order get ORDER_ID"))]
    Get(GiftOrderId),
    /// List the orders of up to 31 days
    #[command(after_help = examples!("favor card gift order list --from 2026-08-01 --to 2026-08-31"))]
    List(ListGiftOrders),
    /// Give the money of an order back, which makes its cards invalid. Real money; it cannot be undone
    #[command(after_help = examples!("favor card gift order refund ORDER_ID"))]
    Refund(GiftOrderId),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct GiftOrderId {
    /// The order
    pub(crate) order_id: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ListGiftOrders {
    /// From when they were made: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = parse_start)]
    pub(crate) from: Timestamp,
    /// Until when, at most 31 days later
    #[arg(long, value_name = "TIME", value_parser = parse_end)]
    pub(crate) to: Timestamp,
    /// The newest first
    #[arg(long)]
    pub(crate) newest: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CardCoins {
    /// How many coins the account has
    #[command(after_help = examples!("favor card coins balance"))]
    Balance,
    /// List the orders of coins, the newest first
    #[command(after_help = examples!(
        "favor card coins orders", "favor card coins orders --type ORDER_TYPE_WXPAY --from 2026-08-01"))]
    Orders(CoinOrders),
    /// Show an order of coins
    #[command(after_help = examples!("favor card coins order ORDER_ID"))]
    Order {
        /// The order
        order_id: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CoinOrders {
    /// Only of this kind, such as ORDER_TYPE_WXPAY
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_coin_order)]
    pub(crate) kind: Option<CoinOrderType>,
    /// From when they were made: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = parse_start)]
    pub(crate) from: Option<Timestamp>,
    /// Until when
    #[arg(long, value_name = "TIME", value_parser = parse_end)]
    pub(crate) to: Option<Timestamp>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SubMerchantCommand {
    /// Submit a shop for review; its papers are uploaded before by media upload --paper
    #[command(after_help = examples!("favor card sub-merchant add shop.toml"))]
    Add(DataFile),
    /// Submit all of a shop again, which is then reviewed again
    #[command(after_help = examples!("favor card sub-merchant update 12 shop.toml"))]
    Update {
        #[command(flatten)]
        shop: SubMerchantId,
        #[command(flatten)]
        data: DataFile,
    },
    /// Show a shop
    #[command(after_help = examples!("favor card sub-merchant get 12"))]
    Get(SubMerchantId),
    /// List the shops
    #[command(after_help = examples!(
        "favor card sub-merchant list", "favor card sub-merchant list --status CHECKING"))]
    List {
        /// Only those in this state: CHECKING, APPROVED, REJECTED or EXPIRED
        #[arg(long, value_name = "STATE", value_parser = parse_sub_merchant)]
        status: Option<SubMerchantStatus>,
    },
    /// The categories that a shop can be of, with the papers each needs
    #[command(after_help = examples!("favor card sub-merchant categories"))]
    Categories,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SubMerchantId {
    /// The shop
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    pub(crate) merchant_id: i64,
}

fn parse_coin_order(text: &str) -> Result<CoinOrderType, String> {
    match CoinOrderType::from(text) {
        CoinOrderType::Unknown(_) => Err(
            "the kinds are ORDER_TYPE_SYS_ADD, ORDER_TYPE_WXPAY, ORDER_TYPE_REFUND, ORDER_TYPE_REDUCE and \
                 ORDER_TYPE_SYS_REDUCE"
                .to_owned(),
        ),
        known => Ok(known),
    }
}

fn parse_sub_merchant(text: &str) -> Result<SubMerchantStatus, String> {
    match SubMerchantStatus::from(text) {
        SubMerchantStatus::Unknown(_) => {
            Err("the states are CHECKING, APPROVED, REJECTED and EXPIRED".to_owned())
        }
        known => Ok(known),
    }
}

//! `favor card code …`, `user-cards` and `member …`: what is in users' hands.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as ClapArgs, Subcommand};
use favor_card::CardId;
use favor_core::{Fen, Timestamp};

use super::examples;
use crate::amount::{parse_amount, parse_change};
use crate::when::{parse_end, parse_start};

/// An openid or a code, taken as it comes: what is wrong with it is said later, without showing it.
#[derive(Clone)]
pub(crate) struct Private(pub(crate) String);

impl FromStr for Private {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(****)")
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum CardCodes {
    /// Show a code's state and its holder
    #[command(after_help = examples!("favor card code get 880012345678", "favor card code get - --card CARD_ID"))]
    Get(CardCode),
    /// Redeem a code. It cannot be undone
    #[command(after_help = examples!(
        "favor card code consume 880012345678", "favor card code consume - --card CARD_ID < code.txt"))]
    Consume(CardCode),
    /// The plain code of an encrypted one, as pages and links carry it
    #[command(after_help = examples!("favor card code decrypt - < encrypted.txt"))]
    Decrypt {
        /// The encrypted code, url-decoded; - reads it from stdin
        encrypted: Private,
    },
    /// Give a custom code another text, such as after it was given to a friend
    #[command(after_help = examples!("favor card code update CARD_ID OLD NEW"))]
    Update(UpdateCode),
    /// Make a code invalid, such as after a refund. It cannot be undone, and the user must have agreed
    #[command(after_help = examples!("favor card code disable 880012345678 --reason refund"))]
    Disable(DisableCode),
    /// Reserve a code of a friends' coupon for one user before it is redeemed, or with --release let it go
    #[command(after_help = examples!("favor card code mark CARD_ID 880012345678 OPENID"))]
    Mark(MarkCode),
    /// Deposit codes for a card in deposited-code mode; those that are there already are reported and change nothing
    #[command(after_help = examples!("favor card code deposit CARD_ID codes.txt"))]
    Deposit(CodesOfFile),
    /// Which codes are deposited
    #[command(after_help = examples!("favor card code check CARD_ID codes.txt"))]
    Check(CodesOfFile),
    /// How many codes are deposited
    #[command(after_help = examples!("favor card code count CARD_ID"))]
    Count {
        /// The card
        card_id: CardId,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CardCode {
    /// The code; - reads it from stdin, so that no other process sees it
    pub(crate) code: Private,
    /// The card: needed where it has custom or deposited codes
    #[arg(long, value_name = "CARD_ID")]
    pub(crate) card: Option<CardId>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct UpdateCode {
    /// The card, which has custom codes: others cannot be changed
    pub(crate) card_id: CardId,
    /// The code of now; - reads it from stdin
    pub(crate) code: Private,
    /// The new one, at most 64 bytes; - reads it from stdin, after the other
    pub(crate) new_code: Private,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DisableCode {
    #[command(flatten)]
    pub(crate) which: CardCode,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MarkCode {
    /// The card
    pub(crate) card_id: CardId,
    /// The code; - reads it from stdin
    pub(crate) code: Private,
    /// The user, by openid; - reads it from stdin
    pub(crate) openid: Private,
    /// Let it go
    #[arg(long)]
    pub(crate) release: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CodesOfFile {
    /// The card
    pub(crate) card_id: CardId,
    /// The codes, one on each line; - reads stdin. Sent by hundreds
    pub(crate) file: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct UserCards {
    /// The user, by the Official Account's openid; - reads it from stdin
    pub(crate) openid: Private,
    /// Only codes of this card
    #[arg(long, value_name = "CARD_ID")]
    pub(crate) card: Option<CardId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Member {
    /// Activate a member card
    #[command(after_help = examples!(
        "favor card member activate 880012345678 --bonus 100 --balance 50yuan",
        "favor card member activate - --card CARD_ID --number 1001 < code.txt"))]
    Activate(ActivateMember),
    /// Show a member: points, balance, and what was written into the form
    #[command(after_help = examples!("favor card member info CARD_ID 880012345678"))]
    Info(MemberInfo),
    /// Change a member's points, balance or fields
    #[command(after_help = examples!(
        "favor card member update CARD_ID CODE --add-bonus -20 --bonus 100 --bonus-text 'a pot of tea'",
        "favor card member update CARD_ID 880012345678 --balance 45yuan --silent"))]
    Update(UpdateMember),
    /// Set the form by which users activate a card made with wx_activate. It replaces the whole form
    #[command(after_help = examples!("favor card member form CARD_ID form.toml"))]
    Form(MemberForm),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MemberForm {
    /// The card
    pub(crate) card_id: CardId,
    /// required_form, optional_form, service_statement and bind_old_card: TOML, or JSON in a file named …json or from
    /// stdin (-)
    pub(crate) file: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MemberInfo {
    /// The card
    pub(crate) card_id: CardId,
    /// The code; - reads it from stdin
    pub(crate) code: Private,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ActivateMember {
    /// The code; - reads it from stdin
    pub(crate) code: Private,
    /// The card: needed where it has custom or deposited codes
    #[arg(long, value_name = "CARD_ID")]
    pub(crate) card: Option<CardId>,
    /// The number printed on the card, at most 20 bytes; the code when not given
    #[arg(long, value_name = "NUMBER")]
    pub(crate) number: Option<Private>,
    /// Points to begin with
    #[arg(long, value_name = "N")]
    pub(crate) bonus: Option<i64>,
    /// What the first entry of points says; at most 32 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) bonus_text: Option<String>,
    /// Balance to begin with, such as 50yuan
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount)]
    pub(crate) balance: Option<Fen>,
    #[command(flatten)]
    pub(crate) fields: MemberFields,
    /// From when it is valid: a date or an RFC 3339 time; as the card says when not given
    #[arg(long, value_name = "TIME", value_parser = parse_start)]
    pub(crate) begin: Option<Timestamp>,
    /// Until when
    #[arg(long, value_name = "TIME", value_parser = parse_end)]
    pub(crate) end: Option<Timestamp>,
}

/// The fields that the card itself declares.
#[derive(Debug, ClapArgs)]
pub(crate) struct MemberFields {
    /// The card's first own field; at most 12 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) field1: Option<String>,
    /// The second
    #[arg(long, value_name = "TEXT")]
    pub(crate) field2: Option<String>,
    /// The third
    #[arg(long, value_name = "TEXT")]
    pub(crate) field3: Option<String>,
}

#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("change").multiple(true).required(true)
    .args(["bonus", "add_bonus", "balance", "add_balance", "field1", "field2", "field3"]))]
pub(crate) struct UpdateMember {
    /// The card
    pub(crate) card_id: CardId,
    /// The code; - reads it from stdin
    pub(crate) code: Private,
    /// The points from now on
    #[arg(long, value_name = "N")]
    pub(crate) bonus: Option<i64>,
    /// By how many points they change; below zero takes some. With --bonus a repeat changes nothing more
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) add_bonus: Option<i64>,
    /// What the entry of points says; at most 42 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) bonus_text: Option<String>,
    /// The balance from now on, such as 50yuan
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount)]
    pub(crate) balance: Option<Fen>,
    /// By how much it changes, such as 5yuan or -5yuan. With --balance a repeat changes nothing more
    #[arg(long, value_name = "AMOUNT", value_parser = parse_change, allow_hyphen_values = true)]
    pub(crate) add_balance: Option<i64>,
    /// What the entry of the balance says; at most 42 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) balance_text: Option<String>,
    #[command(flatten)]
    pub(crate) fields: MemberFields,
    /// Send the member no message about points and balance
    #[arg(long)]
    pub(crate) silent: bool,
}

//! The command line, as clap types only.

mod callback;
mod campaign;
mod card;
mod daemon;
mod saved;
mod tools;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use favor_core::{AppId, CouponId, Fen, MerchantId, OpenId, OutRequestNo, StockId, Timestamp};
use favor_coupon::CouponStatus;
use favor_stock::StockStatus;

use crate::amount::parse_amount;
use crate::env;
use crate::when::{parse_begin, parse_duration, parse_end, parse_start};

pub(crate) use callback::{
    Callback, Event, Form, InboxPlace, List, Listen, Replay, Selection, SetCallback, StateName, Switch,
    Trigger, Unpark,
};
pub(crate) use campaign::{
    AuditCampaign, Campaign, CampaignWorker, DailyBudget, LedgerPlace, Live, OneCampaign, PauseCampaign,
    PlanCampaign, ReconcileCampaign, ReportCampaign, Retried, RetryCampaign, StartCampaign, WatchCampaign,
};
pub(crate) use card::{
    ActivateMember, Card, CardAccount, CardCode, CardCodes, CardCoins, CardCommand, CardMedia, CardSign,
    CardStats, CardStock, Charted, CodesOfFile, CoinOrders, Counted, CreateCard, DataFile, DisableCode,
    EventForm, GiftCards, GiftOrder, GiftPage, ListCards, ListGiftOrders, ListenEvents, MaintainGiftPage,
    MarkCode, Member, MemberForm, PayGift, Private, QrCode, Source, SubMerchantCommand, UpdateCard,
    UpdateCode, UpdateMember, UserCards,
};
pub(crate) use daemon::DaemonAt;
pub(crate) use saved::{Decrypt, SavedMessage, Verify};
pub(crate) use tools::{Certs, CertsStatus, CheckCerts, Doctor, DownloadCerts, RefreshCerts, Sign};

const EXIT_CODES: &str = "\
Exit codes:
  0   done
  1   refused by the API
  2   usage or configuration
  3   signature or decryption failed
  4   outcome unknown: repeat with the same out_request_no
  5   not sent
  70  a bug in favor
 130  ended early by a signal

Settings come from flags, then the environment (FAVOR_…), then the profile in favor.toml, then defaults.
Not affiliated with Tencent.";

/// WeChat Pay cash coupons and Official Account cards from the terminal, and a local stand-in server to try them on.
#[derive(Debug, Parser)]
#[command(name = "favor", version, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Global {
    /// What stdout gets: a table for people, or JSON
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
    /// When to use colour (NO_COLOR is honoured)
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// No talk and no progress on stderr, only errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Log to stderr; twice for more. Holds no secrets and no openids
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Do not ask before giving out money, or changing cards, on a production host
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// The settings file
    #[arg(long, global = true, value_name = "FILE", env = env::CONFIG, hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// The profile in the settings file
    #[arg(long, global = true, value_name = "NAME", env = env::PROFILE)]
    pub(crate) profile: Option<String>,
    /// The host to call, such as a mirror's; the platform itself when not given
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// The merchant that calls
    #[arg(long, global = true)]
    pub(crate) mchid: Option<MerchantId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole life of a stock on an embedded mirror, in one run
    Demo(Demo),
    /// A local server that behaves like WeChat Pay's own side
    Mirror(Mirror),
    /// Check a profile from end to end, and say what is wrong and how to mend it
    Doctor(Doctor),
    /// Stocks: create, run, query, and their flow files
    #[command(subcommand)]
    Stock(Stock),
    /// Coupons: send, get, list
    #[command(subcommand)]
    Coupon(Coupon),
    /// Images for coupons: upload
    #[command(subcommand)]
    Image(Image),
    /// Notifications: their address, a receiver, what was received
    #[command(subcommand)]
    Callback(Box<Callback>),
    /// Campaigns: a coupon to each person of a list, nobody twice and nobody missed
    #[command(subcommand)]
    Campaign(Box<Campaign>),
    /// Cards of an Official Account: create, codes, members, figures, signatures, events
    Card(Box<Card>),
    /// Check the signature of a saved request or response, and say what is wrong with it
    Verify(Verify),
    /// Open what is sealed with the APIv3 key: notifications and platform certificates
    Decrypt(Decrypt),
    /// Keys of the platform: list, download, check, status
    #[command(subcommand)]
    Certs(Certs),
    /// Sign a request by hand, and print its Authorization header
    Sign(Sign),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Demo {
    /// How many people get a coupon
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) people: u32,
    /// How many calls are under way at once
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) in_flight: u16,
}

#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Mirror {
    #[command(subcommand)]
    pub(crate) command: Option<MirrorCommand>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Keep everything in this file; in memory when not given
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<PathBuf>,
    /// Write the merchant's key files here; a temporary folder when not given
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keys: Option<PathBuf>,
    /// Faults to plan from the start: TOML with a [[fault]] for each, or a JSON list in a file named …json
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// What the clock for windows, days and expiry shows at the start: now, a date or an RFC 3339 time. Signatures
    /// stay with the machine's clock
    #[arg(long, value_name = "TIME", default_value = "now", value_parser = parse_begin)]
    pub(crate) clock: Begin,
    /// That clock stands still until it is moved by POST /_mirror/clock
    #[arg(long)]
    pub(crate) frozen: bool,
    /// That clock runs so many times as fast as the machine's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) clock_rate: Option<u32>,
    /// Start with the merchants, users, stocks, coupons, card accounts and cards of this TOML file; what a data file
    /// holds goes before them
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Print a seed file that shows everything there is, and stop
    #[arg(long)]
    pub(crate) print_seed: bool,
    /// Make the same ids in each run, from this number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) id_seed: Option<u64>,
    /// Answer the calls under /_mirror to other machines too, such as the host of a container. They are not
    /// authenticated: only for closed networks
    #[arg(long)]
    pub(crate) open_control: bool,
}

/// What is said to a mirror that runs.
#[derive(Debug, Subcommand)]
pub(crate) enum MirrorCommand {
    /// Recount everything from the coupons; exits with 1 when something does not add up
    Audit(MirrorAudit),
    /// Write the whole state into one file
    Snapshot(MirrorSnapshot),
    /// Replace the whole state by that of a snapshot
    Restore(MirrorRestore),
    /// Forget stocks, coupons, users, cards, tokens, faults and the log, and put back what the seed holds
    Reset(MirrorUrl),
    /// Move the test clock forward; returns when everything due has happened
    Advance(MirrorAdvance),
    /// Pay with a coupon
    Redeem(MirrorPayment),
    /// Refund the order a coupon was used in, or a part of it
    Refund(MirrorPayment),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MirrorUrl {
    /// The mirror's address; FAVOR_BASE_URL when not given
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MirrorAudit {
    /// Audit this data file or snapshot instead of a mirror that runs; it is not changed
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) at: MirrorUrl,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MirrorSnapshot {
    /// The file to write; holds private keys
    pub(crate) file: PathBuf,
    /// Replace an earlier snapshot
    #[arg(long)]
    pub(crate) overwrite: bool,
    #[command(flatten)]
    pub(crate) at: MirrorUrl,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MirrorRestore {
    /// A snapshot or a data file; it is not changed
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) at: MirrorUrl,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MirrorAdvance {
    /// How far, such as 90s, 5m, 12h or 30d
    #[arg(value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) by: Duration,
    #[command(flatten)]
    pub(crate) at: MirrorUrl,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct MirrorPayment {
    /// The coupon
    pub(crate) coupon_id: CouponId,
    /// The order's total, or the part of it to refund, such as 30yuan
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount)]
    pub(crate) amount: Option<Fen>,
    #[command(flatten)]
    pub(crate) at: MirrorUrl,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Stock {
    /// Create a stock, from a JSON file or from flags
    Create(Box<CreateStock>),
    /// Start a stock, from about a minute after its creation
    Start(OneStock),
    /// Pause a stock: nobody receives its coupons until it is restarted
    Pause(OneStock),
    /// Resume a paused stock
    Restart(OneStock),
    /// End for ever a stock that was never started
    Stop(OneStock),
    /// Show a stock
    Get(OneStock),
    /// List stocks
    List(ListStocks),
    /// List the merchants where a stock's coupons may be spent
    Merchants(OneStock),
    /// List the goods ids that a single-item stock is bound to
    Items(OneStock),
    /// Add and remove goods ids of a single-item stock
    Goods(Goods),
    /// Download the use flow: one line per redemption
    UseFlow(FlowFile),
    /// Download the refund flow: one line per refund
    RefundFlow(FlowFile),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ListStocks {
    /// Only those in this state: unactivated, audit, running, paused or stoped
    #[arg(long)]
    pub(crate) status: Option<StockStatus>,
    /// Only those created from then on: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = parse_start, requires = "until")]
    pub(crate) from: Option<Timestamp>,
    /// Only those created until then: a date (its last second) or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = parse_end, requires = "from")]
    pub(crate) until: Option<Timestamp>,
    /// Only this page of ten, counted from 0; all pages when not given
    #[arg(long, value_name = "N")]
    pub(crate) page: Option<u64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Goods {
    /// The stock's id
    pub(crate) stock_id: StockId,
    /// A goods id to add; may be given several times
    #[arg(long, value_name = "GOODS", required_unless_present = "delete")]
    pub(crate) add: Vec<String>,
    /// A goods id to remove; may be given several times. At least one must remain
    #[arg(long, value_name = "GOODS")]
    pub(crate) delete: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct FlowFile {
    /// The stock's id
    pub(crate) stock_id: StockId,
    /// Where the file goes. It gets this name only when it is whole and its hash is right
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
    /// The flow of one Beijing day (YYYY-MM-DD) instead of the whole stock's
    #[arg(long, value_name = "DATE")]
    pub(crate) day: Option<chrono::NaiveDate>,
    /// Read the file and show its totals
    #[arg(long)]
    pub(crate) summary: bool,
    /// Replace a file of this name
    #[arg(long)]
    pub(crate) replace: bool,
    /// Allow the platform's link to lead to this further host
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_host: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct OneStock {
    /// The stock's id
    pub(crate) stock_id: StockId,
    /// Its creator, when that is another merchant
    #[arg(long, value_name = "MCHID")]
    pub(crate) creator: Option<MerchantId>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CreateStock {
    /// The whole request as JSON, in WeChat Pay's own field names; "-" reads stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "face_value", "threshold", "coupons"])]
    pub(crate) from: Option<PathBuf>,
    /// What users see: at most 9 Chinese characters or 20 letters
    #[arg(long, required_unless_present = "from")]
    pub(crate) name: Option<String>,
    /// What a coupon takes off, such as 5yuan or 500fen
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount, required_unless_present = "from")]
    pub(crate) face_value: Option<Fen>,
    /// The lowest order total at which it applies, such as 30yuan
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount, required_unless_present = "from")]
    pub(crate) threshold: Option<Fen>,
    /// How many coupons there are
    #[arg(long, value_name = "N", required_unless_present = "from")]
    pub(crate) coupons: Option<u64>,
    /// How many coupons one user may have
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) per_user: u32,
    /// Face value given out per Beijing day, at most
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount)]
    pub(crate) by_day: Option<Fen>,
    /// When it begins: a date, an RFC 3339 time, or "now"
    #[arg(long, value_name = "TIME", value_parser = parse_begin, default_value = "now")]
    pub(crate) begin: Begin,
    /// When it ends: a date (its last second) or an RFC 3339 time; 30 days after the begin when not given
    #[arg(long, value_name = "TIME", value_parser = parse_end)]
    pub(crate) end: Option<Timestamp>,
    /// Lock the budget in the creator's balance at start; otherwise no money moves
    #[arg(long)]
    pub(crate) prefunded: bool,
    /// Where it may be spent; the calling merchant when not given
    #[arg(long, value_name = "MCHID")]
    pub(crate) merchant: Vec<MerchantId>,
    /// The rules text on the coupon's page
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// A note for the creator
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    /// The idempotency key; derived from the request when not given, so that the same command makes one stock
    #[arg(long, value_name = "NUMBER")]
    pub(crate) out_request_no: Option<OutRequestNo>,
}

/// When a stock begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    Now,
    At(Timestamp),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Coupon {
    /// Send one coupon to one user
    Send(SendCoupon),
    /// Show a coupon
    Get(GetCoupon),
    /// List a user's coupons; expired ones are never listed
    List(ListCoupons),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ListCoupons {
    /// The user, as seen through the appid
    pub(crate) openid: OpenId,
    /// The appid, when the profile names none
    #[arg(long)]
    pub(crate) appid: Option<AppId>,
    /// Coupons of stocks that this merchant created; the calling merchant when no other filter is given
    #[arg(long, value_name = "MCHID", conflicts_with_all = ["sender", "available_at"])]
    pub(crate) creator: Option<MerchantId>,
    /// Coupons that this merchant sent
    #[arg(long, value_name = "MCHID", conflicts_with = "available_at")]
    pub(crate) sender: Option<MerchantId>,
    /// Usable coupons that can be spent at this merchant
    #[arg(long, value_name = "MCHID", conflicts_with_all = ["stock", "status"])]
    pub(crate) available_at: Option<MerchantId>,
    /// Only those of this stock
    #[arg(long)]
    pub(crate) stock: Option<StockId>,
    /// SENDED: usable ones; USED: with a creator, usable and used ones
    #[arg(long)]
    pub(crate) status: Option<CouponStatus>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Image {
    /// Upload a JPG, BMP or PNG image of at most 2 MB, and show its URL
    Upload(UploadImage),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct UploadImage {
    /// The image; its name must end as its content is
    pub(crate) file: PathBuf,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SendCoupon {
    /// The stock to take it from
    pub(crate) stock_id: StockId,
    /// The user, as seen through the appid
    pub(crate) openid: OpenId,
    /// The appid, when the profile names none
    #[arg(long)]
    pub(crate) appid: Option<AppId>,
    /// The stock's creator, when that is another merchant
    #[arg(long, value_name = "MCHID")]
    pub(crate) creator: Option<MerchantId>,
    /// The idempotency key; derived from stock and user when not given, so that the same command sends one coupon
    #[arg(long, value_name = "NUMBER", conflicts_with = "slot")]
    pub(crate) out_request_no: Option<OutRequestNo>,
    /// Which of this user's coupons this is, counted from 0: raise it to send the same user another one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) slot: u32,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct GetCoupon {
    /// The user, as seen through the appid
    pub(crate) openid: OpenId,
    /// The coupon's id
    pub(crate) coupon_id: CouponId,
    /// The appid, when the profile names none
    #[arg(long)]
    pub(crate) appid: Option<AppId>,
}

//! `favor callback …`

use std::net::SocketAddr;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use favor_core::{CouponId, Timestamp};

use crate::when::parse_start;

#[derive(Debug, Subcommand)]
pub(crate) enum Callback {
    /// Set the address that notifications go to
    Set(SetCallback),
    /// Show the address that notifications go to
    Get,
    /// Receive notifications: verify, store, answer, print, and forward them to an address
    Listen(Box<Listen>),
    /// Make a mirror send notifications: redeem a coupon, or make one and redeem it
    Trigger(Trigger),
    /// Send stored notifications to an address once more, whatever became of them; nothing is changed in the inbox
    Replay(Replay),
    /// Show what an inbox holds
    List(List),
    /// Make parked notifications due again
    Unpark(Unpark),
}

/// Where notifications are kept.
#[derive(Debug, ClapArgs)]
pub(crate) struct InboxPlace {
    /// The inbox: a file, or postgres://USER@HOST/DATABASE with the password in PGPASSWORD or in FAVOR_INBOX.
    /// Else FAVOR_INBOX, then inbox of the profile, then favor-inbox.sqlite in this folder
    #[arg(long, value_name = "PLACE")]
    pub(crate) inbox: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Listen {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Take notifications at this path only, such as /wechatpay/coupons; at every path when not given
    #[arg(long, value_name = "PATH", value_parser = parse_path)]
    pub(crate) path: Option<String>,
    #[command(flatten)]
    pub(crate) place: InboxPlace,
    /// Keep nothing: verify, answer and print
    #[arg(long, conflicts_with_all = ["inbox", "forward"])]
    pub(crate) no_inbox: bool,
    /// Hand what is stored to this address, again and again until it answers 2xx. Without it notifications wait in the
    /// inbox for an application that works on it, or for a replay
    #[arg(long, value_name = "URL")]
    pub(crate) forward: Option<String>,
    /// What is sent there: the opened JSON, or the platform's own request
    #[arg(long, value_enum, default_value_t = Form::Plain, requires = "forward")]
    pub(crate) forward_as: Form,
    /// Park what the address refused so often by a 4xx; 410 parks at once, 408, 425, 429 and 5xx never do
    #[arg(
        long, value_name = "N", default_value_t = 5, requires = "forward",
        value_parser = clap::value_parser!(u32).range(1..=1_000)
    )]
    pub(crate) park_after: u32,
    /// Set the callback address at the start; without a URL to the address listened on, which a mirror can call
    #[arg(long, value_name = "URL", num_args = 0..=1)]
    pub(crate) set_address: Option<Option<String>>,
    /// A further merchant whose notifications come here, by its profile; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) also_profile: Vec<String>,
    /// Stop after so many new notifications, and hand on what they brought
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) once: Option<u64>,
}

/// What is sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Opened JSON: id, event_type, create_time, summary, mchid, resource
    Plain,
    /// Body and signature headers as the platform sent them
    Signed,
}

/// Which notifications of an inbox.
#[derive(Debug, ClapArgs)]
pub(crate) struct Selection {
    /// By number in the inbox, or by the platform's id (EV-…)
    #[arg(value_name = "ID")]
    pub(crate) id: Vec<String>,
    /// Only those in this state
    #[arg(long, value_enum)]
    pub(crate) state: Option<StateName>,
    /// Only those received from then on: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = parse_start)]
    pub(crate) since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StateName {
    Waiting,
    Claimed,
    Handled,
    Parked,
}

#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("which").args(["id", "state", "since", "all"]).multiple(true).required(true))]
pub(crate) struct Replay {
    #[command(flatten)]
    pub(crate) which: Selection,
    /// All of them
    #[arg(long, conflicts_with_all = ["id", "state", "since"])]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) place: InboxPlace,
    /// Where to send them
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// What is sent: the opened JSON, or the platform's own request, whose time is then past
    #[arg(long = "as", value_enum, default_value_t = Form::Plain)]
    pub(crate) form: Form,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) which: Selection,
    #[command(flatten)]
    pub(crate) place: InboxPlace,
    /// With --output json: the opened JSON and the platform's request too, which favor verify and decrypt read
    #[arg(long)]
    pub(crate) whole: bool,
}

#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("parked").args(["id", "all"]).required(true))]
pub(crate) struct Unpark {
    /// By number in the inbox, or by the platform's id (EV-…)
    #[arg(value_name = "ID")]
    pub(crate) id: Option<String>,
    /// All that are parked
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) place: InboxPlace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SetCallback {
    /// https, public, without a query, at most 256 characters; http for this machine, where a mirror can call it
    pub(crate) url: String,
    /// Say whether to push; off is described as not supported at present
    #[arg(long, value_enum, value_name = "ON")]
    pub(crate) switch: Option<Switch>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Trigger {
    /// Redeem this coupon; without it a stock is created and started, and a coupon of it sent and redeemed
    #[arg(long, value_name = "ID", conflicts_with_all = ["times", "event"])]
    pub(crate) coupon: Option<CouponId>,
    /// What is told: that coupons were redeemed, or that they were sent, where the mirror's notify_sends is on
    #[arg(long, value_enum, default_value_t = Event::Use)]
    pub(crate) event: Event,
    /// How many notifications, each of a coupon of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) times: u32,
    /// Each notification arrives several times at once: twice when no number is given
    #[arg(
        long, value_name = "COPIES", num_args = 0..=1, require_equals = true, default_missing_value = "2",
        value_parser = clap::value_parser!(u32).range(2..=100), conflicts_with = "probe"
    )]
    pub(crate) duplicate: Option<u32>,
    /// Each first delivery is a signature probe; the mirror's clock is advanced until the true one has followed
    #[arg(long)]
    pub(crate) probe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Event {
    Use,
    Send,
}

pub(crate) fn parse_path(text: &str) -> Result<String, String> {
    let plain = text.starts_with('/')
        && text.parse::<http::uri::PathAndQuery>().is_ok_and(|path| path.path() == text);
    if plain { Ok(text.to_owned()) } else { Err("a path begins with / and has no query".to_owned()) }
}

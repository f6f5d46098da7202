//! `favor campaign …`

use std::path::PathBuf;
use std::time::Duration;

use chrono::NaiveDate;
use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use favor_campaign::{CampaignName, DailyWindow, FlowCover, OutcomeState};
use favor_core::{AppId, Fen, MerchantId, StockId, Timestamp};

use super::InboxPlace;
use crate::amount::parse_amount;
use crate::when::{parse_duration, parse_interval, parse_start, parse_window};

#[derive(Debug, Subcommand)]
pub(crate) enum Campaign {
    /// Read a list, check it and the stock, and write the campaign into the ledger. Nothing is sent
    Plan(Box<PlanCampaign>),
    /// Send, in this process, until every coupon is settled. The same command goes on after any end
    Start(StartCampaign),
    /// Work on all running campaigns of the merchant until told to stop; any number of workers share a PostgreSQL ledger
    Worker(CampaignWorker),
    /// Follow a campaign that another process works on
    Watch(WatchCampaign),
    /// Let all workers of a campaign wait, within a second
    Pause(PauseCampaign),
    /// Let a paused campaign go on
    Resume(OneCampaign),
    /// Let all workers of a campaign end, within a second. It can be started again
    Stop(OneCampaign),
    /// All campaigns of the ledger
    List(LedgerPlace),
    /// What happened to a campaign, oldest first
    History(OneCampaign),
    /// Open refused, parked or unknown coupons again, to be sent with the same numbers
    Retry(RetryCampaign),
    /// What became of every coupon: a summary, and a CSV file with a line for each
    Report(ReportCampaign),
    /// Ask the platform what people have, and compare it with the ledger
    Audit(AuditCampaign),
    /// Match sends, notifications and flow files coupon by coupon
    Reconcile(ReconcileCampaign),
    /// Forget the openids of a campaign that has ended
    Purge(OneCampaign),
    /// Remove a campaign that was never started
    Discard(OneCampaign),
}

/// Where campaigns are kept.
#[derive(Debug, ClapArgs)]
pub(crate) struct LedgerPlace {
    /// The ledger: a file, or postgres://USER@HOST/DATABASE with the password in PGPASSWORD or in FAVOR_LEDGER.
    /// Else FAVOR_LEDGER, then ledger of the profile, then favor-campaigns.sqlite in this folder
    #[arg(long, value_name = "PLACE")]
    pub(crate) ledger: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct OneCampaign {
    /// The campaign's name
    pub(crate) name: CampaignName,
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PauseCampaign {
    /// The campaign's name
    pub(crate) name: CampaignName,
    /// Go on by itself after so long, such as 90s, 5m or 12h
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) length: Option<Duration>,
    /// Why, for those who look at it
    #[arg(long, value_name = "TEXT", default_value = "by an operator")]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PlanCampaign {
    /// The people: CSV, one openid per line or with named columns, also gzip; - for stdin
    pub(crate) list: PathBuf,
    /// The stock to send
    #[arg(long, value_name = "ID")]
    pub(crate) stock: StockId,
    /// What the campaign is called; the name of the list's file when not given
    #[arg(long)]
    pub(crate) name: Option<CampaignName>,
    /// What the request numbers are derived from, beside the person; the name when not given. Under the same key nobody
    /// gets a second coupon of the stock, whichever ledger or campaign it is
    #[arg(long, value_name = "TEXT")]
    pub(crate) key: Option<String>,
    /// Who created the stock, when that is another merchant
    #[arg(long, value_name = "MCHID")]
    pub(crate) creator: Option<MerchantId>,
    /// The appid that the openids belong to, when the profile names none
    #[arg(long)]
    pub(crate) appid: Option<AppId>,
    /// How many coupons each person gets
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(crate) coupons_per_person: u32,
    /// What a coupon takes off, for a stock that leaves it open, such as 5yuan
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount, requires = "coupon_minimum")]
    pub(crate) coupon_value: Option<Fen>,
    /// The lowest order total at which it applies, for such a stock
    #[arg(long, value_name = "AMOUNT", value_parser = parse_amount, requires = "coupon_value")]
    pub(crate) coupon_minimum: Option<Fen>,
    /// Sends per second of all workers together. WeChat Pay allows a merchant 500, shared with the shop's own sends
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    /// Requests under way at once, per worker
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) in_flight: u32,
    /// Beijing times of the day at which it sends, such as 09:00-21:00; may be given several times. At all times when
    /// not given
    #[arg(long, value_name = "FROM-TO", value_parser = parse_window)]
    pub(crate) window: Vec<DailyWindow>,
    /// Let the rate climb for so long from a tenth, such as 10m
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) ramp_up: Option<Duration>,
    /// What to make of which answer: TOML with the fields of the policy; the built-in table when not given
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// When the budget of the day is used up: wait for the next day in Beijing, or pause
    #[arg(long, value_enum)]
    pub(crate) daily_budget: Option<DailyBudget>,
    /// The column of the list with openids
    #[arg(long, value_name = "NAME")]
    pub(crate) openid_column: Option<String>,
    /// The column of the list with unionids, by which one person under two openids is known
    #[arg(long, value_name = "NAME")]
    pub(crate) unionid_column: Option<String>,
    /// Plan without the rows that cannot be read; else the list has to be mended first
    #[arg(long)]
    pub(crate) skip_bad_rows: bool,
    /// Write every row that is passed over to this file, with its line and the reason
    #[arg(long, value_name = "FILE")]
    pub(crate) problems: Option<PathBuf>,
    /// Plan although another campaign of the ledger sends the same stock to some of the same people
    #[arg(long)]
    pub(crate) allow_again: bool,
    /// Plan although it cannot go well as things are, such as a stock that is not started yet
    #[arg(long)]
    pub(crate) anyway: bool,
    /// Read and check everything, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
}

/// What the end of the day's budget does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DailyBudget {
    Wait,
    Pause,
}

/// How a campaign that runs is shown.
#[derive(Debug, ClapArgs)]
pub(crate) struct Live {
    /// How often a line comes where there is no terminal
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = parse_interval)]
    pub(crate) every: Duration,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct StartCampaign {
    /// The campaign's name
    pub(crate) name: CampaignName,
    /// Pause after so many coupons, for a look at what became of them; 20 where a terminal is attached
    #[arg(long, value_name = "N", conflicts_with = "no_pilot", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) pilot: Option<u32>,
    /// Begin in earnest
    #[arg(long)]
    pub(crate) no_pilot: bool,
    /// Order the start and end: those who run favor campaign worker on the ledger do the sending
    #[arg(long, conflicts_with_all = ["pilot", "no_pilot", "end_when_paused"])]
    pub(crate) leave_to_workers: bool,
    /// End when the campaign pauses for any other reason than an operator's, in place of waiting for its resumption
    #[arg(long)]
    pub(crate) end_when_paused: bool,
    /// Start although it cannot go well as things are
    #[arg(long)]
    pub(crate) anyway: bool,
    /// Send to the people as planned, although the file of the list is another one now
    #[arg(long)]
    pub(crate) as_planned: bool,
    #[command(flatten)]
    pub(crate) live: Live,
    #[command(flatten)]
    pub(crate) lease: Lease,
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
}

/// How work is held.
#[derive(Debug, ClapArgs)]
pub(crate) struct Lease {
    /// How long other workers wait before they take over from one that fell silent
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = parse_lease)]
    pub(crate) lease: Duration,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CampaignWorker {
    #[command(flatten)]
    pub(crate) lease: Lease,
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct WatchCampaign {
    /// The campaign's name
    pub(crate) name: CampaignName,
    /// Show how it stands, and end
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) live: Live,
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
}

#[derive(Debug, ClapArgs)]
#[command(group = clap::ArgGroup::new("which").args(["code", "state"]).multiple(true).required(true))]
pub(crate) struct RetryCampaign {
    /// The campaign's name
    pub(crate) name: CampaignName,
    /// Those whose last answer had this code; may be given several times. All codes when not given
    #[arg(long, value_name = "CODE")]
    pub(crate) code: Vec<String>,
    /// Those in this state; may be given several times. All three when not given
    #[arg(long, value_enum)]
    pub(crate) state: Vec<Retried>,
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
}

/// The states that can be opened again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Retried {
    Refused,
    Parked,
    Unknown,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReportCampaign {
    /// The campaign's name
    pub(crate) name: CampaignName,
    /// Write a file with a line for each coupon: CSV, or JSON lines where its name ends in .jsonl. It holds openids, and
    /// only you can read it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace a file of this name
    #[arg(long, requires = "out")]
    pub(crate) replace: bool,
    /// Write a hash (SHA-256) in place of each openid
    #[arg(long, requires = "out")]
    pub(crate) hash_openids: bool,
    /// Write only coupons in this state: open, sent, refused, parked or unknown; may be given several times
    #[arg(long, value_name = "STATE", requires = "out", value_parser = parse_state)]
    pub(crate) state: Vec<OutcomeState>,
    /// Write only coupons whose last answer had this code; may be given several times
    #[arg(long, value_name = "CODE", requires = "out")]
    pub(crate) code: Vec<String>,
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AuditCampaign {
    /// The campaign's name
    pub(crate) name: CampaignName,
    /// Ask for so many people only, chosen at random
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) sample: Option<u64>,
    /// Choose others with another number, and the same ones with the same
    #[arg(long, value_name = "NUMBER", requires = "sample")]
    pub(crate) seed: Option<u64>,
    /// Go on behind this place, which an audit that was stopped names
    #[arg(long, value_name = "PLACE")]
    pub(crate) after: Option<u64>,
    /// Calls per second
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReconcileCampaign {
    /// The campaign's name
    pub(crate) name: CampaignName,
    #[command(flatten)]
    pub(crate) inbox: InboxPlace,
    /// Leave notifications out
    #[arg(long, conflicts_with = "inbox")]
    pub(crate) no_inbox: bool,
    /// Since when the inbox received, where that was not from the beginning: a date or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = parse_start, conflicts_with = "no_inbox")]
    pub(crate) inbox_since: Option<Timestamp>,
    /// A file of the use flow, or DATE=FILE for that of one day; may be given several times. Without any flow file the
    /// flows of the whole stock are downloaded
    #[arg(long, value_name = "FILE", value_parser = parse_flow)]
    pub(crate) use_flow: Vec<OneFlow>,
    /// A file of the refund flow; may be given several times
    #[arg(long, value_name = "FILE", value_parser = parse_flow)]
    pub(crate) refund_flow: Vec<OneFlow>,
    /// Leave flow files out, as before the end of the stock
    #[arg(long, conflicts_with_all = ["use_flow", "refund_flow"])]
    pub(crate) no_flows: bool,
    /// Allow the platform's links to flow files to lead to this further host
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_host: Vec<String>,
    /// Write a file with a line for each coupon: CSV, or JSON lines where its name ends in .jsonl. It holds openids, and
    /// only you can read it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write a CSV file with a line for each difference
    #[arg(long, value_name = "FILE")]
    pub(crate) differences: Option<PathBuf>,
    /// Replace files of these names
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) place: LedgerPlace,
}

/// A flow file, and which day it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OneFlow {
    pub(crate) file: PathBuf,
    pub(crate) day: Option<NaiveDate>,
}

impl OneFlow {
    /// What it covers.
    pub(crate) fn cover(&self) -> FlowCover {
        self.day.map_or(FlowCover::Whole, FlowCover::Day)
    }
}

fn parse_flow(text: &str) -> Result<OneFlow, String> {
    let dated = text
        .split_once('=')
        .and_then(|(day, file)| Some((NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?, file)));
    let (day, file) = dated.map_or((None, text), |(day, file)| (Some(day), file));
    if file.is_empty() { Err("it names no file".to_owned()) } else { Ok(OneFlow { file: file.into(), day }) }
}

/// Shorter ones lapse while a slow machine takes a breath; longer ones leave work lying.
fn parse_lease(text: &str) -> Result<Duration, String> {
    let lease = parse_interval(text)?;
    let (shortest, longest) = (Duration::from_secs(2), Duration::from_secs(3_600));
    if (shortest..=longest).contains(&lease) { Ok(lease) } else { Err("it is 2s to 1h".to_owned()) }
}

fn parse_state(text: &str) -> Result<OutcomeState, String> {
    OutcomeState::from_word(text).ok_or_else(|| "it is open, sent, refused, parked or unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_may_be_of_a_day() {
        let day = NaiveDate::from_ymd_opt(2026, 12, 1);
        assert_eq!(parse_flow("a.csv"), Ok(OneFlow { file: "a.csv".into(), day: None }));
        assert_eq!(parse_flow("2026-12-01=a=b.csv"), Ok(OneFlow { file: "a=b.csv".into(), day }));
        assert_eq!(parse_flow("a=b.csv"), Ok(OneFlow { file: "a=b.csv".into(), day: None }));
        assert!(parse_flow("").is_err() && parse_flow("2026-12-01=").is_err());
    }
}

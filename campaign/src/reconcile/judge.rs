//! One coupon: what the sources say of it, put together. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use favor_core::{Timestamp, time::beijing_day};

use super::code::ReconcileCode as Code;
use super::event::{Callback, Event, FlowLine, Send};

/// Notifications are repeated for a little more than a day (spec §6.5).
const CALLBACKS_COME_FOR: i64 = 25 * 3_600 * 1_000;

const TEN: NaiveTime = match NaiveTime::from_hms_opt(10, 0, 0) {
    Some(ten) => ten,
    None => panic!("ten o'clock is a time"),
};

/// What the sources cover, and what holds for all coupons.
#[derive(Clone, Debug, Default)]
pub(super) struct Frame {
    pub(super) now: Timestamp,
    /// When the stock ends.
    pub(super) ends: Option<Timestamp>,
    /// What a coupon of each campaign is worth.
    pub(super) faces: Vec<Option<i64>>,
    /// There is an inbox, with notifications of payments from this time on.
    pub(super) callbacks_since: Option<i64>,
    /// The use flow of the whole stock is there.
    pub(super) whole_use_flow: bool,
    /// Days whose use flow is there.
    pub(super) use_days: BTreeSet<NaiveDate>,
}

/// What became of a coupon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Unused,
    Used,
    /// Used, and given back each time.
    Refunded,
    /// Never used, and its time is over.
    Expired,
}

impl Fate {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Used => "used",
            Self::Refunded => "refunded",
            Self::Expired => "expired",
        }
    }
}

/// Lines and what they are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) lines: u64,
    pub(super) fen: i128,
}

impl Sum {
    pub(super) fn add(&mut self, line: &FlowLine) {
        self.lines += 1;
        self.fen += i128::from(line.discount.unwrap_or_default());
    }

    pub(super) fn add_sum(&mut self, other: Self) {
        self.lines += other.lines;
        self.fen += other.fen;
    }
}

/// A coupon's account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) sends: Vec<Send>,
    pub(super) fate: Option<Fate>,
    pub(super) payments: u64,
    pub(super) callbacks: u64,
    pub(super) used: Sum,
    pub(super) refunded: Sum,
    /// Lines that say what another says already.
    pub(super) repeated_uses: Sum,
    pub(super) repeated_refunds: Sum,
    /// The last payment, and when it was.
    pub(super) last_payment: Option<(String, Option<i64>)>,
    pub(super) differences: Vec<(Code, Option<String>, String)>,
}

/// A payment with the coupon.
#[derive(Debug, Default)]
struct Payment {
    callback: Option<Callback>,
    used: Option<FlowLine>,
    refunds: Vec<FlowLine>,
}

impl Payment {
    /// When the coupon was redeemed.
    fn at(&self) -> Option<i64> {
        let of_refund = || self.refunds.first().and_then(|line| line.used_at);
        self.used
            .as_ref()
            .and_then(|line| line.used_at)
            .or(self.callback.as_ref().map(|callback| callback.at))
            .or_else(of_refund)
    }

    fn given_back(&self) -> i128 {
        self.refunds.iter().map(|line| i128::from(line.discount.unwrap_or_default())).sum()
    }

    /// Whether all of it was given back. Where the amounts are not known, any refund counts as whole.
    fn is_whole_refund(&self) -> bool {
        let taken = self.used.as_ref().and_then(|line| line.discount);
        let known = self.refunds.iter().all(|line| line.discount.is_some());
        match taken {
            Some(taken) if known => !self.refunds.is_empty() && self.given_back() >= i128::from(taken),
            _ => !self.refunds.is_empty(),
        }
    }
}

/// Puts together what the sources say of one coupon.
pub(super) fn judge(events: Vec<Event>, frame: &Frame) -> Account {
    let mut account = Account::default();
    let payments = payments_of(events, &mut account);
    for (transaction, payment) in &payments {
        check_payment(transaction, payment, frame, &mut account);
    }
    check_order(&payments, &mut account);
    account.payments = count(payments.len());
    if account.sends.is_empty() && !payments.is_empty() {
        let text = format!("{} payments with a coupon that no ledger given has sent", payments.len());
        account.differ(Code::UsedWithoutSend, None, text);
    }
    if let [first, rest @ ..] = &account.sends[..]
        && !rest.is_empty()
    {
        let lines: Vec<_> = rest.iter().map(|send| send.line.to_string()).collect();
        let text = format!("sent to line {}, and also to line {}", first.line, lines.join(", "));
        account.differ(Code::SentTwice, None, text);
    }
    let ended = frame.ends.is_some_and(|ends| frame.now > ends);
    account.fate = Some(match payments.values().all(Payment::is_whole_refund) {
        _ if payments.is_empty() && ended => Fate::Expired,
        _ if payments.is_empty() => Fate::Unused,
        true => Fate::Refunded,
        false => Fate::Used,
    });
    let last = payments.iter().max_by_key(|(transaction, payment)| (payment.at(), *transaction));
    account.last_payment = last.map(|(transaction, payment)| (transaction.clone(), payment.at()));
    account
}

impl Account {
    fn differ(&mut self, code: Code, transaction: Option<&str>, text: impl Into<String>) {
        self.differences.push((code, transaction.map(str::to_owned), text.into()));
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Sorts the events by payment, and drops lines that say what others said.
fn payments_of(events: Vec<Event>, account: &mut Account) -> BTreeMap<String, Payment> {
    let mut payments: BTreeMap<String, Payment> = BTreeMap::new();
    // Where a refund has no number, its time and amount have to tell it from others.
    let mut refunds: HashMap<(String, Option<String>, Option<i64>, Option<i64>), FlowLine> = HashMap::new();
    for event in events {
        match event {
            Event::Send(send) => account.sends.push(send),
            Event::Callback(callback) => {
                account.callbacks += 1;
                let payment = payments.entry(callback.transaction.clone()).or_default();
                payment.callback.get_or_insert(callback);
            }
            Event::Use(line) => {
                let payment = payments.entry(line.transaction.clone()).or_default();
                match &payment.used {
                    None => {
                        account.used.add(&line);
                        payment.used = Some(line);
                    }
                    Some(first) => {
                        account.repeated_uses.add(&line);
                        if !first.says_the_same(&line) {
                            account.differ(
                                Code::LinesDiffer,
                                Some(&line.transaction),
                                lines_differ(first, &line),
                            );
                        }
                    }
                }
            }
            Event::Refund(line) => {
                let key = match &line.refund_id {
                    Some(id) => (line.transaction.clone(), Some(id.clone()), None, None),
                    None => (line.transaction.clone(), None, line.refunded_at, line.discount),
                };
                match refunds.get(&key) {
                    None => {
                        account.refunded.add(&line);
                        refunds.insert(key, line.clone());
                        payments.entry(line.transaction.clone()).or_default().refunds.push(line);
                    }
                    Some(first) => {
                        account.repeated_refunds.add(&line);
                        if !first.says_the_same(&line) {
                            account.differ(
                                Code::LinesDiffer,
                                Some(&line.transaction),
                                lines_differ(first, &line),
                            );
                        }
                    }
                }
            }
            Event::Problem { .. } => {}
        }
    }
    payments
}

fn lines_differ(first: &FlowLine, second: &FlowLine) -> String {
    format!(
        "line {} of file {} and line {} of file {} tell of the same and say different things; the first counts",
        first.line,
        first.file + 1,
        second.line,
        second.file + 1
    )
}

fn check_payment(transaction: &str, payment: &Payment, frame: &Frame, account: &mut Account) {
    let paid = Some(transaction);
    match (&payment.callback, &payment.used) {
        (Some(callback), None) if frame.flow_is_due(callback.at) => {
            account.differ(Code::CallbackWithoutFlow, paid, "no use flow has the payment of a notification");
        }
        (Some(_), None) => {
            account.differ(Code::FlowPending, paid, "the use flow of the day is not there yet");
        }
        (None, Some(line)) => match frame.callback_is_due(line.used_at) {
            Due::Yes => {
                account.differ(Code::FlowWithoutCallback, paid, "no notification told of the payment");
            }
            Due::Later => account.differ(Code::CallbackPending, paid, "the notification may still come"),
            Due::No => {}
        },
        _ => {}
    }
    if payment.used.is_none() && payment.callback.is_none() {
        match payment.at().is_none_or(|at| frame.flow_is_due(at)) {
            true => {
                account.differ(Code::RefundWithoutUse, paid, "no use flow has the payment that was refunded")
            }
            false => account.differ(Code::UsePending, paid, "the use flow of the day is not there"),
        }
    }
    let taken = payment.used.as_ref().map(|line| line.discount);
    if payment.used.iter().chain(&payment.refunds).any(|line| line.discount.is_none()) {
        account.differ(Code::NoAmount, paid, "a line of the payment has no amount");
    }
    if let Some(Some(taken)) = taken {
        let back = payment.given_back();
        if back > i128::from(taken) {
            let text = format!("{} yuan were given back of {}", yuan(back), yuan(i128::from(taken)));
            account.differ(Code::RefundExceedsUse, paid, text);
        }
        let worth = |send: &Send| usize::try_from(send.campaign).ok().and_then(|at| *frame.faces.get(at)?);
        let face = payment.callback.as_ref().and_then(|callback| callback.face);
        let face = face.or_else(|| account.sends.first().and_then(worth));
        if let Some(face) = face.filter(|face| *face != taken) {
            let (taken, face) = (yuan(i128::from(taken)), yuan(i128::from(face)));
            account.differ(
                Code::AmountDiffers,
                paid,
                format!("it took off {taken} yuan and is worth {face}"),
            );
        }
    }
}

/// A coupon can be used again only when the payment before was given back.
fn check_order(payments: &BTreeMap<String, Payment>, account: &mut Account) {
    let mut in_order: Vec<_> = payments.iter().filter(|(_, payment)| payment.at().is_some()).collect();
    in_order.sort_by_key(|(transaction, payment)| (payment.at(), *transaction));
    for pair in in_order.windows(2) {
        let [(first, before), (second, after)] = pair else { continue };
        let back_at = before.refunds.iter().filter_map(|line| line.refunded_at).max();
        let late = back_at.zip(after.at()).is_some_and(|(back, again)| back > again);
        if !before.is_whole_refund() || late {
            let text = format!("it was used again before payment {first} was given back");
            account.differ(Code::UsedTwice, Some(second), text);
        }
    }
}

/// Whether something must be there.
enum Due {
    Yes,
    /// It may still come.
    Later,
    No,
}

impl Frame {
    /// Whether the use flow must have a payment of this time: from 10:00 in Beijing on the next day, if its day is in
    /// the files.
    fn flow_is_due(&self, at: i64) -> bool {
        let Some(at) = moment(at) else { return false };
        let day = beijing_day(&at);
        let due = day.checked_add_days(Days::new(1)).map(|next| next.and_time(TEN));
        let now = favor_core::time::beijing(&self.now).naive_local();
        (self.whole_use_flow || self.use_days.contains(&day)) && due.is_some_and(|due| now >= due)
    }

    fn callback_is_due(&self, used_at: Option<i64>) -> Due {
        match (self.callbacks_since, used_at) {
            (None, _) => Due::No,
            (Some(since), Some(at)) if at < since => Due::No,
            (Some(_), Some(at)) if self.now.timestamp_millis() - at < CALLBACKS_COME_FOR => Due::Later,
            (Some(_), _) => Due::Yes,
        }
    }
}

fn moment(millis: i64) -> Option<Timestamp> {
    let since = TimeDelta::try_milliseconds(millis)?;
    chrono::DateTime::UNIX_EPOCH.checked_add_signed(since).map(|moment| favor_core::time::beijing(&moment))
}

/// An amount of fen, in yuan.
pub(super) fn yuan(fen: i128) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

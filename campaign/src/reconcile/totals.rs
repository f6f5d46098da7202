//! Sums that must agree: what came in, and what was made of it.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::code::ReconcileCode;
use super::judge::{Account, Fate, Sum, yuan};

/// A number of things, and what they are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Money {
    /// How many.
    pub count: u64,
    /// What they are worth, in fen; below zero only in a difference.
    #[serde(serialize_with = "in_yuan", rename = "yuan")]
    pub fen: i128,
}

fn in_yuan<S: Serializer>(fen: &i128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&yuan(*fen))
}

impl Money {
    /// The amount in yuan, with two decimals.
    pub fn yuan(&self) -> String {
        yuan(self.fen)
    }

    fn add(&mut self, fen: i128) {
        self.count += 1;
        self.fen += fen;
    }
}

impl From<Sum> for Money {
    fn from(sum: Sum) -> Self {
        Self { count: sum.lines, fen: sum.fen }
    }
}

/// What a reconciliation amounts to. Each coupon sent is one of unused, used, refunded and expired; each line of a flow
/// is of a coupon sent, of another one, or says what another line says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// Coupons that the ledgers have as sent, at their face values where these are known.
    pub sent: Money,
    /// Of them: never used, and still usable.
    pub unused: Money,
    /// Of them: used.
    pub used: Money,
    /// Of them: used, and given back each time.
    pub refunded: Money,
    /// Of them: never used, and their time is over.
    pub expired: Money,
    /// Sends that have a coupon which another send has too.
    pub sent_twice: Money,
    /// Sends whose outcome is not known to the ledgers.
    pub sends_unknown: u64,
    /// Lines of use flows about the stock.
    pub use_lines: Money,
    /// Of them: payments with coupons sent.
    pub use_of_sent: Money,
    /// Of them: payments with coupons that no ledger given has sent.
    pub use_of_others: Money,
    /// Of them: lines that tell of the same as another.
    pub use_repeated: Money,
    /// Lines of refund flows about the stock.
    pub refund_lines: Money,
    /// Of them: refunds of payments with coupons sent.
    pub refund_of_sent: Money,
    /// Of them: refunds of payments with coupons that no ledger given has sent.
    pub refund_of_others: Money,
    /// Of them: lines that tell of the same as another.
    pub refund_repeated: Money,
    /// What the coupons sent have taken off in the end: uses less refunds. Its count is that of the uses.
    pub net: Money,
    /// Notifications of payments with coupons of the stock.
    pub callbacks: u64,
    /// Notifications about other stocks, which were passed over.
    pub callbacks_of_others: u64,
    /// Rows of the flows about other stocks, which were passed over.
    pub foreign_rows: u64,
    /// Rows of the flows that cannot be read.
    pub malformed_rows: u64,
    /// Coupons that the stock gave out, where that was given.
    pub distributed: Option<u64>,
    /// Differences, by code.
    pub differences: BTreeMap<ReconcileCode, u64>,
    /// What time may settle, by code.
    pub pending: BTreeMap<ReconcileCode, u64>,
}

impl Totals {
    /// Whether everything that came in is accounted for, to the fen.
    pub fn balance(&self) -> bool {
        let sum = |parts: &[Money]| {
            let add =
                |sum: Money, part: &Money| Money { count: sum.count + part.count, fen: sum.fen + part.fen };
            parts.iter().fold(Money::default(), add)
        };
        let sent = [self.unused, self.used, self.refunded, self.expired, self.sent_twice];
        let uses = [self.use_of_sent, self.use_of_others, self.use_repeated];
        let refunds = [self.refund_of_sent, self.refund_of_others, self.refund_repeated];
        sum(&sent) == self.sent
            && sum(&uses) == self.use_lines
            && sum(&refunds) == self.refund_lines
            && self.net.fen == self.use_of_sent.fen - self.refund_of_sent.fen
    }

    /// How many differences there are; what time may settle is none.
    pub fn difference_count(&self) -> u64 {
        self.differences.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    pub(super) fn count(&mut self, code: ReconcileCode) {
        let counts = if code.is_pending() { &mut self.pending } else { &mut self.differences };
        *counts.entry(code).or_default() += 1;
    }

    /// Adds what was made of a coupon; `face` is what a send is worth.
    pub(super) fn add(&mut self, account: &Account, face: impl Fn(u64) -> i128) {
        let mut sends = account.sends.iter().map(|send| face(send.campaign));
        let was_sent = match sends.next() {
            None => false,
            Some(fen) => {
                let fate = match account.fate {
                    Some(Fate::Unused) | None => &mut self.unused,
                    Some(Fate::Used) => &mut self.used,
                    Some(Fate::Refunded) => &mut self.refunded,
                    Some(Fate::Expired) => &mut self.expired,
                };
                fate.add(fen);
                true
            }
        };
        sends.for_each(|fen| self.sent_twice.add(fen));
        let (uses, refunds) = match was_sent {
            true => (&mut self.use_of_sent, &mut self.refund_of_sent),
            false => (&mut self.use_of_others, &mut self.refund_of_others),
        };
        put(uses, account.used);
        put(refunds, account.refunded);
        put(&mut self.use_repeated, account.repeated_uses);
        put(&mut self.refund_repeated, account.repeated_refunds);
        self.net =
            Money { count: self.use_of_sent.count, fen: self.use_of_sent.fen - self.refund_of_sent.fen };
        for (code, ..) in &account.differences {
            self.count(*code);
        }
    }
}

fn put(money: &mut Money, sum: Sum) {
    money.count += sum.lines;
    money.fen += sum.fen;
}

/// What came in, counted while it was read and before it was sorted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Incoming {
    pub(super) sent: Sum,
    pub(super) sends_unknown: u64,
    pub(super) uses: Sum,
    pub(super) refunds: Sum,
    pub(super) callbacks: u64,
    pub(super) callbacks_of_others: u64,
    pub(super) foreign_rows: u64,
    pub(super) malformed_rows: u64,
}

impl Incoming {
    pub(super) fn totals(&self) -> Totals {
        Totals {
            sent: self.sent.into(),
            sends_unknown: self.sends_unknown,
            use_lines: self.uses.into(),
            refund_lines: self.refunds.into(),
            callbacks: self.callbacks,
            callbacks_of_others: self.callbacks_of_others,
            foreign_rows: self.foreign_rows,
            malformed_rows: self.malformed_rows,
            ..Totals::default()
        }
    }
}

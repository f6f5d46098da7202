//! What a reconciliation found.

use std::io;
use std::path::PathBuf;

use favor_core::{OpenId, time::beijing};
use favor_coupon::DerivedNumbers;

use super::ReconcileError;
use super::code::ReconcileCode as Code;
use super::event::Event;
use super::judge::{Account, Frame, judge};
use super::row::{ReconcileDifference, ReconcileRow};
use super::totals::Totals;
use crate::external_sort::{Merge, Sorted};
use crate::name::CampaignName;

/// More lines about one coupon than this are not looked at.
const MOST_EVENTS: usize = 10_000;

/// What a reconciliation found. Its rows are in a temporary file that goes with it, and can be read and written as often
/// as wanted.
#[derive(Debug)]
pub struct Reconciled {
    sorted: Sorted,
    folder: PathBuf,
    campaigns: Vec<(CampaignName, DerivedNumbers)>,
    frame: Frame,
    totals: Totals,
    differences: Vec<ReconcileDifference>,
}

impl Reconciled {
    pub(super) fn new(
        sorted: Sorted,
        folder: PathBuf,
        campaigns: Vec<(CampaignName, DerivedNumbers)>,
        frame: Frame,
        totals: Totals,
        keep: usize,
    ) -> Result<Self, ReconcileError> {
        let mut this = Self { sorted, folder, campaigns, frame, totals, differences: Vec::new() };
        let mut totals = this.totals.clone();
        let mut differences = Vec::new();
        this.each_part(|part| {
            match &part {
                Part::Problem(code, _) => totals.count(*code),
                Part::Coupon(_, account) => totals.add(account, |campaign| this.face(campaign)),
            }
            for difference in this.row(part).differences {
                if differences.len() < keep {
                    differences.push(difference);
                }
            }
            Ok(())
        })?;
        this.totals = totals;
        this.differences = differences;
        Ok(this)
    }

    /// The sums.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The first differences, what time may settle too, as many as are kept.
    pub fn differences(&self) -> &[ReconcileDifference] {
        &self.differences
    }

    /// Whether nothing differs and the sums agree.
    pub fn is_clean(&self) -> bool {
        self.totals.difference_count() == 0 && self.totals.balance()
    }

    /// Gives each row: first what is off about the sources, then one for each coupon that was sent or used, in the order
    /// of their ids. `each` ends it by an error.
    ///
    /// # Errors
    /// [`ReconcileError::Temporary`], and what `each` returns.
    pub fn for_each_row(
        &self,
        mut each: impl FnMut(ReconcileRow) -> Result<(), ReconcileError>,
    ) -> Result<(), ReconcileError> {
        self.each_part(|part| each(self.row(part)))
    }

    fn each_part(
        &self,
        mut each: impl FnMut(Part) -> Result<(), ReconcileError>,
    ) -> Result<(), ReconcileError> {
        let fault = |cause| ReconcileError::Temporary { folder: self.folder.clone(), cause };
        let mut entries = self.sorted.entries().map_err(fault)?;
        let mut coupon_id = String::new();
        let mut events: Vec<Event> = Vec::new();
        let mut left_out = LeftOut::default();
        loop {
            let next = read(&mut entries).map_err(fault)?;
            let same = next.as_ref().is_some_and(|(id, _)| *id == coupon_id);
            if !same && !events.is_empty() {
                let mut account = judge(std::mem::take(&mut events), &self.frame);
                std::mem::take(&mut left_out).put_into(&mut account);
                each(Part::Coupon(std::mem::take(&mut coupon_id), Box::new(account)))?;
            }
            match next {
                None => return Ok(()),
                Some((_, Event::Problem { code, text })) => {
                    let code = Code::unpack(code).ok_or_else(|| fault(damaged()))?;
                    each(Part::Problem(code, text))?;
                }
                Some((id, event)) => {
                    coupon_id = id;
                    if events.len() < MOST_EVENTS {
                        events.push(event);
                    } else {
                        left_out.add(event);
                    }
                }
            }
        }
    }

    fn face(&self, campaign: u64) -> i128 {
        let face = usize::try_from(campaign).ok().and_then(|at| *self.frame.faces.get(at)?);
        i128::from(face.unwrap_or_default())
    }

    fn row(&self, part: Part) -> ReconcileRow {
        match part {
            Part::Problem(code, text) => ReconcileRow {
                differences: vec![ReconcileDifference { code, coupon_id: None, transaction_id: None, text }],
                ..ReconcileRow::default()
            },
            Part::Coupon(coupon_id, account) => self.coupon_row(coupon_id, *account),
        }
    }

    fn coupon_row(&self, coupon_id: String, account: Account) -> ReconcileRow {
        let send = account.sends.first();
        let campaign = send.and_then(|send| self.campaigns.get(usize::try_from(send.campaign).ok()?));
        let openid: Option<OpenId> = send.and_then(|send| send.openid.as_deref()?.parse().ok());
        let slot = send.and_then(|send| u32::try_from(send.slot).ok());
        let number = campaign.zip(openid.as_ref()).zip(slot);
        let (transaction_id, used_at) = account.last_payment.unzip();
        let moment = |millis| chrono::DateTime::from_timestamp_millis(millis).map(|at| beijing(&at));
        let differences = account.differences.into_iter().map(|(code, transaction_id, text)| {
            ReconcileDifference { code, coupon_id: Some(coupon_id.clone()), transaction_id, text }
        });
        ReconcileRow {
            campaign: campaign.map(|(name, _)| name.clone()),
            line: send.map(|send| send.line),
            slot,
            out_request_no: number.map(|(((_, numbers), openid), slot)| numbers.of(openid, slot)),
            fate: account.fate.map(|fate| fate.as_str()),
            payments: account.payments,
            callbacks: account.callbacks,
            used_fen: account.used.fen,
            refunded_fen: account.refunded.fen,
            transaction_id,
            used_at: used_at.flatten().and_then(moment),
            differences: differences.collect(),
            openid,
            coupon_id: Some(coupon_id),
        }
    }
}

/// A coupon's account, or what is off about a source.
enum Part {
    Problem(Code, String),
    Coupon(String, Box<Account>),
}

/// Lines that are not looked at; their money is accounted for as repeated.
#[derive(Default)]
struct LeftOut(Account);

impl LeftOut {
    fn add(&mut self, event: Event) {
        match event {
            Event::Send(send) => self.0.sends.push(send),
            Event::Callback(_) => self.0.callbacks += 1,
            Event::Use(line) => self.0.repeated_uses.add(&line),
            Event::Refund(line) => self.0.repeated_refunds.add(&line),
            Event::Problem { .. } => {}
        }
    }

    fn put_into(self, account: &mut Account) {
        let Self(left_out) = self;
        if left_out == Account::default() {
            return;
        }
        account.sends.extend(left_out.sends);
        account.callbacks += left_out.callbacks;
        account.repeated_uses.add_sum(left_out.repeated_uses);
        account.repeated_refunds.add_sum(left_out.repeated_refunds);
        let text = format!("more than {MOST_EVENTS} lines are about this coupon; the rest was not looked at");
        account.differences.push((Code::TooManyLines, None, text));
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a temporary file is damaged")
}

fn read(entries: &mut Merge<'_>) -> io::Result<Option<(String, Event)>> {
    let Some(entry) = entries.next()? else { return Ok(None) };
    let id = std::str::from_utf8(entry.key).map_err(|_| damaged())?;
    let event = Event::unpack(entry.extra).ok_or_else(damaged)?;
    Ok(Some((id.to_owned(), event)))
}

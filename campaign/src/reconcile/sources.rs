//! Reading the sources of a reconciliation.

use std::io::BufRead;

use favor_callback::{EventType, Inbox, InboxError};
use favor_core::{Fen, Timestamp};
use favor_stock::{FlowReader, FlowRow};

use super::code::ReconcileCode as Code;
use super::event::{Callback, Event, FlowLine, Send};
use super::judge::Sum;
use super::{FlowCover, ReconcileError, Reconciliation};
use crate::ledger::{Books, Campaign, OutcomeState};
use crate::row_cursor::RowCursor;

/// Notifications per call to the inbox.
const PAGE: usize = 500;

impl Reconciliation {
    /// Takes the sends of a campaign on the stock, from its ledger.
    ///
    /// # Errors
    /// [`ReconcileError::OtherStock`] when it is one on another stock; [`ReconcileError::Ledger`].
    pub async fn add_campaign(
        &mut self,
        books: &dyn Books,
        campaign: &Campaign,
    ) -> Result<(), ReconcileError> {
        let manifest = &campaign.manifest;
        if manifest.stock_id != self.stock_id {
            return Err(ReconcileError::OtherStock {
                campaign: manifest.name.clone(),
                stock_id: manifest.stock_id.clone(),
            });
        }
        let number = u64::try_from(self.campaigns.len()).unwrap_or(u64::MAX);
        let face = manifest.face_value.map(Fen::get);
        self.frame.faces.push(face);
        self.campaigns.push((manifest.name.clone(), manifest.numbers()));
        let mut rows = RowCursor::new(books, campaign.id);
        while let Some(row) = rows.next().await? {
            for outcome in &row.outcomes {
                let slot = u64::from(outcome.slot);
                let openid = || row.openid.as_ref().map(|openid| openid.as_str().to_owned());
                if let Some(coupon_id) = &outcome.coupon_id {
                    self.incoming.sent.add_sum(Sum { lines: 1, fen: i128::from(face.unwrap_or_default()) });
                    let send = Send { campaign: number, line: row.line, slot, openid: openid() };
                    self.push(coupon_id.as_str(), &Event::Send(send))?;
                } else if outcome.state == OutcomeState::Unknown {
                    self.incoming.sends_unknown += 1;
                    self.problem(
                        Code::SentWithoutTrace,
                        format!(
                            "campaign {}, line {}, slot {slot}: tried {} times, and whether there is a coupon is not \
                             known; an audit tells",
                            manifest.name, row.line, outcome.attempts
                        ),
                    )?;
                }
            }
        }
        Ok(())
    }

    /// Takes the notifications of an inbox, whatever became of them there. Those about other stocks are passed over.
    /// From then on each payment of the flows should have a notification; where the inbox does not go back to the
    /// beginning, say since when it does.
    ///
    /// # Errors
    /// [`ReconcileError::Inbox`].
    pub async fn add_inbox(
        &mut self,
        inbox: &dyn Inbox,
        since: Option<Timestamp>,
    ) -> Result<(), ReconcileError> {
        let since = since.map_or(i64::MIN, |since| since.timestamp_millis());
        let known = self.frame.callbacks_since.unwrap_or(i64::MAX);
        self.frame.callbacks_since = Some(since.min(known));
        let (mut after, mut most) = (None, PAGE);
        loop {
            let page = match inbox.list(after, most).await {
                Ok(page) => page,
                // What lies before it on the page is to be read: one by one, until it is the first.
                Err(InboxError::Damaged { .. }) if most > 1 => {
                    most = 1;
                    continue;
                }
                Err(InboxError::Damaged { id, cause }) => {
                    self.problem(Code::UnreadableCallback, format!("notification {id}: {cause}"))?;
                    (after, most) = (Some(id), PAGE);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            for entry in page {
                let (id, event_type) = (entry.id, entry.record.event_type.clone());
                if event_type != EventType::CouponUse {
                    continue;
                }
                match entry.record.into_notification() {
                    Ok(notification) => match notification.payload.coupon() {
                        Some(coupon) if coupon.stock_id != self.stock_id => {
                            self.incoming.callbacks_of_others += 1
                        }
                        Some(coupon) => self.callback(id, coupon)?,
                        None => {}
                    },
                    Err(error) => {
                        self.problem(Code::UnreadableCallback, format!("notification {id}: {error}"))?;
                    }
                }
            }
        }
    }

    pub(super) fn callback(
        &mut self,
        id: favor_callback::InboxId,
        coupon: &favor_callback::CouponEvent,
    ) -> Result<(), ReconcileError> {
        let Some(how) = &coupon.consume_information else {
            let text = format!("notification {id} does not tell of a payment");
            return self.problem(Code::UnreadableCallback, text);
        };
        self.incoming.callbacks += 1;
        let event = Event::Callback(Callback {
            transaction: how.transaction_id.as_str().to_owned(),
            at: how.consume_time.timestamp_millis(),
            face: coupon.normal_coupon_information.as_ref().map(|normal| normal.coupon_amount.get()),
        });
        self.push(coupon.coupon_id.as_str(), &event)
    }

    /// Takes the lines of a use flow. `name` is what problems call the file. Rows that cannot be read, rows about other
    /// stocks, and a file that is cut are differences and no errors.
    ///
    /// # Errors
    /// [`ReconcileError::Temporary`].
    pub fn add_use_flow(
        &mut self,
        name: &str,
        input: impl BufRead,
        cover: FlowCover,
    ) -> Result<(), ReconcileError> {
        match cover {
            FlowCover::Whole => self.frame.whole_use_flow = true,
            FlowCover::Day(day) => {
                self.frame.use_days.insert(day);
            }
        }
        self.add_flow(name, input, false)
    }

    /// Takes the lines of a refund flow, as [`add_use_flow`](Self::add_use_flow) does.
    ///
    /// # Errors
    /// [`ReconcileError::Temporary`].
    pub fn add_refund_flow(&mut self, name: &str, input: impl BufRead) -> Result<(), ReconcileError> {
        self.add_flow(name, input, true)
    }

    fn add_flow(&mut self, name: &str, input: impl BufRead, refunds: bool) -> Result<(), ReconcileError> {
        let file = self.files;
        self.files += 1;
        let mut reader = match FlowReader::new(input) {
            Ok(reader) => reader,
            Err(error) => return self.problem(Code::IncompleteFile, format!("{name}: {error}")),
        };
        while let Some(row) = reader.next_row() {
            match row {
                Ok(row) => self.flow_row(name, file, &row, refunds)?,
                Err(error) if error.is_one_row() => {
                    self.incoming.malformed_rows += 1;
                    self.problem(Code::MalformedRow, format!("{name}: {error}"))?;
                }
                Err(error) => self.problem(Code::IncompleteFile, format!("{name}: {error}"))?,
            }
        }
        Ok(())
    }

    fn flow_row(
        &mut self,
        name: &str,
        file: u64,
        row: &FlowRow<'_>,
        refunds: bool,
    ) -> Result<(), ReconcileError> {
        let line = row.line();
        if row.stock_id() != Some(self.stock_id.as_str()) {
            self.incoming.foreign_rows += 1;
            let text = match row.stock_id() {
                Some(other) => format!("{name}: line {line} is about stock {}", shortened(other)),
                None => format!("{name}: line {line} names no stock"),
            };
            return self.problem(Code::ForeignStock, text);
        }
        let id = row.coupon_id().filter(|id| id.len() <= LONGEST_ID);
        let transaction = row.transaction_id().unwrap_or_default();
        let lengths = [transaction.len(), row.refund_id().map_or(0, str::len)];
        let (Some(coupon_id), true) = (id, lengths.iter().all(|length| *length <= LONGEST_ID)) else {
            self.incoming.malformed_rows += 1;
            let text = format!("{name}: line {line} has no coupon id, or an id that is too long");
            return self.problem(Code::MalformedRow, text);
        };
        let flow_line = FlowLine {
            file,
            line,
            transaction: transaction.to_owned(),
            used_at: row.consume_time().map(|at| at.timestamp_millis()),
            discount: row.discount().map(Fen::get),
            refund_id: row.refund_id().map(str::to_owned),
            refunded_at: row.refund_time().map(|at| at.timestamp_millis()),
        };
        let sum = if refunds { &mut self.incoming.refunds } else { &mut self.incoming.uses };
        sum.add(&flow_line);
        let event = if refunds { Event::Refund(flow_line) } else { Event::Use(flow_line) };
        self.push(coupon_id, &event)
    }
}

/// No id of the platform is nearly as long.
const LONGEST_ID: usize = 256;

fn shortened(text: &str) -> String {
    text.chars().take(32).collect()
}

//! The lines of a report.

use std::io::{self, Write};

use favor_core::time::to_wire;
use favor_core::{CouponId, OutRequestNo};
use favor_coupon::DerivedNumbers;
use serde::Serialize;

use super::{ReportError, ReportOptions};
use crate::ledger::{Campaign, Row, RowOutcome};

/// A line of a report; its fields are the columns.
#[derive(Serialize)]
struct Line<'a> {
    line: u64,
    openid: &'a str,
    slot: u32,
    out_request_no: Option<&'a OutRequestNo>,
    state: &'static str,
    code: Option<&'a str>,
    message: Option<&'a str>,
    coupon_id: Option<&'a CouponId>,
    attempts: u32,
    first_tried_at: Option<String>,
    settled_at: Option<String>,
    request_id: Option<&'a str>,
}

/// Where lines go.
pub(super) enum Sink<W: Write> {
    Csv(Box<csv::Writer<W>>),
    JsonLines(io::BufWriter<W>),
}

impl<W: Write> Sink<W> {
    pub(super) fn csv(out: W) -> Result<Self, ReportError> {
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(out);
        writer
            .write_record([
                "line",
                "openid",
                "slot",
                "out_request_no",
                "state",
                "code",
                "message",
                "coupon_id",
                "attempts",
                "first_tried_at",
                "settled_at",
                "request_id",
            ])
            .map_err(csv_fault)?;
        Ok(Self::Csv(Box::new(writer)))
    }

    pub(super) fn json_lines(out: W) -> Self {
        Self::JsonLines(io::BufWriter::new(out))
    }

    fn put(&mut self, line: &Line<'_>) -> Result<(), ReportError> {
        match self {
            Self::Csv(writer) => writer.serialize(line).map_err(csv_fault),
            Self::JsonLines(out) => {
                serde_json::to_writer(&mut *out, line).map_err(|error| ReportError::Write(error.into()))?;
                out.write_all(b"\n").map_err(ReportError::Write)
            }
        }
    }

    pub(super) fn finish(self) -> Result<(), ReportError> {
        match self {
            Self::Csv(mut writer) => writer.flush(),
            Self::JsonLines(mut out) => out.flush(),
        }
        .map_err(ReportError::Write)
    }
}

fn csv_fault(error: csv::Error) -> ReportError {
    let text = error.to_string();
    ReportError::Write(match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        _ => io::Error::other(text),
    })
}

/// Makes lines of rows.
pub(super) struct Lines<'a> {
    numbers: DerivedNumbers,
    options: &'a ReportOptions,
}

impl<'a> Lines<'a> {
    pub(super) fn new(campaign: &Campaign, options: &'a ReportOptions) -> Self {
        Self { numbers: campaign.manifest.numbers(), options }
    }

    pub(super) fn write<W: Write>(&self, row: &Row, sink: &mut Sink<W>) -> Result<(), ReportError> {
        let openid = self.options.openids.show(row.openid.as_ref());
        for outcome in row.outcomes.iter().filter(|outcome| self.shows(outcome)) {
            let number = row.openid.as_ref().map(|openid| self.numbers.of(openid, outcome.slot));
            sink.put(&Line {
                line: row.line,
                openid: &openid,
                slot: outcome.slot,
                out_request_no: number.as_ref(),
                state: outcome.state.as_str(),
                code: outcome.code.as_deref(),
                message: outcome.message.as_deref(),
                coupon_id: outcome.coupon_id.as_ref(),
                attempts: outcome.attempts,
                first_tried_at: outcome.first_tried_at.map(|at| to_wire(&at)),
                settled_at: outcome.settled_at.map(|at| to_wire(&at)),
                request_id: outcome.request_id.as_deref(),
            })?;
        }
        Ok(())
    }

    fn shows(&self, outcome: &RowOutcome) -> bool {
        let ReportOptions { states, codes, .. } = self.options;
        let code = outcome.code.as_deref().unwrap_or_default();
        (states.is_empty() || states.contains(&outcome.state))
            && (codes.is_empty() || codes.iter().any(|wanted| wanted == code))
    }
}

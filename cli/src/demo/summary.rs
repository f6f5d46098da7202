//! What a demo run came to.

use std::collections::BTreeMap;
use std::time::Duration;

use favor_core::{Fen, StockId};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::Output;

/// The counts of a run, from four sides: the client, the queries, the stock's counter, the mirror's audit.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) stock_id: StockId,
    pub(crate) people: u64,
    pub(crate) sent: u64,
    pub(crate) refused: u64,
    pub(crate) not_sent: u64,
    pub(crate) unknown: u64,
    pub(crate) distinct_coupons: u64,
    pub(crate) queried_back: u64,
    pub(crate) mirror_distributed: u64,
    pub(crate) audit_ok: bool,
    pub(crate) verified_responses: u64,
    pub(crate) face_value: Fen,
    pub(crate) took: Duration,
    pub(crate) refusals: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Json<'a> {
    stock_id: &'a StockId,
    people: u64,
    sent: u64,
    refused: u64,
    not_sent: u64,
    unknown: u64,
    distinct_coupons: u64,
    queried_back: u64,
    mirror_distributed: u64,
    audit_ok: bool,
    verified_responses: u64,
    given_fen: i64,
    refusals: &'a BTreeMap<String, u64>,
    seconds: f64,
}

impl Summary {
    /// Whether all sides agree that everybody got exactly one coupon.
    fn balances(&self) -> bool {
        let all = [self.sent, self.distinct_coupons, self.queried_back, self.mirror_distributed];
        self.audit_ok && all.iter().all(|count| *count == self.people)
    }

    pub(crate) fn exit(&self) -> Exit {
        if self.balances() {
            Exit::Done
        } else if self.unknown > 0 {
            Exit::Unknown
        } else if self.not_sent > 0 {
            Exit::NotSent
        } else {
            Exit::Refused
        }
    }

    pub(crate) fn print(&self, output: &Output) -> anyhow::Result<()> {
        let given = self.face_value.checked_mul(self.distinct_coupons)?;
        if output.is_json() {
            return output.json(&Json {
                stock_id: &self.stock_id,
                people: self.people,
                sent: self.sent,
                refused: self.refused,
                not_sent: self.not_sent,
                unknown: self.unknown,
                distinct_coupons: self.distinct_coupons,
                queried_back: self.queried_back,
                mirror_distributed: self.mirror_distributed,
                audit_ok: self.audit_ok,
                verified_responses: self.verified_responses,
                given_fen: given.get(),
                refusals: &self.refusals,
                seconds: self.took.as_secs_f64(),
            });
        }
        output.line(&format!(
            "Stock {} to {} people in {:.1} s\n",
            self.stock_id,
            self.people,
            self.took.as_secs_f64()
        ))?;
        output.facts([
            ("  sent", format!("{} coupons of {}, {given} in all", self.sent, self.face_value)),
            ("  refused", self.refused.to_string()),
            ("  not sent", self.not_sent.to_string()),
            ("  unknown", self.unknown.to_string()),
            ("  different coupons", self.distinct_coupons.to_string()),
            ("  found by query", self.queried_back.to_string()),
            ("  counted by the mirror", self.mirror_distributed.to_string()),
            ("  answers verified", self.verified_responses.to_string()),
            ("  mirror's audit", if self.audit_ok { "holds" } else { "broken" }.to_owned()),
        ])?;
        for (reason, count) in &self.refusals {
            output.line(&format!("  {count} ended with {reason}"))?;
        }
        output.line(if self.balances() {
            "\nEverybody got exactly one coupon, and all counts agree."
        } else {
            "\nThe counts do not agree: see above."
        })
    }
}

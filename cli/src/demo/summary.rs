//! What a demo run came to.

use std::collections::BTreeMap;
use std::time::Duration;

use favor_core::{Fen, StockId};
use serde::{Serialize, Serializer};

use crate::demo::flows::{FlowTotals, Used};
use crate::demo::matched::Matched;
use crate::demo::told::Told;
use crate::exit::Exit;
use crate::output::Output;

/// The counts of a run, from several sides: the campaign's ledger, the queries, the stock's counter, the flow files, the
/// notifications, the reconciliation of these, and the mirror's audit.
#[derive(Debug, Serialize)]
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
    #[serde(flatten)]
    pub(crate) used: Used,
    pub(crate) use_flow: FlowTotals,
    pub(crate) refund_flow: FlowTotals,
    pub(crate) notifications: Told,
    pub(crate) reconcile: Matched,
    pub(crate) audit_ok: bool,
    pub(crate) verified_responses: u64,
    pub(crate) face_value: Fen,
    pub(crate) refusals: BTreeMap<String, u64>,
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(crate) took: Duration,
}

fn seconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_secs_f64())
}

impl Summary {
    /// Whether all sides agree: everybody got exactly one coupon, the flow files tell what happened, to the fen, and
    /// each redemption was notified and handled once.
    fn balances(&self) -> bool {
        let all = [self.sent, self.distinct_coupons, self.queried_back, self.mirror_distributed];
        self.audit_ok
            && all.iter().all(|count| *count == self.people)
            && self.flow_balances(self.use_flow, self.used.redeemed)
            && self.flow_balances(self.refund_flow, self.used.refunded)
            && self.notifications.balances(self.used.redeemed)
            && self.reconcile.clean
            && self.reconcile.totals.sent.count == self.people
    }

    fn flow_balances(&self, flow: FlowTotals, count: u64) -> bool {
        flow.rows == count && self.face_value.checked_mul(count).is_ok_and(|sum| sum == flow.discount)
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
        if output.is_json() {
            return output.json(self);
        }
        let given = self.face_value.checked_mul(self.distinct_coupons)?;
        let took = self.took.as_secs_f64();
        output.line(&format!("Stock {} to {} people in {took:.1} s\n", self.stock_id, self.people))?;
        let told = self.notifications;
        let matched = &self.reconcile.totals;
        let reconciled = format!(
            "{} used, {} refunded, {} expired; {} differences",
            matched.used.count,
            matched.refunded.count,
            matched.expired.count,
            matched.difference_count()
        );
        let flow = |flow: FlowTotals| format!("{} rows, {}", flow.rows, flow.discount);
        output.facts([
            ("  sent", format!("{} coupons of {}, {given} in all", self.sent, self.face_value)),
            ("  refused", self.refused.to_string()),
            ("  not sent", self.not_sent.to_string()),
            ("  unknown", self.unknown.to_string()),
            ("  different coupons", self.distinct_coupons.to_string()),
            ("  found by query", self.queried_back.to_string()),
            ("  counted by the mirror", self.mirror_distributed.to_string()),
            ("  redeemed", self.used.redeemed.to_string()),
            ("  in the use flow", flow(self.use_flow)),
            ("  refunded", self.used.refunded.to_string()),
            ("  in the refund flow", flow(self.refund_flow)),
            ("  notifications received", told.came.to_string()),
            ("  duplicates of them", told.duplicates.to_string()),
            ("  signature probes", told.probes.to_string()),
            ("  held back, overtaken", told.held_back.to_string()),
            ("  new and handled once", format!("{} of {} redeemed", told.handled, self.used.redeemed)),
            ("  reconciled", reconciled),
            ("  answers verified", self.verified_responses.to_string()),
            ("  mirror's audit", if self.audit_ok { "holds" } else { "broken" }.to_owned()),
        ])?;
        for (reason, count) in &self.refusals {
            output.line(&format!("  {count} ended with {reason}"))?;
        }
        output.line(if self.balances() {
            "\nEverybody got exactly one coupon, and all counts agree to the fen."
        } else {
            "\nThe counts do not agree: see above."
        })
    }
}

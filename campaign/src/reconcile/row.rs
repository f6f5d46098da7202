//! The rows of a reconciliation: one per coupon, and one per difference.

use std::borrow::Cow;

use favor_core::{OpenId, OutRequestNo, Timestamp, time::to_wire};
use serde::{Serialize, Serializer};

use super::code::ReconcileCode;
use super::judge::yuan;
use crate::name::CampaignName;
use crate::report::OpenidForm;

/// What became of one coupon, or what is off about a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReconcileRow {
    /// The coupon; none where it is about a source.
    pub coupon_id: Option<String>,
    /// The campaign that sent it.
    pub campaign: Option<CampaignName>,
    /// The line of the campaign's list.
    pub line: Option<u64>,
    /// Who has it.
    pub openid: Option<OpenId>,
    /// Which of the person's coupons it is.
    pub slot: Option<u32>,
    /// The number under which it was sent.
    pub out_request_no: Option<OutRequestNo>,
    /// `unused`, `used`, `refunded` or `expired`; none where it is about a source.
    pub fate: Option<&'static str>,
    /// Payments with it.
    pub payments: u64,
    /// Notifications of payments with it.
    pub callbacks: u64,
    /// What it took off, in fen.
    pub used_fen: i128,
    /// What of that was given back, in fen.
    pub refunded_fen: i128,
    /// The last payment with it.
    pub transaction_id: Option<String>,
    /// When that was.
    pub used_at: Option<Timestamp>,
    /// What is off about it.
    pub differences: Vec<ReconcileDifference>,
}

/// Something that the sources say differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReconcileDifference {
    /// What it is.
    pub code: ReconcileCode,
    /// The coupon; none where it is about a source.
    pub coupon_id: Option<String>,
    /// The payment, where it is about one.
    pub transaction_id: Option<String>,
    /// More about it, for people.
    pub text: String,
}

/// A row as it is written.
#[derive(Serialize)]
pub(super) struct WrittenRow<'a> {
    coupon_id: Option<&'a str>,
    campaign: Option<&'a str>,
    line: Option<u64>,
    openid: Cow<'a, str>,
    slot: Option<u32>,
    out_request_no: Option<&'a str>,
    fate: Option<&'static str>,
    payments: u64,
    callbacks: u64,
    used_yuan: String,
    refunded_yuan: String,
    net_yuan: String,
    transaction_id: Option<&'a str>,
    used_at: Option<String>,
    codes: Codes<'a>,
}

/// The codes of a row, in one text.
struct Codes<'a>(&'a [ReconcileDifference]);

impl Serialize for Codes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut codes: Vec<_> = self.0.iter().map(|difference| difference.code).collect();
        codes.dedup();
        let words: Vec<_> = codes.iter().map(|code| code.as_str()).collect();
        serializer.serialize_str(&words.join(" "))
    }
}

impl ReconcileRow {
    /// The names of the columns, in their order.
    pub(super) const COLUMNS: [&'static str; 15] = [
        "coupon_id",
        "campaign",
        "line",
        "openid",
        "slot",
        "out_request_no",
        "fate",
        "payments",
        "callbacks",
        "used_yuan",
        "refunded_yuan",
        "net_yuan",
        "transaction_id",
        "used_at",
        "codes",
    ];

    pub(super) fn written(&self, openids: OpenidForm) -> WrittenRow<'_> {
        WrittenRow {
            coupon_id: self.coupon_id.as_deref(),
            campaign: self.campaign.as_ref().map(CampaignName::as_str),
            line: self.line,
            openid: openids.show(self.openid.as_ref()),
            slot: self.slot,
            out_request_no: self.out_request_no.as_ref().map(OutRequestNo::as_str),
            fate: self.fate,
            payments: self.payments,
            callbacks: self.callbacks,
            used_yuan: yuan(self.used_fen),
            refunded_yuan: yuan(self.refunded_fen),
            net_yuan: yuan(self.used_fen - self.refunded_fen),
            transaction_id: self.transaction_id.as_deref(),
            used_at: self.used_at.map(|at| to_wire(&at)),
            codes: Codes(&self.differences),
        }
    }
}

//! Recounts everything from the coupons and codes themselves.
//!
//! Nothing here shares code with the rules or trusts a counter: every figure is counted anew in SQL, so that a
//! mistake on the other side shows.

mod card_checks;
mod checks;

use rusqlite::Connection;
use serde::Serialize;

use crate::error::MirrorError;
use card_checks::CARD_CHECKS;
use checks::CHECKS;

/// What does not add up, and the figures of every stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Audit {
    /// Whether everything adds up.
    pub ok: bool,
    /// What does not.
    pub findings: Vec<Finding>,
    /// The figures of every stock.
    pub stocks: Vec<AuditedStock>,
}

/// One thing that does not add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// Name of the check.
    pub check: &'static str,
    /// The stock, coupon, request number, merchant, card, code or account it is about.
    pub subject: String,
    /// What was found.
    pub message: String,
}

/// A stock as counted from its coupons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditedStock {
    /// Id of the stock.
    pub stock_id: String,
    /// What the stock itself says it has given out.
    pub distributed_coupons: i64,
    /// Coupons there are.
    pub coupons: i64,
    /// Users that hold them.
    pub distinct_users: i64,
    /// Request numbers under which they were given.
    pub distinct_out_request_nos: i64,
    /// Their face value in fen.
    pub amount: i64,
    /// Coupons that may be given.
    pub max_coupons: i64,
    /// Face value that may be given, in fen.
    pub max_amount: i64,
    /// Coupons that are used: payments less those wholly refunded.
    pub used: i64,
    /// Payments, and lines in the use flow.
    pub redemptions: i64,
    /// What they took off, in fen.
    pub redeemed_amount: i64,
    /// Refunds, and lines in the refund flow.
    pub refunds: i64,
    /// Part of the discounts that went back, in fen.
    pub refunded_amount: i64,
}

impl Audit {
    /// The audit itself did not work.
    pub(crate) fn failed(error: &MirrorError) -> Self {
        let finding = Finding { check: "storage", subject: "store".to_owned(), message: error.to_string() };
        Self { ok: false, findings: vec![finding], stocks: Vec::new() }
    }
}

pub(crate) fn audit(db: &Connection) -> rusqlite::Result<Audit> {
    let mut findings = Vec::new();
    for (check, sql) in CHECKS.iter().chain(&CARD_CHECKS) {
        let mut statement = db.prepare(sql)?;
        let found = statement
            .query_map([], |row| Ok(Finding { check, subject: row.get(0)?, message: row.get(1)? }))?;
        for finding in found {
            findings.push(finding?);
        }
    }
    Ok(Audit { ok: findings.is_empty(), findings, stocks: stocks(db)? })
}

fn stocks(db: &Connection) -> rusqlite::Result<Vec<AuditedStock>> {
    db.prepare(
        "SELECT CAST(s.id AS TEXT), s.distributed, count(c.id), count(DISTINCT c.openid),
            count(DISTINCT c.sender || ' ' || c.out_request_no), coalesce(sum(c.amount), 0), s.max_coupons,
            s.max_amount, count(iif(c.status = 'USED', 1, NULL)),
            (SELECT count(*) FROM redemptions WHERE stock_id = s.id),
            (SELECT coalesce(sum(discount), 0) FROM redemptions WHERE stock_id = s.id),
            (SELECT count(*) FROM refunds WHERE stock_id = s.id),
            (SELECT coalesce(sum(discount), 0) FROM refunds WHERE stock_id = s.id)
         FROM stocks s LEFT JOIN coupons c ON c.stock_id = s.id GROUP BY s.id ORDER BY s.id",
    )?
    .query_map([], |row| {
        Ok(AuditedStock {
            stock_id: row.get(0)?,
            distributed_coupons: row.get(1)?,
            coupons: row.get(2)?,
            distinct_users: row.get(3)?,
            distinct_out_request_nos: row.get(4)?,
            amount: row.get(5)?,
            max_coupons: row.get(6)?,
            max_amount: row.get(7)?,
            used: row.get(8)?,
            redemptions: row.get(9)?,
            redeemed_amount: row.get(10)?,
            refunds: row.get(11)?,
            refunded_amount: row.get(12)?,
        })
    })?
    .collect()
}

#[cfg(test)]
mod tests;

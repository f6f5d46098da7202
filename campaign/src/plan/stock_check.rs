//! What a stock says about a plan.

use chrono::TimeDelta;
use favor_core::{Fen, MerchantId, Timestamp, time::to_wire};
use favor_stock::{QueriedStockType, Stock, StockStatus, StockUseRule};

use super::estimate::{coupons_a_day, estimate};
use super::finding::Finding;
use super::{in_words, worth};
use crate::manifest::Manifest;

/// What one coupon is worth: as the stock says, or as the manifest sets it.
pub(super) fn face_value(stock: &Stock, manifest: &Manifest) -> Option<Fen> {
    fixed_value(stock).or(manifest.open_value.map(|open| open.coupon_value)).or(manifest.face_value)
}

fn fixed_value(stock: &Stock) -> Option<Fen> {
    let rule = stock.stock_use_rule.as_ref()?;
    rule.fixed_normal_coupon.as_ref().map(|fixed| fixed.coupon_amount)
}

/// Looks at a stock as it was read, for a campaign that `caller` sends from `now` on.
pub fn judge_stock(stock: &Stock, manifest: &Manifest, caller: &MerchantId, now: Timestamp) -> Vec<Finding> {
    let mut manifest = manifest.clone();
    manifest.face_value = face_value(stock, &manifest);
    let mut findings = Vec::new();
    findings.extend(state(stock));
    findings.extend(window(stock, &manifest, now));
    findings.extend(kind(stock, &manifest));
    if let Some(rule) = &stock.stock_use_rule {
        findings.extend(amounts(stock, rule, &manifest));
        findings.extend(per_person(rule, &manifest));
    }
    findings.extend(daily_budget(stock, &manifest));
    findings.extend(parties(manifest.stock_creator_mchid == *caller, &manifest, caller));
    findings
}

fn state(stock: &Stock) -> Option<Finding> {
    let id = &stock.stock_id;
    Some(match &stock.status {
        StockStatus::Running => return None,
        StockStatus::Unactivated => Finding::error(
            "stock.not-started",
            "the stock was not started yet",
            format!("its creator starts it: favor stock start {id}"),
        ),
        StockStatus::Audit => Finding::error(
            "stock.under-review",
            "WeChat Pay still reviews the stock",
            "wait until it is released, then start it",
        ),
        StockStatus::Paused => Finding::error(
            "stock.paused",
            "the stock is paused and gives nothing out",
            format!("its creator resumes it: favor stock restart {id}"),
        ),
        StockStatus::Stopped => Finding::error(
            "stock.stopped",
            "the stock has ended for ever",
            "create a new stock and plan with that",
        ),
        other => Finding::warning(
            "stock.unknown-state",
            format!("the stock is in state {other}, which this version does not know"),
            "look at it in the merchant platform before starting",
        ),
    })
}

fn window(stock: &Stock, manifest: &Manifest, now: Timestamp) -> Option<Finding> {
    let (begin, end) = (stock.available_begin_time, stock.available_end_time);
    if stock.has_ended(now) {
        return Some(Finding::error(
            "window.ended",
            format!("the stock's window ended at {}", to_wire(&end)),
            "create a new stock and plan with that",
        ));
    }
    if now < begin {
        return Some(Finding::error(
            "window.not-begun",
            format!("the stock gives coupons out from {}", to_wire(&begin)),
            "start the campaign then",
        ));
    }
    let takes = estimate(manifest, Some(stock)).takes;
    let done = TimeDelta::from_std(takes).ok().and_then(|takes| now.checked_add_signed(takes));
    if done.is_none_or(|done| done > end) {
        return Some(Finding::warning(
            "window.too-short",
            format!("sending takes about {}, and the window ends at {}", in_words(takes), to_wire(&end)),
            "start earlier, raise the rate or the daily budget, or widen the daily windows",
        ));
    }
    None
}

fn kind(stock: &Stock, manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(other @ (QueriedStockType::InstantDiscount | QueriedStockType::Other)) = &stock.stock_type {
        findings.push(Finding::error(
            "stock.not-coupons",
            format!("the stock is of type {other}: its coupons cannot be sent"),
            "choose a stock of cash coupons",
        ));
    }
    match (fixed_value(stock), manifest.open_value) {
        (Some(face), Some(_)) => findings.push(Finding::error(
            "value.fixed",
            format!("each coupon of the stock is worth {face}, and the plan gives a value of its own"),
            "leave the value out",
        )),
        (None, None) if manifest.face_value.is_none() => findings.push(Finding::note(
            "value.unknown",
            "the stock does not say what a coupon is worth, so the budget cannot be checked",
            "check it in the merchant platform",
        )),
        _ => {}
    }
    findings
}

/// Whether what is left is enough.
fn amounts(stock: &Stock, rule: &StockUseRule, manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    let coupons = manifest.list.people.saturating_mul(u64::from(manifest.coupons_per_person));
    let given = stock.distributed_coupons;
    if let Some(most) = rule.max_coupons {
        let left = most.saturating_sub(given);
        if left < coupons {
            findings.push(Finding::error(
                "count.too-few",
                format!("{coupons} coupons are planned, and the stock has {left} left of {most}"),
                "raise its budget, shorten the list, or lower the coupons per person",
            ));
        }
    }
    if let (Some(budget), Some(face)) = (rule.max_amount, manifest.face_value) {
        let left = worth(face, given).and_then(|spent| budget.checked_sub(spent).ok()).unwrap_or(Fen::ZERO);
        let needed = worth(face, coupons);
        if needed.is_none_or(|needed| needed > left) {
            let needed = needed.map_or_else(|| "more than can be counted".to_owned(), |fen| fen.to_string());
            findings.push(Finding::error(
                "budget.too-small",
                format!("the coupons are worth {needed}, and {left} are left of {budget}"),
                "raise the budget, shorten the list, or lower the coupons per person",
            ));
        }
    }
    if given > 0 {
        findings.push(Finding::note(
            "count.given",
            format!("{given} coupons of the stock were given out already"),
            "who has one of them may be refused by the limit per user; `favor campaign audit` compares",
        ));
    }
    findings
}

/// The stock's own limit is the second fence against doubled coupons.
fn per_person(rule: &StockUseRule, manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    let wanted = u64::from(manifest.coupons_per_person);
    match rule.max_coupons_per_user {
        Some(limit) if limit < wanted => findings.push(Finding::error(
            "limit.too-low",
            format!("each person is to get {wanted} coupons, and the stock allows {limit}"),
            "lower the coupons per person, or use a stock with a higher limit",
        )),
        Some(limit) if limit > wanted => findings.push(Finding::warning(
            "limit.no-fence",
            format!("the stock allows a person {limit} coupons, and {wanted} are planned"),
            "a limit equal to the coupons per person is a second fence on WeChat Pay's side; without it only the \
             request numbers keep a person from getting more",
        )),
        Some(_) => {}
        None => findings.push(Finding::warning(
            "limit.unknown",
            "the stock does not say how many coupons a person may have",
            "check it in the merchant platform",
        )),
    }
    findings.push(Finding::note(
        "limit.not-shown",
        "whether the limit counts all accounts of one natural person together, and whether risk control refuses \
         suspicious accounts, is not shown by the platform",
        "expect refusals where it does; the report has their codes",
    ));
    findings
}

fn daily_budget(stock: &Stock, manifest: &Manifest) -> Option<Finding> {
    let a_day = coupons_a_day(manifest, stock)?;
    if a_day == 0 {
        return Some(Finding::error(
            "budget.day-too-small",
            "the daily budget is less than one coupon",
            "raise the daily budget",
        ));
    }
    let days = estimate(manifest, Some(stock)).budget_days.filter(|days| *days > 1)?;
    let then = if manifest.policy.wait_for_next_day {
        "the campaign waits for the next day in Beijing each time"
    } else {
        "the campaign pauses each time, and goes on when it is resumed"
    };
    Some(Finding::warning(
        "budget.daily",
        format!("the daily budget is enough for {a_day} coupons, so it takes {days} days"),
        format!("{then}; raise the daily budget to be faster"),
    ))
}

fn parties(is_creator: bool, manifest: &Manifest, caller: &MerchantId) -> Vec<Finding> {
    let mut findings = Vec::new();
    if manifest.merchant_id != *caller {
        findings.push(Finding::error(
            "sender.other",
            format!("the plan is for merchant {}, and {caller} calls", manifest.merchant_id),
            "use the profile of the merchant that sends",
        ));
    }
    if !is_creator {
        findings.push(Finding::warning(
            "sender.not-creator",
            format!("merchant {} created the stock, and {caller} sends it", manifest.stock_creator_mchid),
            "the stock can be seen, so sending is likely allowed; callbacks and flow files go to the creator, who has \
             to hand them over for a reconcile",
        ));
    }
    findings
}

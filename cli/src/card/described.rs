//! Cards in words.

use favor_card::{BaseInfo, Card, CardStatus, DateInfo, DateType};

use crate::expiry::days;
use crate::stock::local;

/// Names and values of a card.
pub(crate) fn facts(card: &Card) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let Some(info) = card.base_info() else {
        return vec![("type", card.card_type().to_string())];
    };
    if let Some(id) = &info.id {
        facts.push(("card", id.to_string()));
    }
    facts.push(("type", card.card_type().to_string()));
    facts.push(("title", info.title.clone()));
    facts.push(("brand", info.brand_name.clone()));
    facts.push(("worth", worth(card)));
    facts.push(("status", status(info)));
    facts.push(("stock", stock(info)));
    facts.push(("valid", validity(&info.date_info)));
    facts.push(("code shown as", info.code_type.to_string()));
    facts.push(("codes", codes(info).to_owned()));
    if let Some(limit) = info.get_limit {
        facts.push(("per user", limit.to_string()));
    }
    if let Some(at) = &info.create_time {
        facts.push(("created", local(at)));
    }
    if let Some(at) = &info.update_time {
        facts.push(("changed", local(at)));
    }
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn worth(card: &Card) -> String {
    match card {
        Card::Cash(cash) => format!("{} off from {}", cash.reduce_cost, cash.least_cost),
        Card::Discount(discount) => format!("{} % off", discount.discount),
        Card::Gift(gift) => gift.gift.clone(),
        Card::Groupon(groupon) => groupon.deal_detail.clone(),
        Card::GeneralCoupon(coupon) => coupon.default_detail.clone(),
        _ => String::new(),
    }
}

pub(crate) fn status(info: &BaseInfo) -> String {
    let Some(status) = &info.status else { return String::new() };
    let words = match status.today() {
        CardStatus::NotVerified => "under review",
        CardStatus::VerifyFailed => "refused by review",
        CardStatus::Verified => "approved",
        CardStatus::Deleted => "deleted",
        CardStatus::Dispatched => "given out from the console",
        _ => return status.to_string(),
    };
    format!("{words} ({status})")
}

pub(crate) fn stock(info: &BaseInfo) -> String {
    match info.sku.total_quantity {
        Some(total) => format!("{} left of {total}", info.sku.quantity),
        None => format!("{} left", info.sku.quantity),
    }
}

fn codes(info: &BaseInfo) -> &'static str {
    match (info.use_custom_code, &info.get_custom_code_mode) {
        (_, Some(_)) => "deposited by the merchant",
        (Some(true), None) => "the merchant's own",
        _ => "the platform's",
    }
}

fn validity(date: &DateInfo) -> String {
    let until = |text: String| match &date.end_timestamp {
        Some(end) => format!("{text}, until {} at the latest", local(end)),
        None => text,
    };
    match (&date.kind, &date.begin_timestamp, &date.end_timestamp) {
        (DateType::FixTimeRange, Some(begin), Some(end)) => format!("{} to {}", local(begin), local(end)),
        (DateType::FixTerm, ..) => {
            let term = days(date.fixed_term.unwrap_or(0));
            match date.fixed_begin_term {
                None | Some(0) => until(format!("for {term} from the claim")),
                Some(after) => until(format!("for {term}, {} after the claim", days(after))),
            }
        }
        (DateType::Permanent, ..) => "for ever".to_owned(),
        (kind, ..) => kind.to_string(),
    }
}

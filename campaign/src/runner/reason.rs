//! Why a campaign is paused, in words that say what to do.

use favor_core::Timestamp;
use favor_core::time::to_wire;

use crate::answer::Trouble;

/// An answer after which no send can succeed.
pub(super) fn stop(trouble: &Trouble, request_id: Option<&str>) -> String {
    format!("{}: {}. {}, then resume", what(trouble), said(trouble, request_id), remedy(trouble))
}

fn what(trouble: &Trouble) -> &'static str {
    let not_running = trouble.message.contains("活动");
    match trouble.code.as_str() {
        "NOT_ENOUGH" => "the stock's budget is used up",
        "INVALID_REQUEST" | "REQUEST_BLOCKED" if not_running => {
            "the stock does not run: paused, ended, not started, or outside its window"
        }
        "SIGN_ERROR" => "WeChat Pay does not accept this side's signature",
        "NO_AUTH" | "REQUEST_BLOCKED" => "the merchant may not send this stock",
        "APPID_MCHID_NOT_MATCH" => "the appid is not bound to the merchant",
        "MCH_NOT_EXISTS" | "INVALID_REQUEST" => "a merchant id is not accepted",
        "RESOURCE_NOT_EXISTS" | "NOT_FOUND" => "WeChat Pay does not know the stock, or not of this creator",
        "PARAM_ERROR" => "WeChat Pay does not accept the request's parameters",
        "keys" => "WeChat Pay's keys cannot be had, without which no answer can be trusted",
        "config" => "the client's settings do not work",
        _ if trouble.status == Some(401) => "WeChat Pay does not accept this side's signature",
        _ => "an answer that the policy pauses for",
    }
}

fn remedy(trouble: &Trouble) -> &'static str {
    let not_running = trouble.message.contains("活动");
    match trouble.code.as_str() {
        "NOT_ENOUGH" => "Raise the stock's budget, or stop the campaign; once it is raised",
        "INVALID_REQUEST" | "REQUEST_BLOCKED" if not_running => {
            "See to it that the stock is started, not paused, and within its time"
        }
        "SIGN_ERROR" => "Put key, certificate serial and clock right (`favor doctor` checks them)",
        "NO_AUTH" | "REQUEST_BLOCKED" => {
            "Open the coupon product for the merchant, or let the creator authorise it as a sender"
        }
        "APPID_MCHID_NOT_MATCH" => "Bind the appid to the merchant in the console",
        "RESOURCE_NOT_EXISTS" | "NOT_FOUND" | "PARAM_ERROR" | "MCH_NOT_EXISTS" | "INVALID_REQUEST" => {
            "Check stock, creator and appid; when the plan is wrong, stop this campaign and plan another"
        }
        "keys" => "Check the APIv3 key and the key mode (`favor doctor` checks them)",
        "config" => "Correct the profile",
        _ if trouble.status == Some(401) => {
            "Put key, certificate serial and clock right (`favor doctor` checks them)"
        }
        _ => "Look into it",
    }
}

/// The answer itself: code, status, words, and the id for WeChat Pay's support.
fn said(trouble: &Trouble, request_id: Option<&str>) -> String {
    let mut text = trouble.code.clone();
    if let Some(status) = trouble.status {
        text.push_str(&format!(" ({status})"));
    }
    if !trouble.message.is_empty() {
        text.push(' ');
        text.push_str(trouble.message.trim_end_matches(['。', '.']));
    }
    if let Some(id) = request_id {
        text.push_str(&format!(", request id {id}"));
    }
    text
}

/// The daily budget is used up.
pub(super) fn daily_budget(trouble: &Trouble, request_id: Option<&str>, until: Option<Timestamp>) -> String {
    let said = said(trouble, request_id);
    match until {
        Some(until) => {
            format!(
                "the stock's daily budget is used up: {said}. It goes on by itself at {}",
                to_wire(&until)
            )
        }
        None => format!("the stock's daily budget is used up: {said}. Resume on another day"),
    }
}

/// The first coupons are settled.
pub(super) fn pilot(settled: u64) -> String {
    format!(
        "pilot: the first {settled} coupons are settled. Look at what became of them, then resume, or stop"
    )
}

/// Too many coupons are parked.
pub(super) fn parked(count: u64) -> String {
    format!(
        "{count} coupons were parked, for answers that no rule of the policy knows. See the report for them, then resume, or stop; parked coupons can be opened again"
    )
}

/// Too many answers were refusals.
pub(super) fn refused(count: u32, of: usize) -> String {
    format!(
        "{count} of the last {of} answers were refusals. See by their codes in the report whether list and stock fit together, then resume, or stop"
    )
}

/// Nothing but internal errors for long.
pub(super) fn no_sense(probes: u32, last: &Trouble) -> String {
    format!(
        "WeChat Pay answers nothing but internal errors, {probes} times in a row at last: {}. It may be down; a wrong creator of the stock is answered so too. Check with a single send, then resume",
        said(last, None)
    )
}

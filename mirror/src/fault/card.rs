//! Carries faults of the card API out. Its answers are HTTP 200 with an `errcode`, or they are not its own.

use http::StatusCode;
use serde_json::json;

use super::{FaultKind, FaultRule, apply, errcode};
use crate::answer::Answer;
use crate::outgoing::Outgoing;

/// What `rate_limited` means here: the quota of the day is used up.
const QUOTA: i64 = 45_009;

/// What a fault before the work puts in the place of the work; `None` lets the work go on.
pub(crate) fn instead_of_call(rule: &FaultRule) -> Option<Answer> {
    if rule.kind == FaultKind::Delay {
        return None;
    }
    // Where the kind has no answer of its own, this one never reaches anybody.
    Some(alter_reply(rule, Answer::ok(&())))
}

/// Changes an answer before it has headers.
pub(crate) fn alter_reply(rule: &FaultRule, answer: Answer) -> Answer {
    match &rule.kind {
        FaultKind::Status { .. } => Answer { code: None, ..answer },
        kind => refusal(kind).unwrap_or_else(|| apply::alter_answer(rule, answer)),
    }
}

/// Spoils a finished response.
pub(crate) fn alter_response(rule: &FaultRule, outgoing: &mut Outgoing) {
    match &rule.kind {
        FaultKind::Status { status, .. } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
            apply::gateway_page(outgoing, status);
        }
        _ => apply::alter_outgoing(rule, outgoing),
    }
}

fn refusal(kind: &FaultKind) -> Option<Answer> {
    let (errcode, message) = match kind {
        FaultKind::ErrCode { errcode, message } => (*errcode, message.clone()),
        FaultKind::RateLimited { .. } => (QUOTA, None),
        _ => return None,
    };
    let errmsg = message.unwrap_or_else(|| errcode::errmsg(errcode));
    let body = json!({ "errcode": errcode, "errmsg": errmsg });
    Some(Answer { code: Some(errcode.to_string()), ..Answer::ok(&body) })
}

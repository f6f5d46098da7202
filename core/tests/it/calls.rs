//! Operations and calls for the tests.

use favor_core::{Call, Operation, Rate, Verb};
use serde_json::json;

pub(crate) const OPENID: &str = "oTea1qQ9vXn3kT7bWz5sLmR2cYpE";
pub(crate) const OUT_REQUEST_NO: &str = "1900000109-20260520-000001";

const SEND_PATH: &str = "/v3/marketing/favor/users/{openid}/coupons";

/// Idempotent, with a person in its path.
pub(crate) static SEND: Operation =
    Operation::new("coupon.send", Verb::Post, SEND_PATH).limited_to(Rate::per_second(500));
/// The same, not idempotent.
pub(crate) static SEND_ONCE: Operation =
    Operation::new("coupon.send_once", Verb::Post, SEND_PATH).not_idempotent();
/// A read.
pub(crate) static GET: Operation =
    Operation::new("stock.get", Verb::Get, "/v3/marketing/favor/stocks/{stock_id}");
/// A read whose answer may be unsigned.
pub(crate) static LINK: Operation =
    Operation::new("stock.use_flow", Verb::Get, "/v3/marketing/favor/stocks/{stock_id}/use-flow")
        .reply_may_be_unsigned();
/// A change of state.
pub(crate) static PATCH: Operation = Operation::new("card.change", Verb::Patch, "/v3/marketing/favor/x");

pub(crate) fn send() -> Call {
    sending(&SEND)
}

pub(crate) fn send_once() -> Call {
    sending(&SEND_ONCE)
}

fn sending(operation: &'static Operation) -> Call {
    Call::to(operation)
        .private_segment("openid", OPENID)
        .json(&json!({"stock_id": "9856000", "out_request_no": OUT_REQUEST_NO}))
        .finish()
        .unwrap()
}

pub(crate) fn get() -> Call {
    reading(&GET)
}

pub(crate) fn link() -> Call {
    reading(&LINK)
}

fn reading(operation: &'static Operation) -> Call {
    Call::to(operation)
        .segment("stock_id", "9856000")
        .query("stock_creator_mchid", "9856888")
        .finish()
        .unwrap()
}

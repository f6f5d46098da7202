//! Records to store: one that was really received, with other names in it.

use std::sync::LazyLock;

use favor_callback::{EventType, Record, SignedRequest};
use favor_core::{CouponId, TransactionId};
use futures_util::FutureExt as _;

use crate::platform::{USED, body};
use crate::world::{API_V3_KEY, merchant_id, receiver, signed};

const COUPON: &str = "18180000000001";
const TRANSACTION: &str = "4200000000202608030000000001";

static RECEIVED: LazyLock<Record> = LazyLock::new(|| {
    let body = body(API_V3_KEY, "COUPON.USE", USED);
    let headers = signed(body.as_bytes());
    let received = receiver().receive(&headers, body.as_bytes()).now_or_never();
    let notification = received.expect("with keys at hand nothing is waited for").unwrap();
    Record::new(notification, SignedRequest::new(&headers, body))
});

/// Of one merchant: this notification tells that this coupon was spent in this payment.
pub(crate) fn used(id: &str, coupon: &str, transaction: &str) -> Record {
    let mut record = RECEIVED.clone();
    record.id = id.parse().unwrap();
    record.resource = record.resource.replace(COUPON, coupon).replace(TRANSACTION, transaction);
    record.redemption = Some((CouponId::new(coupon).unwrap(), TransactionId::new(transaction).unwrap()));
    record
}

/// The redemption of a coupon of its own.
pub(crate) fn numbered(number: usize) -> Record {
    used(&format!("EV-{number}"), &format!("C{number}"), &format!("T{number}"))
}

/// A notification of a kind that has no second key.
pub(crate) fn unknown(id: &str) -> Record {
    let mut record = RECEIVED.clone();
    record.id = id.parse().unwrap();
    record.event_type = EventType::from("COUPON.LATER");
    record.resource = r#"{"later":"更多"}"#.to_owned();
    record.redemption = None;
    record.summary = None;
    record
}

/// The same for another merchant, or for none that is known.
pub(crate) fn of(mut record: Record, merchant: Option<&str>) -> Record {
    record.merchant_id = merchant.map(merchant_id);
    record
}

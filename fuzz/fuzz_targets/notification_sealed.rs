//! Any text that the platform sealed and signed. The first byte chooses the event.

#![no_main]

use favor_callback::Rejection;
use favor_fuzz::{USED, body, headers, receive};
use libfuzzer_sys::fuzz_target;

const EVENTS: [&str; 3] = ["COUPON.USE", "COUPON.SEND", "COUPON.LATER"];

fuzz_target!(
    init: {
        for event in EVENTS {
            let body = body(event, USED.as_bytes());
            receive(&headers(&body), &body).expect("a good one is taken");
        }
    },
    |input: &[u8]| {
        let Some((choice, text)) = input.split_first() else { return };
        let event = EVENTS[usize::from(*choice) % EVENTS.len()];
        let body = body(event, text);
        match receive(&headers(&body), &body) {
            Ok(notification) => {
                assert_eq!(notification.raw().as_bytes(), text, "opened as it was sealed");
                assert_eq!(notification.payload.coupon().is_some(), event != "COUPON.LATER");
            }
            Err(Rejection::Malformed(_) | Rejection::AnotherMerchant { .. }) => {}
            Err(other) => panic!("what the platform sealed is refused as {other:?}"),
        }
    }
);

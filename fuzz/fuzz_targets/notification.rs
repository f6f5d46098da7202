//! Anybody's bytes: headers, an empty line, and a body.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_callback::Rejection;
use favor_core::{Lookup, Serial};
use favor_fuzz::{Request, USED, body, headers, keys, now, receive};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        let body = body("COUPON.USE", USED.as_bytes());
        receive(&headers(&body), &body).expect("a good one is taken");
    },
    |input: &[u8]| {
        let Request { headers, body } = Request::read(input);
        match receive(&headers, body) {
            // Only what the platform signed gets through: the seeds, and what differs from them outside the message.
            Ok(_) => assert!(is_signed(&headers, body), "taken without a signature"),
            Err(Rejection::Signature(_) | Rejection::TooLarge { .. } | Rejection::KeysUnavailable(_)) => {}
            Err(other) => assert!(is_signed(&headers, body), "looked at before its signature held: {other:?}"),
        }
    }
);

/// The check again, step by step from the specification, §2.9.
fn is_signed(headers: &http::HeaderMap, body: &[u8]) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let message =
        [format!("{}\n{}\n", text("wechatpay-timestamp"), text("wechatpay-nonce")).as_bytes(), body, b"\n"]
            .concat();
    let Lookup::Found(key) = keys().find(&Serial::new(text("wechatpay-serial")), now()) else { return false };
    STANDARD
        .decode(text("wechatpay-signature"))
        .is_ok_and(|signature| key.verify(&message, &signature).is_ok())
}

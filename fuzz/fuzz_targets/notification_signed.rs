//! Any body that the platform signed: the JSON around what is sealed.

#![no_main]

use favor_callback::Rejection;
use favor_fuzz::{USED, body, headers, receive};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        let body = body("COUPON.USE", USED.as_bytes());
        receive(&headers(&body), &body).expect("a good one is taken");
    },
    |body: &[u8]| {
        let result = receive(&headers(body), body);
        let before_json = matches!(
            result,
            Err(Rejection::Signature(_) | Rejection::TooLarge { .. } | Rejection::KeysUnavailable(_))
        );
        assert!(!before_json, "a signed body is refused for its signature");
    }
);

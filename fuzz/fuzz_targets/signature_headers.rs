//! The signature headers of a response or notification, and the body they sign.

#![no_main]

use favor_core::{SignatureHeaders, VerifyError};
use favor_fuzz::{Request, USED, body, headers, keys, now};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        let body = body("COUPON.USE", USED.as_bytes());
        let headers = headers(&body);
        let read = SignatureHeaders::read(&headers).expect("good ones are read");
        read.verify(&body, keys(), now()).expect("a good signature holds");
    },
    |input: &[u8]| {
        let Request { headers, body } = Request::read(input);
        let (any, all) = (SignatureHeaders::any(&headers), SignatureHeaders::all(&headers));
        assert!(any || !all);
        let read = match SignatureHeaders::read(&headers) {
            Ok(read) => read,
            Err(error) => {
                let _ = format!("{error} {error:?}");
                return;
            }
        };
        assert!(all, "read although one is missing");
        match read.verify(body, keys(), now()) {
            Ok(()) => {
                let changed = [body, b" "].concat();
                assert!(read.verify(&changed, keys(), now()).is_err(), "the body does not count");
                let later = now() + chrono::TimeDelta::seconds(600);
                let stale = read.verify(body, keys(), later);
                assert!(matches!(stale, Err(VerifyError::OutsideWindow { .. })), "the time does not count");
            }
            Err(error) => {
                let _ = format!("{error} {error:?} {}", read.serial());
            }
        }
    }
);

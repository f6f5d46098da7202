//! Properties of the whole incoming path.

use favor_callback::{Notification, Receiver, Rejection};
use favor_core::VerifyError;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use serde_json::json;

use crate::platform::{USED, seal};
use crate::world::{API_V3_KEY, MERCHANT, START, receiver, signed, used};

/// Nothing in it waits while all keys are known.
fn receive(receiver: &Receiver, headers: &HeaderMap, body: &[u8]) -> Result<Notification, Rejection> {
    receiver.receive(headers, body).now_or_never().expect("known keys need no waiting")
}

/// Any JSON value, a few levels deep.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "\\PC{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map("[a-z_]{1,12}", inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

/// Headers that are often nearly right.
fn any_headers() -> impl Strategy<Value = HeaderMap> {
    let name = prop::sample::select(vec![
        "wechatpay-timestamp",
        "wechatpay-nonce",
        "wechatpay-signature",
        "wechatpay-serial",
        "wechatpay-signature-type",
        "content-type",
    ]);
    let value = prop_oneof![
        Just(START.to_string().into_bytes()),
        Just(b"PUB_KEY_ID_0119000001092026050100".to_vec()),
        Just(b"WECHATPAY2-SHA256-RSA2048".to_vec()),
        "[A-Za-z0-9+/=]{0,400}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..64),
    ];
    prop::collection::vec((name, value), 0..10).prop_map(|fields| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        headers
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Bytes of anybody: refused for their signature, whatever they are.
    #[test]
    fn unsigned_bytes_are_refused_for_their_signature(headers in any_headers(), body: Vec<u8>) {
        let result = tokio::runtime::Builder::new_current_thread()
            .enable_time().build().unwrap().block_on(receiver().receive(&headers, &body));
        prop_assert!(matches!(result, Err(Rejection::Signature(_))), "{:?}", result);
    }

    /// Bytes of the platform itself, of any kind: an answer and no panic.
    #[test]
    fn signed_bytes_never_panic(body: Vec<u8>) {
        prop_assert!(matches!(receive(&receiver(), &signed(&body), &body), Err(Rejection::Malformed(_))));
    }

    #[test]
    fn signed_json_never_panics(body in any_json(), field in any::<prop::sample::Index>()) {
        let text = body.to_string();
        prop_assert!(receive(&receiver(), &signed(text.as_bytes()), text.as_bytes()).is_err());
        // The same in the place of one field of a good one.
        let mut good = used();
        let places = ["/id", "/create_time", "/event_type", "/resource_type", "/summary", "/resource",
            "/resource/nonce", "/resource/ciphertext", "/resource/associated_data", "/resource/algorithm"];
        *good.pointer_mut(places[field.index(places.len())]).unwrap() = body;
        let text = good.to_string();
        let result = receive(&receiver(), &signed(text.as_bytes()), text.as_bytes());
        let before_json = matches!(result, Err(Rejection::Signature(_) | Rejection::TooLarge { .. }));
        prop_assert!(!before_json);
    }

    /// Sealed JSON of any kind: an answer and no panic, and what is unknown comes through as it is.
    #[test]
    fn sealed_json_never_panics(text in any_json(), field in any::<prop::sample::Index>()) {
        let sealed = |event_type: &str, text: &str| {
            let mut body = used();
            body["event_type"] = event_type.into();
            body["resource"]["ciphertext"] = seal(API_V3_KEY, "a1b2c3d4e5f6", "coupon", text.as_bytes()).into();
            body.to_string()
        };
        let unknown = sealed("LATER", &text.to_string());
        let notification = receive(&receiver(), &signed(unknown.as_bytes()), unknown.as_bytes()).unwrap();
        prop_assert_eq!(notification.raw(), text.to_string());
        let mut coupon: serde_json::Value = serde_json::from_str(USED).unwrap();
        let keys: Vec<String> = coupon.as_object().unwrap().keys().cloned().collect();
        coupon[&keys[field.index(keys.len())]] = text;
        let used = sealed("COUPON.USE", &coupon.to_string());
        let result = receive(&receiver(), &signed(used.as_bytes()), used.as_bytes());
        let expected = matches!(result, Ok(_) | Err(Rejection::Malformed(_) | Rejection::AnotherMerchant { .. }));
        prop_assert!(expected, "{:?}", result);
    }

    /// Whatever the platform signs and seals as documented comes through whole.
    #[test]
    fn what_is_signed_and_sealed_comes_through(
        id in "EV-[0-9]{1,33}",
        stock in "[0-9]{1,20}",
        coupon in "[0-9]{1,20}",
        transaction in "[0-9]{1,32}",
        name in "\\PC{0,20}",
        description in any::<String>(),
        amount in 0..=i64::MAX,
        nonce in "[!-~]{12}",
        associated_data in "\\PC{0,15}",
    ) {
        let text = json!({
            "stock_creator_mchid": MERCHANT, "stock_id": stock, "coupon_id": coupon, "coupon_name": name,
            "status": "USED", "description": description, "create_time": "2026-08-02T09:00:00+08:00",
            "coupon_type": "NORMAL", "no_cash": true, "singleitem": false,
            "available_begin_time": "2026-08-01T00:00:00+08:00", "available_end_time": "2026-08-31T23:59:59+08:00",
            "normal_coupon_information": {"coupon_amount": amount, "transaction_minimum": 0},
            "consume_information": {"consume_time": "2026-08-03T12:30:00+08:00", "consume_mchid": MERCHANT,
                "transaction_id": transaction},
        }).to_string();
        let mut body = used();
        body["id"] = id.clone().into();
        body["resource"]["nonce"] = nonce.clone().into();
        body["resource"]["associated_data"] = associated_data.clone().into();
        body["resource"]["ciphertext"] = seal(API_V3_KEY, &nonce, &associated_data, text.as_bytes()).into();
        let body = body.to_string();
        let notification = receive(&receiver(), &signed(body.as_bytes()), body.as_bytes()).unwrap();
        prop_assert_eq!(notification.raw(), text);
        prop_assert_eq!(notification.dedup_id().as_str(), id);
        let (used_coupon, used_transaction) = notification.dedup_use().unwrap();
        prop_assert_eq!((used_coupon.as_str(), used_transaction.as_str()), (coupon.as_str(), transaction.as_str()));
        let event = notification.payload.coupon().unwrap();
        prop_assert_eq!(&event.description, &description);
        prop_assert_eq!(event.normal_coupon_information.as_ref().unwrap().coupon_amount.get(), amount);
    }

    /// One bit of body, timestamp, nonce or signature, anywhere.
    #[test]
    fn any_flipped_bit_is_refused(place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut body = used().to_string().into_bytes();
        let mut headers = signed(&body);
        let names = ["wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature"];
        let length = |headers: &HeaderMap, name: &str| headers[name].len();
        let mut at = place.index(body.len() + names.iter().map(|name| length(&headers, name)).sum::<usize>());
        if at < body.len() {
            body[at] ^= 1 << bit;
        } else {
            at -= body.len();
            for name in names {
                if at < length(&headers, name) {
                    let mut value = headers[name].as_bytes().to_vec();
                    value[at] ^= 1 << bit;
                    let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
                    headers.insert(name, value);
                    break;
                }
                at -= length(&headers, name);
            }
        }
        let result = receive(&receiver(), &headers, &body);
        let refused = matches!(
            result,
            Err(Rejection::Signature(
                VerifyError::WrongSignature | VerifyError::MalformedHeader(_) | VerifyError::OutsideWindow { .. }
            ))
        );
        prop_assert!(refused, "{:?}", result);
    }
}

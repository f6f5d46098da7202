//! Several merchants on one address, told apart by trying their keys.

use std::sync::Arc;

use favor_callback::{Notification, Receiver, Recipient, Rejection};
use favor_core::{AeadError, KeySet, KeyStore, VerifyError};

use crate::platform::{self, Platform, USED};
use crate::world::{
    API_V3_KEY, BY_CERTIFICATE_1, BY_CERTIFICATE_2, BY_PUBLIC_KEY, FORGER, MERCHANT, START, answer,
    api_v3_key, certificate, certificate_1, certificate_2, clock, fixed, merchant_id, with_certificate,
    with_public_key,
};

const SECOND: &str = "1900000208";
const SECOND_KEY: &str = "second-second-second-second-2222";

fn recipient(merchant: &str, api_v3: &str, keys: Arc<dyn KeyStore>) -> Recipient {
    Recipient::new(api_v3_key(api_v3), keys).merchant_id(merchant_id(merchant))
}

fn both(first: Recipient, second: Recipient) -> Receiver {
    Receiver::builder(first).recipient(second).clock(clock()).build()
}

async fn receive(receiver: &Receiver, platform: &Platform, body: &str) -> Result<Notification, Rejection> {
    receiver.receive(&platform.headers(START, body.as_bytes()), body.as_bytes()).await
}

fn of(creator: &str, api_v3: &str) -> String {
    platform::body(api_v3, "COUPON.USE", &USED.replacen(MERCHANT, creator, 1))
}

fn merchant(result: Result<Notification, Rejection>) -> String {
    result.unwrap().merchant_id.unwrap().to_string()
}

#[tokio::test]
async fn the_platform_key_narrows_and_the_api_v3_key_decides() {
    let shared = fixed(with_public_key(KeySet::new()));
    let receiver =
        both(recipient(MERCHANT, API_V3_KEY, shared.clone()), recipient(SECOND, SECOND_KEY, shared));
    assert_eq!(merchant(receive(&receiver, &BY_PUBLIC_KEY, &of(MERCHANT, API_V3_KEY)).await), MERCHANT);
    assert_eq!(merchant(receive(&receiver, &BY_PUBLIC_KEY, &of(SECOND, SECOND_KEY)).await), SECOND);
    let third = platform::body("third-third-third-third-third-33", "COUPON.USE", USED);
    let rejection = receive(&receiver, &BY_PUBLIC_KEY, &third).await.unwrap_err();
    assert!(matches!(rejection, Rejection::Sealed(AeadError::Tag)), "{rejection:?}");
    assert_eq!(answer(&rejection).0, 500);
}

#[tokio::test]
async fn what_one_merchants_key_signed_is_not_opened_with_anothers() {
    let receiver = both(
        recipient(MERCHANT, API_V3_KEY, fixed(with_certificate(KeySet::new(), &certificate_1()))),
        recipient(SECOND, SECOND_KEY, fixed(with_certificate(KeySet::new(), &certificate_2()))),
    );
    assert_eq!(merchant(receive(&receiver, &BY_CERTIFICATE_1, &of(MERCHANT, API_V3_KEY)).await), MERCHANT);
    assert_eq!(merchant(receive(&receiver, &BY_CERTIFICATE_2, &of(SECOND, SECOND_KEY)).await), SECOND);
    let crossed = receive(&receiver, &BY_CERTIFICATE_1, &of(SECOND, SECOND_KEY)).await.unwrap_err();
    assert!(matches!(crossed, Rejection::Sealed(AeadError::Tag)), "{crossed:?}");
}

#[tokio::test]
async fn one_serial_can_name_different_keys_of_different_merchants() {
    const KEY: &str = include_str!("../../../core/tests/it/keys/platform-1.pem");
    const OTHER_KEY: &str = include_str!("../../../core/tests/it/keys/platform-2.pem");
    const SERIAL: &str = "5500000000000000000000000000000000000055";
    let keys = |pem| fixed(with_certificate(KeySet::new(), &certificate(pem, SERIAL, -1, 1)));
    let receiver =
        both(recipient(MERCHANT, API_V3_KEY, keys(KEY)), recipient(SECOND, SECOND_KEY, keys(OTHER_KEY)));
    let (first, second) = (Platform::new(KEY, SERIAL), Platform::new(OTHER_KEY, SERIAL));
    assert_eq!(merchant(receive(&receiver, &first, &of(MERCHANT, API_V3_KEY)).await), MERCHANT);
    assert_eq!(merchant(receive(&receiver, &second, &of(SECOND, SECOND_KEY)).await), SECOND);
    let crossed = receive(&receiver, &second, &of(MERCHANT, API_V3_KEY)).await.unwrap_err();
    assert!(matches!(crossed, Rejection::Sealed(AeadError::Tag)), "{crossed:?}");
    let body = of(MERCHANT, API_V3_KEY);
    let mut headers = first.headers(START, body.as_bytes());
    headers.insert("wechatpay-timestamp", (START + 1).to_string().parse().unwrap());
    let forged = receiver.receive(&headers, body.as_bytes()).await.unwrap_err();
    assert!(matches!(forged, Rejection::Signature(VerifyError::WrongSignature)), "{forged:?}");
}

#[tokio::test]
async fn with_the_same_keys_everywhere_the_coupons_creator_decides() {
    let shared = fixed(with_public_key(KeySet::new()));
    let receiver =
        both(recipient(MERCHANT, API_V3_KEY, shared.clone()), recipient(SECOND, API_V3_KEY, shared));
    assert_eq!(merchant(receive(&receiver, &BY_PUBLIC_KEY, &of(MERCHANT, API_V3_KEY)).await), MERCHANT);
    assert_eq!(merchant(receive(&receiver, &BY_PUBLIC_KEY, &of(SECOND, API_V3_KEY)).await), SECOND);
}

#[tokio::test]
async fn a_coupon_of_another_merchant_is_refused() {
    let shared = fixed(with_public_key(KeySet::new()));
    let one = Receiver::builder(recipient(MERCHANT, API_V3_KEY, shared.clone())).clock(clock()).build();
    let two =
        both(recipient(MERCHANT, API_V3_KEY, shared.clone()), recipient(SECOND, SECOND_KEY, shared.clone()));
    for receiver in [one, two] {
        let rejection = receive(&receiver, &BY_PUBLIC_KEY, &of(SECOND, API_V3_KEY)).await.unwrap_err();
        let Rejection::AnotherMerchant { merchant, creator } = &rejection else { panic!("{rejection:?}") };
        assert_eq!((merchant.as_str(), creator.as_str()), (MERCHANT, SECOND));
        assert_eq!(answer(&rejection), (400, "the coupon is another merchant's".into()));
    }
    let unnamed = Recipient::new(api_v3_key(API_V3_KEY), shared);
    let unnamed = Receiver::builder(unnamed).clock(clock()).build();
    let notification = receive(&unnamed, &BY_PUBLIC_KEY, &of(SECOND, API_V3_KEY)).await.unwrap();
    assert_eq!(notification.merchant_id, None, "without a merchant id it cannot tell");
}

/// A key that several merchants share is tried once, and its verdict counts for all of them.
#[tokio::test]
async fn a_forgery_under_a_shared_key_is_nobodys() {
    let shared = fixed(with_public_key(KeySet::new()));
    let receiver =
        both(recipient(MERCHANT, API_V3_KEY, shared.clone()), recipient(SECOND, SECOND_KEY, shared));
    for body in [of(MERCHANT, API_V3_KEY), of(SECOND, SECOND_KEY)] {
        let forged = receive(&receiver, &FORGER, &body).await.unwrap_err();
        assert!(matches!(forged, Rejection::Signature(VerifyError::WrongSignature)), "{forged:?}");
    }
}

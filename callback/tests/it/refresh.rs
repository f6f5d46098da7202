//! Unknown platform keys: asked for once, by a clock that the test moves, at a key endpoint that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use favor_callback::{Notification, Receiver, Recipient, Rejection};
use favor_core::{
    Client, HttpRequest, HttpResponse, KeySet, KeyStore, ManualClock, MerchantSigner, PlatformKeys,
    PrivateKey, Refresh, ResponseBody, RetryPolicy, Serial, Transport, TransportError, TransportFailure,
    VerifyError,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::StatusCode;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::platform::{Platform, seal};
use crate::world::{
    API_V3_KEY, BY_CERTIFICATE_1, BY_CERTIFICATE_2, BY_PUBLIC_KEY, MERCHANT, SERIAL_1, SERIAL_2, START,
    answer, api_v3_key, assert_signature, certificate_1, certificate_2, clock, fixed, merchant_id, used,
    with_public_key,
};

/// The platform's `GET /v3/certificates`: it counts, waits at a gate, and brings the second certificate from the
/// second time on, or fails.
#[derive(Clone, Debug)]
struct KeyEndpoint {
    clock: Arc<ManualClock>,
    calls: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
    rotates: bool,
    fails: bool,
}

impl KeyEndpoint {
    fn new(clock: Arc<ManualClock>) -> Self {
        let (calls, gate) = (Arc::default(), Arc::new(Semaphore::new(1000)));
        Self { clock, calls, gate, rotates: true, fails: false }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn answer(&self, call: usize) -> Result<HttpResponse, TransportError> {
        if self.fails && call > 0 {
            return Err(TransportError::new(TransportFailure::Connect));
        }
        let mut certificates = vec![(SERIAL_1, certificate_1())];
        if self.rotates && call > 0 {
            certificates.push((SERIAL_2, certificate_2()));
        }
        let entries: Vec<_> = certificates
            .iter()
            .map(|(serial, pem)| {
                json!({"serial_no": serial, "encrypt_certificate": {
                    "algorithm": "AEAD_AES_256_GCM", "nonce": "4f6b2c0a9d1e", "associated_data": "certificate",
                    "ciphertext": seal(API_V3_KEY, "4f6b2c0a9d1e", "certificate", pem.as_bytes())}})
            })
            .collect();
        let body = json!({"data": entries}).to_string();
        let headers = BY_CERTIFICATE_1.headers(now(&self.clock), body.as_bytes());
        Ok(HttpResponse::new(StatusCode::OK, headers, ResponseBody::from(bytes::Bytes::from(body))))
    }
}

impl Transport for KeyEndpoint {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        assert_eq!(request.path_and_query, "/v3/certificates");
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            self.gate.acquire().await.unwrap().forget();
            self.answer(call)
        })
    }
}

fn now(clock: &ManualClock) -> i64 {
    favor_core::Clock::now(clock).timestamp()
}

fn client(endpoint: &KeyEndpoint, merchant: &str) -> Client {
    const KEY: &str = include_str!("../../../core/tests/it/keys/merchant.pem");
    let key = PrivateKey::from_pem(KEY).unwrap();
    let signer = MerchantSigner::new(merchant_id(merchant), "0A", key).unwrap();
    Client::builder(signer, PlatformKeys::download(api_v3_key(API_V3_KEY)))
        .base_url("https://api.test")
        .transport(endpoint.clone())
        .clock(endpoint.clock.clone())
        .retry(RetryPolicy::NONE)
        .build()
        .unwrap()
}

fn receiver(endpoint: &KeyEndpoint) -> Receiver {
    Receiver::for_client(&client(endpoint, MERCHANT), api_v3_key(API_V3_KEY))
}

async fn notify(
    receiver: &Receiver,
    clock: &ManualClock,
    platform: &Platform,
) -> Result<Notification, Rejection> {
    let body = used().to_string();
    receiver.receive(&platform.headers(now(clock), body.as_bytes()), body.as_bytes()).await
}

/// Lets every task that can run do so, on a runtime of one thread.
async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_receiver_downloads_by_itself_and_a_new_key_once() {
    let clock = clock();
    let endpoint = KeyEndpoint::new(clock.clone());
    let receiver = receiver(&endpoint);
    settle().await;
    assert_eq!(endpoint.calls(), 1, "before any notification");
    let first = notify(&receiver, &clock, &BY_CERTIFICATE_1).await.unwrap();
    assert_eq!((first.signed_by.as_str(), endpoint.calls()), (SERIAL_1, 1));
    let second = notify(&receiver, &clock, &BY_CERTIFICATE_2).await.unwrap();
    assert_eq!((second.signed_by.as_str(), endpoint.calls()), (SERIAL_2, 2));
    notify(&receiver, &clock, &BY_CERTIFICATE_1).await.unwrap();
    notify(&receiver, &clock, &BY_CERTIFICATE_2).await.unwrap();
    assert_eq!(endpoint.calls(), 2);
}

/// A client can be built before there is a runtime, and then nothing runs in the background yet.
#[test]
fn the_download_begins_with_the_receiver() {
    let endpoint = KeyEndpoint::new(clock());
    let client = client(&endpoint, MERCHANT);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        settle().await;
        assert_eq!(endpoint.calls(), 0);
        let _receiver = Receiver::for_client(&client, api_v3_key(API_V3_KEY));
        settle().await;
        assert_eq!(endpoint.calls(), 1);
    });
}

#[tokio::test]
async fn many_notifications_at_once_share_one_refresh() {
    let clock = clock();
    let endpoint = KeyEndpoint { gate: Arc::new(Semaphore::new(1)), ..KeyEndpoint::new(clock.clone()) };
    let receiver = receiver(&endpoint);
    settle().await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (receiver, clock) = (receiver.clone(), clock.clone());
            tokio::spawn(async move { notify(&receiver, &clock, &BY_CERTIFICATE_2).await })
        })
        .collect();
    settle().await;
    assert_eq!(endpoint.calls(), 2, "they wait for one download");
    endpoint.gate.add_permits(1000);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(endpoint.calls(), 2);
}

/// Ten minutes of forgeries, each under a serial of its own.
#[tokio::test]
async fn forged_serials_reach_the_key_endpoint_once_a_minute() {
    let clock = clock();
    let endpoint = KeyEndpoint { rotates: false, ..KeyEndpoint::new(clock.clone()) };
    let receiver = receiver(&endpoint);
    settle().await;
    assert_eq!(endpoint.calls(), 1);
    let body = used().to_string();
    for second in 0..600 {
        for forgery in 0..5 {
            let serial = format!("{:040X}", second * 5 + forgery + 1);
            let mut headers = BY_CERTIFICATE_1.headers(now(&clock), body.as_bytes());
            headers.insert("wechatpay-serial", serial.parse().unwrap());
            let result = receiver.receive(&headers, body.as_bytes()).await;
            assert_signature(result, &VerifyError::UnknownKey(Serial::new(serial)));
        }
        let minutes = second / 60 + 1;
        assert_eq!(endpoint.calls(), 1 + minutes, "after {second} s");
        clock.advance(Duration::from_secs(1));
    }
    notify(&receiver, &clock, &BY_CERTIFICATE_1).await.expect("the true ones come through all the while");
}

/// The same from a receiver that never got any key: its own retries are not the forger's doing and slow down.
#[tokio::test]
async fn forgeries_do_not_press_an_endpoint_that_is_down() {
    let clock = clock();
    let endpoint = KeyEndpoint { fails: true, ..KeyEndpoint::new(clock.clone()) };
    endpoint.calls.store(1, Ordering::SeqCst);
    let receiver = receiver(&endpoint);
    settle().await;
    assert_eq!(endpoint.calls(), 2, "the background download");
    let first = notify(&receiver, &clock, &BY_CERTIFICATE_1).await.unwrap_err();
    assert!(matches!(first, Rejection::KeysUnavailable(Some(_))), "{first:?}");
    assert_eq!(answer(&first), (503, "platform keys are being refreshed, send it again".into()));
    for _ in 0..100 {
        assert!(notify(&receiver, &clock, &BY_CERTIFICATE_1).await.is_err());
        settle().await;
    }
    assert_eq!(endpoint.calls(), 3, "one more for a hundred notifications");
}

#[tokio::test]
async fn other_faults_ask_for_no_keys() {
    let clock = clock();
    let endpoint = KeyEndpoint::new(clock.clone());
    let receiver = receiver(&endpoint);
    settle().await;
    let body = used().to_string();
    let good = BY_CERTIFICATE_2.headers(START, body.as_bytes());
    for (name, text) in
        [("wechatpay-timestamp", "1"), ("wechatpay-timestamp", "x"), ("wechatpay-signature-type", "SM2")]
    {
        let mut headers = good.clone();
        headers.insert(name, text.parse().unwrap());
        assert!(receiver.receive(&headers, body.as_bytes()).await.is_err());
    }
    let mut unsigned = good.clone();
    unsigned.remove("wechatpay-signature");
    assert!(receiver.receive(&unsigned, body.as_bytes()).await.is_err());
    let huge = vec![b' '; (3 << 19) + 1];
    assert!(matches!(receiver.receive(&good, &huge).await, Err(Rejection::TooLarge { .. })));
    let forged = BY_CERTIFICATE_1.headers(START, b"{}");
    assert_signature(receiver.receive(&forged, body.as_bytes()).await, &VerifyError::WrongSignature);
    assert_eq!(endpoint.calls(), 1);
}

/// The platform waits 5 s; the answer must not wait for a key endpoint that hangs.
#[tokio::test]
async fn a_slow_refresh_is_not_waited_for_and_still_counts() {
    let clock = clock();
    let endpoint = KeyEndpoint { gate: Arc::new(Semaphore::new(1)), ..KeyEndpoint::new(clock.clone()) };
    let receiver = receiver(&endpoint);
    settle().await;
    let waiting = tokio::spawn({
        let (receiver, clock) = (receiver.clone(), clock.clone());
        async move { notify(&receiver, &clock, &BY_CERTIFICATE_2).await }
    });
    settle().await;
    clock.advance(Duration::from_secs(3));
    let rejection = waiting.await.unwrap().unwrap_err();
    assert!(matches!(rejection, Rejection::KeysUnavailable(None)), "{rejection:?}");
    assert_eq!(rejection.reply().status(), 503);
    endpoint.gate.add_permits(1);
    settle().await;
    notify(&receiver, &clock, &BY_CERTIFICATE_2).await.expect("the download went on and came in the end");
    assert_eq!(endpoint.calls(), 2);
}

/// Whoever forges a serial and hangs up must not use up the minute's refresh.
#[tokio::test]
async fn a_request_given_up_does_not_stop_the_refresh_it_began() {
    let clock = clock();
    let endpoint = KeyEndpoint { gate: Arc::new(Semaphore::new(1)), ..KeyEndpoint::new(clock.clone()) };
    let receiver = receiver(&endpoint);
    settle().await;
    let mut forgery = Box::pin(notify(&receiver, &clock, &BY_CERTIFICATE_2));
    assert!(forgery.as_mut().now_or_never().is_none(), "it waits");
    settle().await;
    assert_eq!(endpoint.calls(), 2);
    drop(forgery);
    endpoint.gate.add_permits(1);
    settle().await;
    notify(&receiver, &clock, &BY_CERTIFICATE_2).await.expect("the download went on");
    assert_eq!(endpoint.calls(), 2);
}

#[tokio::test]
async fn merchants_ask_each_for_their_own_and_a_shared_store_once() {
    let clock = clock();
    let (first, second) = (KeyEndpoint::new(clock.clone()), KeyEndpoint::new(clock.clone()));
    let (one, two) = (client(&first, MERCHANT), client(&second, "1900000208"));
    let of = |client: &Client| Recipient::of_client(client, api_v3_key(API_V3_KEY));
    let receiver =
        Receiver::builder(of(&one)).recipient(of(&two)).recipient(of(&one)).clock(clock.clone()).build();
    settle().await;
    assert_eq!((first.calls(), second.calls()), (1, 1));
    let notification = notify(&receiver, &clock, &BY_CERTIFICATE_2).await.unwrap();
    assert_eq!(notification.merchant_id, Some(merchant_id(MERCHANT)));
    assert_eq!((first.calls(), second.calls()), (2, 2));
}

/// A store of one's own that counts what it is asked.
#[derive(Debug)]
struct Counting(AtomicUsize);

impl KeyStore for Counting {
    fn keys(&self) -> Arc<KeySet> {
        fixed(with_public_key(KeySet::new())).keys()
    }

    fn refresh(&self, reason: Refresh) -> BoxFuture<'_, Result<(), favor_core::Error>> {
        assert!(matches!(reason, Refresh::UnknownSerial(_)));
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn a_request_asks_a_store_once_and_only_for_an_unknown_serial() {
    let store = Arc::new(Counting(AtomicUsize::new(0)));
    let clock = clock();
    let recipient = Recipient::new(api_v3_key(API_V3_KEY), store.clone());
    // Two merchants of one store are one question.
    let receiver = Receiver::builder(recipient.clone()).recipient(recipient).clock(clock.clone()).build();
    notify(&receiver, &clock, &BY_PUBLIC_KEY).await.unwrap();
    assert_eq!(store.0.load(Ordering::SeqCst), 0);
    let unknown = VerifyError::UnknownKey(Serial::new(SERIAL_1));
    assert_signature(notify(&receiver, &clock, &BY_CERTIFICATE_1).await, &unknown);
    assert_eq!(store.0.load(Ordering::SeqCst), 1);
}

#[test]
fn without_a_runtime_an_unknown_serial_is_no_panic() {
    let clock = clock();
    let receiver = Receiver::builder(crate::world::recipient()).clock(clock.clone()).build();
    assert!(notify(&receiver, &clock, &BY_PUBLIC_KEY).now_or_never().unwrap().is_ok());
    let rejection = notify(&receiver, &clock, &BY_CERTIFICATE_1).now_or_never().unwrap().unwrap_err();
    assert_eq!(rejection.reply().status(), 503);
}

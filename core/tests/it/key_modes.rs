//! Certificates, the public key, and both while a merchant switches (spec §2.13).

use favor_core::{ApiV3Key, ErrorKind, KeySet, KeyStore, Outcome, PlatformKeys};

use crate::calls::send;
use crate::key_download::{client, world};
use crate::platform::{
    API_V3_KEY, PUBLIC_KEY_ID, Platform, SERIAL_1, certificate_1, certificate_list, certificate_set,
    public_key,
};
use crate::script::Play;
use crate::world::{World, assert_error, settle};

fn both() -> PlatformKeys {
    let key = ApiV3Key::new(API_V3_KEY).unwrap();
    PlatformKeys::download_and_public_key(key, PUBLIC_KEY_ID, public_key()).unwrap()
}

fn list(platform: &Platform) -> Play {
    let pem = certificate_1(-10, 1000);
    Play::signed(platform, 200, certificate_list([(SERIAL_1, pem.as_str())]))
}

#[tokio::test]
async fn in_the_switch_week_answers_and_notifications_by_either_key_hold() {
    let world = World::standing();
    let mut calls = 0;
    world.script.direct(move |seen| {
        if seen.is_download() {
            return list(&Platform::by_certificate_1());
        }
        calls += 1;
        let platform = if calls % 2 == 1 { Platform::by_certificate_1() } else { Platform::by_public_key() };
        Play::signed(&platform, 200, "{}")
    });
    let client = world.builder_with(both()).build().unwrap();
    for expected in [SERIAL_1, PUBLIC_KEY_ID, SERIAL_1, PUBLIC_KEY_ID] {
        let response = client.execute(&send()).await.unwrap();
        assert_eq!(response.signed_by.unwrap().as_str(), expected);
    }
    for platform in [Platform::by_certificate_1(), Platform::by_public_key()] {
        let headers = platform.headers(crate::world::START, b"{}");
        assert_eq!(client.verify(&headers, b"{}").await.unwrap().as_str(), platform.serial);
    }
    assert_eq!(world.script.downloads(), 1);
    for seen in world.script.seen() {
        assert_eq!(
            seen.header("wechatpay-serial"),
            Some(PUBLIC_KEY_ID),
            "every request asks for the public key, the download too"
        );
    }
}

#[tokio::test]
async fn after_the_switch_the_list_itself_may_be_signed_by_the_public_key() {
    let world = World::standing();
    world.script.direct(
        |seen| {
            if seen.is_download() { list(&Platform::by_public_key()) } else { Play::ok("{}") }
        },
    );
    let client = world.builder_with(both()).build().unwrap();
    settle().await;
    assert_eq!(client.keys().certificates().count(), 1);
    assert!(client.execute(&send()).await.is_ok());
}

#[tokio::test]
async fn a_failed_download_does_not_stop_calls_under_the_public_key() {
    let world = World::standing();
    world.script.direct(|seen| {
        if seen.is_download() { Play::error(500, "SYSTEM_ERROR", "") } else { Play::ok("{}") }
    });
    let client = world.builder_with(both()).build().unwrap();
    assert!(client.execute(&send()).await.is_ok());
    assert_eq!(client.keys().public_key_id().unwrap().as_str(), PUBLIC_KEY_ID);
}

#[tokio::test]
async fn in_public_key_mode_a_certificate_is_unknown_and_nothing_is_downloaded() {
    let world = World::standing();
    world.script.direct(|_| Play::signed(&Platform::by_certificate_1(), 200, "{}"));
    let keys = PlatformKeys::public_key(PUBLIC_KEY_ID, public_key()).unwrap();
    let client = world.builder_with(keys).build().unwrap();
    let error = client.execute(&send()).await.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Verification,
        Outcome::Unknown,
        &format!(
            "coupon.send: the answer cannot be trusted < signed with the key {SERIAL_1}, which is not among the platform keys held"
        ),
    );
    assert_eq!(world.script.requests(), 1);
}

#[tokio::test]
async fn in_certificate_mode_the_public_key_is_unknown() {
    let world = world(|| list(&Platform::by_certificate_1()));
    let client = client(&world);
    let headers = Platform::by_public_key().headers(crate::world::START, b"{}");
    let error = client.verify(&headers, b"{}").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("signed with the key {PUBLIC_KEY_ID}, which is not among the platform keys held")
    );
}

/// A store of the user's own that has nothing until it is asked.
#[derive(Debug, Default)]
struct Late {
    keys: std::sync::Mutex<std::sync::Arc<KeySet>>,
}

impl KeyStore for Late {
    fn keys(&self) -> std::sync::Arc<KeySet> {
        self.keys.lock().unwrap().clone()
    }

    fn refresh(
        &self,
        reason: favor_core::Refresh,
    ) -> futures_util::future::BoxFuture<'_, Result<(), favor_core::Error>> {
        assert_eq!(reason, favor_core::Refresh::NoKeys);
        let keys = certificate_set([certificate_1(-1, 1).as_str()]);
        *self.keys.lock().unwrap() = std::sync::Arc::new(keys);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A store that has nothing and gets nothing.
#[derive(Debug)]
struct Never;

impl KeyStore for Never {
    fn keys(&self) -> std::sync::Arc<KeySet> {
        std::sync::Arc::default()
    }
}

#[tokio::test]
async fn a_store_of_ones_own_is_asked_for_keys_before_the_first_call() {
    let world = World::playing([Play::signed(&Platform::by_certificate_1(), 200, "{}")]);
    let client = world.builder_with(PlatformKeys::store(Late::default())).build().unwrap();
    let response = client.execute(&send()).await.unwrap();
    assert_eq!(response.signed_by.unwrap().as_str(), SERIAL_1);

    let world = World::playing([]);
    let client = world.builder_with(PlatformKeys::store(Never)).build().unwrap();
    let error = client.execute(&send()).await.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Keys,
        Outcome::NotSent,
        "coupon.send: there is no platform key to verify answers with",
    );
    assert_eq!(world.script.requests(), 0);
}

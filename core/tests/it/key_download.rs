//! The first download of the platform certificates: what it takes, what it refuses, what is said.

use std::sync::Arc;
use std::time::Duration;

use favor_core::{
    ApiV3Key, Backend, Client, Error, ErrorKind, Outcome, PlatformKeys, RetryPolicy, TransportFailure,
};
use tokio::sync::Semaphore;

use crate::calls::send;
use crate::platform::{
    API_V3_KEY, Platform, SERIAL_1, SERIAL_2, certificate, certificate_1, certificate_2, certificate_list,
    public_key,
};
use crate::script::Play;
use crate::test_keys::PLATFORM_1;
use crate::world::{BACKUP, HOST, World, assert_error};

/// Downloads end as `download` says, and sends succeed, signed by the first certificate.
pub(crate) fn world(mut download: impl FnMut() -> Play + Send + 'static) -> World {
    let world = World::standing();
    world.script.direct(move |seen| {
        if seen.is_download() { download() } else { Play::signed(&Platform::by_certificate_1(), 200, "{}") }
    });
    world
}

pub(crate) fn keys() -> PlatformKeys {
    PlatformKeys::download(ApiV3Key::new(API_V3_KEY).unwrap())
}

pub(crate) fn client(world: &World) -> Client {
    world.builder_with(keys()).build().unwrap()
}

/// The list with the first certificate, signed by it.
pub(crate) fn good_list() -> Play {
    let pem = certificate_1(-10, 1000);
    Play::signed(&Platform::by_certificate_1(), 200, certificate_list([(SERIAL_1, pem.as_str())]))
}

fn held(client: &Client) -> Vec<String> {
    client.keys().certificates().map(|held| held.serial().as_str().to_owned()).collect()
}

/// How the first call fails when the download ends like this. It is then surely not sent.
async fn failure(download: impl FnMut() -> Play + Send + 'static) -> Error {
    let world = world(download);
    let client = client(&world);
    let error = client.execute(&send()).await.unwrap_err();
    assert_eq!(world.script.requests(), 1, "one download and no call");
    assert!(client.keys().is_empty());
    assert_eq!(error.operation(), Some("certificates.download"), "a download keeps its own name");
    error
}

#[tokio::test]
async fn the_first_call_downloads_the_certificates_and_then_goes_out() {
    for backend in Backend::ALL.iter().copied() {
        let world = world(good_list);
        let client = world.builder_with(keys().with_backend(backend)).build().unwrap();
        assert!(client.keys().is_empty());
        let response = client.execute(&send()).await.unwrap();
        assert_eq!(response.signed_by.unwrap().as_str(), SERIAL_1);
        assert_eq!(held(&client), [SERIAL_1]);
        let seen = world.script.seen();
        assert_eq!(seen.len(), 2);
        assert_eq!((seen[0].path_and_query.as_str(), seen[0].method.as_str()), ("/v3/certificates", "GET"));
        assert_eq!(seen[0].header("wechatpay-serial"), None, "there is none to announce yet");
        assert!(seen[0].header("authorization").is_some());
        assert_eq!(seen[1].header("wechatpay-serial"), Some(SERIAL_1));
        client.execute(&send()).await.unwrap();
        assert_eq!(world.script.downloads(), 1);
    }
}

#[tokio::test]
async fn sixty_four_first_calls_share_one_download() {
    let gate = Arc::new(Semaphore::new(0));
    let world = world({
        let gate = gate.clone();
        move || good_list().behind(&gate)
    });
    let client = client(&world);
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.execute(&send()).await })
        })
        .collect();
    crate::world::settle().await;
    assert_eq!(world.script.requests(), 1);
    gate.add_permits(64);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((world.script.downloads(), world.script.requests()), (1, 65));
}

#[tokio::test]
async fn a_wrong_api_v3_key_is_named() {
    let world = world(good_list);
    let keys = PlatformKeys::download(ApiV3Key::new("X".repeat(32)).unwrap());
    let client = world.builder_with(keys).build().unwrap();
    let error = client.execute(&send()).await.unwrap_err();
    assert_error(
        &error,
        ErrorKind::Keys,
        Outcome::NotSent,
        "certificates.download: a platform certificate cannot be decrypted < the APIv3 key does not open it: the key is not the one set in the merchant console, or the text was changed",
    );
    assert_eq!(error.hint(), "check the APIv3 key and whether the merchant uses a WeChat Pay public key");
    assert!(!error.is_retryable(), "no repetition makes the key right");
    assert_eq!(world.script.requests(), 1);
}

#[tokio::test]
async fn a_certificate_other_than_the_announced_one_is_refused() {
    let error = failure(|| {
        let pem = certificate_1(-10, 10);
        Play::signed(&Platform::by_certificate_1(), 200, certificate_list([(SERIAL_2, pem.as_str())]))
    });
    assert_error(
        &error.await,
        ErrorKind::Keys,
        Outcome::NotSent,
        &format!(
            "certificates.download: a downloaded platform certificate is not the announced one < the certificate's own serial {SERIAL_1} differs from the serial {SERIAL_2} it was announced with"
        ),
    );
}

#[tokio::test]
async fn a_leading_zero_or_the_case_of_the_announced_serial_does_not_matter() {
    for announced in [SERIAL_1, &SERIAL_1[1..], &SERIAL_1.to_lowercase()] {
        let announced = announced.to_owned();
        let world = world(move || {
            let pem = certificate_1(-10, 10);
            Play::signed(
                &Platform::by_certificate_1(),
                200,
                certificate_list([(announced.as_str(), pem.as_str())]),
            )
        });
        client(&world).execute(&send()).await.unwrap();
    }
}

#[tokio::test]
async fn a_certificate_outside_its_validity_is_named_with_its_dates() {
    for (from, until, words) in [
        (-20, -10, "expired at 2025-06-05 15:06:40 UTC"),
        (10, 20, "is not valid before 2025-06-25 15:06:40 UTC"),
    ] {
        let error = failure(move || {
            let pem = certificate_1(from, until);
            Play::signed(&Platform::by_certificate_1(), 200, certificate_list([(SERIAL_1, pem.as_str())]))
        });
        assert_error(
            &error.await,
            ErrorKind::Keys,
            Outcome::NotSent,
            &format!(
                "certificates.download: the platform certificate {SERIAL_1} {words}; check the clock of this machine"
            ),
        );
    }
}

#[tokio::test]
async fn of_a_mixed_list_all_but_the_expired_are_held_and_the_valid_one_is_used() {
    let third = "7A00000000000000000000000000000000000C03";
    let world = world(move || {
        let (expired, good) = (certificate_1(-20, -10), certificate_2(-10, 10));
        let future = certificate(PLATFORM_1, third, 10, 20);
        let list = [(SERIAL_1, expired.as_str()), (SERIAL_2, good.as_str()), (third, future.as_str())];
        Play::signed(&Platform::by_certificate_2(), 200, certificate_list(list))
    });
    let client = client(&world);
    let error = client.execute(&send()).await.unwrap_err();
    assert_eq!(held(&client), [third, SERIAL_2]);
    assert_eq!(error.kind(), ErrorKind::Verification, "the answer to the call is signed by the expired one");
    assert_eq!(
        client.keys().preferred(crate::world::start()).unwrap().0.as_str(),
        SERIAL_2,
        "not the future one"
    );
}

#[tokio::test]
async fn all_live_certificates_are_held_and_either_verifies() {
    let world = World::standing();
    let mut answers = [Platform::by_certificate_1(), Platform::by_certificate_2()].into_iter().cycle();
    world.script.direct(move |seen| {
        if seen.is_download() {
            let (older, newer) = (certificate_1(-20, 10), certificate_2(-10, 20));
            let list = certificate_list([(SERIAL_1, older.as_str()), (SERIAL_2, newer.as_str())]);
            Play::signed(&Platform::by_certificate_1(), 200, list)
        } else {
            Play::signed(&answers.next().unwrap(), 200, "{}")
        }
    });
    let client = client(&world);
    for expected in [SERIAL_1, SERIAL_2, SERIAL_1] {
        let response = client.execute(&send()).await.unwrap();
        assert_eq!(response.signed_by.unwrap().as_str(), expected);
    }
    assert_eq!(held(&client), [SERIAL_2, SERIAL_1]);
    assert_eq!(world.script.seen()[1].header("wechatpay-serial"), Some(SERIAL_2), "the newest is announced");
}

#[tokio::test]
async fn an_empty_or_malformed_list_is_named() {
    let signed = |body: &'static str| move || Play::signed(&Platform::by_certificate_1(), 200, body);
    assert_error(
        &failure(signed(r#"{"data":[]}"#)).await,
        ErrorKind::Keys,
        Outcome::NotSent,
        "certificates.download: the platform's list of certificates is empty",
    );
    for (body, why) in [
        ("{}", "the value is of an unexpected form (line 1, column 2)"),
        (r#"{"data":[{"serial_no":"0A"}]}"#, "the value is of an unexpected form (line 1, column 27)"),
        ("<html>", "it is not JSON (line 1, column 1)"),
        ("", "it ends too early (line 1, column 0)"),
    ] {
        assert_error(
            &failure(signed(body)).await,
            ErrorKind::Decode,
            Outcome::NotSent,
            &format!("certificates.download: the answer cannot be decoded at the certificate list < {why}"),
        );
    }
}

#[tokio::test]
async fn a_list_changed_on_the_way_is_refused() {
    let changed = |change: fn(String) -> String| {
        move || {
            let pem = certificate_1(-10, 10);
            let list = certificate_list([(SERIAL_1, pem.as_str())]);
            let headers = Platform::by_certificate_1().headers(crate::world::START, &list);
            let list = change(String::from_utf8(list.to_vec()).unwrap());
            Play::unsigned(200, list).edit(move |all| all.extend(headers))
        }
    };
    assert_error(
        &failure(changed(|list| format!("{list} "))).await,
        ErrorKind::Verification,
        Outcome::NotSent,
        "certificates.download: the answer cannot be trusted < the signature does not hold",
    );
    let error = failure(changed(|list| list.replacen("\"ciphertext\":\"", "\"ciphertext\":\"AAAA", 1))).await;
    assert_eq!(error.kind(), ErrorKind::Keys);
    let error = failure(changed(|list| list.replace("\"certificate\"", "\"certificatf\""))).await;
    assert_eq!(error.kind(), ErrorKind::Keys);
    let error = failure(changed(|list| list.replace("AEAD_AES_256_GCM", "AEAD_SM4_GCM"))).await;
    assert_error(
        &error,
        ErrorKind::Keys,
        Outcome::NotSent,
        "certificates.download: a platform certificate cannot be decrypted < sealed with \"AEAD_SM4_GCM\", and only AEAD_AES_256_GCM is supported",
    );
}

#[tokio::test]
async fn a_list_must_be_signed_by_what_it_brings_or_by_what_is_held() {
    let pem = || certificate_1(-10, 10);
    let list = move || certificate_list([(SERIAL_1, pem().as_str())]);
    assert_error(
        &failure(move || Play::unsigned(200, list())).await,
        ErrorKind::Verification,
        Outcome::NotSent,
        "certificates.download: the answer cannot be trusted < the header Wechatpay-Timestamp is missing",
    );
    assert_error(
        &failure(move || Play::signed(&Platform::by_certificate_2(), 200, list())).await,
        ErrorKind::Verification,
        Outcome::NotSent,
        &format!(
            "certificates.download: the answer cannot be trusted < signed with the key {SERIAL_2}, which is not among the platform keys held"
        ),
    );
    assert_error(
        &failure(move || {
            Play::signed(&Platform::by_certificate_1(), 200, list())
                .header("wechatpay-timestamp", "1749999699")
        })
        .await,
        ErrorKind::Verification,
        Outcome::NotSent,
        "certificates.download: the answer cannot be trusted < signed -301 s ahead of our clock, and the limit is 300 s either way; check the clock of this machine",
    );
}

#[tokio::test]
async fn a_merchant_without_certificates_is_told_to_use_the_public_key() {
    let message = "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥";
    let error = failure(move || Play::error(404, "RESOURCE_NOT_EXISTS", message)).await;
    assert_error(
        &error,
        ErrorKind::Keys,
        Outcome::NotSent,
        "certificates.download: this merchant has no platform certificates (404): configure the WeChat Pay public key and its id from the merchant console",
    );
    assert!(!error.is_retryable(), "it is a matter of settings, not of time");
}

#[tokio::test]
async fn a_merchant_without_certificates_goes_on_with_its_public_key() {
    let world = World::standing();
    world.script.direct(|seen| {
        if seen.is_download() {
            Play::error(404, "RESOURCE_NOT_EXISTS", "无可用的平台证书")
        } else {
            Play::ok("{}")
        }
    });
    let id = crate::platform::PUBLIC_KEY_ID;
    let key = ApiV3Key::new(API_V3_KEY).unwrap();
    let keys = PlatformKeys::download_and_public_key(key, id, public_key()).unwrap();
    let client = world.builder_with(keys).build().unwrap();
    let response = client.execute(&send()).await.unwrap();
    assert_eq!(response.signed_by.unwrap().as_str(), id);
}

#[tokio::test]
async fn a_refused_download_shows_the_platforms_words() {
    let error =
        failure(|| Play::error(401, "SIGN_ERROR", "商户证书序列号有误").header("request-id", "r-269546507"))
            .await;
    assert_error(
        &error,
        ErrorKind::Api,
        Outcome::NotSent,
        "certificates.download: the platform answered 401 (request id r-269546507) < SIGN_ERROR: 商户证书序列号有误",
    );
    assert!(error.diagnose().is_some());
    assert_error(
        &failure(|| Play::error(500, "SYSTEM_ERROR", "系统繁忙")).await,
        ErrorKind::Api,
        Outcome::NotSent,
        "certificates.download: the platform answered 500 < SYSTEM_ERROR: 系统繁忙",
    );
}

#[tokio::test]
async fn a_download_that_cannot_arrive_is_tried_on_the_backup_host() {
    for failing in [TransportFailure::Connect, TransportFailure::Timeout] {
        let mut plays = vec![good_list(), Play::fail(failing)];
        let world = world(move || plays.pop().unwrap());
        let client = world.builder_with(keys()).backup_url(BACKUP).build().unwrap();
        client.execute(&send()).await.unwrap();
        let hosts: Vec<_> = world.script.seen().into_iter().map(|seen| seen.base_url).collect();
        assert_eq!(hosts, [HOST, BACKUP, HOST]);
    }
}

#[tokio::test]
async fn a_failed_download_is_shared_for_a_moment_and_then_tried_again() {
    let mut plays = vec![good_list(), Play::fail(TransportFailure::Timeout)];
    let world = world(move || plays.pop().unwrap());
    let client = client(&world);
    for _ in 0..3 {
        let error = client.execute(&send()).await.unwrap_err();
        assert_error(
            &error,
            ErrorKind::Timeout,
            Outcome::NotSent,
            "certificates.download: no complete answer came in time < scripted",
        );
    }
    assert_eq!(world.script.requests(), 1);
    world.clock.advance(Duration::from_millis(200));
    client.execute(&send()).await.unwrap();
    assert_eq!(world.script.downloads(), 2);
}

#[tokio::test]
async fn a_call_is_repeated_until_the_keys_are_there() {
    let mut plays = vec![good_list(), Play::fail(TransportFailure::Connect)];
    let world = world(move || plays.pop().unwrap());
    let client = world.builder_with(keys()).retry(RetryPolicy::DEFAULT).build().unwrap();
    let call = tokio::spawn(async move { client.execute(&send()).await });
    // The background task sleeps after the failure, and so does the call, for at most half a second.
    world.clock.wait_for_sleepers(2).await;
    world.clock.advance(Duration::from_millis(500));
    call.await.unwrap().unwrap();
    assert_eq!(world.script.requests(), 3);
}

#[tokio::test]
async fn a_program_that_keeps_keys_itself_downloads_once_and_learns_the_fault() {
    use favor_core::{ApiV3Key, DownloadFault, KeySet, PlatformKeys};

    let world = world(good_list);
    let client = world.builder_with(PlatformKeys::fixed(KeySet::new())).build().unwrap();
    let key = ApiV3Key::new(API_V3_KEY).unwrap();
    let downloaded = client.download_certificates(&key, &KeySet::new()).await.unwrap();
    assert_eq!(downloaded.listed.len(), 1);
    assert_eq!(downloaded.signed_by.unwrap().as_str(), SERIAL_1);
    assert!(client.keys().is_empty(), "the client's own keys are as they were");
    let wrong = ApiV3Key::new("x".repeat(32)).unwrap();
    let error = client.download_certificates(&wrong, &downloaded.keys).await.unwrap_err();
    assert_eq!((error.fault(), error.fault().code()), (DownloadFault::Undecryptable, "undecryptable"));
}

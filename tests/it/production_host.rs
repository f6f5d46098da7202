//! A client with production's hosts, which ends at the mirror: through its proxy, and by TLS.

use std::sync::Arc;
use std::time::Duration;

use favor::core::{BACKUP_URL, HttpTransport, KeySet, MAIN_URL};
use favor::prelude::*;
use favor_mirror::{Mirror, PublicKeyPhase, Redeem};

use crate::harness::{World, api_v3_key, openid, quick, signer};

fn proxied(mirror: &Mirror) -> HttpTransport {
    HttpTransport::builder().proxy(mirror.proxy_url()).root_certificate(mirror.ca_pem()).build().unwrap()
}

/// A client that is told nothing of the mirror but how to get through to it.
async fn world(keys: impl FnOnce(&Mirror) -> PlatformKeys) -> World {
    let mirror = Mirror::builder().start().await.unwrap();
    let client = Client::builder(signer(&mirror), keys(&mirror)).transport(proxied(&mirror)).retry(quick(1));
    let client = client.build().unwrap();
    let appid = mirror.merchant().appid.parse().unwrap();
    let (stocks, coupons) = (Stocks::new(&client), Coupons::new(&client));
    World { mirror, client, stocks, coupons, appid, attempts: Arc::default() }
}

fn public_key(mirror: &Mirror) -> PublicKey {
    PublicKey::from_pem(&mirror.public_key().pem).unwrap()
}

#[tokio::test]
async fn a_coupon_is_sent_and_its_day_is_downloaded() {
    let world = world(|mirror| PlatformKeys::download(api_v3_key(mirror))).await;
    let stock_id = world.running(&world.stock_request(10, 1, "s")).await;
    let sent = world.coupons.send(&openid("oTea1"), &world.send_request(&stock_id, "n1")).await.unwrap();
    assert!(sent.response().signed_by.is_some(), "the answer was verified");

    world.mirror.redeem(sent.coupon_id.as_str(), Redeem::default()).await.unwrap();
    let day = world.mirror.now().date_naive();
    world.mirror.advance(Duration::from_secs(32 * 86_400)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    for flow in [world.stocks.use_flow(&stock_id), world.stocks.use_flow_by_day(&stock_id, day)] {
        let file = flow.download(folder.path().join("use.csv")).await.unwrap();
        let content = std::fs::read_to_string(&file.path).unwrap();
        assert!(content.contains(&format!("`{}", sent.coupon_id)), "{content}");
        std::fs::remove_file(&file.path).unwrap();
    }
}

#[tokio::test]
async fn keys_of_every_kind_verify_and_a_rotation_is_followed() {
    type Keys = fn(&Mirror) -> PlatformKeys;
    let certificates: Keys = |mirror| PlatformKeys::download(api_v3_key(mirror));
    let public: Keys = |mirror| {
        let keys = KeySet::new().with_public_key(&mirror.public_key().id, public_key(mirror)).unwrap();
        PlatformKeys::fixed(keys)
    };
    let both: Keys = |mirror| {
        let id = mirror.public_key().id;
        PlatformKeys::download_and_public_key(api_v3_key(mirror), id, public_key(mirror)).unwrap()
    };
    for (keys, phase) in [
        (certificates, PublicKeyPhase::Off),
        (public, PublicKeyPhase::On),
        (both, PublicKeyPhase::Off),
        (both, PublicKeyPhase::Grey),
        (both, PublicKeyPhase::On),
    ] {
        let world = world(keys).await;
        world.mirror.set_public_key_phase(phase).await.unwrap();
        let stock = world.stocks.create(&world.stock_request(10, 1, "s")).await.unwrap();
        world.stocks.get(&stock.stock_id).await.unwrap();
        world.mirror.rotate_keys().await;
        let read = world.stocks.get(&stock.stock_id).await.unwrap();
        assert!(read.response().signed_by.is_some(), "{phase:?}");
    }
}

#[tokio::test]
async fn no_other_host_is_reached_and_it_is_sure_that_nothing_was_sent() {
    let mirror = Mirror::builder().start().await.unwrap();
    let client = |host: &str| {
        let keys = PlatformKeys::download(api_v3_key(&mirror));
        let client = Client::builder(signer(&mirror), keys).transport(proxied(&mirror)).retry(quick(1));
        Stocks::new(&client.base_url(host).build().unwrap())
    };
    let stock_id = "15300001".parse().unwrap();
    let error = client("https://pay.example.com").get(&stock_id).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent));
    let refused = mirror.requests(1, 0).pop().unwrap();
    assert_eq!((refused.path.as_str(), refused.status), ("pay.example.com:443", Some(403)));
    for host in [MAIN_URL, BACKUP_URL, "https://api.wechatpay.cn"] {
        let error = client(host).get(&stock_id).await.unwrap_err();
        assert_eq!(error.api().unwrap().status(), 404, "{host}");
    }
}

#[tokio::test]
async fn tls_works_with_the_authority_and_not_without() {
    let mirror = Mirror::builder().start().await.unwrap();
    let certificates = |transport| {
        let keys = PlatformKeys::download(api_v3_key(&mirror));
        let client = Client::builder(signer(&mirror), keys).base_url(mirror.tls_url()).retry(quick(1));
        Stocks::new(&client.transport(transport).build().unwrap())
    };
    let stock_id = "15300001".parse().unwrap();
    let trusting = HttpTransport::builder().root_certificate(mirror.ca_pem()).build().unwrap();
    let error = certificates(trusting).get(&stock_id).await.unwrap_err();
    assert_eq!(error.api().unwrap().status(), 404, "answered, and verified");
    let error = certificates(HttpTransport::new().unwrap()).get(&stock_id).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome()), (ErrorKind::Connect, Outcome::NotSent));
}

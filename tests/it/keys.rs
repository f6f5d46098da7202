//! The platform's keys change while calls go on.

use favor::core::KeySet;
use favor::prelude::*;
use favor_mirror::{Mirror, PublicKeyPhase};

use crate::harness::{World, api_v3_key, client_of, signer};

async fn call(client: &Client) -> Option<String> {
    let stock = "15300001".parse().unwrap();
    let error = Stocks::new(client).get(&stock).await.unwrap_err();
    let api = error.api().unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!(api.status(), 404, "{error:?}");
    assert_eq!(api.authenticity(), favor::core::Authenticity::Verified);
    client.keys().certificates().next().map(|newest| newest.serial().to_string())
}

#[tokio::test]
async fn a_rotation_is_followed_at_once() {
    let world = World::new().await;
    let stock_id = world.running(&world.stock_request(10, 1, "s")).await;
    let before = world.stocks.get(&stock_id).await.unwrap().response().signed_by.clone().unwrap();
    let serials = world.mirror.rotate_keys().await;
    assert!(serials.len() >= 2, "old and new overlap");
    let after = world.stocks.get(&stock_id).await.unwrap().response().signed_by.clone().unwrap();
    assert_ne!(before, after, "the new key signs, and the client found it");
    assert!(world.client.keys().certificates().count() >= 2, "the old one is kept");
}

#[tokio::test]
async fn each_mode_verifies_in_each_phase_of_the_switch() {
    for phase in [PublicKeyPhase::Off, PublicKeyPhase::Grey, PublicKeyPhase::On] {
        let mirror = Mirror::builder().public_key_mode(phase).start().await.unwrap();
        let public = mirror.public_key();
        let key = || PublicKey::from_pem(&public.pem).unwrap();
        let both = PlatformKeys::download_and_public_key(api_v3_key(&mirror), &public.id, key()).unwrap();
        let both = Client::builder(signer(&mirror), both).base_url(mirror.base_url()).build().unwrap();
        call(&both).await;
        let signed_with = mirror.requests(1, 0)[0].signed_with.clone().unwrap();
        let by_public_key = signed_with == public.id;
        assert_eq!(
            by_public_key,
            phase != PublicKeyPhase::Off,
            "{phase:?}: the client asked for the public key"
        );

        if phase == PublicKeyPhase::On {
            let only = PlatformKeys::public_key(&public.id, key()).unwrap();
            let only = Client::builder(signer(&mirror), only).base_url(mirror.base_url()).build().unwrap();
            call(&only).await;
        } else {
            call(&client_of(&mirror).build().unwrap()).await;
        }
        mirror.shutdown().await;
    }
}

#[tokio::test]
async fn swapped_certificates_are_noticed_before_any_call() {
    let mirror = Mirror::builder().start().await.unwrap();
    let merchant = mirror.merchant();
    let own = Certificate::from_pem(&merchant.certificate_pem).unwrap();
    let error = KeySet::new().with_certificate(own).unwrap_err();
    assert!(error.to_string().contains("merchant's API certificate"), "{error}");

    let platform = Certificate::from_pem(&mirror.platform_certificates()[0].pem).unwrap();
    let key = PrivateKey::from_pem(&merchant.private_key_pem).unwrap();
    let error =
        MerchantSigner::from_certificate(merchant.mchid.parse().unwrap(), &platform, key).unwrap_err();
    assert!(error.to_string().contains("not a merchant's API certificate"), "{error}");

    let own = signer(&mirror).key().public_key().clone();
    let keys = PlatformKeys::public_key("PUB_KEY_ID_0000000000000000000000000000", own).unwrap();
    let error = Client::builder(signer(&mirror), keys).base_url(mirror.base_url()).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

//! Keys, certificates and serials that do not belong together.

use favor_core::{
    Certificate, ErrorKind, KeySet, MerchantId, MerchantSigner, Outcome, PlatformKeys, PublicKey, Signer,
};

use crate::platform::{PUBLIC_KEY_ID, certificate_1, certificate_set, public_key};
use crate::test_keys::{
    MERCHANT, MERCHANT_CERTIFICATE, MERCHANT_KEY, MERCHANT_PUBLIC, NewCertificate, OTHER_KEY,
};
use crate::world::{MERCHANT_ID, START, World, assert_error};

fn merchant_id() -> MerchantId {
    MerchantId::new(MERCHANT_ID).unwrap()
}

fn merchant_certificate() -> Certificate {
    Certificate::from_pem(MERCHANT_CERTIFICATE).unwrap()
}

#[test]
fn the_signer_takes_its_serial_from_the_certificate() {
    let signer =
        MerchantSigner::from_certificate(merchant_id(), &merchant_certificate(), MERCHANT_KEY.clone())
            .unwrap();
    assert_eq!(signer.serial().as_str(), "0C4A5F7700000000000000000000000000000001");
    assert_eq!(signer.merchant_id().as_str(), MERCHANT_ID);
}

#[test]
fn a_key_that_does_not_belong_to_the_certificate_is_noticed() {
    let error = MerchantSigner::from_certificate(merchant_id(), &merchant_certificate(), OTHER_KEY.clone());
    assert_eq!(
        error.unwrap_err().to_string(),
        "the private key does not belong to this certificate; use the key and certificate of one download"
    );
}

#[test]
fn a_platform_certificate_in_place_of_the_merchants_is_noticed() {
    let platform = Certificate::from_pem(certificate_1(-1, 100)).unwrap();
    let error = MerchantSigner::from_certificate(merchant_id(), &platform, MERCHANT_KEY.clone());
    assert_eq!(
        error.unwrap_err().to_string(),
        "this is not a merchant's API certificate; apiclient_cert.pem is needed here, a platform certificate verifies responses"
    );
}

#[test]
fn a_merchant_certificate_in_place_of_the_platforms_is_noticed() {
    let error = KeySet::new().with_certificate(merchant_certificate()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this is a merchant's API certificate (apiclient_cert.pem); a platform certificate of WeChat Pay is needed"
    );
}

#[test]
fn the_merchants_own_key_in_place_of_the_platforms_is_noticed() {
    let own = PublicKey::from_pem(MERCHANT_PUBLIC).unwrap();
    let renamed = NewCertificate {
        key: MERCHANT,
        serial: "0A",
        name: "Tenpay.com sign",
        from: START,
        until: START + 1,
    };
    for keys in [
        KeySet::new().with_public_key(PUBLIC_KEY_ID, own).unwrap(),
        certificate_set([renamed.pem().as_str()]),
    ] {
        let error = World::jumping().builder_with(PlatformKeys::fixed(keys)).build().unwrap_err();
        assert_error(
            &error,
            ErrorKind::Config,
            Outcome::NotSent,
            "a key cannot be used < the merchant's own key or certificate was given as the platform's",
        );
    }
}

#[test]
fn a_public_key_id_must_look_like_one() {
    for id in ["", "PUB_KEY_ID_", "pub_key_id_0119", "0119000001092026050100", "6B1D3C5E"] {
        let expected = "the public key id must begin with PUB_KEY_ID_; copy it from the merchant console";
        let set = KeySet::new().with_public_key(id, public_key()).unwrap_err();
        assert_eq!(set.to_string(), expected, "{id:?}");
        let keys = PlatformKeys::public_key(id, public_key()).unwrap_err();
        assert_eq!(keys.to_string(), expected, "{id:?}");
    }
    let padded = format!(" {PUBLIC_KEY_ID}\n");
    let keys = KeySet::new().with_public_key(padded, public_key()).unwrap();
    assert_eq!(keys.public_key_id().unwrap().as_str(), PUBLIC_KEY_ID);
}

#[test]
fn the_merchant_serial_must_be_a_certificates() {
    let new = |serial: &str| MerchantSigner::new(merchant_id(), serial, MERCHANT_KEY.clone());
    assert_eq!(
        new(PUBLIC_KEY_ID).unwrap_err().to_string(),
        "the merchant certificate's serial is needed, and a WeChat Pay public key id was given"
    );
    for bad in ["", " ", "0C:4A", "serial=0C4A", "0x0C4A", "序列号"] {
        assert_eq!(
            new(bad).unwrap_err().to_string(),
            "the merchant certificate's serial must be hexadecimal digits; see: openssl x509 -in apiclient_cert.pem -noout -serial",
            "{bad:?}"
        );
    }
    assert_eq!(new(" 0c4a5f\n").unwrap().serial().as_str(), "0C4A5F");
}

#[test]
fn a_client_tells_its_merchant_and_its_keys() {
    let client = World::jumping().client();
    assert_eq!(client.merchant_id().as_str(), MERCHANT_ID);
    assert_eq!(client.keys().public_key_id().unwrap().as_str(), PUBLIC_KEY_ID);
    assert_eq!(client.now().to_rfc3339(), "2025-06-15T23:06:40+08:00");
}

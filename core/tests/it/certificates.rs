//! What is read out of a certificate, and how a set of keys chooses.

use chrono::{DateTime, TimeDelta};
use favor_core::{Certificate, KeySet, Lookup, Serial};

use crate::platform::{
    DAY, PUBLIC_KEY_ID, SERIAL_1, SERIAL_2, certificate, certificate_1, certificate_2, certificate_set,
    public_key,
};
use crate::test_keys::PLATFORM_1;
use crate::world::{START, start};

#[test]
fn validity_and_serial_are_read_to_the_second() {
    let certificate = Certificate::from_pem(certificate_1(-10, 20)).unwrap();
    let day = |days: i64| DateTime::from_timestamp(START + days * DAY, 0).unwrap();
    assert_eq!(certificate.not_before(), day(-10));
    assert_eq!(certificate.not_after(), day(20));
    assert_eq!(certificate.serial().as_str(), SERIAL_1);
    assert_eq!(certificate.subject(), Some("Tenpay.com sign"));
    let second = TimeDelta::seconds(1);
    assert!(certificate.valid_at(day(-10)) && certificate.valid_at(day(20)));
    assert!(!certificate.valid_at(day(-10) - second) && !certificate.valid_at(day(20) + second));
}

#[test]
fn a_certificate_written_out_reads_back_the_same() {
    let certificate = Certificate::from_pem(format!("text before\n{}", certificate_1(-1, 1))).unwrap();
    let again = Certificate::from_pem(certificate.pem()).unwrap();
    assert_eq!(again.pem(), certificate.pem());
    assert_eq!(again.serial(), certificate.serial());
}

#[test]
fn a_certificate_is_found_by_its_serial_in_any_spelling() {
    let with_zero = certificate(PLATFORM_1, "0C4A5F77", -1, 1);
    let with_sign_byte = certificate(PLATFORM_1, "8C4A5F77", -1, 1);
    for (pem, spellings) in [
        (with_zero, ["0C4A5F77", "C4A5F77", "0c4a5f77", "000c4a5f77"]),
        (with_sign_byte, ["8C4A5F77", "008C4A5F77", "8c4a5f77", "08c4a5f77"]),
    ] {
        let keys = certificate_set([pem.as_str()]);
        for spelling in spellings {
            let found = keys.find(&Serial::new(spelling), start());
            assert!(matches!(found, Lookup::Found(_)), "{spelling}: {found:?}");
        }
        for other in ["C4A5F7", "C4A5F770", "0", "", "xC4A5F77"] {
            assert_eq!(keys.find(&Serial::new(other), start()), Lookup::Unknown, "{other}");
        }
    }
}

#[test]
fn public_key_ids_are_compared_exactly() {
    let keys = KeySet::new().with_public_key("PUB_KEY_ID_01A", public_key()).unwrap();
    let find = |id: &str| keys.find(&Serial::new(id), start());
    assert!(matches!(find("PUB_KEY_ID_01A"), Lookup::Found(_)));
    for other in
        ["PUB_KEY_ID_1A", "PUB_KEY_ID_01a", "pub_key_id_01a", "pub_key_id_01A", "0PUB_KEY_ID_01A", "01A"]
    {
        assert_eq!(find(other), Lookup::Unknown, "{other}");
    }
}

#[test]
fn expired_and_future_certificates_are_told_from_unknown_ones() {
    let keys = certificate_set([certificate_1(-20, -10).as_str(), certificate_2(10, 20).as_str()]);
    assert_eq!(keys.find(&Serial::new(SERIAL_1), start()), Lookup::Expired);
    assert_eq!(keys.find(&Serial::new(SERIAL_2), start()), Lookup::NotYetValid);
    assert_eq!(keys.find(&Serial::new("AB"), start()), Lookup::Unknown);
    assert!(keys.preferred(start()).is_none());
}

#[test]
fn the_newest_valid_certificate_is_preferred_and_the_public_key_before_it() {
    let (older, newer) = (certificate_1(-20, 100), certificate_2(-10, 50));
    let preferred = |keys: &KeySet, days: i64| {
        let moment = start() + TimeDelta::days(days);
        keys.preferred(moment).map(|(serial, _)| serial.as_str().to_owned())
    };
    for pems in [[older.as_str(), newer.as_str()], [newer.as_str(), older.as_str()]] {
        let keys = certificate_set(pems);
        assert_eq!(preferred(&keys, 0).as_deref(), Some(SERIAL_2));
        assert_eq!(preferred(&keys, -15).as_deref(), Some(SERIAL_1), "the newer one is not valid yet");
        assert_eq!(preferred(&keys, 60).as_deref(), Some(SERIAL_1), "the newer one has expired");
        assert_eq!(preferred(&keys, 200), None);
        let order: Vec<_> = keys.certificates().map(|held| held.serial().as_str()).collect();
        assert_eq!(order, [SERIAL_2, SERIAL_1], "the newest first");
        let both = keys.with_public_key(PUBLIC_KEY_ID, public_key()).unwrap();
        assert_eq!(preferred(&both, 0).as_deref(), Some(PUBLIC_KEY_ID));
    }
}

#[test]
fn a_certificate_replaces_the_one_of_the_same_serial() {
    let keys = certificate_set([certificate_1(-20, -10).as_str(), certificate_1(-5, 5).as_str()]);
    assert_eq!(keys.certificates().count(), 1);
    assert!(matches!(keys.find(&Serial::new(SERIAL_1), start()), Lookup::Found(_)));
}

#[test]
fn a_set_without_keys_says_so() {
    assert!(KeySet::new().is_empty());
    assert!(!certificate_set([certificate_1(-1, 1).as_str()]).is_empty());
    assert!(!KeySet::new().with_public_key(PUBLIC_KEY_ID, public_key()).unwrap().is_empty());
}

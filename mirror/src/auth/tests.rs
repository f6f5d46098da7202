//! Every cause of a 401, and the order in which they are found.

use super::*;
use crate::merchant::{MerchantCertificate, MerchantSeed};
use crate::rsa_key::SigningKey;

const NOW: Moment = Moment::from_millis_const(1_790_000_000_000);
const SIGNED: Signed<'static> = Signed { method: "POST", target: "/v3/a?b=c", body: b"{}" };

struct World {
    merchants: Directory,
    keys: Vec<SigningKey>,
}

fn world() -> World {
    let seeds = [
        MerchantSeed::new("1"),
        MerchantSeed::new("2"),
        MerchantSeed { certificate: MerchantCertificate::Missing, ..MerchantSeed::new("3") },
        MerchantSeed { certificate: MerchantCertificate::Expired, ..MerchantSeed::new("4") },
    ];
    let mut taken = Vec::new();
    let mut known = Vec::new();
    for seed in &seeds {
        let merchant = KnownMerchant::from_seed(seed, &taken, NOW).unwrap();
        taken.push(merchant.public.private_key_pem.clone());
        known.push(merchant);
    }
    let keys = taken.iter().map(|pem| SigningKey::from_pem(pem).unwrap()).collect();
    World { merchants: Directory::new(known), keys }
}

impl World {
    fn header(&self, mchid: &str, serial_no: &str, timestamp: i64, key: usize, signed: Signed<'_>) -> String {
        let signature = self.keys[key].sign(&signed.message(&timestamp.to_string(), "nonce"));
        format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"nonce\",timestamp=\"{timestamp}\",\
             serial_no=\"{serial_no}\",signature=\"{signature}\""
        )
    }

    fn serial(&self, mchid: &str) -> String {
        self.merchants.find(mchid).unwrap().public.serial_no.clone()
    }

    fn check(&self, header: &str) -> Check {
        check(Some(header), SIGNED, &self.merchants, NOW)
    }

    fn refused(&self, header: &str) -> (&'static str, String) {
        let check = self.check(header);
        (check.result.unwrap_err().rule.id, check.notes.join("; "))
    }
}

#[test]
fn a_good_request_names_its_merchant() {
    let world = world();
    let serial = world.serial("1");
    let check = world.check(&world.header("1", &serial, NOW.seconds(), 0, SIGNED));
    assert_eq!(check.result.unwrap().mchid(), "1");
    assert_eq!(check.message.unwrap(), "POST\n/v3/a?b=c\n1790000000\nnonce\n{}\n");
    let lower = world.header("1", &format!("00{}", serial.to_lowercase()), NOW.seconds(), 0, SIGNED);
    assert!(world.check(&lower).result.is_ok());
}

#[test]
fn each_cause_has_its_rule() {
    let world = world();
    let now = NOW.seconds();
    let serial = world.serial("1");
    assert_eq!(check(None, SIGNED, &world.merchants, NOW).result.unwrap_err().rule, &HEADER);
    assert_eq!(world.refused("Basic x").0, HEADER.id);
    assert_eq!(world.refused(&world.header("9", &serial, now, 0, SIGNED)).0, MERCHANT.id);
    assert_eq!(world.refused(&world.header("3", &serial, now, 2, SIGNED)).0, NO_CERTIFICATE.id);
    let (rule, note) = world.refused(&world.header("1", &world.serial("2"), now, 0, SIGNED));
    assert_eq!((rule, note.as_str()), (SERIAL.id, "the serial is that of merchant 2"));
    assert_eq!(world.refused(&world.header("4", &world.serial("4"), now, 3, SIGNED)).0, EXPIRED.id);
}

#[test]
fn the_window_is_just_under_five_minutes_both_ways() {
    let world = world();
    let serial = world.serial("1");
    let at = |offset: i64| world.check(&world.header("1", &serial, NOW.seconds() + offset, 0, SIGNED)).result;
    assert!(at(299).is_ok() && at(-299).is_ok());
    for offset in [300, -300, i64::MAX - NOW.seconds(), 1_000 * NOW.seconds()] {
        assert_eq!(at(offset).unwrap_err().rule, &TIMESTAMP);
    }
}

#[test]
fn a_mismatch_shows_what_the_server_built() {
    let world = world();
    let other = Signed { body: b"{ }", ..SIGNED };
    let header = world.header("1", &world.serial("1"), NOW.seconds(), 0, other);
    let refusal = world.check(&header).result.unwrap_err();
    assert_eq!(refusal.rule, &SIGNATURE);
    let detail = refusal.detail.unwrap();
    assert_eq!(detail["detail"]["issue"], "sign not match");
    let shown = &detail["sign_information"];
    assert_eq!(shown["method"], "POST");
    assert_eq!(shown["url"], "/v3/a?b=c");
    assert_eq!(shown["sign_message_length"], "POST\n/v3/a?b=c\n1790000000\nnonce\n{}\n".len());
    assert_eq!(shown["truncated_sign_message"], "POST\n/v3/a?b=c\n1790000000\nnonce\n{}\n");
}

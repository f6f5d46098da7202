//! What is sealed with the APIv3 key, as JSON; and, as a text, what comes out of sealing it.

#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use favor_core::{ApiV3Key, Sealed};
use favor_fuzz::{API_V3_KEY, seal};
use libfuzzer_sys::fuzz_target;

static KEY: LazyLock<ApiV3Key> = LazyLock::new(|| ApiV3Key::new(API_V3_KEY).expect("32 characters"));
const NONCE: &str = "a1b2c3d4e5f6";

fuzz_target!(
    init: {
        assert_eq!(KEY.open(&sealed(b"text")).expect("a good one opens"), b"text");
    },
    |input: &[u8]| {
        if let Ok(sealed) = serde_json::from_slice::<Sealed>(input) {
            match KEY.open(&sealed) {
                Ok(text) => {
                    // Nothing opens but what sealing makes.
                    let aad = sealed.associated_data.as_deref().unwrap_or_default();
                    assert_eq!(seal(&sealed.nonce, aad, &text), Some(sealed.ciphertext));
                }
                Err(error) => drop(format!("{error} {error:?}")),
            }
        }
        let mut whole = sealed(input);
        assert_eq!(KEY.open(&whole).expect("what was sealed opens"), input);
        // One bit, anywhere.
        let mut bytes = STANDARD.decode(&whole.ciphertext).expect("Base64");
        let place = input.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
        let length = bytes.len();
        bytes[place % length] ^= 1 << (place % 8);
        whole.ciphertext = STANDARD.encode(bytes);
        assert!(KEY.open(&whole).is_err(), "a changed text opens");
    }
);

fn sealed(text: &[u8]) -> Sealed {
    Sealed::new(seal(NONCE, "coupon", text).expect("12 bytes"), NONCE, Some("coupon".to_owned()))
}

//! Percent-encoding of path segments and query values (spec §2.5), in this one place.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything outside `A-Z a-z 0-9 - _ . ~` is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Appends `text` to `out`, encoded as a path segment or a query value.
pub fn encode_into(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, RESERVED));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encode(text: &str) -> String {
        let mut out = String::new();
        encode_into(&mut out, text);
        out
    }

    #[test]
    fn encodes_all_but_the_unreserved() {
        assert_eq!(encode("oTea-_.~09"), "oTea-_.~09");
        assert_eq!(encode("2026-05-20T00:00:00+08:00"), "2026-05-20T00%3A00%3A00%2B08%3A00");
        assert_eq!(encode("a/b?c#d%e f*"), "a%2Fb%3Fc%23d%25e%20f%2A");
        assert_eq!(encode("券"), "%E5%88%B8");
    }

    proptest! {
        #[test]
        fn encoding_loses_nothing(text: String) {
            let encoded = encode(&text);
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b)));
            let decoded = percent_encoding::percent_decode_str(&encoded).decode_utf8().unwrap();
            prop_assert_eq!(decoded, text);
        }
    }
}

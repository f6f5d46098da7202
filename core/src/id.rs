//! Identifiers, each its own type (spec §1).

use std::fmt;

/// Why a text is not an identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be {rule}")]
pub struct IdError {
    kind: &'static str,
    rule: &'static str,
}

impl IdError {
    #[doc(hidden)]
    pub const fn new(kind: &'static str, rule: &'static str) -> Self {
        Self { kind, rule }
    }

    /// Which identifier was asked for, in words.
    pub fn kind(&self) -> &'static str {
        self.kind
    }
}

/// Declares an identifier: a text newtype that is checked when made from a text, and kept as it comes when read
/// from the platform. The last word says how Debug treats it: `plain`, or `private` for personal data.
#[macro_export]
macro_rules! id {
    ($(#[$meta:meta])* $vis:vis struct $name:ident: $kind:literal, $rule:literal, $check:expr, $privacy:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis struct $name(String);

        impl $name {
            /// Checks `text` and takes it.
            ///
            /// # Errors
            #[doc = concat!("`IdError` unless it is ", $rule, ".")]
            pub fn new(text: impl Into<String>) -> Result<Self, $crate::IdError> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err($crate::IdError::new($kind, $rule)) }
            }

            /// The text as it goes on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(text)
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                Ok(Self($crate::__private::text(deserializer)?))
            }
        }

        $crate::id!(@print $privacy $name);
    };
    (@print plain $name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
    (@print private $name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(****)"))
            }
        }
    };
}

fn digits(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn word(text: &str, max: usize) -> bool {
    (1..=max).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

id! {
    /// A merchant id (mchid, 商户号): names a party of WeChat Pay.
    pub struct MerchantId: "the merchant id", "1 to 32 digits", |t| digits(t, 32), plain
}
id! {
    /// An appid: the app, official account or mini program through which a user is seen.
    pub struct AppId: "the appid", "1 to 128 letters, digits, '_' or '-'", |t| word(t, 128), plain
}
id! {
    /// An openid: a person seen through one [`AppId`]. Personal data, so Debug does not show it.
    pub struct OpenId: "the openid", "1 to 128 visible ASCII characters, and not '.' or '..'",
    |t| (1..=128).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic()) && t != "." && t != "..", private
}
id! {
    /// A stock id (批次号): one issue of identical coupons.
    pub struct StockId: "the stock id", "1 to 20 letters, digits, '_' or '-'", |t| word(t, 20), plain
}
id! {
    /// A coupon id: one coupon in one user's hands.
    pub struct CouponId: "the coupon id", "1 to 20 letters, digits, '_' or '-'", |t| word(t, 20), plain
}
id! {
    /// A payment's transaction id.
    pub struct TransactionId: "the transaction id", "1 to 32 letters, digits, '_' or '-'", |t| word(t, 32), plain
}
id! {
    /// The caller's own number for one create or one send: the idempotency key (商户单据号).
    ///
    /// Write it to durable storage before the first attempt, and repeat with the same number while the outcome
    /// is not known: a new number means a new coupon (spec §2.18).
    pub struct OutRequestNo: "out_request_no", "1 to 128 letters, digits, '|', '_', '*' or '-'",
    |t| (1..=128).contains(&t.len())
        && t.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'|' | b'_' | b'*' | b'-')), plain
}

impl fmt::Display for OpenId {
    /// Masked: an openid is personal data. Use [`OpenId::as_str`] where the text is really needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_length_and_characters() {
        assert!(MerchantId::new("1900000109").is_ok());
        for bad in ["", "19000x", "１９０", &"1".repeat(33)] {
            assert!(MerchantId::new(bad).is_err(), "{bad:?}");
        }
        assert!(OutRequestNo::new("a|b_c*d-9").is_ok());
        for bad in ["", "a b", "a/b", "号", &"1".repeat(129)] {
            assert!(OutRequestNo::new(bad).is_err(), "{bad:?}");
        }
        for bad in ["", ".", "..", "a b", "a\n"] {
            assert!(OpenId::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            StockId::new("a/b").unwrap_err().to_string(),
            "the stock id must be 1 to 20 letters, digits, '_' or '-'"
        );
    }

    #[test]
    fn an_openid_is_never_printed() {
        let openid = OpenId::new("oTea0000000000000000000000001").unwrap();
        assert_eq!(format!("{openid:?} {openid}"), "OpenId(****) ****");
    }

    #[test]
    fn what_the_platform_sends_is_kept() {
        let id: StockId = serde_json::from_str("15300001").unwrap();
        assert_eq!(id.as_str(), "15300001");
        let id: StockId = serde_json::from_str("\"a stock of the future, longer than today\"").unwrap();
        assert_eq!(id.as_str(), "a stock of the future, longer than today");
    }
}

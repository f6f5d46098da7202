//! Money in fen.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of money in fen (1/100 yuan): an integer, never negative, with checked arithmetic.
///
/// On the wire it is a JSON integer (spec §2.3); digits in a string are accepted when reading.
///
/// ```
/// use favor_core::Fen;
/// let face = Fen::new(500)?;
/// assert_eq!(face.checked_mul(200)?, Fen::new(100_000)?);
/// assert_eq!(face.to_string(), "5.00 yuan");
/// # Ok::<(), favor_core::MoneyError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fen(i64);

/// Why an amount could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Amounts are never negative.
    #[error("an amount of money cannot be negative")]
    Negative,
    /// The result does not fit 63 bits.
    #[error("the amount is too large")]
    Overflow,
    /// A yuan amount has more than two decimals, so it is no whole number of fen.
    #[error("the yuan amount is not a whole number of fen")]
    FractionOfFen,
}

impl Fen {
    /// No money.
    pub const ZERO: Fen = Fen(0);

    /// An amount of `fen`.
    ///
    /// # Errors
    /// [`MoneyError::Negative`] below zero.
    pub const fn new(fen: i64) -> Result<Self, MoneyError> {
        if fen < 0 { Err(MoneyError::Negative) } else { Ok(Self(fen)) }
    }

    /// The number of fen.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it does not fit.
    pub const fn checked_add(self, other: Fen) -> Result<Fen, MoneyError> {
        match self.0.checked_add(other.0) {
            Some(sum) => Ok(Fen(sum)),
            None => Err(MoneyError::Overflow),
        }
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::Negative`] when `other` is larger.
    pub const fn checked_sub(self, other: Fen) -> Result<Fen, MoneyError> {
        match self.0.checked_sub(other.0) {
            Some(rest) => Fen::new(rest),
            None => Err(MoneyError::Overflow),
        }
    }

    /// The product with a count.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when it does not fit.
    pub fn checked_mul(self, count: u64) -> Result<Fen, MoneyError> {
        let count = i64::try_from(count).map_err(|_| MoneyError::Overflow)?;
        self.0.checked_mul(count).map(Fen).ok_or(MoneyError::Overflow)
    }

    /// The amount in yuan, exact.
    pub fn to_yuan(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    /// An amount given in yuan.
    ///
    /// # Errors
    /// [`MoneyError`] when it is negative, too large, or no whole number of fen.
    pub fn from_yuan(yuan: Decimal) -> Result<Self, MoneyError> {
        let fen = yuan.checked_mul(Decimal::ONE_HUNDRED).ok_or(MoneyError::Overflow)?;
        if !fen.fract().is_zero() {
            return Err(MoneyError::FractionOfFen);
        }
        Fen::new(i64::try_from(fen).map_err(|_| MoneyError::Overflow)?)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} yuan", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Fen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de> Deserialize<'de> for Fen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fen = crate::lenient::integer(deserializer)?;
        Fen::new(fen).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_no_amount() {
        assert_eq!(Fen::new(-1), Err(MoneyError::Negative));
        assert_eq!(Fen::new(i64::MAX).unwrap().checked_add(Fen(1)), Err(MoneyError::Overflow));
        assert_eq!(Fen(2).checked_mul(u64::MAX), Err(MoneyError::Overflow));
        assert_eq!(Fen(1).checked_sub(Fen(2)), Err(MoneyError::Negative));
        assert_eq!(Fen::from_yuan(Decimal::new(1234, 3)), Err(MoneyError::FractionOfFen));
        assert_eq!(Fen::from_yuan(Decimal::new(-1, 2)), Err(MoneyError::Negative));
        assert_eq!(Fen::from_yuan(Decimal::MAX), Err(MoneyError::Overflow));
        for json in ["5.0", "-5", "\"x\"", "\"\"", "1e3", "99999999999999999999", "true", "\"+5\""] {
            assert!(serde_json::from_str::<Fen>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn reads_integers_and_digit_strings() {
        assert_eq!(serde_json::from_str::<Fen>("500").unwrap(), Fen(500));
        assert_eq!(serde_json::from_str::<Fen>("\"500\"").unwrap(), Fen(500));
        assert_eq!(serde_json::to_string(&Fen(500)).unwrap(), "500");
    }

    proptest! {
        #[test]
        fn yuan_and_fen_agree(fen in 0..=i64::MAX) {
            prop_assert_eq!(Fen::from_yuan(Fen(fen).to_yuan()), Ok(Fen(fen)));
        }
    }
}

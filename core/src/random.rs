//! Nonces and jitter, from the system's random source.

use std::time::Duration;

use crate::sign::SignError;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// 32 letters and digits, each equally likely.
///
/// # Errors
/// [`SignError`] when the system has no random bytes.
pub fn nonce() -> Result<String, SignError> {
    let mut nonce = String::with_capacity(32);
    let mut bytes = [0; 48];
    loop {
        getrandom::fill(&mut bytes)
            .map_err(|error| SignError::new("no random bytes for the nonce").caused_by(error))?;
        for byte in bytes {
            // 248 is the largest multiple of 62 in a byte: what lies above would favour some letters.
            if byte < 248 {
                nonce.push(char::from(ALPHABET[usize::from(byte % 62)]));
                if nonce.len() == 32 {
                    return Ok(nonce);
                }
            }
        }
    }
}

/// A duration between `low` and `high`. Without random bytes it is `high`: jitter is a courtesy, not a need.
pub(crate) fn between(low: Duration, high: Duration) -> Duration {
    let mut bytes = [0; 4];
    if getrandom::fill(&mut bytes).is_err() {
        return high;
    }
    let span = high.saturating_sub(low);
    let share = u128::from(u32::from_le_bytes(bytes));
    let nanos = span.as_nanos() * share / u128::from(u32::MAX);
    low + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_has_32_letters_and_digits_and_does_not_repeat() {
        let (one, two) = (nonce().unwrap(), nonce().unwrap());
        assert_eq!(one.len(), 32);
        assert!(one.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(one, two);
    }

    #[test]
    fn jitter_stays_between_its_ends() {
        let (low, high) = (Duration::from_secs(10), Duration::from_secs(12));
        let all: Vec<_> = (0..100).map(|_| between(low, high)).collect();
        assert!(all.iter().all(|one| (low..=high).contains(one)));
        assert!(all.iter().any(|one| one != &all[0]));
        assert_eq!(between(high, low), high, "an empty span is its low end");
    }
}

//! When the next check is due.

use std::time::Duration;

use favor_core::MerchantId;
use sha2::{Digest as _, Sha256};

use crate::config::Config;

/// A change-over is looked at this many times as often.
const QUICKER: u32 = 6;

/// The pause after a success: the interval, up to ten per cent shorter or longer. Which is a matter of the merchant
/// and the turn, so that a fleet spreads out and stays so.
pub(super) fn after_success(config: &Config, id: &MerchantId, turn: u64, pending: bool) -> Duration {
    let interval = if pending { config.interval / QUICKER } else { config.interval };
    spread(interval, id, turn)
}

/// The pause after so many failures in a row, from one.
pub(super) fn after_failure(config: &Config, id: &MerchantId, failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    let pause = config.retry_from.saturating_mul(doubled).min(config.retry_to);
    spread(pause, id, failures.into())
}

/// `pause` times 0.9 to 1.1.
fn spread(pause: Duration, id: &MerchantId, turn: u64) -> Duration {
    let hash = Sha256::digest(format!("{} {turn}", id.as_str()));
    let part = u32::from(u16::from_be_bytes([hash[0], hash[1]])) % 2001;
    pause / 10_000 * (9_000 + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        toml::from_str("directory = \"keys\"").unwrap()
    }

    fn id(number: u32) -> MerchantId {
        MerchantId::new(format!("19{number:08}")).unwrap()
    }

    #[test]
    fn a_fleet_spreads_over_a_fifth_of_the_interval() {
        let config = config();
        let pauses: Vec<_> = (0..2000).map(|n| after_success(&config, &id(n), 1, false)).collect();
        let (low, high) = (Duration::from_secs(3240), Duration::from_secs(3960));
        assert!(pauses.iter().all(|pause| (low..=high).contains(pause)));
        let tenth = (high - low) / 10;
        for part in 0..10 {
            let (from, to) = (low + tenth * part, low + tenth * (part + 1));
            let there = pauses.iter().filter(|pause| (from..to).contains(*pause)).count();
            assert!((120..=280).contains(&there), "{there} of 2000 between {from:?} and {to:?}");
        }
        assert_ne!(after_success(&config, &id(1), 1, false), after_success(&config, &id(1), 2, false));
        assert!(after_success(&config, &id(1), 1, true) <= Duration::from_secs(660));
    }

    #[test]
    fn pauses_after_failures_double_up_to_the_longest() {
        let config = config();
        let mut expected = 30_u64;
        for failures in 1..40 {
            let pause = after_failure(&config, &id(1), failures);
            let (low, high) = (expected * 9 / 10, expected * 11 / 10);
            assert!((low..=high).contains(&pause.as_secs()), "{failures}: {pause:?}");
            expected = (expected * 2).min(900);
        }
    }
}

//! Faults by rate: how often in a million, and which ones.

/// A probability of one, in millionths.
pub(crate) const ALWAYS: u32 = 1_000_000;

/// A rule's own generator (SplitMix64), so that one rule's draws do not depend on what strikes others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64, rule_id: u64) -> Self {
        Self(mixed(seed) ^ mixed(rule_id))
    }

    /// Draws once. A probability of one draws nothing.
    pub(super) fn strikes(&mut self, parts_per_million: u32) -> bool {
        if parts_per_million >= ALWAYS {
            return true;
        }
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        // Scaled to 0..1,000,000 without a division, so without its bias.
        let drawn = (u128::from(mixed(self.0)) * u128::from(ALWAYS)) >> 64;
        drawn < u128::from(parts_per_million)
    }
}

fn mixed(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

/// A probability as JSON and TOML have it, in millionths. It is read from its shortest decimal form, so that 0.29
/// is exactly 290,000 of them.
pub(super) fn read(probability: f64) -> Result<u32, String> {
    let wrong =
        || format!("the probability {probability} is not more than 0 and at most 1, with six decimals");
    let text = probability.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    if decimals.len() > 6 {
        return Err(wrong());
    }
    let parts: u32 = format!("{whole}{decimals:0<6}").parse().map_err(|_| wrong())?;
    if (1..=ALWAYS).contains(&parts) { Ok(parts) } else { Err(wrong()) }
}

/// The way back.
pub(super) fn shown(parts_per_million: u32) -> f64 {
    let text = format!("{}.{:06}", parts_per_million / ALWAYS, parts_per_million % ALWAYS);
    text.parse().unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_probability_is_shown_as_it_was_read() {
        for parts in 1..=ALWAYS {
            assert_eq!(read(shown(parts)), Ok(parts));
        }
    }

    #[test]
    fn a_rate_is_kept_in_the_long_run() {
        let mut chance = Chance::new(7, 1);
        let struck = (0..100_000).filter(|_| chance.strikes(1_000)).count();
        assert!((60..=140).contains(&struck), "{struck} instead of about 100");
    }
}

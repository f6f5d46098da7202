//! Choosing places at random, in their order, without keeping them.

use super::options::Sample;

/// Chosen places in rising order: Knuth's selection sampling (algorithm S).
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    random: u64,
    place: u64,
    people: u64,
    wanted: u64,
}

impl Chosen {
    pub(super) fn new(sample: Sample, people: u64) -> Self {
        Self { random: sample.seed, place: 0, people, wanted: sample.people.min(people) }
    }

    /// SplitMix64: the same sequence for a seed, in every version.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.next_random()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or_default()
    }
}

impl Iterator for Chosen {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        while self.wanted > 0 && self.place < self.people {
            let place = self.place;
            self.place += 1;
            let left = self.people - place;
            if self.below(left) < self.wanted {
                self.wanted -= 1;
                return Some(place);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chosen(count: u64, seed: u64, people: u64) -> Vec<u64> {
        Chosen::new(Sample { people: count, seed }, people).collect()
    }

    proptest! {
        #[test]
        fn as_many_as_wanted_each_once_in_order(count in 0_u64..50, seed in any::<u64>(), people in 0_u64..200) {
            let places = chosen(count, seed, people);
            prop_assert_eq!(u64::try_from(places.len()).unwrap(), count.min(people));
            prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(places.iter().all(|place| *place < people));
            prop_assert_eq!(places, chosen(count, seed, people));
        }
    }

    #[test]
    fn every_place_has_the_same_chance() {
        let mut times = [0_u32; 20];
        for seed in 0..4_000 {
            for place in chosen(5, seed, 20) {
                times[usize::try_from(place).unwrap()] += 1;
            }
        }
        // 1,000 each is expected, with a deviation of about 27.
        assert!(times.iter().all(|count| (860..1_140).contains(count)), "{times:?}");
    }
}

//! What comes more than once, among many that mostly do not.

use crate::bits::Bits;

/// Which hashes may come more than once: all that do, and few of the others.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// Which of its bits of a hash are looked at.
    mask: u64,
    /// By these bits: whether there was one, and one more.
    once: Bits,
    again: Bits,
}

/// Places for each hash: of those that come once, not more than one in so many is taken for one that comes again.
const PLACES_EACH: usize = 16;

impl Met {
    /// Forgets all of them, and has places for `len`.
    pub(crate) fn begin(&mut self, len: usize) {
        self.mask = (len * PLACES_EACH).next_power_of_two() as u64 - 1;
        self.once.clear();
        self.again.clear();
    }

    pub(crate) fn meet(&mut self, hash: u64) {
        let place = hash & self.mask;
        if self.once.contains(place) {
            self.again.insert(place);
        } else {
            self.once.insert(place);
        }
    }

    /// Of a hash that was met.
    pub(crate) fn may_come_again(&self, hash: u64) -> bool {
        self.again.contains(hash & self.mask)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use twox_hash::XxHash3_64;

    use super::*;

    proptest! {
        #[test]
        fn all_that_come_again_are_told_and_few_others(numbers in prop::collection::vec(0_u64..5000, 0..2000)) {
            let hash = |number: u64| XxHash3_64::oneshot(&number.to_le_bytes());
            let mut counts: HashMap<u64, usize> = HashMap::new();
            let mut met = Met::default();
            met.begin(numbers.len());
            for &number in &numbers {
                *counts.entry(number).or_default() += 1;
                met.meet(hash(number));
            }
            let told: Vec<_> = counts.iter().filter(|pair| met.may_come_again(hash(*pair.0))).collect();
            let again = counts.values().filter(|&&count| count > 1).count();
            prop_assert_eq!(told.iter().filter(|pair| *pair.1 > 1).count(), again);
            prop_assert!(told.len() - again <= 20 + numbers.len() / 8);
        }
    }
}

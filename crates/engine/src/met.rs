//! What comes more than once, among many that mostly do not.

/// Which hashes may come more than once: all that do, and few of the others.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// By some bits of a hash: whether there was one, and one more.
    once: Vec<u64>,
    again: Vec<u64>,
}

/// Bits for each hash: of those that come once, not more than one in so many is taken for one that comes again.
const BITS_EACH: usize = 16;

impl Met {
    /// Forgets all of them, and has room for `len`.
    pub(crate) fn begin(&mut self, len: usize) {
        let words = (len * BITS_EACH).div_ceil(u64::BITS as usize).next_power_of_two();
        for bits in [&mut self.once, &mut self.again] {
            bits.clear();
            bits.resize(words, 0);
        }
    }

    pub(crate) fn meet(&mut self, hash: u64) {
        let (word, bit) = self.place(hash);
        self.again[word] |= self.once[word] & bit;
        self.once[word] |= bit;
    }

    /// Of a hash that was met.
    pub(crate) fn may_come_again(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.again[word] & bit != 0
    }

    /// The word of a hash, by its lowest bits, and the bit in it.
    fn place(&self, hash: u64) -> (usize, u64) {
        ((hash >> 6) as usize & (self.once.len() - 1), 1 << (hash % 64))
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

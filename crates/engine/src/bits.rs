//! A growing set of ordinals, one bit each.

use std::ops::Range;

/// A set of ordinals. One that was never put in is not in it, however large.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    ones: u64,
}

impl Bits {
    pub(crate) fn insert(&mut self, at: u64) {
        let word = (at / 64) as usize;
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let bit = 1 << (at % 64);
        self.ones += u64::from(self.words[word] & bit == 0);
        self.words[word] |= bit;
    }

    /// Takes all of them out, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.words.clear();
        self.ones = 0;
    }

    pub(crate) fn contains(&self, at: u64) -> bool {
        self.words.get((at / 64) as usize).is_some_and(|word| word >> (at % 64) & 1 != 0)
    }

    pub(crate) fn len(&self) -> u64 {
        self.ones
    }

    pub(crate) fn byte_len(&self) -> usize {
        self.words.len() * 8
    }

    /// How many of `range` are in it.
    pub(crate) fn count(&self, range: Range<u64>) -> u64 {
        self.masked(range).map(|(_, word)| u64::from(word.count_ones())).sum()
    }

    /// Those of `range` that are in it, ascending.
    pub(crate) fn iter(&self, range: Range<u64>) -> impl Iterator<Item = u64> + '_ {
        self.masked(range).flat_map(|(base, mut word)| {
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros();
                (bit < 64).then(|| {
                    word &= word - 1;
                    base + u64::from(bit)
                })
            })
        })
    }

    /// The words that overlap `range`, without the bits outside it, each with the ordinal of its first bit.
    fn masked(&self, range: Range<u64>) -> impl Iterator<Item = (u64, u64)> + '_ {
        let end = range.end.min(self.words.len() as u64 * 64);
        let start = range.start.min(end);
        (start / 64..end.div_ceil(64)).map(move |at| {
            let base = at * 64;
            let mut word = self.words[at as usize];
            if start > base {
                word &= u64::MAX << (start - base);
            }
            if end < base + 64 {
                word &= (1_u64 << (end - base)) - 1;
            }
            (base, word)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_are_a_set(put in prop::collection::vec(0_u64..300, 0..80), a in 0_u64..350, b in 0_u64..350) {
            let mut bits = Bits::default();
            let mut set = BTreeSet::new();
            for at in put {
                bits.insert(at);
                set.insert(at);
            }
            let range = a.min(b)..a.max(b);
            prop_assert_eq!(bits.len(), set.len() as u64);
            prop_assert_eq!(bits.count(range.clone()), set.range(range.clone()).count() as u64);
            prop_assert_eq!(bits.iter(range.clone()).collect::<Vec<_>>(), set.range(range).copied().collect::<Vec<_>>());
            prop_assert!((0..400).all(|at| bits.contains(at) == set.contains(&at)));
        }
    }
}

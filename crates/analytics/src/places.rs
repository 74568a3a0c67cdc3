//! Where things stand, by the hashes of their keys.

use korpus_engine::fetch;

/// The hash of a key, in two halves.
pub(crate) type KeyHash = [u64; 2];

/// The two halves of a hash.
pub(crate) fn key_hash(hash: u128) -> KeyHash {
    [hash as u64, (hash >> 64) as u64]
}

/// Where what each key names stands in a list: a table of slots, each with the place and, to pass over most others, the upper
/// 32 bits of the hash. For a key one slot is looked at, mostly, where tables for all purposes look at two lists.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// As many as a power of two, of which a third is free at least.
    slots: Vec<u64>,
    taken: usize,
}

const FREE: u64 = 0;
/// How many slots there are at first.
const FIRST: usize = 16;

impl Places {
    /// The place of the key with that hash, which `is` it.
    #[inline]
    pub(crate) fn find(&self, hash: KeyHash, is: impl Fn(usize) -> bool) -> Option<usize> {
        let mut at = home(hash[1]);
        loop {
            let slot = self.slot(at);
            let place = place_in(slot)?;
            if (slot ^ hash[1]) >> 32 == 0 && is(place) {
                return Some(place);
            }
            at = at.wrapping_add(1);
        }
    }

    /// Gives the next place to a key that has none. `upper_half_at` tells the upper half of the hash of the key at a place.
    pub(crate) fn push(&mut self, hash: KeyHash, upper_half_at: impl Fn(usize) -> u64) {
        if 3 * (self.taken + 1) > 2 * self.slots.len() {
            self.slots = vec![FREE; (2 * self.slots.len()).max(FIRST)];
            (0..self.taken).for_each(|place| self.put(upper_half_at(place), place));
        }
        self.put(hash[1], self.taken);
        self.taken += 1;
    }

    /// Forgets all keys, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.slots.fill(FREE);
        self.taken = 0;
    }

    fn put(&mut self, upper_half: u64, place: usize) {
        let mut at = home(upper_half);
        while self.slot(at) != FREE {
            at = at.wrapping_add(1);
        }
        let mask = self.slots.len() - 1;
        self.slots[at & mask] = upper_half >> 32 << 32 | (place as u64 + 1);
    }

    /// The slot that a number comes to; a free one where there is none.
    #[inline]
    fn slot(&self, at: usize) -> u64 {
        let mask = self.slots.len().wrapping_sub(1);
        self.slots.get(at & mask).copied().unwrap_or(FREE)
    }

    /// Fetches the slots where these keys are looked for first, and what `row_at` gives for the places in them.
    pub(crate) fn fetch(&self, hashes: &[KeyHash], row_at: impl Fn(usize) -> u8) {
        fetch(hashes.iter().map(|hash| self.slot(home(hash[1])) as u8));
        fetch(hashes.iter().map(|hash| place_in(self.slot(home(hash[1]))).map_or(0, &row_at)));
    }
}

/// Where a key is looked for first. The hashes of numbers that follow one another are the same distance apart: with the upper bits
/// in it, their slots are not.
#[inline]
fn home(upper_half: u64) -> usize {
    (upper_half ^ upper_half >> 32) as usize
}

/// The place in a slot that is not free.
#[inline]
fn place_in(slot: u64) -> Option<usize> {
    (slot as u32).checked_sub(1).map(|place| place as usize)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_are_those_of_a_map(hashes in prop::collection::vec((0_u64..3, prop_oneof![0_u64..40, (u64::MAX - 9)..=u64::MAX, any::<u64>()]), 0..200)) {
            let (mut places, mut known) = (Places::default(), HashMap::new());
            let mut all: Vec<KeyHash> = Vec::new();
            for (low, high) in hashes {
                let hash = [low, high];
                let found = places.find(hash, |place| all[place] == hash);
                prop_assert_eq!(found, known.get(&hash).copied());
                if found.is_none() {
                    places.push(hash, |place| all[place][1]);
                    known.insert(hash, all.len());
                    all.push(hash);
                }
            }
            places.fetch(&all, |place| all[place][0] as u8);
            for (hash, place) in known {
                prop_assert_eq!(places.find(hash, |place| all[place] == hash), Some(place));
            }
        }
    }
}

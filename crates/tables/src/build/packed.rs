//! Packed keys by numbers, each held once.

use hashbrown::HashTable;
use twox_hash::XxHash3_64;

/// Distinct packed keys, numbered in the order in which they came: end to end, as many small ones by themselves would leave
/// holes in memory that nothing else fits into.
#[derive(Debug, Clone, Default)]
pub(super) struct PackedKeys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    numbers: HashTable<u32>,
}

impl PackedKeys {
    /// How many there are: their numbers are those below.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Bytes that the keys take.
    pub(super) fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// The key of a number that was given out.
    pub(super) fn get(&self, number: u32) -> &[u8] {
        key_at(&self.bytes, &self.ends, number)
    }

    /// The number of a key, which is added where it is new.
    pub(super) fn intern(&mut self, key: &[u8]) -> u32 {
        let Self { bytes, ends, numbers } = self;
        let hash = XxHash3_64::oneshot(key);
        if let Some(&known) = numbers.find(hash, |&number| key_at(bytes, ends, number) == key) {
            return known;
        }
        let number = ends.len() as u32;
        bytes.extend_from_slice(key);
        ends.push(bytes.len());
        numbers.insert_unique(hash, number, |&number| XxHash3_64::oneshot(key_at(bytes, ends, number)));
        number
    }

    /// All keys, in the order of their numbers.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len() as u32).map(|number| self.get(number))
    }

    /// Writes all keys down, for [`read`](Self::read).
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for key in self.iter() {
            out.extend_from_slice(&(key.len() as u32).to_le_bytes());
            out.extend_from_slice(key);
        }
    }

    /// The keys that were written down, with the numbers that they had.
    pub(super) fn read(mut bytes: &[u8]) -> Self {
        let mut keys = Self::default();
        while let Some((len, rest)) = bytes.split_first_chunk() {
            let (key, rest) = rest.split_at(rest.len().min(u32::from_le_bytes(*len) as usize));
            keys.intern(key);
            bytes = rest;
        }
        keys
    }

    /// Forgets the keys and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.numbers.clear();
    }
}

fn key_at<'k>(bytes: &'k [u8], ends: &[usize], number: u32) -> &'k [u8] {
    let number = number as usize;
    let start = number.checked_sub(1).map_or(0, |before| ends[before]);
    &bytes[start..ends[number]]
}

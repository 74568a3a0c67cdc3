//! What all aggregates are made of: groups by key, each with a few integers, and a sketch where quantiles are asked for.
//! Sums, least and greatest values, and sketches merge in any order to the same.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use twox_hash::XxHash3_128;

use super::Aggregate;
use crate::sketch::Sketch;

/// How the cells of two states become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Sum,
    Min,
    Max,
}

impl Op {
    const fn start(self) -> i64 {
        match self {
            Self::Sum => 0,
            Self::Min => i64::MAX,
            Self::Max => i64::MIN,
        }
    }

    pub(super) fn apply(self, cell: &mut i64, value: i64) {
        *cell = match self {
            // Of what is summed nothing is negative but the ends of sessions, which do not come near the limits.
            Self::Sum => cell.saturating_add(value),
            Self::Min => value.min(*cell),
            Self::Max => value.max(*cell),
        };
    }
}

/// What is known of one key.
#[derive(Debug)]
pub(crate) struct Group<'g> {
    pub cells: &'g mut [i64],
    sketch: Option<&'g mut Sketch>,
    bytes: &'g mut usize,
}

impl Group<'_> {
    /// Adds to a cell that sums.
    pub(crate) fn add(&mut self, cell: usize, value: i64) {
        Op::Sum.apply(&mut self.cells[cell], value);
    }

    pub(crate) fn least(&mut self, cell: usize, value: i64) {
        Op::Min.apply(&mut self.cells[cell], value);
    }

    pub(crate) fn greatest(&mut self, cell: usize, value: i64) {
        Op::Max.apply(&mut self.cells[cell], value);
    }

    /// Adds a value to the sketch, where the aggregate has one.
    pub(crate) fn observe(&mut self, value: i64) {
        if let Some(sketch) = &mut self.sketch {
            let before = sketch.bytes().len();
            sketch.add(value);
            *self.bytes += sketch.bytes().len() - before;
        }
    }

    fn merge_sketch(&mut self, other: &Sketch) {
        if let Some(sketch) = &mut self.sketch {
            let before = sketch.bytes().len();
            sketch.merge(other);
            *self.bytes = (*self.bytes + sketch.bytes().len()).saturating_sub(before);
        }
    }
}

/// The same, to look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'g> {
    pub key: &'g [u8],
    pub cells: &'g [i64],
    pub sketch: Option<&'g Sketch>,
}

/// What a group takes besides its key, its cells and what is in its sketch.
const OVERHEAD: usize = 64;

/// The groups of one aggregate. Keys are told apart by their 128-bit hash; keys and cells lie side by side.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    ops: &'static [Op],
    has_sketches: bool,
    /// By the hash of a key, which group it is.
    places: HashMap<u128, u32, BuildHasherDefault<KeyHasher>>,
    keys: Vec<u8>,
    /// Where each key ends.
    ends: Vec<usize>,
    cells: Vec<i64>,
    /// One a group, where there are any.
    sketches: Vec<Sketch>,
    /// What all of it takes, about.
    bytes: usize,
}

/// Takes a half of what is a hash already.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(0, |half| u64::from_le_bytes(*half));
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}

impl Groups {
    pub(crate) fn new(aggregate: Aggregate) -> Self {
        Self {
            ops: aggregate.cells(),
            has_sketches: aggregate.has_sketches(),
            places: HashMap::default(),
            keys: Vec::new(),
            ends: Vec::new(),
            cells: Vec::new(),
            sketches: Vec::new(),
            bytes: 0,
        }
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// About how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The group of a key.
    pub(crate) fn at(&mut self, key: &[u8]) -> Group<'_> {
        self.at_hashed(XxHash3_128::oneshot(key), key)
    }

    /// The group of a key with that hash.
    pub(crate) fn at_hashed(&mut self, hash: u128, key: &[u8]) -> Group<'_> {
        let place = self.place(hash, key);
        self.at_place(place)
    }

    /// Where the group of a key with that hash is, until groups are put aside.
    pub(crate) fn place(&mut self, hash: u128, key: &[u8]) -> usize {
        let width = self.ops.len();
        let next = self.ends.len() as u32;
        let place = *self.places.entry(hash).or_insert(next) as usize;
        if place == next as usize {
            self.keys.extend_from_slice(key);
            self.ends.push(self.keys.len());
            self.cells.extend(self.ops.iter().map(|op| op.start()));
            if self.has_sketches {
                self.sketches.push(Sketch::default());
            }
            self.bytes += key.len() + size_of::<i64>() * width + OVERHEAD;
        }
        place
    }

    /// The group at a place.
    pub(crate) fn at_place(&mut self, place: usize) -> Group<'_> {
        let width = self.ops.len();
        Group {
            cells: &mut self.cells[place * width..(place + 1) * width],
            sketch: self.sketches.get_mut(place),
            bytes: &mut self.bytes,
        }
    }

    fn seen(&self, place: usize) -> Seen<'_> {
        let width = self.ops.len();
        Seen {
            key: self.key(place),
            cells: &self.cells[place * width..(place + 1) * width],
            sketch: self.sketches.get(place),
        }
    }

    fn key(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.keys[start..self.ends[place]]
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if self.len() == 0 {
            *self = other;
            return;
        }
        for group in other.iter() {
            self.merge_group(group);
        }
    }

    /// Merges what another state knows of a key.
    pub(crate) fn merge_group(&mut self, other: Seen<'_>) {
        let ops = self.ops;
        let mut group = self.at(other.key);
        for ((op, cell), &value) in ops.iter().zip(&mut *group.cells).zip(other.cells) {
            op.apply(cell, value);
        }
        if let Some(sketch) = other.sketch {
            group.merge_sketch(sketch);
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Seen<'_>> {
        (0..self.len()).map(|place| self.seen(place))
    }

    /// All groups in the order of their keys.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = Seen<'_>> {
        // Twenty bytes of a key are compared without looking it up.
        let start = |place: u32| {
            let key = self.key(place as usize);
            let (mut first, mut second) = ([0; 16], [0; 4]);
            let (start, rest) = key.split_at(key.len().min(first.len()));
            let rest = &rest[..rest.len().min(second.len())];
            first[..start.len()].copy_from_slice(start);
            second[..rest.len()].copy_from_slice(rest);
            (u128::from_be_bytes(first), u32::from_be_bytes(second), place)
        };
        let mut order: Vec<(u128, u32, u32)> = (0..self.len() as u32).map(start).collect();
        order.sort_unstable_by(|a, b| {
            let rest = || self.key(a.2 as usize).cmp(self.key(b.2 as usize));
            (a.0, a.1).cmp(&(b.0, b.1)).then_with(rest)
        });
        order.into_iter().map(|(_, _, place)| self.seen(place as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Key;

    #[test]
    fn groups_merge_in_any_order_and_come_sorted() {
        let state = |values: &[(Option<&str>, i64)]| {
            let mut groups = Groups::new(Aggregate::Latency);
            let mut key = Key::default();
            for &(text, value) in values {
                let mut group = groups.at(key.start().text(text).bytes());
                group.add(0, value);
                group.least(2, value);
                group.greatest(3, value);
                group.observe(value);
            }
            groups
        };
        let a =
            [(Some("b"), 5), (None, 7), (Some("a name that is longer than what is compared at first"), 1)];
        let b = [(Some("b"), 9), (Some("a name that is longer than what is compared at last"), 1)];
        let mut forth = state(&a);
        forth.merge(state(&b));
        let mut back = state(&b);
        back.merge(state(&a));
        let rows = |groups: &Groups| {
            let row =
                |group: Seen<'_>| (group.key.to_vec(), group.cells.to_vec(), group.sketch.map(Sketch::count));
            groups.sorted().map(row).collect::<Vec<_>>()
        };
        assert_eq!(rows(&forth), rows(&back));
        let rows = rows(&forth);
        assert!(rows.is_sorted());
        assert_eq!((&rows[3].1[..], rows[3].2), (&[14, 0, 5, 9][..], Some(2)));
        assert_eq!((forth.len(), forth.iter().len()), (4, 4));
        assert!(forth.bytes() > 4 * (OVERHEAD + 32) && forth.bytes() == back.bytes());
    }
}

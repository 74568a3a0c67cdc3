//! What all aggregates are made of: groups by key, each with a few integers, and a sketch where quantiles are asked for.
//! Sums, least and greatest values, and sketches merge in any order to the same.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_128;

use crate::codec::{Reader, put_int, put_maybe, put_text};
use crate::sketch::Sketch;
use crate::symbols::Names;

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

    fn apply(self, cell: &mut i64, value: i64) {
        *cell = match self {
            // Of what is summed nothing is negative but the ends of sessions, which do not come near the limits.
            Self::Sum => cell.saturating_add(value),
            Self::Min => value.min(*cell),
            Self::Max => value.max(*cell),
        };
    }
}

/// What a key is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Text,
    Int,
    /// A hash of a text, shown in hexadecimal.
    Hash,
}

/// A part of a key; none come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeyPart<'a> {
    Null,
    Int(i64),
    Hash(u64),
    Text(&'a str),
}

/// A key on its way: the same bytes for the same parts.
#[derive(Debug, Default)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// Begins a key.
    pub(crate) fn start(&mut self) -> &mut Self {
        self.0.clear();
        self
    }

    pub(crate) fn text(&mut self, text: Option<&str>) -> &mut Self {
        put_text(&mut self.0, text);
        self
    }

    pub(crate) fn int(&mut self, value: Option<impl Into<i64>>) -> &mut Self {
        put_maybe(&mut self.0, value.map(Into::into));
        self
    }

    /// The hash of a text; 0 for none.
    pub(crate) fn hash(&mut self, hash: u64) -> &mut Self {
        put_int(&mut self.0, hash as i64);
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What is known of one key.
#[derive(Debug)]
pub(crate) struct Group<'g> {
    pub cells: &'g mut [i64],
    sketch: &'g mut Option<Box<Sketch>>,
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

    pub(crate) fn sketch(&mut self) -> &mut Sketch {
        self.sketch.get_or_insert_default()
    }
}

/// The same, to look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'g> {
    pub key: &'g [u8],
    pub cells: &'g [i64],
    pub sketch: Option<&'g Sketch>,
}

/// The groups of one aggregate. Keys are told apart by their 128-bit hash; keys and cells lie side by side.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    ops: &'static [Op],
    /// By the hash of a key, which group it is.
    places: HashMap<u128, u32, BuildHasherDefault<KeyHasher>>,
    keys: Vec<u8>,
    /// Where each key ends.
    ends: Vec<usize>,
    cells: Vec<i64>,
    sketches: Vec<Option<Box<Sketch>>>,
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
    pub(crate) fn new(ops: &'static [Op]) -> Self {
        Self {
            ops,
            places: HashMap::default(),
            keys: Vec::new(),
            ends: Vec::new(),
            cells: Vec::new(),
            sketches: Vec::new(),
        }
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The group of a key.
    pub(crate) fn at(&mut self, key: &[u8]) -> Group<'_> {
        let next = self.ends.len() as u32;
        let place = *self.places.entry(xxh3_128(key)).or_insert(next) as usize;
        if place == next as usize {
            self.keys.extend_from_slice(key);
            self.ends.push(self.keys.len());
            self.cells.extend(self.ops.iter().map(|op| op.start()));
            self.sketches.push(None);
        }
        let width = self.ops.len();
        Group {
            cells: &mut self.cells[place * width..(place + 1) * width],
            sketch: &mut self.sketches[place],
        }
    }

    /// The group whose key has this hash, where it is known.
    pub(crate) fn at_hash(&mut self, hash: u128) -> Option<Group<'_>> {
        let place = *self.places.get(&hash)? as usize;
        let width = self.ops.len();
        Some(Group {
            cells: &mut self.cells[place * width..(place + 1) * width],
            sketch: &mut self.sketches[place],
        })
    }

    /// What is known of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Seen<'_>> {
        self.places.get(&xxh3_128(key)).map(|&place| self.seen(place as usize))
    }

    fn seen(&self, place: usize) -> Seen<'_> {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        let width = self.ops.len();
        Seen {
            key: &self.keys[start..self.ends[place]],
            cells: &self.cells[place * width..(place + 1) * width],
            sketch: self.sketches.get(place).and_then(|sketch| sketch.as_deref()),
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if self.len() == 0 {
            *self = other;
            return;
        }
        for group in other.iter() {
            self.merge_group(group.key, group.cells, group.sketch);
        }
    }

    /// Moves all groups of another over here; it is empty then, but keeps its room.
    pub(crate) fn absorb(&mut self, other: &mut Self) {
        for group in other.iter() {
            self.merge_group(group.key, group.cells, group.sketch);
        }
        other.places.clear();
        other.keys.clear();
        other.ends.clear();
        other.cells.clear();
        other.sketches.clear();
    }

    /// Merges what another state knows of a key.
    pub(crate) fn merge_group(&mut self, key: &[u8], cells: &[i64], sketch: Option<&Sketch>) {
        let ops = self.ops;
        let mut group = self.at(key);
        for ((op, cell), &value) in ops.iter().zip(&mut *group.cells).zip(cells) {
            op.apply(cell, value);
        }
        if let Some(sketch) = sketch {
            group.sketch().merge(sketch);
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Seen<'_>> {
        (0..self.len()).map(|place| self.seen(place))
    }

    /// Calls `each` with all groups in the order of their keys, whose parts are of these kinds.
    pub(crate) fn for_each_sorted<'g>(
        &'g self,
        kinds: &[KeyKind],
        mut each: impl FnMut(&[KeyPart<'g>], Seen<'g>),
    ) {
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        let parts_of = |place: u32| parts(self.seen(place as usize).key, kinds);
        order.sort_unstable_by(|&a, &b| parts_of(a).cmp(parts_of(b)));
        let mut parts = Vec::new();
        for place in order {
            parts.clear();
            parts.extend(parts_of(place));
            each(&parts, self.seen(place as usize));
        }
    }
}

/// The parts of a key.
pub(super) fn parts<'k>(key: &'k [u8], kinds: &[KeyKind]) -> impl Iterator<Item = KeyPart<'k>> {
    // Keys never hold the number of a name.
    static NO_NAMES: LazyLock<Names> = LazyLock::new(Names::default);
    let mut from = Reader::new(key, &NO_NAMES);
    kinds.iter().map(move |kind| match kind {
        KeyKind::Text => from.text().map_or(KeyPart::Null, KeyPart::Text),
        KeyKind::Int => from.maybe().map_or(KeyPart::Null, KeyPart::Int),
        KeyKind::Hash => match from.int() {
            0 => KeyPart::Null,
            hash => KeyPart::Hash(hash as u64),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_merge_in_any_order_and_come_sorted() {
        const OPS: &[Op] = &[Op::Sum, Op::Min, Op::Max];
        let kinds = [KeyKind::Text, KeyKind::Int, KeyKind::Hash];
        let state = |values: &[(Option<&str>, Option<i64>, u64, i64)]| {
            let mut groups = Groups::new(OPS);
            let mut key = Key::default();
            for &(text, int, hash, value) in values {
                let mut group = groups.at(key.start().text(text).int(int).hash(hash).bytes());
                group.add(0, value);
                group.least(1, value);
                group.greatest(2, value);
                group.sketch().add(value);
            }
            groups
        };
        let a = [(Some("b"), None, u64::MAX, 5), (None, Some(-1), 0, 7)];
        let b = [(Some("b"), None, u64::MAX, 9), (Some("a"), Some(3), 1, 1)];
        let mut forth = state(&a);
        forth.merge(state(&b));
        let mut back = state(&b);
        back.merge(state(&a));
        let rows = |groups: &Groups| {
            let mut rows = Vec::new();
            groups.for_each_sorted(&kinds, |parts, group| {
                let count = group.sketch.map(Sketch::count);
                rows.push((format!("{parts:?}"), group.cells.to_vec(), count));
            });
            rows
        };
        assert_eq!(rows(&forth), rows(&back));
        let rows = rows(&forth);
        assert!(rows[0].0.starts_with("[Null, Int(-1)") && rows[1].0.starts_with("[Text(\"a\"), Int(3)"));
        assert_eq!(rows[2].0, format!("[Text(\"b\"), Null, Hash({})]", u64::MAX));
        assert_eq!((&rows[2].1[..], rows[2].2), (&[14, 5, 9][..], Some(2)));
        assert_eq!((forth.len(), forth.iter().len()), (3, 3));
    }
}

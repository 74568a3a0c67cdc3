//! What all aggregates are made of: groups by key, each with a few integers, and a sketch where quantiles are asked for.
//! Sums, least and greatest values, and sketches merge in any order to the same.

use korpus_engine::fetch;

use super::Aggregate;
use super::key::{KeyKind, Part, hash_of, hash_of_key, put_key};
use crate::places::{KeyHash, Places};
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
    last_session: &'g mut i64,
    pub cells: &'g mut [i64],
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

    /// Whether a session (of drift: a message), by its number, is counted here for the first time. No other one may come in
    /// between, so groups of an aggregate are asked in one step of the fold only. Numbers begin with 1.
    pub(crate) fn is_first(&mut self, session: i64) -> bool {
        std::mem::replace(self.last_session, session) != session
    }
}

/// The same, to look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'g> {
    pub key: &'g [u8],
    pub cells: &'g [i64],
    pub sketch: Option<&'g Sketch>,
}

/// What a group takes besides its key, its row and what is in its sketch.
const OVERHEAD: usize = 48;

/// So many groups are fetched at once.
const AHEAD: usize = 32;

/// What a row holds before its cells: the hash of its key, in two halves, and which session was counted there last.
const HEAD: usize = 3;

/// The groups of one aggregate. Keys are told apart by their 128-bit hash. What is looked up again and again lies close
/// together: a number in a table, and a row of the same length for each group.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    kinds: &'static [KeyKind],
    ops: &'static [Op],
    has_sketches: bool,
    places: Places,
    rows: Vec<i64>,
    keys: Vec<u8>,
    /// Where each key ends.
    ends: Vec<usize>,
    /// One a group, where there are any.
    sketches: Vec<Sketch>,
    /// Where sketches are put together.
    sketch_bytes: Vec<u8>,
    /// What all of it takes, about.
    bytes: usize,
}

impl Groups {
    pub(crate) fn new(aggregate: Aggregate) -> Self {
        Self {
            kinds: aggregate.key(),
            ops: aggregate.cells(),
            has_sketches: aggregate.has_sketches(),
            places: Places::default(),
            rows: Vec::new(),
            keys: Vec::new(),
            ends: Vec::new(),
            sketches: Vec::new(),
            sketch_bytes: Vec::new(),
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

    /// Where the group of a key is, until groups are put aside.
    pub(crate) fn place(&mut self, key: &[Part<'_>]) -> usize {
        debug_assert_eq!(key.len(), self.kinds.len(), "a part for each kind");
        self.place_or(hash_of(key), |keys| put_key(keys, key))
    }

    /// The same, by the hash of the key, which is asked for where the group is new.
    pub(crate) fn place_of_hash<'k, const N: usize>(
        &mut self,
        hash: KeyHash,
        key: impl Fn() -> [Part<'k>; N],
    ) -> usize {
        debug_assert!(N == self.kinds.len() && hash == hash_of(&key()), "the hash is that of the key");
        self.place_or(hash, |keys| put_key(keys, &key()))
    }

    /// The same, of a key that is written already, and whose [hash](Self::hash) may be known.
    pub(crate) fn place_of_key(&mut self, hash: Option<KeyHash>, key: &[u8]) -> usize {
        let found = || hash_of_key(key, self.kinds);
        debug_assert!(hash.is_none_or(|hash| hash == found()), "the hash is that of the key");
        let hash = hash.unwrap_or_else(found);
        self.place_or(hash, |keys| keys.extend_from_slice(key))
    }

    /// Fetches the groups of keys that will be asked for, by their hashes, as far as they stand where they are looked for first.
    pub(crate) fn fetch(&self, hashes: &[KeyHash]) {
        let width = self.width();
        self.places.fetch(hashes, |place| self.rows[place * width] as u8);
    }

    /// Where the group is whose key has that hash, and is put to the others if it is new.
    fn place_or(&mut self, hash: KeyHash, put: impl FnOnce(&mut Vec<u8>)) -> usize {
        let (width, rows) = (self.width(), &self.rows);
        let halves = hash.map(u64::cast_signed);
        if let Some(known) = self.places.find(hash, |place| rows[place * width..].starts_with(&halves)) {
            return known;
        }
        self.places.push(hash, |place| rows[place * width + 1].cast_unsigned());
        let place = self.ends.len();
        self.rows.extend(halves);
        self.rows.push(0);
        self.rows.extend(self.ops.iter().map(|op| op.start()));
        let before = self.keys.len();
        put(&mut self.keys);
        self.ends.push(self.keys.len());
        if self.has_sketches {
            self.sketches.push(Sketch::default());
        }
        self.bytes += self.keys.len() - before + size_of::<i64>() * width + OVERHEAD;
        place
    }

    /// How long a row is.
    fn width(&self) -> usize {
        HEAD + self.ops.len()
    }

    fn row(&self, place: usize) -> &[i64] {
        let width = self.width();
        &self.rows[place * width..][..width]
    }

    /// The group at a place.
    pub(crate) fn at_place(&mut self, place: usize) -> Group<'_> {
        let width = self.width();
        let (head, cells) = self.rows[place * width..][..width].split_at_mut(HEAD);
        Group { last_session: &mut head[HEAD - 1], cells }
    }

    /// Adds values to the sketch of a group, by their buckets, ascending, and how many there are of each.
    pub(crate) fn observe(&mut self, place: usize, buckets: impl Iterator<Item = (i32, u64)>) {
        if let Some(sketch) = self.sketches.get_mut(place) {
            let before = sketch.bytes().len();
            sketch.add_all_in(&mut self.sketch_bytes, buckets);
            self.bytes = (self.bytes + sketch.bytes().len()).saturating_sub(before);
        }
    }

    fn seen(&self, place: usize) -> Seen<'_> {
        Seen { key: self.key(place), cells: &self.row(place)[HEAD..], sketch: self.sketches.get(place) }
    }

    /// The hash of the key of the group at a place, in two halves.
    pub(crate) fn hash(&self, place: usize) -> KeyHash {
        std::array::from_fn(|half| self.row(place)[half].cast_unsigned())
    }

    /// The key of the group at a place.
    pub(crate) fn key(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.keys[start..self.ends[place]]
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if self.len() == 0 {
            *self = other;
            return;
        }
        let mut hashes = Vec::with_capacity(AHEAD);
        for start in (0..other.len()).step_by(AHEAD) {
            let places = start..other.len().min(start + AHEAD);
            hashes.clear();
            hashes.extend(places.clone().map(|place| other.hash(place)));
            self.fetch(&hashes);
            for (place, &hash) in places.zip(&hashes) {
                self.merge_seen(Some(hash), other.seen(place));
            }
        }
    }

    /// Merges what another state knows of a key.
    pub(crate) fn merge_group(&mut self, other: Seen<'_>) {
        self.merge_seen(None, other);
    }

    /// The same, where the hash of the key may be known.
    fn merge_seen(&mut self, hash: Option<KeyHash>, other: Seen<'_>) {
        let ops = self.ops;
        let place = self.place_of_key(hash, other.key);
        let cells = self.at_place(place).cells;
        for ((op, cell), &value) in ops.iter().zip(cells).zip(other.cells) {
            op.apply(cell, value);
        }
        if let Some(sketch) = other.sketch {
            self.observe(place, sketch.buckets());
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Seen<'_>> {
        (0..self.len()).map(|place| self.seen(place))
    }

    /// The groups at some places.
    pub(crate) fn at_places(&self, places: &[u32]) -> impl Iterator<Item = Seen<'_>> {
        // They lie anywhere.
        let first_bytes = |place: u32| {
            let place = place as usize;
            self.row(place)[0] as u8 ^ self.key(place).first().unwrap_or(&0)
        };
        places.chunks(AHEAD).flat_map(move |places| {
            fetch(places.iter().map(|&place| first_bytes(place)));
            places.iter().map(|&place| self.seen(place as usize))
        })
    }

    /// All places in the order of their keys: by some bytes of each, and those that have them in common by the first bytes in
    /// which they differ, until all do.
    pub(crate) fn order(&self) -> Vec<u32> {
        let start = |place: u32| Start { first: 0, second: 0, place };
        let mut order: Vec<Start> = (0..self.len() as u32).map(start).collect();
        // Those that have so many bytes in common, at least.
        let mut alike = vec![(0..order.len(), 0)];
        while let Some((range, known)) = alike.pop() {
            let starts = &mut order[range.clone()];
            let common = self.common(starts, known);
            for start in &mut *starts {
                (start.first, start.second) = bytes_from(self.key(start.place as usize), common);
            }
            starts.sort_unstable_by_key(|start| (start.first, start.second));
            let mut at = range.start;
            for same in starts.chunk_by(|a, b| (a.first, a.second) == (b.first, b.second)) {
                // They differ here, be it that one of them ends: what goes on there does not begin with a zero.
                debug_assert!(same.len() == 1 || same.len() < range.len(), "keys differ");
                if same.len() > 1 && same.len() < range.len() {
                    alike.push((at..at + same.len(), common + START));
                }
                at += same.len();
            }
        }
        order.into_iter().map(|start| start.place).collect()
    }

    /// How many bytes keys have in common, of which some are known.
    fn common(&self, starts: &[Start], known: usize) -> usize {
        let rest = |start: &Start| self.key(start.place as usize).get(known..).unwrap_or_default();
        let Some((first, others)) = starts.split_first() else { return known };
        let first = rest(first);
        known
            + others.iter().fold(first.len(), |common, other| {
                first[..common].iter().zip(rest(other)).take_while(|(a, b)| a == b).count()
            })
    }
}

/// A key by some of its bytes, which are compared without looking it up.
#[derive(Debug, Clone, Copy)]
struct Start {
    first: u128,
    second: u32,
    place: u32,
}

/// How many bytes of a key a [`Start`] has.
const START: usize = 20;

/// So many bytes of a key from a place on; zeros where it ends.
fn bytes_from(key: &[u8], at: usize) -> (u128, u32) {
    let key = key.get(at..).unwrap_or_default();
    let (mut first, mut second) = ([0; 16], [0; 4]);
    let (start, rest) = key.split_at(key.len().min(first.len()));
    let rest = &rest[..rest.len().min(second.len())];
    first[..start.len()].copy_from_slice(start);
    second[..rest.len()].copy_from_slice(rest);
    (u128::from_be_bytes(first), u32::from_be_bytes(second))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::sketch::bucket_of;
    use crate::symbols::Name;

    fn name() -> impl Strategy<Value = String> {
        let end = "[ab\0\u{1}é]{0,3}";
        (prop_oneof![Just(0_usize), 0..45_usize, Just(100)], end)
            .prop_map(|(len, end)| "x\0".repeat(len / 2) + &end)
    }

    proptest! {
        #[test]
        fn keys_come_in_the_order_of_their_bytes(
            names in prop::collection::vec((prop::option::of(name()), prop::option::of(name())), 0..60),
        ) {
            let mut groups = Groups::new(Aggregate::Paths);
            for (one, other) in &names {
                groups.place(&[one, other].map(|name| Part::text(name.as_deref().map(Name::new))));
            }
            let expected: BTreeSet<&[u8]> = (0..groups.len()).map(|place| groups.key(place)).collect();
            let order = groups.order();
            let found: Vec<&[u8]> = groups.at_places(&order).map(|group| group.key).collect();
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn groups_merge_in_any_order_and_come_sorted() {
        let state = |values: &[(Option<&str>, i64)]| {
            let mut groups = Groups::new(Aggregate::Latency);
            for &(text, value) in values {
                let place = groups.place(&[
                    Part::Int(1),
                    Part::Null,
                    Part::Null,
                    Part::Null,
                    Part::text(text.map(Name::new)),
                ]);
                let mut group = groups.at_place(place);
                group.add(0, value);
                group.least(2, value);
                group.greatest(3, value);
                groups.observe(place, std::iter::once((bucket_of(value), 1)));
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
            groups.at_places(&groups.order()).map(row).collect::<Vec<_>>()
        };
        assert_eq!(rows(&forth), rows(&back));
        let rows = rows(&forth);
        assert!(rows.is_sorted());
        assert_eq!((&rows[3].1[..], rows[3].2), (&[14, 0, 5, 9][..], Some(2)));
        assert_eq!((forth.len(), forth.iter().len()), (4, 4));
        assert!(forth.bytes() > 4 * (OVERHEAD + 32) && forth.bytes() == back.bytes());
    }
}

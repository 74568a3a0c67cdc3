//! What all aggregates are made of: groups by key, each with a few integers, and a sketch where quantiles are asked for.
//! Sums, least and greatest values, and sketches merge in any order to the same.

use crate::codec::{Reader, put_int, put_maybe, put_text};
use crate::sketch::Sketch;
use crate::symbols::{FastMap, Names};

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
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub cells: Box<[i64]>,
    pub sketch: Option<Box<Sketch>>,
}

impl Group {
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

/// The groups of one aggregate.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    ops: &'static [Op],
    places: FastMap<Box<[u8]>, usize>,
    known: Vec<Group>,
}

impl Groups {
    pub(crate) fn new(ops: &'static [Op]) -> Self {
        Self { ops, places: FastMap::default(), known: Vec::new() }
    }

    /// The group of a key.
    pub(crate) fn at(&mut self, key: &[u8]) -> &mut Group {
        let Self { ops, places, known } = self;
        let place = places.get(key).copied().unwrap_or_else(|| {
            let cells = ops.iter().map(|op| op.start()).collect();
            known.push(Group { cells, sketch: None });
            places.insert(key.into(), known.len() - 1);
            known.len() - 1
        });
        &mut known[place]
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&Group> {
        self.places.get(key).map(|&place| &self.known[place])
    }

    pub(crate) fn merge(&mut self, other: Self) {
        if self.known.is_empty() {
            *self = other;
            return;
        }
        for (key, group) in other.iter() {
            self.merge_group(key, &group.cells, group.sketch.as_deref());
        }
    }

    /// Merges what another state knows of a key.
    pub(crate) fn merge_group(&mut self, key: &[u8], cells: &[i64], sketch: Option<&Sketch>) {
        let ops = self.ops;
        let group = self.at(key);
        for ((op, cell), &value) in ops.iter().zip(&mut group.cells).zip(cells) {
            op.apply(cell, value);
        }
        if let Some(sketch) = sketch {
            group.sketch().merge(sketch);
        }
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.places.iter().map(|(key, &place)| (&**key, &self.known[place]))
    }

    /// All groups in the order of their keys, whose parts are of these kinds.
    pub(crate) fn sorted(&self, kinds: &[KeyKind]) -> Vec<(Vec<KeyPart<'_>>, &Group)> {
        let mut rows: Vec<_> = self.iter().map(|(key, group)| (parts(key, kinds), group)).collect();
        rows.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        rows
    }
}

/// The parts of a key.
fn parts<'k>(key: &'k [u8], kinds: &[KeyKind]) -> Vec<KeyPart<'k>> {
    // Keys never hold the number of a name.
    static NO_NAMES: std::sync::LazyLock<Names> = std::sync::LazyLock::new(Names::default);
    let mut from = Reader::new(key, &NO_NAMES);
    kinds
        .iter()
        .map(|kind| match kind {
            KeyKind::Text => from.text().map_or(KeyPart::Null, KeyPart::Text),
            KeyKind::Int => from.maybe().map_or(KeyPart::Null, KeyPart::Int),
            KeyKind::Hash => match from.int() {
                0 => KeyPart::Null,
                hash => KeyPart::Hash(hash as u64),
            },
        })
        .collect()
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
                let group = groups.at(key.start().text(text).int(int).hash(hash).bytes());
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
        assert_eq!(forth.sorted(&kinds), back.sorted(&kinds));
        let rows = forth.sorted(&kinds);
        let keys: Vec<_> = rows.iter().map(|(key, _)| key[0]).collect();
        assert_eq!(keys, [KeyPart::Null, KeyPart::Text("a"), KeyPart::Text("b")]);
        assert_eq!(rows[2].0, [KeyPart::Text("b"), KeyPart::Null, KeyPart::Hash(u64::MAX)]);
        assert_eq!(&*rows[2].1.cells, &[14, 5, 9]);
        assert_eq!(rows[2].1.sketch.as_ref().map(|sketch| sketch.count()), Some(2));
    }
}

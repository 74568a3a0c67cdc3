//! Quantiles of whole milliseconds, mergeable in any order: a `DDSketch` (Masson, Rim, Lee, VLDB 2019) with a relative error of
//! 1 %, a bucket for zero, and no collapsing.

use std::sync::LazyLock;

use crate::codec::put_uint;

/// (1 + α) ÷ (1 − α) for the relative error α = 1 %.
const GAMMA: f64 = 1.01 / 0.99;

/// The upper bounds of the buckets from 1 on: γ^0, γ^1, … made by multiplication alone, which gives the same bits everywhere.
static BOUNDS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let mut bounds = vec![1.0];
    let mut bound = 1.0;
    while bound < i64::MAX as f64 {
        bound *= GAMMA;
        bounds.push(bound);
    }
    bounds
});

/// How many values lie in which bucket.
///
/// There are many sketches, and most hold little: each is a string of bytes, for every bucket how far it is from the one
/// before and how many values lie in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sketch {
    bytes: Vec<u8>,
}

impl Sketch {
    /// It as it can be written, and [set](Self::set_bytes) to again.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn set_bytes(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }

    /// Adds values by their buckets, ascending, each with how many there are of it; a bucket may come several times.
    pub(crate) fn add_all(&mut self, added: impl IntoIterator<Item = (i32, u64)>) {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 8);
        self.put_sum(&mut bytes, added);
        self.bytes = bytes;
    }

    /// The same, where the sum is put together in `bytes`: most sketches have room already for what little they become.
    pub(crate) fn add_all_in(&mut self, bytes: &mut Vec<u8>, added: impl IntoIterator<Item = (i32, u64)>) {
        bytes.clear();
        self.put_sum(bytes, added);
        self.set_bytes(bytes);
    }

    /// Appends it to `bytes`, with more values.
    fn put_sum(&self, bytes: &mut Vec<u8>, added: impl IntoIterator<Item = (i32, u64)>) {
        let (mut mine, mut added) = (self.buckets().peekable(), added.into_iter().peekable());
        let mut before = 0;
        while let Some(bucket) = mine.peek().into_iter().chain(added.peek()).map(|entry| entry.0).min() {
            let is = |entry: &(i32, u64)| entry.0 == bucket;
            let mut count = mine.next_if(is).map_or(0, |entry| entry.1);
            while let Some((_, more)) = added.next_if(is) {
                // States come from outside: what is added may be any number.
                count = count.saturating_add(more);
            }
            put_uint(bytes, u64::from((bucket - before).unsigned_abs()));
            put_uint(bytes, count);
            before = bucket;
        }
    }

    /// Adds all values of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        if self.bytes.is_empty() {
            self.bytes.clone_from(&other.bytes);
        } else {
            self.add_all(other.buckets());
        }
    }

    /// The buckets that hold something, ascending.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        let (mut at, mut bucket) = (0, 0);
        std::iter::from_fn(move || {
            let (distance, middle) = uint_at(&self.bytes, at)?;
            let (count, end) = uint_at(&self.bytes, middle)?;
            (at, bucket) = (end, bucket + distance as i32);
            Some((bucket, count))
        })
    }

    /// How many values there are.
    pub(crate) fn count(&self) -> u64 {
        self.buckets().fold(0, |sum, (_, count)| sum.saturating_add(count))
    }

    /// The values of rank ⌊percent ÷ 100 × (n − 1)⌋ of ascending percents, off by at most 1 %; `None` where there is none.
    pub(crate) fn quantiles<const N: usize>(&self, percents: [u64; N]) -> Option<[f64; N]> {
        let last = self.count().checked_sub(1)?;
        let mut buckets = self.buckets();
        let (mut passed, mut at) = (0, 0);
        Some(percents.map(|percent| {
            let rank = (u128::from(last) * u128::from(percent) / 100) as u64;
            while passed <= rank
                && let Some((bucket, count)) = buckets.next()
            {
                (passed, at) = (passed.saturating_add(count), bucket);
            }
            estimate(at)
        }))
    }

    /// One of them.
    pub(crate) fn quantile(&self, percent: u64) -> Option<f64> {
        self.quantiles([percent]).map(|[value]| value)
    }
}

/// Reads an integer; where it ends, too.
#[inline]
fn uint_at(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    match bytes.get(at) {
        Some(&byte) if byte < 0x80 => Some((u64::from(byte), at + 1)),
        _ => long_uint_at(bytes, at),
    }
}

fn long_uint_at(bytes: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = *bytes.get(at)?;
        value |= u64::from(byte & 0x7f) << shift;
        at += 1;
        shift += 7;
        if byte < 0x80 {
            return Some((value, at));
        }
    }
}

/// So many of the bits behind the first of a value choose a place in [`FIRST`]: values of one place lie closer together than two
/// bounds.
const MORE_BITS: u32 = 6;
const MORE: usize = 1 << MORE_BITS;

/// By the bits that a value begins with, and how many follow them, the first bound that is not below the least such value.
static FIRST: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let least = |place: usize| (((MORE + place % MORE) as u128) << (place / MORE)) as f64 / MORE as f64;
    (0..64 * MORE).map(|place| BOUNDS.partition_point(|&bound| bound < least(place)) as u16).collect()
});

/// 0 for 0, else 1 plus the first bound that is not below the value.
pub(crate) fn bucket_of(value: i64) -> i32 {
    if value <= 0 {
        return 0;
    }
    let (skipped, value) = (value.leading_zeros(), value.cast_unsigned());
    let more = (value << skipped << 1 >> (u64::BITS - MORE_BITS)) as usize;
    let first = FIRST[(63 - skipped) as usize * MORE + more];
    i32::from(first) + i32::from(BOUNDS[usize::from(first)] < value as f64) + 1
}

/// Whether there is such a bucket.
pub(crate) fn is_bucket(bucket: i32) -> bool {
    (0..=bucket_of(i64::MAX)).contains(&bucket)
}

/// What a value of the bucket is taken for: off by at most 1 %.
pub(crate) fn estimate(bucket: i32) -> f64 {
    match usize::try_from(bucket - 1) {
        // The bucket of 1 holds nothing else.
        Ok(0) => 1.0,
        Ok(at) => BOUNDS.get(at).map_or(f64::MAX, |bound| 2.0 * bound / (GAMMA + 1.0)),
        Err(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_off_by_one_percent_at_most(mut values in prop::collection::vec(0_i64..10_000_000, 1..200), percent in 0_u64..=100) {
            values.sort_unstable();
            let mut sketch = Sketch::default();
            sketch.add_all(values.iter().map(|&value| (bucket_of(value), 1)));
            let exact = values[(values.len() - 1) * percent as usize / 100] as f64;
            let found = sketch.quantile(percent).unwrap();
            prop_assert!((found - exact).abs() <= 0.01 * exact + 1e-9, "{found} {exact}");
        }

        #[test]
        fn merging_is_adding(a in prop::collection::vec(any::<i64>(), 0..50), b in prop::collection::vec(0_i64..100, 0..50)) {
            let sketch_of = |values: &[i64]| {
                let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
                for &value in values {
                    *counts.entry(bucket_of(value)).or_default() += 1;
                }
                let mut sketch = Sketch::default();
                sketch.add_all(counts.clone());
                prop_assert_eq!(sketch.buckets().collect::<BTreeMap<_, _>>(), counts);
                Ok(sketch)
            };
            let mut merged = sketch_of(&b)?;
            merged.merge(&sketch_of(&a)?);
            let whole = sketch_of(&[&a[..], &b].concat())?;
            prop_assert_eq!(&merged, &whole);
            // In the same memory, as it was left.
            let (mut one_by_one, mut room) = (Sketch::default(), vec![1; 9]);
            for value in a.into_iter().chain(b) {
                one_by_one.add_all_in(&mut room, [(bucket_of(value), 1)]);
            }
            prop_assert_eq!(one_by_one, whole);
        }
    }

    #[test]
    fn buckets_are_found_as_by_looking_at_all_bounds() {
        let near = |value: i64| [value.saturating_sub(1), value, value.saturating_add(1)];
        let bounds = BOUNDS.iter().flat_map(|&bound| near(bound as i64));
        for value in bounds.chain((0..63).flat_map(|bits| near(1 << bits))) {
            let slow = BOUNDS.partition_point(|&bound| bound < value as f64) as i32 + 1;
            assert_eq!(bucket_of(value), if value <= 0 { 0 } else { slow }, "{value}");
        }
    }

    #[test]
    fn edges() {
        assert_eq!(Sketch::default().quantile(50), None);
        assert_eq!((bucket_of(0), bucket_of(-5), bucket_of(1)), (0, 0, 1));
        assert_eq!((estimate(0), estimate(1)), (0.0, 1.0));
        assert!(estimate(bucket_of(i64::MAX)) > 9e18);
    }
}

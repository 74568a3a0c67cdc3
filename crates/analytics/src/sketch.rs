//! Quantiles of whole milliseconds, mergeable in any order: a `DDSketch` (Masson, Rim, Lee, VLDB 2019) with a relative error of
//! 1 %, a bucket for zero, and no collapsing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sketch {
    buckets: BTreeMap<i32, u64>,
}

impl Sketch {
    /// Adds a value; negative ones count as 0.
    pub(crate) fn add(&mut self, value: i64) {
        self.add_many(bucket_of(value), 1);
    }

    /// Adds `count` values of a bucket.
    pub(crate) fn add_many(&mut self, bucket: i32, count: u64) {
        *self.buckets.entry(bucket).or_default() += count;
    }

    /// Adds all values of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (&bucket, &count) in &other.buckets {
            self.add_many(bucket, count);
        }
    }

    /// The buckets that hold something, ascending.
    pub(crate) fn buckets(&self) -> impl ExactSizeIterator<Item = (i32, u64)> + '_ {
        self.buckets.iter().map(|(&bucket, &count)| (bucket, count))
    }

    /// How many values there are.
    pub(crate) fn count(&self) -> u64 {
        self.buckets.values().sum()
    }

    /// The value of rank ⌊percent ÷ 100 × (n − 1)⌋, off by at most 1 %; `None` where there is none.
    pub(crate) fn quantile(&self, percent: u64) -> Option<f64> {
        let last = self.count().checked_sub(1)?;
        let rank = (u128::from(last) * u128::from(percent) / 100) as u64;
        let mut passed = 0;
        self.buckets.iter().find_map(|(&bucket, &count)| {
            passed += count;
            (passed > rank).then(|| estimate(bucket))
        })
    }
}

/// 0 for 0, else 1 plus the first bound that is not below the value.
pub(crate) fn bucket_of(value: i64) -> i32 {
    if value <= 0 { 0 } else { BOUNDS.partition_point(|&bound| bound < value as f64) as i32 + 1 }
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
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_off_by_one_percent_at_most(mut values in prop::collection::vec(0_i64..10_000_000, 1..200), percent in 0_u64..=100) {
            let mut sketch = Sketch::default();
            for &value in &values {
                sketch.add(value);
            }
            values.sort_unstable();
            let exact = values[(values.len() - 1) * percent as usize / 100] as f64;
            let found = sketch.quantile(percent).unwrap();
            prop_assert!((found - exact).abs() <= 0.01 * exact + 1e-9, "{found} {exact}");
        }

        #[test]
        fn merging_is_adding(a in prop::collection::vec(any::<i64>(), 0..50), b in prop::collection::vec(0_i64..100, 0..50)) {
            let sketch_of = |values: &[i64]| {
                let mut sketch = Sketch::default();
                for &value in values {
                    sketch.add(value);
                }
                sketch
            };
            let mut merged = sketch_of(&b);
            merged.merge(&sketch_of(&a));
            prop_assert_eq!(merged, sketch_of(&[a, b].concat()));
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

//! Waits of a kind: quantiles can only be had from sketches; what is shortest and longest is exact.

use super::lists::rounded;
use crate::sketch::Sketch;

/// Some waits.
#[derive(Debug, Default)]
pub(super) struct Waits {
    pub sketch: Sketch,
    bounds: Option<(i64, i64)>,
}

impl Waits {
    pub(super) fn bound(&mut self, min: i64, max: i64) {
        self.bounds = Some(self.bounds.map_or((min, max), |(low, high)| (low.min(min), high.max(max))));
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.sketch.merge(&other.sketch);
        if let Some((min, max)) = other.bounds {
            self.bound(min, max);
        }
    }

    pub(super) fn values(&self) -> Vec<i64> {
        let (low, high) = self.bounds.unwrap_or((0, i64::MAX));
        let quantile =
            |percent| self.sketch.quantile(percent).map_or(low, |value| rounded(value).max(low).min(high));
        let count = i64::try_from(self.sketch.count()).unwrap_or(i64::MAX);
        let longest = self.bounds.map_or_else(|| quantile(100), |(_, high)| high);
        vec![count, quantile(50), quantile(90), quantile(95), quantile(99), longest]
    }
}

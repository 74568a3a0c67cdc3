//! Values on their way to sketches.

use crate::aggregate::{Aggregate, Aggregates};
use crate::sketch::bucket_of;

/// Values on their way to the sketches of an aggregate: many at a time are put in order, and go there together.
#[derive(Debug)]
pub(super) struct Observed {
    aggregate: Aggregate,
    /// Of each the place of its group, and behind it the bucket.
    waiting: Vec<u64>,
}

/// So many values wait, at most.
const MOST_WAITING: usize = 1 << 16;

impl Observed {
    pub(super) fn new(aggregate: Aggregate) -> Self {
        Self { aggregate, waiting: Vec::new() }
    }

    pub(super) fn add(&mut self, states: &mut Aggregates, place: usize, value: i64) {
        self.waiting.push((place as u64) << 32 | u64::from(bucket_of(value).unsigned_abs()));
        if self.waiting.len() >= MOST_WAITING {
            self.settle(states);
        }
    }

    /// Lets all that wait go to their sketches.
    pub(super) fn settle(&mut self, states: &mut Aggregates) {
        radsort::sort(&mut self.waiting);
        for of_group in self.waiting.chunk_by(|a, b| a >> 32 == b >> 32) {
            let buckets = of_group.iter().map(|&value| (value as i32, 1));
            states.observe(self.aggregate, (of_group[0] >> 32) as usize, buckets);
        }
        self.waiting.clear();
    }
}

//! All states of an analysis, ready to be made tables of: each aggregate is in memory, or in runs on disk.

use std::borrow::Cow;

use korpus_engine::Pool;

use super::groups::{Groups, Seen};
use super::key::{KeyPart, parts};
use super::{Aggregate, Aggregates, MOST_PARTS, Part, Runs, put_key};
use crate::error::Result;
use crate::symbols::Name;

/// The states of all workers together.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    states: Aggregates,
    runs: Vec<Runs>,
    /// By aggregate, where its groups stand in the order of their keys, once they are [put in order](Self::put_in_order).
    orders: Vec<Vec<u32>>,
}

impl From<Aggregates> for Stored {
    fn from(states: Aggregates) -> Self {
        Self { states, ..Self::default() }
    }
}

impl Stored {
    /// Brings together what workers hold, on the pool of the calling thread. An aggregate that one of them put aside is on
    /// disk as a whole then.
    pub(crate) fn new(workers: impl IntoIterator<Item = (Aggregates, Runs)>) -> Result<Self> {
        let (mut all, mut runs): (Vec<Aggregates>, Vec<Runs>) = workers.into_iter().unzip();
        for aggregate in Aggregate::ALL {
            if runs.iter().any(|runs| runs.has(aggregate)) {
                for (states, runs) in all.iter_mut().zip(&mut runs) {
                    runs.put_aside(states, aggregate)?;
                }
            }
        }
        Ok(Self { states: Aggregates::merged(all), runs, ..Self::default() })
    }

    /// How many bytes did not fit into memory.
    pub(crate) fn spilled_bytes(&self) -> u64 {
        self.runs.iter().map(Runs::spilled_bytes).sum()
    }

    /// A number about the run.
    pub(crate) fn count(&self, name: &str) -> Result<u64> {
        let mut key = Vec::new();
        put_key(&mut key, &[Part::Text(Name::new(name))]);
        let mut count = 0;
        self.for_each_group(Aggregate::Counts, &mut |group| {
            if group.key == key {
                count = group.cells[0].cast_unsigned();
            }
            Ok(())
        })?;
        Ok(count)
    }

    /// Calls `each` with all groups in the order of their keys.
    pub(super) fn for_each(
        &self,
        aggregate: Aggregate,
        mut each: impl FnMut(&[KeyPart<'_>], Seen<'_>) -> Result<()>,
    ) -> Result<()> {
        self.for_each_group(aggregate, &mut |group| with_parts(aggregate, group, &mut each))
    }

    /// Puts the groups in order that are in memory, aggregate by aggregate on whichever thread has a moment.
    pub(super) fn put_in_order(&mut self) {
        self.orders = Pool::map_here(&Aggregate::ALL, |&aggregate| self.states.groups(aggregate).order());
    }

    /// The groups of an aggregate, and where they stand in the order of their keys; none where they are on disk.
    pub(super) fn in_order(&self, aggregate: Aggregate) -> Option<(&Groups, &[u32])> {
        let order = self.orders.get(aggregate as usize).filter(|_| !self.is_aside(aggregate));
        order.map(|order| (self.states.groups(aggregate), &order[..]))
    }

    /// Whether an aggregate is on disk.
    fn is_aside(&self, aggregate: Aggregate) -> bool {
        self.runs.iter().any(|runs| runs.has(aggregate))
    }

    fn for_each_group(
        &self,
        aggregate: Aggregate,
        each: &mut dyn FnMut(Seen<'_>) -> Result<()>,
    ) -> Result<()> {
        if self.is_aside(aggregate) {
            return Runs::merged(&self.runs, aggregate, each);
        }
        let groups = self.states.groups(aggregate);
        let order = self.orders.get(aggregate as usize).map_or_else(|| groups.order().into(), Cow::from);
        groups.at_places(&order).try_for_each(each)
    }

    /// Lets go of what is in memory of one aggregate.
    pub(super) fn forget(&mut self, aggregate: Aggregate) {
        self.states.forget(aggregate);
        if let Some(order) = self.orders.get_mut(aggregate as usize) {
            *order = Vec::new();
        }
    }
}

/// Calls `each` with a group and the parts of its key.
pub(super) fn with_parts<T>(
    aggregate: Aggregate,
    group: Seen<'_>,
    each: impl FnOnce(&[KeyPart<'_>], Seen<'_>) -> T,
) -> T {
    let mut found = [const { KeyPart::Null }; MOST_PARTS];
    let kinds = aggregate.key();
    for (place, part) in found.iter_mut().zip(parts(group.key, kinds)) {
        *place = part;
    }
    each(&found[..kinds.len()], group)
}

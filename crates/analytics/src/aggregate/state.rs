//! The states of all aggregates: fed, merged, and written to and read from Arrow.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, Int32Builder, Int64Builder, ListBuilder,
    StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use rayon::prelude::*;

use super::Aggregate;
use super::groups::{Group, Groups, Seen};
use super::key::Part;
use crate::error::{AnalyticsError, Result};
use crate::places::KeyHash;
use crate::sketch::{Sketch, is_bucket};
use crate::state::{MergeableState, columns_of};

/// The states of all aggregates over some of the sessions.
///
/// Merging the states of disjoint sets of whole sessions, in any order, gives the state of their union.
#[derive(Debug, Clone)]
pub struct Aggregates {
    tables: Vec<Groups>,
}

impl Default for Aggregates {
    fn default() -> Self {
        Self { tables: Aggregate::ALL.into_iter().map(Groups::new).collect() }
    }
}

impl Aggregates {
    /// The group of a key.
    pub(crate) fn at(&mut self, aggregate: Aggregate, key: &[Part<'_>]) -> Group<'_> {
        let groups = &mut self.tables[aggregate as usize];
        let place = groups.place(key);
        groups.at_place(place)
    }

    pub(crate) fn groups(&self, aggregate: Aggregate) -> &Groups {
        &self.tables[aggregate as usize]
    }

    /// Where the group of a key is, until groups are put aside.
    pub(crate) fn place(&mut self, aggregate: Aggregate, key: &[Part<'_>]) -> usize {
        self.tables[aggregate as usize].place(key)
    }

    /// The same, by the hash of the key, which is asked for where the group is new.
    pub(crate) fn place_of_hash<'k, const N: usize>(
        &mut self,
        aggregate: Aggregate,
        hash: KeyHash,
        key: impl Fn() -> [Part<'k>; N],
    ) -> usize {
        self.tables[aggregate as usize].place_of_hash(hash, key)
    }

    /// The same, of a key that is written already, and whose hash may be known.
    pub(crate) fn place_of_key(&mut self, aggregate: Aggregate, hash: Option<KeyHash>, key: &[u8]) -> usize {
        self.tables[aggregate as usize].place_of_key(hash, key)
    }

    /// Fetches the groups of keys that will be asked for, by their hashes.
    pub(crate) fn fetch(&self, aggregate: Aggregate, hashes: &[KeyHash]) {
        self.tables[aggregate as usize].fetch(hashes);
    }

    /// The group at a place.
    pub(crate) fn at_place(&mut self, aggregate: Aggregate, place: usize) -> Group<'_> {
        self.tables[aggregate as usize].at_place(place)
    }

    /// Adds values to the sketch of the group at a place, by their buckets, ascending, and how many there are of each.
    pub(crate) fn observe(
        &mut self,
        aggregate: Aggregate,
        place: usize,
        buckets: impl Iterator<Item = (i32, u64)>,
    ) {
        self.tables[aggregate as usize].observe(place, buckets);
    }

    /// About how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.tables.iter().map(Groups::bytes).sum()
    }

    /// All states as one, aggregate by aggregate on whichever thread of the pool has a moment.
    pub(super) fn merged(all: impl IntoIterator<Item = Self>) -> Self {
        let merge = |mut states: Self, other: Self| {
            let pairs = states.tables.par_iter_mut().zip(other.tables).with_max_len(1);
            pairs.for_each(|(table, other)| table.merge(other));
            states
        };
        all.into_iter().reduce(merge).unwrap_or_default()
    }

    /// Lets go of the state of one aggregate.
    pub(crate) fn forget(&mut self, aggregate: Aggregate) {
        self.tables[aggregate as usize] = Groups::new(aggregate);
    }
}

impl MergeableState for Aggregates {
    fn merge(&mut self, other: Self) {
        for (table, other) in self.tables.iter_mut().zip(other.tables) {
            table.merge(other);
        }
    }

    fn arrow_schema() -> SchemaRef {
        let list = |kind| DataType::List(Arc::new(Field::new_list_field(kind, true)));
        Arc::new(Schema::new(vec![
            Field::new("aggregate", DataType::Utf8, false),
            Field::new("key", DataType::Binary, false),
            Field::new("cells", list(DataType::Int64), false),
            Field::new("buckets", list(DataType::Int32), false),
            Field::new("counts", list(DataType::Int64), false),
        ]))
    }

    /// One row a group.
    fn to_arrow(&self) -> Result<RecordBatch> {
        let key_bytes: usize = self.tables.iter().map(Groups::bytes).sum();
        if i32::try_from(key_bytes).is_err() {
            return Err(AnalyticsError::State(
                "the aggregates take more than 2 GiB: fold fewer sessions at a time",
            ));
        }
        let mut names = StringBuilder::new();
        let mut keys = BinaryBuilder::new();
        let mut cells = ListBuilder::new(Int64Builder::new());
        let mut buckets = ListBuilder::new(Int32Builder::new());
        let mut counts = ListBuilder::new(Int64Builder::new());
        for aggregate in Aggregate::ALL {
            for group in self.groups(aggregate).iter() {
                names.append_value(aggregate.name());
                keys.append_value(group.key);
                cells.values().append_slice(group.cells);
                cells.append(true);
                for (bucket, count) in group.sketch.iter().flat_map(|sketch| sketch.buckets()) {
                    buckets.values().append_value(bucket);
                    counts.values().append_value(count.cast_signed());
                }
                buckets.append(true);
                counts.append(true);
            }
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(names.finish()),
            Arc::new(keys.finish()),
            Arc::new(cells.finish()),
            Arc::new(buckets.finish()),
            Arc::new(counts.finish()),
        ];
        Ok(RecordBatch::try_new(Self::arrow_schema(), columns)?)
    }

    fn from_arrow(batch: &RecordBatch) -> Result<Self> {
        let columns = columns_of(batch, &Self::arrow_schema())?;
        let names: &StringArray = columns[0].as_string();
        let keys: &BinaryArray = columns[1].as_binary();
        let lists = [2, 3, 4].map(|column: usize| columns[column].as_list::<i32>());
        let mut state = Self::default();
        for row in 0..batch.num_rows() {
            let aggregate = Aggregate::ALL
                .into_iter()
                .find(|aggregate| aggregate.name() == names.value(row))
                .ok_or(AnalyticsError::State("an aggregate that this version does not know"))?;
            let key = keys.value(row);
            if !aggregate.is_key(key) {
                return Err(AnalyticsError::State("a key that is none of its aggregate"));
            }
            let [cells, buckets, counts] = lists.map(|list| list.value(row));
            if [&cells, &buckets, &counts].iter().any(|list| list.null_count() > 0) {
                return Err(AnalyticsError::State("a number is missing"));
            }
            let cells = cells.as_primitive::<Int64Type>();
            if cells.len() != aggregate.cells().len() || buckets.len() != counts.len() {
                return Err(AnalyticsError::State("a group with another number of cells"));
            }
            if !aggregate.has_sketches() && !buckets.is_empty() {
                return Err(AnalyticsError::State("durations where there are none"));
            }
            let buckets = buckets.as_primitive::<Int32Type>().values().iter().copied();
            let counts = counts.as_primitive::<Int64Type>().values().iter().copied();
            let mut values: Vec<(i32, i64)> = buckets.zip(counts).collect();
            if values.iter().any(|&(bucket, count)| !is_bucket(bucket) || count < 0) {
                return Err(AnalyticsError::State("durations that are none"));
            }
            values.sort_unstable();
            let mut sketch = Sketch::default();
            sketch.add_all(values.into_iter().map(|(bucket, count)| (bucket, count.cast_unsigned())));
            let group = Seen { key, cells: cells.values(), sketch: Some(&sketch) };
            state.tables[aggregate as usize].merge_group(group);
        }
        Ok(state)
    }
}

//! Groups that did not fit into memory: runs on disk, each in the order of its keys, that are merged as they are read.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::LazyLock;

use korpus_engine::Spool;

use super::groups::Seen;
use super::{Aggregate, Aggregates};
use crate::codec::{Reader, put_int, put_uint};
use crate::error::Result;
use crate::sketch::Sketch;
use crate::symbols::Names;

/// More runs of one aggregate than these become one: each takes a buffer while it is read.
const MOST_RUNS: usize = 24;
/// What is read and written at a time, at least.
const BUFFER: usize = 32 << 10;

/// Where a run lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    at: u64,
    len: u64,
}

/// What one worker put aside.
#[derive(Debug)]
pub(crate) struct Runs {
    spool: Spool,
    by_aggregate: Vec<Vec<Run>>,
}

impl Runs {
    /// In `temp_dir`, or the system's.
    pub(crate) fn new(temp_dir: Option<PathBuf>) -> Self {
        Self { spool: Spool::new(temp_dir), by_aggregate: vec![Vec::new(); Aggregate::ALL.len()] }
    }

    /// How many bytes lie on disk.
    pub(crate) fn spilled_bytes(&self) -> u64 {
        self.spool.len()
    }

    pub(super) fn has(&self, aggregate: Aggregate) -> bool {
        !self.by_aggregate[aggregate as usize].is_empty()
    }

    /// Puts aside the states that are not small, until less than half of `budget` is left.
    pub(crate) fn relieve(&mut self, states: &mut Aggregates, budget: usize) -> Result<()> {
        let small = budget / 2 / Aggregate::ALL.len();
        for aggregate in Aggregate::ALL {
            if states.groups(aggregate).bytes() > small {
                self.put_aside(states, aggregate)?;
            }
        }
        Ok(())
    }

    /// Moves all groups of an aggregate to disk.
    pub(super) fn put_aside(&mut self, states: &mut Aggregates, aggregate: Aggregate) -> Result<()> {
        let mut writer = Writer::default();
        let groups = states.groups(aggregate);
        for group in groups.at_places(&groups.order()) {
            writer.put(&mut self.spool, group)?;
        }
        states.forget(aggregate);
        if let Some(run) = writer.finish(&mut self.spool)? {
            self.by_aggregate[aggregate as usize].push(run);
        }
        if self.by_aggregate[aggregate as usize].len() > MOST_RUNS { self.compact(aggregate) } else { Ok(()) }
    }

    /// Makes one run of all runs of an aggregate. What it is made of stays on disk, unread.
    fn compact(&mut self, aggregate: Aggregate) -> Result<()> {
        let mut merge = Merge::new(aggregate);
        self.add_to(&mut merge, 0, &[&self.spool])?;
        let mut writer = Writer::default();
        while let Some(group) = merge.next(&[&self.spool])? {
            writer.put(&mut self.spool, group)?;
        }
        self.by_aggregate[aggregate as usize] = writer.finish(&mut self.spool)?.into_iter().collect();
        Ok(())
    }

    /// Adds all runs of the aggregate that is merged; `place` is that of this one's spool among all.
    fn add_to(&self, merge: &mut Merge, place: usize, spools: &[&Spool]) -> Result<()> {
        for &run in &self.by_aggregate[merge.aggregate as usize] {
            merge.add(Cursor::new(place, run), spools)?;
        }
        Ok(())
    }

    /// Calls `each` with all groups that several workers put aside, in the order of their keys.
    pub(super) fn merged(
        of: &[Self],
        aggregate: Aggregate,
        each: &mut dyn FnMut(Seen<'_>) -> Result<()>,
    ) -> Result<()> {
        let spools: Vec<&Spool> = of.iter().map(|runs| &runs.spool).collect();
        let mut merge = Merge::new(aggregate);
        for (place, runs) in of.iter().enumerate() {
            runs.add_to(&mut merge, place, &spools)?;
        }
        while let Some(group) = merge.next(&spools)? {
            each(group)?;
        }
        Ok(())
    }
}

/// Writes a run: of each group its length, then its key, its cells and its sketch.
#[derive(Debug, Default)]
struct Writer {
    bytes: Vec<u8>,
    group: Vec<u8>,
    run: Option<Run>,
}

impl Writer {
    fn put(&mut self, spool: &mut Spool, group: Seen<'_>) -> Result<()> {
        self.group.clear();
        put_uint(&mut self.group, group.key.len() as u64);
        self.group.extend_from_slice(group.key);
        for &cell in group.cells {
            put_int(&mut self.group, cell);
        }
        self.group.extend_from_slice(group.sketch.map_or(&[], Sketch::bytes));
        put_uint(&mut self.bytes, self.group.len() as u64);
        self.bytes.extend_from_slice(&self.group);
        if self.bytes.len() >= BUFFER { self.flush(spool) } else { Ok(()) }
    }

    fn flush(&mut self, spool: &mut Spool) -> Result<()> {
        let at = spool.append(&self.bytes)?;
        self.run.get_or_insert(Run { at, len: 0 }).len += self.bytes.len() as u64;
        self.bytes.clear();
        Ok(())
    }

    fn finish(mut self, spool: &mut Spool) -> Result<Option<Run>> {
        if !self.bytes.is_empty() {
            self.flush(spool)?;
        }
        Ok(self.run)
    }
}

/// A run that is being read: the group that is next, and the bytes behind it.
#[derive(Debug)]
struct Cursor {
    spool: usize,
    /// What was not read yet.
    rest: Run,
    bytes: Vec<u8>,
    /// Where the groups behind this one begin.
    next: usize,
    key: Range<usize>,
    cells: Vec<i64>,
    sketch: Sketch,
}

impl Cursor {
    fn new(spool: usize, run: Run) -> Self {
        Self {
            spool,
            rest: run,
            bytes: Vec::new(),
            next: 0,
            key: 0..0,
            cells: Vec::new(),
            sketch: Sketch::default(),
        }
    }

    fn key(&self) -> &[u8] {
        &self.bytes[self.key.clone()]
    }

    /// Goes to the next group, with so many cells; `false` where there is none.
    fn advance(&mut self, cells: usize, spools: &[&Spool]) -> Result<bool> {
        let Some(group) = self.whole_group(spools)? else { return Ok(false) };
        let mut from = plain(&self.bytes[group.clone()]);
        let len = from.uint() as usize;
        let key = group.end - from.rest().len();
        self.key = key..group.end.min(key + len);
        from.take(len);
        self.cells.clear();
        self.cells.extend(std::iter::repeat_with(|| from.int()).take(cells));
        self.sketch.set_bytes(from.rest());
        self.next = group.end;
        Ok(true)
    }

    /// Where the next group stands among the bytes, which are read as far as it takes.
    fn whole_group(&mut self, spools: &[&Spool]) -> Result<Option<Range<usize>>> {
        loop {
            let mut from = plain(&self.bytes[self.next..]);
            let len = from.uint() as usize;
            let start = self.bytes.len() - from.rest().len();
            if len > 0 && from.rest().len() >= len {
                return Ok(Some(start..start + len));
            }
            if self.rest.len == 0 {
                return Ok(None);
            }
            self.bytes.drain(..self.next);
            self.next = 0;
            let read = BUFFER.max(len).min(usize::try_from(self.rest.len).unwrap_or(usize::MAX));
            let end = self.bytes.len();
            self.bytes.resize(end + read, 0);
            spools[self.spool].read_at(self.rest.at, &mut self.bytes[end..])?;
            self.rest = Run { at: self.rest.at + read as u64, len: self.rest.len - read as u64 };
        }
    }
}

/// Bytes that hold no number of a name.
fn plain(bytes: &[u8]) -> Reader<'_> {
    static NO_NAMES: LazyLock<Names> = LazyLock::new(Names::default);
    Reader::new(bytes, &NO_NAMES)
}

/// The least key is the greatest: that is what a heap gives first.
impl Ord for Cursor {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(self.key())
    }
}

impl PartialOrd for Cursor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Cursor {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Cursor {}

/// Several runs as one.
#[derive(Debug)]
struct Merge {
    aggregate: Aggregate,
    runs: BinaryHeap<Cursor>,
    /// The group that was given last.
    key: Vec<u8>,
    cells: Vec<i64>,
    sketch: Sketch,
}

impl Merge {
    fn new(aggregate: Aggregate) -> Self {
        let runs = BinaryHeap::new();
        Self { aggregate, runs, key: Vec::new(), cells: Vec::new(), sketch: Sketch::default() }
    }

    fn add(&mut self, mut run: Cursor, spools: &[&Spool]) -> Result<()> {
        if run.advance(self.aggregate.cells().len(), spools)? {
            self.runs.push(run);
        }
        Ok(())
    }

    /// The next group; what several runs know of it is merged.
    fn next(&mut self, spools: &[&Spool]) -> Result<Option<Seen<'_>>> {
        let ops = self.aggregate.cells();
        let mut is_first = true;
        while let Some(mut run) = self.runs.peek_mut() {
            if is_first {
                self.key.clear();
                self.key.extend_from_slice(run.key());
                self.cells.clone_from(&run.cells);
                std::mem::swap(&mut self.sketch, &mut run.sketch);
            } else if run.key() == self.key {
                for ((op, cell), &value) in ops.iter().zip(&mut self.cells).zip(&run.cells) {
                    op.apply(cell, value);
                }
                self.sketch.merge(&run.sketch);
            } else {
                break;
            }
            is_first = false;
            if !run.advance(ops.len(), spools)? {
                PeekMut::pop(run);
            }
        }
        let sketch = self.aggregate.has_sketches().then_some(&self.sketch);
        Ok((!is_first).then_some(Seen { key: &self.key, cells: &self.cells, sketch }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Part;
    use crate::sketch::bucket_of;
    use crate::symbols::Name;

    fn states(from: i64, to: i64) -> Aggregates {
        let mut states = Aggregates::default();
        for n in from..to {
            let place = states.place(
                Aggregate::Latency,
                &[Part::Int(n % 500), Part::Null, Part::Null, Part::Null, Part::Null],
            );
            let mut group = states.at_place(Aggregate::Latency, place);
            group.add(0, 1);
            group.least(2, n);
            group.greatest(3, n);
            states.observe(Aggregate::Latency, place, std::iter::once((bucket_of(n % 7), 1)));
            states.at(Aggregate::Counts, &[Part::Text(Name::new("few"))]).add(0, 1);
        }
        states
    }

    #[test]
    fn what_was_put_aside_comes_back_merged_and_in_order() {
        let whole = states(0, 20_000);
        let mut workers = [Runs::new(None), Runs::new(None)];
        for n in 0..200 {
            let mut states = states(n * 100, n * 100 + 100);
            workers[n as usize % 2].relieve(&mut states, 6000).unwrap();
            assert_eq!(states.groups(Aggregate::Latency).len(), 0);
            assert_eq!(states.groups(Aggregate::Counts).len(), 1);
        }
        assert!(workers.iter().all(|runs| runs.by_aggregate[Aggregate::Latency as usize].len() <= MOST_RUNS));
        let mut found = Vec::new();
        let row = |group: Seen<'_>| (group.key.to_vec(), group.cells.to_vec(), group.sketch.cloned());
        Runs::merged(&workers, Aggregate::Latency, &mut |group| {
            found.push(row(group));
            Ok(())
        })
        .unwrap();
        let whole = whole.groups(Aggregate::Latency);
        assert_eq!(found, whole.at_places(&whole.order()).map(row).collect::<Vec<_>>());
        assert!(!workers[0].has(Aggregate::Counts) && workers[1].spilled_bytes() > 0);
    }
}

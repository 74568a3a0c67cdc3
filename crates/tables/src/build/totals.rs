//! The volumes of a whole dataset: counts in memory up to a bound, and past it in sorted runs on disk, merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;

use korpus_engine::Spool;

use super::volumes::{VolumeKey, Volumes, unpack};
use crate::error::{Result, TablesError};
use crate::read::Row;

/// Most keys in memory: about 2 MB.
const MOST: usize = 16 << 10;
/// How much is read at a time, of all runs together, and of each of them at least and at most.
const CHUNKS: usize = 1 << 20;
const CHUNK: (usize, usize) = (4 << 10, 64 << 10);

/// Counts by key, however many keys there are.
#[derive(Debug)]
pub(crate) struct VolumeTotals {
    recent: Volumes,
    most: usize,
    spool: Spool,
    runs: Vec<Run>,
}

impl VolumeTotals {
    /// Puts aside in `temp_dir` (or the system's) what there is no room for.
    pub(crate) fn new(temp_dir: Option<PathBuf>) -> Self {
        Self { recent: Volumes::default(), most: MOST, spool: Spool::new(temp_dir), runs: Vec::new() }
    }

    /// Counts `by` messages of one key.
    pub(crate) fn add<'a>(
        &mut self,
        event_at: Option<i64>,
        names: impl Iterator<Item = Option<&'a str>>,
        by: i64,
    ) -> Result<()> {
        self.recent.add(event_at, names, by);
        self.spill()
    }

    /// Counts `by` messages of a key that was packed without its hour.
    pub(super) fn add_packed(&mut self, hour: Option<i64>, packed: &[u8], by: i64) -> Result<()> {
        self.recent.add_packed(hour, packed, by);
        self.spill()
    }

    /// Adds a row of the table `volumes` of a dataset.
    pub(crate) fn add_row(&mut self, row: Row<'_>) -> Result<()> {
        self.recent.add_row(row);
        self.spill()
    }

    /// Adds the counts of a later part and empties it, keeping its memory.
    pub(crate) fn take(&mut self, part: &mut Volumes) -> Result<()> {
        self.recent.take(part);
        self.spill()
    }

    fn spill(&mut self) -> Result<()> {
        if self.recent.len() >= self.most { self.put_aside() } else { Ok(()) }
    }

    /// Writes what is in memory to disk, in order; nothing is in memory afterwards.
    fn put_aside(&mut self) -> Result<()> {
        let Self { recent, spool, runs, .. } = self;
        let start = spool.len();
        let mut bytes = Vec::with_capacity(CHUNK.1);
        for (key, count) in recent.sorted() {
            bytes.extend_from_slice(&(key.len() as u32).to_le_bytes());
            bytes.extend_from_slice(&count.to_le_bytes());
            bytes.extend_from_slice(key);
            if bytes.len() >= CHUNK.1 / 2 {
                spool.append(&bytes)?;
                bytes.clear();
            }
        }
        spool.append(&bytes)?;
        recent.clear();
        runs.push(Run { next: start, end: spool.len(), read: Vec::new(), from: 0 });
        Ok(())
    }

    /// Calls `each` with all counts that are left, in the order of their keys.
    pub(crate) fn for_each(mut self, mut each: impl FnMut(&VolumeKey, i64) -> Result<()>) -> Result<()> {
        let mut key = VolumeKey::default();
        let mut close = |packed: &[u8], count: i64| {
            if count == 0 {
                return Ok(());
            }
            unpack(packed, &mut key);
            each(&key, count)
        };
        let Self { recent, spool, runs, .. } = &mut self;
        if runs.is_empty() {
            return recent.sorted().try_for_each(|(packed, count)| close(packed, count));
        }
        let chunk = (CHUNKS / runs.len()).clamp(CHUNK.0, CHUNK.1);
        let in_memory = runs.len();
        let mut recent = recent.sorted();
        // What comes next of a run, or of what is in memory, in a buffer that is not needed any more.
        let mut next = |index: usize, mut packed: Vec<u8>| {
            packed.clear();
            let count = if index == in_memory {
                recent.next().map(|(key, count)| {
                    packed.extend_from_slice(key);
                    count
                })
            } else {
                runs[index].next(chunk, spool, &mut packed)?
            };
            Ok::<_, TablesError>(count.map(|count| Reverse((packed, index, count))))
        };
        let mut heap = BinaryHeap::new();
        for index in 0..=in_memory {
            heap.extend(next(index, Vec::new())?);
        }
        let (mut open, mut total) = (Vec::new(), 0);
        while let Some(Reverse((packed, index, count))) = heap.pop() {
            let done = if packed == open {
                total += count;
                packed
            } else {
                close(&open, std::mem::replace(&mut total, count))?;
                std::mem::replace(&mut open, packed)
            };
            heap.extend(next(index, done)?);
        }
        close(&open, total)
    }
}

/// Sorted counts that are read from the spool.
#[derive(Debug)]
struct Run {
    /// What is to be read next, and where the run ends.
    next: u64,
    end: u64,
    /// What was read, of which what is before `from` is done with.
    read: Vec<u8>,
    from: usize,
}

impl Run {
    /// The length of a key and its count, in front of it.
    const HEAD: usize = 12;

    /// The count of what comes next, whose key goes to `packed`; where it is to be read, so does a `chunk` of bytes.
    fn next(&mut self, chunk: usize, spool: &Spool, packed: &mut Vec<u8>) -> Result<Option<i64>> {
        self.fill(Self::HEAD, chunk, spool)?;
        let Some((head, rest)) = self.read[self.from..].split_first_chunk::<{ Self::HEAD }>() else {
            return Ok(None);
        };
        let (len, count) = head.split_at(4);
        let (Some(len), Some(count)) = (len.first_chunk(), count.first_chunk()) else { return Ok(None) };
        let (len, count) = (u32::from_le_bytes(*len) as usize, i64::from_le_bytes(*count));
        if rest.len() < len {
            self.fill(Self::HEAD + len, chunk, spool)?;
        }
        let start = self.from + Self::HEAD;
        let cut_off = TablesError::Internal("counts that were put aside are cut off");
        packed.extend_from_slice(self.read.get(start..start + len).ok_or(cut_off)?);
        self.from = start + len;
        Ok(Some(count))
    }

    /// Sees to it that so many bytes are there, unless the run ends before.
    fn fill(&mut self, len: usize, chunk: usize, spool: &Spool) -> Result<()> {
        let there = self.read.len() - self.from;
        if there >= len || self.next == self.end {
            return Ok(());
        }
        self.read.drain(..self.from);
        self.from = 0;
        let more = (len.max(chunk) as u64).min(self.end - self.next) as usize;
        self.read.reserve_exact(more);
        self.read.resize(there + more, 0);
        spool.read_at(self.next, &mut self.read[there..])?;
        self.next += more as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(totals: VolumeTotals) -> Vec<(VolumeKey, i64)> {
        let mut rows = Vec::new();
        totals
            .for_each(|key, count| {
                rows.push((key.clone(), count));
                Ok(())
            })
            .unwrap();
        rows
    }

    fn totals(most: usize) -> VolumeTotals {
        VolumeTotals { most, ..VolumeTotals::new(None) }
    }

    #[test]
    fn null_and_empty_are_two_keys_and_nothing_stays_of_nothing() {
        for most in [1, 2, 100] {
            let mut volumes = totals(most);
            let names =
                |bot: Option<&'static str>| std::iter::once(bot).chain([Some("rtm"), None, None, Some("x")]);
            volumes.add(Some(-1), names(None), 1).unwrap();
            volumes.add(Some(-1), names(Some("")), 2).unwrap();
            volumes.add(None, names(Some("b")), 3).unwrap();
            let mut part = Volumes::default();
            part.add(None, names(Some("b")), -3);
            part.add(Some(-1), names(None), 4);
            volumes.take(&mut part).unwrap();
            let sorted = rows(volumes);
            assert_eq!(sorted.len(), 2);
            assert_eq!((sorted[0].0.hour, sorted[0].1), (Some(-1), 5));
            assert_eq!(sorted[0].0.names[0], None);
            assert_eq!((sorted[1].0.names[0].as_deref(), sorted[1].1), (Some(""), 2));
            assert_eq!(sorted[1].0.names[1].as_deref(), Some("rtm"));
        }
    }

    #[test]
    fn what_waits_on_disk_is_counted_as_the_rest() {
        let made = |most| {
            let mut volumes = totals(most);
            for n in 0..20_000_i64 {
                let name = "n".repeat((n % 97) as usize * (n % 5) as usize);
                let names = [Some(name.as_str()), None, None, None, None];
                volumes.add(Some(n * 7919 % 4001 * 1_000_000_000), names.into_iter(), n % 3 - 1).unwrap();
            }
            (volumes.runs.len(), rows(volumes))
        };
        let (none, expected) = made(usize::MAX);
        assert!(none == 0 && expected.len() > 1000);
        for most in [300, 5000] {
            let (runs, found) = made(most);
            assert!(runs > 2, "{runs}");
            assert!(found == expected, "{most}");
        }
    }
}

//! The volumes of a whole dataset: counts in memory up to a bound, and past it in sorted runs on disk, merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::PathBuf;

use korpus_engine::{Fates, Spool};

use super::counted::{CountedRows, VolumeLog};
use super::packed::PackedKeys;
use super::volumes::{NO_HOUR, VolumeCount, VolumeNames, Volumes, hour_of, pack, unpack, volume_of};
use crate::error::{Result, TablesError};
use crate::read::Row;

/// Most counts in memory, which take 1.5 MB, and 4 while they are sorted; and most bytes of names.
const MOST: Most = Most { counts: 64 << 10, names: 1 << 20 };
/// How much is read at a time, of all runs together, and of each of them at least and at most.
const CHUNKS: usize = 1 << 20;
const CHUNK: (usize, usize) = (4 << 10, 64 << 10);

/// Counts by hour and names, however many there are.
#[derive(Debug)]
pub(crate) struct VolumeTotals {
    /// The combinations of names that there are, packed.
    names: PackedKeys,
    /// In the order in which they came since they were last [summed up](Self::sum_up).
    counts: Vec<VolumeCount>,
    most: Most,
    /// What each message was counted by, where that is written down.
    log: VolumeLog,
    /// The numbers here of the names of a block.
    numbers: Vec<u32>,
    packed: Vec<u8>,
    spool: Spool,
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy)]
struct Most {
    counts: usize,
    /// In bytes.
    names: usize,
}

impl VolumeTotals {
    /// Puts aside in `temp_dir` (or the system's) what there is no room for.
    pub(crate) fn new(temp_dir: Option<PathBuf>) -> Self {
        Self {
            names: PackedKeys::default(),
            counts: Vec::new(),
            most: MOST,
            log: VolumeLog::new(temp_dir.clone()),
            numbers: Vec::new(),
            packed: Vec::new(),
            spool: Spool::new(temp_dir),
            runs: Vec::new(),
        }
    }

    /// Counts `by` messages of one hour and names.
    pub(crate) fn add<'a>(
        &mut self,
        event_at: Option<i64>,
        names: impl IntoIterator<Item = Option<&'a str>>,
        by: i64,
    ) -> Result<()> {
        self.add_hour(event_at.map_or(NO_HOUR, hour_of), names, by)
    }

    /// Adds a row of the table `volumes` of a dataset.
    pub(crate) fn add_row(&mut self, row: Row<'_>) -> Result<()> {
        let (hour, names, messages) = volume_of(row);
        self.add_hour(hour, names, messages)
    }

    fn add_hour<'a>(
        &mut self,
        hour: i64,
        names: impl IntoIterator<Item = Option<&'a str>>,
        by: i64,
    ) -> Result<()> {
        let mut packed = std::mem::take(&mut self.packed);
        pack(names, &mut packed);
        let added = self.add_packed(hour, &packed, by);
        self.packed = packed;
        added
    }

    fn add_packed(&mut self, hour: i64, packed: &[u8], by: i64) -> Result<()> {
        let names = self.names.intern(packed);
        self.counts.push(VolumeCount { hour, names, messages: by });
        self.spill()
    }

    /// Adds the counts of a block, whose first message has the ordinal `first`, and writes down what each is counted by, so
    /// far as that is told.
    pub(crate) fn take(&mut self, volumes: &Volumes, first: u64, counted: &CountedRows) -> Result<()> {
        let Self { names, numbers, .. } = self;
        numbers.clear();
        numbers.extend(volumes.names.iter().map(|packed| names.intern(packed)));
        let renumbered =
            |count: &VolumeCount| VolumeCount { names: self.numbers[count.names as usize], ..*count };
        self.counts.extend(volumes.counts.iter().map(renumbered));
        self.log.push(first, counted, &self.numbers)?;
        self.spill()
    }

    /// Takes those back that were written down and are not kept.
    pub(crate) fn take_back(&mut self, fates: &Fates) -> Result<()> {
        let log = std::mem::replace(&mut self.log, VolumeLog::new(None));
        let names = self.names.clone();
        log.for_each_lost(&names, fates, |hour, packed| self.add_packed(hour, packed, -1))
    }

    fn spill(&mut self) -> Result<()> {
        let has_many_names = self.names.byte_len() >= self.most.names;
        let is_full = self.counts.len() >= self.most.counts;
        if is_full {
            self.sum_up();
        }
        // Where there are many different ones, they would soon be summed up again.
        if has_many_names || is_full && self.counts.len() * 2 > self.most.counts {
            self.put_aside()?;
        }
        if has_many_names {
            self.log.seal(&self.names)?;
            self.names.clear();
        }
        Ok(())
    }

    /// Makes one count of those with one hour and names.
    fn sum_up(&mut self) {
        self.counts.sort_by_key(|count| (count.hour, count.names));
        self.counts.dedup_by(|next, open| {
            let is_same = (next.hour, next.names) == (open.hour, open.names);
            open.messages += if is_same { next.messages } else { 0 };
            is_same
        });
    }

    /// Writes the counts in memory to disk, in order; there are none afterwards.
    fn put_aside(&mut self) -> Result<()> {
        let (order, counts) = self.sorted();
        let start = self.spool.len();
        let mut bytes = Vec::with_capacity(CHUNK.1);
        for (hour, place, count) in counts {
            let names = self.names.get(order[place as usize]);
            bytes.extend_from_slice(&((HOUR + names.len()) as u32).to_le_bytes());
            bytes.extend_from_slice(&count.to_le_bytes());
            bytes.extend_from_slice(&packed_hour(hour));
            bytes.extend_from_slice(names);
            if bytes.len() >= CHUNK.1 / 2 {
                self.spool.append(&bytes)?;
                bytes.clear();
            }
        }
        self.spool.append(&bytes)?;
        self.counts.clear();
        self.runs.push(Run { next: start, end: self.spool.len(), read: Vec::new(), from: 0 });
        Ok(())
    }

    /// The numbers of all names in memory, in the order of the names; all counts in the order of hours and names, each
    /// with the place of its names among them.
    fn sorted(&mut self) -> (Vec<u32>, Vec<(i64, u32, i64)>) {
        self.sum_up();
        let mut order: Vec<u32> = (0..self.names.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| self.names.get(a).cmp(self.names.get(b)));
        let mut places = vec![0; order.len()];
        for (place, &number) in (0..).zip(&order) {
            places[number as usize] = place;
        }
        let in_place = |count: &VolumeCount| (count.hour, places[count.names as usize], count.messages);
        let mut counts: Vec<(i64, u32, i64)> = self.counts.iter().map(in_place).collect();
        counts.sort_unstable();
        (order, counts)
    }

    /// Calls `each` with the hours, names and counts of all that are left, in order.
    pub(crate) fn for_each(
        mut self,
        mut each: impl FnMut(Option<i64>, &VolumeNames, i64) -> Result<()>,
    ) -> Result<()> {
        let mut put = |hour: i64, names: &VolumeNames, count: i64| {
            if count == 0 { Ok(()) } else { each(Some(hour).filter(|&hour| hour != NO_HOUR), names, count) }
        };
        let (order, counts) = self.sorted();
        if self.runs.is_empty() {
            let unpacked = |&number: &u32| {
                let mut names = VolumeNames::default();
                unpack(self.names.get(number), &mut names);
                names
            };
            let names: Vec<VolumeNames> = order.iter().map(unpacked).collect();
            return counts
                .into_iter()
                .try_for_each(|(hour, place, count)| put(hour, &names[place as usize], count));
        }
        let mut names = VolumeNames::default();
        let mut close = |packed: &[u8], count: i64| {
            let Some((hour, packed)) = packed.split_first_chunk() else { return Ok(()) };
            unpack(packed, &mut names);
            put(unpacked_hour(*hour), &names, count)
        };
        let Self { names: in_memory, spool, runs, .. } = &mut self;
        let chunk = (CHUNKS / runs.len()).clamp(CHUNK.0, CHUNK.1);
        let of_memory = runs.len();
        let mut recent = counts.into_iter();
        // What comes next of a run, or of what is in memory, in a buffer that is not needed any more.
        let mut next = |index: usize, mut packed: Vec<u8>| {
            packed.clear();
            let count = if index == of_memory {
                recent.next().map(|(hour, place, count)| {
                    packed.extend_from_slice(&packed_hour(hour));
                    packed.extend_from_slice(in_memory.get(order[place as usize]));
                    count
                })
            } else {
                runs[index].next(chunk, spool, &mut packed)?
            };
            Ok::<_, TablesError>(count.map(|count| Reverse((packed, index, count))))
        };
        let mut heap = BinaryHeap::new();
        for index in 0..=of_memory {
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

/// How many bytes an hour takes in front of packed names, so that the order of the bytes is that of hours and names.
const HOUR: usize = 8;

fn packed_hour(hour: i64) -> [u8; HOUR] {
    (hour ^ i64::MIN).to_be_bytes()
}

fn unpacked_hour(bytes: [u8; HOUR]) -> i64 {
    i64::from_be_bytes(bytes) ^ i64::MIN
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

    fn rows(totals: VolumeTotals) -> Vec<((Option<i64>, VolumeNames), i64)> {
        let mut rows = Vec::new();
        totals
            .for_each(|hour, names, count| {
                rows.push(((hour, names.clone()), count));
                Ok(())
            })
            .unwrap();
        rows
    }

    fn totals(counts: usize, names: usize) -> VolumeTotals {
        VolumeTotals { most: Most { counts, names }, ..VolumeTotals::new(None) }
    }

    /// The counts of a block with one hour, whose names differ in the bot alone.
    fn block(hour: i64, bots: &[Option<&'static str>]) -> (Volumes, CountedRows) {
        let (mut volumes, mut counted) = (Volumes::default(), CountedRows::default());
        let mut packed = Vec::new();
        for (ordinal, &bot) in (0..).zip(bots) {
            pack([bot, Some("rtm"), None, None, Some("x")], &mut packed);
            let names = volumes.names.intern(&packed);
            volumes.counts.push(VolumeCount { hour, names, messages: 1 });
            counted.put(ordinal, hour, names);
        }
        (volumes, counted)
    }

    #[test]
    fn null_and_empty_are_two_keys_and_nothing_stays_of_nothing() {
        for most in [1, 2, 100] {
            let mut volumes = totals(most, usize::MAX);
            let names = |bot: Option<&'static str>| [bot, Some("rtm"), None, None, Some("x")];
            volumes.add(Some(-1), names(None), 1).unwrap();
            volumes.add(Some(-1), names(Some("")), 2).unwrap();
            volumes.add(None, names(Some("b")), 1).unwrap();
            volumes.add(None, names(Some("b")), -1).unwrap();
            let (part, _) = block(-1, &[None; 4]);
            volumes.take(&part, 0, &CountedRows::default()).unwrap();
            let sorted = rows(volumes);
            assert_eq!(sorted.len(), 2);
            let ((hour, names), count) = &sorted[0];
            assert_eq!((*hour, names[0].as_deref(), *count), (Some(-1), None, 5));
            let ((_, names), count) = &sorted[1];
            assert_eq!((names[0].as_deref(), names[1].as_deref(), *count), (Some(""), Some("rtm"), 2));
        }
    }

    #[test]
    fn what_waits_on_disk_is_counted_as_the_rest() {
        let made = |counts, names| {
            let mut volumes = totals(counts, names);
            for n in 0..20_000_i64 {
                let name = "n".repeat((n % 97) as usize * (n % 5) as usize);
                let names = [Some(name.as_str()), None, None, None, None];
                volumes.add(Some(n * 7919 % 4001 * 1_000_000_000), names, n % 3 - 1).unwrap();
            }
            (volumes.runs.len(), rows(volumes))
        };
        let (none, expected) = made(usize::MAX, usize::MAX);
        assert!(none == 0 && expected.len() > 1000);
        for (counts, names) in [(300, usize::MAX), (5000, usize::MAX), (usize::MAX, 3000), (700, 5000)] {
            let (runs, found) = made(counts, names);
            assert!(runs > 2, "{runs}");
            assert!(found == expected, "{counts} {names}");
        }
    }

    #[test]
    fn what_is_written_down_is_taken_back_whatever_its_names_are_numbered_by() {
        let spread = |n: u64| twox_hash::XxHash3_128::oneshot(&n.to_le_bytes());
        let bots =
            [Some("a"), None, Some("b"), Some("a"), Some("a long name, so that there is no room for two")];
        // Of each block, the message for `b` is a copy of the one in the block before.
        let mut log = korpus_engine::KeyLog::new(1 << 20, 1 << 20, None);
        for ordinal in 0..500_u64 {
            let id = if ordinal % 5 == 2 { spread(2) } else { spread(ordinal) };
            let id = id >> 32 << 32;
            let key = korpus_engine::Key {
                id,
                content: (id >> 64) as u64,
                version: 0,
                richness: 1,
                around: 0,
                ordinal,
                surrogate_page: None,
            };
            log.push(&key).unwrap();
        }
        let fates = Fates::resolve(log, |_| korpus_engine::BodyKey::default()).unwrap();
        for names in [usize::MAX, 150, 20] {
            let mut volumes = totals(usize::MAX, names);
            for number in 0..100 {
                let (part, counted) = block(number / 10, &bots);
                volumes.take(&part, number as u64 * 5, &counted).unwrap();
            }
            volumes.take_back(&fates).unwrap();
            let rows = rows(volumes);
            let of = |bot: Option<&str>| {
                let of_bot = rows.iter().filter(|((_, names), _)| names[0].as_deref() == bot);
                of_bot.map(|((hour, _), count)| (hour.unwrap(), *count)).collect::<Vec<_>>()
            };
            let each = |count| (0..10).map(|hour| (hour, count)).collect::<Vec<_>>();
            assert_eq!((of(Some("a")), of(None), of(bots[4])), (each(20), each(10), each(10)));
            assert_eq!(of(Some("b")), [(0, 1)]);
        }
    }
}

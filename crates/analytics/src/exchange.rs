//! The exchange: frames, a key and some bytes each, are put into partitions by their key, in memory and past a budget on
//! disk, and come back a partition at a time, in the order of the partitions. What it is folded to does not depend on
//! where a frame waited.

use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use korpus_engine::Spool;

use crate::error::Result;

/// Key, ordinal, kind and length of what follows.
const HEADER: usize = 16 + 8 + 1 + 4;
/// How many bits of a key choose the partition.
const PARTITION_BITS: u32 = 8;

/// What goes through an exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// Frames with the same key come together.
    pub key: u128,
    /// Which message or record of the run it is from.
    pub seq: u64,
    /// What it is; its meaning is the business of who puts it in.
    pub kind: u8,
    pub payload: &'a [u8],
}

/// Appends a frame whose payload `write` appends.
pub(crate) fn put_frame(out: &mut Vec<u8>, key: u128, seq: u64, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let mut header = [0; HEADER];
    header[..16].copy_from_slice(&key.to_le_bytes());
    header[16..24].copy_from_slice(&seq.to_le_bytes());
    header[24] = kind;
    let start = out.len();
    out.extend_from_slice(&header);
    extend_frame(out, start, write);
}

/// Appends to the payload of the last frame of `out`, which begins at `start`; nothing where no frame does.
pub(crate) fn extend_frame(out: &mut Vec<u8>, start: usize, write: impl FnOnce(&mut Vec<u8>)) {
    if out.len() < start + HEADER {
        return;
    }
    write(out);
    let len = u32::try_from(out.len() - start - HEADER).unwrap_or(u32::MAX);
    out[start + HEADER - 4..start + HEADER].copy_from_slice(&len.to_le_bytes());
}

/// The frames in `bytes`, in order, with how long each is with its header.
pub(crate) fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (Frame<'_>, usize)> {
    std::iter::from_fn(move || {
        let (header, rest) = bytes.split_first_chunk::<HEADER>()?;
        let (key, header) = header.split_first_chunk::<16>()?;
        let (seq, header) = header.split_first_chunk::<8>()?;
        let (&kind, len) = header.split_first()?;
        let len = u32::from_le_bytes(len.try_into().ok()?) as usize;
        let (payload, rest) = rest.split_at_checked(len)?;
        bytes = rest;
        let frame = Frame { key: u128::from_le_bytes(*key), seq: u64::from_le_bytes(*seq), kind, payload };
        Some((frame, HEADER + len))
    })
}

/// Frames on their way.
#[derive(Debug)]
pub(crate) struct Exchange {
    partitions: Vec<Mutex<Partition>>,
    in_memory: usize,
    budget: usize,
    spool: Spool,
    /// Emptied chunks, to be filled again.
    free: Vec<Vec<u8>>,
}

/// Frames are kept, spilled and read back in chunks of about this many bytes, each of whole frames.
const CHUNK: usize = 16 << 10;

/// The frames whose keys begin with the same bits.
#[derive(Debug, Default)]
struct Partition {
    /// The chunk that is being filled, and those in memory that are full.
    open: Vec<u8>,
    chunks: Vec<Vec<u8>>,
    /// Where the others lie on disk.
    spilled: Vec<(u64, usize)>,
    len: usize,
}

impl Exchange {
    /// An exchange that keeps about `budget` bytes in memory, and the rest in `temp_dir` (or the system's).
    pub(crate) fn new(budget: usize, temp_dir: Option<PathBuf>) -> Self {
        Self {
            partitions: std::iter::repeat_with(Mutex::default).take(1 << PARTITION_BITS).collect(),
            in_memory: 0,
            budget,
            spool: Spool::new(temp_dir),
            free: Vec::new(),
        }
    }

    /// Puts in all frames of `bytes`; ordinals rise by what `base` gives for their kind.
    pub(crate) fn push(&mut self, bytes: &[u8], base: impl Fn(u8) -> u64) -> Result<()> {
        self.push_some(bytes, base, |_| true).map(drop)
    }

    /// Puts in those frames of `bytes` whose kind is wanted; gives back how many are not.
    pub(crate) fn push_some(
        &mut self,
        bytes: &[u8],
        base: impl Fn(u8) -> u64,
        wanted: impl Fn(u8) -> bool,
    ) -> Result<usize> {
        let Self { partitions, free, in_memory, .. } = self;
        let mut rest = bytes;
        let mut unwanted = 0;
        for (frame, len) in frames(bytes) {
            let (whole, later) = rest.split_at(len);
            rest = later;
            if !wanted(frame.kind) {
                unwanted += 1;
                continue;
            }
            let partition = partitions[(frame.key >> (128 - PARTITION_BITS)) as usize].get_mut();
            let partition = partition.unwrap_or_else(PoisonError::into_inner);
            partition.len += len;
            if partition.open.len() + len > partition.open.capacity() {
                partition.close();
                partition.open = free.pop().unwrap_or_default();
                partition.open.reserve(CHUNK.max(len));
                *in_memory += CHUNK.max(len);
            }
            let chunk = &mut partition.open;
            let at = chunk.len();
            chunk.extend_from_slice(whole);
            let seq = frame.seq + base(frame.kind);
            chunk[at + 16..at + 24].copy_from_slice(&seq.to_le_bytes());
        }
        if self.in_memory > self.budget {
            self.spill()?;
        }
        Ok(unwanted)
    }

    /// Moves all chunks to disk, and keeps their memory for the next ones.
    fn spill(&mut self) -> Result<()> {
        let Self { partitions, spool, free, .. } = self;
        let partitions = partitions.iter_mut().map(|partition| partition.get_mut());
        let mut partitions: Vec<&mut Partition> =
            partitions.map(|partition| partition.unwrap_or_else(PoisonError::into_inner)).collect();
        for partition in &mut partitions {
            partition.close();
        }
        let chunks = partitions.iter().flat_map(|partition| &partition.chunks);
        let mut chunks: Vec<IoSlice<'_>> = chunks.map(|chunk| IoSlice::new(chunk)).collect();
        let mut at = spool.append_all(&mut chunks)?;
        for partition in &mut partitions {
            let len: usize = partition.chunks.iter().map(Vec::len).sum();
            if len > 0 {
                partition.spilled.push((at, len));
                at += len as u64;
            }
            partition.chunks.retain(|chunk| chunk.capacity() == CHUNK);
            partition.chunks.iter_mut().for_each(Vec::clear);
            free.append(&mut partition.chunks);
        }
        self.in_memory = 0;
        Ok(())
    }

    /// How many bytes lie on disk.
    pub(crate) fn spilled_bytes(&self) -> u64 {
        self.spool.len()
    }

    /// How many bytes a partition has, on average.
    pub(crate) fn bytes_a_partition(&self) -> usize {
        let bytes: usize = (0..self.partitions()).map(|partition| self.partition(partition).len).sum();
        bytes / self.partitions()
    }

    /// How many partitions there are.
    pub(crate) fn partitions(&self) -> usize {
        self.partitions.len()
    }

    /// Nothing more will be put in: lets go of memory that waits to be filled.
    pub(crate) fn seal(&mut self) {
        self.free = Vec::new();
    }

    fn partition(&self, partition: usize) -> MutexGuard<'_, Partition> {
        self.partitions[partition].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// In how many passes a partition is to be read, where about `at_once` bytes may be read at a time.
    pub(crate) fn passes(&self, partition: usize, at_once: usize) -> u32 {
        let len = self.partition(partition).len;
        len.div_ceil(at_once.max(1)).next_power_of_two().min(1 << 20) as u32
    }

    /// The frames of a partition whose keys belong to this pass, in runs of whole ones: passes are in the order of the keys. After the last pass
    /// the partition is empty.
    pub(crate) fn take(&self, partition: usize, pass: u32, passes: u32) -> Result<Vec<Vec<u8>>> {
        let mut partition = self.partition(partition);
        if passes == 1 && partition.spilled.is_empty() {
            partition.close();
            return Ok(std::mem::take(&mut *partition).chunks);
        }
        let bits = passes.trailing_zeros();
        let belongs = |key: u128| bits == 0 || (key << PARTITION_BITS) >> (128 - bits) == u128::from(pass);
        let mut found = Vec::with_capacity(partition.len / passes as usize);
        partition.for_each_run(&self.spool, |bytes| {
            if passes == 1 {
                found.extend_from_slice(bytes);
                return;
            }
            let mut at = 0;
            for (frame, len) in frames(bytes) {
                if belongs(frame.key) {
                    found.extend_from_slice(&bytes[at..at + len]);
                }
                at += len;
            }
        })?;
        if pass + 1 == passes {
            *partition = Partition::default();
        }
        Ok(vec![found])
    }

    /// Calls `each` with every frame, in no order that means anything.
    pub(crate) fn for_each(&self, partition: usize, mut each: impl FnMut(Frame<'_>)) -> Result<()> {
        let partition = self.partition(partition);
        partition.for_each_run(&self.spool, |bytes| frames(bytes).for_each(|(frame, _)| each(frame)))
    }
}

impl Partition {
    /// Puts the open chunk to the others.
    fn close(&mut self) {
        if !self.open.is_empty() {
            self.chunks.push(std::mem::take(&mut self.open));
        }
    }

    /// Calls `each` with every run of whole frames.
    fn for_each_run(&self, spool: &Spool, mut each: impl FnMut(&[u8])) -> Result<()> {
        let mut run = Vec::new();
        for &(at, len) in &self.spilled {
            run.resize(len, 0);
            spool.read_at(at, &mut run)?;
            each(&run);
        }
        self.chunks.iter().chain([&self.open]).for_each(|chunk| each(chunk));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(exchange: &Exchange, at_once: usize) -> Vec<(u128, u64, u8, Vec<u8>)> {
        let mut all = Vec::new();
        for partition in 0..exchange.partitions() {
            let passes = exchange.passes(partition, at_once);
            for pass in 0..passes {
                let runs = exchange.take(partition, pass, passes).unwrap();
                let mut found: Vec<_> = runs
                    .iter()
                    .flat_map(|run| frames(run))
                    .map(|(frame, _)| (frame.key, frame.seq, frame.kind, frame.payload.to_vec()))
                    .collect();
                found.sort();
                all.extend(found);
            }
        }
        all
    }

    #[test]
    fn what_goes_in_comes_out_in_the_order_of_keys_spilled_or_not() {
        let mut part = Vec::new();
        let mut expected = Vec::new();
        for n in 0..5000_u64 {
            let key = u128::from(n % 1000).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let payload = vec![n as u8; (n % 90) as usize];
            let kind = (n % 2) as u8;
            put_frame(&mut part, key, n, kind, |out| out.extend_from_slice(&payload));
            expected.push((key, n + 10 * u64::from(kind), kind, payload));
        }
        expected.sort();
        for budget in [0, 20_000, 1_000_000, 1_000_003, usize::MAX] {
            let mut exchange = Exchange::new(budget, None);
            let mut at = 0;
            let lengths: Vec<usize> = frames(&part).map(|(_, len)| len).collect();
            for lengths in lengths.chunks(37) {
                let len: usize = lengths.iter().sum();
                exchange.push(&part[at..at + len], |kind| 10 * u64::from(kind)).unwrap();
                at += len;
            }
            assert_eq!(exchange.spilled_bytes() > 0, budget < 8_000_000);
            let mut count = 0;
            for partition in 0..exchange.partitions() {
                exchange.for_each(partition, |_| count += 1).unwrap();
            }
            assert_eq!(count, expected.len());
            let at_once = [usize::MAX, 1000, 1][budget % 3];
            assert!(read_all(&exchange, at_once) == expected);
            assert!(read_all(&exchange, at_once).is_empty());
        }
    }
}

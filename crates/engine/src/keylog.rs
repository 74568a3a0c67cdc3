//! The key log: what de-duplication needs to know of every message, in memory until its share is used up, then on disk.

use std::path::PathBuf;

use crate::error::Result;
use crate::spool::Spool;

/// What de-duplication knows of one message or record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Hash of the id; equal ids are the same message.
    pub id: u128,
    /// Hash of the content without white space; equal hashes are equal messages.
    pub content: u128,
    /// When it was last changed, in microseconds since 1970; `i64::MIN` where nothing says so.
    pub version: i64,
    /// How many of its keys hold something.
    pub richness: u32,
    /// Its ordinal among all seen.
    pub ordinal: u64,
    /// Where the id is a surrogate: the ordinal of its body, as surrogates are the same message only in equal bodies.
    pub surrogate_page: Option<u32>,
}

const KEY_BYTES: usize = 56;
const PARTITIONS: usize = 128;
const NO_PAGE: u32 = u32::MAX;

impl Key {
    fn partition(&self) -> usize {
        (self.id >> 121) as usize
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.id.to_le_bytes());
        out.extend_from_slice(&self.content.to_le_bytes());
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&self.ordinal.to_le_bytes());
        out.extend_from_slice(&self.richness.to_le_bytes());
        out.extend_from_slice(&self.surrogate_page.unwrap_or(NO_PAGE).to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Self {
        let (wide, rest) = bytes.as_chunks::<16>();
        let (long, _) = bytes[32..].as_chunks::<8>();
        let (short, _) = bytes[48..].as_chunks::<4>();
        debug_assert_eq!(rest.len(), KEY_BYTES % 16, "a key has a fixed size");
        let page = u32::from_le_bytes(short[1]);
        Self {
            id: u128::from_le_bytes(wide[0]),
            content: u128::from_le_bytes(wide[1]),
            version: i64::from_le_bytes(long[0]),
            ordinal: u64::from_le_bytes(long[1]),
            richness: u32::from_le_bytes(short[0]),
            surrogate_page: (page != NO_PAGE).then_some(page),
        }
    }
}

/// The keys of all messages, or of all records, of a run: partitioned by the hash of their id.
///
/// Each partition can be resolved by itself. Past its share of memory the log spills to one anonymous temporary file,
/// which is gone when the log is dropped or the process dies.
#[derive(Debug)]
pub struct KeyLog {
    partitions: Vec<Partition>,
    spool: Spool,
    /// Bytes that may stay in memory.
    budget: usize,
    in_memory: usize,
    len: u64,
}

#[derive(Debug, Default)]
struct Partition {
    keys: Vec<u8>,
    /// Runs of keys on disk: where they begin, and how many bytes they are.
    runs: Vec<(u64, usize)>,
}

impl Partition {
    fn bytes(&self) -> usize {
        self.keys.len() + self.runs.iter().map(|run| run.1).sum::<usize>()
    }
}

impl KeyLog {
    /// A log that keeps at most about `budget` bytes in memory, and the rest in `temp_dir` (or the system's).
    pub fn new(budget: usize, temp_dir: Option<PathBuf>) -> Self {
        Self {
            partitions: std::iter::repeat_with(Partition::default).take(PARTITIONS).collect(),
            spool: Spool::new(temp_dir),
            budget: budget.max(PARTITIONS * KEY_BYTES),
            in_memory: 0,
            len: 0,
        }
    }

    /// Adds a key.
    ///
    /// # Errors
    /// Where the temporary file cannot be written.
    pub fn push(&mut self, key: &Key) -> Result<()> {
        key.write(&mut self.partitions[key.partition()].keys);
        self.in_memory += KEY_BYTES;
        self.len += 1;
        if self.in_memory >= self.budget {
            self.spill()?;
        }
        Ok(())
    }

    /// How many keys there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many bytes of it lie on disk.
    pub fn spilled_bytes(&self) -> u64 {
        self.spool.len()
    }

    /// Moves the larger half of the partitions to disk: their runs stay long, and few.
    fn spill(&mut self) -> Result<()> {
        let mut sizes: Vec<usize> = self.partitions.iter().map(|partition| partition.keys.len()).collect();
        let middle = PARTITIONS / 2;
        let least = (*sizes.select_nth_unstable(middle).1).max(1);
        for partition in self.partitions.iter_mut().filter(|partition| partition.keys.len() >= least) {
            let at = self.spool.append(&partition.keys)?;
            partition.runs.push((at, partition.keys.len()));
            self.in_memory -= partition.keys.len();
            // The capacity goes too: partitions take turns in being large.
            partition.keys = Vec::new();
        }
        Ok(())
    }

    /// Hands every partition, or a part of it where it is larger than the budget, to `resolve`: equal ids come
    /// together. The order within is not defined.
    pub(crate) fn for_each_group(
        mut self,
        mut resolve: impl FnMut(&mut Vec<Key>) -> Result<()>,
    ) -> Result<()> {
        let mut keys = Vec::new();
        let mut buffer = Vec::new();
        for mut partition in std::mem::take(&mut self.partitions) {
            let passes = partition.bytes().div_ceil(self.budget).next_power_of_two() as u128;
            for pass in 0..passes {
                keys.clear();
                // The top bits chose the partition; lower ones choose the pass.
                let mut take = |bytes: &[u8]| {
                    let all = bytes.as_chunks::<KEY_BYTES>().0.iter().map(|bytes| Key::read(bytes));
                    keys.extend(all.filter(|key| key.id & (passes - 1) == pass));
                };
                take(&partition.keys);
                for &(at, len) in &partition.runs {
                    let mut done = 0;
                    while done < len {
                        let step = (len - done).min(READ_BYTES);
                        buffer.resize(step, 0);
                        self.spool.read_at(at + done as u64, &mut buffer)?;
                        take(&buffer);
                        done += step;
                    }
                }
                if passes == 1 {
                    partition.keys = Vec::new();
                }
                resolve(&mut keys)?;
            }
        }
        Ok(())
    }
}

/// How much is read back at a time: whole keys.
const READ_BYTES: usize = KEY_BYTES * 4096;

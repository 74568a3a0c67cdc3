//! The key log: what de-duplication needs to know of every message, in memory until its share is used up, then on disk.

use std::io::IoSlice;
use std::ops::Range;
use std::path::PathBuf;

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use twox_hash::XxHash3_128;

use crate::around::BodyKey;
use crate::error::Result;
use crate::fetch::fetch;
use crate::met::Met;
use crate::run::Pool;
use crate::spool::Spool;

/// What de-duplication knows of one message or record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Hash of the id; equal ids are the same message. The lowest 32 bits are 0: the others tell 20 million ids apart but
    /// once in 10^14 cases.
    pub id: u128,
    /// The upper half of the hash of the content without white space. Among copies with one id, equal hashes are equal
    /// messages.
    pub content: u64,
    /// When it was last changed, in microseconds since 1970; `i64::MIN` where nothing says so.
    pub version: i64,
    /// How many of its keys hold something.
    pub richness: u32,
    /// How much is known around it: of equal messages, the one in the richest record is kept, and one of a call that is known
    /// before one of a call that is not. What differs is told apart by its lower bits; 0 where nothing is around it.
    pub around: u32,
    /// Its ordinal among all seen.
    pub ordinal: u64,
    /// Where the id is a surrogate: the ordinal of its body, as surrogates are the same message only in equal bodies,
    /// or in copies of one record.
    pub surrogate_page: Option<u32>,
}

const KEY_BYTES: usize = 48;
/// Bits of an id that tell nothing; on the way, [`Key::around`] stands there.
pub(crate) const ID_TAIL: u32 = 32;
const PARTITIONS: usize = 128;
const NO_PAGE: u32 = u32::MAX;

impl Key {
    /// Gives it the id that tells it from all others, and what its body knows: a surrogate counts only together with the
    /// messages without an id in its body, which `body` gives by what stands in `surrogate_page`.
    pub fn settle(&mut self, body: impl FnOnce(u32) -> BodyKey) {
        let Some(page) = self.surrogate_page else { return };
        let BodyKey { array_hash, around } = body(page);
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&self.id.to_le_bytes());
        bytes[16..].copy_from_slice(&array_hash.to_le_bytes());
        self.id = XxHash3_128::oneshot(&bytes);
        self.around = self.around.max(around);
    }

    fn partition(&self) -> usize {
        (self.id >> 121) as usize
    }

    fn bytes(&self) -> [u8; KEY_BYTES] {
        debug_assert_eq!(self.id as u32, 0, "the lowest bits of an id tell nothing");
        let mut bytes = [0; KEY_BYTES];
        bytes[..16].copy_from_slice(&(self.id | u128::from(self.around)).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.content.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.version.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.ordinal.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.richness.to_le_bytes());
        bytes[44..].copy_from_slice(&self.surrogate_page.unwrap_or(NO_PAGE).to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Self {
        let (wide, rest) = bytes.as_chunks::<16>();
        let (long, _) = bytes[16..].as_chunks::<8>();
        let (short, _) = bytes[40..].as_chunks::<4>();
        debug_assert_eq!(rest.len(), KEY_BYTES % 16, "a key has a fixed size");
        let page = u32::from_le_bytes(short[1]);
        let id = u128::from_le_bytes(wide[0]);
        Self {
            id: id >> ID_TAIL << ID_TAIL,
            around: id as u32,
            content: u64::from_le_bytes(long[0]),
            version: i64::from_le_bytes(long[1]),
            ordinal: u64::from_le_bytes(long[2]),
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
    spills: Vec<Spill>,
    /// Emptied chunks, to be filled again.
    free: Vec<Vec<u8>>,
    /// Bytes that may stay in memory.
    budget: usize,
    /// Bytes that may be resolved together.
    at_once: usize,
    in_memory: usize,
    len: u64,
}

/// Keys are kept and spilled in chunks of this many bytes: whole keys.
const CHUNK: usize = KEY_BYTES * 256;
/// So many keys are added at a time.
const FETCHED: usize = 32;
/// At most so many bytes are read back at a time.
const READ: usize = CHUNK * 8;

#[derive(Debug, Default)]
struct Partition {
    /// The chunk that is being filled, and how far it is; none at the beginning.
    last: Vec<u8>,
    filled: usize,
    /// Full chunks in memory.
    chunks: Vec<Vec<u8>>,
}

/// Chunks that went to disk together, those of one partition behind those of the one before.
#[derive(Debug)]
struct Spill {
    at: u64,
    /// How many bytes there are of each partition and of all before it.
    ends: [u64; PARTITIONS],
}

impl Spill {
    /// Where the bytes of a partition lie.
    fn bytes(&self, partition: usize) -> Range<u64> {
        let start = partition.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.at + start..self.at + self.ends[partition]
    }
}

impl KeyLog {
    /// A log that keeps at most `budget` bytes in memory, plus up to 2 MiB that are being filled, and the rest in
    /// `temp_dir` (or the system's). When it is resolved, about `at_once` bytes are taken into memory at a time.
    pub fn new(budget: usize, at_once: usize, temp_dir: Option<PathBuf>) -> Self {
        Self {
            partitions: std::iter::repeat_with(Partition::default).take(PARTITIONS).collect(),
            spool: Spool::new(temp_dir),
            spills: Vec::new(),
            free: Vec::new(),
            budget: budget.max(CHUNK),
            at_once: at_once.max(CHUNK),
            in_memory: 0,
            len: 0,
        }
    }

    /// Adds a key.
    ///
    /// # Errors
    /// Where the temporary file cannot be written.
    pub fn push(&mut self, key: &Key) -> Result<()> {
        self.len += 1;
        let partition = &mut self.partitions[key.partition()];
        if partition.last.is_empty() {
            partition.last = self.free.pop().unwrap_or_else(|| vec![0; CHUNK]);
        }
        if let Some(place) = partition.last[partition.filled..].first_chunk_mut() {
            *place = key.bytes();
        }
        partition.filled += KEY_BYTES;
        if partition.filled == CHUNK {
            partition.chunks.push(std::mem::take(&mut partition.last));
            partition.filled = 0;
            self.in_memory += CHUNK;
            if self.in_memory >= self.budget {
                self.spill()?;
            }
        }
        Ok(())
    }

    /// Adds keys.
    ///
    /// # Errors
    /// Where the temporary file cannot be written.
    pub fn push_all(&mut self, keys: &[Key]) -> Result<()> {
        for keys in keys.chunks(FETCHED) {
            // Each of them goes somewhere else.
            fetch(keys.iter().filter_map(|key| {
                let Partition { last, filled, .. } = &self.partitions[key.partition()];
                last.get(filled + KEY_BYTES - 1).copied()
            }));
            keys.iter().try_for_each(|key| self.push(key))?;
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

    /// Moves all full chunks to disk.
    fn spill(&mut self) -> Result<()> {
        let mut ends = [0; PARTITIONS];
        let mut end = 0;
        for (partition, ends) in self.partitions.iter().zip(&mut ends) {
            end += (partition.chunks.len() * CHUNK) as u64;
            *ends = end;
        }
        let chunks = self.partitions.iter().flat_map(|partition| &partition.chunks);
        let mut chunks: Vec<IoSlice<'_>> = chunks.map(|chunk| IoSlice::new(chunk)).collect();
        let at = self.spool.append_all(&mut chunks)?;
        self.spills.push(Spill { at, ends });
        for partition in &mut self.partitions {
            self.free.append(&mut partition.chunks);
        }
        self.in_memory = 0;
        Ok(())
    }

    /// Hands every partition, or a part of it where it is too large, to `resolve`, with what it has found in that partition
    /// so far: equal ids come together. The order within is not defined. Several partitions are resolved at a time where
    /// this runs on the threads of a pool; `each` gets what was found, in the order of the partitions.
    pub(crate) fn for_each_partition<T: Default + Send>(
        mut self,
        resolve: impl Fn(&mut Resolver, &mut T) + Sync,
        mut each: impl FnMut(T),
    ) -> Result<()> {
        self.free = Vec::new();
        let threads = Pool::threads_here();
        self.at_once = (self.at_once / threads).max(CHUNK);
        let mut partitions = std::mem::take(&mut self.partitions);
        let mut resolvers: Vec<Resolver> = std::iter::repeat_with(Resolver::default).take(threads).collect();
        let find = |resolver: &mut Resolver, index: usize, partition: Partition| {
            let mut found = T::default();
            self.read_partition(index, &partition, resolver, |resolver| resolve(resolver, &mut found))?;
            Ok(found)
        };
        for (batch, partitions) in partitions.chunks_mut(threads).enumerate() {
            let work = resolvers.par_iter_mut().zip(partitions).enumerate();
            let found: Vec<Result<T>> = work
                .map(|(at, (resolver, partition))| {
                    find(resolver, batch * threads + at, std::mem::take(partition))
                })
                .collect();
            for found in found {
                each(found?);
            }
        }
        Ok(())
    }

    /// Reads the keys of a partition into those of `resolver`, as many as may be resolved at a time.
    fn read_partition(
        &self,
        index: usize,
        partition: &Partition,
        resolver: &mut Resolver,
        mut each: impl FnMut(&mut Resolver),
    ) -> Result<()> {
        let spilled: u64 =
            self.spills.iter().map(|spill| spill.bytes(index)).map(|at| at.end - at.start).sum();
        let bytes = partition.filled + partition.chunks.len() * CHUNK + spilled as usize;
        let passes = bytes.div_ceil(self.at_once).next_power_of_two() as u128;
        // Room for one in sixteen more than there are on average, so that it need not grow.
        let room = bytes / KEY_BYTES / passes as usize;
        for pass in 0..passes {
            let Resolver { keys, chunk, .. } = resolver;
            keys.clear();
            keys.reserve(room + room / 16);
            // The top bits chose the partition; lower ones choose the pass.
            let mut take = |bytes: &[u8]| {
                let all = bytes.as_chunks::<KEY_BYTES>().0.iter().map(|bytes| Key::read(bytes));
                keys.extend(all.filter(|key| key.id >> ID_TAIL & (passes - 1) == pass));
            };
            take(&partition.last[..partition.filled]);
            partition.chunks.iter().for_each(|chunk| take(chunk));
            for spilled in self.spills.iter().map(|spill| spill.bytes(index)) {
                for at in spilled.clone().step_by(READ) {
                    chunk.resize((spilled.end - at).min(READ as u64) as usize, 0);
                    self.spool.read_at(at, chunk)?;
                    take(chunk);
                }
            }
            each(resolver);
        }
        Ok(())
    }
}

/// What a thread resolves keys with; its memory is used again.
#[derive(Debug, Default)]
pub(crate) struct Resolver {
    /// The keys that are to be resolved.
    pub keys: Vec<Key>,
    /// Which of them may come again.
    pub met: Met,
    /// Halves of ids, and where their keys are.
    pub order: Vec<(u64, u32)>,
    /// The keys of some ids.
    pub alike: Vec<Key>,
    chunk: Vec<u8>,
}

//! Volumes where nobody wants the table `messages`: of each message only what it is counted by, and a log of that, so that
//! those can be taken back that turn out not to be kept.

use std::path::PathBuf;

use korpus_core::Text;
use korpus_engine::{Fate, Fates, Item, RecentTexts, Spool};

use super::packed::PackedKeys;
use super::totals::VolumeTotals;
use super::volumes::{NAME_COLUMNS, Volumes, hour_of, pack};
use crate::error::Result;

/// How many names a message is counted by.
const NAMES: usize = NAME_COLUMNS.len();

/// What the messages of a block are counted by; its memory is used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    rows: Vec<CountedRow>,
    /// The combinations of names that there are, packed without an hour.
    keys: PackedKeys,
    recent: RecentTexts<NAMES>,
    packed: Vec<u8>,
    /// Of the current hour, how many messages have each combination, and which have any.
    counts: Vec<i64>,
    met: Vec<u32>,
}

/// What a message is counted by.
#[derive(Debug, Clone, Copy)]
struct CountedRow {
    /// [`i64::MIN`] for none.
    hour: i64,
    /// The number of its names.
    key: u32,
    ordinal: u32,
}

impl Counted {
    /// Adds a message.
    pub(crate) fn put(&mut self, item: &Item<'_>) {
        let message = item.message;
        let names = [
            message.bot_id(),
            message.channel_name(),
            message.language(),
            message.message_type(),
            message.status(),
        ];
        let key = self.key(&names);
        let hour = item.times.event_at.map_or(i64::MIN, hour_of);
        self.rows.push(CountedRow { hour, key, ordinal: item.ordinal as u32 });
    }

    /// The number of these names.
    fn key(&mut self, names: &[Option<Text<'_>>; NAMES]) -> u32 {
        if let Some(key) = self.recent.get(names) {
            return key;
        }
        let decoded = names.map(|name| name.map(Text::lossy));
        pack(None, decoded.iter().map(Option::as_deref), &mut self.packed);
        let key = self.keys.intern(&self.packed);
        self.recent.put(names, key);
        key
    }

    /// Counts all of them, and writes down what each is counted by, where `log` is there. Nothing is left of them.
    pub(crate) fn count(&mut self, volumes: &mut Volumes, log: Option<&mut Vec<u8>>) {
        self.counts.resize(self.keys.len(), 0);
        for of_hour in self.rows.chunk_by(|a, b| a.hour == b.hour) {
            for row in of_hour {
                let count = &mut self.counts[row.key as usize];
                if *count == 0 {
                    self.met.push(row.key);
                }
                *count += 1;
            }
            let hour = Some(of_hour[0].hour).filter(|&hour| hour != i64::MIN);
            for key in self.met.drain(..) {
                let count = std::mem::take(&mut self.counts[key as usize]);
                volumes.add_packed(hour, self.keys.get(key), count);
            }
        }
        if let Some(log) = log {
            self.write(log);
        }
        self.clear();
    }

    /// Writes down what each message is counted by.
    fn write(&self, log: &mut Vec<u8>) {
        let keys: usize = self.keys.iter().map(|key| key.len() + 4).sum();
        log.reserve(keys + self.rows.len() * ROW + 8);
        put_u32(log, self.keys.len());
        put_u32(log, self.rows.len());
        for key in self.keys.iter() {
            put_u32(log, key.len());
            log.extend_from_slice(key);
        }
        for row in &self.rows {
            log.extend_from_slice(&row.hour.to_le_bytes());
            log.extend_from_slice(&row.key.to_le_bytes());
            log.extend_from_slice(&row.ordinal.to_le_bytes());
        }
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.keys.clear();
        self.counts.clear();
        self.recent.clear();
    }
}

/// The bytes of a row: its hour, [`i64::MIN`] for none, the number of its key, and its ordinal.
const ROW: usize = 16;
const HOUR_AND_KEY: usize = 12;

fn hour_and_key(bytes: &[u8; HOUR_AND_KEY]) -> (Option<i64>, usize) {
    let (hour, key) = bytes.split_at(8);
    let hour = hour.try_into().map_or(i64::MIN, i64::from_le_bytes);
    let key = key.try_into().map_or(0, u32::from_le_bytes);
    (Some(hour).filter(|&hour| hour != i64::MIN), key as usize)
}

fn put_u32(out: &mut Vec<u8>, value: usize) {
    out.extend_from_slice(&(value as u32).to_le_bytes());
}

fn take_u32(from: &mut &[u8]) -> Option<usize> {
    let (value, rest) = from.split_first_chunk()?;
    *from = rest;
    Some(u32::from_le_bytes(*value) as usize)
}

fn take<'b>(from: &mut &'b [u8], len: usize) -> Option<&'b [u8]> {
    let (taken, rest) = from.split_at_checked(len)?;
    *from = rest;
    Some(taken)
}

/// So many bytes wait in memory before they go to disk.
const CHUNK: usize = 1 << 20;

/// What all messages of a run are counted by.
#[derive(Debug)]
pub(crate) struct VolumeLog {
    recent: Vec<u8>,
    spool: Spool,
    /// Chunks on disk, each of whole blocks.
    chunks: Vec<(u64, usize)>,
}

impl VolumeLog {
    /// Puts aside in `temp_dir` (or the system's) what there is no room for.
    pub(crate) fn new(temp_dir: Option<PathBuf>) -> Self {
        Self { recent: Vec::new(), spool: Spool::new(temp_dir), chunks: Vec::new() }
    }

    /// Adds what was written down of a block, whose first message has the ordinal `first`.
    pub(crate) fn push(&mut self, first: u64, block: &[u8]) -> Result<()> {
        if block.is_empty() {
            return Ok(());
        }
        self.recent.extend_from_slice(&first.to_le_bytes());
        self.recent.extend_from_slice(block);
        if self.recent.len() >= CHUNK {
            self.chunks.push((self.spool.append(&self.recent)?, self.recent.len()));
            self.recent.clear();
        }
        Ok(())
    }

    /// Takes those back that are not kept.
    pub(crate) fn take_back(self, fates: &Fates, volumes: &mut VolumeTotals) -> Result<()> {
        let mut chunk = Vec::new();
        for &(at, len) in &self.chunks {
            chunk.resize(len, 0);
            self.spool.read_at(at, &mut chunk)?;
            take_back(&chunk, fates, volumes)?;
        }
        take_back(&self.recent, fates, volumes)
    }
}

fn take_back(mut from: &[u8], fates: &Fates, volumes: &mut VolumeTotals) -> Result<()> {
    while let Some((first, rest)) = from.split_first_chunk() {
        from = rest;
        let first = u64::from_le_bytes(*first);
        let lens = take_u32(&mut from).zip(take_u32(&mut from));
        let block = lens.and_then(|(keys, rows)| {
            let keys = (0..keys).map(|_| take_u32(&mut from).and_then(|len| take(&mut from, len)));
            Some((keys.collect::<Option<Vec<&[u8]>>>()?, take(&mut from, rows * ROW)?))
        });
        let Some((keys, rows)) = block else { break };
        for row in rows.as_chunks::<ROW>().0 {
            let (Some(by), Some(ordinal)) = (row.first_chunk(), row.last_chunk()) else { continue };
            if fates.fate(first + u64::from(u32::from_le_bytes(*ordinal))) != Fate::Kept {
                let (hour, key) = hour_and_key(by);
                volumes.add_packed(hour, keys[key], -1)?;
            }
        }
    }
    Ok(())
}

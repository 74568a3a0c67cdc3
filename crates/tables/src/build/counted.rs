//! Volumes where nobody wants the table `messages`: of each message only what it is counted by, and a log of that, so that
//! those can be taken back that turn out not to be kept.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::path::PathBuf;

use korpus_engine::{Fate, Fates, Item, Spool};

use super::column::{ColumnBuffer, Names};
use super::totals::VolumeTotals;
use super::volumes::{KeyHasher, NAME_COLUMNS, Volumes, hour_of, pack};
use crate::error::Result;
use crate::schema::ColumnKind;

/// What the messages of a block are counted by.
#[derive(Debug)]
pub(crate) struct Counted {
    rows: Vec<CountedRow>,
    /// The [columns of names](NAME_COLUMNS), as in `messages`.
    names: [ColumnBuffer; NAME_COLUMNS.len()],
}

/// What a message is counted by besides its names.
#[derive(Debug, Clone, Copy)]
struct CountedRow {
    ordinal: u32,
    hour: Option<i64>,
}

impl Default for Counted {
    fn default() -> Self {
        Self { rows: Vec::new(), names: std::array::from_fn(|_| ColumnBuffer::new(ColumnKind::Name)) }
    }
}

impl Counted {
    /// Adds a message.
    pub(crate) fn put(&mut self, item: &Item<'_>) {
        let message = item.message;
        let row = self.rows.len();
        let hour = item.times.event_at.map(hour_of);
        self.rows.push(CountedRow { ordinal: item.ordinal as u32, hour });
        let texts = [
            message.bot_id(),
            message.channel_name(),
            message.language(),
            message.message_type(),
            message.status(),
        ];
        for (names, text) in self.names.iter_mut().zip(texts) {
            if let Some(text) = text {
                names.put_text(row, text);
            }
        }
    }

    /// Counts all of them, and writes down what each is counted by, where `log` is there.
    pub(crate) fn count(mut self, volumes: &mut Volumes, log: Option<&mut Vec<u8>>) {
        let rows = self.rows.len();
        self.names.iter_mut().for_each(|names| names.pad(rows));
        let names = self.names.each_ref().map(|column| match column {
            ColumnBuffer::Name(names) => names,
            _ => unreachable!("columns of names"),
        });
        // Within a block names are equal where their codes are: texts are looked at once for each combination.
        let mut numbers: HashMap<[u32; NAME_COLUMNS.len()], u32, BuildHasherDefault<KeyHasher>> =
            HashMap::default();
        let mut keys: Vec<Vec<u8>> = Vec::new();
        let mut written = Vec::with_capacity(rows * ROW);
        let mut counts: HashMap<[u8; HOUR_AND_KEY], i64, BuildHasherDefault<KeyHasher>> = HashMap::default();
        let mut last = ([Names::NULL; NAME_COLUMNS.len()], u32::MAX);
        for (at, row) in self.rows.iter().enumerate() {
            let codes = names.map(|names| names.codes[at]);
            if last.0 != codes || last.1 == u32::MAX {
                let next = keys.len() as u32;
                last = (codes, *numbers.entry(codes).or_insert(next));
                if last.1 == next {
                    let texts = names.iter().zip(codes);
                    let texts =
                        texts.map(|(names, code)| (code != Names::NULL).then(|| names.dictionary.get(code)));
                    let mut key = Vec::new();
                    pack(None, texts, &mut key);
                    keys.push(key);
                }
            }
            let mut row_bytes = [0; ROW];
            let hour = row.hour.unwrap_or(i64::MIN);
            row_bytes[..8].copy_from_slice(&hour.to_le_bytes());
            row_bytes[8..12].copy_from_slice(&last.1.to_le_bytes());
            row_bytes[12..].copy_from_slice(&row.ordinal.to_le_bytes());
            if let Some(by) = row_bytes.first_chunk() {
                *counts.entry(*by).or_default() += 1;
            }
            written.extend_from_slice(&row_bytes);
        }
        for (by, count) in counts {
            let (hour, key) = hour_and_key(&by);
            volumes.add_packed(hour, &keys[key], count);
        }
        if let Some(log) = log {
            log.reserve(keys.iter().map(|key| key.len() + 4).sum::<usize>() + written.len() + 8);
            put_u32(log, keys.len());
            put_u32(log, rows);
            for key in &keys {
                put_u32(log, key.len());
                log.extend_from_slice(key);
            }
            log.extend_from_slice(&written);
        }
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

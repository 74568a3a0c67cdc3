//! Volumes where nobody wants the table `messages`: of each message only what it is counted by, and a log of that, so that
//! those can be taken back that turn out not to be kept.

use std::path::PathBuf;

use hashbrown::HashTable;
use korpus_core::Text;
use korpus_engine::{Fate, Fates, Item, Spool};
use twox_hash::XxHash3_64;

use super::totals::VolumeTotals;
use super::volumes::{NAME_COLUMNS, Volumes, hour_of, pack};
use crate::error::Result;

/// How many names a message is counted by.
const NAMES: usize = NAME_COLUMNS.len();

/// What the messages of a block are counted by; its memory is used again for the next one.
#[derive(Debug)]
pub(crate) struct Counted {
    rows: Vec<CountedRow>,
    /// The combinations of names that there are, packed without an hour, end to end, and where each ends.
    keys: Vec<u8>,
    ends: Vec<usize>,
    numbers: HashTable<u32>,
    /// Combinations that were met last, at a place that some of their bytes choose: the same few come with all messages.
    recent: Vec<RecentNames>,
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

/// Names as they stand in messages.
#[derive(Debug, Clone, Default)]
struct RecentNames {
    /// One behind the other.
    text: Vec<u8>,
    /// [`NO_NAME`] where there is none.
    lens: [u32; NAMES],
    /// None where nothing is here.
    key: Option<u32>,
}

const RECENT: usize = 128;
const NO_NAME: u32 = u32::MAX;

impl Default for Counted {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            keys: Vec::new(),
            ends: Vec::new(),
            numbers: HashTable::new(),
            recent: vec![RecentNames::default(); RECENT],
            packed: Vec::new(),
            counts: Vec::new(),
            met: Vec::new(),
        }
    }
}

impl RecentNames {
    /// Whether these are they.
    fn are(&self, names: &[&[u8]; NAMES], lens: &[u32; NAMES]) -> bool {
        let mut rest = &self.text[..];
        self.lens == *lens
            && names.iter().all(|name| {
                let (start, later) = rest.split_at(name.len());
                rest = later;
                start == *name
            })
    }
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
        let key = self.key(names);
        let hour = item.times.event_at.map_or(i64::MIN, hour_of);
        self.rows.push(CountedRow { hour, key, ordinal: item.ordinal as u32 });
    }

    /// The number of these names.
    fn key(&mut self, names: [Option<Text<'_>>; NAMES]) -> u32 {
        let texts = names.map(|name| name.map_or("", Text::raw).as_bytes());
        let lens =
            std::array::from_fn(|at| if names[at].is_some() { texts[at].len() as u32 } else { NO_NAME });
        let place = texts.iter().fold(0_usize, |place, text| {
            let end = text.last().copied().unwrap_or_default();
            place.wrapping_mul(31) + usize::from(end) * 7 + text.len()
        });
        let recent = &self.recent[place % RECENT];
        if let Some(key) = recent.key
            && recent.are(&texts, &lens)
        {
            return key;
        }
        let decoded = names.map(|name| name.map(Text::lossy));
        pack(None, decoded.iter().map(Option::as_deref), &mut self.packed);
        let key = self.number();
        let recent = &mut self.recent[place % RECENT];
        recent.text.clear();
        for text in texts {
            recent.text.extend_from_slice(text);
        }
        (recent.lens, recent.key) = (lens, Some(key));
        key
    }

    /// The number of the names that were packed.
    fn number(&mut self) -> u32 {
        let Self { keys, ends, numbers, packed, .. } = self;
        let hash = XxHash3_64::oneshot(packed);
        if let Some(&known) = numbers.find(hash, |&key| key_at(keys, ends, key) == &packed[..]) {
            return known;
        }
        let number = ends.len() as u32;
        keys.extend_from_slice(packed);
        ends.push(keys.len());
        numbers.insert_unique(hash, number, |&key| XxHash3_64::oneshot(key_at(keys, ends, key)));
        number
    }

    /// Counts all of them, and writes down what each is counted by, where `log` is there. Nothing is left of them.
    pub(crate) fn count(&mut self, volumes: &mut Volumes, log: Option<&mut Vec<u8>>) {
        self.counts.resize(self.ends.len(), 0);
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
                volumes.add_packed(hour, key_at(&self.keys, &self.ends, key), count);
            }
        }
        if let Some(log) = log {
            self.write(log);
        }
        self.clear();
    }

    /// Writes down what each message is counted by.
    fn write(&self, log: &mut Vec<u8>) {
        let keys = self.ends.len();
        log.reserve(self.keys.len() + 4 * keys + self.rows.len() * ROW + 8);
        put_u32(log, keys);
        put_u32(log, self.rows.len());
        for key in 0..keys as u32 {
            let key = key_at(&self.keys, &self.ends, key);
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
        self.ends.clear();
        self.numbers.clear();
        self.counts.clear();
        for recent in &mut self.recent {
            recent.key = None;
        }
    }
}

fn key_at<'k>(keys: &'k [u8], ends: &[usize], key: u32) -> &'k [u8] {
    let key = key as usize;
    let start = key.checked_sub(1).map_or(0, |before| ends[before]);
    &keys[start..ends[key]]
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

//! Volumes where nobody wants the table `messages`: of each message only what it is counted by, and a log of that, so that
//! those can be taken back that turn out not to be kept.

use std::path::PathBuf;

use korpus_core::Text;
use korpus_engine::{Fate, Fates, Item, RecentTexts, Spool};

use super::packed::PackedKeys;
use super::volumes::{NAME_COLUMNS, NO_HOUR, VolumeCount, Volumes, hour_of, pack};
use crate::error::Result;

/// How many names a message is counted by.
const NAMES: usize = NAME_COLUMNS.len();

/// What a worker counts the messages of a block with; its memory is used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    rows: CountedRows,
    /// The combinations of names that there are, packed.
    names: PackedKeys,
    recent: RecentTexts<NAMES>,
    packed: Vec<u8>,
    /// Of the current hour, how many messages have each combination, and which have any.
    counts: Vec<i64>,
    met: Vec<u32>,
}

/// What each message of a block is counted by.
#[derive(Debug, Clone, Default)]
pub(crate) struct CountedRows {
    runs: Vec<Run>,
    /// The number of the names of each message, run by run.
    names: Vec<u32>,
}

/// Messages with ordinals one after the other, of one hour.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Since 1970, or [`NO_HOUR`].
    hour: i64,
    /// The ordinal of the first one in its block.
    first: u32,
    len: u32,
}

impl Counter {
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
        let number = self.number(&names);
        let hour = item.times.event_at.map_or(NO_HOUR, hour_of);
        self.rows.put(item.ordinal as u32, hour, number);
    }

    /// The number of these names.
    fn number(&mut self, names: &[Option<Text<'_>>; NAMES]) -> u32 {
        if let Some(number) = self.recent.get(names) {
            return number;
        }
        let decoded = names.map(|name| name.map(Text::lossy));
        pack(decoded.iter().map(Option::as_deref), &mut self.packed);
        let number = self.names.intern(&self.packed);
        self.recent.put(names, number);
        number
    }

    /// The counts of all messages, and what each is counted by, where `log` is there. Nothing is left of them.
    pub(crate) fn count(&mut self, log: Option<&mut CountedRows>) -> Volumes {
        let mut volumes = Volumes { names: std::mem::take(&mut self.names), counts: Vec::new() };
        self.counts.resize(volumes.names.len(), 0);
        let mut rest = self.rows.names.as_slice();
        for of_hour in self.rows.runs.chunk_by(|a, b| a.hour == b.hour) {
            let (hour, len) = (of_hour[0].hour, of_hour.iter().map(|run| run.len as usize).sum());
            let (names, later) = rest.split_at(len);
            rest = later;
            for &names in names {
                let count = &mut self.counts[names as usize];
                if *count == 0 {
                    self.met.push(names);
                }
                *count += 1;
            }
            volumes.counts.extend(self.met.drain(..).map(|names| {
                let messages = std::mem::take(&mut self.counts[names as usize]);
                VolumeCount { hour, names, messages }
            }));
        }
        if let Some(log) = log {
            log.clone_from(&self.rows);
        }
        self.clear();
        volumes
    }

    fn clear(&mut self) {
        self.rows.runs.clear();
        self.rows.names.clear();
        self.counts.clear();
        self.recent.clear();
    }
}

impl CountedRows {
    pub(super) fn put(&mut self, ordinal: u32, hour: i64, names: u32) {
        match self.runs.last_mut() {
            Some(run) if run.hour == hour && run.first + run.len == ordinal => run.len += 1,
            _ => self.runs.push(Run { hour, first: ordinal, len: 1 }),
        }
        self.names.push(names);
    }
}

/// So many bytes wait in memory before they go to disk.
const CHUNK: usize = 1 << 20;
/// The bytes of a run: its hour, the ordinal of its first message among all, and how many there are; the numbers of their
/// names follow, in four bytes each.
const HEAD: usize = 8 + 8 + 4;

/// What all messages of a run are counted by.
#[derive(Debug)]
pub(super) struct VolumeLog {
    recent: Vec<u8>,
    spool: Spool,
    /// Where bytes lie on disk whose names are numbered as those of `recent`.
    chunks: Vec<Chunk>,
    sealed: Vec<Sealed>,
}

/// Where whole runs lie, or names: a position and a length.
type Chunk = (u64, usize);

/// What was written down before names were numbered anew.
#[derive(Debug)]
struct Sealed {
    chunks: Vec<Chunk>,
    names: Chunk,
}

impl VolumeLog {
    /// Puts aside in `temp_dir` (or the system's) what there is no room for.
    pub(super) fn new(temp_dir: Option<PathBuf>) -> Self {
        Self { recent: Vec::new(), spool: Spool::new(temp_dir), chunks: Vec::new(), sealed: Vec::new() }
    }

    /// Adds the messages of a block, whose first one has the ordinal `first`; `numbers` says which number the names of the
    /// block have now.
    pub(super) fn push(&mut self, first: u64, rows: &CountedRows, numbers: &[u32]) -> Result<()> {
        let mut rest = rows.names.as_slice();
        for run in &rows.runs {
            let (names, later) = rest.split_at(run.len as usize);
            rest = later;
            self.recent.extend_from_slice(&run.hour.to_le_bytes());
            self.recent.extend_from_slice(&(first + u64::from(run.first)).to_le_bytes());
            self.recent.extend_from_slice(&run.len.to_le_bytes());
            self.recent.extend(names.iter().flat_map(|&names| numbers[names as usize].to_le_bytes()));
        }
        if self.recent.len() >= CHUNK { self.put_aside() } else { Ok(()) }
    }

    fn put_aside(&mut self) -> Result<()> {
        if !self.recent.is_empty() {
            self.chunks.push((self.spool.append(&self.recent)?, self.recent.len()));
            self.recent.clear();
        }
        Ok(())
    }

    /// Keeps `names`, which what was pushed so far refers to: what comes has others.
    pub(super) fn seal(&mut self, names: &PackedKeys) -> Result<()> {
        self.put_aside()?;
        if !self.chunks.is_empty() {
            let mut bytes = Vec::new();
            names.write(&mut bytes);
            let names = (self.spool.append(&bytes)?, bytes.len());
            self.sealed.push(Sealed { chunks: std::mem::take(&mut self.chunks), names });
        }
        Ok(())
    }

    /// Calls `each` with hour and packed names of all that are not kept; `names` are those that what was pushed last
    /// refers to.
    pub(super) fn for_each_lost(
        self,
        names: &PackedKeys,
        fates: &Fates,
        mut each: impl FnMut(i64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut bytes = Vec::new();
        for sealed in &self.sealed {
            self.read(sealed.names, &mut bytes)?;
            let names = PackedKeys::read(&bytes);
            for &chunk in &sealed.chunks {
                self.read(chunk, &mut bytes)?;
                lost(&bytes, &names, fates, &mut each)?;
            }
        }
        for &chunk in &self.chunks {
            self.read(chunk, &mut bytes)?;
            lost(&bytes, names, fates, &mut each)?;
        }
        lost(&self.recent, names, fates, &mut each)
    }

    fn read(&self, (at, len): Chunk, bytes: &mut Vec<u8>) -> Result<()> {
        bytes.resize(len, 0);
        Ok(self.spool.read_at(at, bytes)?)
    }
}

fn lost(
    mut runs: &[u8],
    names: &PackedKeys,
    fates: &Fates,
    each: &mut impl FnMut(i64, &[u8]) -> Result<()>,
) -> Result<()> {
    while let Some((head, rest)) = runs.split_first_chunk::<HEAD>() {
        let (longs, len) = head.as_chunks::<8>();
        let (hour, first) = (i64::from_le_bytes(longs[0]), u64::from_le_bytes(longs[1]));
        let len = len.try_into().map_or(0, u32::from_le_bytes);
        let (numbers, rest) = rest.split_at(rest.len().min(len as usize * 4));
        runs = rest;
        if fates.is_untouched(first..first + u64::from(len)) {
            continue;
        }
        for (ordinal, number) in (first..).zip(numbers.as_chunks().0) {
            if fates.fate(ordinal) != Fate::Kept {
                each(hour, names.get(u32::from_le_bytes(*number)))?;
            }
        }
    }
    Ok(())
}

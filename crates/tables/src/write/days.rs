//! The messages in one file a day: rows wait, by day, until they fill a row group; what there is no room for waits on disk.
//!
//! Where row groups are cut follows from the rows of their day alone, so that neither threads nor memory leave a trace. A
//! file is closed whenever nothing is being written to it, and begun when its first row group is: there may be any number of days.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use korpus_engine::Spool;

use super::encoder::{Encoder, Group};
use super::file::TableFile;
use super::layout::{Day, Layout, day_path};
use super::repair::TableGroups;
use super::settings::Compression;
use super::table::{Ordinals, RowGroupLimits};
use crate::build::{ColumnBuffer, TableBuffer};
use crate::error::{Result, TablesError};
use crate::schema::{MessageColumn, Table};

const TABLE: Table = Table::Messages;

/// The table `messages`, as it is being written.
pub(crate) struct DayWriter {
    dir: PathBuf,
    part: u32,
    compression: Compression,
    limits: RowGroupLimits,
    days: BTreeMap<Day, Rows>,
    /// Bytes of rows that wait in memory: never more than one row group may have.
    waiting: usize,
    spool: Spool,
    in_flight: VecDeque<(Day, Arc<Group>)>,
}

/// The rows of a day.
struct Rows {
    /// Those that wait in memory.
    buffer: TableBuffer,
    /// How many bytes these are.
    bytes: usize,
    /// Those that came before and wait on disk: where they begin, and how long they are.
    spilled: Vec<(u64, usize)>,
    /// All that wait: rows and bytes of the row group that they will be.
    row_group: (usize, usize),
    file: Option<TableFile>,
    groups: Vec<Ordinals>,
}

impl DayWriter {
    /// Will write files of the dataset at `dir`.
    pub(crate) fn new(
        dir: PathBuf,
        part: u32,
        compression: Compression,
        limits: RowGroupLimits,
        temp_dir: Option<PathBuf>,
    ) -> Self {
        Self {
            dir,
            part,
            compression,
            limits,
            days: BTreeMap::new(),
            waiting: 0,
            spool: Spool::new(temp_dir),
            in_flight: VecDeque::new(),
        }
    }

    /// Takes the rows of a block. Full row groups go to the encoder; the buffer goes to `reuse`.
    pub(crate) fn push(
        &mut self,
        buffer: TableBuffer,
        encoder: &Encoder,
        reuse: &mut impl FnMut(TableBuffer),
    ) -> Result<()> {
        let mut from = 0;
        while from < buffer.rows() {
            let (day, end) = run_of(&buffer, from)?;
            self.push_run(day, &buffer, from..end, encoder)?;
            from = end;
        }
        reuse(buffer);
        self.settle(1, encoder)
    }

    /// Takes rows of one day.
    fn push_run(
        &mut self,
        day: Day,
        buffer: &TableBuffer,
        mut run: Range<usize>,
        encoder: &Encoder,
    ) -> Result<()> {
        while !run.is_empty() {
            let rows = self.days.entry(day).or_insert_with(Rows::new);
            let (count, size) = rows.row_group;
            let take = self.limits.fits(buffer, run.clone(), count, size);
            let range = run.start..run.start + take;
            let bytes = buffer.bytes(range.clone());
            rows.buffer.append_range(buffer, range);
            rows.bytes += bytes;
            rows.row_group = (count + take, size + bytes);
            self.waiting += bytes;
            run.start += take;
            if count + take >= self.limits.rows || size + bytes >= self.limits.bytes {
                self.cut(day, encoder)?;
                self.settle(1, encoder)?;
            }
            if self.waiting >= self.limits.bytes {
                self.spill()?;
            }
        }
        Ok(())
    }

    /// Puts the days with the most rows to disk, until half of the room is free.
    fn spill(&mut self) -> Result<()> {
        let mut days: Vec<_> = self.days.values_mut().filter(|rows| rows.bytes > 0).collect();
        days.sort_by_key(|rows| std::cmp::Reverse(rows.bytes));
        let mut bytes = Vec::new();
        for rows in days {
            if self.waiting <= self.limits.bytes / 2 {
                break;
            }
            bytes.clear();
            // A new buffer, not an emptied one: that would keep its memory.
            std::mem::replace(&mut rows.buffer, TableBuffer::new(TABLE)).write(&mut bytes);
            rows.spilled.push((self.spool.append(&bytes)?, bytes.len()));
            self.waiting -= std::mem::take(&mut rows.bytes);
        }
        Ok(())
    }

    /// Makes a row group of all that waits of a day.
    fn cut(&mut self, day: Day, encoder: &Encoder) -> Result<()> {
        let Some(rows) = self.days.get_mut(&day).filter(|rows| rows.row_group.0 > 0) else { return Ok(()) };
        let path = day_path(&self.dir, day, self.part);
        let layout = Layout::of(TABLE, &path);
        let file = match &mut rows.file {
            Some(file) => file,
            none => none.insert(TableFile::create(layout, path, self.compression)?),
        };
        let group = Group::begin(layout, file.leaves(), self.compression);
        let mut ordinals = Ordinals::default();
        let mut put = |buffer: TableBuffer| {
            let all = 0..buffer.rows();
            if !all.is_empty() {
                ordinals.extend(TABLE, &buffer, all.clone());
                encoder.push(&group, Arc::new(buffer), all);
            }
        };
        let mut bytes = Vec::new();
        for (at, len) in rows.spilled.drain(..) {
            bytes.resize(len, 0);
            self.spool.read_at(at, &mut bytes)?;
            put(TableBuffer::read(TABLE, &bytes)?);
        }
        put(std::mem::replace(&mut rows.buffer, TableBuffer::new(TABLE)));
        encoder.end(&group);
        self.waiting -= std::mem::take(&mut rows.bytes);
        rows.row_group = (0, 0);
        rows.groups.push(ordinals);
        self.in_flight.push_back((day, group));
        Ok(())
    }

    /// Appends what is complete, and sees to it that at most `most` row groups are not.
    fn settle(&mut self, most: usize, encoder: &Encoder) -> Result<()> {
        while let Some((day, group)) = self.in_flight.front() {
            if !group.is_complete() {
                if self.in_flight.len() <= most {
                    break;
                }
                encoder.finish(group);
            }
            let file = self.days.get_mut(day).and_then(|rows| rows.file.as_mut());
            let Some(file) = file else { return Err(TablesError::Internal("a row group of no file")) };
            let chunks = group.take_chunks().map_err(TablesError::parquet(file.path()))?;
            file.append_chunks(chunks)?;
            file.put_down()?;
            self.in_flight.pop_front();
        }
        Ok(())
    }

    /// How many bytes of rows waited on disk so far.
    #[cfg(test)]
    pub(super) fn spilled_bytes(&self) -> u64 {
        self.spool.len()
    }

    /// Encodes what is left on `threads` threads, and closes the files, which it gives back. There is one at least: whoever
    /// looks for the columns finds them in the folder of the messages without a day.
    pub(crate) fn close(mut self, encoder: &Encoder, threads: usize) -> Result<Vec<TableGroups>> {
        let days: Vec<Day> = self.days.keys().copied().collect();
        let mut closed = Vec::new();
        for day in days {
            self.cut(day, encoder)?;
            encoder.help_on(threads);
            self.settle(0, encoder)?;
            if let Some(Rows { file: Some(file), groups, .. }) = self.days.remove(&day) {
                closed.push(TableGroups { table: TABLE, path: file.path().to_owned(), groups });
                file.close()?;
            }
        }
        if closed.is_empty() && self.part == 0 {
            let path = day_path(&self.dir, None, self.part);
            TableFile::create(Layout::of(TABLE, &path), path.clone(), self.compression)?.close()?;
            closed.push(TableGroups { table: TABLE, path, groups: Vec::new() });
        }
        Ok(closed)
    }
}

impl Rows {
    fn new() -> Self {
        Self {
            buffer: TableBuffer::new(TABLE),
            bytes: 0,
            spilled: Vec::new(),
            row_group: (0, 0),
            file: None,
            groups: Vec::new(),
        }
    }
}

/// The day of a row, and where those after it end that have the same.
fn run_of(buffer: &TableBuffer, from: usize) -> Result<(Day, usize)> {
    let ColumnBuffer::Int32(days) = &buffer.columns[MessageColumn::EventDate as usize] else {
        return Err(TablesError::Internal("event_date is no date"));
    };
    let day = |row: usize| days.valid[row].then(|| days.values[row]);
    let first = day(from);
    let end = (from + 1..buffer.rows()).find(|&row| day(row) != first);
    Ok((first, end.unwrap_or_else(|| buffer.rows())))
}

//! The writer of one table: cuts row groups by rows and bytes, hands them to the encoder, appends them in order.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chunk::Chunk;
use super::encoder::{Encoder, Group};
use super::file::TableFile;
use super::layout::{Layout, part_path};
use super::repair::TableGroups;
use super::settings::Compression;
use crate::build::{ColumnBuffer, TableBuffer};
use crate::error::{Result, TablesError};
use crate::schema::{
    ActionColumn, ComponentColumn, ConversationColumn, ElementColumn, MessageColumn, SessionColumn, Table,
    TagColumn, TemplateColumn,
};

/// Where row groups are cut. Part of what the bytes of a dataset follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowGroupLimits {
    /// Most rows of one row group.
    pub rows: usize,
    /// Bytes of column buffers after which a row group ends.
    pub bytes: usize,
    /// Most row groups of one file: its footer stays in memory until it is whole.
    pub of_file: usize,
}

impl Default for RowGroupLimits {
    fn default() -> Self {
        Self { rows: 64 << 10, bytes: 24 << 20, of_file: 16 }
    }
}

impl RowGroupLimits {
    /// How many of the rows in `range` go into a row group that holds `rows` and `bytes` already: up to and with the one that
    /// fills it.
    pub(super) fn fits(self, buffer: &TableBuffer, range: Range<usize>, rows: usize, bytes: usize) -> usize {
        let from = range.start;
        let most = range.len().min(self.rows - rows);
        let fills = |take: usize| bytes + buffer.bytes(from..from + take) >= self.bytes;
        if !fills(most) {
            return most;
        }
        let (mut low, mut high) = (1, most);
        while low < high {
            let middle = low.midpoint(high);
            if fills(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }
}

/// The ordinals of a row group: least and greatest, of messages and of records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ordinals {
    pub messages: Option<Range<u64>>,
    pub records: Option<Range<u64>>,
}

impl Ordinals {
    /// Takes in those of some rows.
    pub(super) fn extend(&mut self, table: Table, buffer: &TableBuffer, rows: Range<usize>) {
        let (messages, records) = ordinal_columns(table);
        for (seen, column) in [(&mut self.messages, messages), (&mut self.records, records)] {
            let Some(ColumnBuffer::Int64(column)) = column.map(|column| &buffer.columns[column]) else {
                continue;
            };
            for &value in column.there(rows.clone()) {
                let at = value as u64;
                let range = seen.get_or_insert(at..at + 1);
                *range = range.start.min(at)..range.end.max(at + 1);
            }
        }
    }
}

/// The columns that hold the ordinals of a table's rows: of messages, and of records.
pub(crate) fn ordinal_columns(table: Table) -> (Option<usize>, Option<usize>) {
    match table {
        Table::Messages => (Some(MessageColumn::MessageSeq as usize), None),
        Table::Components => (Some(ComponentColumn::MessageSeq as usize), None),
        Table::Templates => (Some(TemplateColumn::MessageSeq as usize), None),
        Table::Elements => (Some(ElementColumn::MessageSeq as usize), None),
        Table::Actions => (Some(ActionColumn::MessageSeq as usize), None),
        Table::Tags => (Some(TagColumn::MessageSeq as usize), Some(TagColumn::RecordSeq as usize)),
        Table::Conversations => (None, Some(ConversationColumn::RecordSeq as usize)),
        Table::PlatformSessions => (None, Some(SessionColumn::RecordSeq as usize)),
        _ => (None, None),
    }
}

/// A table that is being written: into the file of a number, and where that is full, of the next.
pub(crate) struct TableWriter {
    dir: PathBuf,
    table: Table,
    part: u32,
    compression: Compression,
    limits: RowGroupLimits,
    file: TableFile,
    /// How many row groups the file has.
    appended: usize,
    closed: Vec<PathBuf>,
    /// Rows of small buffers, put together: a few rows of each block must not hold the memory of all its columns.
    gathered: TableBuffer,
    /// How many of the buffers in row groups were put together: so many come back for this again, the rest for the blocks.
    gathered_out: usize,
    spare: Vec<TableBuffer>,
    /// The row group that rows go to, and how much it holds.
    open: Option<Arc<Group>>,
    rows: usize,
    bytes: usize,
    ordinals: Ordinals,
    /// Row groups that have all their rows.
    in_flight: VecDeque<Arc<Group>>,
    groups: Vec<Ordinals>,
}

/// Buffers of fewer bytes are put together.
const GATHERED: usize = 48 << 10;
/// So many pieces of a row group may wait for a column that is slower than the others.
const BEHIND: usize = 4;
/// How many of those put together are kept for the next ones.
const SPARE: usize = 4;

impl TableWriter {
    /// Begins the file of number `part` of a table of the dataset at `dir`.
    pub(crate) fn create(
        dir: &Path,
        table: Table,
        part: u32,
        compression: Compression,
        limits: RowGroupLimits,
    ) -> Result<Self> {
        // There are many other tables: each with as much memory as the messages would be too much together.
        let share = if table == Table::Messages { 1 } else { 4 };
        let limits = RowGroupLimits { bytes: limits.bytes / share, ..limits };
        let path = part_path(dir, table, part);
        Ok(Self {
            dir: dir.to_owned(),
            table,
            part,
            compression,
            limits,
            file: TableFile::create(Layout::whole(table), path, compression)?,
            appended: 0,
            closed: Vec::new(),
            gathered: TableBuffer::new(table),
            gathered_out: 0,
            spare: Vec::new(),
            open: None,
            rows: 0,
            bytes: 0,
            ordinals: Ordinals::default(),
            in_flight: VecDeque::new(),
            groups: Vec::new(),
        })
    }

    /// Takes the rows of a block. Full row groups go to the encoder; buffers that came free go to `reuse`.
    pub(crate) fn push(
        &mut self,
        buffer: TableBuffer,
        encoder: &Encoder,
        reuse: &mut impl FnMut(TableBuffer),
    ) -> Result<()> {
        if buffer.rows() > 0 {
            if buffer.bytes(0..buffer.rows()) < GATHERED {
                self.gathered.append_range(&buffer, 0..buffer.rows());
                reuse(buffer);
                if self.gathered.bytes(0..self.gathered.rows()) >= GATHERED {
                    self.push_gathered(encoder);
                }
            } else {
                self.push_gathered(encoder);
                self.push_piece(buffer, encoder);
            }
        } else {
            reuse(buffer);
        }
        self.settle(1, encoder, reuse)
    }

    fn push_gathered(&mut self, encoder: &Encoder) {
        if self.gathered.rows() == 0 {
            return;
        }
        let next = self.spare.pop().unwrap_or_else(|| TableBuffer::new(self.table));
        let gathered = std::mem::replace(&mut self.gathered, next);
        self.gathered_out += 1;
        self.push_piece(gathered, encoder);
    }

    fn push_piece(&mut self, buffer: TableBuffer, encoder: &Encoder) {
        let rows = buffer.rows();
        let buffer = Arc::new(buffer);
        let mut from = 0;
        while from < rows {
            let take = self.limits.fits(&buffer, from..rows, self.rows, self.bytes);
            let range = from..from + take;
            self.rows += take;
            self.bytes += buffer.bytes(range.clone());
            self.ordinals.extend(self.table, &buffer, range.clone());
            let group = self.open.get_or_insert_with(|| {
                Group::begin(Layout::whole(self.table), self.file.leaves(), self.compression)
            });
            encoder.push(group, buffer.clone(), range);
            from += take;
            if self.rows >= self.limits.rows || self.bytes >= self.limits.bytes {
                self.cut(encoder);
            }
        }
    }

    fn cut(&mut self, encoder: &Encoder) {
        let Some(group) = self.open.take() else { return };
        encoder.end(&group);
        self.in_flight.push_back(group);
        self.groups.push(std::mem::take(&mut self.ordinals));
        (self.rows, self.bytes) = (0, 0);
    }

    /// Appends what is complete, and sees to it that at most `most` row groups are not, and that no column falls behind.
    fn settle(&mut self, most: usize, encoder: &Encoder, reuse: &mut impl FnMut(TableBuffer)) -> Result<()> {
        if let Some(group) = &self.open {
            encoder.catch_up(group, BEHIND);
        }
        while let Some(group) = self.in_flight.front() {
            if !group.is_complete() {
                if self.in_flight.len() <= most {
                    break;
                }
                encoder.finish(group);
            }
            let chunks = group.take_chunks().map_err(TablesError::parquet(self.file.path()))?;
            self.append(chunks)?;
            if let Some(group) = self.in_flight.pop_front() {
                self.reclaim(&group, reuse);
            }
        }
        for group in self.in_flight.iter().chain(&self.open).cloned().collect::<Vec<_>>() {
            self.reclaim(&group, reuse);
        }
        Ok(())
    }

    /// Appends a row group to the file, or to the next one.
    fn append(&mut self, chunks: Vec<Chunk>) -> Result<()> {
        if self.appended == self.limits.of_file {
            self.part += 1;
            self.appended = 0;
            let path = part_path(&self.dir, self.table, self.part);
            let next = TableFile::create(Layout::whole(self.table), path, self.compression)?;
            let full = std::mem::replace(&mut self.file, next);
            self.closed.push(full.path().to_owned());
            full.close()?;
        }
        self.appended += 1;
        self.file.append_chunks(chunks)
    }

    /// Takes back the buffers that are encoded.
    fn reclaim(&mut self, group: &Group, reuse: &mut impl FnMut(TableBuffer)) {
        for mut buffer in group.take_buffers() {
            if self.gathered_out > 0 {
                self.gathered_out -= 1;
                if self.spare.len() < SPARE {
                    buffer.clear();
                    self.spare.push(buffer);
                }
            } else {
                reuse(buffer);
            }
        }
    }

    /// Queues what is left for the encoder.
    pub(crate) fn flush(&mut self, encoder: &Encoder) {
        self.push_gathered(encoder);
        self.cut(encoder);
    }

    /// Appends what is left and closes the file. Gives back the files that there are.
    pub(crate) fn close(mut self, encoder: &Encoder) -> Result<Vec<TableGroups>> {
        self.flush(encoder);
        self.settle(0, encoder, &mut drop)?;
        let Self { table, mut closed, file, mut groups, limits, .. } = self;
        closed.push(file.path().to_owned());
        file.close()?;
        let files = closed.into_iter().map(|path| {
            let groups = groups.drain(..groups.len().min(limits.of_file)).collect();
            TableGroups { table, path, groups }
        });
        Ok(files.collect())
    }
}

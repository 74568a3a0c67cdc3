//! The writer of one table: cuts row groups by rows and bytes, hands them to the encoder, appends them in order.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::encoder::{Encoder, Group, Pieces};
use super::file::TableFile;
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
}

impl Default for RowGroupLimits {
    fn default() -> Self {
        Self { rows: 64 << 10, bytes: 32 << 20 }
    }
}

/// The ordinals of a row group: least and greatest, of messages and of records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ordinals {
    pub messages: Option<Range<u64>>,
    pub records: Option<Range<u64>>,
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

/// A table that is being written.
pub(crate) struct TableWriter {
    table: Table,
    limits: RowGroupLimits,
    file: TableFile,
    pieces: Pieces,
    rows: usize,
    bytes: usize,
    in_flight: VecDeque<Arc<Group>>,
    groups: Vec<Ordinals>,
}

/// The file of a table in a dataset at `dir`: one for each run that added to it.
pub(crate) fn part_path(dir: &Path, table: Table, part: u32) -> PathBuf {
    dir.join(table.name()).join(format!("part-{part:05}.parquet"))
}

impl TableWriter {
    /// Begins the file of a table at `path`, and the folder around it.
    pub(crate) fn create(
        path: PathBuf,
        table: Table,
        compression: Compression,
        limits: RowGroupLimits,
    ) -> Result<Self> {
        let folder = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(folder).map_err(TablesError::io("create", folder))?;
        Ok(Self {
            table,
            limits,
            file: TableFile::create(table, path, compression)?,
            pieces: Vec::new(),
            rows: 0,
            bytes: 0,
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
        let rows = buffer.rows();
        if rows == 0 {
            reuse(buffer);
            return Ok(());
        }
        let buffer = Arc::new(buffer);
        let mut from = 0;
        while from < rows {
            let take = self.fits(&buffer, from);
            let range = from..from + take;
            self.rows += take;
            self.bytes += buffer.bytes(range.clone());
            self.pieces.push((buffer.clone(), range));
            from += take;
            if self.rows >= self.limits.rows || self.bytes >= self.limits.bytes {
                self.cut(encoder)?;
            }
        }
        drop(buffer);
        self.settle(1, encoder, reuse)
    }

    /// How many rows from `from` on go into the row group that is open: up to and with the one that fills it.
    fn fits(&self, buffer: &TableBuffer, from: usize) -> usize {
        let most = (buffer.rows() - from).min(self.limits.rows - self.rows);
        let fills = |take: usize| self.bytes + buffer.bytes(from..from + take) >= self.limits.bytes;
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

    fn cut(&mut self, encoder: &Encoder) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let pieces = std::mem::take(&mut self.pieces);
        self.groups.push(ordinals(self.table, &pieces));
        let writers = self.file.column_writers()?;
        self.in_flight.push_back(encoder.submit(self.table, pieces, writers));
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }

    /// Appends what is complete, and sees to it that at most `most` row groups are not.
    fn settle(&mut self, most: usize, encoder: &Encoder, reuse: &mut impl FnMut(TableBuffer)) -> Result<()> {
        while let Some(group) = self.in_flight.front() {
            if !group.is_complete() {
                if self.in_flight.len() <= most {
                    break;
                }
                encoder.finish(group);
            }
            let chunks = group.take_chunks().map_err(TablesError::parquet(self.file.path()))?;
            group.take_buffers().for_each(&mut *reuse);
            self.file.append(chunks)?;
            self.in_flight.pop_front();
        }
        Ok(())
    }

    /// Queues what is left for the encoder.
    pub(crate) fn flush(&mut self, encoder: &Encoder) -> Result<()> {
        self.cut(encoder)
    }

    /// Appends what is left and closes the file. Gives back the ordinals of its row groups.
    pub(crate) fn close(mut self, encoder: &Encoder) -> Result<Vec<Ordinals>> {
        self.cut(encoder)?;
        self.settle(0, encoder, &mut drop)?;
        self.file.close()?;
        Ok(self.groups)
    }
}

fn ordinals(table: Table, pieces: &Pieces) -> Ordinals {
    let (messages, records) = ordinal_columns(table);
    let range = |column: Option<usize>| {
        let column = column?;
        let mut seen: Option<Range<u64>> = None;
        for (buffer, rows) in pieces {
            let ColumnBuffer::Int64(buffer) = &buffer.columns[column] else { return None };
            for row in rows.clone().filter(|&row| buffer.valid[row]) {
                let at = buffer.values[row] as u64;
                let range = seen.get_or_insert(at..at + 1);
                *range = range.start.min(at)..range.end.max(at + 1);
            }
        }
        seen
    };
    Ordinals { messages: range(messages), records: range(records) }
}

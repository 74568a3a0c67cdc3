//! Files of days read together, in the order of the ordinals.
//!
//! A row group is opened when its turn comes, and closed at its end: its statistics tell from which ordinal on it is needed. So
//! there are as many open at a time as there are days whose messages came intermingled.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::errors::ParquetError;

use super::BATCH_ROWS;
use super::file::{Part, TableFileReader};
use crate::error::{Result, TablesError};
use crate::schema::{MessageColumn, Table};
use crate::write::ordinals_of;

/// The row groups of a table, on their way to one stream.
pub(super) struct Merge {
    table: Table,
    /// Those that were not opened yet; the one with the least ordinal comes last.
    waiting: Vec<Waiting>,
    /// Those that are open, by their next ordinal.
    open: BinaryHeap<Reverse<Turn>>,
    cursors: Vec<Option<Cursor>>,
}

struct Waiting {
    first: i64,
    group: usize,
    file: Arc<(Part, ArrowReaderMetadata)>,
}

/// The next ordinal of a cursor, and which that is.
type Turn = (i64, usize);

struct Cursor {
    /// What is left of the row group; `None` where the batch is the last: a reader takes ten times the memory of small batches.
    reader: Option<TableFileReader>,
    /// Rows that are not read yet.
    left: usize,
    batch: RecordBatch,
    row: usize,
    /// Where the batch stands among those that the next rows are taken from, where it does.
    place: Option<usize>,
}

impl Cursor {
    /// Begins with the `rows` of a reader; `None` where it has none.
    fn open(mut reader: TableFileReader, rows: usize) -> Result<Option<Self>> {
        let Some(batch) = reader.next_batch()? else { return Ok(None) };
        let left = rows.saturating_sub(batch.num_rows());
        Ok(Some(Self { reader: (left > 0).then_some(reader), left, batch, row: 0, place: None }))
    }

    /// Goes on to the next rows of the reader; false where there are none.
    fn go_on(&mut self) -> Result<bool> {
        let Some(batch) = self.reader.as_mut().map(TableFileReader::next_batch).transpose()?.flatten() else {
            return Ok(false);
        };
        self.left = self.left.saturating_sub(batch.num_rows());
        if self.left == 0 {
            self.reader = None;
        }
        (self.batch, self.row, self.place) = (batch, 0, None);
        Ok(true)
    }

    fn ordinal(&self, row: usize) -> i64 {
        self.batch.column(MessageColumn::MessageSeq as usize).as_primitive::<Int64Type>().value(row)
    }
}

impl Merge {
    pub(super) fn new(table: Table, files: Vec<Part>) -> Result<Self> {
        let mut waiting = Vec::new();
        for mut file in files {
            let metadata = file.metadata()?;
            let ordinals = |group: usize| {
                let known = metadata.metadata().row_groups().get(group)?;
                ordinals_of(table, known).messages.map(|range| range.start as i64)
            };
            let groups = file.groups.take();
            let groups = groups.unwrap_or_else(|| (0..metadata.metadata().num_row_groups()).collect());
            let firsts: Vec<_> =
                groups.iter().map(|&group| (ordinals(group).unwrap_or_default(), group)).collect();
            let file = Arc::new((file, metadata));
            waiting.extend(firsts.into_iter().map(|(first, group)| Waiting {
                first,
                group,
                file: Arc::clone(&file),
            }));
        }
        waiting.sort_by_key(|waiting| Reverse(waiting.first));
        Ok(Self { table, waiting, open: BinaryHeap::new(), cursors: Vec::new() })
    }

    /// The next rows.
    pub(super) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut batches: Vec<RecordBatch> = Vec::new();
        let mut rows: Vec<(usize, usize)> = Vec::new();
        self.cursors.iter_mut().flatten().for_each(|cursor| cursor.place = None);
        while rows.len() < BATCH_ROWS {
            self.open_due()?;
            let Some(Reverse((_, index))) = self.open.pop() else { break };
            let others = self.open.peek().map(|Reverse((ordinal, _))| *ordinal);
            let until = others.into_iter().chain(self.waiting.last().map(|next| next.first)).min();
            let Some(cursor) = &mut self.cursors[index] else { continue };
            let place = *cursor.place.get_or_insert_with(|| {
                batches.push(cursor.batch.clone());
                batches.len() - 1
            });
            let mut row = cursor.row;
            while row < cursor.batch.num_rows()
                && rows.len() < BATCH_ROWS
                && until.is_none_or(|until| cursor.ordinal(row) < until)
            {
                rows.push((place, row));
                row += 1;
            }
            // Equal ordinals do not occur; where a file has them all the same, it goes on.
            if row == cursor.row {
                rows.push((place, row));
                row += 1;
            }
            cursor.row = row;
            self.go_on(index)?;
        }
        match (&batches[..], &rows[..]) {
            (_, []) => Ok(None),
            // One after the other: a cursor passes nothing over.
            ([only], [(_, first), ..]) => Ok(Some(only.slice(*first, rows.len()))),
            _ => {
                let batches: Vec<&RecordBatch> = batches.iter().collect();
                let broken = |error: arrow::error::ArrowError| {
                    let path = std::path::Path::new(self.table.name());
                    TablesError::parquet(path)(ParquetError::ArrowError(error.to_string()))
                };
                interleave_record_batch(&batches, &rows).map(Some).map_err(broken)
            }
        }
    }

    /// Opens the row groups whose turn may have come.
    fn open_due(&mut self) -> Result<()> {
        while let Some(next) = self.waiting.last()
            && self.open.peek().is_none_or(|Reverse((ordinal, _))| next.first <= *ordinal)
        {
            let Some(Waiting { group, file, .. }) = self.waiting.pop() else { break };
            let (file, metadata) = &*file;
            let rows = metadata.metadata().row_group(group).num_rows() as usize;
            let reader =
                TableFileReader::with_metadata(self.table, file, metadata.clone(), Some(vec![group]))?;
            if let Some(cursor) = Cursor::open(reader, rows)? {
                let index = self.cursors.iter().position(Option::is_none).unwrap_or(self.cursors.len());
                self.open.push(Reverse((cursor.ordinal(0), index)));
                if index == self.cursors.len() {
                    self.cursors.push(None);
                }
                self.cursors[index] = Some(cursor);
            }
        }
        Ok(())
    }

    /// Gives a cursor its next turn, unless it is at its end.
    fn go_on(&mut self, index: usize) -> Result<()> {
        let Some(cursor) = &mut self.cursors[index] else { return Ok(()) };
        if cursor.row == cursor.batch.num_rows() && !cursor.go_on()? {
            self.cursors[index] = None;
            return Ok(());
        }
        self.open.push(Reverse((cursor.ordinal(cursor.row), index)));
        Ok(())
    }
}

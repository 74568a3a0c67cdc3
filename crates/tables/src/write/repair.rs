//! Taking out rows that turned out not to be kept: only the row groups that hold such rows are written anew.

use std::fs::File;
use std::path::PathBuf;

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use korpus_engine::{Fate, Fates};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::file::TableFile;
use super::layout::Layout;
use super::settings::Compression;
use super::table::{Ordinals, ordinal_columns};
use crate::error::{Result, TablesError};
use crate::read::{Row, TableReader};
use crate::schema::Table;

/// What became of the messages and records whose rows were written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repair<'a> {
    pub messages: &'a Fates,
    pub records: &'a Fates,
    pub compression: Compression,
    pub threads: usize,
}

/// The row groups of a file.
#[derive(Debug)]
pub(crate) struct TableGroups {
    pub table: Table,
    pub path: PathBuf,
    /// The ordinals in each of them.
    pub groups: Vec<Ordinals>,
}

impl Repair<'_> {
    /// Whether a row group may hold rows that must go.
    pub(crate) fn touches(&self, group: &Ordinals) -> bool {
        let touched = |fates: &Fates, range: &Option<std::ops::Range<u64>>| {
            range.as_ref().is_some_and(|range| !fates.is_untouched(range.clone()))
        };
        touched(self.messages, &group.messages) || touched(self.records, &group.records)
    }

    /// The row groups that may hold rows that must go.
    pub(crate) fn touched(&self, groups: &[Ordinals]) -> Vec<usize> {
        groups.iter().enumerate().filter(|(_, group)| self.touches(group)).map(|(index, _)| index).collect()
    }
}

/// Rewrites a file without the rows that are not kept, and calls `dropped` with each of them. What stands at its path is
/// another file then; links to the old one keep that. Whether there was anything to do.
pub(crate) fn repair(
    TableGroups { table, path, groups }: &TableGroups,
    repair: &Repair<'_>,
    mut dropped: impl FnMut(Row<'_>) -> Result<()>,
) -> Result<bool> {
    let table = *table;
    let touched = repair.touched(groups);
    if touched.is_empty() {
        return Ok(false);
    }
    let source = File::open(path).map_err(TablesError::io("read", path))?;
    let metadata =
        ParquetMetaDataReader::new().parse_and_finish(&source).map_err(TablesError::parquet(path))?;
    if metadata.num_row_groups() != groups.len() {
        return Err(TablesError::Internal("a file has other row groups than were written"));
    }
    let repaired = path.with_extension("repaired");
    let mut file = TableFile::create(Layout::of(table, path), repaired.clone(), repair.compression)?;
    let (messages, records) = ordinal_columns(table);
    let mut touched = touched.into_iter().peekable();
    for group in 0..groups.len() {
        if touched.next_if_eq(&group).is_none() {
            copy(&mut file, &source, &metadata, group)?;
            continue;
        }
        let mut batches = Vec::new();
        for batch in TableReader::open_file_groups(table, path.clone(), vec![group]) {
            let batch = batch?;
            let keeps = (0..batch.num_rows())
                .map(|row| {
                    let row = Row { batch: &batch, row };
                    let kept = |fates: &Fates, column: Option<usize>| {
                        let seq = column.and_then(|column| row.int64(column));
                        seq.is_none_or(|seq| fates.fate(seq as u64) == Fate::Kept)
                    };
                    let keep = kept(repair.messages, messages) && kept(repair.records, records);
                    if !keep {
                        dropped(row)?;
                    }
                    Ok(keep)
                })
                .collect::<Result<Vec<bool>>>()?;
            let left = filter_record_batch(&batch, &BooleanArray::from(keeps))
                .map_err(|error| TablesError::parquet(path)(ParquetError::ArrowError(error.to_string())))?;
            if left.num_rows() > 0 {
                batches.push(left);
            }
        }
        if !batches.is_empty() {
            file.append_batches(&batches, repair.threads)?;
        }
    }
    file.close()?;
    std::fs::rename(&repaired, path).map_err(TablesError::io("replace", path))?;
    Ok(true)
}

/// Copies the bytes of an encoded row group.
fn copy(file: &mut TableFile, source: &File, metadata: &ParquetMetaData, group: usize) -> Result<()> {
    let group = metadata.row_group(group);
    file.row_group(|writer| {
        for column in group.columns() {
            writer.append_column(
                source,
                ColumnCloseResult {
                    bytes_written: column.compressed_size() as u64,
                    rows_written: group.num_rows() as u64,
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                },
            )?;
        }
        Ok(())
    })
}

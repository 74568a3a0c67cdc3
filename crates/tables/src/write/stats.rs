//! Which ordinals the row groups of a file hold that another run wrote: its statistics tell.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;

use parquet::file::metadata::{ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::statistics::Statistics;

use super::repair::TableGroups;
use super::table::{Ordinals, ordinal_columns};
use crate::error::{Result, TablesError};
use crate::schema::Table;

/// The row groups of the file of a table at `path`.
pub(crate) fn groups_of(table: Table, path: PathBuf) -> Result<TableGroups> {
    let file = File::open(&path).map_err(TablesError::io("read", &path))?;
    let metadata =
        ParquetMetaDataReader::new().parse_and_finish(&file).map_err(TablesError::parquet(&path))?;
    let groups = metadata.row_groups().iter().map(|group| ordinals_of(table, group));
    Ok(TableGroups { table, groups: groups.collect(), path })
}

/// Those of one row group of a table.
pub(crate) fn ordinals_of(table: Table, group: &RowGroupMetaData) -> Ordinals {
    let (messages, records) = ordinal_columns(table);
    let range = |column: Option<usize>| range(group, table.columns()[column?].name);
    Ordinals { messages: range(messages), records: range(records) }
}

/// What lies between the least and the greatest value of a column; everything where that is not known.
fn range(group: &RowGroupMetaData, column: &str) -> Option<Range<u64>> {
    let chunk = group.columns().iter().find(|chunk| chunk.column_path().string() == column)?;
    match chunk.statistics() {
        Some(Statistics::Int64(known)) => match (known.min_opt(), known.max_opt()) {
            (Some(&min), Some(&max)) => Some(min as u64..max as u64 + 1),
            // Nothing but nulls.
            _ if known.null_count_opt() == Some(group.num_rows() as u64) => None,
            _ => Some(0..u64::MAX),
        },
        _ => Some(0..u64::MAX),
    }
}

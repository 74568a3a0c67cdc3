//! Reading the tables of a dataset, a batch at a time.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::{Result, TablesError};
use crate::schema::Table;

/// Rows of one batch: few, because one message may be megabytes.
const BATCH_ROWS: usize = 1024;

/// The rows of a table, in order, a batch at a time.
pub struct TableReader {
    /// Files, and which row groups of them to read; all where absent.
    files: std::vec::IntoIter<(PathBuf, Option<Vec<usize>>)>,
    current: Option<(PathBuf, ParquetRecordBatchReader)>,
    table: Table,
}

impl std::fmt::Debug for TableReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableReader").field("table", &self.table).finish_non_exhaustive()
    }
}

impl TableReader {
    /// Reads the table of the dataset at `dir`.
    ///
    /// # Errors
    /// Where the folder of the table cannot be listed.
    pub fn open(dir: &Path, table: Table) -> Result<Self> {
        let files: Vec<_> = parts_of(dir, table)?.into_iter().map(|path| (path, None)).collect();
        Ok(Self { files: files.into_iter(), current: None, table })
    }

    /// Reads one file of the table.
    pub(crate) fn open_file(table: Table, path: PathBuf) -> Self {
        Self { files: vec![(path, None)].into_iter(), current: None, table }
    }

    /// Reads only some row groups of some files.
    pub(crate) fn open_groups(table: Table, files: Vec<(PathBuf, Vec<usize>)>) -> Self {
        let files: Vec<_> = files.into_iter().map(|(path, groups)| (path, Some(groups))).collect();
        Self { files: files.into_iter(), current: None, table }
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some((path, reader)) = &mut self.current {
                if let Some(batch) = reader.next() {
                    let broken = |why: String| TablesError::NotADataset { path: path.clone(), why };
                    let batch = batch.map_err(|error| broken(error.to_string()))?;
                    let schema = self.table.arrow_schema();
                    let same = |(a, b): (&arrow::datatypes::FieldRef, &arrow::datatypes::FieldRef)| {
                        a.name() == b.name() && same_type(a.data_type(), b.data_type())
                    };
                    if batch.num_columns() != schema.fields().len()
                        || !schema.fields().iter().zip(batch.schema().fields()).all(same)
                    {
                        return Err(broken("its columns are not those of this version".to_owned()));
                    }
                    return Ok(Some(batch));
                }
                self.current = None;
            }
            let Some((path, groups)) = self.files.next() else { return Ok(None) };
            let reader = open_file(&path, groups)?;
            self.current = Some((path, reader));
        }
    }
}

/// The files of a table in the dataset at `dir`, in the order that they were written in.
pub(crate) fn parts_of(dir: &Path, table: Table) -> Result<Vec<PathBuf>> {
    let folder = dir.join(table.name());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(TablesError::io("read", &folder))? {
        let path = entry.map_err(TablesError::io("read", &folder))?.path();
        if path.extension().is_some_and(|extension| extension == "parquet") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether two types are the same, whatever the nullability of what is nested.
fn same_type(a: &DataType, b: &DataType) -> bool {
    a.equals_datatype(b)
}

fn open_file(path: &Path, groups: Option<Vec<usize>>) -> Result<ParquetRecordBatchReader> {
    let file = File::open(path).map_err(TablesError::io("read", path))?;
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(TablesError::parquet(path))?
        .with_batch_size(BATCH_ROWS);
    if let Some(groups) = groups {
        builder = builder.with_row_groups(groups);
    }
    builder.build().map_err(TablesError::parquet(path))
}

impl Iterator for TableReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}

/// A row of a batch whose columns are those of the schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub batch: &'a RecordBatch,
    pub row: usize,
}

impl<'a> Row<'a> {
    pub(crate) fn is_null(self, column: impl Into<usize>) -> bool {
        self.batch.column(column.into()).is_null(self.row)
    }

    pub(crate) fn text(self, column: impl Into<usize>) -> Option<&'a str> {
        let column = self.batch.column(column.into());
        column.is_valid(self.row).then(|| column.as_string::<i32>().value(self.row))
    }

    pub(crate) fn int64(self, column: impl Into<usize>) -> Option<i64> {
        let column = self.batch.column(column.into());
        column.is_valid(self.row).then(|| column.as_primitive::<Int64Type>().value(self.row))
    }

    pub(crate) fn int32(self, column: impl Into<usize>) -> Option<i32> {
        let column = self.batch.column(column.into());
        column.is_valid(self.row).then(|| column.as_primitive::<Int32Type>().value(self.row))
    }

    /// Days since 1970.
    pub(crate) fn date(self, column: impl Into<usize>) -> Option<i32> {
        let column = self.batch.column(column.into());
        column.is_valid(self.row).then(|| column.as_primitive::<Date32Type>().value(self.row))
    }

    pub(crate) fn bytes(self, column: impl Into<usize>) -> Option<&'a [u8]> {
        let column = self.batch.column(column.into());
        column.is_valid(self.row).then(|| column.as_binary::<i32>().value(self.row))
    }

    pub(crate) fn float64(self, column: impl Into<usize>) -> Option<f64> {
        let column = self.batch.column(column.into());
        column.is_valid(self.row).then(|| column.as_primitive::<Float64Type>().value(self.row))
    }

    pub(crate) fn bool(self, column: impl Into<usize>) -> Option<bool> {
        let column = self.batch.column(column.into());
        column.is_valid(self.row).then(|| column.as_boolean().value(self.row))
    }

    /// Microseconds since 1970.
    pub(crate) fn micros(self, column: impl Into<usize>) -> Option<i64> {
        let column = self.batch.column(column.into());
        column.is_valid(self.row).then(|| column.as_primitive::<TimestampMicrosecondType>().value(self.row))
    }

    /// The elements of a list, as one array.
    pub(crate) fn list(self, column: impl Into<usize>) -> Option<arrow::array::ArrayRef> {
        let column = self.batch.column(column.into());
        column.is_valid(self.row).then(|| column.as_list::<i32>().value(self.row))
    }
}

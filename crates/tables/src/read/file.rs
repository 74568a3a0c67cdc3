//! One file of a table, as batches with all columns of that.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array};
use arrow::datatypes::{DataType, FieldRef};
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};

use super::{BATCH_ROWS, Generation};
use crate::error::{Result, TablesError};
use crate::schema::{MessageColumn, Table};
use crate::write::{Day, day_of};

/// A file of a table, and which of its row groups are read; all where `None`.
pub(super) struct Part {
    pub path: PathBuf,
    pub groups: Option<Vec<usize>>,
    /// The dataset that the file must be of, where somebody may exchange it meanwhile.
    pub generation: Option<Arc<Generation>>,
}

impl Part {
    /// What the file says about itself.
    pub(super) fn metadata(&self) -> Result<ArrowReaderMetadata> {
        self.checked(|| {
            let file = File::open(&self.path).map_err(TablesError::io("read", &self.path))?;
            ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
                .map_err(TablesError::parquet(&self.path))
        })
    }

    /// What `open` opens, where that is of the right dataset.
    fn checked<T>(&self, open: impl FnOnce() -> Result<T>) -> Result<T> {
        let opened = open();
        match &self.generation {
            Some(generation) => generation.checked(opened),
            None => opened,
        }
    }
}

/// A file that is being read.
pub(super) struct TableFileReader {
    table: Table,
    path: PathBuf,
    /// What the rows of the file have in common, where it is laid out so.
    day: Option<Day>,
    reader: ParquetRecordBatchReader,
}

impl TableFileReader {
    pub(super) fn open(table: Table, part: &Part) -> Result<Self> {
        Self::with_metadata(table, part, part.metadata()?, part.groups.clone())
    }

    /// Opens a file that was looked into before.
    pub(super) fn with_metadata(
        table: Table,
        part: &Part,
        metadata: ArrowReaderMetadata,
        groups: Option<Vec<usize>>,
    ) -> Result<Self> {
        let path = &part.path;
        let file = part.checked(|| File::open(path).map_err(TablesError::io("read", path)))?;
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_batch_size(BATCH_ROWS);
        if let Some(groups) = groups {
            builder = builder.with_row_groups(groups);
        }
        let reader = builder.build().map_err(TablesError::parquet(path))?;
        Ok(Self { table, path: path.to_owned(), day: day_of(table, path), reader })
    }

    /// The next rows.
    pub(super) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.reader.next() else { return Ok(None) };
        let broken = |why: String| TablesError::NotADataset { path: self.path.clone(), why };
        let batch = batch.map_err(|error| broken(error.to_string()))?;
        let other = || broken("its columns are not those of this version".to_owned());
        let schema = self.table.arrow_schema();
        let mut columns = batch.columns().to_vec();
        let mut fields: Vec<FieldRef> = batch.schema().fields().iter().cloned().collect();
        if let Some(day) = self.day {
            let at = MessageColumn::EventDate as usize;
            if at > columns.len() {
                return Err(other());
            }
            let days: ArrayRef = Arc::new(Date32Array::from(vec![day; batch.num_rows()]));
            columns.insert(at, days);
            fields.insert(at, schema.fields()[at].clone());
        }
        let same =
            |(a, b): (&FieldRef, &FieldRef)| a.name() == b.name() && same_type(a.data_type(), b.data_type());
        if fields.len() != schema.fields().len() || !schema.fields().iter().zip(&fields).all(same) {
            return Err(other());
        }
        if self.day.is_none() {
            return Ok(Some(batch));
        }
        RecordBatch::try_new(schema, columns).map(Some).map_err(|error| broken(error.to_string()))
    }
}

/// Whether two types are the same, whatever the nullability of what is nested.
fn same_type(a: &DataType, b: &DataType) -> bool {
    a.equals_datatype(b)
}

//! A row of a batch, column by column.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;

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

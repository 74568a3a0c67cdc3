//! Columns of a table by name. A table or column that is not there reads as nothing but nulls.

use arrow::array::{Array, AsArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Date32Type, Float64Type, Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;

use crate::metrics::Metric;

/// Rows of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    metric: Metric,
    batch: Option<&'a RecordBatch>,
}

/// A column of text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Texts<'a>(Option<&'a StringArray>);

/// A column of whole numbers; days count from 1970.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ints<'a> {
    Long(&'a PrimitiveArray<Int64Type>),
    Short(&'a PrimitiveArray<Int32Type>),
    Days(&'a PrimitiveArray<Date32Type>),
    Absent,
}

/// A column of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Floats<'a>(Option<&'a PrimitiveArray<Float64Type>>);

/// A column of flags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flags<'a>(Option<&'a BooleanArray>);

impl<'a> Table<'a> {
    pub(super) fn new(metric: Metric, batch: Option<&'a RecordBatch>) -> Self {
        Self { metric, batch }
    }

    pub(super) fn rows(self) -> usize {
        self.batch.map_or(0, RecordBatch::num_rows)
    }

    fn column(self, name: &str) -> Option<&'a dyn Array> {
        debug_assert!(self.metric.columns().any(|column| column.name == name), "{}.{name}", self.metric);
        self.batch?.column_by_name(name).map(AsRef::as_ref)
    }

    pub(super) fn texts(self, name: &str) -> Texts<'a> {
        Texts(self.column(name).and_then(AsArray::as_string_opt))
    }

    pub(super) fn ints(self, name: &str) -> Ints<'a> {
        let Some(column) = self.column(name) else { return Ints::Absent };
        match column.data_type() {
            DataType::Int64 => Ints::Long(column.as_primitive()),
            DataType::Int32 => Ints::Short(column.as_primitive()),
            DataType::Date32 => Ints::Days(column.as_primitive()),
            _ => Ints::Absent,
        }
    }

    pub(super) fn floats(self, name: &str) -> Floats<'a> {
        Floats(self.column(name).and_then(AsArray::as_primitive_opt))
    }

    pub(super) fn flags(self, name: &str) -> Flags<'a> {
        Flags(self.column(name).and_then(AsArray::as_boolean_opt))
    }
}

fn at<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    array.is_valid(row).then(|| array.value(row))
}

impl<'a> Texts<'a> {
    pub(super) fn get(self, row: usize) -> Option<&'a str> {
        self.0.filter(|array| array.is_valid(row)).map(|array| array.value(row))
    }
}

impl Ints<'_> {
    pub(super) fn get(self, row: usize) -> Option<i64> {
        match self {
            Self::Long(array) => at(array, row),
            Self::Short(array) => at(array, row).map(i64::from),
            Self::Days(array) => at(array, row).map(i64::from),
            Self::Absent => None,
        }
    }

    /// The value, 0 where there is none.
    pub(super) fn or_zero(self, row: usize) -> i64 {
        self.get(row).unwrap_or(0)
    }
}

impl Floats<'_> {
    pub(super) fn get(self, row: usize) -> Option<f64> {
        self.0.and_then(|array| at(array, row))
    }
}

impl Flags<'_> {
    pub(super) fn get(self, row: usize) -> Option<bool> {
        self.0.filter(|array| array.is_valid(row)).map(|array| array.value(row))
    }
}

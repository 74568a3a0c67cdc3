//! Rows of a metrics table, put together into a batch.

use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int32Builder, Int64Builder,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::record_batch::RecordBatch;

use crate::error::{AnalyticsError, Result};
use crate::metrics::{Metric, MetricKind, RULES_VERSION};

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(&'a str),
}

impl From<i64> for Cell<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Cell<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<f64> for Cell<'_> {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

#[derive(Debug)]
enum Column {
    Text(StringBuilder),
    Int(Int64Builder),
    Small(Int32Builder),
    Float(Float64Builder),
    Bool(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Date(Date32Builder),
}

impl Column {
    fn new(kind: MetricKind, rows: usize, bytes: usize) -> Self {
        match kind {
            MetricKind::Text | MetricKind::Json => Self::Text(StringBuilder::with_capacity(rows, bytes)),
            MetricKind::Int => Self::Int(Int64Builder::with_capacity(rows)),
            MetricKind::Small => Self::Small(Int32Builder::with_capacity(rows)),
            MetricKind::Float => Self::Float(Float64Builder::with_capacity(rows)),
            MetricKind::Bool => Self::Bool(BooleanBuilder::with_capacity(rows)),
            MetricKind::Timestamp => {
                Self::Time(TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC"))
            }
            MetricKind::Date => Self::Date(Date32Builder::with_capacity(rows)),
        }
    }

    /// A value of another kind counts as none: the declaration and what fills it are held together by tests.
    fn push(&mut self, cell: Cell<'_>) {
        let int = match cell {
            Cell::Int(value) => Some(value),
            _ => None,
        };
        let small = int.and_then(|value| i32::try_from(value).ok());
        match self {
            Self::Text(column) => column.append_option(match cell {
                Cell::Text(value) => Some(value),
                _ => None,
            }),
            Self::Int(column) => column.append_option(int),
            Self::Small(column) => column.append_option(small),
            Self::Float(column) => column.append_option(match cell {
                Cell::Float(value) => Some(value),
                _ => None,
            }),
            Self::Bool(column) => column.append_option(match cell {
                Cell::Bool(value) => Some(value),
                _ => None,
            }),
            Self::Time(column) => column.append_option(int),
            Self::Date(column) => column.append_option(small),
        }
    }

    /// The array, without the room that was kept for more.
    fn finish(&mut self) -> ArrayRef {
        macro_rules! fitted {
            ($column:expr) => {{
                let mut array = $column.finish();
                array.shrink_to_fit();
                Arc::new(array)
            }};
        }
        match self {
            Self::Text(column) => fitted!(column),
            Self::Int(column) => fitted!(column),
            Self::Small(column) => fitted!(column),
            Self::Float(column) => fitted!(column),
            Self::Bool(column) => fitted!(column),
            Self::Time(column) => fitted!(column),
            Self::Date(column) => fitted!(column),
        }
    }
}

/// Rows on their way into a batch.
#[derive(Debug)]
pub(crate) struct Rows {
    metric: Metric,
    columns: Vec<Column>,
}

impl Rows {
    pub(crate) fn new(metric: Metric) -> Self {
        Self::with_room(metric, 0, &[])
    }

    /// With room for so many rows, and for so many bytes in each of the first columns of text.
    pub(crate) fn with_room(metric: Metric, rows: usize, texts: &[usize]) -> Self {
        let columns = metric.columns().enumerate();
        let room = |at: usize| texts.get(at).copied().unwrap_or_default();
        Self {
            metric,
            columns: columns.map(|(at, column)| Column::new(column.kind, rows, room(at))).collect(),
        }
    }

    /// Adds a row: all columns in order, but for `rules_version`.
    pub(crate) fn push<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) {
        let mut count = 0;
        let all = cells.into_iter().chain([Cell::Int(i64::from(RULES_VERSION))]);
        for (column, cell) in self.columns.iter_mut().zip(all) {
            column.push(cell);
            count += 1;
        }
        debug_assert_eq!(count, self.columns.len(), "{}", self.metric);
    }

    /// The rows so far, and none are left.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch> {
        let columns = self.columns.iter_mut().map(Column::finish).collect();
        RecordBatch::try_new(self.metric.arrow_schema(), columns)
            .map_err(|_| AnalyticsError::Internal("rows do not fit their declaration"))
    }
}

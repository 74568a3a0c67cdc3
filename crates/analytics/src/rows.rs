//! Rows of a metrics table, put together into a batch.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
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

impl<'a> Cell<'a> {
    #[inline]
    fn int(self) -> Option<i64> {
        if let Self::Int(value) = self { Some(value) } else { None }
    }

    #[inline]
    fn small(self) -> Option<i32> {
        self.int().and_then(|value| i32::try_from(value).ok())
    }

    #[inline]
    fn float(self) -> Option<f64> {
        if let Self::Float(value) = self { Some(value) } else { None }
    }

    #[inline]
    fn bool(self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(value) } else { None }
    }

    #[inline]
    fn text(self) -> Option<&'a str> {
        if let Self::Text(value) = self { Some(value) } else { None }
    }
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
    fn new(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Text | MetricKind::Json => Self::Text(StringBuilder::new()),
            MetricKind::Int => Self::Int(Int64Builder::new()),
            MetricKind::Small => Self::Small(Int32Builder::new()),
            MetricKind::Float => Self::Float(Float64Builder::new()),
            MetricKind::Bool => Self::Bool(BooleanBuilder::new()),
            MetricKind::Timestamp => Self::Time(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            MetricKind::Date => Self::Date(Date32Builder::new()),
        }
    }

    /// A value of another kind counts as none: the declaration and what fills it are held together by tests.
    #[inline]
    fn push(&mut self, cell: Cell<'_>) {
        match self {
            Self::Text(column) => column.append_option(cell.text()),
            Self::Int(column) => column.append_option(cell.int()),
            Self::Small(column) => column.append_option(cell.small()),
            Self::Float(column) => column.append_option(cell.float()),
            Self::Bool(column) => column.append_option(cell.bool()),
            Self::Time(column) => column.append_option(cell.int()),
            Self::Date(column) => column.append_option(cell.small()),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish()),
            Self::Int(column) => Arc::new(column.finish()),
            Self::Small(column) => Arc::new(column.finish()),
            Self::Float(column) => Arc::new(column.finish()),
            Self::Bool(column) => Arc::new(column.finish()),
            Self::Time(column) => Arc::new(column.finish()),
            Self::Date(column) => Arc::new(column.finish()),
        }
    }
}

/// Rows on their way into a batch.
#[derive(Debug)]
pub(crate) struct Rows {
    metric: Metric,
    columns: Vec<Column>,
    len: usize,
}

impl Rows {
    pub(crate) fn new(metric: Metric) -> Self {
        Self { metric, columns: metric.columns().map(|column| Column::new(column.kind)).collect(), len: 0 }
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
        self.len += 1;
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The rows so far, and none are left.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch> {
        self.len = 0;
        let columns = self.columns.iter_mut().map(Column::finish).collect();
        RecordBatch::try_new(self.metric.arrow_schema(), columns)
            .map_err(|_| AnalyticsError::Internal("rows do not fit their declaration"))
    }
}

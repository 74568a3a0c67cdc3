//! Rows of a metrics table, put together into a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, Int32Array, PrimitiveArray, StringBuilder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
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

/// The cells of a column.
#[derive(Debug)]
enum Cells {
    Text(StringBuilder),
    Int(Vec<i64>),
    Small(Vec<i32>),
    Float(Vec<f64>),
    Bool(Vec<bool>),
    Time(Vec<i64>),
    Date(Vec<i32>),
}

/// A column on its way: what is none holds anything.
#[derive(Debug)]
struct Column {
    cells: Cells,
    /// Which cells hold something; of texts their builder knows.
    valid: Vec<bool>,
    has_none: bool,
}

/// Adds a cell, and whether there is one.
#[inline]
fn add<T: Default>(cells: &mut Vec<T>, valid: &mut Vec<bool>, cell: Option<T>) -> bool {
    let is_some = cell.is_some();
    cells.push(cell.unwrap_or_default());
    valid.push(is_some);
    is_some
}

/// What is there; as much will come next.
fn taken<T>(cells: &mut Vec<T>) -> Vec<T> {
    let next = Vec::with_capacity(cells.len());
    std::mem::replace(cells, next)
}

fn primitive<T: ArrowPrimitiveType>(
    cells: &mut Vec<T::Native>,
    valid: Option<NullBuffer>,
) -> PrimitiveArray<T> {
    PrimitiveArray::new(taken(cells).into(), valid)
}

impl Column {
    fn new(kind: MetricKind) -> Self {
        let cells = match kind {
            MetricKind::Text | MetricKind::Json => Cells::Text(StringBuilder::new()),
            MetricKind::Int => Cells::Int(Vec::new()),
            MetricKind::Small => Cells::Small(Vec::new()),
            MetricKind::Float => Cells::Float(Vec::new()),
            MetricKind::Bool => Cells::Bool(Vec::new()),
            MetricKind::Timestamp => Cells::Time(Vec::new()),
            MetricKind::Date => Cells::Date(Vec::new()),
        };
        Self { cells, valid: Vec::new(), has_none: false }
    }

    /// A value of another kind counts as none: the declaration and what fills it are held together by tests.
    #[inline]
    fn push(&mut self, cell: Cell<'_>) {
        let valid = &mut self.valid;
        let is_some = match &mut self.cells {
            Cells::Text(cells) => {
                cells.append_option(cell.text());
                true
            }
            Cells::Int(cells) | Cells::Time(cells) => add(cells, valid, cell.int()),
            Cells::Small(cells) | Cells::Date(cells) => add(cells, valid, cell.small()),
            Cells::Float(cells) => add(cells, valid, cell.float()),
            Cells::Bool(cells) => add(cells, valid, cell.bool()),
        };
        self.has_none |= !is_some;
    }

    fn finish(&mut self) -> ArrayRef {
        let valid = taken(&mut self.valid);
        let valid = std::mem::take(&mut self.has_none).then(|| NullBuffer::from(valid));
        match &mut self.cells {
            Cells::Text(cells) => Arc::new(cells.finish()),
            Cells::Int(cells) => Arc::new(primitive::<Int64Type>(cells, valid)),
            Cells::Small(cells) => Arc::new(primitive::<Int32Type>(cells, valid)),
            Cells::Float(cells) => Arc::new(primitive::<Float64Type>(cells, valid)),
            Cells::Bool(cells) => Arc::new(BooleanArray::new(taken(cells).into(), valid)),
            Cells::Time(cells) => {
                Arc::new(primitive::<TimestampMicrosecondType>(cells, valid).with_timezone("UTC"))
            }
            Cells::Date(cells) => Arc::new(primitive::<Date32Type>(cells, valid)),
        }
    }
}

/// Rows on their way into a batch.
#[derive(Debug)]
pub(crate) struct Rows {
    metric: Metric,
    /// All but `rules_version`.
    columns: Vec<Column>,
    len: usize,
}

/// A row whose cells come one after the other.
pub(crate) struct Row<'r> {
    metric: Metric,
    columns: std::slice::IterMut<'r, Column>,
}

impl Row<'_> {
    /// Fills the next column.
    #[inline]
    pub(crate) fn put<'a>(&mut self, cell: impl Into<Cell<'a>>) {
        if let Some(column) = self.columns.next() {
            column.push(cell.into());
        } else {
            debug_assert!(false, "more cells than columns: {}", self.metric);
        }
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        debug_assert!(self.columns.len() == 0 || std::thread::panicking(), "columns left: {}", self.metric);
    }
}

impl Rows {
    pub(crate) fn new(metric: Metric) -> Self {
        let columns = metric.table().columns.iter().map(|column| Column::new(column.kind)).collect();
        Self { metric, columns, len: 0 }
    }

    /// Begins a row: all columns in order, but for `rules_version`.
    #[inline]
    pub(crate) fn begin(&mut self) -> Row<'_> {
        self.len += 1;
        Row { metric: self.metric, columns: self.columns.iter_mut() }
    }

    /// Adds a row.
    pub(crate) fn push<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) {
        let mut row = self.begin();
        cells.into_iter().for_each(|cell| row.put(cell));
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The rows so far, and none are left.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch> {
        let mut columns: Vec<ArrayRef> = self.columns.iter_mut().map(Column::finish).collect();
        columns.push(Arc::new(Int32Array::from_value(RULES_VERSION, std::mem::take(&mut self.len))));
        RecordBatch::try_new(self.metric.arrow_schema(), columns)
            .map_err(|_| AnalyticsError::Internal("rows do not fit their declaration"))
    }
}

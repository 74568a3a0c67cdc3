//! Rows of a metrics table, put together into a batch.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BooleanArray, BooleanBufferBuilder, Int32Array, PrimitiveArray, StringArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow::record_batch::RecordBatch;

use crate::error::{AnalyticsError, Result};
use crate::metrics::{Metric, MetricKind, RULES_VERSION};
use crate::symbols::Name;

/// A value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    /// The bytes of a text: whether they are one is found out when the batch is whole.
    Text(&'a [u8]),
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
    fn text(self) -> Option<&'a [u8]> {
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
        Self::Text(value.as_bytes())
    }
}

impl<'a> From<Name<'a>> for Cell<'a> {
    fn from(value: Name<'a>) -> Self {
        value.text().into()
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

/// A hash as a cell shows it: hexadecimal digits.
pub(crate) fn hex(hash: u64) -> [u8; 16] {
    std::array::from_fn(|at| b"0123456789abcdef"[(hash >> (60 - 4 * at)) as usize & 15])
}

/// The cells of a column.
#[derive(Debug)]
enum Cells {
    Text(Texts),
    Int(Vec<i64>),
    Small(Vec<i32>),
    Float(Vec<f64>),
    Bool(Vec<bool>),
    Time(Vec<i64>),
    Date(Vec<i32>),
}

impl Cells {
    fn len(&self) -> usize {
        match self {
            Self::Text(cells) => cells.ends.len(),
            Self::Int(cells) | Self::Time(cells) => cells.len(),
            Self::Small(cells) | Self::Date(cells) => cells.len(),
            Self::Float(cells) => cells.len(),
            Self::Bool(cells) => cells.len(),
        }
    }
}

/// Texts, end to end, and where each ends; past 2 GiB, which no batch may take, that is anywhere.
#[derive(Debug, Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Texts {
    #[inline]
    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as i32);
    }

    fn finish(&mut self, valid: Option<NullBuffer>) -> Result<StringArray> {
        if i32::try_from(self.bytes.len()).is_err() {
            return Err(AnalyticsError::Internal("the texts of a batch take more than 2 GiB"));
        }
        let mut ends = Vec::with_capacity(self.ends.len() + 1);
        ends.push(0);
        ends.append(&mut self.ends);
        let bytes = taken(&mut self.bytes);
        Ok(StringArray::try_new(OffsetBuffer::new(ends.into()), bytes.into(), valid)?)
    }
}

/// A column on its way: what is none holds anything.
#[derive(Debug)]
struct Column {
    cells: Cells,
    /// Which of them hold nothing.
    none: Vec<u32>,
}

/// Adds several cells, and notes where there is none.
#[inline]
fn add_all<T: Default>(cells: &mut Vec<T>, none: &mut Vec<u32>, added: impl Iterator<Item = Option<T>>) {
    for cell in added {
        none.extend(cell.is_none().then_some(cells.len() as u32));
        cells.push(cell.unwrap_or_default());
    }
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
            MetricKind::Text | MetricKind::Id | MetricKind::Json => Cells::Text(Texts::default()),
            MetricKind::Int | MetricKind::Millis => Cells::Int(Vec::new()),
            MetricKind::Small => Cells::Small(Vec::new()),
            MetricKind::Float => Cells::Float(Vec::new()),
            MetricKind::Bool => Cells::Bool(Vec::new()),
            MetricKind::Timestamp => Cells::Time(Vec::new()),
            MetricKind::Date => Cells::Date(Vec::new()),
        };
        Self { cells, none: Vec::new() }
    }

    /// Adds a value.
    #[inline]
    fn push(&mut self, cell: Cell<'_>) {
        self.extend(std::iter::once(cell));
    }

    /// Adds several values: of which kind they are is looked at once. One of another kind counts as none: the declaration and what
    /// fills it are held together by tests.
    #[inline]
    fn extend<'a>(&mut self, added: impl Iterator<Item = Cell<'a>>) {
        let Self { cells, none } = self;
        match cells {
            Cells::Text(cells) => {
                for cell in added {
                    none.extend(cell.text().is_none().then_some(cells.ends.len() as u32));
                    cells.push(cell.text().unwrap_or_default());
                }
            }
            Cells::Int(cells) | Cells::Time(cells) => add_all(cells, none, added.map(Cell::int)),
            Cells::Small(cells) | Cells::Date(cells) => add_all(cells, none, added.map(Cell::small)),
            Cells::Float(cells) => add_all(cells, none, added.map(Cell::float)),
            Cells::Bool(cells) => add_all(cells, none, added.map(Cell::bool)),
        }
    }

    /// Which cells hold something; nothing where all of them do.
    fn valid(&mut self) -> Option<NullBuffer> {
        if self.none.is_empty() {
            return None;
        }
        let len = self.cells.len();
        let mut valid = BooleanBufferBuilder::new(len);
        valid.append_n(len, true);
        self.none.drain(..).for_each(|at| valid.set_bit(at as usize, false));
        Some(NullBuffer::new(valid.finish()))
    }

    fn finish(&mut self) -> Result<ArrayRef> {
        let valid = self.valid();
        Ok(match &mut self.cells {
            Cells::Text(cells) => Arc::new(cells.finish(valid)?),
            Cells::Int(cells) => Arc::new(primitive::<Int64Type>(cells, valid)),
            Cells::Small(cells) => Arc::new(primitive::<Int32Type>(cells, valid)),
            Cells::Float(cells) => Arc::new(primitive::<Float64Type>(cells, valid)),
            Cells::Bool(cells) => Arc::new(BooleanArray::new(taken(cells).into(), valid)),
            Cells::Time(cells) => {
                Arc::new(primitive::<TimestampMicrosecondType>(cells, valid).with_timezone("UTC"))
            }
            Cells::Date(cells) => Arc::new(primitive::<Date32Type>(cells, valid)),
        })
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
        self.fill(|column| column.push(cell.into()));
    }

    #[inline]
    fn fill(&mut self, fill: impl FnOnce(&mut Column)) {
        match self.columns.next() {
            Some(column) => fill(column),
            None => debug_assert!(false, "more cells than columns: {}", self.metric),
        }
    }
}

/// Several rows whose cells come column by column.
pub(crate) struct ManyRows<'r> {
    row: Row<'r>,
    len: usize,
}

impl ManyRows<'_> {
    /// Fills the next column, with the same cell in all rows.
    pub(crate) fn put_same<'a>(&mut self, cell: impl Into<Cell<'a>>) {
        let len = self.len;
        self.row.fill(|column| column.extend(std::iter::repeat_n(cell.into(), len)));
    }

    /// Fills the next column, with as many cells as there are rows.
    pub(crate) fn put_each<'a, C: Into<Cell<'a>>>(&mut self, cells: impl ExactSizeIterator<Item = C>) {
        debug_assert_eq!(cells.len(), self.len, "a cell for each row");
        self.row.fill(|column| column.extend(cells.map(Into::into)));
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

    /// Begins `len` rows: all columns in order, but for `rules_version`.
    pub(crate) fn begin_many(&mut self, len: usize) -> ManyRows<'_> {
        self.len += len;
        ManyRows { row: Row { metric: self.metric, columns: self.columns.iter_mut() }, len }
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The rows so far, and none are left.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch> {
        let mut columns = self.columns.iter_mut().map(Column::finish).collect::<Result<Vec<_>>>()?;
        columns.push(Arc::new(Int32Array::from_value(RULES_VERSION, std::mem::take(&mut self.len))));
        RecordBatch::try_new(self.metric.arrow_schema(), columns)
            .map_err(|_| AnalyticsError::Internal("rows do not fit their declaration"))
    }
}

/// A batch of one row, less its `rules_version`.
#[cfg(test)]
pub(crate) fn one_row(metric: Metric, cells: &[Cell<'_>]) -> RecordBatch {
    let mut rows = Rows::new(metric);
    let mut row = rows.begin();
    for &cell in cells {
        row.put(cell);
    }
    drop(row);
    rows.finish().unwrap()
}

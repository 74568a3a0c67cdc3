//! The rows of one table that came of one block.

use std::ops::Range;

use korpus_core::Text;

use super::column::{ColumnBuffer, List, Room, Texts};
use crate::schema::Table;

/// Rows of a table, column by column. A row is what is put between two calls of [`end_row`](Self::end_row).
#[derive(Debug)]
pub(crate) struct TableBuffer {
    pub columns: Vec<ColumnBuffer>,
    rows: usize,
}

/// Names the accessor of a column by its type; the schema and the builders agree, or a test finds out at once.
macro_rules! puts {
    ($($(#[$doc:meta])* $name:ident: $variant:ident($ty:ty),)*) => {
        $($(#[$doc])*
        #[inline]
        pub(crate) fn $name(&mut self, column: impl Into<usize>, value: $ty) {
            let row = self.rows;
            match &mut self.columns[column.into()] {
                ColumnBuffer::$variant(buffer) => buffer.put(row, value),
                other => mismatch(other),
            }
        })*
    };
}

#[cold]
fn mismatch(column: &ColumnBuffer) -> ! {
    unreachable!("the schema declares another type: {:?}", std::mem::discriminant(column))
}

impl TableBuffer {
    pub(crate) fn new(table: Table) -> Self {
        Self {
            columns: table.columns().iter().map(|column| ColumnBuffer::new(column.kind)).collect(),
            rows: 0,
        }
    }

    /// An empty one with room for as much as another had.
    pub(crate) fn with_room(table: Table, room: &[Room]) -> Self {
        let mut buffer = Self::new(table);
        for (column, room) in buffer.columns.iter_mut().zip(room) {
            column.reserve_like(room);
        }
        buffer
    }

    /// How much room its columns take.
    pub(crate) fn room(&self) -> Vec<Room> {
        self.columns.iter().map(ColumnBuffer::room).collect()
    }

    /// Rows that are closed.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    puts! {
        put_bool: Bool(bool),
        put_i32: Int32(i32),
        put_i64: Int64(i64),
        put_f64: Float64(f64),
        put_bytes: Binary(Vec<u8>),
    }

    #[inline]
    pub(crate) fn put_str(&mut self, column: impl Into<usize>, value: &str) {
        let row = self.rows;
        match &mut self.columns[column.into()] {
            ColumnBuffer::Text(texts) => texts.put(row, value),
            ColumnBuffer::Name(names) => names.put(row, value),
            other => mismatch(other),
        }
    }

    #[inline]
    pub(crate) fn texts(&mut self, column: impl Into<usize>) -> &mut Texts {
        match &mut self.columns[column.into()] {
            ColumnBuffer::Text(texts) => texts,
            other => mismatch(other),
        }
    }

    pub(crate) fn list(&mut self, column: impl Into<usize>) -> &mut List {
        match &mut self.columns[column.into()] {
            ColumnBuffer::List(list) => list,
            other => mismatch(other),
        }
    }

    /// Puts a decoded text; false where it held a lone surrogate and the column has only the best that could be made of it.
    #[inline]
    pub(crate) fn put_text(&mut self, column: impl Into<usize>, text: Text<'_>) -> bool {
        let row = self.rows;
        self.columns[column.into()].put_text(row, text)
    }

    /// The text of the row that is being filled.
    #[inline]
    pub(crate) fn current(&self, column: impl Into<usize>) -> Option<&str> {
        self.columns[column.into()].text(self.rows)
    }

    /// The number of the row that is being filled.
    pub(crate) fn current_i64(&self, column: impl Into<usize>) -> Option<i64> {
        match &self.columns[column.into()] {
            ColumnBuffer::Int64(buffer) => buffer.values.get(self.rows).copied(),
            other => mismatch(other),
        }
    }

    /// An object that is written member by member into a text column of the row that is being filled.
    pub(crate) fn object(&mut self, column: impl Into<usize>) -> ObjectWriter<'_> {
        let row = self.rows;
        ObjectWriter::new(self.texts(column), row)
    }

    pub(crate) fn end_row(&mut self) {
        self.rows += 1;
    }

    /// Puts a text into the rows that have none in this column.
    pub(crate) fn fill_str(&mut self, column: impl Into<usize>, value: &str) {
        match &mut self.columns[column.into()] {
            ColumnBuffer::Name(names) => names.fill(self.rows, value),
            other => mismatch(other),
        }
    }

    /// Makes all columns as long as the table.
    pub(crate) fn finish(&mut self) {
        for column in &mut self.columns {
            column.pad(self.rows);
        }
    }

    /// Says how many rows the columns hold, where those were filled from outside.
    pub(super) fn set_rows(&mut self, rows: usize) {
        self.rows = rows;
    }

    /// Forgets the rows and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.columns.iter_mut().for_each(ColumnBuffer::clear);
        self.rows = 0;
    }

    /// Adds the ordinals that stand before the block.
    pub(crate) fn add_base(&mut self, column: impl Into<usize>, base: u64) {
        if let ColumnBuffer::Int64(buffer) = &mut self.columns[column.into()] {
            for value in &mut buffer.values {
                *value += base as i64;
            }
        }
    }

    /// Bytes of the rows in `range`.
    pub(crate) fn bytes(&self, range: Range<usize>) -> usize {
        let before = |rows| self.columns.iter().map(|column| column.bytes_before(rows)).sum::<usize>();
        before(range.end) - before(range.start)
    }
}

/// Writes a JSON object of raw members as the value of a row; nothing at all if there are none.
#[derive(Debug)]
pub(crate) struct ObjectWriter<'a> {
    out: &'a mut Texts,
    row: usize,
    open: bool,
}

impl<'a> ObjectWriter<'a> {
    pub(crate) fn new(out: &'a mut Texts, row: usize) -> Self {
        Self { out, row, open: false }
    }

    /// Adds a member: the inside of its key and its value, both as they stand in the body.
    pub(crate) fn member(&mut self, key: &str, value: &str) {
        let out = self.out.begin(self.row);
        out.push_str(if self.open { ",\"" } else { "{\"" });
        out.push_str(key);
        out.push_str("\":");
        out.push_str(value);
        self.open = true;
    }

    /// Closes the object; with `or_empty`, an object without members is `{}` and not null.
    pub(crate) fn end(self, or_empty: bool) {
        if self.open {
            self.out.begin(self.row).push('}');
            self.out.end();
        } else if or_empty {
            self.out.put(self.row, "{}");
        }
    }
}

//! Rows that are put aside: taken out of one buffer into another, or written to disk and read back.

use std::ops::Range;

use super::column::{ColumnBuffer, Fixed, List, Names, Texts, span};
use super::table::TableBuffer;
use crate::error::{Result, TablesError};
use crate::schema::Table;

impl TableBuffer {
    /// Adds the rows in `range` of another buffer of the same table; both are finished.
    pub(crate) fn append_range(&mut self, other: &Self, range: Range<usize>) {
        for (column, other) in self.columns.iter_mut().zip(&other.columns) {
            column.append_range(other, range.clone());
        }
        self.set_rows(self.rows() + range.len());
    }

    /// Appends what [`read`](Self::read) makes this buffer of again; it is finished.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        put_len(self.rows(), out);
        for column in &self.columns {
            column.write(out);
        }
    }

    /// A buffer of `table` that was [written](Self::write).
    ///
    /// # Errors
    /// If the bytes are others.
    pub(crate) fn read(table: Table, bytes: &[u8]) -> Result<Self> {
        let mut bytes = Bytes(bytes);
        let mut buffer = Self::new(table);
        buffer.set_rows(bytes.len()?);
        for column in &mut buffer.columns {
            column.read(&mut bytes)?;
        }
        Ok(buffer)
    }
}

impl ColumnBuffer {
    fn append_range(&mut self, other: &Self, range: Range<usize>) {
        match (self, other) {
            (Self::Text(column), Self::Text(other)) => {
                let span = span(&other.ends, range.clone());
                let base = column.text.len();
                column.text.push_str(&other.text[span.clone()]);
                append_ends(&mut column.ends, &other.ends[range.clone()], base, span.start);
                column.valid.extend_from_slice(&other.valid[range]);
            }
            (Self::Name(column), Self::Name(other)) => column.append_range(other, range),
            (Self::Binary(column), Self::Binary(other)) => append_fixed(column, other, range),
            (Self::Bool(column), Self::Bool(other)) => append_fixed(column, other, range),
            (Self::Int32(column), Self::Int32(other)) => append_fixed(column, other, range),
            (Self::Int64(column), Self::Int64(other)) => append_fixed(column, other, range),
            (Self::Float64(column), Self::Float64(other)) => append_fixed(column, other, range),
            (Self::List(column), Self::List(other)) => {
                let span = span(&other.ends, range.clone());
                let base = column.len;
                column.len += span.len();
                append_ends(&mut column.ends, &other.ends[range.clone()], base, span.start);
                column.valid.extend_from_slice(&other.valid[range]);
                for (part, other) in column.parts.iter_mut().zip(&other.parts) {
                    part.append_range(other, span.clone());
                }
            }
            _ => unreachable!("the columns of a table are of the same kinds in all buffers"),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(Texts { text, ends, valid }) => {
                put_len(text.len(), out);
                out.extend_from_slice(text.as_bytes());
                put_ends(ends, valid, out);
            }
            Self::Name(Names { dictionary, codes, .. }) => {
                put_len(dictionary.len(), out);
                for name in dictionary.iter() {
                    put_len(name.len(), out);
                    out.extend_from_slice(name.as_bytes());
                }
                put_len(codes.len(), out);
                out.extend(codes.iter().flat_map(|code| code.to_le_bytes()));
            }
            Self::Binary(Fixed { values, valid }) => {
                put_valid(valid, out);
                for bytes in values {
                    put_len(bytes.len(), out);
                    out.extend_from_slice(bytes);
                }
            }
            Self::Bool(Fixed { values, valid }) => {
                put_valid(valid, out);
                out.extend(values.iter().map(|&value| u8::from(value)));
            }
            Self::Int32(Fixed { values, valid }) => {
                put_valid(valid, out);
                out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            Self::Int64(Fixed { values, valid }) => {
                put_valid(valid, out);
                out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            Self::Float64(Fixed { values, valid }) => {
                put_valid(valid, out);
                out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }
            Self::List(List { parts, len, ends, valid }) => {
                put_len(*len, out);
                put_ends(ends, valid, out);
                for part in parts {
                    part.write(out);
                }
            }
        }
    }

    /// Fills an empty column.
    fn read(&mut self, bytes: &mut Bytes<'_>) -> Result<()> {
        match self {
            Self::Text(column) => {
                column.text.push_str(bytes.text()?);
                (column.ends, column.valid) = bytes.ends()?;
            }
            Self::Name(column) => {
                let names = (0..bytes.len()?).map(|_| bytes.text()).collect::<Result<Vec<_>>>()?;
                let rows = bytes.len()?;
                for (row, code) in bytes.values(rows, u32::from_le_bytes)?.into_iter().enumerate() {
                    if code != Names::NULL {
                        column.put(row, names.get(code as usize).ok_or(DAMAGED)?);
                    }
                }
                column.pad(rows);
            }
            Self::Binary(column) => {
                column.valid = bytes.valid()?;
                for _ in 0..column.valid.len() {
                    let len = bytes.len()?;
                    column.values.push(bytes.take(len)?.to_vec());
                }
            }
            Self::Bool(column) => {
                column.valid = bytes.valid()?;
                column.values = bytes.take(column.valid.len())?.iter().map(|&byte| byte != 0).collect();
            }
            Self::Int32(column) => {
                column.valid = bytes.valid()?;
                column.values = bytes.values(column.valid.len(), i32::from_le_bytes)?;
            }
            Self::Int64(column) => {
                column.valid = bytes.valid()?;
                column.values = bytes.values(column.valid.len(), i64::from_le_bytes)?;
            }
            Self::Float64(column) => {
                column.valid = bytes.valid()?;
                column.values = bytes.values(column.valid.len(), f64::from_le_bytes)?;
            }
            Self::List(column) => {
                column.len = bytes.len()?;
                (column.ends, column.valid) = bytes.ends()?;
                for part in &mut column.parts {
                    part.read(bytes)?;
                }
            }
        }
        Ok(())
    }
}

fn append_ends(out: &mut Vec<u32>, ends: &[u32], base: usize, start: usize) {
    out.extend(ends.iter().map(|&end| (base + end as usize - start) as u32));
}

fn append_fixed<T: Clone>(column: &mut Fixed<T>, other: &Fixed<T>, range: Range<usize>) {
    column.values.extend_from_slice(&other.values[range.clone()]);
    column.valid.extend_from_slice(&other.valid[range]);
}

fn put_len(len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(len as u64).to_le_bytes());
}

fn put_valid(valid: &[bool], out: &mut Vec<u8>) {
    put_len(valid.len(), out);
    out.extend(valid.iter().map(|&valid| u8::from(valid)));
}

fn put_ends(ends: &[u32], valid: &[bool], out: &mut Vec<u8>) {
    put_valid(valid, out);
    out.extend(ends.iter().flat_map(|end| end.to_le_bytes()));
}

/// Only a defect, or a disk that forgets, reads something else than was written.
const DAMAGED: TablesError = TablesError::Internal("rows that were put aside came back as others");

/// What is left to be read.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, len: usize) -> Result<&'b [u8]> {
        let (taken, left) = self.0.split_at_checked(len).ok_or(DAMAGED)?;
        self.0 = left;
        Ok(taken)
    }

    fn len(&mut self) -> Result<usize> {
        let bytes = self.take(8)?.try_into().map_err(|_| DAMAGED)?;
        usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| DAMAGED)
    }

    fn text(&mut self) -> Result<&'b str> {
        let len = self.len()?;
        std::str::from_utf8(self.take(len)?).map_err(|_| DAMAGED)
    }

    fn values<T, const N: usize>(&mut self, count: usize, value: impl Fn([u8; N]) -> T) -> Result<Vec<T>> {
        let bytes = self.take(count.checked_mul(N).ok_or(DAMAGED)?)?;
        Ok(bytes.as_chunks::<N>().0.iter().map(|bytes| value(*bytes)).collect())
    }

    fn valid(&mut self) -> Result<Vec<bool>> {
        let rows = self.len()?;
        Ok(self.take(rows)?.iter().map(|&byte| byte != 0).collect())
    }

    fn ends(&mut self) -> Result<(Vec<u32>, Vec<bool>)> {
        let valid = self.valid()?;
        Ok((self.values(valid.len(), u32::from_le_bytes)?, valid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{MessageColumn, RejectColumn, TemplateColumn};

    /// Rows in which every kind of column has values, nulls, and values that are empty.
    fn buffers() -> Vec<(Table, TableBuffer)> {
        let mut messages = TableBuffer::new(Table::Messages);
        let mut rejects = TableBuffer::new(Table::Rejects);
        let mut templates = TableBuffer::new(Table::Templates);
        for row in 0..9_usize {
            messages.put_i64(MessageColumn::MessageSeq, row as i64);
            if row % 2 == 0 {
                messages.put_str(MessageColumn::Text, &"ä".repeat(row));
                messages.put_bool(MessageColumn::IsDeveloper, row % 4 == 0);
                messages.put_i32(MessageColumn::EventDate, -(row as i32));
                messages.put_f64(MessageColumn::LatencyBotMs, row as f64 / 3.0);
            }
            if row % 3 > 0 {
                let at = row;
                let list = messages.list(MessageColumn::Channels);
                for element in 0..row % 3 {
                    let len = list.len;
                    let ColumnBuffer::Name(kinds) = &mut list.parts[0] else { panic!("names") };
                    kinds.put(len, &format!("{row}.{element}"));
                    list.end_element();
                }
                list.end(at);
            }
            messages.end_row();
            if row != 4 {
                rejects.put_bytes(RejectColumn::RawBytes, vec![row as u8; row]);
            }
            rejects.end_row();
            templates.put_i64(TemplateColumn::MessageSeq, 7);
            templates.end_row();
        }
        let mut all = vec![
            (Table::Messages, messages),
            (Table::Rejects, rejects),
            (Table::Templates, templates),
            (Table::Tags, TableBuffer::new(Table::Tags)),
        ];
        for (_, buffer) in &mut all {
            buffer.finish();
        }
        all
    }

    fn written(buffer: &TableBuffer) -> Vec<u8> {
        let mut out = Vec::new();
        buffer.write(&mut out);
        out
    }

    #[test]
    fn rows_come_back_as_they_were() {
        for (table, buffer) in buffers() {
            let bytes = written(&buffer);
            let again = TableBuffer::read(table, &bytes).unwrap();
            assert_eq!(format!("{again:?}"), format!("{buffer:?}"));
            for cut in 0..bytes.len() {
                assert!(TableBuffer::read(table, &bytes[..cut]).is_err(), "{table} {cut}");
            }
        }
    }

    #[test]
    fn ranges_put_together_are_the_whole() {
        for (table, buffer) in buffers() {
            for step in 1..=buffer.rows() {
                let mut again = TableBuffer::new(table);
                for from in (0..buffer.rows()).step_by(step) {
                    again.append_range(&buffer, from..(from + step).min(buffer.rows()));
                }
                assert_eq!(written(&again), written(&buffer), "{table} {step}");
            }
        }
    }
}

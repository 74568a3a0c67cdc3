//! Column buffers: plain vectors that keep their memory from block to block, turned into Arrow only when a row group is
//! encoded.

use korpus_core::Text;

use crate::schema::ColumnKind;

/// One column of a block's rows. A column that a row says nothing about is padded with nulls when it is next touched.
#[derive(Debug)]
pub(crate) enum ColumnBuffer {
    Text(Texts),
    Binary(Fixed<Vec<u8>>),
    Bool(Fixed<bool>),
    Int32(Fixed<i32>),
    Int64(Fixed<i64>),
    Float64(Fixed<f64>),
    List(List),
}

/// Values of one type, and which of them are there.
#[derive(Debug, Default)]
pub(crate) struct Fixed<T> {
    pub values: Vec<T>,
    pub valid: Vec<bool>,
}

/// Texts, end to end.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub text: String,
    pub ends: Vec<u32>,
    pub valid: Vec<bool>,
}

/// Lists of what the parts hold: one part for a list of texts, several for a list of structs.
#[derive(Debug)]
pub(crate) struct List {
    pub parts: Vec<ColumnBuffer>,
    /// Elements so far.
    pub len: usize,
    pub ends: Vec<u32>,
    pub valid: Vec<bool>,
}

/// The most that is reserved at once, in values or bytes: one huge text must not make all later buffers huge.
const MOST_ROOM: usize = 1 << 20;

/// How large a column of a block was.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room {
    rows: usize,
    /// Of texts.
    bytes: usize,
    /// Of lists.
    parts: Vec<Room>,
}

impl<T: Clone + Default> Fixed<T> {
    fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
        self.valid.reserve(rows);
    }

    fn append(&mut self, other: &Self) {
        self.values.extend_from_slice(&other.values);
        self.valid.extend_from_slice(&other.valid);
    }

    pub(crate) fn put(&mut self, row: usize, value: T) {
        self.pad(row);
        self.values.push(value);
        self.valid.push(true);
    }

    fn pad(&mut self, rows: usize) {
        if self.values.len() < rows {
            self.values.resize(rows, T::default());
            self.valid.resize(rows, false);
        }
    }

    fn clear(&mut self) {
        self.values.clear();
        self.valid.clear();
    }
}

impl Texts {
    pub(crate) fn put(&mut self, row: usize, text: &str) {
        self.pad(row);
        self.text.push_str(text);
        self.end();
    }

    /// Decodes `text` as the value of `row`; false where it held a lone surrogate.
    pub(crate) fn put_decoded(&mut self, row: usize, text: Text<'_>) -> bool {
        self.pad(row);
        let exact = text.decode_into(&mut self.text);
        self.end();
        exact
    }

    /// What the value of `row`, to be closed by [`end`](Self::end), is appended to.
    pub(crate) fn begin(&mut self, row: usize) -> &mut String {
        self.pad(row);
        &mut self.text
    }

    pub(crate) fn end(&mut self) {
        self.ends.push(self.text.len() as u32);
        self.valid.push(true);
    }

    /// The value of `row`, where there is one.
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        if !*self.valid.get(row)? {
            return None;
        }
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        Some(&self.text[start as usize..self.ends[row] as usize])
    }

    fn pad(&mut self, rows: usize) {
        if self.ends.len() < rows {
            self.ends.resize(rows, self.text.len() as u32);
            self.valid.resize(rows, false);
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.valid.clear();
    }
}

impl List {
    /// Closes the element whose parts were put at row [`len`](Self::len).
    pub(crate) fn end_element(&mut self) {
        self.len += 1;
    }

    /// Closes the list of `row`.
    pub(crate) fn end(&mut self, row: usize) {
        // Elements put since the last list belong to this one, not to the rows between that had none.
        let last = self.ends.last().copied().unwrap_or(0);
        if self.ends.len() < row {
            self.ends.resize(row, last);
            self.valid.resize(row, false);
        }
        self.ends.push(self.len as u32);
        self.valid.push(true);
    }

    fn pad(&mut self, rows: usize) {
        if self.ends.len() < rows {
            self.ends.resize(rows, self.len as u32);
            self.valid.resize(rows, false);
        }
        for part in &mut self.parts {
            part.pad(self.len);
        }
    }
}

impl ColumnBuffer {
    pub(crate) fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text | ColumnKind::Name | ColumnKind::Json => Self::Text(Texts::default()),
            ColumnKind::Binary => Self::Binary(Fixed::default()),
            ColumnKind::Bool => Self::Bool(Fixed::default()),
            ColumnKind::Int32 | ColumnKind::Date => Self::Int32(Fixed::default()),
            ColumnKind::Int64 | ColumnKind::Timestamp => Self::Int64(Fixed::default()),
            ColumnKind::Float64 => Self::Float64(Fixed::default()),
            ColumnKind::Texts => Self::List(List {
                parts: vec![Self::new(ColumnKind::Text)],
                len: 0,
                ends: Vec::new(),
                valid: Vec::new(),
            }),
            ColumnKind::Channels | ColumnKind::Thumbnails => Self::List(List {
                parts: kind.parts().unwrap_or_default().iter().map(|(_, kind)| Self::new(*kind)).collect(),
                len: 0,
                ends: Vec::new(),
                valid: Vec::new(),
            }),
        }
    }

    /// Makes up for the nulls at the end.
    pub(crate) fn pad(&mut self, rows: usize) {
        match self {
            Self::Text(column) => column.pad(rows),
            Self::Binary(column) => column.pad(rows),
            Self::Bool(column) => column.pad(rows),
            Self::Int32(column) => column.pad(rows),
            Self::Int64(column) => column.pad(rows),
            Self::Float64(column) => column.pad(rows),
            Self::List(column) => column.pad(rows),
        }
    }

    /// Forgets the values and keeps the memory.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Text(column) => column.clear(),
            Self::Binary(column) => column.clear(),
            Self::Bool(column) => column.clear(),
            Self::Int32(column) => column.clear(),
            Self::Int64(column) => column.clear(),
            Self::Float64(column) => column.clear(),
            Self::List(column) => {
                column.parts.iter_mut().for_each(Self::clear);
                column.len = 0;
                column.ends.clear();
                column.valid.clear();
            }
        }
    }

    /// Adds the values of a column of the same kind; both are padded.
    pub(crate) fn append(&mut self, other: &Self) {
        match (self, other) {
            (Self::Text(column), Self::Text(other)) => {
                let base = column.text.len() as u32;
                column.text.push_str(&other.text);
                column.ends.extend(other.ends.iter().map(|end| end + base));
                column.valid.extend_from_slice(&other.valid);
            }
            (Self::Binary(column), Self::Binary(other)) => column.append(other),
            (Self::Bool(column), Self::Bool(other)) => column.append(other),
            (Self::Int32(column), Self::Int32(other)) => column.append(other),
            (Self::Int64(column), Self::Int64(other)) => column.append(other),
            (Self::Float64(column), Self::Float64(other)) => column.append(other),
            (Self::List(column), Self::List(other)) => {
                let base = column.len as u32;
                column.len += other.len;
                column.ends.extend(other.ends.iter().map(|end| end + base));
                column.valid.extend_from_slice(&other.valid);
                for (part, other) in column.parts.iter_mut().zip(&other.parts) {
                    part.append(other);
                }
            }
            _ => unreachable!("the columns of a table are of the same kinds in all buffers"),
        }
    }

    /// Makes room for what `other` holds, up to a bound: a buffer that need not grow is not copied either.
    pub(crate) fn reserve_like(&mut self, other: &Room) {
        let rows = other.rows;
        match self {
            Self::Text(column) => {
                column.text.reserve(other.bytes);
                column.ends.reserve(rows);
                column.valid.reserve(rows);
            }
            Self::Binary(column) => column.reserve(rows),
            Self::Bool(column) => column.reserve(rows),
            Self::Int32(column) => column.reserve(rows),
            Self::Int64(column) => column.reserve(rows),
            Self::Float64(column) => column.reserve(rows),
            Self::List(column) => {
                column.ends.reserve(rows);
                column.valid.reserve(rows);
                for (part, room) in column.parts.iter_mut().zip(&other.parts) {
                    part.reserve_like(room);
                }
            }
        }
    }

    /// How much room its values take, and a little more.
    pub(crate) fn room(&self) -> Room {
        let some = |len: usize| (len + len / 4).min(MOST_ROOM);
        let rows = |len: usize| Room { rows: some(len), ..Room::default() };
        match self {
            Self::Text(column) => Room { bytes: some(column.text.len()), ..rows(column.ends.len()) },
            Self::Binary(column) => rows(column.values.len()),
            Self::Bool(column) => rows(column.values.len()),
            Self::Int32(column) => rows(column.values.len()),
            Self::Int64(column) => rows(column.values.len()),
            Self::Float64(column) => rows(column.values.len()),
            Self::List(column) => {
                Room { parts: column.parts.iter().map(Self::room).collect(), ..rows(column.ends.len()) }
            }
        }
    }

    /// Bytes of the first `rows` values: a measure for cutting row groups, the same however the rows came in.
    pub(crate) fn bytes_before(&self, rows: usize) -> usize {
        let end = |ends: &[u32]| if rows == 0 { 0 } else { ends[rows - 1] as usize };
        match self {
            Self::Text(column) => end(&column.ends) + 4 * rows,
            Self::Binary(column) => column.values[..rows].iter().map(|bytes| bytes.len() + 4).sum(),
            Self::Bool(_) => rows,
            Self::Int32(_) => 4 * rows,
            Self::Int64(_) | Self::Float64(_) => 8 * rows,
            Self::List(column) => {
                let elements = end(&column.ends);
                4 * rows + column.parts.iter().map(|part| part.bytes_before(elements)).sum::<usize>()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_value_become_nulls() {
        let mut texts = Texts::default();
        texts.put(2, "ab");
        texts.put(4, "c");
        texts.pad(6);
        let rows: Vec<_> = (0..6).map(|row| texts.get(row)).collect();
        assert_eq!(rows, [None, None, Some("ab"), None, Some("c"), None]);
        assert_eq!(texts.ends, [0, 0, 2, 2, 3, 3]);
    }

    #[test]
    fn elements_belong_to_the_list_that_is_closed_next() {
        let mut column = ColumnBuffer::new(ColumnKind::Texts);
        let ColumnBuffer::List(list) = &mut column else { panic!("a list") };
        list.end_element();
        list.end(1);
        let ColumnBuffer::Text(texts) = &mut list.parts[0] else { panic!("texts") };
        texts.put(1, "x");
        list.end_element();
        list.end_element();
        list.end(3);
        column.pad(5);
        let ColumnBuffer::List(list) = &column else { panic!("a list") };
        assert_eq!(list.ends, [0, 1, 1, 3, 3]);
        assert_eq!(list.valid, [false, true, false, true, false]);
        let ColumnBuffer::Text(texts) = &list.parts[0] else { panic!("texts") };
        assert_eq!(texts.valid, [false, true, false]);
        assert_eq!(column.bytes_before(5), 20 + 1 + 12);
    }
}

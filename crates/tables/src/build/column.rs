//! Column buffers: plain vectors that keep their memory from block to block, turned into Arrow only when a row group is
//! encoded.

use std::ops::Range;

use korpus_core::Text;

use super::dictionary::Dictionary;
use crate::schema::ColumnKind;

/// One column of a block's rows. A column that a row says nothing about is padded with nulls when it is next touched.
#[derive(Debug)]
pub(crate) enum ColumnBuffer {
    Text(Texts),
    Name(Names),
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

/// Texts that repeat, each held once.
pub(crate) struct Names {
    pub dictionary: Dictionary,
    /// The code of each value; [`NULL`](Self::NULL) where there is none.
    pub codes: Vec<u32>,
    /// The last two that were put.
    recent: [Recent; 2],
    /// Names of more than [`SHORT`](Self::SHORT) bytes are among them.
    has_long: bool,
    /// Where escaped names are decoded.
    decoded: String,
}

/// A name of a dictionary, and where it stands there.
#[derive(Clone, Copy)]
struct Recent {
    code: u32,
    start: u32,
    /// No name is as long as that of none.
    len: usize,
}

impl Recent {
    const NONE: Self = Self { code: Names::NULL, start: 0, len: usize::MAX };

    #[inline]
    fn is(self, name: &[u8], dictionary: &Dictionary) -> bool {
        let start = self.start as usize;
        self.len == name.len() && are_equal(&dictionary.all_bytes()[start..start + name.len()], name)
    }
}

/// Which values of a column are there.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Validity<'a> {
    Bools(&'a [bool]),
    Codes(&'a [u32]),
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

/// The bytes of texts, or the elements of lists, that `rows` span, given where each row ends.
#[inline]
pub(crate) fn span(ends: &[u32], rows: Range<usize>) -> Range<usize> {
    let end = |row: usize| if row == 0 { 0 } else { ends[row - 1] as usize };
    end(rows.start)..end(rows.end)
}

/// Whether two texts are equal. Names are short: comparing them by their ends takes less than the call of a function that does.
#[inline(always)]
fn are_equal(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(text: &[u8]) -> (Option<&[u8; N]>, Option<&[u8; N]>) {
        (text.first_chunk(), text.last_chunk())
    }
    a.len() == b.len()
        && match a.len() {
            0..4 => a.iter().zip(b).all(|(a, b)| a == b),
            4..8 => ends::<4>(a) == ends(b),
            8..=16 => ends::<8>(a) == ends(b),
            17..=32 => ends::<16>(a) == ends(b),
            _ => a == b,
        }
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
    /// The values of `range` that are there.
    pub(crate) fn there(&self, range: Range<usize>) -> impl Iterator<Item = &T> {
        let valid = &self.valid[range.clone()];
        self.values[range].iter().zip(valid).filter(|(_, valid)| **valid).map(|(value, _)| value)
    }

    fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
        self.valid.reserve(rows);
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
        Some(&self.text[span(&self.ends, row..row + 1)])
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

impl Names {
    /// The code of a null.
    pub(crate) const NULL: u32 = u32::MAX;
    /// Up to so many bytes a name counts as much as its code.
    const SHORT: usize = 64;

    #[inline]
    pub(crate) fn put(&mut self, row: usize, name: &str) {
        self.pad(row);
        // Neighbours often have the same, or every other one has; that is found out sooner than a hash.
        let [last, other] = self.recent;
        let code = if last.is(name.as_bytes(), &self.dictionary) {
            last.code
        } else {
            let found = if other.is(name.as_bytes(), &self.dictionary) { other } else { self.intern(name) };
            self.recent = [found, last];
            found.code
        };
        self.codes.push(code);
    }

    fn intern(&mut self, name: &str) -> Recent {
        self.has_long |= name.len() > Self::SHORT;
        let code = self.dictionary.intern(name);
        Recent { code, start: self.dictionary.start_of(code), len: name.len() }
    }

    /// Puts a name into all rows up to `rows` that have none yet.
    pub(crate) fn fill(&mut self, rows: usize, name: &str) {
        if self.codes.len() < rows {
            let code = self.intern(name).code;
            self.codes.resize(rows, code);
        }
    }

    /// Decodes `text` as the value of `row`; false where it held a lone surrogate.
    #[inline]
    pub(crate) fn put_decoded(&mut self, row: usize, text: Text<'_>) -> bool {
        if let Some(plain) = text.plain() {
            self.put(row, plain);
            return true;
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        decoded.clear();
        let exact = text.decode_into(&mut decoded);
        self.put(row, &decoded);
        self.decoded = decoded;
        exact
    }

    /// The value of `row`, where there is one.
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        let code = *self.codes.get(row)?;
        (code != Self::NULL).then(|| self.dictionary.get(code))
    }

    pub(crate) fn pad(&mut self, rows: usize) {
        if self.codes.len() < rows {
            self.codes.resize(rows, Self::NULL);
        }
    }

    fn clear(&mut self) {
        self.dictionary.clear();
        self.codes.clear();
        self.recent = [Recent::NONE; 2];
        self.has_long = false;
    }

    /// Adds the values of `range` of another column.
    pub(crate) fn append_range(&mut self, other: &Self, range: Range<usize>) {
        let Self { dictionary, codes, .. } = self;
        let mut known = Vec::new();
        codes.extend(other.codes[range].iter().map(|&code| match code {
            Self::NULL => Self::NULL,
            code => dictionary.adopt(&other.dictionary, code, &mut known),
        }));
        self.has_long |= other.has_long;
    }

    /// A long name counts once where neighbours share it: an id may be repeated in every row that is made of its message.
    fn bytes_before(&self, rows: usize) -> usize {
        let mut before = Self::NULL;
        let mut long = |&code: &u32| {
            let is_new = code != Self::NULL && std::mem::replace(&mut before, code) != code;
            if is_new { Some(self.dictionary.get(code).len()).filter(|&len| len > Self::SHORT) } else { None }
        };
        let longs = if self.has_long { self.codes[..rows].iter().filter_map(&mut long).sum() } else { 0 };
        4 * rows + longs
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names")
            .field("names", &self.dictionary)
            .field("codes", &self.codes)
            .finish_non_exhaustive()
    }
}

impl Default for Names {
    fn default() -> Self {
        Self {
            dictionary: Dictionary::default(),
            codes: Vec::new(),
            recent: [Recent::NONE; 2],
            has_long: false,
            decoded: String::new(),
        }
    }
}

impl Validity<'_> {
    #[inline]
    pub(crate) fn is_valid(self, row: usize) -> bool {
        match self {
            Self::Bools(valid) => valid[row],
            Self::Codes(codes) => codes[row] != Names::NULL,
        }
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
            ColumnKind::Text | ColumnKind::Json => Self::Text(Texts::default()),
            ColumnKind::Name => Self::Name(Names::default()),
            ColumnKind::Binary => Self::Binary(Fixed::default()),
            ColumnKind::Bool => Self::Bool(Fixed::default()),
            ColumnKind::Int32 | ColumnKind::Date => Self::Int32(Fixed::default()),
            ColumnKind::Int64 | ColumnKind::Timestamp => Self::Int64(Fixed::default()),
            ColumnKind::Float64 => Self::Float64(Fixed::default()),
            ColumnKind::Texts => Self::List(List {
                parts: vec![Self::new(ColumnKind::Name)],
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
            Self::Name(column) => column.pad(rows),
            Self::Binary(column) => column.pad(rows),
            Self::Bool(column) => column.pad(rows),
            Self::Int32(column) => column.pad(rows),
            Self::Int64(column) => column.pad(rows),
            Self::Float64(column) => column.pad(rows),
            Self::List(column) => column.pad(rows),
        }
    }

    /// Puts a decoded text; false where it held a lone surrogate, or this is no column of texts.
    #[inline]
    pub(crate) fn put_text(&mut self, row: usize, text: Text<'_>) -> bool {
        match self {
            Self::Text(texts) => texts.put_decoded(row, text),
            Self::Name(names) => names.put_decoded(row, text),
            _ => false,
        }
    }

    /// The text of `row`, where there is one.
    #[inline]
    pub(crate) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Text(texts) => texts.get(row),
            Self::Name(names) => names.get(row),
            _ => None,
        }
    }

    /// Which of its values are there. Of lists, which are not null.
    pub(crate) fn validity(&self) -> Validity<'_> {
        Validity::Bools(match self {
            Self::Name(column) => return Validity::Codes(&column.codes),
            Self::Text(column) => &column.valid,
            Self::Binary(column) => &column.valid,
            Self::Bool(column) => &column.valid,
            Self::Int32(column) => &column.valid,
            Self::Int64(column) => &column.valid,
            Self::Float64(column) => &column.valid,
            Self::List(column) => &column.valid,
        })
    }

    /// Forgets the values and keeps the memory.
    pub(crate) fn clear(&mut self) {
        match self {
            Self::Text(column) => column.clear(),
            Self::Name(column) => column.clear(),
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

    /// Makes room for what `other` holds, up to a bound: a buffer that need not grow is not copied either.
    pub(crate) fn reserve_like(&mut self, other: &Room) {
        let rows = other.rows;
        match self {
            Self::Text(column) => {
                column.text.reserve(other.bytes);
                column.ends.reserve(rows);
                column.valid.reserve(rows);
            }
            Self::Name(column) => column.codes.reserve(rows),
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
            Self::Name(column) => rows(column.codes.len()),
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
        match self {
            Self::Text(column) => span(&column.ends, 0..rows).end + 4 * rows,
            Self::Name(column) => column.bytes_before(rows),
            Self::Binary(column) => column.values[..rows].iter().map(|bytes| bytes.len() + 4).sum(),
            Self::Bool(_) => rows,
            Self::Int32(_) => 4 * rows,
            Self::Int64(_) | Self::Float64(_) => 8 * rows,
            Self::List(column) => {
                let elements = span(&column.ends, 0..rows).end;
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
    fn texts_are_equal_where_every_byte_is() {
        let text: Vec<u8> = (0..80).collect();
        for len in 0..text.len() {
            let a = &text[..len];
            let same = a.to_vec();
            assert!(are_equal(a, &same) && !are_equal(a, &text[..=len]));
            for at in 0..len {
                let mut b = a.to_vec();
                b[at] ^= 0x80;
                assert!(!are_equal(a, &b), "{len} {at}");
            }
        }
    }

    #[test]
    fn elements_belong_to_the_list_that_is_closed_next() {
        let mut column = ColumnBuffer::new(ColumnKind::Texts);
        let ColumnBuffer::List(list) = &mut column else { panic!("a list") };
        list.end_element();
        list.end(1);
        let ColumnBuffer::Name(texts) = &mut list.parts[0] else { panic!("names") };
        texts.put(1, "x");
        list.end_element();
        list.end_element();
        list.end(3);
        column.pad(5);
        let ColumnBuffer::List(list) = &column else { panic!("a list") };
        assert_eq!(list.ends, [0, 1, 1, 3, 3]);
        assert_eq!(list.valid, [false, true, false, true, false]);
        let ColumnBuffer::Name(texts) = &list.parts[0] else { panic!("names") };
        assert_eq!([0, 1, 2].map(|row| texts.get(row)), [None, Some("x"), None]);
        assert_eq!(column.bytes_before(5), 20 + 12);
    }
}

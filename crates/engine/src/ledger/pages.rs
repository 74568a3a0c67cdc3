//! The rows of all bodies, each in some dozen bytes: a stream may hold millions of them.

use korpus_core::{Envelope, PageStatus, Reason, Shape};

use super::{Books, PageOrder, PageRow};

/// A chunk with more bytes takes no more rows.
const CHUNK: usize = 64 << 10;
/// Rows from one mark to the next.
const STEP: usize = 64;

/// The rows of all bodies, in order.
#[derive(Clone, PartialEq, Default)]
pub struct Pages {
    chunks: Vec<Vec<u8>>,
    marks: Vec<Mark>,
    len: usize,
}

/// Where every [`STEP`]th row stands.
#[derive(Debug, Clone, PartialEq)]
struct Mark {
    chunk: usize,
    at: usize,
    first_message: u64,
    first_record: u64,
}

impl Pages {
    /// How many bodies there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no body.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = PageRow> + '_ {
        self.rows_after(0)
    }

    /// The row of a body.
    pub fn get(&self, index: usize) -> Option<PageRow> {
        self.rows_after(index / STEP).nth(index % STEP).filter(|_| index < self.len)
    }

    /// The last row for which `is_before` holds, which it does for all rows before one for which it does. `is_before` is asked
    /// about the ordinals of the first message and record.
    pub(super) fn last_where(&self, is_before: impl Fn(u64, u64) -> bool) -> Option<usize> {
        let mark = self.marks.partition_point(|mark| is_before(mark.first_message, mark.first_record));
        let first = mark.checked_sub(1)?;
        let rows = self.rows_after(first).take(STEP);
        let before = rows.take_while(|row| is_before(row.first_message, row.first_record)).count();
        Some(first * STEP + before - 1)
    }

    pub(super) fn push(&mut self, row: &PageRow) {
        if self.chunks.last().is_none_or(|chunk| chunk.len() >= CHUNK) {
            self.chunks.push(Vec::with_capacity(if self.chunks.is_empty() { 0 } else { CHUNK + CHUNK / 8 }));
        }
        let chunk = self.chunks.len() - 1;
        let out = &mut self.chunks[chunk];
        if self.len.is_multiple_of(STEP) {
            let &PageRow { first_message, first_record, .. } = row;
            self.marks.push(Mark { chunk, at: out.len(), first_message, first_record });
        }
        self.len += 1;
        write(row, out);
    }

    /// The rows from a mark on.
    fn rows_after(&self, mark: usize) -> impl Iterator<Item = PageRow> + '_ {
        let mark = self.marks.get(mark);
        let mut chunks = self.chunks[mark.map_or(self.chunks.len(), |mark| mark.chunk)..].iter();
        let mut rest = Bytes(chunks.next().map_or(&[], |chunk| &chunk[mark.map_or(0, |mark| mark.at)..]));
        std::iter::from_fn(move || {
            if rest.0.is_empty() {
                rest = Bytes(chunks.next()?);
            }
            Some(rest.row())
        })
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Extend<PageRow> for Pages {
    fn extend<T: IntoIterator<Item = PageRow>>(&mut self, rows: T) {
        rows.into_iter().for_each(|row| self.push(&row));
    }
}

impl FromIterator<PageRow> for Pages {
    fn from_iter<T: IntoIterator<Item = PageRow>>(rows: T) -> Self {
        let mut pages = Self::default();
        pages.extend(rows);
        pages
    }
}

/// Seven bits a byte, the lowest first.
fn put(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_signed(value: i64, out: &mut Vec<u8>) {
    put(((value << 1) ^ (value >> 63)).cast_unsigned(), out);
}

/// A value behind a 1, or a 0.
fn put_optional<T>(value: Option<T>, out: &mut Vec<u8>, put: impl Fn(T, &mut Vec<u8>)) {
    out.push(u8::from(value.is_some()));
    if let Some(value) = value {
        put(value, out);
    }
}

fn write(row: &PageRow, out: &mut Vec<u8>) {
    // By name, so that none is forgotten.
    let PageRow {
        input,
        page_index,
        first_message,
        first_record,
        shape,
        status,
        reason,
        envelope,
        body_bytes,
        array_hash,
        order,
        first_event_at,
        last_event_at,
        messages,
        records,
    } = row;
    out.extend_from_slice(&[*shape as u8, *status as u8]);
    put_optional(*reason, out, |reason, out| out.push(reason as u8));
    put_optional(*order, out, |order, out| out.push(order as u8));
    for value in [*input as u64, *page_index, *first_message, *first_record] {
        put(value, out);
    }
    let Envelope { total, more_available, skip, limit, total_pages, extra } = envelope;
    put_optional(*more_available, out, |more, out| out.push(u8::from(more)));
    for value in [*total, *skip, *limit, *total_pages, *first_event_at, *last_event_at] {
        put_optional(value, out, put_signed);
    }
    put(extra.len() as u64, out);
    out.extend_from_slice(extra.as_bytes());
    put_optional(*body_bytes, out, put);
    out.extend_from_slice(&array_hash.to_le_bytes());
    for &Books { seen, kept, filtered, rejected, duplicate, superseded } in [messages, records] {
        for value in [seen, kept, filtered, rejected, duplicate, superseded] {
            put(value, out);
        }
    }
}

/// What is left of the rows of a chunk, which are whole: nothing but [`write`] wrote them.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn uint(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
            shift += 7;
        }
    }

    fn int(&mut self) -> i64 {
        let value = self.uint();
        (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.byte() == 1).then(|| read(self))
    }

    fn books(&mut self) -> Books {
        let [seen, kept, filtered, rejected, duplicate, superseded] = std::array::from_fn(|_| self.uint());
        Books { seen, kept, filtered, rejected, duplicate, superseded }
    }

    fn row(&mut self) -> PageRow {
        let shape = Shape::ALL[usize::from(self.byte())];
        let status = PageStatus::ALL[usize::from(self.byte())];
        let reason = self.optional(|bytes| Reason::ALL[usize::from(bytes.byte())]);
        let order = self.optional(|bytes| PageOrder::ALL[usize::from(bytes.byte())]);
        let [input, page_index, first_message, first_record] = std::array::from_fn(|_| self.uint());
        let more_available = self.optional(|bytes| bytes.byte() == 1);
        let [total, skip, limit, total_pages, first_event_at, last_event_at] =
            std::array::from_fn(|_| self.optional(Self::int));
        let len = self.uint() as usize;
        let extra = String::from_utf8_lossy(self.take(len)).into_owned();
        let body_bytes = self.optional(Self::uint);
        let mut array_hash = [0; 16];
        array_hash.copy_from_slice(self.take(16));
        PageRow {
            input: input as usize,
            page_index,
            first_message,
            first_record,
            shape,
            status,
            reason,
            envelope: Envelope { total, more_available, skip, limit, total_pages, extra },
            body_bytes,
            array_hash: u128::from_le_bytes(array_hash),
            order,
            first_event_at,
            last_event_at,
            messages: self.books(),
            records: self.books(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn books() -> impl Strategy<Value = Books> {
        prop::array::uniform6(prop_oneof![0..3_u64, any::<u64>()]).prop_map(
            |[seen, kept, filtered, rejected, duplicate, superseded]| Books {
                seen,
                kept,
                filtered,
                rejected,
                duplicate,
                superseded,
            },
        )
    }

    fn envelope() -> impl Strategy<Value = Envelope> {
        (any::<[Option<i64>; 4]>(), any::<Option<bool>>(), ".{0,9}").prop_map(
            |([total, skip, limit, total_pages], more_available, extra)| Envelope {
                total,
                more_available,
                skip,
                limit,
                total_pages,
                extra,
            },
        )
    }

    prop_compose! {
        fn row()(
            (input, page_index, array_hash) in any::<(usize, u64, u128)>(),
            shape in select(Shape::ALL),
            status in select(PageStatus::ALL),
            reason in prop::option::of(select(Reason::ALL)),
            order in prop::option::of(select(PageOrder::ALL)),
            envelope in envelope(),
            (body_bytes, first_event_at, last_event_at) in any::<(Option<u64>, Option<i64>, Option<i64>)>(),
            (messages, records) in (books(), books()),
        ) -> PageRow {
            PageRow {
                input, page_index, first_message: 0, first_record: 0, shape, status, reason, envelope, body_bytes,
                array_hash, order, first_event_at, last_event_at, messages, records,
            }
        }
    }

    proptest! {
        #[test]
        fn rows_come_back(
            rows in prop::collection::vec(row(), 0..300),
            big in 0..3_usize,
            lookups in prop::collection::vec(any::<prop::sample::Index>(), 24),
        ) {
            let mut rows: Vec<PageRow> = rows;
            for (index, row) in rows.iter_mut().enumerate() {
                // Some bodies hold nothing.
                (row.first_message, row.first_record) = (index as u64 / 3, index as u64 / 7);
                row.envelope.extra.push_str(&"x".repeat(big * 400));
            }
            let pages: Pages = rows.iter().cloned().collect();
            prop_assert_eq!(pages.len(), rows.len());
            prop_assert!(pages.iter().eq(rows.iter().cloned()));
            for index in lookups.iter().map(|lookup| lookup.index(rows.len() + 70)) {
                prop_assert_eq!(pages.get(index), rows.get(index).cloned());
                let message = index as u64 / 2;
                let last = rows.iter().rposition(|row| row.first_message <= message);
                prop_assert_eq!(pages.last_where(|first, _| first <= message), last);
            }
        }
    }

    #[test]
    fn a_row_is_small() {
        let empty = PageRow::new(1, 70, 1_000_000, 0);
        let pages: Pages = (0..10_000).map(|_| empty.clone()).collect();
        let bytes: usize = pages.chunks.iter().map(Vec::capacity).sum();
        assert!(bytes < 10_000 * 80, "{bytes}");
    }
}

//! The levels and values of one data page, before they are encoded, and how they are.

use std::ops::Range;

use parquet::basic::{Encoding, Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescriptor;

use super::bits::{put_hybrid, put_packed, width_of};
use super::delta::put_delta;
use crate::build::{ColumnBuffer, Dictionary, Fixed, List, Names, Texts, Validity, span};

/// A page that is larger, because a message is, does not keep its memory: each column has a page.
const KEPT_BYTES: usize = 1 << 20;

/// What a page holds. Of the values, those of one type only.
#[derive(Debug, Default)]
pub(super) struct PageBuffer {
    rows: usize,
    /// One for each slot: a value, a null, or a list without elements.
    definitions: Vec<u8>,
    /// Whether a slot goes on with the list of the one before.
    repetitions: Vec<u8>,
    slots: usize,
    values: usize,
    /// Byte strings, end to end, and how long each is.
    strings: Vec<u8>,
    lengths: Vec<i32>,
    codes: Vec<u32>,
    bools: Vec<bool>,
    ints: Vec<i32>,
    longs: Vec<i64>,
    doubles: Vec<f64>,
    /// The codes in the dictionary of the chunk of those in the buffer that is being read.
    translation: Vec<u32>,
}

impl PageBuffer {
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Slots with a value.
    pub(super) fn values(&self) -> usize {
        self.values
    }

    /// About how many bytes the values take.
    pub(super) fn bytes(&self) -> usize {
        self.strings.len()
            + 4 * (self.lengths.len() + self.codes.len() + self.ints.len())
            + 8 * (self.longs.len() + self.doubles.len())
    }

    /// Forgets everything and keeps the memory, but for what one huge message took.
    pub(super) fn clear(&mut self) {
        let Self { rows, definitions, repetitions, slots, values, .. } = self;
        (*rows, *slots, *values) = (0, 0, 0);
        definitions.clear();
        repetitions.clear();
        self.strings.clear();
        self.strings.shrink_to(KEPT_BYTES);
        self.lengths.clear();
        self.codes.clear();
        self.bools.clear();
        self.ints.clear();
        self.longs.clear();
        self.doubles.clear();
    }

    /// Tells that the rows of another buffer follow, whose codes are its own.
    pub(super) fn begin_buffer(&mut self) {
        self.translation.clear();
    }

    /// Adds `rows` of a leaf column: all of `buffer`, or where that is a list, the `part` of its elements. Whether they are
    /// names, which go to `dictionary` while there is one.
    pub(super) fn put(
        &mut self,
        buffer: &ColumnBuffer,
        part: usize,
        rows: Range<usize>,
        descriptor: &ColumnDescriptor,
        dictionary: Option<&mut Dictionary>,
    ) -> Result<bool> {
        self.rows += rows.len();
        let (buffer, range) = match buffer {
            ColumnBuffer::List(list) => {
                let elements = self.put_list_levels(list, part, rows, descriptor)?;
                (&list.parts[part], elements)
            }
            flat => {
                self.slots += rows.len();
                if descriptor.max_def_level() > 0 {
                    match flat.validity() {
                        Validity::Bools(valid) => {
                            self.definitions.extend(valid[rows.clone()].iter().map(|&valid| u8::from(valid)));
                        }
                        Validity::Codes(codes) => {
                            let valid = |&code: &u32| u8::from(code != Names::NULL);
                            self.definitions.extend(codes[rows.clone()].iter().map(valid));
                        }
                    }
                }
                (flat, rows)
            }
        };
        self.put_column(buffer, range, dictionary)
    }

    /// Adds the levels of the elements of `rows`; gives back which elements these are.
    fn put_list_levels(
        &mut self,
        list: &List,
        part: usize,
        rows: Range<usize>,
        descriptor: &ColumnDescriptor,
    ) -> Result<Range<usize>> {
        let Some(validity) = list.parts.get(part).map(ColumnBuffer::validity) else { return Err(mismatch()) };
        // An element is there, and its part is not.
        let null = descriptor.max_def_level() as u8 - 1;
        let elements = span(&list.ends, rows.clone());
        let mut at = elements.start;
        for row in rows {
            let end = list.ends[row] as usize;
            if at == end {
                self.definitions.push(u8::from(list.valid[row]));
                self.repetitions.push(0);
            }
            for element in at..end {
                self.definitions.push(null + u8::from(validity.is_valid(element)));
                self.repetitions.push(u8::from(element > at));
            }
            at = end;
        }
        self.slots = self.definitions.len();
        Ok(elements)
    }

    fn put_column(
        &mut self,
        buffer: &ColumnBuffer,
        range: Range<usize>,
        dictionary: Option<&mut Dictionary>,
    ) -> Result<bool> {
        match buffer {
            ColumnBuffer::Text(texts) => self.put_texts(texts, range),
            ColumnBuffer::Name(names) => match dictionary {
                Some(dictionary) => self.put_codes(names, range, dictionary),
                None => self.put_names(names, range),
            },
            ColumnBuffer::Binary(column) => {
                for bytes in column.there(range) {
                    self.put_string(bytes);
                }
            }
            ColumnBuffer::Bool(column) => self.values += put_there(column, range, &mut self.bools),
            ColumnBuffer::Int32(column) => self.values += put_there(column, range, &mut self.ints),
            ColumnBuffer::Int64(column) => self.values += put_there(column, range, &mut self.longs),
            ColumnBuffer::Float64(column) => self.values += put_there(column, range, &mut self.doubles),
            ColumnBuffer::List(_) => return Err(mismatch()),
        }
        Ok(matches!(buffer, ColumnBuffer::Name(_)))
    }

    fn put_string(&mut self, bytes: &[u8]) {
        self.strings.extend_from_slice(bytes);
        self.lengths.push(bytes.len() as i32);
        self.values += 1;
    }

    /// Rows without a text have no bytes either.
    fn put_texts(&mut self, texts: &Texts, range: Range<usize>) {
        let span = span(&texts.ends, range.clone());
        self.strings.extend_from_slice(&texts.text.as_bytes()[span.clone()]);
        let before = self.lengths.len();
        let mut start = span.start as u32;
        for (&end, &valid) in texts.ends[range.clone()].iter().zip(&texts.valid[range]) {
            if valid {
                self.lengths.push((end - start) as i32);
            }
            start = end;
        }
        self.values += self.lengths.len() - before;
    }

    fn put_names(&mut self, names: &Names, range: Range<usize>) {
        for &code in names.codes[range].iter().filter(|&&code| code != Names::NULL) {
            self.put_string(names.dictionary.bytes_of(code));
        }
    }

    fn put_codes(&mut self, names: &Names, range: Range<usize>, dictionary: &mut Dictionary) {
        for &code in names.codes[range].iter().filter(|&&code| code != Names::NULL) {
            self.codes.push(dictionary.adopt(&names.dictionary, code, &mut self.translation));
            self.values += 1;
        }
    }

    /// Writes the levels, each kind behind its length.
    pub(super) fn put_levels(&self, descriptor: &ColumnDescriptor, out: &mut Vec<u8>) {
        for (levels, most) in
            [(&self.repetitions, descriptor.max_rep_level()), (&self.definitions, descriptor.max_def_level())]
        {
            if most > 0 {
                let start = out.len();
                out.extend_from_slice(&[0; 4]);
                put_hybrid(levels, width_of(most as u64), out);
                let len = (out.len() - start - 4) as u32;
                out[start..start + 4].copy_from_slice(&len.to_le_bytes());
            }
        }
    }

    /// Writes the values; codes where the dictionary of the chunk has so many texts. Gives back how they are encoded.
    pub(super) fn put_values(&self, kind: Type, dictionary: Option<usize>, out: &mut Vec<u8>) -> Encoding {
        match (kind, dictionary) {
            (Type::INT32, _) => put_delta(&self.ints, out),
            (Type::INT64, _) => put_delta(&self.longs, out),
            (Type::BOOLEAN, _) => {
                put_packed(self.bools.iter().map(|&flag| flag.into()), 1, out);
                return Encoding::PLAIN;
            }
            (Type::DOUBLE, _) => {
                out.extend(self.doubles.iter().flat_map(|double| double.to_le_bytes()));
                return Encoding::PLAIN;
            }
            (_, Some(texts)) => {
                let width = width_of(texts.saturating_sub(1) as u64).max(1);
                out.push(width as u8);
                put_hybrid(&self.codes, width, out);
                return Encoding::RLE_DICTIONARY;
            }
            (_, None) => {
                // Lengths apart from the bytes: ids have nothing in common then that a compressor would look at in vain.
                put_delta(&self.lengths, out);
                out.extend_from_slice(&self.strings);
                return Encoding::DELTA_LENGTH_BYTE_ARRAY;
            }
        }
        Encoding::DELTA_BINARY_PACKED
    }
}

/// Adds the values that are there; gives back how many.
fn put_there<T: Copy>(column: &Fixed<T>, range: Range<usize>, out: &mut Vec<T>) -> usize {
    let before = out.len();
    let (values, valid) = (&column.values[range.clone()], &column.valid[range]);
    if valid.iter().all(|&valid| valid) {
        out.extend_from_slice(values);
    } else {
        out.extend(values.iter().zip(valid).filter(|(_, valid)| **valid).map(|(value, _)| *value));
    }
    out.len() - before
}

fn mismatch() -> ParquetError {
    ParquetError::General("a column buffer of another type than its column".to_owned())
}

/// The least and the greatest of a chunk's values, where these have an order that readers can use.
#[derive(Debug, Default)]
pub(super) struct Extremes {
    bools: Option<(bool, bool)>,
    ints: Option<(i32, i32)>,
    longs: Option<(i64, i64)>,
    doubles: Option<(f64, f64)>,
}

impl Extremes {
    /// Takes in the values of a page.
    pub(super) fn extend(&mut self, page: &PageBuffer) {
        widen(&mut self.bools, &page.bools);
        widen(&mut self.ints, &page.ints);
        widen(&mut self.longs, &page.longs);
        widen(&mut self.doubles, &page.doubles);
    }

    /// What the footer says; nothing of byte strings.
    pub(super) fn statistics(&self, kind: Type, nulls: u64) -> Option<Statistics> {
        fn split<T: Copy>(both: Option<(T, T)>) -> (Option<T>, Option<T>) {
            (both.map(|both| both.0), both.map(|both| both.1))
        }
        let nulls = Some(nulls);
        Some(match kind {
            Type::BOOLEAN => {
                let (min, max) = split(self.bools);
                Statistics::boolean(min, max, None, nulls, false)
            }
            Type::INT32 => {
                let (min, max) = split(self.ints);
                Statistics::int32(min, max, None, nulls, false)
            }
            Type::INT64 => {
                let (min, max) = split(self.longs);
                Statistics::int64(min, max, None, nulls, false)
            }
            Type::DOUBLE => {
                // By the format, a zero at either end stands for both zeros.
                let min = self.doubles.map(|both| if both.0 == 0.0 { -0.0 } else { both.0 });
                let max = self.doubles.map(|both| if both.1 == 0.0 { 0.0 } else { both.1 });
                Statistics::double(min, max, None, nulls, false)
            }
            _ => return None,
        })
    }
}

/// Doubles here are never NaN, so every two values have an order.
fn widen<T: Copy + PartialOrd>(both: &mut Option<(T, T)>, values: &[T]) {
    let Some(&first) = values.first() else { return };
    let seen = both.unwrap_or((first, first));
    *both = Some(values.iter().fold(seen, |(min, max), &value| {
        (if value < min { value } else { min }, if value > max { value } else { max })
    }));
}

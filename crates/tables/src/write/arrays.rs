//! From column buffers to Arrow arrays.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, ListArray,
    StringArray, StringBuilder, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;

use crate::build::{ColumnBuffer, Fixed, List, Texts, span};
use crate::schema::{ColumnKind, ELEMENT, struct_fields};

/// Rows of one column buffer.
pub(crate) type Piece<'a> = (&'a ColumnBuffer, Range<usize>);

/// One array of all the pieces, in order.
///
/// # Errors
/// If they are not what `kind` says, or too large for one array: the caller cuts them well below.
pub(crate) fn array(kind: ColumnKind, pieces: &[Piece<'_>]) -> Result<ArrayRef, ArrowError> {
    Ok(match kind {
        ColumnKind::Text | ColumnKind::Json => Arc::new(texts(pieces)?),
        ColumnKind::Name => Arc::new(names(pieces)?),
        ColumnKind::Binary => {
            let (values, nulls) = fixed(pieces, |column| match column {
                ColumnBuffer::Binary(buffer) => Some(buffer),
                _ => None,
            })?;
            let there = |row: usize| nulls.as_ref().is_none_or(|nulls: &NullBuffer| nulls.is_valid(row));
            let rows = values.iter().enumerate().map(|(row, bytes)| there(row).then_some(bytes));
            Arc::new(rows.collect::<BinaryArray>())
        }
        ColumnKind::Bool => {
            let (values, nulls) = fixed(pieces, |column| match column {
                ColumnBuffer::Bool(buffer) => Some(buffer),
                _ => None,
            })?;
            Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls))
        }
        ColumnKind::Int32 | ColumnKind::Date => {
            let (values, nulls) = fixed(pieces, |column| match column {
                ColumnBuffer::Int32(buffer) => Some(buffer),
                _ => None,
            })?;
            if kind == ColumnKind::Date {
                Arc::new(Date32Array::try_new(values.into(), nulls)?)
            } else {
                Arc::new(Int32Array::try_new(values.into(), nulls)?)
            }
        }
        ColumnKind::Int64 | ColumnKind::Timestamp => {
            let (values, nulls) = fixed(pieces, |column| match column {
                ColumnBuffer::Int64(buffer) => Some(buffer),
                _ => None,
            })?;
            if kind == ColumnKind::Timestamp {
                Arc::new(TimestampMicrosecondArray::try_new(values.into(), nulls)?.with_timezone("UTC"))
            } else {
                Arc::new(Int64Array::try_new(values.into(), nulls)?)
            }
        }
        ColumnKind::Float64 => {
            let (values, nulls) = fixed(pieces, |column| match column {
                ColumnBuffer::Float64(buffer) => Some(buffer),
                _ => None,
            })?;
            Arc::new(Float64Array::try_new(values.into(), nulls)?)
        }
        ColumnKind::Texts | ColumnKind::Channels | ColumnKind::Thumbnails => Arc::new(lists(kind, pieces)?),
    })
}

fn mismatch() -> ArrowError {
    ArrowError::SchemaError("a column buffer of another type than its column".to_owned())
}

fn nulls(valid: Vec<bool>) -> Option<NullBuffer> {
    if valid.iter().all(|&valid| valid) { None } else { Some(NullBuffer::from(valid)) }
}

fn fixed<'a, T: Clone + 'a>(
    pieces: &[Piece<'a>],
    of: impl Fn(&'a ColumnBuffer) -> Option<&'a Fixed<T>>,
) -> Result<(Vec<T>, Option<NullBuffer>), ArrowError> {
    let rows = pieces.iter().map(|(_, rows)| rows.len()).sum();
    let mut values = Vec::with_capacity(rows);
    let mut valid = Vec::with_capacity(rows);
    for (column, rows) in pieces {
        let buffer = of(column).ok_or_else(mismatch)?;
        values.extend_from_slice(&buffer.values[rows.clone()]);
        valid.extend_from_slice(&buffer.valid[rows.clone()]);
    }
    Ok((values, nulls(valid)))
}

/// Offsets and validity of texts or lists; calls `elements` with the elements that each piece spans.
fn offsets<'a, T: 'a>(
    pieces: &[Piece<'a>],
    of: impl Fn(&'a ColumnBuffer) -> Option<(&'a T, &'a [u32], &'a [bool])>,
    mut elements: impl FnMut(&'a T, Range<usize>),
) -> Result<(OffsetBuffer<i32>, Option<NullBuffer>), ArrowError> {
    let rows: usize = pieces.iter().map(|(_, rows)| rows.len()).sum();
    let mut offsets = Vec::with_capacity(rows + 1);
    let mut valid = Vec::with_capacity(rows);
    let mut total = 0_usize;
    offsets.push(0);
    for (column, rows) in pieces {
        let (buffer, ends, validity) = of(column).ok_or_else(mismatch)?;
        let span = span(ends, rows.clone());
        if total + span.len() > i32::MAX as usize {
            return Err(ArrowError::OffsetOverflowError(total + span.len()));
        }
        offsets.extend(ends[rows.clone()].iter().map(|&end| (total + end as usize - span.start) as i32));
        valid.extend_from_slice(&validity[rows.clone()]);
        total += span.len();
        elements(buffer, span);
    }
    Ok((OffsetBuffer::new(ScalarBuffer::from(offsets)), nulls(valid)))
}

fn texts(pieces: &[Piece<'_>]) -> Result<StringArray, ArrowError> {
    fn of(column: &ColumnBuffer) -> Option<(&Texts, &[u32], &[bool])> {
        match column {
            ColumnBuffer::Text(texts) => Some((texts, &texts.ends, &texts.valid)),
            _ => None,
        }
    }
    let spans = pieces.iter().filter_map(|(column, rows)| Some(span(of(column)?.1, rows.clone()).len()));
    let mut bytes: Vec<u8> = Vec::with_capacity(spans.sum());
    let (offsets, nulls) =
        offsets(pieces, of, |texts, span| bytes.extend_from_slice(&texts.text.as_bytes()[span]))?;
    StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls)
}

fn names(pieces: &[Piece<'_>]) -> Result<StringArray, ArrowError> {
    let mut builder = StringBuilder::new();
    for (column, rows) in pieces {
        let ColumnBuffer::Name(names) = column else { return Err(mismatch()) };
        for row in rows.clone() {
            builder.append_option(names.get(row));
        }
    }
    Ok(builder.finish())
}

fn lists(kind: ColumnKind, pieces: &[Piece<'_>]) -> Result<ListArray, ArrowError> {
    fn of(column: &ColumnBuffer) -> Option<(&List, &[u32], &[bool])> {
        match column {
            ColumnBuffer::List(list) => Some((list, &list.ends, &list.valid)),
            _ => None,
        }
    }
    let mut inner: Vec<(&List, Range<usize>)> = Vec::new();
    let (offsets, nulls) = offsets(pieces, of, |list, span| inner.push((list, span)))?;
    let part = |index: usize, kind| {
        let pieces: Vec<Piece<'_>> =
            inner.iter().map(|(list, span)| (&list.parts[index], span.clone())).collect();
        array(kind, &pieces)
    };
    let (values, element): (ArrayRef, DataType) = match kind.parts() {
        Some(parts) => {
            let arrays = parts
                .iter()
                .enumerate()
                .map(|(index, (_, kind))| part(index, *kind))
                .collect::<Result<Vec<_>, _>>()?;
            let fields = struct_fields(parts);
            (Arc::new(StructArray::try_new(fields.clone(), arrays, None)?), DataType::Struct(fields))
        }
        None => (part(0, ColumnKind::Name)?, DataType::Utf8),
    };
    ListArray::try_new(Arc::new(Field::new(ELEMENT, element, true)), offsets, values, nulls)
}

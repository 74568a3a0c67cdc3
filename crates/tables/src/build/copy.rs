//! Rows that were read from a dataset, put into a buffer again.

use super::table::TableBuffer;
use crate::read::Row;
use crate::schema::{ColumnKind, Table};

/// Puts a row of a table without lists; `replaced` holds columns whose numbers are others now.
pub(crate) fn put_row(buffer: &mut TableBuffer, table: Table, row: Row<'_>, replaced: &[(usize, i64)]) {
    for (index, column) in table.columns().iter().enumerate() {
        if let Some((_, number)) = replaced.iter().find(|(replaced, _)| *replaced == index) {
            buffer.put_i64(index, *number);
            continue;
        }
        // A null is what is not put.
        match column.kind {
            ColumnKind::Text | ColumnKind::Name | ColumnKind::Json => {
                row.text(index).into_iter().for_each(|text| buffer.put_str(index, text));
            }
            ColumnKind::Int64 => row.int64(index).into_iter().for_each(|it| buffer.put_i64(index, it)),
            ColumnKind::Timestamp => row.micros(index).into_iter().for_each(|it| buffer.put_i64(index, it)),
            ColumnKind::Int32 => row.int32(index).into_iter().for_each(|it| buffer.put_i32(index, it)),
            ColumnKind::Date => row.date(index).into_iter().for_each(|it| buffer.put_i32(index, it)),
            ColumnKind::Float64 => row.float64(index).into_iter().for_each(|it| buffer.put_f64(index, it)),
            ColumnKind::Bool => row.bool(index).into_iter().for_each(|it| buffer.put_bool(index, it)),
            ColumnKind::Binary => {
                row.bytes(index).into_iter().for_each(|bytes| buffer.put_bytes(index, bytes.to_vec()));
            }
            ColumnKind::Texts | ColumnKind::Channels | ColumnKind::Thumbnails => {
                unreachable!("no table that is copied by rows holds lists")
            }
        }
    }
    buffer.end_row();
}

//! Row groups are cut at the same rows however these came in, and encoded the same whoever does it.

use parquet::file::metadata::{ParquetMetaDataReader, RowGroupMetaData};

use super::encoder::Encoder;
use super::layout::part_path;
use super::settings::Compression;
use super::table::{RowGroupLimits, TableWriter};
use crate::build::TableBuffer;
use crate::schema::{ComponentColumn, Table};

/// Writes rows whose texts have the given lengths, in blocks of `block` rows; gives back the rows of each row group, and
/// the bytes of the file.
fn write(lengths: &[usize], block: usize, limits: RowGroupLimits, helpers: usize) -> (Vec<i64>, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let encoder = Encoder::default();
    let path = part_path(dir.path(), Table::Components, 0);
    let mut writer = TableWriter::create(path.clone(), Table::Components, Compression::Zstd, limits).unwrap();
    let mut seq = 0;
    let mut reused = 0;
    for lengths in lengths.chunks(block) {
        let mut buffer = TableBuffer::new(Table::Components);
        for &length in lengths {
            buffer.put_i64(ComponentColumn::MessageSeq, seq);
            buffer.put_i32(ComponentColumn::ComponentIndex, 1);
            buffer.put_str(ComponentColumn::Text, &"x".repeat(length));
            buffer.end_row();
            seq += 1;
        }
        buffer.finish();
        std::thread::scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(|| while encoder.help() {});
            }
            writer.push(buffer, &encoder, &mut |_| reused += 1).unwrap();
        });
    }
    let groups = writer.close(&encoder).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
    let rows: Vec<i64> = metadata.row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    let mut first = 0;
    for (ordinals, rows) in groups.iter().zip(&rows) {
        assert_eq!(ordinals.messages, Some(first..first + *rows as u64));
        first += *rows as u64;
    }
    assert_eq!(groups.len(), rows.len());
    assert!(rows.len() < 3 || block >= lengths.len() || reused > 0, "buffers come back");
    (rows, std::fs::read(&path).unwrap())
}

#[test]
fn blocks_leave_no_trace() {
    let lengths: Vec<usize> = (0..2000).map(|n| n * 7919 % 301).collect();
    for limits in [
        RowGroupLimits { rows: 300, bytes: usize::MAX },
        RowGroupLimits { rows: 1 << 20, bytes: 40_000 },
        RowGroupLimits { rows: 250, bytes: 50_000 },
    ] {
        let (rows, bytes) = write(&lengths, 2000, limits, 0);
        assert!(rows.len() > 3);
        assert_eq!(rows.iter().sum::<i64>(), 2000);
        for (block, helpers) in [(1, 0), (7, 2), (299, 1), (512, 3)] {
            let (again, same) = write(&lengths, block, limits, helpers);
            assert_eq!(again, rows, "{block}");
            assert!(same == bytes, "{block}");
        }
    }
}

#[test]
fn a_row_larger_than_a_row_group_has_one_of_its_own() {
    let limits = RowGroupLimits { rows: 100, bytes: 1000 };
    let (rows, _) = write(&[10, 5000, 10, 5000, 10], 2, limits, 0);
    assert_eq!(rows, [2, 2, 1]);
}

#[test]
fn a_table_without_rows_has_its_columns() {
    let (rows, bytes) = write(&[], 1, RowGroupLimits::default(), 0);
    assert!(rows.is_empty() && bytes.starts_with(b"PAR1"));
}

//! Row groups are cut at the same rows however these came in, and encoded the same whoever does it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use parquet::file::metadata::{ParquetMetaDataReader, RowGroupMetaData};

use super::days::DayWriter;
use super::encoder::{Encoder, Group};
use super::file::TableFile;
use super::layout::{Day, Layout, part_path};
use super::repair::TableGroups;
use super::settings::Compression;
use super::stats::groups_of;
use super::table::{RowGroupLimits, TableWriter};
use crate::build::{ColumnBuffer, TableBuffer};
use crate::read::{Row, TableReader};
use crate::schema::{ColumnKind, ComponentColumn, MessageColumn, Table};

/// Writes rows whose texts have the given lengths, in blocks of `block` rows; gives back the rows of each row group, and
/// the bytes of the file.
fn write(lengths: &[usize], block: usize, limits: RowGroupLimits, helpers: usize) -> (Vec<i64>, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let encoder = Encoder::default();
    let mut writer =
        TableWriter::create(dir.path(), Table::Components, 0, Compression::Zstd, limits).unwrap();
    let mut seq = 0;
    let (mut pushed, mut reused) = (0, 0);
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
        pushed += 1;
        assert!(reused <= pushed, "more buffers come back than there are");
    }
    let files = writer.close(&encoder).unwrap();
    let (mut all, mut bytes) = (Vec::new(), Vec::new());
    let mut first = 0;
    for (part, TableGroups { path, groups, .. }) in files.iter().enumerate() {
        assert_eq!(*path, part_path(dir.path(), Table::Components, part as u32));
        let file = std::fs::File::open(path).unwrap();
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
        let rows: Vec<i64> = metadata.row_groups().iter().map(RowGroupMetaData::num_rows).collect();
        assert!(rows.len() == limits.of_file || part + 1 == files.len());
        assert_eq!(groups.len(), rows.len());
        for (ordinals, rows) in groups.iter().zip(&rows) {
            assert_eq!(ordinals.messages, Some(first..first + *rows as u64));
            first += *rows as u64;
        }
        all.extend(rows);
        bytes.extend(std::fs::read(path).unwrap());
    }
    assert!(all.len() < 3 || block >= lengths.len() || reused > 0, "buffers come back");
    (all, bytes)
}

#[test]
fn blocks_leave_no_trace() {
    let lengths: Vec<usize> = (0..2000).map(|n| n * 7919 % 301).collect();
    for limits in [
        RowGroupLimits { rows: 300, bytes: usize::MAX, of_file: 2 },
        RowGroupLimits { rows: 1 << 20, bytes: 40_000, of_file: 3 },
        RowGroupLimits { rows: 250, bytes: 50_000, ..RowGroupLimits::default() },
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
fn small_blocks_between_large_ones_leave_no_buffers_behind() {
    let lengths: Vec<usize> = (0..6000).map(|n| if n / 100 % 2 == 0 { 1000 } else { 10 }).collect();
    for rows in [150, 1000] {
        write(&lengths, 100, RowGroupLimits { rows, ..RowGroupLimits::default() }, 0);
    }
}

/// Queues a row group of three rows without values, after `change` had its way with the buffer, for each of `of`.
fn row_groups<T, const N: usize>(
    encoder: &Encoder,
    of: [T; N],
    change: impl Fn(T, &mut TableBuffer),
) -> [Arc<Group>; N] {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::whole(Table::Components);
    let file = TableFile::create(layout, dir.path().join("part"), Compression::Zstd).unwrap();
    of.map(|what| {
        let group = Group::begin(layout, file.leaves(), Compression::Zstd);
        let mut buffer = TableBuffer::new(Table::Components);
        change(what, &mut buffer);
        (0..3).for_each(|_| buffer.end_row());
        buffer.finish();
        encoder.push(&group, Arc::new(buffer), 0..3);
        group
    })
}

#[test]
fn a_row_group_that_fails_does_not_keep_the_next_one_waiting() {
    let encoder = Encoder::default();
    let groups = row_groups(&encoder, [true, false, true], |is_sound, buffer| {
        if !is_sound {
            // There is no list in a list.
            let mut list = ColumnBuffer::new(ColumnKind::Texts);
            if let ColumnBuffer::List(list) = &mut list {
                list.parts[0] = ColumnBuffer::new(ColumnKind::Texts);
            }
            buffer.columns[ComponentColumn::Text as usize] = list;
        }
    });
    for group in &groups {
        encoder.end(group);
    }
    for (group, succeeds) in groups.into_iter().zip([true, false, true]) {
        encoder.finish(&group);
        assert_eq!(group.take_chunks().is_ok(), succeeds);
    }
}

#[test]
fn row_groups_have_the_writer_of_a_column_in_their_order_whoever_comes_first() {
    let encoder = Encoder::default();
    let groups = row_groups(&encoder, [(); 3], |(), _| {});
    encoder.end(&groups[0]);
    encoder.end(&groups[1]);
    // The last one, to which more rows may come, is looked at first: it must not keep the others from their end.
    encoder.turn_queue_round();
    encoder.finish(&groups[0]);
    encoder.finish(&groups[1]);
    encoder.end(&groups[2]);
    encoder.finish(&groups[2]);
    for group in groups {
        assert!(group.take_chunks().is_ok());
    }
}

/// What the files of days hold.
struct Days {
    /// Ordinal, day and length of the text of each message, in the order of reading.
    rows: Vec<(i64, Day, usize)>,
    /// The files, by their names.
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// How many bytes waited on disk.
    spilled: u64,
}

/// Writes messages of the given days and lengths of text, in blocks of `block` rows.
fn write_days(rows: &[(Day, usize)], block: usize, limits: RowGroupLimits, helpers: usize) -> Days {
    let dir = tempfile::tempdir().unwrap();
    let encoder = Encoder::default();
    let mut writer = DayWriter::new(dir.path().to_owned(), 0, Compression::Zstd, limits, None);
    for (at, rows) in rows.chunks(block).enumerate() {
        let mut buffer = TableBuffer::new(Table::Messages);
        for (row, &(day, length)) in rows.iter().enumerate() {
            let seq = (at * block + row) as i64;
            for column in [MessageColumn::MessageSeq, MessageColumn::PageIndex, MessageColumn::MessageIndex] {
                buffer.put_i64(column, seq);
            }
            buffer.put_i64(MessageColumn::Form, 0);
            buffer.put_bool(MessageColumn::IdIsSurrogate, false);
            for column in [MessageColumn::MessageId, MessageColumn::Shape, MessageColumn::SourceFile] {
                buffer.put_str(column, "x");
            }
            if let Some(day) = day {
                buffer.put_i32(MessageColumn::EventDate, day);
            }
            buffer.put_str(MessageColumn::Text, &"y".repeat(length));
            buffer.end_row();
        }
        buffer.finish();
        std::thread::scope(|scope| {
            for _ in 0..helpers {
                scope.spawn(|| while encoder.help() {});
            }
            writer.push(buffer, &encoder, &mut drop).unwrap();
        });
    }
    let spilled = writer.spilled_bytes();
    let closed = writer.close(&encoder, helpers + 1).unwrap();
    let mut files = BTreeMap::new();
    let whole = |file: &TableGroups| (file.path.clone(), (0..file.groups.len()).collect());
    let reader = TableReader::open_groups(Table::Messages, closed.iter().map(whole).collect()).unwrap();
    for file in closed {
        // What the statistics say is what was counted.
        assert_eq!(groups_of(Table::Messages, file.path.clone()).unwrap().groups, file.groups);
        let name = file.path.strip_prefix(dir.path()).unwrap().to_owned();
        files.insert(name, std::fs::read(file.path).unwrap());
    }
    let mut read = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let row = Row { batch: &batch, row };
            let text = row.text(MessageColumn::Text).unwrap();
            read.push((
                row.int64(MessageColumn::MessageSeq).unwrap(),
                row.date(MessageColumn::EventDate),
                text.len(),
            ));
        }
    }
    Days { rows: read, files, spilled }
}

#[test]
fn rows_that_wait_on_disk_leave_no_trace() {
    let days = |n: usize| match n * 7919 / 13 % 23 {
        0 => None,
        day => Some(20_000 + day as i32),
    };
    let rows: Vec<(Day, usize)> = (0..3000).map(|n| (days(n), n * 7919 % 301)).collect();
    let expected: Vec<_> = rows.iter().enumerate().map(|(seq, &(day, len))| (seq as i64, day, len)).collect();
    // Days that never fill a row group, and days that fill some.
    for limits in
        [(1 << 20, 60_000), (40, 20_000)].map(|(rows, bytes)| RowGroupLimits { rows, bytes, of_file: 64 })
    {
        let Days { rows: read, files, spilled } = write_days(&rows, 3000, limits, 0);
        assert_eq!(read, expected);
        assert_eq!(files.len(), 23);
        assert!(spilled > 100_000, "{spilled}");
        for (block, helpers) in [(1, 0), (7, 2), (1000, 3)] {
            let again = write_days(&rows, block, limits, helpers);
            assert_eq!(again.rows, expected, "{block}");
            assert!(again.files == files, "{block}");
        }
        // Nor does it matter to a day what comes between.
        let mut sorted = rows.clone();
        sorted.sort_by_key(|(day, _)| *day);
        let alone = write_days(&sorted, 3000, limits, 0).files;
        for (name, bytes) in &files {
            assert_eq!(row_counts(bytes), row_counts(&alone[name]), "{}", name.display());
        }
    }
}

/// The rows of each row group.
fn row_counts(file: &[u8]) -> Vec<i64> {
    let mut out = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut out, file).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&out).unwrap();
    metadata.row_groups().iter().map(RowGroupMetaData::num_rows).collect()
}

#[test]
fn a_row_larger_than_a_row_group_has_one_of_its_own() {
    let limits = RowGroupLimits { rows: 100, bytes: 1000, of_file: 64 };
    let (rows, _) = write(&[10, 5000, 10, 5000, 10], 2, limits, 0);
    assert_eq!(rows, [2, 2, 1]);
}

#[test]
fn a_table_without_rows_has_its_columns() {
    let (rows, bytes) = write(&[], 1, RowGroupLimits::default(), 0);
    assert!(rows.is_empty() && bytes.starts_with(b"PAR1"));
}

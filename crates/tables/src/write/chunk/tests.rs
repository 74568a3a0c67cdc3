//! What is written reads as what Parquet's own writer makes of the same rows, in every type and with every compression.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Encoding;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;
use proptest::prelude::*;
use tempfile::TempDir;

use super::super::arrays::{Piece, array};
use super::super::file::TableFile;
use super::super::layout::Layout;
use super::super::settings::Compression;
use super::{Chunk, ColumnWriter, Workspace};
use crate::build::{ColumnBuffer, TableBuffer};
use crate::schema::{ColumnKind, Table, TagColumn};

/// Numbers that look random and follow from a seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }

    fn text(&mut self, distinct: u64) -> String {
        let number = self.below(distinct);
        let long = if number.is_multiple_of(7) { 90 } else { 3 };
        format!("{number:x}é{}", "–".repeat(number as usize % long))
    }

    /// Small numbers, neighbours, and the ends of the range.
    fn integer(&mut self) -> i64 {
        match self.below(20) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => self.next() as i64,
            _ => 1_700_000_000_000 + self.below(5000) as i64,
        }
    }
}

/// How rows of a test are made.
#[derive(Debug, Clone)]
struct Shape {
    seed: u64,
    rows: usize,
    /// Of ten values, how many are there.
    present: u64,
    distinct: u64,
    /// Rows of one buffer.
    block: usize,
}

fn fill(buffer: &mut ColumnBuffer, kind: ColumnKind, row: usize, random: &mut Random, shape: &Shape) {
    let elements = |random: &mut Random| random.below(4) as usize;
    match (buffer, kind) {
        (ColumnBuffer::Text(column), _) => column.put(row, &random.text(shape.distinct)),
        (ColumnBuffer::Name(column), _) => column.put(row, &random.text(shape.distinct)),
        (ColumnBuffer::Binary(column), _) => column.put(row, random.next().to_le_bytes().to_vec()),
        (ColumnBuffer::Bool(column), _) => column.put(row, random.below(3) == 0),
        (ColumnBuffer::Int32(column), _) => column.put(row, random.integer() as i32),
        (ColumnBuffer::Int64(column), _) => column.put(row, random.integer()),
        (ColumnBuffer::Float64(column), _) => {
            let numbers = [0.0, -0.0, 1.5, f64::MIN_POSITIVE, -1e300, 17.0];
            column.put(row, numbers[random.below(6) as usize]);
        }
        (ColumnBuffer::List(list), kind) => {
            for _ in 0..elements(random) {
                let element = list.len;
                for part in 0..list.parts.len() {
                    let kind = kind.parts().map_or(ColumnKind::Name, |parts| parts[part].1);
                    if random.below(10) < shape.present {
                        fill(&mut list.parts[part], kind, element, random, shape);
                    }
                }
                list.end_element();
            }
            list.end(row);
        }
    }
}

fn buffers(table: Table, shape: &Shape) -> Vec<Arc<TableBuffer>> {
    let mut random = Random(shape.seed);
    let mut buffers = Vec::new();
    let mut left = shape.rows;
    while left > 0 {
        let rows = left.min(shape.block);
        left -= rows;
        let mut buffer = TableBuffer::new(table);
        for row in 0..rows {
            for (column, declared) in buffer.columns.iter_mut().zip(table.columns()) {
                if !declared.nullable || random.below(10) < shape.present {
                    fill(column, declared.kind, row, &mut random, shape);
                }
            }
            buffer.end_row();
        }
        buffer.finish();
        buffers.push(Arc::new(buffer));
    }
    buffers
}

/// The rows of `buffers` less the first and last one, in a file of one row group.
fn written(path: &Path, table: Table, buffers: &[Arc<TableBuffer>], compression: Compression) {
    let mut file = TableFile::create(Layout::whole(table), path.to_owned(), compression).unwrap();
    let mut workspace = Workspace::default();
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut leaves = file.leaves().to_vec().into_iter();
    for (index, column) in table.columns().iter().enumerate() {
        let leaves: Vec<_> = leaves.by_ref().take(column.kind.leaves()).collect();
        let written = chunks.len();
        let mut writer = ColumnWriter::new(&leaves, compression);
        // Twice: of the row group before, nothing is left.
        for _ in 0..2 {
            for (column, rows) in pieces(buffers, index) {
                writer.put(column, rows, &mut workspace).unwrap();
            }
            chunks.truncate(written);
            chunks.extend(writer.finish(&mut workspace).unwrap());
        }
    }
    file.append_chunks(chunks).unwrap();
    file.close().unwrap();
}

/// The same by Parquet's own writer.
fn reference(
    path: &Path,
    table: Table,
    buffers: &[Arc<TableBuffer>],
    compression: Compression,
) -> RecordBatch {
    let columns = table.columns().iter().enumerate();
    let arrays =
        columns.map(|(index, column)| array(column.kind, &pieces(buffers, index)).unwrap()).collect();
    let batch = RecordBatch::try_new(table.arrow_schema(), arrays).unwrap();
    let mut file = TableFile::create(Layout::whole(table), path.to_owned(), compression).unwrap();
    file.append_batches(std::slice::from_ref(&batch), 1).unwrap();
    file.close().unwrap();
    batch
}

fn pieces(buffers: &[Arc<TableBuffer>], column: usize) -> Vec<Piece<'_>> {
    let last = buffers.len() - 1;
    buffers
        .iter()
        .enumerate()
        .map(|(index, buffer)| {
            let cut = usize::from(buffer.rows() > 1);
            let start = if index == 0 { cut } else { 0 };
            let end = buffer.rows() - if index == last && buffer.rows() - start > 1 { cut } else { 0 };
            (&buffer.columns[column], start..end)
        })
        .collect()
}

fn read(path: &Path) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let reader = builder.with_batch_size(1 << 20).build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
}

fn footer(path: &Path) -> ParquetMetaData {
    ParquetMetaDataReader::new().parse_and_finish(&File::open(path).unwrap()).unwrap()
}

/// What the footer says of a chunk and readers go by.
#[derive(Debug, PartialEq)]
struct Said {
    column: String,
    values: i64,
    nulls: Option<u64>,
    least: Option<Vec<u8>>,
    greatest: Option<Vec<u8>>,
}

fn said(chunk: &ColumnChunkMetaData) -> Said {
    let known = chunk.statistics();
    Said {
        column: chunk.column_path().string(),
        values: chunk.num_values(),
        nulls: known.and_then(Statistics::null_count_opt),
        least: known.and_then(Statistics::min_bytes_opt).map(<[u8]>::to_vec),
        greatest: known.and_then(Statistics::max_bytes_opt).map(<[u8]>::to_vec),
    }
}

/// Gives back the folder where the file `ours` is.
fn compare(table: Table, shape: &Shape, compression: Compression) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (dir.path().join("ours"), dir.path().join("theirs"));
    let buffers = buffers(table, shape);
    written(&ours, table, &buffers, compression);
    let batch = reference(&theirs, table, &buffers, compression);
    let read = read(&ours);
    assert_eq!(read.schema().fields(), batch.schema().fields());
    for (column, declared) in table.columns().iter().enumerate() {
        assert_eq!(read.column(column), batch.column(column), "{} {shape:?}", declared.name);
    }
    let (ours, theirs) = (footer(&ours), footer(&theirs));
    assert_eq!(ours.row_group(0).num_rows(), theirs.row_group(0).num_rows());
    for (ours, theirs) in ours.row_group(0).columns().iter().zip(theirs.row_group(0).columns()) {
        assert_eq!(said(ours), said(theirs), "{shape:?}");
    }
    dir
}

fn shapes(rows: std::ops::Range<usize>) -> impl Strategy<Value = Shape> {
    let distinct = prop_oneof![Just(1), Just(2), 3..40_u64, Just(1 << 40)];
    (any::<u64>(), rows, 0..=10_u64, distinct, 1..3000_usize)
        .prop_map(|(seed, rows, present, distinct, block)| Shape { seed, rows, present, distinct, block })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_table_reads_as_the_reference(shape in shapes(1..300), how in 0..4_usize) {
        for table in Table::ALL {
            compare(table, &shape, Compression::ALL[how]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn many_pages_read_as_the_reference(shape in shapes(20_000..40_000)) {
        compare(Table::Conversations, &shape, Compression::Zstd);
        compare(Table::Components, &shape, Compression::Lz4);
    }
}

#[test]
fn a_dictionary_that_grows_too_large_is_closed() {
    let shape = Shape { seed: 7, rows: 60_000, present: 10, distinct: 1 << 40, block: 700 };
    let dir = compare(Table::Tags, &shape, Compression::Snappy);
    let file = SerializedFileReader::new(File::open(dir.path().join("ours")).unwrap()).unwrap();
    let group = file.get_row_group(0).unwrap();
    let pages = group.get_column_page_reader(TagColumn::Name as usize).unwrap();
    let mut encodings: Vec<_> = pages.map(|page| page.unwrap().encoding()).collect();
    encodings.dedup();
    // The dictionary, pages of its codes, and pages without it.
    let expected = [Encoding::PLAIN, Encoding::RLE_DICTIONARY, Encoding::DELTA_LENGTH_BYTE_ARRAY];
    assert_eq!(encodings, expected);
}
